// The reference implementation of the analysis kernels: what each is, in plain TypeScript on typed-array views. The SIMD kernels are
// tested against it, and `--kernels reference` runs the whole encoder on it. Called by encoder-kernels.ts.

import { ZIGZAG_4X4 } from '../tables/transform.generated.ts';
import {
  type BasicAnalysisKernels,
  HALF_CENTRE,
  HALF_HORIZONTAL,
  HALF_STRIDE,
  HALF_VERTICAL,
  INTRA_4X4_NEEDS,
  MAX_LEVEL,
} from './analysis-kernels.ts';
import type { IntraKernels, Pointer } from './kernels.ts';
import { createReferenceTransform8x8 } from './reference-transform-8x8.ts';

const { abs, floor } = Math;

const lumaBlockX = (k: number): number => ((k & 1) << 2) | ((k & 4) << 1);
const lumaBlockY = (k: number): number => ((k & 2) << 1) | (k & 8);
const wrap16 = (value: number): number => (value << 16) >> 16;
const clip1 = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);
const tap6 = (e: number, f: number, g: number, h: number, i: number, j: number): number =>
  e - 5 * f + 20 * g + 20 * h - 5 * i + j;

/** The analysis kernels on typed-array views of `memory`; `intra` predicts for intra4x4Costs. */
export function createReferenceAnalysisKernels(memory: WebAssembly.Memory, intra: IntraKernels): BasicAnalysisKernels {
  const bytes = new Uint8Array(memory.buffer);
  const words = new Int16Array(memory.buffer);
  const unsigned = new Uint16Array(memory.buffer);
  const longs = new Int32Array(memory.buffer);
  const residual = new Int32Array(16);
  const average = new Int32Array(256);
  const dc = new Int32Array(16);
  const scanned = new Int16Array(16);

  const sad: BasicAnalysisKernels['sad'] = (width, height, a, aStride, b, bStride) => {
    let sum = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        sum += abs(bytes[a + y * aStride + x] - bytes[b + y * bStride + x]);
      }
    }
    return sum;
  };

  /** Absolute sum of the 4x4 Hadamard transform of `residual`. */
  const hadamardSum = (): number => {
    for (let i = 0; i < 16; i += 4) {
      const s01 = residual[i] + residual[i + 1];
      const d01 = residual[i] - residual[i + 1];
      const s23 = residual[i + 2] + residual[i + 3];
      const d23 = residual[i + 2] - residual[i + 3];
      residual[i] = s01 + s23;
      residual[i + 1] = s01 - s23;
      residual[i + 2] = d01 + d23;
      residual[i + 3] = d01 - d23;
    }
    let sum = 0;
    for (let i = 0; i < 4; i++) {
      const s01 = residual[i] + residual[i + 4];
      const d01 = residual[i] - residual[i + 4];
      const s23 = residual[i + 8] + residual[i + 12];
      const d23 = residual[i + 8] - residual[i + 12];
      sum += abs(s01 + s23) + abs(s01 - s23) + abs(d01 + d23) + abs(d01 - d23);
    }
    return sum;
  };

  const satd: BasicAnalysisKernels['satd'] = (width, height, a, aStride, b, bStride) => {
    let sum = 0;
    for (let y = 0; y < height; y += 4) {
      for (let x = 0; x < width; x += 4) {
        for (let i = 0; i < 16; i++) {
          const row = y + (i >> 2);
          const column = x + (i & 3);
          residual[i] = bytes[a + row * aStride + column] - bytes[b + row * bStride + column];
        }
        sum += hadamardSum();
      }
    }
    return sum >> 1;
  };

  const satdOfAverage: BasicAnalysisKernels['satdOfAverage'] = (width, height, a, aStride, b, bStride, c, cStride) => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        average[y * 16 + x] = (bytes[b + y * bStride + x] + bytes[c + y * cStride + x] + 1) >> 1;
      }
    }
    let sum = 0;
    for (let y = 0; y < height; y += 4) {
      for (let x = 0; x < width; x += 4) {
        for (let i = 0; i < 16; i++) {
          const row = y + (i >> 2);
          const column = x + (i & 3);
          residual[i] = bytes[a + row * aStride + column] - average[row * 16 + column];
        }
        sum += hadamardSum();
      }
    }
    return sum >> 1;
  };

  /** residual = forward 4x4 core transform of src - prediction, raster order. */
  const forward4x4 = (src: Pointer, srcStride: number, prediction: Pointer, predictionStride: number): void => {
    for (let y = 0; y < 4; y++) {
      const s = src + y * srcStride;
      const p = prediction + y * predictionStride;
      const d0 = bytes[s] - bytes[p];
      const d1 = bytes[s + 1] - bytes[p + 1];
      const d2 = bytes[s + 2] - bytes[p + 2];
      const d3 = bytes[s + 3] - bytes[p + 3];
      const s03 = d0 + d3;
      const s12 = d1 + d2;
      const d03 = d0 - d3;
      const d12 = d1 - d2;
      residual[4 * y] = s03 + s12;
      residual[4 * y + 1] = 2 * d03 + d12;
      residual[4 * y + 2] = s03 - s12;
      residual[4 * y + 3] = d03 - 2 * d12;
    }
    for (let x = 0; x < 4; x++) {
      const s03 = residual[x] + residual[x + 12];
      const s12 = residual[x + 4] + residual[x + 8];
      const d03 = residual[x] - residual[x + 12];
      const d12 = residual[x + 4] - residual[x + 8];
      residual[x] = s03 + s12;
      residual[x + 4] = 2 * d03 + d12;
      residual[x + 8] = s03 - s12;
      residual[x + 12] = d03 - 2 * d12;
    }
  };

  const quantize = (coefficient: number, multiplier: number, offset: number, shift: number): number => {
    let level = (abs(coefficient) * multiplier + offset) >>> shift;
    if (level > MAX_LEVEL) {
      level = MAX_LEVEL;
    }
    return coefficient < 0 ? -level : level;
  };

  /**
   * Quantises `residual` from scan position `first` on: levels start at `levels`, scaled coefficients of those positions go to
   * `coefficients`. Returns the mask.
   */
  const quantizeResidual = (quantiser: Pointer, levels: Pointer, coefficients: Pointer, first: number): number => {
    const offset = longs[(quantiser + 64) >> 2];
    const shift = longs[(quantiser + 68) >> 2];
    let mask = 0;
    for (let i = first; i < 16; i++) {
      const raster = ZIGZAG_4X4[i];
      const level = quantize(residual[raster], unsigned[(quantiser >> 1) + raster], offset, shift);
      scanned[i - first] = level;
      if (level !== 0) {
        mask |= 1 << (i - first);
        if (level > 1 || level < -1) {
          mask |= 0x10000 << (i - first);
        }
      }
    }
    if (mask === 0 && first === 0) {
      return 0;
    }
    scanned[15] = first === 1 ? 0 : scanned[15];
    words.set(scanned, levels >> 1);
    for (let i = first; i < 16; i++) {
      const raster = ZIGZAG_4X4[i];
      words[(coefficients >> 1) + raster] = wrap16(scanned[i - first] * words[((quantiser + 32) >> 1) + raster]);
    }
    return mask;
  };

  /** Quantises the first `count` values of `dc` (in list order) into `levels`, dc becomes the levels. Returns the mask. */
  const quantizeDc = (quantiser: Pointer, levels: Pointer, count: number): number => {
    const offset = longs[(quantiser + 72) >> 2];
    const shift = longs[(quantiser + 68) >> 2] + 1;
    let mask = 0;
    for (let i = 0; i < count; i++) {
      const level = quantize(dc[i], unsigned[quantiser >> 1], offset, shift);
      dc[i] = level;
      words[(levels >> 1) + i] = level;
      if (level !== 0) {
        mask |= level > 1 || level < -1 ? 0x10001 << i : 1 << i;
      }
    }
    return mask;
  };

  /** In place 4x4 Hadamard transform of `dc` in raster order. */
  const hadamard4x4 = (): void => {
    for (let pass = 0; pass < 2; pass++) {
      const step = pass === 0 ? 1 : 4;
      for (let i = 0; i < 4; i++) {
        const at = pass === 0 ? 4 * i : i;
        const s01 = dc[at] + dc[at + step];
        const d01 = dc[at] - dc[at + step];
        const s23 = dc[at + 2 * step] + dc[at + 3 * step];
        const d23 = dc[at + 2 * step] - dc[at + 3 * step];
        dc[at] = s01 + s23;
        dc[at + step] = s01 - s23;
        dc[at + 2 * step] = d01 - d23;
        dc[at + 3 * step] = d01 + d23;
      }
    }
  };

  const quantizeBlock: BasicAnalysisKernels['quantizeBlock'] = (
    src,
    srcStride,
    prediction,
    predictionStride,
    quantiser,
    levels,
    coefficients,
  ) => {
    forward4x4(src, srcStride, prediction, predictionStride);
    return quantizeResidual(quantiser, levels, coefficients, 0);
  };

  return {
    sad,

    sad4(width, height, a, aStride, b0, b1, b2, b3, bStride, out) {
      longs[out >> 2] = sad(width, height, a, aStride, b0, bStride);
      longs[(out >> 2) + 1] = sad(width, height, a, aStride, b1, bStride);
      longs[(out >> 2) + 2] = sad(width, height, a, aStride, b2, bStride);
      longs[(out >> 2) + 3] = sad(width, height, a, aStride, b3, bStride);
    },

    satd,
    satdOfAverage,

    ...createReferenceTransform8x8(memory),

    ssd(width, height, a, aStride, b, bStride) {
      let sum = 0;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const difference = bytes[a + y * aStride + x] - bytes[b + y * bStride + x];
          sum += difference * difference;
        }
      }
      return sum;
    },

    macroblockActivity(plane, stride, mbWidth, mbHeight, out) {
      for (let mb = 0; mb < mbWidth * mbHeight; mb++) {
        const at = plane + 16 * floor(mb / mbWidth) * stride + 16 * (mb % mbWidth);
        let sum = 0;
        let squares = 0;
        for (let y = 0; y < 16; y++) {
          for (let x = 0; x < 16; x++) {
            const value = bytes[at + y * stride + x];
            sum += value;
            squares += value * value;
          }
        }
        longs[(out >> 2) + 2 * mb] = sum;
        longs[(out >> 2) + 2 * mb + 1] = squares - ((sum * sum) >>> 8);
      }
    },

    equalNeighbours(plane, stride, mbWidth, mbHeight, out) {
      for (let mb = 0; mb < mbWidth * mbHeight; mb++) {
        const at = plane + 16 * floor(mb / mbWidth) * stride + 16 * (mb % mbWidth);
        let count = 0;
        for (let y = 0; y < 16; y++) {
          for (let x = 0; x < 16; x++) {
            count += bytes[at + y * stride + x] === bytes[at + y * stride + x + 1] ? 1 : 0;
          }
        }
        longs[(out >> 2) + mb] = count;
      }
    },

    interpolateHalfSamples(dst, src, srcStride, width, height) {
      const rowTap = (at: Pointer): number =>
        tap6(bytes[at - 2], bytes[at - 1], bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
      for (let y = -1; y <= height; y++) {
        for (let x = -1; x < width + 7; x++) {
          const at = src + y * srcStride + x;
          const to = dst + (y + 1) * HALF_STRIDE + x + 1;
          bytes[to + HALF_HORIZONTAL] = clip1((rowTap(at) + 16) >> 5);
          if (y === height) {
            continue;
          }
          const vertical = tap6(
            bytes[at - 2 * srcStride],
            bytes[at - srcStride],
            bytes[at],
            bytes[at + srcStride],
            bytes[at + 2 * srcStride],
            bytes[at + 3 * srcStride],
          );
          bytes[to + HALF_VERTICAL] = clip1((vertical + 16) >> 5);
          const centre = tap6(
            rowTap(at - 2 * srcStride),
            rowTap(at - srcStride),
            rowTap(at),
            rowTap(at + srcStride),
            rowTap(at + 2 * srcStride),
            rowTap(at + 3 * srcStride),
          );
          bytes[to + HALF_CENTRE] = clip1((centre + 512) >> 10);
        }
      }
    },

    quantizeLuma(src, srcStride, prediction, predictionStride, quantiser, levels, coefficients, masks) {
      let coded = 0;
      for (let k = 0; k < 16; k++) {
        const x = lumaBlockX(k);
        const y = lumaBlockY(k);
        const mask = quantizeBlock(
          src + y * srcStride + x,
          srcStride,
          prediction + y * predictionStride + x,
          predictionStride,
          quantiser,
          levels + 32 * k,
          coefficients + 32 * k,
        );
        longs[(masks >> 2) + k] = mask;
        if (mask !== 0) {
          coded |= 1 << k;
        }
      }
      return coded;
    },

    quantizeBlock,

    quantizeIntra16x16(src, srcStride, prediction, predictionStride, quantiser, levels, coefficients, masks) {
      let coded = 0;
      const first = coefficients >> 1;
      for (let k = 0; k < 16; k++) {
        const x = lumaBlockX(k);
        const y = lumaBlockY(k);
        forward4x4(src + y * srcStride + x, srcStride, prediction + y * predictionStride + x, predictionStride);
        words[first + 16 * k] = residual[0];
        const mask = quantizeResidual(quantiser, levels + 32 + 32 * k, coefficients + 32 * k, 1);
        longs[(masks >> 2) + 1 + k] = mask;
        if (mask !== 0) {
          coded |= 1 << k;
        }
      }
      for (let k = 0; k < 16; k++) {
        dc[lumaBlockY(k) + (lumaBlockX(k) >> 2)] = words[first + 16 * k];
      }
      hadamard4x4();
      for (let i = 0; i < 16; i++) {
        residual[i] = (dc[i] + 1) >> 1;
      }
      for (let i = 0; i < 16; i++) {
        dc[i] = residual[ZIGZAG_4X4[i]];
      }
      const dcMask = quantizeDc(quantiser, levels, 16);
      longs[masks >> 2] = dcMask;
      for (let i = 0; i < 16; i++) {
        residual[ZIGZAG_4X4[i]] = dc[i];
      }
      for (let i = 0; i < 16; i++) {
        dc[i] = residual[i];
      }
      hadamard4x4();
      // 8.5.10: (f * LevelScale + rounding) >> 6 with LevelScale = 16 * normAdjust << qP / 6: the factor at +32 is normAdjust << qP / 6.
      const scale = words[(quantiser + 32) >> 1];
      for (let k = 0; k < 16; k++) {
        const f = dc[lumaBlockY(k) + (lumaBlockX(k) >> 2)];
        words[first + 16 * k] = (f * scale + 2) >> 2;
      }
      return dcMask !== 0 ? coded | 0x10000 : coded;
    },

    quantizeChroma(src, srcStride, prediction, predictionStride, quantiser, levels, coefficients, masks) {
      let coded = 0;
      const first = coefficients >> 1;
      for (let k = 0; k < 4; k++) {
        const x = (k & 1) << 2;
        const y = (k & 2) << 1;
        forward4x4(src + y * srcStride + x, srcStride, prediction + y * predictionStride + x, predictionStride);
        words[first + 16 * k] = residual[0];
        const mask = quantizeResidual(quantiser, levels + 32 + 32 * k, coefficients + 32 * k, 1);
        longs[(masks >> 2) + 1 + k] = mask;
        if (mask !== 0) {
          coded |= 1 << k;
        }
      }
      const c0 = words[first];
      const c1 = words[first + 16];
      const c2 = words[first + 32];
      const c3 = words[first + 48];
      dc[0] = c0 + c1 + c2 + c3;
      dc[1] = c0 - c1 + c2 - c3;
      dc[2] = c0 + c1 - c2 - c3;
      dc[3] = c0 - c1 - c2 + c3;
      const dcMask = quantizeDc(quantiser, levels, 4);
      longs[masks >> 2] = dcMask;
      // 8.5.11.2: ((f * LevelScale) << qP / 6) >> 5, LevelScale = 16 * normAdjust.
      const scale = words[(quantiser + 32) >> 1];
      words[first] = ((dc[0] + dc[1] + dc[2] + dc[3]) * scale) >> 1;
      words[first + 16] = ((dc[0] - dc[1] + dc[2] - dc[3]) * scale) >> 1;
      words[first + 32] = ((dc[0] + dc[1] - dc[2] - dc[3]) * scale) >> 1;
      words[first + 48] = ((dc[0] - dc[1] - dc[2] + dc[3]) * scale) >> 1;
      return dcMask !== 0 ? coded | 16 : coded;
    },

    intra4x4Costs(src, srcStride, dst, dstStride, available, out) {
      const rows = [0, 1, 2, 3].map((y) => bytes.slice(dst + y * dstStride, dst + y * dstStride + 4));
      for (let mode = 0; mode < 9; mode++) {
        const needs = INTRA_4X4_NEEDS[mode];
        if ((available & needs) !== needs) {
          longs[(out >> 2) + mode] = 0x7fffffff;
          continue;
        }
        intra.predictIntra4x4(dst, dstStride, mode, available);
        longs[(out >> 2) + mode] = satd(4, 4, src, srcStride, dst, dstStride);
      }
      rows.forEach((row, y) => bytes.set(row, dst + y * dstStride));
    },

    padPlane(plane, stride, width, height, border) {
      for (let y = 0; y < height; y++) {
        const row = plane + y * stride;
        bytes.fill(bytes[row], row - border, row);
        bytes.fill(bytes[row + width - 1], row + width, row + width + border);
      }
      const span = width + 2 * border;
      for (let y = 1; y <= border; y++) {
        bytes.copyWithin(plane - border - y * stride, plane - border, plane - border + span);
        const last = plane - border + (height - 1) * stride;
        bytes.copyWithin(last + y * stride, last, last + span);
      }
    },
  };
}
