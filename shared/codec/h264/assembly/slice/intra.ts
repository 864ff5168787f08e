// Intra macroblocks (8.3): prediction modes, which neighbouring samples may be used, prediction and reconstruction block by block. The
// same as prediction/intra.ts for frames.

import { predictIntra16x16, predictIntra4x4, predictIntra8x8, predictIntraChroma } from '../intra';
import { AVAILABLE_LEFT, AVAILABLE_TOP, AVAILABLE_TOP_LEFT, AVAILABLE_TOP_RIGHT } from '../layout';
import {
  inverseTransform4x4Add,
  inverseTransform4x4DcAdd,
  inverseTransform8x8Add,
  inverseTransform8x8DcAdd,
} from '../transform';
import { Bits } from './bits';
import { CabacSyntax } from './cabac-syntax';
import { FAULT_INTRA_SAMPLES, Mb, MB_INTRA, Slice } from './context';

const ALL_BUT_RIGHT: i32 = 11; // left, top, top left
/** What modes need: Intra4x4 and 8x8 0..8, Intra16x16 0..3, chroma 0..3. */
const NEEDS = memory.data<u8>([2, 1, 0, 2, 11, 11, 11, 2, 1, 2, 1, 0, 11, 0, 1, 2, 11]);
const NEEDS_16X16: i32 = 9;
const NEEDS_CHROMA: i32 = 13;

/** Places of the blocks in decoding order. */
const BLOCK_X = memory.data<u8>([0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3]);
const BLOCK_Y = memory.data<u8>([0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3]);
/** Raster bits of the 4x4 blocks below the first row whose top right neighbour is decoded before them. */
const HAS_TOP_RIGHT: i32 = 0x5750;

export class Intra {
  /** Neighbours of the macroblock as AVAILABLE bits. */
  static neighbours: i32 = 0;

  /** A neighbouring macroblock counts (8.3.1.2): with constrained_intra_pred_flag only an intra one does. */
  // @ts-ignore: decorator
  @inline static counts(mb: i32): bool {
    return mb >= 0 && (!Slice.isConstrainedIntra || (<u32>load<u8>(Slice.kinds + mb) & MB_INTRA) != 0);
  }

  static findNeighbours(): void {
    let bits: i32 = 0;
    if (Intra.counts(Mb.a)) bits |= AVAILABLE_LEFT;
    if (Intra.counts(Mb.b)) bits |= AVAILABLE_TOP;
    if (Intra.counts(Mb.c)) bits |= AVAILABLE_TOP_RIGHT;
    if (Intra.counts(Mb.d)) bits |= AVAILABLE_TOP_LEFT;
    Intra.neighbours = bits;
  }

  /** Predicted mode of the block at (x, y) (8.3.1.1, 8.3.2.1). */
  static predictMode(x: i32, y: i32): i32 {
    const modes = Slice.intraModes + 16 * Mb.mb + 4 * y + x;
    let a: i32 = -1;
    let b: i32 = -1;
    if (x > 0) {
      a = <i32>load<i8>(modes - 1);
    } else if (Intra.counts(Mb.a)) {
      a = <i32>load<i8>(modes - 16, 3);
    }
    if (y > 0) {
      b = <i32>load<i8>(modes - 4);
    } else if (Intra.counts(Mb.b)) {
      b = <i32>load<i8>(Slice.intraModes + 16 * Mb.b + x, 12);
    }
    if (a < 0 || b < 0) return 2;
    return min(a, b);
  }

  /** prev_intraNxN_pred_mode_flag and rem_intraNxN_pred_mode of all blocks (7.3.5.1). */
  static readModes(): void {
    const modes = Slice.intraModes + 16 * Mb.mb;
    const step = Mb.isTransform8x8 ? 4 : 1;
    for (let k = 0; k < 16; k += step) {
      const x = <i32>load<u8>(BLOCK_X + k);
      const y = <i32>load<u8>(BLOCK_Y + k);
      let rem: i32;
      if (Slice.isCabac) {
        rem = CabacSyntax.intraPredMode();
      } else {
        const word = Bits.peek();
        rem = <i32>word < 0 ? -1 : <i32>(word >> 28);
        Bits.position += rem < 0 ? 1 : 4;
      }
      const predicted = Intra.predictMode(x, y);
      const mode = rem < 0 ? predicted : rem < predicted ? rem : rem + 1;
      const at = modes + 4 * y + x;
      if (step == 1) {
        store<u8>(at, <u8>mode);
      } else {
        store<u16>(at, <u16>(mode * 0x0101));
        store<u16>(at, <u16>(mode * 0x0101), 4);
      }
    }
  }

  /** False, and a fault, when a mode needs samples that are not there. */
  static demand(mode: i32, available: i32): bool {
    const needs = <i32>load<u8>(NEEDS + mode);
    if ((needs & available) == needs) return true;
    Slice.fail(FAULT_INTRA_SAMPLES);
    return false;
  }

  /** AVAILABLE bits of a block at (x, y) but for the top right ones. */
  static availableAt(x: i32, y: i32): i32 {
    const around = Intra.neighbours;
    if (x > 0) return y > 0 ? ALL_BUT_RIGHT : AVAILABLE_LEFT | ((around & AVAILABLE_TOP) != 0 ? 10 : 0);
    const left = around & AVAILABLE_LEFT;
    if (y == 0) return around & ALL_BUT_RIGHT;
    return AVAILABLE_TOP | (left != 0 ? AVAILABLE_LEFT | AVAILABLE_TOP_LEFT : 0);
  }

  static reconstruct4x4(): void {
    const stride = Slice.strideY;
    const modes = Slice.intraModes + 16 * Mb.mb;
    for (let k = 0; k < 16; k++) {
      const x = <i32>load<u8>(BLOCK_X + k);
      const y = <i32>load<u8>(BLOCK_Y + k);
      let available = Intra.availableAt(x, y);
      if (y > 0) {
        if (((HAS_TOP_RIGHT >> (4 * y + x)) & 1) != 0) available |= AVAILABLE_TOP_RIGHT;
      } else if (x < 3) {
        if ((Intra.neighbours & AVAILABLE_TOP) != 0) available |= AVAILABLE_TOP_RIGHT;
      } else {
        available |= Intra.neighbours & AVAILABLE_TOP_RIGHT;
      }
      const mode = <i32>load<u8>(modes + 4 * y + x);
      if (!Intra.demand(mode, available)) return;
      const dst = Mb.dstY + 4 * (<usize>y * stride + <usize>x);
      predictIntra4x4(dst, stride, mode, available);
      if (((Mb.codedMask >> k) & 1) == 0) continue;
      if (((Mb.dcOnlyMask >> k) & 1) != 0) {
        inverseTransform4x4DcAdd(dst, stride, Slice.coefficients + 32 * k);
      } else {
        inverseTransform4x4Add(dst, stride, Slice.coefficients + 32 * k);
      }
    }
  }

  static reconstruct8x8(): void {
    const stride = Slice.strideY;
    const modes = Slice.intraModes + 16 * Mb.mb;
    for (let block = 0; block < 4; block++) {
      const x = (block & 1) * 2;
      const y = block & 2;
      let available = Intra.availableAt(x, y);
      if (block == 0) {
        if ((Intra.neighbours & AVAILABLE_TOP) != 0) available |= AVAILABLE_TOP_RIGHT;
      } else if (block == 1) {
        available |= Intra.neighbours & AVAILABLE_TOP_RIGHT;
      } else if (block == 2) {
        available |= AVAILABLE_TOP_RIGHT;
      }
      const mode = <i32>load<u8>(modes + 4 * y + x);
      if (!Intra.demand(mode, available)) return;
      const dst = Mb.dstY + 4 * (<usize>y * stride + <usize>x);
      predictIntra8x8(dst, stride, mode, available);
      if (((Mb.codedMask >> (4 * block)) & 1) == 0) continue;
      if (((Mb.dcOnlyMask >> (4 * block)) & 1) != 0) {
        inverseTransform8x8DcAdd(dst, stride, Slice.coefficients + 128 * block);
      } else {
        inverseTransform8x8Add(dst, stride, Slice.coefficients + 128 * block);
      }
    }
  }

  static predict16x16(mode: i32): void {
    if (Intra.demand(NEEDS_16X16 + mode, Intra.neighbours)) {
      predictIntra16x16(Mb.dstY, Slice.strideY, mode, Intra.neighbours);
    }
  }

  static predictChroma(mode: i32): void {
    if (Intra.demand(NEEDS_CHROMA + mode, Intra.neighbours)) {
      predictIntraChroma(Mb.dstU, Slice.strideC, mode, Intra.neighbours);
      predictIntraChroma(Mb.dstV, Slice.strideC, mode, Intra.neighbours);
    }
  }
}
