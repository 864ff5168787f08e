// The SIMD deblocking kernels equal their reference for every alpha, beta and tC0 that the tables can give, and filter nothing else.
import { expect, test } from '@jest/globals';
import { seededRandom } from '../support/random.ts';
import { SAMPLE_KINDS } from './harness.ts';
import { BUILDS, reconstructionArena } from './reconstruction-arena.ts';

const NORMAL = [
  'deblockLumaVertical',
  'deblockLumaHorizontal',
  'deblockChromaVertical',
  'deblockChromaHorizontal',
] as const;
const STRONG = [
  'deblockLumaVerticalStrong',
  'deblockLumaHorizontalStrong',
  'deblockChromaVerticalStrong',
  'deblockChromaHorizontalStrong',
] as const;

/** (alpha, beta) pairs: table values, none and the greatest. */
const THRESHOLDS = [
  [0, 0],
  [4, 2],
  [15, 6],
  [40, 10],
  [90, 13],
  [255, 18],
  [255, 255],
] as const;

for (const build of BUILDS) {
  const arena = reconstructionArena(build);
  const random = seededRandom(19);
  const place = () => arena.base + 16384 + random(64);
  const stride = () => 48 + random(64);
  const packTc0 = () => {
    let packed = 0;
    for (let i = 0; i < 4; i++) {
      packed = (packed << 8) | (random(3) === 0 ? 0xff : random(26));
    }
    return packed;
  };

  for (const name of NORMAL) {
    test(`${build}: ${name} equals the reference`, () => {
      for (const samples of SAMPLE_KINDS) {
        for (const [alpha, beta] of THRESHOLDS) {
          arena.fillSamples(samples, 29 + alpha);
          for (let round = 0; round < 24; round++) {
            const [pixels, s] = [place(), stride()];
            const tc0 = [0, -1, 0x19191919, packTc0(), packTc0(), packTc0()][round % 6];
            arena.compare(`${samples} alpha ${alpha} beta ${beta} tc0 ${tc0.toString(16)}`, (k) =>
              k[name](pixels, s, alpha, beta, tc0),
            );
          }
        }
      }
    });
  }

  for (const name of STRONG) {
    test(`${build}: ${name} equals the reference`, () => {
      for (const samples of SAMPLE_KINDS) {
        for (const [alpha, beta] of THRESHOLDS) {
          arena.fillSamples(samples, 31 + alpha);
          for (let round = 0; round < 24; round++) {
            const [pixels, s] = [place(), stride()];
            arena.compare(`${samples} alpha ${alpha} beta ${beta}`, (k) => k[name](pixels, s, alpha, beta));
          }
        }
      }
    });
  }
}

test('a step of ten across a strong luma edge becomes a ramp over six samples', () => {
  const arena = reconstructionArena('plain');
  arena.fillSamples('zeros', 1);
  const pixels = arena.base + 1024;
  for (let y = 0; y < 16; y++) {
    arena.write(pixels + y * 32 - 4, [100, 100, 100, 100, 110, 110, 110, 110]);
  }
  arena.compare('ramp', (k) => k.deblockLumaVerticalStrong(pixels, 32, 40, 10));
  expect([...arena.bytes.subarray(pixels - 4, pixels + 4)]).toEqual([100, 101, 103, 104, 106, 108, 109, 110]);
});
