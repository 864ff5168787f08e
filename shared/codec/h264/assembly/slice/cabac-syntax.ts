// The syntax elements of a macroblock as CABAC bins with contexts from the neighbours (9.3.2, 9.3.3.1.1): the same as
// entropy/cabac-decoder.ts, for frame macroblocks.

import { Cabac } from './cabac';
import {
  Cache,
  CACHE_STRIDE,
  FAULT_MVD,
  FAULT_QP_DELTA,
  FAULT_REF_IDX,
  Mb,
  MB_DIRECT,
  MB_INTRA_4X4,
  MB_INTRA_8X8,
  MB_SKIP,
  MB_TRANSFORM_8X8,
  Slice,
} from './context';

/** ctxIdxOffset (Table 9-34). */
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
const CTX_CBP_LUMA = 73;
const CTX_CBP_CHROMA = 77;
const CTX_TRANSFORM_8X8 = 399;

const MAX_REF_IDX = 31;
const MAX_QP_DELTA_BINS = 104;

/** How many of the neighbours A and B are available and have none of `bits` in their kind. */
// @ts-ignore: decorator
@inline
function neighboursWithout(bits: u32): i32 {
  const a = Mb.a >= 0 && (<u32>load<u8>(Slice.kinds + Mb.a) & bits) == 0 ? 1 : 0;
  const b = Mb.b >= 0 && (<u32>load<u8>(Slice.kinds + Mb.b) & bits) == 0 ? 1 : 0;
  return a + b;
}

export class CabacSyntax {
  static mb_skip_flag(): bool {
    return Cabac.decision((Slice.isB ? CTX_MB_SKIP_B : CTX_MB_SKIP_P) + neighboursWithout(MB_SKIP)) != 0;
  }

  static mb_type(): i32 {
    if (Slice.isIntra) {
      const inc = neighboursWithout(MB_INTRA_4X4 | MB_INTRA_8X8);
      return Cabac.decision(CTX_MB_TYPE_I + inc) == 0 ? 0 : CabacSyntax.intraTypeTail(CTX_MB_TYPE_I + 3, 1);
    }
    return Slice.isB ? CabacSyntax.mbTypeB() : CabacSyntax.mbTypeP();
  }

  /** Bins of an I macroblock type after the first (Table 9-36); `step` 1 in I slices, 0 as a suffix. */
  static intraTypeTail(ctx: i32, step: i32): i32 {
    if (Cabac.terminate()) return 25;
    let mb_type = 1;
    if (Cabac.decision(ctx) != 0) mb_type += 12;
    if (Cabac.decision(ctx + 1) != 0) {
      mb_type += 4;
      if (Cabac.decision(ctx + 1 + step) != 0) mb_type += 4;
    }
    mb_type += 2 * Cabac.decision(ctx + 2 + step);
    mb_type += Cabac.decision(ctx + 2 + 2 * step);
    return mb_type;
  }

  static intraSuffix(ctx: i32): i32 {
    return Cabac.decision(ctx) == 0 ? 0 : CabacSyntax.intraTypeTail(ctx + 1, 0);
  }

  static mbTypeP(): i32 {
    if (Cabac.decision(CTX_MB_TYPE_P) != 0) return 5 + CabacSyntax.intraSuffix(CTX_MB_TYPE_P_SUFFIX);
    if (Cabac.decision(CTX_MB_TYPE_P + 1) == 0) return 3 * Cabac.decision(CTX_MB_TYPE_P + 2);
    return 2 - Cabac.decision(CTX_MB_TYPE_P + 3);
  }

  static mbTypeB(): i32 {
    if (Cabac.decision(CTX_MB_TYPE_B + neighboursWithout(MB_DIRECT)) == 0) return 0;
    if (Cabac.decision(CTX_MB_TYPE_B + 3) == 0) return 1 + Cabac.decision(CTX_MB_TYPE_B + 5);
    let bits = Cabac.decision(CTX_MB_TYPE_B + 4) << 3;
    bits |= Cabac.decision(CTX_MB_TYPE_B + 5) << 2;
    bits |= Cabac.decision(CTX_MB_TYPE_B + 5) << 1;
    bits |= Cabac.decision(CTX_MB_TYPE_B + 5);
    if (bits < 8) return bits + 3;
    if (bits == 13) return 23 + CabacSyntax.intraSuffix(CTX_MB_TYPE_B_SUFFIX);
    if (bits == 14) return 11;
    if (bits == 15) return 22;
    return ((bits << 1) | Cabac.decision(CTX_MB_TYPE_B + 5)) - 4;
  }

  static sub_mb_type(): i32 {
    if (!Slice.isB) {
      if (Cabac.decision(CTX_SUB_MB_TYPE_P) != 0) return 0;
      if (Cabac.decision(CTX_SUB_MB_TYPE_P + 1) == 0) return 1;
      return 3 - Cabac.decision(CTX_SUB_MB_TYPE_P + 2);
    }
    if (Cabac.decision(CTX_SUB_MB_TYPE_B) == 0) return 0;
    if (Cabac.decision(CTX_SUB_MB_TYPE_B + 1) == 0) return 1 + Cabac.decision(CTX_SUB_MB_TYPE_B + 3);
    if (Cabac.decision(CTX_SUB_MB_TYPE_B + 2) == 0) {
      const high = Cabac.decision(CTX_SUB_MB_TYPE_B + 3);
      return 3 + 2 * high + Cabac.decision(CTX_SUB_MB_TYPE_B + 3);
    }
    if (Cabac.decision(CTX_SUB_MB_TYPE_B + 3) != 0) return 11 + Cabac.decision(CTX_SUB_MB_TYPE_B + 3);
    const high = Cabac.decision(CTX_SUB_MB_TYPE_B + 3);
    return 7 + 2 * high + Cabac.decision(CTX_SUB_MB_TYPE_B + 3);
  }

  static transform_size_8x8_flag(): bool {
    const a = Mb.a >= 0 && (<u32>load<u8>(Slice.kinds + Mb.a) & MB_TRANSFORM_8X8) != 0 ? 1 : 0;
    const b = Mb.b >= 0 && (<u32>load<u8>(Slice.kinds + Mb.b) & MB_TRANSFORM_8X8) != 0 ? 1 : 0;
    return Cabac.decision(CTX_TRANSFORM_8X8 + a + b) != 0;
  }

  /** prev_intraNxN_pred_mode_flag and rem_intraNxN_pred_mode: -1 for the predicted mode, else 0..7. */
  static intraPredMode(): i32 {
    if (Cabac.decision(CTX_PREV_INTRA_PRED_MODE) != 0) return -1;
    const low = Cabac.decision(CTX_REM_INTRA_PRED_MODE);
    const middle = Cabac.decision(CTX_REM_INTRA_PRED_MODE);
    return low | (middle << 1) | (Cabac.decision(CTX_REM_INTRA_PRED_MODE) << 2);
  }

  static intra_chroma_pred_mode(): i32 {
    const a = Mb.a >= 0 && load<u8>(Slice.chromaModes + Mb.a) != 0 ? 1 : 0;
    const b = Mb.b >= 0 && load<u8>(Slice.chromaModes + Mb.b) != 0 ? 1 : 0;
    if (Cabac.decision(CTX_INTRA_CHROMA_PRED_MODE + a + b) == 0) return 0;
    if (Cabac.decision(CTX_INTRA_CHROMA_PRED_MODE + 3) == 0) return 1;
    return 2 + Cabac.decision(CTX_INTRA_CHROMA_PRED_MODE + 3);
  }

  /** ref_idx of the partition whose first block has cache place `at`. */
  static ref_idx(list: i32, at: i32): i32 {
    const refs = list == 0 ? Cache.ref0 : Cache.ref1;
    const direct = Cache.direct;
    const a = at - 1;
    const b = at - CACHE_STRIDE;
    let ctx = load<i8>(refs + a) > 0 && load<u8>(direct + a) == 0 ? 1 : 0;
    if (load<i8>(refs + b) > 0 && load<u8>(direct + b) == 0) ctx += 2;
    let ref = 0;
    while (Cabac.decision(CTX_REF_IDX + ctx) != 0) {
      ref++;
      ctx = ref == 1 ? 4 : 5;
      if (ref > MAX_REF_IDX) {
        Slice.fail(FAULT_REF_IDX);
        return 0;
      }
    }
    return ref;
  }

  /** One component of a vector difference at cache place `at`; `component` 0 horizontal, 1 vertical. */
  static mvd(list: i32, at: i32, component: i32): i32 {
    const mvds = (list == 0 ? Cache.mvd0 : Cache.mvd1) + component;
    const sum = <i32>load<u8>(mvds + 2 * (at - 1)) + <i32>load<u8>(mvds + 2 * (at - CACHE_STRIDE));
    const ctx = component == 0 ? CTX_MVD_X : CTX_MVD_Y;
    // UEG3, signedValFlag 1, uCoff 9 (9.3.2.3)
    if (Cabac.decision(ctx + (sum < 3 ? 0 : sum > 32 ? 2 : 1)) == 0) return 0;
    let magnitude = 1;
    let inc = 3;
    while (magnitude < 9 && Cabac.decision(ctx + inc) != 0) {
      magnitude++;
      if (inc < 6) inc++;
    }
    if (magnitude == 9) {
      let k = 3;
      while (Cabac.bypass() != 0) {
        magnitude += 1 << k;
        k++;
        if (k > 24) {
          Slice.fail(FAULT_MVD);
          return 0;
        }
      }
      while (k-- > 0) magnitude += Cabac.bypass() << k;
    }
    return Cabac.bypass() != 0 ? -magnitude : magnitude;
  }

  static coded_block_pattern(): u32 {
    const cbpA = Mb.a >= 0 ? <i32>load<u16>(Slice.cbps + 2 * Mb.a) : 15;
    const cbpB = Mb.b >= 0 ? <i32>load<u16>(Slice.cbps + 2 * Mb.b) : 15;
    const base = CTX_CBP_LUMA + 3;
    const b0 = Cabac.decision(base - ((cbpA >> 1) & 1) - ((cbpB >> 1) & 2));
    const b1 = Cabac.decision(base - b0 - ((cbpB >> 2) & 2));
    const b2 = Cabac.decision(base - ((cbpA >> 3) & 1) - 2 * b0);
    const b3 = Cabac.decision(base - b2 - 2 * b1);
    const luma = b0 | (b1 << 1) | (b2 << 2) | (b3 << 3);
    const chromaA = Mb.a >= 0 ? (cbpA >> 4) & 3 : 0;
    const chromaB = Mb.b >= 0 ? (cbpB >> 4) & 3 : 0;
    if (Cabac.decision(CTX_CBP_CHROMA + (chromaA != 0 ? 1 : 0) + (chromaB != 0 ? 2 : 0)) == 0) return luma;
    const second = Cabac.decision(CTX_CBP_CHROMA + 4 + (chromaA == 2 ? 1 : 0) + (chromaB == 2 ? 2 : 0));
    return luma | ((1 + second) << 4);
  }

  static mb_qp_delta(): i32 {
    let ctx = Slice.lastDelta;
    let mapped = 0;
    while (Cabac.decision(CTX_MB_QP_DELTA + ctx) != 0) {
      ctx = mapped == 0 ? 2 : 3;
      mapped++;
      if (mapped > MAX_QP_DELTA_BINS) {
        Slice.fail(FAULT_QP_DELTA);
        return 0;
      }
    }
    return (mapped & 1) == 1 ? (mapped + 1) >> 1 : -(mapped >> 1);
  }
}
