// The reference of the kernels with 8x8 blocks: forward transform (the inverse of 8.5.13), quantisation and scaling, and the 8x8
// Hadamard sum. Part of reference-analysis-kernels.ts.

import { ZIGZAG_8X8 } from '../tables/transform.generated.ts';
import { type AnalysisKernels, MAX_LEVEL } from './analysis-kernels.ts';

const { abs, max, min } = Math;

/** One dimension of the forward transform on eight values `step` apart. */
function forward8(values: Int32Array, at: number, step: number): void {
  const x = (i: number): number => values[at + i * step];
  const [s07, s16, s25, s34] = [x(0) + x(7), x(1) + x(6), x(2) + x(5), x(3) + x(4)];
  const [d07, d16, d25, d34] = [x(0) - x(7), x(1) - x(6), x(2) - x(5), x(3) - x(4)];
  const [a0, a1, a2, a3] = [s07 + s34, s16 + s25, s07 - s34, s16 - s25];
  const a4 = d16 + d25 + (d07 + (d07 >> 1));
  const a5 = d07 - d34 - (d25 + (d25 >> 1));
  const a6 = d07 + d34 - (d16 + (d16 >> 1));
  const a7 = d16 - d25 + (d34 + (d34 >> 1));
  values[at] = a0 + a1;
  values[at + step] = a4 + (a7 >> 2);
  values[at + 2 * step] = a2 + (a3 >> 1);
  values[at + 3 * step] = a5 + (a6 >> 2);
  values[at + 4 * step] = a0 - a1;
  values[at + 5 * step] = a6 - (a5 >> 2);
  values[at + 6 * step] = (a2 >> 1) - a3;
  values[at + 7 * step] = (a4 >> 2) - a7;
}

/** One dimension of the Hadamard transform. */
function hadamard8(values: Int32Array, at: number, step: number): void {
  for (const half of [4, 2, 1]) {
    for (let i = 0; i < 8; i++) {
      if ((i & half) === 0) {
        const a = values[at + i * step];
        const b = values[at + (i + half) * step];
        values[at + i * step] = a + b;
        values[at + (i + half) * step] = a - b;
      }
    }
  }
}

/** The kernels with 8x8 blocks on typed-array views of `memory`. */
export function createReferenceTransform8x8(
  memory: WebAssembly.Memory,
): Pick<AnalysisKernels, 'quantizeBlock8x8' | 'satd8x8'> {
  const bytes = new Uint8Array(memory.buffer);
  const words = new Int16Array(memory.buffer);
  const unsigned = new Uint16Array(memory.buffer);
  const longs = new Int32Array(memory.buffer);
  const residual = new Int32Array(64);

  const difference = (a: number, aStride: number, b: number, bStride: number): void => {
    for (let i = 0; i < 64; i++) {
      residual[i] = bytes[a + (i >> 3) * aStride + (i & 7)] - bytes[b + (i >> 3) * bStride + (i & 7)];
    }
  };

  const both = (pass: (values: Int32Array, at: number, step: number) => void): void => {
    for (let i = 0; i < 8; i++) {
      pass(residual, i, 8);
    }
    for (let i = 0; i < 8; i++) {
      pass(residual, 8 * i, 1);
    }
  };

  return {
    satd8x8(width, height, a, aStride, b, bStride) {
      let sum = 0;
      for (let y = 0; y < height; y += 8) {
        for (let x = 0; x < width; x += 8) {
          difference(a + y * aStride + x, aStride, b + y * bStride + x, bStride);
          both(hadamard8);
          sum += (residual.reduce((total, value) => total + abs(value), 0) + 2) >> 2;
        }
      }
      return sum;
    },

    quantizeBlock8x8(src, srcStride, prediction, predictionStride, quantiser, levels, coefficients, masks) {
      difference(src, srcStride, prediction, predictionStride);
      both(forward8);
      const offset = longs[(quantiser + 256) >> 2];
      const shift = longs[(quantiser + 260) >> 2];
      const found = [0, 0];
      let isBig = 0;
      for (let i = 0; i < 64; i++) {
        const raster = ZIGZAG_8X8[i];
        const value = residual[raster];
        const magnitude = min(MAX_LEVEL, (abs(value) * unsigned[(quantiser >> 1) + raster] + offset) >>> shift);
        const level = value < 0 ? -magnitude : magnitude;
        residual[raster] = level;
        if (level !== 0) {
          words[(levels >> 1) + i] = level;
          found[i >> 5] |= 1 << (i & 31);
          isBig |= magnitude > 1 ? 1 : 0;
        }
      }
      longs[masks >> 2] = found[0];
      longs[(masks >> 2) + 1] = found[1];
      if ((found[0] | found[1]) === 0) {
        return 0;
      }
      longs[(masks >> 2) + 2] = isBig;
      for (let raster = 0; raster < 64; raster++) {
        const scaled = (residual[raster] * words[((quantiser + 128) >> 1) + raster] + 2) >> 2;
        words[(coefficients >> 1) + raster] = max(-32768, min(32767, scaled));
      }
      return 1;
    },
  };
}
