// CABAC (9.3): macroblock syntax as bins with context selection from the neighbours (9.3.3.1.1).
// Residual blocks are in cabac-residual.ts. Called by macroblock-decoder.ts and slice-data.ts.

import { BitstreamError } from '../../../errors.ts';
import { CACHE_STRIDE } from '../decoder/slice-state.ts';
import { MB_DIRECT, MB_INTRA_4X4, MB_INTRA_8X8, MB_SKIP, MB_TRANSFORM_8X8 } from '../macroblock/mb-types.ts';
import { CabacResidual } from './cabac-residual.ts';
import type { MacroblockSyntax } from './macroblock-syntax.ts';

/** ctxIdxOffset of the elements with few contexts (Table 9-34). */
const CTX_MB_TYPE_I = 3;
const CTX_MB_SKIP_P = 11;
const CTX_MB_TYPE_P = 14;
const CTX_MB_TYPE_P_SUFFIX = 17;
const CTX_SUB_MB_TYPE_P = 21;
const CTX_MB_SKIP_B = 24;
const CTX_MB_TYPE_B = 27;
const CTX_MB_TYPE_B_SUFFIX = 32;
const CTX_SUB_MB_TYPE_B = 36;
const CTX_MVD_X = 40;
const CTX_MVD_Y = 47;
const CTX_REF_IDX = 54;
const CTX_MB_QP_DELTA = 60;
const CTX_INTRA_CHROMA_PRED_MODE = 64;
const CTX_PREV_INTRA_PRED_MODE = 68;
const CTX_REM_INTRA_PRED_MODE = 69;
const CTX_MB_FIELD = 70;
const CTX_CBP_LUMA = 73;
const CTX_CBP_CHROMA = 77;
const CTX_TRANSFORM_8X8 = 399;

/** Longest unary code that a legal stream can hold. */
const MAX_REF_IDX = 31;
const MAX_QP_DELTA_BINS = 104;

function fail(message: string): never {
  throw new BitstreamError('forbidden-value', '9.3', 0, message);
}

/** Reads macroblocks coded with entropy_coding_mode_flag 1. */
export class CabacDecoder extends CabacResidual implements MacroblockSyntax {
  mvdX = 0;
  mvdY = 0;
  /** 1: the block at this cache index is predicted in direct mode. */
  readonly directCache = new Uint8Array(5 * CACHE_STRIDE);

  /** Starts a slice: `data` from `byteOffset` (aligned) to `byteLength`. */
  startSlice(data: Uint8Array, byteOffset: number, byteLength: number, table: number, SliceQPY: number): void {
    this.initialiseContexts(table, SliceQPY);
    this.placeSlice(data, byteLength);
    this.initialiseEngine(data, byteOffset, byteLength);
  }

  /** Byte position of PCM samples. */
  pcmPosition(): number {
    return this.alignedPosition();
  }

  /** Goes on after PCM samples (9.3.1.2). */
  resumeAt(byteOffset: number): void {
    this.initialiseEngine(this.data, byteOffset, this.limit);
  }

  end_of_slice_flag(): boolean {
    this.checkEnd();
    return this.terminate() === 1;
  }

  /** mb_skip_flag with the neighbours A and B of the state. */
  mb_skip_flag(): boolean {
    const { s } = this;
    const { kind } = s.store;
    const inc =
      (s.mbA >= 0 && (kind[s.mbA] & MB_SKIP) === 0 ? 1 : 0) + (s.mbB >= 0 && (kind[s.mbB] & MB_SKIP) === 0 ? 1 : 0);
    return this.decision((s.isB ? CTX_MB_SKIP_B : CTX_MB_SKIP_P) + inc) === 1;
  }

  /** mb_field_decoding_flag: `inc` neighbouring pairs (left, above) are field pairs. */
  mb_field_decoding_flag(inc: number): boolean {
    return this.decision(CTX_MB_FIELD + inc) === 1;
  }

  mb_type(): number {
    const { s } = this;
    if (s.isIntraSlice) {
      const { kind } = s.store;
      const NXN = MB_INTRA_4X4 | MB_INTRA_8X8;
      const inc = (s.mbA >= 0 && (kind[s.mbA] & NXN) === 0 ? 1 : 0) + (s.mbB >= 0 && (kind[s.mbB] & NXN) === 0 ? 1 : 0);
      return this.decision(CTX_MB_TYPE_I + inc) === 0 ? 0 : this.intraTypeTail(CTX_MB_TYPE_I + 3, true);
    }
    return s.isB ? this.mbTypeB() : this.mbTypeP();
  }

  /** Bins of an I macroblock type after the first (Table 9-36); contexts from `ctx`, as in I slices or as suffix. */
  private intraTypeTail(ctx: number, isPrefixless: boolean): number {
    if (this.terminate() === 1) {
      return 25;
    }
    const step = isPrefixless ? 1 : 0;
    let mb_type = 1;
    if (this.decision(ctx) === 1) {
      mb_type += 12;
    }
    if (this.decision(ctx + 1) === 1) {
      mb_type += 4;
      if (this.decision(ctx + 1 + step) === 1) {
        mb_type += 4;
      }
    }
    mb_type += 2 * this.decision(ctx + 2 + step);
    mb_type += this.decision(ctx + 2 + 2 * step);
    return mb_type;
  }

  private mbTypeP(): number {
    if (this.decision(CTX_MB_TYPE_P) === 1) {
      return 5 + this.intraSuffix(CTX_MB_TYPE_P_SUFFIX);
    }
    if (this.decision(CTX_MB_TYPE_P + 1) === 0) {
      return 3 * this.decision(CTX_MB_TYPE_P + 2);
    }
    return 2 - this.decision(CTX_MB_TYPE_P + 3);
  }

  private intraSuffix(ctx: number): number {
    return this.decision(ctx) === 0 ? 0 : this.intraTypeTail(ctx + 1, false);
  }

  private mbTypeB(): number {
    const { s } = this;
    const { kind } = s.store;
    const inc =
      (s.mbA >= 0 && (kind[s.mbA] & MB_DIRECT) === 0 ? 1 : 0) + (s.mbB >= 0 && (kind[s.mbB] & MB_DIRECT) === 0 ? 1 : 0);
    if (this.decision(CTX_MB_TYPE_B + inc) === 0) {
      return 0;
    }
    if (this.decision(CTX_MB_TYPE_B + 3) === 0) {
      return 1 + this.decision(CTX_MB_TYPE_B + 5);
    }
    let bits = this.decision(CTX_MB_TYPE_B + 4) << 3;
    bits |= this.decision(CTX_MB_TYPE_B + 5) << 2;
    bits |= this.decision(CTX_MB_TYPE_B + 5) << 1;
    bits |= this.decision(CTX_MB_TYPE_B + 5);
    if (bits < 8) {
      return bits + 3;
    }
    if (bits === 13) {
      return 23 + this.intraSuffix(CTX_MB_TYPE_B_SUFFIX);
    }
    if (bits === 14) {
      return 11;
    }
    if (bits === 15) {
      return 22;
    }
    return ((bits << 1) | this.decision(CTX_MB_TYPE_B + 5)) - 4;
  }

  sub_mb_type(): number {
    if (!this.s.isB) {
      if (this.decision(CTX_SUB_MB_TYPE_P) === 1) {
        return 0;
      }
      if (this.decision(CTX_SUB_MB_TYPE_P + 1) === 0) {
        return 1;
      }
      return 3 - this.decision(CTX_SUB_MB_TYPE_P + 2);
    }
    if (this.decision(CTX_SUB_MB_TYPE_B) === 0) {
      return 0;
    }
    if (this.decision(CTX_SUB_MB_TYPE_B + 1) === 0) {
      return 1 + this.decision(CTX_SUB_MB_TYPE_B + 3);
    }
    if (this.decision(CTX_SUB_MB_TYPE_B + 2) === 0) {
      const high = this.decision(CTX_SUB_MB_TYPE_B + 3);
      return 3 + 2 * high + this.decision(CTX_SUB_MB_TYPE_B + 3);
    }
    if (this.decision(CTX_SUB_MB_TYPE_B + 3) === 1) {
      return 11 + this.decision(CTX_SUB_MB_TYPE_B + 3);
    }
    const high = this.decision(CTX_SUB_MB_TYPE_B + 3);
    return 7 + 2 * high + this.decision(CTX_SUB_MB_TYPE_B + 3);
  }

  transform_size_8x8_flag(): boolean {
    const { s } = this;
    const { kind } = s.store;
    const inc =
      (s.mbA >= 0 && (kind[s.mbA] & MB_TRANSFORM_8X8) !== 0 ? 1 : 0) +
      (s.mbB >= 0 && (kind[s.mbB] & MB_TRANSFORM_8X8) !== 0 ? 1 : 0);
    return this.decision(CTX_TRANSFORM_8X8 + inc) === 1;
  }

  intraPredMode(): number {
    if (this.decision(CTX_PREV_INTRA_PRED_MODE) === 1) {
      return -1;
    }
    const low = this.decision(CTX_REM_INTRA_PRED_MODE);
    const middle = this.decision(CTX_REM_INTRA_PRED_MODE);
    return low | (middle << 1) | (this.decision(CTX_REM_INTRA_PRED_MODE) << 2);
  }

  intra_chroma_pred_mode(): number {
    const { s } = this;
    const modes = s.store.intraChromaMode;
    const inc = (s.mbA >= 0 && modes[s.mbA] !== 0 ? 1 : 0) + (s.mbB >= 0 && modes[s.mbB] !== 0 ? 1 : 0);
    if (this.decision(CTX_INTRA_CHROMA_PRED_MODE + inc) === 0) {
      return 0;
    }
    if (this.decision(CTX_INTRA_CHROMA_PRED_MODE + 3) === 0) {
      return 1;
    }
    return 2 + this.decision(CTX_INTRA_CHROMA_PRED_MODE + 3);
  }

  ref_idx(list: number, at: number): number {
    const refCache = list === 0 ? this.s.refCache0 : this.s.refCache1;
    const direct = this.directCache;
    const a = at - 1;
    const b = at - CACHE_STRIDE;
    let ctx = (refCache[a] > 0 && direct[a] === 0 ? 1 : 0) + (refCache[b] > 0 && direct[b] === 0 ? 2 : 0);
    let ref = 0;
    while (this.decision(CTX_REF_IDX + ctx) === 1) {
      ref++;
      ctx = ref === 1 ? 4 : 5;
      if (ref > MAX_REF_IDX) {
        fail('ref_idx is above 31.');
      }
    }
    return ref;
  }

  mvd(list: number, at: number): void {
    const cache = list === 0 ? this.s.mvdCache0 : this.s.mvdCache1;
    const a = (at - 1) * 2;
    const b = (at - CACHE_STRIDE) * 2;
    this.mvdX = this.mvdComponent(CTX_MVD_X, cache[a] + cache[b]);
    this.mvdY = this.mvdComponent(CTX_MVD_Y, cache[a + 1] + cache[b + 1]);
  }

  // UEG3, signedValFlag 1, uCoff 9 (9.3.2.3)
  private mvdComponent(ctx: number, sum: number): number {
    if (this.decision(ctx + (sum < 3 ? 0 : sum > 32 ? 2 : 1)) === 0) {
      return 0;
    }
    let magnitude = 1;
    let inc = 3;
    while (magnitude < 9 && this.decision(ctx + inc) === 1) {
      magnitude++;
      if (inc < 6) {
        inc++;
      }
    }
    if (magnitude === 9) {
      let k = 3;
      while (this.bypass() === 1) {
        magnitude += 1 << k;
        k++;
        if (k > 24) {
          fail('An mvd is too large.');
        }
      }
      while (k-- > 0) {
        magnitude += this.bypass() << k;
      }
    }
    return this.bypass() === 1 ? -magnitude : magnitude;
  }

  coded_block_pattern(): number {
    const { s } = this;
    const { cbp } = s.store;
    const cbpB = s.mbB >= 0 ? cbp[s.mbB] : 15;
    let pattern = 0;
    for (let block = 0; block < 4; block++) {
      let a: number;
      if ((block & 1) === 1) {
        a = (pattern >> (block - 1)) & 1;
      } else {
        const left = s.leftMb[block];
        a = left < 0 ? 1 : (cbp[left] >> ((s.leftRow[block] & 2) + 1)) & 1;
      }
      const b = block > 1 ? (pattern >> (block - 2)) & 1 : (cbpB >> (block + 2)) & 1;
      pattern |= this.decision(CTX_CBP_LUMA + (1 - a) + 2 * (1 - b)) << block;
    }
    if (!s.hasChroma) {
      return pattern;
    }
    const chromaA = s.mbA >= 0 ? (cbp[s.mbA] >> 4) & 3 : 0;
    const chromaB = s.mbB >= 0 ? (cbp[s.mbB] >> 4) & 3 : 0;
    if (this.decision(CTX_CBP_CHROMA + (chromaA !== 0 ? 1 : 0) + (chromaB !== 0 ? 2 : 0)) === 0) {
      return pattern;
    }
    const second = this.decision(CTX_CBP_CHROMA + 4 + (chromaA === 2 ? 1 : 0) + (chromaB === 2 ? 2 : 0));
    return pattern | ((1 + second) << 4);
  }

  mb_qp_delta(): number {
    let ctx = this.s.lastDeltaNotZero ? 1 : 0;
    let mapped = 0;
    while (this.decision(CTX_MB_QP_DELTA + ctx) === 1) {
      ctx = mapped === 0 ? 2 : 3;
      mapped++;
      if (mapped > MAX_QP_DELTA_BINS) {
        fail('mb_qp_delta is out of range.');
      }
    }
    return (mapped & 1) === 1 ? (mapped + 1) >> 1 : -(mapped >> 1);
  }
}
