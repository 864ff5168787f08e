// The three formulas that the product starts from, as docs/codec/mathematics.md ties them to the integer transform: checked numerically against
// the kernels that the encoder runs.
import { expect, test } from '@jest/globals';
import { CodecMemory } from '../../shared/codec/h264/kernels/codec-memory.ts';
import { createEncoderKernels } from '../../shared/codec/h264/kernels/encoder-kernels.ts';
import { Quantisers, QUANTISERS_BYTES } from '../../shared/codec/h264/residual/quantisers.ts';
import { NORM_ADJUST_4X4, QUANT_MF_4X4, ZIGZAG_4X4 } from '../../shared/codec/h264/tables/transform.generated.ts';
import { seededRandom } from '../support/random.ts';

const { abs, cos, floor, hypot, PI, sqrt, SQRT1_2 } = Math;
const N = 4;
const INDICES = Array.from({ length: N * N }, (_, i) => [i >> 2, i & 3] as const);

/** Formula 1 as written: A(u,v) = (1/N) * sum of P(x,y) cos((2x+1)u pi / 2N) cos((2y+1)v pi / 2N). */
const A = (block: readonly number[], u: number, v: number): number =>
  INDICES.reduce((sum, [y, x], i) => {
    return sum + block[i] * cos(((2 * x + 1) * u * PI) / (2 * N)) * cos(((2 * y + 1) * v * PI) / (2 * N));
  }, 0) / N;

/** One row of the orthonormal DCT. */
const basis = (u: number): number[] =>
  Array.from({ length: N }, (_, x) => sqrt(2 / N) * (u === 0 ? SQRT1_2 : 1) * cos(((2 * x + 1) * u * PI) / (2 * N)));

/** The forward core transform of H.264 and the lengths of its rows. */
const CORE = [
  [1, 1, 1, 1],
  [2, 1, -1, -2],
  [1, -1, -1, 1],
  [1, -2, 2, -1],
];
const LENGTH = CORE.map((row) => hypot(...row)); // 2, sqrt(10), 2, sqrt(10)

/** rows * block * transposed rows, in raster order (row index first). */
const transform = (rows: readonly (readonly number[])[], block: readonly number[]): number[] =>
  INDICES.map(([i, j]) => INDICES.reduce((sum, [y, x], k) => sum + rows[i][y] * rows[j][x] * block[k], 0));

/** Quantiser steps of QP 0..5; they double every 6. */
const STEPS = [0.625, 0.6875, 0.8125, 0.875, 1, 1.125];
const stepOf = (qp: number): number => STEPS[qp % 6] * 2 ** floor(qp / 6);

const DEAD_ZONE = 1 / 6;
const memory = CodecMemory.create(QUANTISERS_BYTES + 4096);
const kernels = createEncoderKernels(memory.memory, 'wasm');
const quantisers = new Quantisers(memory, { intra: 1 / 3, inter: DEAD_ZONE });
const [source, prediction, levels, coefficients] = [0, 1, 2, 3].map(() => memory.allocate(256, 16));

const random = seededRandom(4);
const randomBlock = (amplitude: number): number[] => INDICES.map(() => random(2 * amplitude + 1) - amplitude);

/** Levels (raster order) and scaled coefficients that the kernel makes of a residual, and what the inverse transform reconstructs. */
function code(residual: readonly number[], qp: number) {
  INDICES.forEach(([y, x], i) => {
    memory.bytes[prediction + 16 * y + x] = 128;
    memory.bytes[source + 16 * y + x] = 128 + residual[i];
  });
  memory.words.fill(0, levels >> 1, (levels >> 1) + 16);
  memory.words.fill(0, coefficients >> 1, (coefficients >> 1) + 16);
  kernels.quantizeBlock(source, 16, prediction, 16, quantisers.inter(qp), levels, coefficients);
  const raster = new Array<number>(16).fill(0);
  for (let place = 0; place < 16; place++) {
    raster[ZIGZAG_4X4[place]] = memory.words[(levels >> 1) + place];
  }
  const scaled = Array.from(memory.words.subarray(coefficients >> 1, (coefficients >> 1) + 16));
  kernels.inverseTransform4x4Add(prediction, 16, coefficients);
  const reconstructed = INDICES.map(([y, x]) => memory.bytes[prediction + 16 * y + x] - 128);
  return { levels: raster, scaled, reconstructed };
}

test('A(u,v) is the orthonormal DCT times 1, 1/sqrt(2) or 1/2', () => {
  const rows = [0, 1, 2, 3].map(basis);
  for (let round = 0; round < 20; round++) {
    const block = randomBlock(255);
    const dct = transform(rows, block);
    INDICES.forEach(([v, u], i) => {
      const ratio = u === 0 && v === 0 ? 1 : u === 0 || v === 0 ? SQRT1_2 : 1 / 2;
      expect(A(block, u, v)).toBeCloseTo(ratio * dct[i], 8);
    });
  }
});

test('the core transform over the lengths of its rows is orthonormal and within 0.05 of the DCT', () => {
  const scaled = CORE.map((row, i) => row.map((value) => value / LENGTH[i]));
  INDICES.forEach(([i, j]) => {
    const product = scaled[i].reduce((sum, value, x) => sum + value * scaled[j][x], 0);
    expect(product).toBeCloseTo(i === j ? 1 : 0, 12);
    expect(abs(scaled[i][j] - basis(i)[j])).toBeLessThan(0.05);
  });
});

test('levels of the kernel are floor(a * |W| + b) with the sign of W, a = MF / 2^qbits, b the dead zone', () => {
  let nonZero = 0;
  for (let qp = 0; qp < 52; qp++) {
    for (let round = 0; round < 20; round++) {
      const residual = randomBlock(1 + random(127));
      const W = transform(CORE, residual);
      const qbits = 15 + floor(qp / 6);
      const b = floor(DEAD_ZONE * 2 ** qbits) / 2 ** qbits;
      const expected = W.map((w, i) => {
        const a = QUANT_MF_4X4[16 * (qp % 6) + i] / 2 ** qbits;
        const level = Math.min(2063, floor(a * abs(w) + b));
        return w < 0 && level > 0 ? -level : level;
      });
      expect(code(residual, qp).levels).toEqual(expected);
      nonZero += expected.filter((level) => level !== 0).length;
    }
  }
  expect(nonZero).toBeGreaterThan(1000);
});

test('multipliers and scaling factors undo each other: MF * V * d(i) * d(j) = 2^21, d = 4, 5, 4, 5', () => {
  const d = [4, 5, 4, 5];
  for (let row = 0; row < 6; row++) {
    INDICES.forEach(([i, j], k) => {
      const product = QUANT_MF_4X4[16 * row + k] * NORM_ADJUST_4X4[16 * row + k] * d[i] * d[j];
      expect(abs(product / 2 ** 21 - 1)).toBeLessThan(2e-4);
    });
  }
});

test('scaling is level x step: exact where both indices are even, within 4 % elsewhere', () => {
  // PF of 64 x step: 1/4, 2/5 and sqrt(1/10), the squares of the inverse basis' lengths
  const factor = [1 / 4, sqrt(1 / 10), 2 / 5];
  for (let qp = 0; qp < 52; qp++) {
    const { levels: found, scaled } = code(randomBlock(127), qp);
    INDICES.forEach(([i, j], k) => {
      const odd = (i & 1) + (j & 1);
      const scale = NORM_ADJUST_4X4[16 * (qp % 6) + k] * 2 ** floor(qp / 6);
      expect(scaled[k]).toBe(found[k] * scale);
      const exact = 64 * factor[odd] * stepOf(qp);
      expect(abs(scale / exact - 1)).toBeLessThan(odd === 0 ? 1e-12 : 0.04);
    });
  }
});

test('the reconstruction is off by less than a step per coefficient', () => {
  for (let qp = 0; qp < 46; qp++) {
    for (let round = 0; round < 10; round++) {
      const residual = randomBlock(90);
      const { reconstructed } = code(residual, qp);
      if (reconstructed.some((value) => value <= -128 || value >= 127)) {
        continue; // clipped
      }
      const error = hypot(...residual.map((value, i) => value - reconstructed[i]));
      // 16 coefficients, each off by at most (1 - dead zone) of a step; 16 samples rounded by at most a half
      expect(error).toBeLessThan(4 * (1 - DEAD_ZONE) * 1.05 * stepOf(qp) + 2);
    }
  }
});
