// How many watch: the count of the API and of the windows is right after reconnects of viewers and of the publisher, and never negative.

import { afterEach, expect, test } from '@jest/globals';
import { startServer, TestPublisher, TestViewer, until, type TestServer } from '../../support/running-server.ts';

let server: TestServer;
const peers: { leave(): void }[] = [];
afterEach(async () => {
  peers.splice(0).forEach((peer) => peer.leave());
  await server.stop();
});

async function viewersOf(stream: string): Promise<number> {
  const { streams } = (await (await fetch(`${server.http}/api/v1/streams`)).json()) as {
    streams: { id: string; viewers: number }[];
  };
  return streams.find(({ id }) => id === stream)?.viewers ?? 0;
}

async function publish(): Promise<TestPublisher> {
  const publisher = new TestPublisher(`${server.ws}/publish/s`);
  peers.push(publisher);
  await publisher.hello('key');
  publisher.track();
  publisher.unit(0, { priority: 'key' });
  return publisher;
}

async function watch(): Promise<TestViewer> {
  const viewer = new TestViewer(`${server.ws}/subscribe/s?rendition=source`);
  peers.push(viewer);
  return viewer.open();
}

test('viewer counts survive reconnects and never go negative', async () => {
  server = await startServer({
    'telemetry.driver': 'memory',
    'auth.publish': 'open',
    'limits.connectionsPerIp': '500',
  });
  const first = await publish();
  const staying = await Promise.all(Array.from({ length: 5 }, watch));
  const seen: number[] = [];
  for (let round = 0; round < 5; round++) {
    const passing = await Promise.all(Array.from({ length: 4 }, watch));
    seen.push(await viewersOf('s'));
    passing.forEach((viewer, i) => (i % 2 === 0 ? viewer.leave() : viewer.socket.terminate()));
    passing.forEach((viewer) => viewer.leave()); // leaving twice counts once
    seen.push(await viewersOf('s'));
  }
  await until('only those who stay are counted', async () => (await viewersOf('s')) === staying.length);
  first.socket.terminate(); // the publisher is lost, its viewers stay
  await until('the publisher may come back', async () => {
    try {
      const again = await publish();
      return again.closed === null && again.messages.some(({ type }) => type === 'welcome');
    } catch {
      return false;
    }
  });
  expect(await viewersOf('s')).toBe(staying.length);
  staying.forEach((viewer) => viewer.leave());
  await until('nobody is counted', async () => (await viewersOf('s')) === 0);
  expect(Math.min(...seen)).toBeGreaterThanOrEqual(staying.length);
  expect(await server.counter('viewers')).toBe(0);
}, 60_000);

test('a viewer that comes back before its dead connection was noticed counts once', async () => {
  server = await startServer({ 'telemetry.driver': 'memory', 'auth.publish': 'open' });
  await publish();
  const before = await watch();
  await before.received(1);
  const welcome = before.messages.find(({ type }) => type === 'welcome');
  const session = welcome?.type === 'welcome' ? welcome.session : '';
  const other = await watch();
  await until('both are counted', async () => (await viewersOf('s')) === 2);
  const back = new TestViewer(`${server.ws}/subscribe/s?rendition=source&after=${session}`);
  peers.push(back);
  await back.received(1);
  expect(await viewersOf('s')).toBe(2);
  await until('the connection before is ended', () => before.closed !== null);
  expect([back.closed, other.closed]).toEqual([null, null]);
  // A session that is gone already: nothing happens to anybody.
  const stranger = new TestViewer(`${server.ws}/subscribe/s?rendition=source&after=${session}`);
  peers.push(stranger);
  await stranger.received(1);
  expect(await viewersOf('s')).toBe(3);
}, 60_000);
