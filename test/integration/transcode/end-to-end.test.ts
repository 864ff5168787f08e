// The whole way in one process: ffmpeg pushes a real clip over RTMP, a viewer takes `source` and a rendition of ours over tessera.1;
// and the demo stream, whose pictures carry a clock. ffmpeg judges every picture.

import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { joinAnnexB } from '../../../shared/bitstream/annex-b.ts';
import { parseAvcDecoderConfigurationRecord, splitLengthPrefixed } from '../../../shared/bitstream/avcc.ts';
import { UNSPECIFIED_COLOUR } from '../../../shared/media/colour.ts';
import { i420ByteLength, packedI420 } from '../../../shared/media/frame.ts';
import { readPictureClock } from '../../../shared/media/picture-clock.ts';
import { microseconds } from '../../../shared/media/time.ts';
import type { WireObject } from '../../../shared/protocol/object-header.ts';
import { trackConfigFromWire } from '../../../shared/protocol/track-message.ts';
import { eventually } from '../../support/eventually.ts';
import { decodeToI420 } from '../../support/ffmpeg-clips.ts';
import { describeWith, materialDir } from '../../support/requirements.ts';
import { startServer, watch, type TestServer, type TestViewer } from '../../support/running-server.ts';

/** Whatever else this machine does meanwhile. */
const PATIENCE_MS = 90_000;
/** A little more than what the server waits for the first picture of a rendition. */
const ASK_AGAIN_MS = 4500;

/** The video of one rendition that a viewer has got, as a byte stream, and its objects. */
function videoOf(viewer: TestViewer, rendition: string): { bytes: Uint8Array; objects: WireObject[] } | null {
  const track = viewer.messages.findLast(
    (message) => message.type === 'track' && message.kind === 'video' && message.rendition === rendition,
  );
  if (track?.type !== 'track') {
    return null;
  }
  const config = trackConfigFromWire(track.config);
  const objects = viewer.objects.filter(({ kind, trackId }) => kind === 'video' && trackId === track.id);
  const record = parseAvcDecoderConfigurationRecord((config as { description: Uint8Array }).description);
  const nals = objects.flatMap(({ payload }) =>
    splitLengthPrefixed(payload, record.lengthSize).map(({ start, end }) => payload.subarray(start, end)),
  );
  return {
    bytes: joinAnnexB([...record.sequenceParameterSets, ...record.pictureParameterSets, ...nals]),
    objects,
  };
}

/** The picture of `candidates` that is nearest to `picture` in luma, as PSNR. */
function bestPsnr(picture: Buffer, candidates: readonly Buffer[], lumaBytes: number): number {
  let least = Infinity;
  for (const candidate of candidates) {
    let squares = 0;
    for (let i = 0; i < lumaBytes && squares < least; i += 3) {
      const difference = picture[i] - candidate[i];
      squares += difference * difference;
    }
    least = Math.min(least, squares);
  }
  return 10 * Math.log10((255 * 255) / (least / (lumaBytes / 3)));
}

function pictures(raw: Buffer, bytes: number): Buffer[] {
  return Array.from({ length: Math.floor(raw.length / bytes) }, (_, i) => raw.subarray(i * bytes, (i + 1) * bytes));
}

describeWith(['ffmpeg', 'material'], 'A clip pushed over RTMP', () => {
  const clip = join(materialDir, 'clips', 'bbb720.mp4');
  let server: TestServer;
  let push: ChildProcess | null = null;

  beforeAll(async () => {
    server = await startServer({ 'rtmp.port': '0', 'rtmp.host': '127.0.0.1', 'transcode.maxCpu': '1' });
    const address = `${server.rtmp!}/clip?key=${server.publishKey}`;
    const input = ['-re', '-stream_loop', '-1', '-i', clip];
    push = spawn('ffmpeg', ['-loglevel', 'error', ...input, '-c', 'copy', '-f', 'flv', address], { stdio: 'ignore' });
    await eventually('the stream', () => server.counter('publishers').then((count) => count === 1), PATIENCE_MS);
  }, PATIENCE_MS);
  afterAll(async () => {
    push?.kill('SIGKILL');
    await server.stop();
  }, PATIENCE_MS);

  test(
    'is passed on unchanged as source',
    async () => {
      const viewer = await watch(server, 'clip', 'rendition=source');
      const video = await eventually(
        'two seconds of source',
        () => {
          const got = videoOf(viewer, 'source');
          return got !== null && got.objects.length >= 48 ? got : null;
        },
        PATIENCE_MS,
      );
      viewer.leave();
      const bytes = i420ByteLength(1280, 720);
      const made = pictures(decodeToI420(['-f', 'h264', '-i', '-'], video.bytes), bytes);
      const wanted = new Set(pictures(decodeToI420(['-i', clip]), bytes).map((picture) => picture.toString('latin1')));
      expect(made.length).toBeGreaterThanOrEqual(48);
      expect(made.filter((picture) => !wanted.has(picture.toString('latin1')))).toHaveLength(0);
    },
    2 * PATIENCE_MS,
  );

  test(
    'is watched in a rendition that our encoder made of what our decoder read',
    async () => {
      const viewer = await watch(server, 'clip', 'rendition=360p');
      let askedAt = performance.now();
      const video = await eventually(
        'a second of the rendition',
        () => {
          const got = videoOf(viewer, '360p');
          const now = performance.now();
          if (got === null && now - askedAt > ASK_AGAIN_MS) {
            askedAt = now; // a busy machine starts the rendition late: the viewer was sent to the source meanwhile
            viewer.say({ type: 'select', rendition: '360p' });
          }
          return got !== null && got.objects.length >= 24 ? got : null;
        },
        PATIENCE_MS,
      );
      expect(viewer.messages.find((message) => message.type === 'track' && message.rendition === '360p')).toMatchObject(
        {
          encoder: 'tessera',
          latencyKind: 'ingest',
        },
      );
      viewer.leave();
      expect(video.objects[0].priority).toBe('key');
      const bytes = i420ByteLength(640, 360);
      const made = pictures(decodeToI420(['-f', 'h264', '-i', '-'], video.bytes), bytes);
      expect(made).toHaveLength(video.objects.length);
      const scaled = pictures(decodeToI420(['-i', clip, '-vf', 'scale=640:360:flags=area']), bytes);
      const sample = made.filter((_, i) => i % 8 === 0).slice(0, 4);
      for (const picture of sample) {
        expect(bestPsnr(picture, scaled, 640 * 360)).toBeGreaterThan(30);
      }
    },
    3 * PATIENCE_MS,
  );
});

describeWith(['ffmpeg'], 'The demo stream', () => {
  let server: TestServer | null = null;
  afterEach(async () => {
    await server?.stop();
  }, PATIENCE_MS);

  test(
    'shows in every picture the capture time that its header carries',
    async () => {
      server = await startServer({ demo: 'true', 'transcode.maxCpu': '1' });
      const viewer = await watch(server, 'demo', 'rendition=auto');
      const video = await eventually(
        'a second of demo',
        () => {
          const got = videoOf(viewer, 'source');
          return got !== null && got.objects.length >= 30 ? got : null;
        },
        PATIENCE_MS,
      );
      const track = viewer.messages.find((message) => message.type === 'track' && message.kind === 'video');
      viewer.leave();
      expect(track).toMatchObject({ encoder: 'tessera', latencyKind: 'glass' });
      const config = trackConfigFromWire((track as { config: Parameters<typeof trackConfigFromWire>[0] }).config);
      const { width, height } = config as { width: number; height: number };
      const made = pictures(decodeToI420(['-f', 'h264', '-i', '-'], video.bytes), i420ByteLength(width, height));
      expect(made).toHaveLength(video.objects.length);
      for (const [i, picture] of made.entries()) {
        const meta = { timestamp: microseconds(0), colour: UNSPECIFIED_COLOUR };
        const frame = packedI420(new Uint8Array(picture), { width, height }, meta);
        expect(readPictureClock(frame.y)).toBe(Math.floor(video.objects[i].captureTime! / 1000));
      }
    },
    2 * PATIENCE_MS,
  );
});
