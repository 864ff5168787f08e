// Turns the decision about a macroblock into levels and reconstruction: prediction into the reconstructed picture, forward transform
// and quantisation of what remains, dropping of lone small levels, scaling and inverse transform in place (8.3, 8.4, 8.5).
// Called by mode-decision.ts (trial of P_Skip, Intra_4x4 in place) and slice-encoder.ts.

import type { AnalysisKernels } from '../kernels/analysis-kernels.ts';
import { lumaWorthCoding, MIN_WORTH_CHROMA, MIN_WORTH_LUMA, worthOf } from '../kernels/grid-kernels.ts';
import type { Pointer, ReconstructionKernels } from '../kernels/kernels.ts';
import type { Quantisers } from '../residual/quantisers.ts';
import { chromaQp } from '../residual/quantisers.ts';
import { BLOCK_X_4X4, BLOCK_Y_4X4 } from '../tables/transform.generated.ts';
import {
  LEVELS_LUMA,
  LEVELS_LUMA_DC,
  LEVELS_U_DC,
  LEVELS_V_DC,
  MASK_LUMA,
  MASK_LUMA_DC,
  MASK_U_DC,
  MASK_V_DC,
  type MacroblockState,
} from '../macroblock/coding-state.ts';
import type { EncoderPicture } from './picture-store.ts';

/** All kernels that the encoder calls. */
export type EncoderKernels = ReconstructionKernels & AnalysisKernels;

/** Bits 4q..4q+3 for each bit q: the 4x4 blocks of coded 8x8 blocks. */
export const BLOCKS_OF_8X8 = Uint16Array.from({ length: 16 }, (_, cbp) => {
  let blocks = 0;
  for (let q = 0; q < 4; q++) {
    blocks |= (cbp >> q) & 1 ? 15 << (4 * q) : 0;
  }
  return blocks;
});

/** Residual coding of the current macroblock of `state`. */
export class MacroblockEncoder {
  source!: EncoderPicture;
  target!: EncoderPicture;
  /** chroma_qp_index_offset of the picture parameter set. */
  readonly chromaOffset: number;
  private readonly kernels: EncoderKernels;
  private readonly state: MacroblockState;
  private readonly quantisers: Quantisers;
  private readonly longs: Int32Array;

  constructor(kernels: EncoderKernels, state: MacroblockState, quantisers: Quantisers, chromaOffset: number) {
    this.kernels = kernels;
    this.state = state;
    this.quantisers = quantisers;
    this.chromaOffset = chromaOffset;
    this.longs = state.longs;
  }

  get lumaSource(): Pointer {
    return this.source.y + 16 * this.state.y * this.source.lumaStride + 16 * this.state.x;
  }

  get lumaTarget(): Pointer {
    return this.target.y + 16 * this.state.y * this.target.lumaStride + 16 * this.state.x;
  }

  /** Luma prediction of a width x height block at sample (x, y) of the picture with vector (mvx, mvy), into the reconstruction. */
  predictLuma(
    reference: EncoderPicture,
    x: number,
    y: number,
    width: number,
    height: number,
    mvx: number,
    mvy: number,
  ): void {
    const stride = reference.lumaStride;
    this.kernels.predictLuma(
      this.target.y + y * stride + x,
      stride,
      reference.y + (y + (mvy >> 2)) * stride + x + (mvx >> 2),
      stride,
      width,
      height,
      mvx & 3,
      mvy & 3,
    );
  }

  /** Chroma prediction of the block whose luma is width x height at (x, y). */
  predictChroma(
    reference: EncoderPicture,
    x: number,
    y: number,
    width: number,
    height: number,
    mvx: number,
    mvy: number,
  ): void {
    const stride = reference.chromaStride;
    const at = (y >> 1) * stride + (x >> 1);
    const from = at + (mvy >> 3) * stride + (mvx >> 3);
    const { kernels, target } = this;
    const w = width >> 1;
    const h = height >> 1;
    kernels.predictChroma(target.u + at, stride, reference.u + from, stride, w, h, mvx & 7, mvy & 7);
    kernels.predictChroma(target.v + at, stride, reference.v + from, stride, w, h, mvx & 7, mvy & 7);
  }

  /** Quantises inter luma against the prediction in place; returns the 4x4 blocks worth coding (one bit each, whole 8x8 blocks). */
  quantizeInterLuma(): number {
    const { state, longs, source, target } = this;
    const { masks } = state;
    const coded = this.kernels.quantizeLuma(
      this.lumaSource,
      source.lumaStride,
      this.lumaTarget,
      target.lumaStride,
      this.quantisers.inter(state.QPY),
      state.levels + LEVELS_LUMA,
      state.coefficients,
      masks + 4 * MASK_LUMA,
    );
    return coded === 0 ? 0 : lumaWorthCoding(coded, longs, (masks >> 2) + MASK_LUMA);
  }

  /** Adds the inter luma residual of blocks `coded` to the prediction and writes counts; returns CodedBlockPatternLuma. */
  reconstructInterLuma(coded: number): number {
    if (coded === 0) {
      return 0;
    }
    const { state, target } = this;
    this.kernels.inverseTransformLumaAdd(this.lumaTarget, target.lumaStride, state.coefficients, coded, 0);
    this.writeLumaCounts(coded);
    return (
      ((coded & 0x000f) !== 0 ? 1 : 0) |
      ((coded & 0x00f0) !== 0 ? 2 : 0) |
      ((coded & 0x0f00) !== 0 ? 4 : 0) |
      ((coded & 0xf000) !== 0 ? 8 : 0)
    );
  }

  /** total_coeff of each luma block in `coded`, 0 for the others. Levels of dropped blocks get an empty mask. */
  private writeLumaCounts(coded: number): void {
    const { state, longs } = this;
    const { count, cell, stride } = state;
    const first = (state.masks >> 2) + MASK_LUMA;
    for (let k = 0; k < 16; k++) {
      const at = cell + BLOCK_Y_4X4[k] * stride + BLOCK_X_4X4[k];
      if ((coded >> k) & 1) {
        count[at] = countBits(longs[first + k]);
      } else {
        longs[first + k] = 0;
        count[at] = 0;
      }
    }
  }

  /**
   * Quantises both chroma planes against the prediction in place. Returns CodedBlockPatternChroma; masks of dropped
   * blocks are emptied. `isIntra` chooses the dead zone and keeps small levels.
   */
  quantizeChroma(isIntra: 0 | 1): number {
    const { state } = this;
    const qp = chromaQp(state.QPY, this.chromaOffset);
    const quantiser = isIntra === 1 ? this.quantisers.intra(qp) : this.quantisers.inter(qp);
    const offset = 8 * state.y * this.target.chromaStride + 8 * state.x;
    const from = 8 * state.y * this.source.chromaStride + 8 * state.x;
    const u = this.quantizeChromaPlane(this.source.u + from, this.target.u + offset, quantiser, 0);
    const v = this.quantizeChromaPlane(this.source.v + from, this.target.v + offset, quantiser, 1);
    this.chromaCoded = u | (v << 8);
    const both = u | v;
    return (both & 15) !== 0 ? 2 : both !== 0 ? 1 : 0;
  }

  /** Result of the last quantizeChroma: bits 0..3 AC blocks, bit 4 DC of U; the same of V from bit 8. */
  private chromaCoded = 0;

  private quantizeChromaPlane(source: Pointer, target: Pointer, quantiser: Pointer, plane: 0 | 1): number {
    const { state, longs } = this;
    const masks = state.masks + 4 * (plane === 0 ? MASK_U_DC : MASK_V_DC);
    const coded = this.kernels.quantizeChroma(
      source,
      this.source.chromaStride,
      target,
      this.target.chromaStride,
      quantiser,
      state.levels + (plane === 0 ? LEVELS_U_DC : LEVELS_V_DC),
      state.coefficients + 512 + 128 * plane,
      masks,
    );
    if ((coded & 15) === 0) {
      return coded;
    }
    const first = (masks >> 2) + 1;
    const worth =
      worthOf(longs[first]) + worthOf(longs[first + 1]) + worthOf(longs[first + 2]) + worthOf(longs[first + 3]);
    if (worth < MIN_WORTH_CHROMA) {
      longs[first] = 0;
      longs[first + 1] = 0;
      longs[first + 2] = 0;
      longs[first + 3] = 0;
      return coded & 16;
    }
    return coded;
  }

  /** Adds the chroma residual found by quantizeChroma and writes counts. */
  reconstructChroma(): void {
    const { state, target, chromaCoded } = this;
    const offset = 8 * state.y * target.chromaStride + 8 * state.x;
    this.reconstructChromaPlane(target.u + offset, chromaCoded & 31, 0);
    this.reconstructChromaPlane(target.v + offset, chromaCoded >> 8, 1);
  }

  private reconstructChromaPlane(target: Pointer, coded: number, plane: 0 | 1): void {
    const { state, longs } = this;
    if (coded !== 0) {
      const ac = coded & 15;
      const mask = (coded & 16) !== 0 ? 15 : ac;
      this.kernels.inverseTransformChromaAdd(
        target,
        this.target.chromaStride,
        state.coefficients + 512 + 128 * plane,
        mask,
        mask & ~ac,
      );
    }
    const counts = plane === 0 ? state.countU : state.countV;
    const first = (state.masks >> 2) + (plane === 0 ? MASK_U_DC : MASK_V_DC) + 1;
    const { chromaCell, chromaStride } = state;
    counts[chromaCell] = countBits(longs[first]);
    counts[chromaCell + 1] = countBits(longs[first + 1]);
    counts[chromaCell + chromaStride] = countBits(longs[first + 2]);
    counts[chromaCell + chromaStride + 1] = countBits(longs[first + 3]);
  }

  /** Intra 16x16 luma with the mode of the state: prediction, levels, reconstruction, counts. Returns CodedBlockPatternLuma (0 or 15). */
  codeIntra16x16(): number {
    const { state, longs, target } = this;
    const at = this.lumaTarget;
    this.kernels.predictIntra16x16(at, target.lumaStride, state.intra16x16Mode, state.available);
    const coded = this.kernels.quantizeIntra16x16(
      this.lumaSource,
      this.source.lumaStride,
      at,
      target.lumaStride,
      this.quantisers.intra(state.QPY),
      state.levels + LEVELS_LUMA_DC,
      state.coefficients,
      state.masks + 4 * MASK_LUMA_DC,
    );
    let ac = coded & 0xffff;
    if (ac !== 0) {
      const first = (state.masks >> 2) + MASK_LUMA;
      let worth = 0;
      for (let k = first; k < first + 16 && worth < MIN_WORTH_LUMA; k++) {
        worth += worthOf(longs[k]);
      }
      if (worth < MIN_WORTH_LUMA) {
        ac = 0;
      }
    }
    const mask = coded >= 0x10000 ? 0xffff : ac;
    if (mask !== 0) {
      this.kernels.inverseTransformLumaAdd(at, target.lumaStride, state.coefficients, mask, mask & ~ac);
    }
    this.writeLumaCounts(ac);
    return ac !== 0 ? 15 : 0;
  }

  /** One Intra_4x4 block (luma4x4BlkIdx k) with `mode`: prediction, levels and reconstruction. Returns whether it has levels. */
  codeIntra4x4Block(k: number, mode: number, available: number): number {
    const { state, target } = this;
    const x = BLOCK_X_4X4[k];
    const y = BLOCK_Y_4X4[k];
    const at = this.lumaTarget + 4 * y * target.lumaStride + 4 * x;
    this.kernels.predictIntra4x4(at, target.lumaStride, mode, available);
    const coefficients = state.coefficients + 32 * k;
    const mask = this.kernels.quantizeBlock(
      this.lumaSource + 4 * y * this.source.lumaStride + 4 * x,
      this.source.lumaStride,
      at,
      target.lumaStride,
      this.quantisers.intra(state.QPY),
      state.levels + LEVELS_LUMA + 32 * k,
      coefficients,
    );
    this.longs[(state.masks >> 2) + MASK_LUMA + k] = mask;
    state.count[state.cell + y * state.stride + x] = mask === 0 ? 0 : countBits(mask);
    if (mask !== 0) {
      this.kernels.inverseTransform4x4Add(at, target.lumaStride, coefficients);
    }
    return mask === 0 ? 0 : 1;
  }

  /** Intra chroma prediction with the mode of the state. */
  predictIntraChroma(mode: number): void {
    const { state, target, kernels } = this;
    const offset = 8 * state.y * target.chromaStride + 8 * state.x;
    kernels.predictIntraChroma(target.u + offset, target.chromaStride, mode, state.available);
    kernels.predictIntraChroma(target.v + offset, target.chromaStride, mode, state.available);
  }

  /** satd of the chroma prediction now in the reconstruction. */
  chromaSatd(): number {
    const { state, target, source, kernels } = this;
    const offset = 8 * state.y * target.chromaStride + 8 * state.x;
    const from = 8 * state.y * source.chromaStride + 8 * state.x;
    return (
      kernels.satd(8, 8, source.u + from, source.chromaStride, target.u + offset, target.chromaStride) +
      kernels.satd(8, 8, source.v + from, source.chromaStride, target.v + offset, target.chromaStride)
    );
  }
}

/** Number of bits set in the low 16 bits. */
export function countBits(mask: number): number {
  let n = mask & 0xffff;
  n -= (n >> 1) & 0x5555;
  n = (n & 0x3333) + ((n >> 2) & 0x3333);
  n = (n + (n >> 4)) & 0x0f0f;
  return (n + (n >> 8)) & 31;
}
