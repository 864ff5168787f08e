// Rate control over mixed content: slides, cuts, noise, fades. An independent leaky bucket finds no violation and the mean rate holds.
import { expect, test } from '@jest/globals';
import type { EncoderConfig } from '../../shared/codec/h264/codec-types.ts';
import { encodeClip } from '../support/encode-clip.ts';
import { runLeakyBucket } from '../support/leaky-bucket.ts';
import { movingPicture } from '../support/moving-picture.ts';
import type { I420Frame } from '../../shared/media/frame.ts';

const WIDTH = 176;
const HEIGHT = 144;
const FPS = 25;
const FRAMES = 300;
const PART = FRAMES / 5;

const { abs, floor } = Math;

/** Twelve seconds: a pan, a still slide, noise, cuts every twelve frames, a fade to black and back. */
function mixedContent(): (index: number) => I420Frame {
  const size = { width: WIDTH, height: HEIGHT, fps: FPS };
  const pan = movingPicture({ ...size, seed: 1 });
  const slide = movingPicture({ ...size, seed: 2, isStill: true });
  const noise = movingPicture({ ...size, seed: 3, noise: 40 });
  const cuts = movingPicture({ ...size, seed: 4, noise: 3, cutEvery: 12 });
  return (index) => {
    const part = floor(index / PART);
    if (part === 4) {
      const frame = pan(index);
      const level = abs(1 - (2 * (index % PART)) / PART);
      const luma = frame.y.data;
      for (let i = 0; i < luma.length; i++) {
        luma[i] = 16 + (luma[i] - 16) * level;
      }
      return frame;
    }
    return [pan, slide, noise, cuts][part](index);
  };
}

for (const [kbps, maxKbps, bufferMs] of [
  [150, 150, 1000],
  [400, 400, 500],
  [300, 600, 1000],
  [900, 900, 1000],
] as const) {
  test(`keeps ${kbps} kbit/s within a bucket of ${bufferMs} ms at ${maxKbps} kbit/s`, () => {
    const config: EncoderConfig = {
      width: WIDTH,
      height: HEIGHT,
      framerate: { numerator: FPS, denominator: 1 },
      rateControl: { kind: 'bitrate', kbps, maxKbps, bufferMs },
      preset: 'ultrafast',
    };
    const { chunks, metadata } = encodeClip(config, mixedContent(), FRAMES);
    const sizes = chunks.map((chunk) => 8 * chunk.data.length);
    const bufferBits = maxKbps * bufferMs;
    const bucket = { peakBitsPerSecond: 1000 * maxKbps, bufferBits, seconds: 1 / FPS };
    expect(runLeakyBucket(sizes, { ...bucket, initial: 0.9 }).underflows).toBe(0);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const meanKbps = total / (FRAMES / FPS) / 1000;
    // What the bucket holds in advance may be spent on top of the rate.
    expect(meanKbps).toBeLessThan(1.03 * kbps + bufferBits / 1000 / (FRAMES / FPS));
    const isEasy = metadata.filter(({ qp }) => qp <= 11).length > FRAMES / 10;
    expect(isEasy || meanKbps > 0.9 * kbps).toBe(true);
  });
}
