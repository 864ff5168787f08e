// The RTMP ingest with its real child process, fed by our own RTMP client.

import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { parseRtmpAddress, RtmpClient } from '../../../../../server/cli/clients/rtmp-client.ts';
import { RtmpIngest } from '../../../../../server/ingest/rtmp/rtmp-ingest.ts';
import type { RtmpIngestEvent } from '../../../../../server/ingest/rtmp/rtmp-ingest.ts';
import { describeVideo } from '../../../../../server/ingest/video-description/video-description.ts';
import { eventually } from '../../../../support/eventually.ts';
import {
  avcPicture,
  avcSequenceHeader,
  AVCC_320X240,
  AVCC_640X360,
  pictureIndex,
} from '../../../../support/flv-synthesis.ts';
import { hex } from '../../../../support/hex.ts';
import { RecordingAdmission } from '../../../../support/recording-admission.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

async function startIngest(admission: RecordingAdmission, limits: { idleMs?: number } = {}) {
  const events: RtmpIngestEvent[] = [];
  const ingest = new RtmpIngest({
    host: '127.0.0.1',
    port: 0,
    admission,
    describeVideo,
    limits,
    onEvent: (event) => events.push(event),
  });
  const port = await ingest.start();
  cleanups.push(() => ingest.stop());
  const publish = async (stream: string, key: string): Promise<RtmpClient> => {
    const client = await RtmpClient.publish(parseRtmpAddress(`rtmp://127.0.0.1:${port}/live/${stream}?key=${key}`));
    cleanups.push(() => client.destroy());
    return client;
  };
  return { ingest, port, events, publish };
}

test('passes tracks and units of a publisher on and ends the stream when it says goodbye', async () => {
  const admission = new RecordingAdmission({ keys: ['k1'] });
  const { publish, events } = await startIngest(admission);
  const client = await publish('demo', 'k1');
  await client.send(avcSequenceHeader());
  await client.send({ type: 8, timestamp: 0, data: hex('af 00 1190') });
  for (let i = 0; i < 50; i++) {
    await client.send(avcPicture(i));
    await client.send({ type: 8, timestamp: i * 40, data: hex('af 01 2100') });
  }
  await client.close();
  const publisher = admission.publishers[0];
  await eventually('the end of the stream', () => publisher.end === 'finished');
  expect(publisher.tracks).toMatchObject([
    ['video', { codec: 'avc1.42c00d', width: 320, height: 240 }],
    ['audio', { codec: 'mp4a.40.2', sampleRate: 48000 }],
  ]);
  expect(publisher.unitsOf('video').map(({ data }) => pictureIndex(data))).toEqual(
    Array.from({ length: 50 }, (_, i) => i),
  );
  expect(publisher.unitsOf('audio')).toHaveLength(50);
  expect(events.filter(({ kind }) => kind === 'published' || kind === 'ended')).toEqual([
    { kind: 'published', stream: 'demo', epoch: 1 },
    { kind: 'ended', stream: 'demo', how: 'finished' },
  ]);
});

test('announces the track again when the size changes in mid-stream, and goes on over a timestamp wrap', async () => {
  const admission = new RecordingAdmission({ keys: ['k1'] });
  const { publish } = await startIngest(admission);
  const client = await publish('demo', 'k1');
  await client.send(avcSequenceHeader(AVCC_320X240, 0xffffff00));
  await client.send(avcPicture(0, 0xffffff00));
  await client.send(avcPicture(1, 0x00000010));
  await client.send(avcSequenceHeader(AVCC_640X360, 0x00000010));
  await client.send(avcPicture(25, 0x00000038));
  const publisher = admission.publishers[0];
  const units = await eventually('three pictures', () => publisher.units.length === 3 && publisher.unitsOf('video'));
  expect(publisher.tracks).toMatchObject([
    ['video', { width: 320, height: 240 }],
    ['video', { width: 640, height: 360 }],
  ]);
  expect(units.map(({ dts }) => (dts - (units[0]?.dts ?? 0)) / 1000)).toEqual([0, 0x110, 0x138]);
});

test('says that a stream is lost when its publisher vanishes without a word', async () => {
  const admission = new RecordingAdmission({ keys: ['k1'] });
  const { publish } = await startIngest(admission);
  const client = await publish('demo', 'k1');
  client.destroy();
  await eventually('the loss', () => admission.publishers[0]?.end === 'lost');
});

test('drops a publisher that is silent for longer than the idle limit', async () => {
  const admission = new RecordingAdmission({ keys: ['k1'] });
  const { publish, events } = await startIngest(admission, { idleMs: 500 });
  const client = await publish('demo', 'k1');
  await eventually('the timeout', () => admission.publishers[0]?.end === 'lost');
  expect(events).toContainEqual(
    expect.objectContaining({ kind: 'ended', code: 'timeout', sentence: 'No media came for 0.5 s.' }),
  );
  await expect(eventually('a failing send', () => client.send(avcPicture(0)).then(() => false))).rejects.toThrow(
    'No media came',
  );
});

test.each([
  ['a wrong key', 'live/demo?key=nope', 'wrong-key', 'The key does not fit the stream.'],
  ['a missing key', 'live/demo', 'wrong-key', 'The key does not fit the stream.'],
  ['an impossible stream name', 'live/a%20b?key=k1', 'malformed', 'A stream name has 1 to 64 letters'],
  ['another application', 'other/demo?key=k1', 'no-such-stream', 'The RTMP application is named "live".'],
])('refuses %s with the coded reason', async (_name, path, code, sentence) => {
  const admission = new RecordingAdmission({ keys: ['k1'] });
  const { port } = await startIngest(admission);
  const attempt = RtmpClient.publish(parseRtmpAddress(`rtmp://127.0.0.1:${port}/${path}`));
  await expect(attempt).rejects.toMatchObject({ name: 'ProtocolError', code });
  await expect(attempt).rejects.toThrow(sentence);
  expect(admission.publishers).toEqual([]);
});

test('refuses a second publisher while the first goes on', async () => {
  const admission = new RecordingAdmission({ keys: ['k1'] });
  const { publish } = await startIngest(admission);
  const first = await publish('demo', 'k1');
  await expect(publish('demo', 'k1')).rejects.toMatchObject({ code: 'busy' });
  await first.send(avcSequenceHeader());
  await first.send(avcPicture(0));
  await eventually('the picture', () => admission.publishers[0]?.units.length === 1);
  expect(admission.publishers).toHaveLength(1);
});

test('hands the stream to a publisher that takes it over, and drops the old one', async () => {
  const admission = new RecordingAdmission({ keys: ['k1'], allowsTakeover: true });
  const { publish, events } = await startIngest(admission);
  const first = await publish('demo', 'k1');
  const second = await publish('demo', 'k1');
  await second.send(avcSequenceHeader());
  await second.send(avcPicture(7));
  const taker = admission.publishers[1];
  await eventually('the picture of the second', () => taker?.units.length === 1);
  expect(taker?.epoch).toBe(2);
  expect(admission.publishers[0]).toMatchObject({ end: 'revoked', units: [] });
  await expect(eventually('a failing send', () => first.send(avcPicture(0)).then(() => false))).rejects.toThrow(
    'Another publisher took the stream over.',
  );
  expect(events.filter(({ kind }) => kind === 'ended')).toEqual([
    expect.objectContaining({ how: 'revoked', code: 'busy' }),
  ]);
});

test('refuses an unsupported codec by name', async () => {
  const admission = new RecordingAdmission({ keys: ['k1'] });
  const { publish, events } = await startIngest(admission);
  const client = await publish('demo', 'k1');
  await client.send({ type: 9, timestamp: 0, data: hex('96 00 61763031 00') });
  await eventually('the refusal', () => admission.publishers[0]?.end === 'lost');
  expect(events).toContainEqual(
    expect.objectContaining({
      kind: 'ended',
      code: 'unsupported-codec',
      sentence: 'Multitrack video (Enhanced RTMP v2) is not supported.',
    }),
  );
});

test('listens again on the same port when its process dies, and takes publishers again', async () => {
  const admission = new RecordingAdmission({ keys: ['k1'] });
  const { ingest, port, events, publish } = await startIngest(admission);
  await publish('demo', 'k1');
  const killedAt = performance.now();
  process.kill(ingest.status.pid ?? 0, 'SIGKILL');
  const again = await eventually('the port to be open again', async () => {
    try {
      return await publish('demo', 'k1');
    } catch {
      return null;
    }
  });
  const backMs = performance.now() - killedAt;
  process.stderr.write(`rtmp ingest: listening again ${Math.round(backMs)} ms after its process was killed\n`);
  expect(backMs).toBeLessThan(3000); // 1 s for compiled code; here the child compiles TypeScript first
  await again.send(avcSequenceHeader());
  await again.send(avcPicture(0));
  await eventually('the picture', () => admission.publishers[1]?.units.length === 1);
  expect(admission.publishers[0]?.end).toBe('lost');
  expect(events).toContainEqual({ kind: 'restarted', reason: 'signal SIGKILL' });
  expect(port).toBeGreaterThan(0);
});

test('says which port is taken', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  cleanups.push(() => void blocker.close());
  await eventually('the blocker', () => blocker.listening);
  const { port } = blocker.address() as AddressInfo;
  const ingest = new RtmpIngest({
    host: '127.0.0.1',
    port,
    admission: new RecordingAdmission({ keys: [] }),
    describeVideo,
  });
  cleanups.push(() => ingest.stop());
  await expect(ingest.start()).rejects.toThrow(`RTMP cannot listen on 127.0.0.1:${port}`);
});

test('tells its publishers that the server stops', async () => {
  const admission = new RecordingAdmission({ keys: ['k1'] });
  const { ingest, publish } = await startIngest(admission);
  const client = await publish('demo', 'k1');
  await ingest.stop();
  expect(admission.publishers[0]?.end).toBe('lost');
  await expect(eventually('a failing send', () => client.send(avcPicture(0)).then(() => false))).rejects.toThrow(
    'The server is stopping.',
  );
  expect(ingest.status.pid).toBeNull();
});
