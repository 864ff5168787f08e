// The statistics tell what was coded: they add up, agree with the stream, and their quality sample is near the truth.
import { expect, test } from '@jest/globals';
import type { EncoderConfig, PictureStatistics } from '../../shared/codec/h264/codec-types.ts';
import { H264Encoder } from '../../shared/codec/h264/encoder.ts';
import { QualityMeter } from '../../shared/pixels/quality.ts';
import { movingPicture } from '../support/moving-picture.ts';

const SIZE = { width: 320, height: 192 };
const MACROBLOCKS = 20 * 12;
const base: EncoderConfig = {
  ...SIZE,
  framerate: { numerator: 25, denominator: 1 },
  rateControl: { kind: 'qp', qp: 30 },
  tune: 'psnr',
};
const clip = movingPicture({ ...SIZE, seed: 21, noise: 5 });

for (const [preset, profile] of [
  ['fast', 'baseline'],
  ['quality', 'high'],
] as const) {
  test(`figures of ${preset} ${profile} add up and agree with the stream`, () => {
    const meter = new QualityMeter({ ssim: true });
    const figures: PictureStatistics[] = [];
    let index = 0;
    const encoder = new H264Encoder({
      output: (chunk, { statistics, bits }) => {
        if (statistics === undefined) {
          throw new Error('No statistics.');
        }
        figures.push(statistics);
        const { skipped, inter, intra16x16, intra8x8, intra4x4, pcm } = statistics;
        expect(skipped + inter + intra16x16 + intra8x8 + intra4x4 + pcm).toBe(MACROBLOCKS);
        expect(statistics.sliceType).toBe(chunk.type === 'key' ? 'I' : 'P');
        // All but headers, parameter sets and emulation prevention belongs to macroblocks.
        const sum = encoder.macroblocks.bits.reduce((total, value) => total + value, 0);
        expect(sum).toBeLessThanOrEqual(bits);
        expect(bits - sum).toBeLessThan(chunk.type === 'key' ? 800 : 300);
        expect(encoder.macroblocks.kind.filter((kind) => kind === 0).length).toBe(skipped);
        expect(Math.max(...encoder.macroblocks.qp)).toBeLessThanOrEqual(30);
      },
      reconstruction: (frame) => meter.add(clip(index), frame),
    });
    encoder.configure({ ...base, preset, profile });
    for (; index < 24; index++) {
      encoder.encode(clip(index));
    }
    expect(figures[0]).toMatchObject({ skipped: 0, inter: 0, ms: null });
    expect(figures.some(({ skipped }) => skipped > 0)).toBe(true);
    expect(figures.some(({ transform8x8 }) => transform8x8 > 0)).toBe(profile === 'high');
    const mean = (value: (one: PictureStatistics) => number): number =>
      figures.reduce((sum, one) => sum + value(one), 0) / figures.length;
    expect(Math.abs(mean(({ psnrY }) => psnrY) - meter.psnr().y)).toBeLessThan(1);
    // Its windows have 16x16 samples, those of the meter 8x8.
    expect(Math.abs(mean(({ ssimY }) => ssimY) - meter.ssim().y)).toBeLessThan(0.1);
  });
}

test('vectors in the report are those of the motion', () => {
  const encoder = new H264Encoder({ output: () => undefined });
  const wide = movingPicture({ width: 384, height: 192, seed: 3, isStill: true })(0);
  encoder.configure(base);
  for (let index = 0; index < 3; index++) {
    // A window on a wide picture that moves 6 samples to the right per frame.
    const crop = (plane: typeof wide.y, shift: number, width: number) => ({
      ...plane,
      data: plane.data.subarray(shift),
      width,
    });
    const [y, u, v] = [crop(wide.y, 6 * index, 320), crop(wide.u, 3 * index, 160), crop(wide.v, 3 * index, 160)];
    encoder.encode({ ...wide, ...SIZE, y, u, v, timestamp: (40_000 * index) as never });
  }
  const { mv, mvOrigin, mvStride } = encoder.macroblocks;
  let right = 0;
  for (let y = 4; y < 44; y += 4) {
    for (let x = 4; x < 72; x += 4) {
      right += mv[mvOrigin + y * mvStride + x] === 24 ? 1 : 0;
    }
  }
  expect(right).toBeGreaterThan(0.8 * 10 * 17);
});

test('times by stage come from the clock that is given', () => {
  let time = 0;
  const stages: PictureStatistics['ms'][] = [];
  const encoder = new H264Encoder({
    output: (_, { statistics }) => stages.push(statistics?.ms ?? null),
    now: () => time++,
  });
  encoder.configure(base);
  encoder.encode(clip(0));
  // Twelve rows of deblocking, two looks at the clock each, lie within the coding.
  expect(stages).toEqual([{ analyse: 1, code: 25, filter: 12, pack: 1 }]);
});
