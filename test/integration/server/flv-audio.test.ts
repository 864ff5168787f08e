// FLV viewers of a stream whose audio is Opus get AAC from one child for all of them, and only while they watch.

import { spawnSync } from 'node:child_process';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { importFile, type ImportEvent } from '../../../server/transcode/ffmpeg/import-file.ts';
import { ffmpeg, temporaryFolder, testPicture } from '../../support/ffmpeg-clips.ts';
import { run } from '../../support/ffprobe.ts';
import { describeWith } from '../../support/requirements.ts';
import { startServer, TestPublisher, TestViewer, until, type TestServer } from '../../support/running-server.ts';

const PATIENCE_MS = 60_000;
/** Other things run on the machine: what is waited for comes, but late. */
jest.setTimeout(180_000);

const children = (): string[] =>
  spawnSync('pgrep', ['-P', String(process.pid), '-x', 'ffmpeg'])
    .stdout.toString()
    .split('\n')
    .filter(Boolean);

describeWith(['ffmpeg'], 'FLV of a stream with Opus', () => {
  const folder = temporaryFolder('flv-audio');
  let server: TestServer;
  const events: ImportEvent[] = [];

  beforeAll(async () => {
    const path = join(folder.path, 'clip.mkv');
    const sine = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=4'];
    const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-bf', '0', '-g', '30'];
    ffmpeg([...testPicture('320x180', 4), ...sine, ...codecs, '-c:a', 'libopus', path]);
    for await (const event of importFile(path)) {
      events.push(event);
    }
  });
  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(async () => {
    await server.stop();
  });
  afterAll(() => {
    folder.remove();
  });

  async function publishClip(
    stream: string,
  ): Promise<{ publisher: TestPublisher; send: (fromMs: number, toMs: number) => void }> {
    const publisher = new TestPublisher(`${server.ws}/publish/${stream}`);
    await publisher.hello(server.publishKey);
    const send = (fromMs: number, toMs: number): void => {
      for (const event of events) {
        if (event.kind === 'track') {
          if (fromMs === 0) {
            publisher.track(event.config, event.name === 'video' ? 0 : 1);
          }
        } else if (event.unit.dts >= fromMs * 1000 && event.unit.dts < toMs * 1000) {
          const { priority, data: payload, dts } = event.unit;
          const place = event.name === 'video' ? { priority } : { kind: 'audio' as const, trackId: 1 };
          publisher.unit(dts / 1000, { ...place, payload });
        }
      }
    };
    return { publisher, send };
  }

  const acknowledged = (publisher: TestPublisher, objects: number): Promise<void> =>
    until('the units are acknowledged', () =>
      publisher.messages.some((message) => message.type === 'ack' && message.objects >= objects),
    );

  test('ffprobe reads H.264 with AAC, whose times go with the picture', async () => {
    const { publisher, send } = await publishClip('probe');
    send(0, 2000);
    await acknowledged(publisher, 120);
    expect(children()).toEqual([]);
    const url = `${server.http}/live/probe.flv`;
    const entries = 'stream=codec_name,sample_rate:packet=codec_type,pts_time';
    const probed = run('ffprobe', [
      '-v',
      'error',
      '-show_packets',
      '-show_streams',
      '-show_entries',
      entries,
      '-of',
      'json',
      url,
    ]);
    await until(
      'the viewer has the first half',
      async () => (await server.counter('sent_units_total')) > 60,
      PATIENCE_MS,
    );
    expect(children().length).toBe(1);
    const sent = await server.counter('sent_units_total');
    send(2000, 4000);
    await until(
      'the viewer has more',
      async () => (await server.counter('sent_units_total')) > sent + 120,
      PATIENCE_MS,
    );
    publisher.say({ type: 'end' });
    const { streams, packets } = JSON.parse(await probed) as {
      streams: { codec_name: string }[];
      packets: { codec_type: string; pts_time: string }[];
    };
    expect(streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264']);
    const times = (kind: string): number[] =>
      packets.filter(({ codec_type }) => codec_type === kind).map(({ pts_time }) => Number(pts_time));
    const [video, audio] = [times('video'), times('audio')];
    expect(video.length).toBeGreaterThanOrEqual(89); // from the key picture at 1 s on
    expect(audio.length).toBeGreaterThan(100);
    expect(Math.abs(Math.min(...audio) - Math.min(...video))).toBeLessThan(0.15);
    expect(audio.every((time, index) => index === 0 || time > (audio[index - 1] ?? 0))).toBe(true);
    await until('the child has ended', () => children().length === 0, PATIENCE_MS);
  });

  test('viewers over HTTP and WebSocket share one child, which ends with the last of them', async () => {
    const { publisher, send } = await publishClip('shared');
    send(0, 2000);
    await acknowledged(publisher, 120);
    const open = (): TestViewer => new TestViewer(`${server.ws}/live/shared.flv`, { protocols: [] });
    const [one, two] = [open(), open()];
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${server.http}/live/shared.flv`, resolve).on('error', reject);
    });
    const body: Buffer[] = [];
    response.on('data', (chunk: Buffer) => body.push(chunk));
    const withBoth = Buffer.from('FLV\u0001\u0005', 'latin1');
    await until(
      'all have audio and video',
      () => [one.binaries, two.binaries, body].every((parts) => Buffer.concat(parts).includes(withBoth)),
      PATIENCE_MS,
    );
    expect(children()).toHaveLength(1);
    one.leave();
    response.destroy();
    const before = two.binaries.length;
    send(2000, 4000);
    await until('the last one goes on', () => two.binaries.length > before, PATIENCE_MS);
    expect(children()).toHaveLength(1);
    expect(await server.counter('viewers_without_audio_total')).toBe(0);
    two.leave();
    await until('the child has ended', () => children().length === 0, PATIENCE_MS);
    expect(publisher.closed).toBeNull();
  });

  test('without ffmpeg the picture comes alone, and that is counted', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '';
    try {
      const { publisher, send } = await publishClip('silent');
      send(0, 2000);
      await acknowledged(publisher, 120);
      const viewer = new TestViewer(`${server.ws}/live/silent.flv`, { protocols: [] });
      await until('the picture has come', () => Buffer.concat(viewer.binaries).length > 5000, PATIENCE_MS);
      expect(Buffer.concat(viewer.binaries).subarray(0, 5).toString('latin1')).toBe('FLV\u0001\u0001');
      expect(await server.counter('viewers_without_audio_total')).toBe(1);
    } finally {
      process.env['PATH'] = path;
    }
  });
});
