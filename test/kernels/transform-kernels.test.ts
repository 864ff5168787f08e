// The SIMD inverse transforms equal their reference on conforming and on absurd coefficients, and clear what they consumed.
import { expect, test } from '@jest/globals';
import { seededRandom } from '../support/random.ts';
import { SAMPLE_KINDS } from './harness.ts';
import { BUILDS, reconstructionArena } from './reconstruction-arena.ts';

/** Coefficient generators: small ones as in real streams, the whole 16-bit range, and both ends of it. */
const COEFFICIENT_KINDS = {
  sparse: (random: (limit: number) => number) => (random(4) === 0 ? random(401) - 200 : 0),
  typical: (random: (limit: number) => number) => random(2049) - 1024,
  any: (random: (limit: number) => number) => random(65536) - 32768,
  minima: () => -32768,
  maxima: () => 32767,
} as const;

for (const build of BUILDS) {
  const arena = reconstructionArena(build);
  const random = seededRandom(3);
  const { base } = arena;
  const coefficients = () => base + 32768 + 16 * random(8);
  const destination = () => base + 1024 + random(64);
  const stride = () => 32 + random(64);
  const writeCoefficients = (at: number, count: number, kind: keyof typeof COEFFICIENT_KINDS) =>
    arena.writeWords(
      at,
      Array.from({ length: count }, () => COEFFICIENT_KINDS[kind](random)),
    );
  const kinds = Object.keys(COEFFICIENT_KINDS) as (keyof typeof COEFFICIENT_KINDS)[];

  for (const [name, count] of [
    ['inverseTransform4x4Add', 16],
    ['inverseTransform4x4DcAdd', 1],
    ['inverseTransform8x8Add', 64],
    ['inverseTransform8x8DcAdd', 1],
  ] as const) {
    test(`${build}: ${name} equals the reference`, () => {
      for (const samples of SAMPLE_KINDS) {
        arena.fillSamples(samples, 5);
        for (const kind of kinds) {
          for (let round = 0; round < 20; round++) {
            const [dst, ds, at] = [destination(), stride(), coefficients()];
            writeCoefficients(at, count, kind);
            arena.compare(`${samples} ${kind}`, (k) => k[name](dst, ds, at));
          }
        }
      }
    });
  }

  for (const [name, blocks] of [
    ['inverseTransformLumaAdd', 16],
    ['inverseTransformChromaAdd', 4],
  ] as const) {
    test(`${build}: ${name} equals the reference for masks of every kind and leaves unnamed blocks alone`, () => {
      for (const samples of SAMPLE_KINDS) {
        for (const kind of kinds) {
          for (let round = 0; round < 30; round++) {
            arena.fillSamples(samples, 9 + round);
            const [dst, ds, at] = [destination(), stride(), coefficients()];
            const all = (1 << blocks) - 1;
            const mask = [all, 0, 1, random(all + 1), random(all + 1)][round % 5];
            const dcOnlyMask = [0, all, random(all + 1)][round % 3];
            writeCoefficients(at, 16 * blocks, kind);
            for (let block = 0; block < blocks; block++) {
              if (((mask & dcOnlyMask) >> block) & 1) {
                arena.writeWords(at + 32 * block + 2, new Array(15).fill(0));
              }
            }
            arena.compare(`${samples} ${kind} ${mask} ${dcOnlyMask}`, (k) => k[name](dst, ds, at, mask, dcOnlyMask));
          }
        }
      }
    });
  }
}

test('a lone DC of 64 adds one to every sample and is cleared', () => {
  const arena = reconstructionArena('plain');
  arena.fillSamples('zeros', 1);
  arena.writeWords(arena.base + 4096, [64]);
  arena.compare('dc', (k) => k.inverseTransform8x8DcAdd(arena.base, 8, arena.base + 4096));
  expect([...arena.bytes.subarray(arena.base, arena.base + 64)]).toEqual(new Array(64).fill(1));
  expect(arena.bytes[arena.base + 4096]).toBe(0);
});

test('the 4x4 transform of coefficient (0,1) alone has the basis row 1 1/2 -1/2 -1', () => {
  const arena = reconstructionArena('plain');
  arena.fillSamples('zeros', 1);
  arena.write(arena.base, new Array(16).fill(100));
  arena.writeWords(arena.base + 4096, [0, 640]);
  arena.compare('basis', (k) => k.inverseTransform4x4Add(arena.base, 4, arena.base + 4096));
  expect([...arena.bytes.subarray(arena.base, arena.base + 4)]).toEqual([110, 105, 95, 90]);
});
