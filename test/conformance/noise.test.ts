// Noise at low QP from an encoder that does not keep to 3200 bits per macroblock (A.3.1), which libx264 does not: other decoders show it, so
// does ours. Both kinds of entropy coding, one slice per picture, with one thread and two and with the reference kernels.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeFrames } from '../support/decode-frames.ts';
import { decodeToI420, ffmpeg } from '../support/ffmpeg-clips.ts';
import { seededRandom } from '../support/random.ts';
import { describeWith } from '../support/requirements.ts';
import { WarmThreadHost } from '../support/warm-thread-host.ts';

const WIDTH = 176;
const HEIGHT = 144;
const PICTURES = 3;
const FRAME_BYTES = (WIDTH * HEIGHT * 3) / 2;
const MACROBLOCKS = (WIDTH * HEIGHT) / 256;

/** Pictures of independent samples over the whole range, or of the two ends of it. */
const NOISE = {
  'all values': (random: number) => random,
  'black and white': (random: number) => (random < 128 ? 0 : 255),
};

const CODINGS = {
  'Baseline CAVLC': ['-profile:v', 'baseline'],
  'High CAVLC': ['-profile:v', 'high', '-coder', '0'],
  'High CABAC': ['-profile:v', 'high'],
};

describeWith(['ffmpeg'], 'noise at QP 1', () => {
  const host = new WarmThreadHost();

  beforeAll(() => host.warmUp(), 180_000);
  afterAll(() => host.close());

  for (const [noise, valueOf] of Object.entries(NOISE)) {
    for (const [coding, options] of Object.entries(CODINGS)) {
      test(`${noise}, ${coding}`, () => {
        const random = seededRandom(noise.length);
        const clip = Uint8Array.from({ length: PICTURES * FRAME_BYTES }, () => valueOf(random(256)));
        const stream = ffmpeg(
          [
            ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${WIDTH}x${HEIGHT}`, '-i', '-'],
            ...['-c:v', 'libx264', '-preset', 'fast', '-threads', '1', '-qp', '1', ...options, '-f', 'h264', '-'],
          ],
          clip,
        );
        expect(stream.length).toBeGreaterThan(400 * MACROBLOCKS * PICTURES);
        const raw = decodeToI420(['-f', 'h264', '-i', '-'], stream);
        const expected = Array.from({ length: PICTURES }, (_, i) =>
          createHash('md5')
            .update(raw.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES))
            .digest('hex'),
        );
        for (const config of [{}, { threads: 2 }, { kernels: 'reference' as const }]) {
          const { frames, errors } = decodeFrames([new Uint8Array(stream)], config, host);
          expect(errors).toEqual([]);
          expect(frames).toEqual(expected);
        }
      }, 60_000);
    }
  }

  test('the second thread decoded pictures', () => {
    expect(host.jobs).toBeGreaterThan(0);
  });
});
