// Turns the decision about a macroblock into levels and reconstruction: prediction into the reconstructed picture, forward transform
// and quantisation of what remains, dropping of lone small levels, scaling and inverse transform in place (8.3, 8.4, 8.5).
// Called by mode-decision.ts (trial of P_Skip, Intra_4x4 in place) and slice-encoder.ts.

import type { EncoderKernels } from '../kernels/encoder-kernels.ts';
import {
  lumaWorthCoding,
  MIN_WORTH_8X8,
  MIN_WORTH_CHROMA,
  MIN_WORTH_LUMA,
  WORTH_KEEPING,
  worthOf,
} from '../kernels/grid-kernels.ts';
import type { Pointer } from '../kernels/kernels.ts';
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
import { type Fade, LOG2_WEIGHT_DENOM } from './fade-detection.ts';
import type { EncoderPicture } from './picture-store.ts';

const { clz32 } = Math;

/** What a lone level of magnitude 1 of an 8x8 block is worth, by the zeros before it. */
const LONE_LEVEL_WORTH_8X8 = Uint8Array.from({ length: 64 }, (_, run) =>
  run < 4 ? 3 : run < 12 ? 2 : run < 24 ? 1 : 0,
);

/** Worth of an 8x8 block from the bits of its levels, none of which is above 1. */
function worthOf8x8(low: number, high: number): number {
  let worth = 0;
  let next = -1;
  for (let half = 0; half < 2; half++) {
    let rest = half === 0 ? low : high;
    while (rest !== 0 && worth < WORTH_KEEPING) {
      const position = 32 * half + 31 - clz32(rest & -rest);
      rest &= rest - 1;
      worth += LONE_LEVEL_WORTH_8X8[position - next - 1];
      next = position;
    }
  }
  return worth;
}

/** Residual coding of the current macroblock of `state`. */
export class MacroblockEncoder {
  source!: EncoderPicture;
  /** The source picture of the first reference, when still macroblocks are to be told; else null. */
  previousSource: EncoderPicture | null = null;
  target!: EncoderPicture;
  /** Weights of predictions from `weightedReference` in a fade; null: none. */
  fade: Fade | null = null;
  weightedReference: EncoderPicture | null = null;
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

  /** Whether the source shows the same as the source of the first reference. */
  isStill(): boolean {
    const { source, previousSource, state, kernels } = this;
    if (previousSource === null) {
      return false;
    }
    const luma = 16 * state.y * source.lumaStride + 16 * state.x;
    const chroma = 8 * state.y * source.chromaStride + 8 * state.x;
    const stride = source.chromaStride;
    return (
      kernels.sad(16, 16, source.y + luma, source.lumaStride, previousSource.y + luma, source.lumaStride) === 0 &&
      kernels.sad(8, 8, source.u + chroma, stride, previousSource.u + chroma, stride) === 0 &&
      kernels.sad(8, 8, source.v + chroma, stride, previousSource.v + chroma, stride) === 0
    );
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
    const at = this.target.y + y * stride + x;
    this.kernels.predictLuma(
      at,
      stride,
      reference.y + (y + (mvy >> 2)) * stride + x + (mvx >> 2),
      stride,
      width,
      height,
      mvx & 3,
      mvy & 3,
    );
    const { fade } = this;
    if (fade !== null && reference === this.weightedReference) {
      const [weight, offset] = fade.luma;
      this.kernels.weightBlock(at, stride, width, height, LOG2_WEIGHT_DENOM, weight, offset);
    }
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
    const weights = this.fade?.chroma ?? null;
    if (weights !== null && reference === this.weightedReference) {
      kernels.weightBlock(target.u + at, stride, w, h, LOG2_WEIGHT_DENOM, weights[0], weights[1]);
      kernels.weightBlock(target.v + at, stride, w, h, LOG2_WEIGHT_DENOM, weights[0], weights[1]);
    }
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

  /** Whether the 8x8 transform suits the inter residual better: by the sums of the Hadamard transforms of either size. */
  prefersTransform8x8(): boolean {
    const { kernels, source, target } = this;
    const [a, b] = [this.lumaSource, this.lumaTarget];
    const large = kernels.satd8x8(16, 16, a, source.lumaStride, b, target.lumaStride);
    return large < kernels.satd(16, 16, a, source.lumaStride, b, target.lumaStride);
  }

  /** Codes inter luma with the 8x8 transform against the prediction in place: levels, reconstruction, counts. Returns CodedBlockPatternLuma. */
  codeInterLuma8x8(): number {
    const { state, longs } = this;
    const quantiser = this.quantisers.inter8x8(state.QPY);
    let coded = 0;
    let total = 0;
    for (let q = 0; q < 4; q++) {
      if (this.quantizeBlock8x8(q, quantiser) === 0) {
        continue;
      }
      const mask = (state.masks >> 2) + MASK_LUMA + 4 * q;
      const worth = longs[mask + 2] !== 0 ? WORTH_KEEPING : worthOf8x8(longs[mask], longs[mask + 1]);
      coded |= worth < MIN_WORTH_8X8 ? 0 : 1 << q;
      total += worth;
    }
    coded = total < MIN_WORTH_LUMA ? 0 : coded;
    for (let q = 0; q < 4; q++) {
      this.finishBlock8x8(q, (coded >> q) & 1);
    }
    return coded;
  }

  /** Quantises 8x8 block q against the prediction in place; returns whether it has levels. */
  private quantizeBlock8x8(q: number, quantiser: Pointer): number {
    const { state, source, target } = this;
    const x = (q & 1) << 3;
    const y = (q & 2) << 2;
    return this.kernels.quantizeBlock8x8(
      this.lumaSource + y * source.lumaStride + x,
      source.lumaStride,
      this.lumaTarget + y * target.lumaStride + x,
      target.lumaStride,
      quantiser,
      state.levels + LEVELS_LUMA + 128 * q,
      state.coefficients + 128 * q,
      state.masks + 4 * (MASK_LUMA + 4 * q),
    );
  }

  /** Adds the residual of 8x8 block q when it is coded and marks its 4x4 cells. */
  private finishBlock8x8(q: number, isCoded: number): void {
    const { state, target } = this;
    const { count, stride } = state;
    if (isCoded === 1) {
      const at = this.lumaTarget + ((q & 2) << 2) * target.lumaStride + ((q & 1) << 3);
      this.kernels.inverseTransform8x8Add(at, target.lumaStride, state.coefficients + 128 * q);
    }
    const at = state.cell + (q & 2) * stride + ((q & 1) << 1);
    count[at] = isCoded;
    count[at + 1] = isCoded;
    count[at + stride] = isCoded;
    count[at + stride + 1] = isCoded;
  }

  /** Sum of the 8x8 Hadamard transform of 8x8 block q against Intra_8x8 prediction with `mode`, which is left in the reconstruction. */
  intra8x8Cost(q: number, mode: number, available: number): number {
    const { kernels, source, target } = this;
    const x = (q & 1) << 3;
    const y = (q & 2) << 2;
    const at = this.lumaTarget + y * target.lumaStride + x;
    kernels.predictIntra8x8(at, target.lumaStride, mode, available);
    const from = this.lumaSource + y * source.lumaStride + x;
    return kernels.satd8x8(8, 8, from, source.lumaStride, at, target.lumaStride);
  }

  /** One Intra_8x8 block with `mode`: prediction, levels, reconstruction. Returns whether it has levels. */
  codeIntra8x8Block(q: number, mode: number, available: number): number {
    const { target } = this;
    const at = this.lumaTarget + ((q & 2) << 2) * target.lumaStride + ((q & 1) << 3);
    this.kernels.predictIntra8x8(at, target.lumaStride, mode, available);
    const coded = this.quantizeBlock8x8(q, this.quantisers.intra8x8(this.state.QPY));
    this.finishBlock8x8(q, coded);
    return coded;
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
function countBits(mask: number): number {
  let n = mask & 0xffff;
  n -= (n >> 1) & 0x5555;
  n = (n & 0x3333) + ((n >> 2) & 0x3333);
  n = (n + (n >> 4)) & 0x0f0f;
  return (n + (n >> 8)) & 31;
}
