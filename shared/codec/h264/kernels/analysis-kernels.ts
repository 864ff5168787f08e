// The encoder's kernels: block differences, half-sample planes around a vector, forward transform with quantisation, intra cost and
// plane padding. This file holds the table; reference-analysis-kernels.ts the plain TypeScript reference, assembly/ the SIMD twins.
//
// Blocks are `width` x `height` samples with width 4, 8 or 16. Levels are written in zig-zag scan order (8.5.6), scaled coefficients in
// raster order, ready for the inverse transforms. luma4x4BlkIdx order is that of 6.4.3. Called by shared/codec/h264/encoder.

import type { GridKernels } from './grid-kernels.ts';
import type { Pointer } from './kernels.ts';
import type { MotionKernels } from './motion-kernels.ts';

/** Row pitch of the planes that interpolateHalfSamples writes. */
export const HALF_STRIDE = 32;
/** Byte offsets of the three planes in its output; sample (x, y) of a plane is at plane + (y + 1) * HALF_STRIDE + x + 1. */
export const HALF_HORIZONTAL = 0;
export const HALF_VERTICAL = 576;
export const HALF_CENTRE = 1152;
export const HALF_BYTES = 1728;

/** Largest level magnitude that CAVLC can write in every profile (9.2.2.1 with level_prefix 15). */
export const MAX_LEVEL = 2063;

/**
 * A quantiser as the kernels read it: 16 multipliers (Uint16, raster) at +0, 16 scaling factors (Int16, raster) at +32, then Uint32
 * values: the rounding offset at +64, the shift at +68, the rounding offset of DC blocks at +72; at +80 16 thresholds (Int16, raster): the
 * largest magnitude that becomes level 0.
 */
export const QUANTISER_BYTES = 112;
/** The 8x8 quantiser: 64 multipliers at +0, 64 scaling factors (Int16) at +128, rounding offset at +256, shift at +260. */
export const QUANTISER_8X8_BYTES = 272;

/** The single steps, which the reference of the compound kernels calls. */
export type BasicAnalysisKernels = Omit<AnalysisKernels, keyof GridKernels | keyof MotionKernels>;

/** What the encoder needs beside the reconstruction kernels. Sums are exact 32-bit integers. */
export interface AnalysisKernels extends GridKernels, MotionKernels {
  /** Sum of absolute differences. */
  sad(width: number, height: number, a: Pointer, aStride: number, b: Pointer, bStride: number): number;
  /** Four sums at once against b0..b3, written as Int32 to `out`. */
  sad4(
    width: number,
    height: number,
    a: Pointer,
    aStride: number,
    b0: Pointer,
    b1: Pointer,
    b2: Pointer,
    b3: Pointer,
    bStride: number,
    out: Pointer,
  ): void;
  /** Half the sum of absolute 4x4 Hadamard-transformed differences. */
  satd(width: number, height: number, a: Pointer, aStride: number, b: Pointer, bStride: number): number;
  /** satd of `a` against (b + c + 1) >> 1. */
  satdOfAverage(
    width: number,
    height: number,
    a: Pointer,
    aStride: number,
    b: Pointer,
    bStride: number,
    c: Pointer,
    cStride: number,
  ): number;
  /** Sum of squared differences. */
  ssd(width: number, height: number, a: Pointer, aStride: number, b: Pointer, bStride: number): number;
  /**
   * Two Int32 per macroblock of a plane, in raster order: the sum of its samples, and its energy (256 times the variance: sum of squares
   * minus squared sum / 256, rounded up).
   */
  macroblockActivity(plane: Pointer, stride: number, mbWidth: number, mbHeight: number, out: Pointer): void;
  /** One Int32 per macroblock of a plane: how many of its 256 samples equal the sample to their right. Reads one sample past the plane. */
  equalNeighbours(plane: Pointer, stride: number, mbWidth: number, mbHeight: number, out: Pointer): void;
  /**
   * The half-sample planes b, h and j (8.4.2.2.1) around the block at `src`: columns x -1..width+6 in all, rows y -1..height of the
   * horizontal ones, -1..height-1 of the vertical and centre ones. width is 8 or 16. Reads 3 samples left and above, width + 10 right
   * and height + 3 below.
   */
  interpolateHalfSamples(dst: Pointer, src: Pointer, srcStride: number, width: number, height: number): void;
  /**
   * Residual of a 16x16 luma macroblock, transformed (8.5.12 inverse), quantised and scaled: block k has its levels at
   * levels + 32 * k, its scaled coefficients at coefficients + 32 * k (both untouched when all levels are 0), and at masks + 4 * k a Uint32:
   * bit i: level i is not 0, bit 16 + i: its magnitude is above 1. Returns bit k for each block with levels.
   */
  quantizeLuma(
    src: Pointer,
    srcStride: number,
    prediction: Pointer,
    predictionStride: number,
    quantiser: Pointer,
    levels: Pointer,
    coefficients: Pointer,
    masks: Pointer,
  ): number;
  /** The same for one 4x4 block. Returns its mask. */
  quantizeBlock(
    src: Pointer,
    srcStride: number,
    prediction: Pointer,
    predictionStride: number,
    quantiser: Pointer,
    levels: Pointer,
    coefficients: Pointer,
  ): number;
  /**
   * One 8x8 luma block: the levels that are not 0 at levels + 2 * (place in the scan of Figure 8-10), the others untouched; 64 scaled coefficients
   * at `coefficients` (undefined without levels); at masks a Uint64 with bit i for level i, and, when there are levels, a Uint32: 1 when
   * one is above 1 in magnitude. Returns 1 when there are levels. The quantiser has QUANTISER_8X8_BYTES.
   */
  quantizeBlock8x8(
    src: Pointer,
    srcStride: number,
    prediction: Pointer,
    predictionStride: number,
    quantiser: Pointer,
    levels: Pointer,
    coefficients: Pointer,
    masks: Pointer,
  ): number;
  /** A quarter of the sum of absolute 8x8 Hadamard-transformed differences, on the scale of satd. Sizes are multiples of 8. */
  satd8x8(width: number, height: number, a: Pointer, aStride: number, b: Pointer, bStride: number): number;
  /**
   * Intra16x16: DC levels at levels (mask at masks), the 15 AC levels (and a 0) of block k at levels + 32 + 32 * k (mask at masks + 4 + 4 * k). All scaled
   * coefficients are written, each block's DC after the DC transform. Returns bit k for each block with AC levels, bit 16 for DC.
   */
  quantizeIntra16x16(
    src: Pointer,
    srcStride: number,
    prediction: Pointer,
    predictionStride: number,
    quantiser: Pointer,
    levels: Pointer,
    coefficients: Pointer,
    masks: Pointer,
  ): number;
  /** The same for one 8x8 chroma block (4 blocks in raster order, 4 DC levels). Returns bit k for AC of block k, bit 4 when any DC level is not 0. */
  quantizeChroma(
    src: Pointer,
    srcStride: number,
    prediction: Pointer,
    predictionStride: number,
    quantiser: Pointer,
    levels: Pointer,
    coefficients: Pointer,
    masks: Pointer,
  ): number;
  /**
   * satd of the 4x4 block at `src` against each Intra4x4PredMode 0..8 that `available` permits, as Int32 at out + 4 * mode; other modes
   * get 0x7fffffff. Neighbours are those of the block at `dst`.
   */
  intra4x4Costs(
    src: Pointer,
    srcStride: number,
    dst: Pointer,
    dstStride: number,
    available: number,
    out: Pointer,
  ): void;
  /** Repeats the edge samples of a width x height plane into `border` samples on each side, `border` a multiple of 16. */
  padPlane(plane: Pointer, stride: number, width: number, height: number, border: number): void;
}

/** Neighbours that each Intra4x4PredMode or Intra8x8PredMode cannot do without (Tables 8-2, 8-3): bits of AVAILABLE_*. DC needs none. */
export const INTRA_4X4_NEEDS = [2, 1, 0, 2, 11, 11, 11, 2, 1] as const;
