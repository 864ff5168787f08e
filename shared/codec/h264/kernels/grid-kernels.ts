// Kernels that walk a row of the encoder's macroblock grid (macroblock/coding-grid.ts): boundary strengths for deblocking, and runs of
// P_Skip. This file holds the tables of parameters and the plain TypeScript reference; assembly/grid-strengths.ts and
// assembly/skip-run.ts are the SIMD twins. Called by encoder/reconstruction-filter.ts and encoder/skip-run.ts.

import type { AnalysisKernels } from './analysis-kernels.ts';
import type { Pointer, ReconstructionKernels } from './kernels.ts';
import { DEBLOCK_RECORD_BYTES } from './row-deblock-kernels.ts';

const { clz32 } = Math;

/** What gridStrengths reads, as Int32 in this order. */
export const GRID_STRENGTH_PARAMETERS = [
  'records', // pointer to the row's records, row-deblock-kernels.ts
  'macroblocks', // macroblocks of a row
  'row', // the row, 0 at the top of the picture
  'stride', // cells per grid row
  'mv', // pointers to the grid's arrays
  'ref',
  'count',
  'kind', // from FIRST_INTRA_KIND on: intra
  'qp',
  'transform8x8',
  'hasInnerEdges', // 0: the macroblock has one vector, one reference and no luma levels
  'chromaQp', // Uint8 x 52: QPc by QPY
  'offsetA', // FilterOffsetA, FilterOffsetB
  'offsetB',
] as const;
export const GRID_STRENGTH_BYTES = 4 * GRID_STRENGTH_PARAMETERS.length;

/** Values of `kind` from here on are intra (coding-state.ts). */
const FIRST_INTRA_KIND = 2;

/** What skipRun reads and, at the end, writes, as Int32 in this order. */
export const SKIP_RUN_PARAMETERS = [
  'limit', // macroblocks to try, at least 1, within one row
  'x', // the first of them, in macroblocks
  'y',
  'hasTop', // 1: the row above belongs to the same slice
  'cell', // its grid cells and address
  'chromaCell',
  'address',
  'stride', // cells per grid row
  'chromaStride',
  'mv', // pointers to the grid's arrays
  'ref',
  'count',
  'intraMode',
  'countU',
  'countV',
  'kind',
  'qp',
  'cbp',
  'transform8x8',
  'chromaMode',
  'hasInnerEdges',
  'slice',
  'sourceY', // planes: pointers to sample (0, 0)
  'sourceU',
  'sourceV',
  'sourceStrideY',
  'sourceStrideC',
  'targetY',
  'targetU',
  'targetV',
  'referenceY',
  'referenceU',
  'referenceV',
  'strideY', // of target and reference
  'strideC',
  'minX', // where the macroblock of 16x16 samples may lie in the reference, full samples
  'maxX',
  'minY',
  'maxY',
  'verticalLimit', // quarter samples: -limit <= vertical vector < limit
  'sadLimit', // a luma difference above it is no candidate
  'quantiser', // of luma
  'chromaQuantiser',
  'levels', // 256 Int16 of luma, then scratch for one chroma plane: 80 Int16
  'coefficients', // 256 Int16 of luma, then scratch for one chroma plane: 64 Int16
  'masks', // 16 Uint32 of luma, then scratch for one chroma plane: 5 Uint32
  'QPY', // that skipped macroblocks inherit
  'sliceIndex',
  'skipMv', // result: the vector of P_Skip of the macroblock that was not skipped
  'coded', // result: its luma blocks worth coding with that vector, or -1: not known
] as const;
export const SKIP_RUN_BYTES = 4 * SKIP_RUN_PARAMETERS.length;

/** Index of a parameter. */
export const skipRunIndex = (name: (typeof SKIP_RUN_PARAMETERS)[number]): number => SKIP_RUN_PARAMETERS.indexOf(name);

export interface GridKernels {
  /** Fills the deblocking records of one macroblock row (8.7.2.1), progressive P and I pictures, filtering across slices. */
  gridStrengths(parameters: Pointer): void;
  /**
   * Codes macroblocks of a row from left to right as P_Skip while that is good enough: the prediction of P_Skip (8.4.1.1) is within sadLimit and no
   * level of luma or chroma is worth coding. Prediction, grid and per-macroblock arrays of those are then complete. Returns how many; when fewer
   * than the limit, skipMv and coded describe the next one, whose luma prediction, levels, coefficients and masks stand where `coded` is not -1.
   */
  skipRun(parameters: Pointer): number;
}

/**
 * What a lone level of magnitude 1 is worth, by the number of zeros before it in scan order: such levels cost bits and
 * change little. A block with a larger level is always worth keeping.
 */
const LONE_LEVEL_WORTH = [3, 2, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
export const WORTH_KEEPING = 9;
/** An 8x8 luma block below 4, a macroblock's luma below 6, and the AC of a chroma block below 7 are not worth their bits. */
export const MIN_WORTH_8X8 = 4;
export const MIN_WORTH_LUMA = 6;
export const MIN_WORTH_CHROMA = 7;

/** Worth of a block from its mask (bits 0..15 levels, bits 16..31 magnitude above 1). */
export function worthOf(mask: number): number {
  if (mask >>> 16 !== 0) {
    return WORTH_KEEPING;
  }
  let worth = 0;
  let rest = mask;
  while (rest !== 0) {
    const position = 31 - clz32(rest);
    rest ^= 1 << position;
    worth += LONE_LEVEL_WORTH[rest === 0 ? position : position - 32 + clz32(rest)];
  }
  return worth;
}

/** The 4x4 luma blocks of `coded` that are worth their bits, whole 8x8 blocks; `masks` is the index of the first mask in `longs`. */
export function lumaWorthCoding(coded: number, longs: Int32Array, masks: number): number {
  let kept = coded;
  let total = 0;
  for (let q = 0; q < 4; q++) {
    if (((coded >> (4 * q)) & 15) === 0) {
      continue;
    }
    let worth = 0;
    for (let k = masks + 4 * q; k < masks + 4 * q + 4 && worth < WORTH_KEEPING; k++) {
      worth += worthOf(longs[k]);
    }
    if (worth < MIN_WORTH_8X8) {
      kept &= ~(15 << (4 * q));
    }
    total += worth;
  }
  return total < MIN_WORTH_LUMA ? 0 : kept;
}

const median = (a: number, b: number, c: number): number =>
  a > b ? (b > c ? b : a > c ? c : a) : a > c ? a : b > c ? c : b;

const REF_UNAVAILABLE = -2;

/** The grid kernels on typed-array views of `memory`, built from the other reference kernels. */
export function createReferenceGridKernels(
  memory: WebAssembly.Memory,
  kernels: ReconstructionKernels & AnalysisKernels,
): GridKernels {
  const bytes = new Uint8Array(memory.buffer);
  const signed = new Int8Array(memory.buffer);
  const halves = new Uint16Array(memory.buffer);
  const longs = new Int32Array(memory.buffer);

  const strengthParameters = (parameters: Pointer) =>
    Object.fromEntries(GRID_STRENGTH_PARAMETERS.map((name, i) => [name, longs[(parameters >> 2) + i]])) as Record<
      (typeof GRID_STRENGTH_PARAMETERS)[number],
      number
    >;
  const skipParameters = (parameters: Pointer) =>
    Object.fromEntries(SKIP_RUN_PARAMETERS.map((name, i) => [name, longs[(parameters >> 2) + i]])) as Record<
      (typeof SKIP_RUN_PARAMETERS)[number],
      number
    >;
  const mvX = (mv: number): number => (mv << 16) >> 16;
  const mvY = (mv: number): number => mv >> 16;

  /** mvLX of P_Skip (8.4.1.1) at `cell`. */
  const skipVector = (p: ReturnType<typeof skipParameters>, cell: number, x: number): number => {
    const ref = (at: number): number => signed[p.ref + at];
    const mv = (at: number): number => longs[(p.mv >> 2) + at];
    const [a, b] = [cell - 1, cell - p.stride];
    if (x === 0 || p.hasTop === 0 || (ref(a) === 0 && mv(a) === 0) || (ref(b) === 0 && mv(b) === 0)) {
      return 0;
    }
    const corner = cell - p.stride + 4;
    const c = ref(corner) === REF_UNAVAILABLE ? cell - p.stride - 1 : corner;
    const matching = [a, b, c].filter((at) => ref(at) === 0);
    if (matching.length === 1) {
      return mv(matching[0]);
    }
    const [va, vb, vc] = [mv(a), mv(b), mv(c)];
    return (median(mvX(va), mvX(vb), mvX(vc)) & 0xffff) | (median(mvY(va), mvY(vb), mvY(vc)) << 16);
  };

  /** Whether a chroma plane of the macroblock at (x, y) has levels worth coding with vector `mv`; its prediction is written. */
  const hasChroma = (
    p: ReturnType<typeof skipParameters>,
    x: number,
    mv: number,
    planes: readonly [source: Pointer, target: Pointer, reference: Pointer],
  ): boolean => {
    const at = 8 * p.y * p.strideC + 8 * x;
    const target = planes[1] + at;
    const from = planes[2] + at + (mvY(mv) >> 3) * p.strideC + (mvX(mv) >> 3);
    kernels.predictChroma(target, p.strideC, from, p.strideC, 8, 8, mvX(mv) & 7, mvY(mv) & 7);
    const source = planes[0] + 8 * p.y * p.sourceStrideC + 8 * x;
    const masks = p.masks + 64;
    const coded = kernels.quantizeChroma(
      source,
      p.sourceStrideC,
      target,
      p.strideC,
      p.chromaQuantiser,
      p.levels + 512,
      p.coefficients + 512,
      masks,
    );
    let worth = 0;
    for (let k = 1; k <= 4; k++) {
      worth += worthOf(longs[(masks >> 2) + k]);
    }
    return (coded & 16) !== 0 || worth >= MIN_WORTH_CHROMA;
  };

  return {
    gridStrengths(parameters) {
      const p = strengthParameters(parameters);
      const isIntra = (mb: number): boolean => bytes[p.kind + mb] >= FIRST_INTRA_KIND;
      const strength = (q: number, other: number): number => {
        if ((bytes[p.count + q] | bytes[p.count + other]) !== 0) {
          return 2;
        }
        const [a, b] = [longs[(p.mv >> 2) + q], longs[(p.mv >> 2) + other]];
        const [dx, dy] = [mvX(a) - mvX(b), mvY(a) - mvY(b)];
        const isFar = dx >= 4 || dx <= -4 || dy >= 4 || dy <= -4;
        return signed[p.ref + q] !== signed[p.ref + other] || isFar ? 1 : 0;
      };
      for (let x = 0; x < p.macroblocks; x++) {
        const mb = p.row * p.macroblocks + x;
        const record = p.records + DEBLOCK_RECORD_BYTES * x;
        const cell = (4 * p.row + 1) * p.stride + 4 * x + 4;
        bytes.fill(0, record, record + 32);
        for (const [isVertical, has, neighbour] of [
          [true, x > 0, mb - 1],
          [false, p.row > 0, mb - p.macroblocks],
        ] as const) {
          for (let edge = has ? 0 : 1; edge < 4; edge++) {
            if (bytes[p.transform8x8 + mb] !== 0 && (edge & 1) === 1) {
              continue;
            }
            for (let i = 0; i < 4; i++) {
              const q = isVertical ? cell + edge + i * p.stride : cell + edge * p.stride + i;
              const bS =
                edge === 0 && (isIntra(mb) || isIntra(neighbour))
                  ? 4
                  : isIntra(mb)
                    ? 3
                    : strength(q, isVertical ? q - 1 : q - p.stride);
              bytes[record + (isVertical ? 0 : 16) + 4 * edge + i] = bS;
            }
          }
        }
        bytes[record + 32] = p.offsetA;
        bytes[record + 33] = p.offsetB;
        const own = bytes[p.qp + mb];
        const left = x > 0 ? bytes[p.qp + mb - 1] : own;
        const above = p.row > 0 ? bytes[p.qp + mb - p.macroblocks] : own;
        const chroma = (qp: number): number => bytes[p.chromaQp + qp];
        for (const at of [37, 40]) {
          bytes[record + at] = (chroma(own) + chroma(left) + 1) >> 1;
          bytes[record + at + 1] = (chroma(own) + chroma(above) + 1) >> 1;
          bytes[record + at + 2] = chroma(own);
        }
        bytes[record + 34] = (own + left + 1) >> 1;
        bytes[record + 35] = (own + above + 1) >> 1;
        bytes[record + 36] = own;
      }
    },

    skipRun(parameters) {
      const p = skipParameters(parameters);
      const results = (parameters >> 2) + SKIP_RUN_PARAMETERS.length - 2;
      for (let i = 0; i < p.limit; i++) {
        const x = p.x + i;
        const cell = p.cell + 4 * i;
        const mv = skipVector(p, cell, x);
        longs[results] = mv;
        longs[results + 1] = -1;
        const left = 16 * x + (mvX(mv) >> 2);
        const top = 16 * p.y + (mvY(mv) >> 2);
        const isAllowed = left >= p.minX && left <= p.maxX && top >= p.minY && top <= p.maxY;
        if (!isAllowed || mvY(mv) < -p.verticalLimit || mvY(mv) >= p.verticalLimit) {
          return i;
        }
        const target = p.targetY + 16 * p.y * p.strideY + 16 * x;
        const source = p.sourceY + 16 * p.y * p.sourceStrideY + 16 * x;
        const from = p.referenceY + top * p.strideY + left;
        kernels.predictLuma(target, p.strideY, from, p.strideY, 16, 16, mvX(mv) & 3, mvY(mv) & 3);
        if (kernels.sad(16, 16, source, p.sourceStrideY, target, p.strideY) > p.sadLimit) {
          return i;
        }
        const coded = kernels.quantizeLuma(
          source,
          p.sourceStrideY,
          target,
          p.strideY,
          p.quantiser,
          p.levels,
          p.coefficients,
          p.masks,
        );
        longs[results + 1] = lumaWorthCoding(coded, longs, p.masks >> 2);
        if (
          longs[results + 1] !== 0 ||
          hasChroma(p, x, mv, [p.sourceU, p.targetU, p.referenceU]) ||
          hasChroma(p, x, mv, [p.sourceV, p.targetV, p.referenceV])
        ) {
          return i;
        }
        for (let row = 0; row < 4; row++) {
          const at = cell + row * p.stride;
          longs.fill(mv, (p.mv >> 2) + at, (p.mv >> 2) + at + 4);
          signed.fill(0, p.ref + at, p.ref + at + 4);
          bytes.fill(0, p.count + at, p.count + at + 4);
          signed.fill(2, p.intraMode + at, p.intraMode + at + 4);
        }
        for (let row = 0; row < 2; row++) {
          const at = p.chromaCell + 2 * i + row * p.chromaStride;
          bytes.fill(0, p.countU + at, p.countU + at + 2);
          bytes.fill(0, p.countV + at, p.countV + at + 2);
        }
        const address = p.address + i;
        bytes[p.kind + address] = 0;
        bytes[p.qp + address] = p.QPY;
        halves[(p.cbp >> 1) + address] = 0;
        bytes[p.transform8x8 + address] = 0;
        bytes[p.chromaMode + address] = 0;
        bytes[p.hasInnerEdges + address] = 0;
        halves[(p.slice >> 1) + address] = p.sliceIndex;
      }
      return p.limit;
    },
  };
}
