// The ingest process dies under a watching viewer: the viewer stays connected, hears "reconnecting", and has the picture back soon
// after the publisher is back, in the next epoch.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseRtmpAddress, RtmpClient } from '../../../../../server/cli/clients/rtmp-client.ts';
import { WebSocketSubscriber } from '../../../../../server/cli/clients/websocket-subscriber.ts';
import type { WireObject } from '../../../../../shared/protocol/object-header.ts';
import { eventually } from '../../../../support/eventually.ts';
import { avcPicture, avcSequenceHeader } from '../../../../support/flv-synthesis.ts';
import { startServe } from '../../../../support/serve-process.ts';
import type { ServeProcess } from '../../../../support/serve-process.ts';

let server: ServeProcess;
beforeAll(async () => {
  server = await startServe();
}, 90_000);
afterAll(async () => {
  await server.stop();
}, 30_000);

/** Process id of the RTMP ingest among the server's children. */
function ingestPid(): number | null {
  const { pid } = server.process;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const found = children.find((child) =>
    readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('rtmp-ingest-process'),
  );
  return found === undefined ? null : Number(found);
}

/** Publishes a picture every 40 ms; `stop` ends it without a word. */
async function startPublisher(): Promise<{ stop(): void }> {
  const client = await RtmpClient.publish(parseRtmpAddress(`${server.rtmp}/demo?key=${server.key}`));
  await client.send(avcSequenceHeader());
  let index = 0;
  const timer = setInterval(() => {
    client.send(avcPicture(index++)).catch(() => clearInterval(timer));
  }, 40);
  return {
    stop: () => {
      clearInterval(timer);
      client.destroy();
    },
  };
}

test('a viewer stays through the death of the ingest process and has the picture back within 3 s of the reconnect', async () => {
  const first = await startPublisher();
  const objects: WireObject[] = [];
  const states: string[] = [];
  let isEnded = false;
  const viewer = new WebSocketSubscriber(`${server.ws}/subscribe/demo?rendition=source`, {
    onTrack: () => undefined,
    onObject: (object) => objects.push(object),
    onState: (state) => states.push(state),
    onEnd: () => (isEnded = true),
  });
  await eventually('pictures', () => objects.length > 10);
  process.kill(ingestPid() ?? 0, 'SIGKILL');
  const killedAt = performance.now();
  await eventually('the news', () => states.includes('reconnecting'));
  first.stop();
  const seen = objects.length;
  const second = await eventually('a reconnect', () => startPublisher().catch(() => null));
  const reconnectedAt = performance.now();
  await eventually('a key picture', () => objects.slice(seen).some(({ priority }) => priority === 'key'));
  const backMs = performance.now() - reconnectedAt;
  process.stderr.write(
    `rtmp restart: publisher back after ${Math.round(reconnectedAt - killedAt)} ms, picture ${Math.round(backMs)} ms later\n`,
  );
  expect(backMs).toBeLessThan(3000);
  await eventually('the stream to be live', () => states.at(-1) === 'live');
  const { streams } = (await (await fetch(`${server.http}/api/v1/streams`)).json()) as {
    streams: { id: string; epoch: number }[];
  };
  expect(streams).toMatchObject([{ id: 'demo', epoch: 2 }]);
  expect(isEnded).toBe(false);
  const times = objects.map(({ dts }) => dts);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  viewer.close();
  second.stop();
}, 60_000);
