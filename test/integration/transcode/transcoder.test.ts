// The transcode room with its real workers, decoder, scaler, encoder and ffmpeg children; ffmpeg makes the clips and judges the result.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, expect, jest, test } from '@jest/globals';
import { silentLogger } from '../../../server/platform/logger.ts';
import { createMetrics } from '../../../server/platform/metrics.ts';
import type { RenditionDescription, RunningRendition } from '../../../server/streams/roles.ts';
import { importFile } from '../../../server/transcode/ffmpeg/import-file.ts';
import { Transcoder, type TranscoderOptions } from '../../../server/transcode/transcoder.ts';
import type { AccessUnit, VideoTrackConfig } from '../../../shared/media/access-unit.ts';
import type { StreamId } from '../../../shared/media/brands.ts';
import { BT709_LIMITED } from '../../../shared/media/colour.ts';
import { i420ByteLength } from '../../../shared/media/frame.ts';
import { microseconds } from '../../../shared/media/time.ts';
import type { TelemetryEvent } from '../../../shared/telemetry/events.ts';
import { eventually } from '../../support/eventually.ts';
import { decodeToI420, ffmpeg, temporaryFolder, testPicture } from '../../support/ffmpeg-clips.ts';
import { HandTrack, RecordingSink } from '../../support/hand-track.ts';
import { describeWith } from '../../support/requirements.ts';

const STREAM = 'stream' as StreamId;
const WIDTH = 640;
const HEIGHT = 360;
const FULL: RenditionDescription = { name: '360p', width: WIDTH, height: HEIGHT, fps: 30, kbps: 1500 };
const SMALL: RenditionDescription = { name: 'small', width: 320, height: 180, fps: 30, kbps: 700 };
/** Whatever else this machine does meanwhile. */
const PATIENCE_MS = 90_000;

type Clip = { readonly path: string; readonly config: VideoTrackConfig; readonly units: readonly AccessUnit[] };

const children = (): number[] =>
  spawnSync('pgrep', ['-P', String(process.pid), '-x', 'ffmpeg'])
    .stdout.toString()
    .split('\n')
    .filter(Boolean)
    .map(Number);

/** Mean PSNR of luma over pictures of equal size. */
function psnr(a: Buffer, b: Buffer, pictures: number, pictureBytes: number, lumaBytes: number): number {
  let squares = 0;
  for (let picture = 0; picture < pictures; picture++) {
    for (let i = picture * pictureBytes; i < picture * pictureBytes + lumaBytes; i++) {
      const difference = a[i] - b[i];
      squares += difference * difference;
    }
  }
  return 10 * Math.log10((255 * 255) / (squares / (pictures * lumaBytes)));
}

/** Other things run on the machine: what is waited for comes, but late. */
jest.setTimeout(180_000);

describeWith(['ffmpeg'], 'Transcoder', () => {
  const folder = temporaryFolder('transcoder');
  const events: TelemetryEvent[] = [];
  let transcoder: Transcoder | null = null;
  let metrics = createMetrics();
  const searchPath = process.env['PATH'];

  function start(options: Partial<TranscoderOptions> = {}): Transcoder {
    metrics = createMetrics();
    events.length = 0;
    transcoder = new Transcoder({
      maxCpu: 1,
      cores: 1000,
      maxThreadShare: 1000, // admission has a test of its own
      decodeBudgetMs: 60_000,
      lateMs: Infinity,
      logger: silentLogger,
      reporter: { report: (event) => void events.push(event) },
      metrics,
      ...options,
    });
    return transcoder;
  }

  afterEach(async () => {
    process.env['PATH'] = searchPath;
    await transcoder?.close();
    transcoder = null;
    await eventually('every ffmpeg child to be gone', () => children().length === 0);
  }, PATIENCE_MS);
  afterAll(() => {
    folder.remove();
  });

  async function clip(name: string, codecs: readonly string[], seconds = 2): Promise<Clip> {
    const path = join(folder.path, name);
    ffmpeg([...testPicture(`${WIDTH}x${HEIGHT}`, seconds), '-pix_fmt', 'yuv420p', '-g', '30', ...codecs, path]);
    const units: AccessUnit[] = [];
    let config: VideoTrackConfig | null = null;
    for await (const event of importFile(path)) {
      if (event.kind === 'unit') {
        units.push(event.unit);
      } else if (event.config.kind === 'video') {
        config = { ...event.config, fps: 30 };
      }
    }
    return { path, config: config!, units };
  }

  const counter = async (name: string): Promise<number> => {
    const text = await metrics.registry.metrics();
    return [...text.matchAll(new RegExp(`^tessera_${name}(?:\\{[^}]*\\})? (\\d+)`, 'gm'))].reduce(
      (sum, match) => sum + Number(match[1]),
      0,
    );
  };

  /** The rendition decoded by ffmpeg against the source scaled by ffmpeg, over the pictures that both have. */
  function quality(source: Clip, sink: RecordingSink, { width, height }: RenditionDescription): number {
    const made = decodeToI420(['-f', 'h264', '-i', '-'], sink.byteStream());
    const bytes = i420ByteLength(width, height);
    expect(made.length).toBe(sink.units.length * bytes);
    const wanted = decodeToI420(['-i', source.path, '-vf', `scale=${width}:${height}:flags=area`]);
    return psnr(made, wanted, sink.units.length, bytes, width * height);
  }

  test.each([
    ['Constrained Baseline', ['-c:v', 'libx264', '-profile:v', 'baseline'], 0],
    ['High with B pictures and CABAC', ['-c:v', 'libx264', '-profile:v', 'high', '-bf', '2', '-sc_threshold', '0'], 2],
    ['HEVC through ffmpeg', ['-c:v', 'libx265', '-x265-params', 'log-level=none:bframes=2:keyint=30:open-gop=0'], 4],
    ['VP9 through ffmpeg', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M'], 0],
  ])(
    'makes two renditions of %s with aligned groups, whole and good',
    async (name, codecs, heldBack) => {
      const source = await clip(`${name.split(' ')[0]}.mkv`, codecs);
      const room = start();
      expect(room.offer(source.config).renditions.map((rendition) => rendition.name)).toEqual(['360p']);
      const track = new HandTrack(source.config);
      const [full, small] = [new RecordingSink(), new RecordingSink()];
      room.start(STREAM, track, FULL, full);
      room.start(STREAM, track, SMALL, small);
      track.push(...source.units);
      const count = source.units.length - heldBack;
      await eventually('all pictures', () => Math.min(full.units.length, small.units.length) >= count, PATIENCE_MS);
      expect(full.failures).toEqual([]);
      const sourceKeys = source.units.filter(({ priority }) => priority === 'key').map(({ pts }) => pts);
      expect(full.keyTimes).toEqual(sourceKeys);
      expect(small.keyTimes).toEqual(sourceKeys);
      const shown = source.units.map(({ pts }) => pts as number).sort((a, b) => a - b);
      expect(full.units.map(({ pts }) => pts)).toEqual(shown.slice(0, full.units.length));
      expect(full.configs[0]).toMatchObject({ width: WIDTH, height: HEIGHT });
      expect(full.configs[0].codec).toMatch(/^avc1\.42/);
      expect(full.stats.every(({ encodeMs, qp }) => encodeMs > 0 && qp >= 0 && qp <= 51)).toBe(true);
      expect(quality(source, full, FULL)).toBeGreaterThan(30);
      expect(quality(source, small, SMALL)).toBeGreaterThan(30);
      expect(await counter('transcode_dropped_total')).toBe(0);
    },
    2 * PATIENCE_MS,
  );

  test(
    'makes a ladder of three on the threads of two cores: every picture in each, groups aligned',
    async () => {
      const source = await clip('ladder.mkv', ['-c:v', 'libx264', '-profile:v', 'baseline']);
      const room = start({ cores: 2, maxCpu: 1000 });
      const track = new HandTrack(source.config);
      const ladder = [FULL, SMALL, { name: 'tiny', width: 160, height: 90, fps: 30, kbps: 200 }];
      const sinks = ladder.map((rendition) => {
        const sink = new RecordingSink();
        room.start(STREAM, track, rendition, sink);
        return sink;
      });
      track.push(...source.units);
      const hasAll = ({ units }: RecordingSink): boolean => units.length >= source.units.length;
      await eventually('all pictures of all renditions', () => sinks.every(hasAll), PATIENCE_MS);
      const sourceKeys = source.units.filter(({ priority }) => priority === 'key').map(({ pts }) => pts);
      sinks.forEach((sink, i) => {
        expect(sink.failures).toEqual([]);
        expect(sink.configs).toHaveLength(1);
        expect(sink.keyTimes).toEqual(sourceKeys);
        expect(sink.units.map(({ pts }) => pts)).toEqual(source.units.map(({ pts }) => pts));
        expect(quality(source, sink, ladder[i])).toBeGreaterThan(26);
      });
      expect(await counter('transcode_dropped_total')).toBe(0);
    },
    2 * PATIENCE_MS,
  );

  test(
    'encodes raw pictures as source, with their capture times, and grants key frame requests',
    async () => {
      const seconds = 2;
      const raw = ffmpeg([...testPicture('320x180', seconds), '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-']);
      const bytes = i420ByteLength(320, 180);
      const config: VideoTrackConfig = {
        kind: 'video',
        codec: 'raw/i420',
        width: 320,
        height: 180,
        sampleAspect: [1, 1],
        colour: BT709_LIMITED,
        fps: 30,
      };
      const room = start();
      const track = new HandTrack(config);
      const sink = new RecordingSink();
      const source: RenditionDescription = { name: 'source', width: 320, height: 180, fps: 30, kbps: 1000 };
      const running = room.start(STREAM, track, source, sink);
      const count = raw.length / bytes;
      for (let i = 0; i < count; i++) {
        const time = microseconds(Math.round((i * 1_000_000) / 30));
        const data = new Uint8Array(raw.subarray(i * bytes, (i + 1) * bytes));
        const captureTime = microseconds(1_795_000_000_000_000 + time);
        track.push({ priority: 'key', pts: time, dts: time, data, captureTime, arrivalTime: captureTime });
        await eventually(`picture ${i}`, () => sink.units.length === i + 1, PATIENCE_MS);
        if (i === 20) {
          running.requestKeyframe(); // too early: granted two seconds after the first
        }
      }
      expect(sink.units.map(({ captureTime, pts }) => captureTime! - pts)).toEqual(
        Array.from({ length: count }, () => 1_795_000_000_000_000),
      );
      expect(sink.keyTimes).toEqual([0]);
      const made = decodeToI420(['-f', 'h264', '-i', '-'], sink.byteStream());
      expect(psnr(made, raw, count, bytes, 320 * 180)).toBeGreaterThan(30);
    },
    2 * PATIENCE_MS,
  );

  /** Pushes units one by one, waiting for each, until `isDone`. Skips what the restart leaves out. */
  async function pushUntil(track: HandTrack, units: readonly AccessUnit[], isDone: () => boolean): Promise<void> {
    for (const unit of units) {
      track.push(unit);
      await new Promise((resolve) => setImmediate(resolve));
      if (isDone()) {
        return;
      }
    }
    await eventually('the rendition to come back', isDone, PATIENCE_MS);
  }

  test(
    'comes back with an IDR picture after its worker was killed, and tells operators',
    async () => {
      const source = await clip('killed.mkv', ['-c:v', 'libx264', '-profile:v', 'baseline'], 4);
      const room = start();
      const track = new HandTrack(source.config);
      const sink = new RecordingSink();
      room.start(STREAM, track, FULL, sink);
      track.push(...source.units.slice(0, 40));
      await eventually('the first pictures', () => sink.units.length >= 40, PATIENCE_MS);
      const [worker] = room.activeWorkers;
      await worker.terminate();
      await eventually('another worker', () => room.activeWorkers.some((other) => other !== worker));
      await pushUntil(track, source.units.slice(40), () => sink.units.length >= 60);
      expect(sink.units[40].priority).toBe('key');
      expect(sink.failures).toEqual([]);
      expect(await counter('transcode_restarts_total')).toBe(1);
      expect(events.filter(({ type }) => type === 'worker-restarted')).toHaveLength(1);
      // The group that begins with the restart decodes by itself.
      const after = decodeToI420(['-f', 'h264', '-i', '-'], sink.byteStream(40));
      expect(after.length).toBe((sink.units.length - 40) * i420ByteLength(WIDTH, HEIGHT));
    },
    2 * PATIENCE_MS,
  );

  test(
    'comes back with an IDR picture after its ffmpeg child was killed',
    async () => {
      const hevc = ['-c:v', 'libx265', '-x265-params', 'log-level=none:bframes=0:keyint=30'];
      const source = await clip('child.mkv', hevc, 4);
      const room = start();
      const track = new HandTrack(source.config);
      const sink = new RecordingSink();
      room.start(STREAM, track, SMALL, sink);
      track.push(...source.units.slice(0, 40));
      await eventually('the first pictures', () => sink.units.length >= 35, PATIENCE_MS);
      const [child] = children();
      process.kill(child, 'SIGKILL');
      await eventually('another child', () => children().some((other) => other !== child), PATIENCE_MS);
      const before = sink.units.length;
      await pushUntil(track, source.units.slice(40), () => sink.units.length >= before + 20);
      expect(sink.units[before].priority).toBe('key');
      expect(sink.failures).toEqual([]);
      expect(await counter('transcode_restarts_total')).toBe(1);
    },
    2 * PATIENCE_MS,
  );

  test(
    'needs no ffmpeg for H.264, and says why nothing can be made of HEVC without it',
    async () => {
      const baseline = await clip('own.mkv', ['-c:v', 'libx264', '-profile:v', 'baseline'], 1);
      const high = await clip('own-high.mkv', ['-c:v', 'libx264', '-profile:v', 'high', '-bf', '0'], 1);
      const deep = await clip('deep.mkv', ['-c:v', 'libx264', '-pix_fmt', 'yuv420p10le'], 1);
      const hevc = await clip('foreign.mkv', ['-c:v', 'libx265', '-x265-params', 'log-level=none'], 1);
      process.env['PATH'] = '';
      const room = start();
      for (const source of [baseline, high]) {
        const track = new HandTrack(source.config);
        const sink = new RecordingSink();
        const running = room.start(STREAM, track, SMALL, sink);
        track.push(...source.units);
        await eventually('our own decoder', () => sink.units.length >= source.units.length, PATIENCE_MS);
        running.stop();
      }
      for (const [source, what] of [
        [hevc, /^Renditions of hvc1\.[\w.]+ need ffmpeg, and ffmpeg is not on the PATH of the server/],
        [deep, /^Renditions of avc1\.6e\w+ with more than 8 bits per sample need ffmpeg/],
      ] as const) {
        const offer = room.offer(source.config);
        expect(offer.renditions).toEqual([]);
        expect(offer.reason).toMatch(what);
        const sink = new RecordingSink();
        room.start(STREAM, new HandTrack(source.config), SMALL, sink);
        await eventually('the refusal', () => sink.failures.length === 1, PATIENCE_MS);
        expect(sink.failures[0]).toMatch(what);
      }
      expect(room.activeWorkers).toEqual([]);
    },
    2 * PATIENCE_MS,
  );

  test('offers and starts only what the machine can afford, and says what is missing', async () => {
    const source = await clip('cpu.mkv', ['-c:v', 'libx264', '-profile:v', 'baseline'], 1);
    const room = start({ cores: 2, maxCpu: 0.02 });
    const offer = room.offer(source.config);
    expect(offer.renditions).toEqual([]);
    expect(offer.reason).toMatch(/^360p needs about \d\.\d\d of a core .* \(transcode\.maxCpu 0\.02 of 2 cores\)\.$/);
    const sink = new RecordingSink();
    room.start(STREAM, new HandTrack(source.config), FULL, sink);
    expect(sink.failures).toEqual([offer.reason]);
    expect(await counter('transcode_refused_total')).toBe(1);
  });

  test(
    'runs only while somebody watches, and gives its CPU back',
    async () => {
      const source = await clip('watched.mkv', ['-c:v', 'libx264', '-profile:v', 'baseline'], 1);
      const room = start();
      const track = new HandTrack(source.config);
      const running: RunningRendition[] = [FULL, SMALL].map((rendition) =>
        room.start(STREAM, track, rendition, new RecordingSink()),
      );
      expect(track.sinks.size).toBe(1);
      expect(await counter('transcode_renditions')).toBe(2);
      running[0].stop();
      expect(track.sinks.size).toBe(1);
      running[1].stop();
      running[1].stop();
      expect(track.sinks.size).toBe(0);
      expect(room.activeWorkers).toEqual([]);
      expect(await counter('transcode_renditions')).toBe(0);
      const again = new RecordingSink();
      room.start(STREAM, track, SMALL, again);
      track.push(...source.units);
      await eventually('the worker used again', () => again.units.length === source.units.length, PATIENCE_MS);
    },
    2 * PATIENCE_MS,
  );

  test(
    'gives up with a reason on a source whose every picture takes too long to decode',
    async () => {
      const source = await clip('slow.mkv', ['-c:v', 'libx264', '-profile:v', 'baseline', '-qp', '1'], 2);
      const room = start({ decodeBudgetMs: 0.05 });
      const track = new HandTrack(source.config);
      const sink = new RecordingSink();
      room.start(STREAM, track, SMALL, sink);
      const feed = setInterval(() => {
        if (sink.failures.length === 0) {
          track.push(...source.units);
        }
      }, 200);
      try {
        await eventually('the end', () => sink.failures.length === 1, PATIENCE_MS);
      } finally {
        clearInterval(feed);
      }
      expect(sink.failures[0]).toMatch(
        /^The transcoder failed again and again: decoding one picture took more than 0.05 ms of CPU time/,
      );
      expect(track.keyframeRequests).toBeGreaterThan(0);
    },
    2 * PATIENCE_MS,
  );
});
