// Peers that break the rules: each gets its code, is counted, and nobody else loses a unit.

import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PEER_ERRORS, type PeerErrorCode } from '../../../shared/errors.ts';
import { trackConfigToWire } from '../../../shared/protocol/track-message.ts';
import { SUBPROTOCOL } from '../../../shared/protocol/subprotocol.ts';
import { videoConfig } from '../../support/stream-room.ts';
import {
  publish,
  startServer,
  TestPublisher,
  TestViewer,
  until,
  watch,
  type TestServer,
} from '../../support/running-server.ts';

let server: TestServer;
let good: TestPublisher;
let sent = 0;
let feeding: NodeJS.Timeout;

beforeAll(async () => {
  server = await startServer({ 'limits.handshakeMs': '400', 'limits.connectionsPerIp': '12', 'limits.pingMs': '300' });
  good = await publish(server, 'good');
  feeding = setInterval(() => {
    good.unit(sent * 20, { priority: sent % 50 === 0 ? 'key' : 'reference' });
    sent++;
  }, 20);
});
afterAll(async () => {
  clearInterval(feeding);
  await server.stop();
});

const track = { type: 'track', id: 0, name: 'video', config: trackConfigToWire(videoConfig()) };

/** What a publisher is closed with after `breach`. */
async function publisherAfter(breach: (publisher: TestPublisher) => void, path = 'bad'): Promise<number> {
  const publisher = new TestPublisher(`${server.ws}/publish/${path}`);
  await publisher.hello(server.publishKey);
  breach(publisher);
  return publisher.closeCode();
}

const codes: [string, PeerErrorCode, (publisher: TestPublisher) => void][] = [
  ['text that is no JSON', 'malformed', (publisher) => publisher.socket.send('{')],
  [
    'a track without its record',
    'malformed',
    (publisher) => publisher.say({ ...track, config: { ...track.config, description: undefined } }),
  ],
  [
    'an unknown codec',
    'unsupported-codec',
    (publisher) => publisher.say({ ...track, config: { ...track.config, codec: 'mpeg2' } }),
  ],
  [
    'a raw track beyond the message limit',
    'too-big',
    (publisher) =>
      publisher.say({ ...track, config: { ...track.config, codec: 'raw/i420', width: 4096, height: 4096 } }),
  ],
  ['an object of no track', 'malformed', (publisher) => publisher.unit(0, { priority: 'key' })],
  [
    'an object of another kind',
    'malformed',
    (publisher) => {
      publisher.say(track);
      publisher.unit(0, { kind: 'audio' });
    },
  ],
  [
    'an object without payload',
    'malformed',
    (publisher) => {
      publisher.say(track);
      publisher.unit(0, { payload: new Uint8Array(0) });
    },
  ],
  ['binary rubbish', 'malformed', (publisher) => publisher.socket.send(Buffer.alloc(100, 7))],
  ['a message beyond 4 MB', 'too-big', (publisher) => publisher.socket.send(Buffer.alloc(5_000_000))],
  [
    'more than eight tracks',
    'limit',
    (publisher) => {
      for (const id of [2, 3, 4, 5, 6, 7, 8, 9, 10]) {
        publisher.say({ ...track, id, name: `video${id}` });
      }
    },
  ],
  [
    'too many messages',
    'limit',
    (publisher) => {
      for (let index = 0; index < 300; index++) {
        publisher.say({ type: 'clock', t0: index });
      }
    },
  ],
];

test.each(codes)('%s closes the publisher with %s', async (_name, code, breach) => {
  const before = await server.counter('refusals_total');
  expect(await publisherAfter(breach)).toBe(PEER_ERRORS[code].close);
  await until('it is counted', async () => (await server.counter('refusals_total')) > before);
  expect(await server.counter('refusals_total')).toBe(before + 1);
});

test('publishers without a good key get their codes before anything is read', async () => {
  const closeOf = async (path: string, first?: string | Buffer): Promise<number> => {
    const publisher = await new TestPublisher(`${server.ws}/publish/${path}`).open();
    if (first !== undefined) {
      publisher.socket.send(first);
    }
    return publisher.closeCode();
  };
  const hello = (key: string): string => JSON.stringify({ type: 'hello', role: 'publish', key });
  expect(await closeOf('x?key=wrong')).toBe(PEER_ERRORS['wrong-key'].close);
  expect(await closeOf('x', hello('wrong'))).toBe(PEER_ERRORS['wrong-key'].close);
  expect(await closeOf('x', hello(''))).toBe(PEER_ERRORS['wrong-key'].close);
  expect(await closeOf('x', JSON.stringify(track))).toBe(PEER_ERRORS.malformed.close);
  expect(await closeOf('x', Buffer.alloc(50))).toBe(PEER_ERRORS.malformed.close);
  expect(await closeOf('x', Buffer.alloc(100_000))).toBe(PEER_ERRORS['too-big'].close);
  expect(await closeOf('bad name!', hello(server.publishKey))).toBe(PEER_ERRORS.malformed.close);
  expect(await closeOf('x')).toBe(PEER_ERRORS.timeout.close);
  expect(await closeOf('good', hello(server.publishKey))).toBe(PEER_ERRORS.busy.close);
});

test('viewers get their codes', async () => {
  const closeOf = async (path: string, message?: string | Buffer): Promise<number> => {
    const viewer = await new TestViewer(`${server.ws}/subscribe/${path}`).open();
    if (message !== undefined) {
      viewer.socket.send(message);
    }
    return viewer.closeCode();
  };
  expect(await closeOf('nobody')).toBe(PEER_ERRORS['no-such-stream'].close);
  expect(await closeOf('good?class=express')).toBe(PEER_ERRORS.malformed.close);
  expect(await closeOf('good?rendition=a/b')).toBe(PEER_ERRORS.malformed.close);
  expect(await closeOf('good', '{"type":"select"}')).toBe(PEER_ERRORS.malformed.close);
  expect(await closeOf('good', Buffer.alloc(10))).toBe(PEER_ERRORS.malformed.close);
  expect(await closeOf('good', `{"type":"x","pad":"${'x'.repeat(5000)}"}`)).toBe(PEER_ERRORS['too-big'].close);
  const other = await new TestViewer(`${server.ws}/subscribe/good`, { protocols: [] }).open();
  expect(await other.closeCode()).toBe(PEER_ERRORS.malformed.close);
  const flv = await new TestViewer(`${server.ws}/live/nobody.flv`, { protocols: [] }).open();
  expect(await flv.closeCode()).toBe(PEER_ERRORS['no-such-stream'].close);
});

test('plain HTTP gets the same as problem+json, and a foreign origin is refused before it is accepted', async () => {
  const problem = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${server.http}${path}`, init);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    return [response.status, ((await response.json()) as { code: string }).code];
  };
  expect(await problem('/live/nobody.flv')).toEqual([404, 'no-such-stream']);
  expect(await problem('/live/good.mp4')).toEqual([400, 'malformed']);
  expect(await problem('/publish/x')).toEqual([426, 'upgrade-required']);
  expect(await problem('/nowhere')).toEqual([404, 'not-found']);
  expect(await problem('/api/v1/streams/nobody/health')).toEqual([404, 'no-such-stream']);
  expect(await problem('/%E0%A4%A')).toEqual([400, 'malformed']);
  const foreign = new TestViewer(`${server.ws}/subscribe/good`, { origin: 'https://evil.example' });
  expect(await foreign.closeCode()).toBe(1006);
});

const raw = (text: string): Socket => {
  const socket = connect(Number(new URL(server.http).port), '127.0.0.1').on('error', () => undefined);
  socket.write(text);
  return socket;
};

test('half-open connections, slow handshakes and floods of one address are bounded and go away', async () => {
  const viewer = await watch(server, 'good');
  const sockets = Array.from({ length: 40 }, (_, index) =>
    raw(index % 2 === 0 ? '' : 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: '),
  );
  const closed = sockets.map((socket) => new Promise((resolve) => socket.resume().on('close', resolve)));
  await Promise.all(closed);
  const held = Array.from({ length: 20 }, () => new TestPublisher(`${server.ws}/publish/slow`));
  const codes = await Promise.all(held.map((publisher) => publisher.closeCode()));
  expect(codes.filter((code) => code === PEER_ERRORS.timeout.close).length).toBeGreaterThan(0);
  expect(codes.filter((code) => code === PEER_ERRORS.timeout.close).length).toBeLessThanOrEqual(12);
  await until('the connections are gone', async () => (await server.counter('http_connections')) <= 4);
  viewer.leave();
});

test('rubbish instead of WebSocket frames closes only its own connection', async () => {
  const upgrade =
    `GET /subscribe/good HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nSec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`;
  const answers = await Promise.all(
    [Buffer.alloc(64, 0xff), Buffer.from([0x81, 0x05, 1, 2, 3, 4, 5]), Buffer.from([0x8f, 0x80, 0, 0, 0, 0])].map(
      (rubbish) =>
        new Promise<boolean>((resolve) => {
          const socket = raw(upgrade);
          socket.once('data', () => socket.write(rubbish));
          socket.on('data', () => undefined);
          socket.on('close', () => {
            resolve(true);
          });
        }),
    ),
  );
  expect(answers).toEqual([true, true, true]);
});

test('a viewer that reads nothing is bounded, then dropped, while another gets every unit', async () => {
  const attentive = await watch(server, 'good');
  await attentive.received(1);
  const stuck = await watch(server, 'good');
  stuck.socket.pause();
  const dead = await server.counter('dead_viewers_total');
  await until('the stuck viewer is dropped', async () => (await server.counter('dead_viewers_total')) > dead);
  const objects = attentive.objects.filter(({ isCached }) => !isCached);
  const pts = objects.map((object) => object.pts / 20_000);
  expect(pts).toEqual(Array.from({ length: pts.length }, (_, index) => (pts[0] ?? 0) + index));
  attentive.leave();
  stuck.socket.terminate();
});

test('after all of this the good stream is live with its first epoch, and its publisher was never disturbed', async () => {
  expect(good.closed).toBeNull();
  const response = (await (await fetch(`${server.http}/api/v1/streams`)).json()) as {
    streams: { id: string; state: string; epoch: number }[];
  };
  expect(response.streams.find(({ id }) => id === 'good')).toMatchObject({ state: 'live', epoch: 1 });
  const viewer = await watch(server, 'good');
  await viewer.received(5);
  viewer.leave();
});

test('2 000 random messages of publishers and viewers hurt nobody', async () => {
  const viewer = await watch(server, 'good');
  await viewer.received(1);
  let seed = 7;
  const random = (bound: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    return seed % bound;
  };
  const outcomes: Record<number, number> = {};
  for (let round = 0; round < 40; round++) {
    const isPublisher = round % 2 === 0;
    const peer = isPublisher
      ? new TestPublisher(`${server.ws}/publish/fuzz?key=${server.publishKey}`)
      : await watch(server, 'good');
    await peer.open();
    for (let index = 0; index < 50 && peer.closed === null; index++) {
      const bytes = Buffer.from(Array.from({ length: random(200) }, () => random(256)));
      if (random(3) === 0) {
        bytes[0] = 1;
        bytes[1] = 1 + random(4);
      }
      peer.socket.send(
        random(2) === 0
          ? bytes
          : JSON.stringify({ type: ['hello', 'track', 'select', 'report', 'loss', 'x'][random(6)], id: random(300) }),
      );
    }
    const code = await peer.closeCode();
    outcomes[code] = (outcomes[code] ?? 0) + 1;
    await until('the slot is free', async () => (await fetch(`${server.http}/healthz`)).ok);
  }
  expect(
    Object.keys(outcomes)
      .map(Number)
      .every((code) => code >= 4400 && code < 4600),
  ).toBe(true);
  const count = viewer.objects.length;
  await viewer.received(count + 5);
  viewer.leave();
}, 30_000);
