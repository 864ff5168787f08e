// Intra decisions: Intra_16x16, Intra_8x8, Intra_4x4 and chroma modes by SATD + lambda * bits (8.3). Intra_4x4 is coded block by block as it is
// decided, because each block predicts from the reconstruction of those before. Called by mode-decision.ts.

import { INTRA_4X4_NEEDS } from '../kernels/analysis-kernels.ts';
import type { CodecMemory } from '../kernels/codec-memory.ts';
import {
  AVAILABLE_LEFT,
  AVAILABLE_TOP,
  AVAILABLE_TOP_LEFT,
  AVAILABLE_TOP_RIGHT,
  type Pointer,
} from '../kernels/kernels.ts';
import { I_16X16, I_4X4, I_8X8, type MacroblockState, REF_INTRA, SENTINEL } from '../macroblock/coding-state.ts';
import { BLOCK_X_4X4, BLOCK_Y_4X4 } from '../tables/transform.generated.ts';
import type { EncoderKernels, MacroblockEncoder } from './macroblock-encoder.ts';
import type { Tools } from './presets.ts';

/** Blocks (luma4x4BlkIdx) whose above right neighbour comes later in decoding order or lies in the next macroblock (6.4.11.4). */
const NO_TOP_RIGHT = 0b1010_1000_1000_1000;

/** The 8x8 block that has nothing above right. */
const CORNER_8X8 = 3;

/** The 4x4 block whose samples above right are those of the macroblock; modes 3 and 7 (8.3.1.2.4, 8.3.1.2.8) use them. */
const TOP_RIGHT_BLOCK = 5;

const PLANE_NEEDS = AVAILABLE_LEFT | AVAILABLE_TOP | AVAILABLE_TOP_LEFT;
const NO_LIMIT = 0x7fffffff;

/** Decides and codes intra macroblocks; one per slice encoder. */
export class IntraDecision {
  /** Lambda in sixteenths. */
  lambda16 = 16;
  /** Intra refresh: samples above right of the macroblock must not be used. */
  avoidsTopRight = false;
  private readonly kernels: EncoderKernels;
  private readonly state: MacroblockState;
  private readonly coder: MacroblockEncoder;
  private readonly tools: Tools;
  private readonly longs: Int32Array;
  private readonly costs: Pointer;

  /** Bytes taken from the codec memory. */
  static readonly BYTES = 64;

  constructor(
    kernels: EncoderKernels,
    memory: CodecMemory,
    state: MacroblockState,
    coder: MacroblockEncoder,
    tools: Tools,
  ) {
    this.tools = tools;
    this.kernels = kernels;
    this.state = state;
    this.coder = coder;
    this.longs = state.longs;
    this.costs = memory.allocate(IntraDecision.BYTES, 16);
  }

  private bits(count: number): number {
    return (this.lambda16 * count) >> 4;
  }

  /** Codes the current macroblock as intra. */
  code(): void {
    this.chooseIntra(NO_LIMIT);
  }

  /** Codes the macroblock as intra when that is cheaper than `limit`; the reconstruction is undefined when it is not. */
  codeWhenCheaper(limit: number): boolean {
    const cost16 = this.searchIntra16x16(this.tools.planeInInter ? 4 : 3);
    // Intra_4x4 seldom wins where Intra_16x16 is far behind.
    if (4 * cost16 > 5 * limit) {
      return false;
    }
    if (cost16 >= limit && this.probeIntra4x4(limit) >= limit) {
      return false;
    }
    this.chooseIntra(cost16 < limit ? cost16 : limit);
    return true;
  }

  /** The whole cost of Intra_4x4, or something above `limit`. Leaves the macroblock's luma coded that way. */
  private probeIntra4x4(limit: number): number {
    const cost = this.codeIntraNxN(limit);
    this.isIntra4x4Coded = cost < limit;
    return cost;
  }

  private isIntra4x4Coded = false;

  /** Chooses between the intra kinds and codes luma and chroma. */
  private chooseIntra(limit: number): void {
    const { state, coder } = this;
    state.fillMotion(state.cell, 4, 4, 0, REF_INTRA);
    let useIntra4x4 = this.isIntra4x4Coded;
    this.isIntra4x4Coded = false;
    if (!useIntra4x4) {
      const cost16 = limit === NO_LIMIT ? this.searchIntra16x16(4) : limit;
      useIntra4x4 = this.codeIntraNxN(cost16) < cost16;
    }
    let luma = 0;
    if (useIntra4x4) {
      state.mbKind = this.isIntra8x8 ? I_8X8 : I_4X4;
      state.hasTransform8x8 = this.isIntra8x8;
      luma = this.intra4x4Pattern;
    } else {
      state.mbKind = I_16X16;
      state.clearIntraModes();
      luma = coder.codeIntra16x16();
    }
    this.chooseIntraChroma();
    const chroma = coder.quantizeChroma(1);
    if (chroma !== 0) {
      coder.reconstructChroma();
    } else {
      this.clearChromaCounts();
    }
    state.codedBlockPattern = luma | (chroma << 4);
  }

  private clearChromaCounts(): void {
    const { countU, countV, chromaCell, chromaStride } = this.state;
    for (const at of [chromaCell, chromaCell + 1, chromaCell + chromaStride, chromaCell + chromaStride + 1]) {
      countU[at] = 0;
      countV[at] = 0;
    }
  }

  /** Best of the first `modes` Intra_16x16 modes (plane is the last) into the state; returns its cost. */
  private searchIntra16x16(modes: number): number {
    const { state, coder, kernels } = this;
    const { available } = state;
    const target = coder.lumaTarget;
    const source = coder.lumaSource;
    let best = NO_LIMIT;
    for (let mode = 0; mode < modes; mode++) {
      const needs = mode === 0 ? AVAILABLE_TOP : mode === 1 ? AVAILABLE_LEFT : mode === 2 ? 0 : PLANE_NEEDS;
      if ((available & needs) !== needs) {
        continue;
      }
      kernels.predictIntra16x16(target, coder.target.lumaStride, mode, available);
      const cost =
        kernels.satd(16, 16, source, coder.source.lumaStride, target, coder.target.lumaStride) +
        this.bits(mode === 0 ? 1 : 3);
      if (cost < best) {
        best = cost;
        state.intra16x16Mode = mode;
      }
    }
    return best + this.bits(4);
  }

  private intra4x4Pattern = 0;
  /** The blocks coded last are Intra_8x8. */
  private isIntra8x8 = false;
  private readonly modes8x8 = new Uint8Array(4);

  /** Codes luma in blocks of 8x8 or 4x4, whichever costs less; stops when neither stays below `limit`. Returns the cost. */
  private codeIntraNxN(limit: number): number {
    this.isIntra8x8 = false;
    if (!this.tools.transform8x8 || this.avoidsTopRight) {
      return this.codeIntra4x4(limit);
    }
    const cost8x8 = this.codeIntra8x8(limit, true);
    const cost4x4 = this.codeIntra4x4(cost8x8 < limit ? cost8x8 : limit);
    if (cost4x4 < cost8x8 || cost8x8 >= limit) {
      return cost4x4;
    }
    this.codeIntra8x8(NO_LIMIT, false);
    this.isIntra8x8 = true;
    return cost8x8;
  }

  /** Codes luma as Intra_8x8 in place, stopping as soon as the cost reaches `limit`; without a search, with the modes found before. */
  private codeIntra8x8(limit: number, isSearch: boolean): number {
    const { state, coder, modes8x8 } = this;
    const { stride, intraMode } = state;
    let total = this.bits(6);
    let pattern = 0;
    for (let q = 0; q < 4; q++) {
      const at = state.cell + (q & 2) * stride + ((q & 1) << 1);
      const available = this.availability8x8(q);
      const a = intraMode[at - 1];
      const b = intraMode[q < 2 && !state.hasTop ? SENTINEL : at - stride];
      const predicted = a < 0 || b < 0 ? 2 : a < b ? a : b;
      if (isSearch) {
        total += this.search8x8(q, available, predicted);
        if (total >= limit) {
          return total;
        }
      }
      const mode = modes8x8[q];
      intraMode[at] = mode;
      intraMode[at + 1] = mode;
      intraMode[at + stride] = mode;
      intraMode[at + stride + 1] = mode;
      state.remIntraMode[q] = mode === predicted ? -1 : mode < predicted ? mode : mode - 1;
      pattern |= coder.codeIntra8x8Block(q, mode, available) << q;
    }
    this.intra4x4Pattern = pattern;
    return total;
  }

  /** The best mode of 8x8 block q into modes8x8; returns its cost. */
  private search8x8(q: number, available: number, predicted: number): number {
    let best = NO_LIMIT;
    for (let mode = 0; mode < 9; mode++) {
      const needs = INTRA_4X4_NEEDS[mode];
      if ((available & needs) === needs) {
        const cost = this.coder.intra8x8Cost(q, mode, available) + this.bits(mode === predicted ? 1 : 4);
        if (cost < best) {
          best = cost;
          this.modes8x8[q] = mode;
        }
      }
    }
    return best;
  }

  private availability8x8(q: number): number {
    const { state } = this;
    const left = (q & 1) !== 0 || state.hasLeft;
    const top = q > 1 || state.hasTop;
    const corner = q === 0 ? state.hasLeft && state.hasTop : q === 1 ? state.hasTop : q === 2 ? state.hasLeft : true;
    const isTopRight = q === 1 ? state.hasTopRight : q !== CORNER_8X8 && top;
    return (
      (left ? AVAILABLE_LEFT : 0) |
      (top ? AVAILABLE_TOP : 0) |
      (isTopRight ? AVAILABLE_TOP_RIGHT : 0) |
      (corner ? AVAILABLE_TOP_LEFT : 0)
    );
  }

  /** Codes luma as Intra_4x4 in place, stopping as soon as the cost reaches `limit`. Returns the cost. */
  private codeIntra4x4(limit: number): number {
    const { state, coder, kernels, longs, costs } = this;
    const { cell, stride, intraMode } = state;
    const target = coder.lumaTarget;
    const source = coder.lumaSource;
    const targetStride = coder.target.lumaStride;
    const sourceStride = coder.source.lumaStride;
    let total = this.bits(24);
    let pattern = 0;
    for (let k = 0; k < 16; k++) {
      const x = BLOCK_X_4X4[k];
      const y = BLOCK_Y_4X4[k];
      const at = cell + y * stride + x;
      const available = this.blockAvailability(k, x, y);
      const a = intraMode[at - 1];
      const b = intraMode[y === 0 && !state.hasTop ? SENTINEL : at - stride];
      const predicted = a < 0 || b < 0 ? 2 : a < b ? a : b;
      kernels.intra4x4Costs(
        source + 4 * y * sourceStride + 4 * x,
        sourceStride,
        target + 4 * y * targetStride + 4 * x,
        targetStride,
        available,
        costs,
      );
      let best = NO_LIMIT;
      let bestMode = 2;
      const modeBits = this.bits(4);
      const predictedBits = this.bits(1);
      if (this.avoidsTopRight && k === TOP_RIGHT_BLOCK) {
        longs[(costs >> 2) + 3] = NO_LIMIT;
        longs[(costs >> 2) + 7] = NO_LIMIT;
      }
      for (let mode = 0; mode < 9; mode++) {
        const satd = longs[(costs >> 2) + mode];
        if (satd < best) {
          const cost = satd + (mode === predicted ? predictedBits : modeBits);
          if (cost < best) {
            best = cost;
            bestMode = mode;
          }
        }
      }
      total += best;
      if (total >= limit) {
        return total;
      }
      intraMode[at] = bestMode;
      state.remIntraMode[k] = bestMode === predicted ? -1 : bestMode < predicted ? bestMode : bestMode - 1;
      if (coder.codeIntra4x4Block(k, bestMode, available) !== 0) {
        pattern |= 1 << (k >> 2);
      }
    }
    this.intra4x4Pattern = pattern;
    return total;
  }

  private blockAvailability(k: number, x: number, y: number): number {
    const { state } = this;
    const left = x > 0 || state.hasLeft;
    const top = y > 0 || state.hasTop;
    const isTopRight = y === 0 ? (x < 3 ? state.hasTop : state.hasTopRight) : ((NO_TOP_RIGHT >> k) & 1) === 0;
    const corner = x > 0 ? top : y > 0 ? left : state.hasLeft && state.hasTop;
    return (
      (left ? AVAILABLE_LEFT : 0) |
      (top ? AVAILABLE_TOP : 0) |
      (isTopRight ? AVAILABLE_TOP_RIGHT : 0) |
      (corner ? AVAILABLE_TOP_LEFT : 0)
    );
  }

  /** Chooses intra_chroma_pred_mode and leaves its prediction in the reconstruction. */
  private chooseIntraChroma(): void {
    const { state, coder } = this;
    let best = NO_LIMIT;
    let bestMode = 0;
    let last = 0;
    for (let mode = 0; mode < 4; mode++) {
      const needs = mode === 0 ? 0 : mode === 1 ? AVAILABLE_LEFT : mode === 2 ? AVAILABLE_TOP : PLANE_NEEDS;
      if ((state.available & needs) !== needs) {
        continue;
      }
      coder.predictIntraChroma(mode);
      last = mode;
      const cost = coder.chromaSatd() + this.bits(mode === 0 ? 1 : mode < 3 ? 3 : 5);
      if (cost < best) {
        best = cost;
        bestMode = mode;
      }
    }
    state.intraChromaMode = bestMode;
    if (last !== bestMode) {
      coder.predictIntraChroma(bestMode);
    }
  }
}
