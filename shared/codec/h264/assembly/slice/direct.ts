// Direct prediction of B macroblocks (8.4.1.2) where current and co-located pictures are frames: the same as macroblock/direct.ts
// without fields. Results are written into the caches for the 8x8 blocks asked for.

import { CACHE_ORIGIN, CACHE_STRIDE, Cache, Mb, Slice } from './context';
import { Motion, mvX, mvY, packMv } from './motion';

/** distScaleFactor of references that are not scaled. */
const NO_SCALE: i32 = 9999;

// @ts-ignore: decorator
@inline
function minPositive(a: i32, b: i32): i32 {
  return a >= 0 && b >= 0 ? min(a, b) : max(a, b);
}

/** colZeroFlag of the 4x4 block (x, y) without its first condition. */
function isColZero(x: i32, y: i32): bool {
  const block = 4 * Mb.mb + (y & 2) + (x >> 1);
  const ref0 = <i32>load<i8>(Slice.colRefIdx0 + block);
  if (ref0 > 0) return false;
  if (ref0 < 0 && load<i8>(Slice.colRefIdx1 + block) != 0) return false;
  const mv = load<i32>((ref0 == 0 ? Slice.colMv0 : Slice.colMv1) + 64 * Mb.mb + 16 * y + 4 * x);
  return <u32>(mvX(mv) + 1) <= 2 && <u32>(mvY(mv) + 1) <= 2;
}

export class Direct {
  /** Predicts the 8x8 blocks of `mask` (bits 0..3). Sets Mb.isUniform when all four come out alike. */
  static predict(mask: u32): void {
    if (Slice.isSpatial) {
      Direct.spatial(mask);
    } else {
      Direct.temporal(mask);
    }
  }

  // 8.4.1.2.2
  static spatial(mask: u32): void {
    const a = CACHE_ORIGIN - 1;
    const b = CACHE_ORIGIN - CACHE_STRIDE;
    const c0 = Motion.fetchC(Cache.ref0, Cache.mv0, 0, 0, 4);
    let ref0 = minPositive(<i32>load<i8>(Cache.ref0 + a), minPositive(<i32>load<i8>(Cache.ref0 + b), c0));
    const c1 = Motion.fetchC(Cache.ref1, Cache.mv1, 0, 0, 4);
    let ref1 = minPositive(<i32>load<i8>(Cache.ref1 + a), minPositive(<i32>load<i8>(Cache.ref1 + b), c1));
    let mv0: i32 = 0;
    let mv1: i32 = 0;
    if (ref0 < 0 && ref1 < 0) {
      ref0 = 0;
      ref1 = 0;
    } else {
      if (ref0 >= 0) {
        mv0 = Motion.predict(0, 0, 0, 4, ref0);
      } else {
        ref0 = -1;
      }
      if (ref1 >= 0) {
        mv1 = Motion.predict(1, 0, 0, 4, ref1);
      } else {
        ref1 = -1;
      }
    }
    // A zero vector stays what it is, and only reference 0 can become zero.
    const canBeZero = ((ref0 == 0 && mv0 != 0) || (ref1 == 0 && mv1 != 0)) && Slice.isColocatedShort;
    let zeros: u32 = 0;
    if (canBeZero && Slice.hasInference8x8) {
      zeros =
        <u32>isColZero(0, 0) | (<u32>isColZero(3, 0) << 1) | (<u32>isColZero(0, 3) << 2) | (<u32>isColZero(3, 3) << 3);
    }
    const zero0 = ref0 == 0 ? 0 : mv0;
    const zero1 = ref1 == 0 ? 0 : mv1;
    if (mask == 15 && (!canBeZero || (Slice.hasInference8x8 && (zeros == 0 || zeros == 15)))) {
      Mb.isUniform = true;
      store<u8>(Cache.ref0 + CACHE_ORIGIN, <u8>ref0);
      store<u8>(Cache.ref1 + CACHE_ORIGIN, <u8>ref1);
      store<i32>(Cache.mv0 + 4 * CACHE_ORIGIN, zeros != 0 ? zero0 : mv0);
      store<i32>(Cache.mv1 + 4 * CACHE_ORIGIN, zeros != 0 ? zero1 : mv1);
      return;
    }
    for (let block = 0; block < 4; block++) {
      if (((mask >> block) & 1) == 0) continue;
      const x = (block & 1) * 2;
      const y = block & 2;
      Motion.fillRef(0, x, y, 2, 2, ref0);
      Motion.fillRef(1, x, y, 2, 2, ref1);
      if (!canBeZero || Slice.hasInference8x8) {
        const isZero = ((zeros >> block) & 1) != 0;
        Motion.fillMv(0, x, y, 2, 2, isZero ? zero0 : mv0);
        Motion.fillMv(1, x, y, 2, 2, isZero ? zero1 : mv1);
        continue;
      }
      for (let sub = 0; sub < 4; sub++) {
        const subX = x + (sub & 1);
        const subY = y + (sub >> 1);
        const isZero = isColZero(subX, subY);
        Motion.fillMv(0, subX, subY, 1, 1, isZero ? zero0 : mv0);
        Motion.fillMv(1, subX, subY, 1, 1, isZero ? zero1 : mv1);
      }
    }
  }

  // 8.4.1.2.3
  static temporal(mask: u32): void {
    for (let block = 0; block < 4; block++) {
      if (((mask >> block) & 1) == 0) continue;
      const x = (block & 1) * 2;
      const y = block & 2;
      if (Slice.hasInference8x8) {
        Direct.temporalBlock(x == 0 ? 0 : 3, y == 0 ? 0 : 3, x, y, 2);
      } else {
        for (let sub = 0; sub < 4; sub++) {
          const subX = x + (sub & 1);
          const subY = y + (sub >> 1);
          Direct.temporalBlock(subX, subY, subX, subY, 1);
        }
      }
    }
  }

  /** One vector set: co-located with block (colX, colY), written to `size` x `size` blocks at (x, y). */
  static temporalBlock(colX: i32, colY: i32, x: i32, y: i32, size: i32): void {
    let refIdxL0: i32 = 0;
    let mvCol: i32 = 0;
    if (Slice.hasColocated) {
      const block = 4 * Mb.mb + (colY & 2) + (colX >> 1);
      const at = 64 * Mb.mb + 16 * colY + 4 * colX;
      let refPicCol = <i32>load<i8>(Slice.colRefPic0 + block);
      if (refPicCol >= 0) {
        mvCol = load<i32>(Slice.colMv0 + at);
      } else {
        refPicCol = <i32>load<i8>(Slice.colRefPic1 + block);
        if (refPicCol >= 0) mvCol = load<i32>(Slice.colMv1 + at);
      }
      if (refPicCol >= 0) refIdxL0 = Direct.mapColToList0(refPicCol);
    }
    let mvL0 = mvCol;
    let mvL1: i32 = 0;
    const scale = load<i32>(Slice.distScale + 4 * refIdxL0);
    if (scale != NO_SCALE) {
      const x0 = (scale * mvX(mvCol) + 128) >> 8;
      const y0 = (scale * mvY(mvCol) + 128) >> 8;
      mvL0 = packMv(x0, y0);
      mvL1 = packMv(x0 - mvX(mvCol), y0 - mvY(mvCol));
    }
    Motion.fillRef(0, x, y, size, size, refIdxL0);
    Motion.fillRef(1, x, y, size, size, 0);
    Motion.fillMv(0, x, y, size, size, mvL0);
    Motion.fillMv(1, x, y, size, size, mvL1);
  }

  static mapColToList0(refPicCol: i32): i32 {
    for (let i = 0; i < Slice.numRef0; i++) {
      if (load<i32>(Slice.references + 16 * i, 12) == refPicCol) return i;
    }
    return 0;
  }
}
