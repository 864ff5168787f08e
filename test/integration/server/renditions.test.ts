// Our encoder in the path: a publisher of raw pictures, and a rendition of a passed-through source, with the real transcode room.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { i420ByteLength } from '../../../shared/media/frame.ts';
import { microseconds } from '../../../shared/media/time.ts';
import { trackConfigFromWire } from '../../../shared/protocol/track-message.ts';
import { videoConfig } from '../../support/stream-room.ts';
import {
  publish,
  startServer,
  TestPublisher,
  until,
  watch,
  type TestServer,
  type TestViewer,
} from '../../support/running-server.ts';

const SIZE = { width: 320, height: 180 } as const;
const FPS = 15;

let server: TestServer;
let raw: TestPublisher;
let feeding: NodeJS.Timeout;
let frame = 0;

beforeAll(async () => {
  server = await startServer({
    'transcode.ladder': '[{"name":"90p","width":160,"height":90,"fps":15,"kbps":150}]',
    'transcode.maxCpu': '1',
    'telemetry.driver': 'memory',
  });
  raw = new TestPublisher(`${server.ws}/publish/raw`);
  await raw.hello(server.publishKey);
  raw.track(videoConfig({ codec: 'raw/i420', ...SIZE, fps: FPS }));
  feeding = setInterval(() => {
    const payload = Buffer.alloc(i420ByteLength(SIZE.width, SIZE.height), (frame * 5) & 0xff);
    const captureTime = microseconds(Date.now() * 1000);
    raw.unit((frame * 1000) / FPS, { kind: 'raw', priority: 'key', payload, captureTime });
    frame++;
  }, 1000 / FPS);
}, 30_000);
afterAll(async () => {
  clearInterval(feeding);
  await server.stop();
});

const trackOf = (viewer: TestViewer) =>
  viewer.messages.flatMap((message) => (message.type === 'track' && message.kind === 'video' ? [message] : [])).at(-1);

test('the source of a raw publisher comes from our encoder, with the latency from the glass', async () => {
  const viewer = await watch(server, 'raw', 'rendition=auto');
  await until('pictures have come', () => viewer.objects.length >= 10, 20_000);
  expect(trackOf(viewer)).toMatchObject({
    rendition: 'source',
    encoder: 'tessera',
    latencyKind: 'glass',
    config: SIZE,
  });
  expect(trackOf(viewer)?.config.codec).toMatch(/^avc1\./);
  const { objects } = viewer;
  expect(objects[0]?.priority).toBe('key');
  const live = objects.filter(({ isCached, captureTime }) => !isCached && captureTime !== undefined);
  expect(live.length).toBeGreaterThan(0);
  for (const { captureTime, pts } of live) {
    expect(Math.abs((captureTime ?? 0) / 1000 - Date.now())).toBeLessThan(20_000);
    const place = (pts / 1e6) * FPS;
    expect(Math.abs(place - Math.round(place))).toBeLessThan(0.01);
  }
  viewer.leave();
}, 40_000);

test('auto shows a passed-through source in the rendition that our encoder makes, only while somebody watches', async () => {
  const tap = await watch(server, 'raw', 'rendition=source');
  await until('the tap has a track', () => trackOf(tap) !== undefined && tap.objects.length > 0, 20_000);
  const publisher = await publish(server, 'passed');
  const config = trackConfigFromWire(trackOf(tap)!.config);
  publisher.track(config);
  let next = tap.objects.findIndex(({ priority }) => priority === 'key');
  const passing = setInterval(() => {
    const { objects } = tap;
    for (; next < objects.length; next++) {
      const { priority, pts, dts, payload } = objects[next]!;
      publisher.unit(0, { priority, pts, dts, payload });
    }
  }, 30);
  try {
    await until('the stream has its track', async () => {
      const response = (await (await fetch(`${server.http}/api/v1/streams`)).json()) as {
        streams: { id: string; tracks: unknown[] }[];
      };
      return response.streams.some(({ id, tracks }) => id === 'passed' && tracks.length > 0);
    });
    const viewer = await watch(server, 'passed', 'rendition=auto');
    await until(
      'the rendition is there',
      () => trackOf(viewer)?.rendition === '90p' && viewer.objects.length > 5,
      30_000,
    );
    expect(trackOf(viewer)).toMatchObject({
      encoder: 'tessera',
      latencyKind: 'ingest',
      config: { width: 160, height: 90 },
    });
    expect(viewer.messages[0]).toMatchObject({
      type: 'welcome',
      renditions: [
        { name: '90p', encoder: 'tessera' },
        { name: 'source', encoder: 'publisher' },
      ],
    });
    viewer.say({ type: 'select', rendition: 'source' });
    await until('the source is there', () => trackOf(viewer)?.rendition === 'source');
    viewer.leave();
    await until(
      'the rendition has stopped',
      async () => {
        const text = await server.metrics.registry.getSingleMetric('tessera_transcode_renditions')?.get();
        return text?.values.every(({ value }) => value <= 1) === true; // the raw stream's own source goes on
      },
      15_000,
    );
  } finally {
    clearInterval(passing);
    publisher.socket.terminate();
    tap.leave();
  }
}, 90_000);
