// The SIMD intra kernels equal their reference in every mode and with every availability that the mode allows.
import { expect, test } from '@jest/globals';
import { AVAILABLE_LEFT, AVAILABLE_TOP, AVAILABLE_TOP_LEFT } from '../../shared/codec/h264/kernels/kernels.ts';
import { seededRandom } from '../support/random.ts';
import { SAMPLE_KINDS } from './harness.ts';
import { BUILDS, reconstructionArena } from './reconstruction-arena.ts';

const ALL = AVAILABLE_LEFT | AVAILABLE_TOP | AVAILABLE_TOP_LEFT;
/** What Intra4x4PredMode and Intra8x8PredMode 0..8 need (8.3.1.2). */
const NEEDS_NXN = [AVAILABLE_TOP, AVAILABLE_LEFT, 0, AVAILABLE_TOP, ALL, ALL, ALL, AVAILABLE_TOP, AVAILABLE_LEFT];

const CASES = [
  { name: 'predictIntra4x4', needs: NEEDS_NXN },
  { name: 'predictIntra8x8', needs: NEEDS_NXN },
  { name: 'predictIntra16x16', needs: [AVAILABLE_TOP, AVAILABLE_LEFT, 0, ALL] },
  { name: 'predictIntraChroma', needs: [0, AVAILABLE_LEFT, AVAILABLE_TOP, ALL] },
] as const;

for (const build of BUILDS) {
  const arena = reconstructionArena(build);
  const random = seededRandom(41);
  for (const { name, needs } of CASES) {
    test(`${build}: ${name} equals the reference`, () => {
      for (const samples of SAMPLE_KINDS) {
        for (const [mode, needed] of needs.entries()) {
          for (let available = 0; available < 16; available++) {
            if ((available & needed) !== needed) {
              continue;
            }
            arena.fillSamples(samples, 43 + mode);
            for (let round = 0; round < 4; round++) {
              const [dst, stride] = [arena.base + 4096 + random(64), 40 + random(64)];
              arena.compare(`${samples} mode ${mode} available ${available}`, (k) =>
                k[name](dst, stride, mode, available),
              );
            }
          }
        }
      }
    });
  }
}

test('without above-right samples the last one above is repeated', () => {
  const arena = reconstructionArena('plain');
  arena.fillSamples('zeros', 1);
  const dst = arena.base + 1024;
  arena.write(dst - 64, [10, 20, 30, 40, 200, 200, 200, 200]);
  arena.compare('diagonal down left', (k) => k.predictIntra4x4(dst, 64, 3, AVAILABLE_TOP));
  expect([...arena.bytes.subarray(dst, dst + 4)]).toEqual([20, 30, 38, 40]);
  expect([...arena.bytes.subarray(dst + 3 * 64, dst + 3 * 64 + 4)]).toEqual([40, 40, 40, 40]);
});
