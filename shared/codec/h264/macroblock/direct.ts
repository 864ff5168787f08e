// Direct prediction of B macroblocks (8.4.1.2): spatial (8.4.1.2.2) and temporal (8.4.1.2.3), for frames, fields and MBAFF alike.
//
// The storage order of motion (dpb/picture.ts) makes Table 8-6 four cases: current and co-located macroblock are each of frame or field
// kind. The caches of both lists must be filled from the neighbours; results are written into them for the 8x8 blocks asked for.

import { BOTTOM_FIELD, FRAME } from '../dpb/picture.ts';
import type { SliceState } from '../decoder/slice-state.ts';
import { CACHE_ORIGIN, CACHE_STRIDE } from '../decoder/slice-state.ts';
import { fillMv, fillRef, mvX, mvY, packMv, predictMv, referenceOfC } from './mv-prediction.ts';

const { abs } = Math;

/** Where locateColocated left its result. */
let colIndex = 0;
let colRow = 0;
let colColumn = 0;
/** 0 One_To_One, 1 Frm_To_Fld, 2 Fld_To_Frm. */
let vertMvScale = 0;

/** Finds the co-located 4x4 block of the block at column x, row y (8.4.1.2.1, Table 8-6). */
function locateColocated(s: SliceState, x: number, y: number): void {
  const col = s.colocated!.picture;
  const width = s.PicWidthInMbs;
  const isColField = col.isFieldCoded || col.memory.mbField[s.mb] === 1;
  colColumn = x;
  const pairRow = s.mbY & ~1;
  if (s.isFieldMb) {
    if (isColField) {
      // A field of another parity is meant only where it was coded as a field.
      const isOwnParity = !s.isFieldPicture || !col.isFieldCoded;
      const row = isOwnParity ? s.mbY : pairRow + (s.colocated!.structure === BOTTOM_FIELD ? 1 : 0);
      colIndex = row * width + s.mbX;
      colRow = y;
      vertMvScale = 0;
    } else {
      colIndex = (pairRow + (y >> 1)) * width + s.mbX;
      colRow = (2 * y) & 3;
      // yM = (2 * yCol) % 16 of the corner rows 0 and 12 is 0 and 8.
      vertMvScale = 1;
    }
  } else if (isColField) {
    const order = s.picture.orderOf(FRAME);
    const topDistance = abs(col.TopFieldOrderCnt - order);
    const bottomDistance = abs(col.BottomFieldOrderCnt - order);
    colIndex = (pairRow + (topDistance < bottomDistance ? 0 : 1)) * width + s.mbX;
    colRow = 2 * (s.mbY & 1) + (y >> 1);
    vertMvScale = 2;
  } else {
    colIndex = s.mb;
    colRow = y;
    vertMvScale = 0;
  }
}

/** Predicts the 8x8 blocks of `mask` (bits 0..3) in direct mode. Sets s.isUniform when all four come out alike (see there). */
export function predictDirect(s: SliceState, mask: number): void {
  if (s.direct_spatial_mv_pred_flag) {
    predictSpatial(s, mask);
  } else {
    predictTemporal(s, mask);
  }
}

function minPositive(a: number, b: number): number {
  return a >= 0 && b >= 0 ? (a < b ? a : b) : a > b ? a : b;
}

// 8.4.1.2.2
function predictSpatial(s: SliceState, mask: number): void {
  const a = CACHE_ORIGIN - 1;
  const b = CACHE_ORIGIN - CACHE_STRIDE;
  let ref0 = minPositive(s.refCache0[a], minPositive(s.refCache0[b], referenceOfC(s, 0)));
  let ref1 = minPositive(s.refCache1[a], minPositive(s.refCache1[b], referenceOfC(s, 1)));
  let mv0 = 0;
  let mv1 = 0;
  if (ref0 < 0 && ref1 < 0) {
    ref0 = 0;
    ref1 = 0;
  } else {
    if (ref0 >= 0) {
      predictMv(s, 0, 0, 0, 4, ref0);
      mv0 = packMv(s.mvpX, s.mvpY);
    } else {
      ref0 = -1;
    }
    if (ref1 >= 0) {
      predictMv(s, 1, 0, 0, 4, ref1);
      mv1 = packMv(s.mvpX, s.mvpY);
    } else {
      ref1 = -1;
    }
  }
  // A zero vector stays what it is, and only reference 0 can become zero.
  const canBeZero = ((ref0 === 0 && mv0 !== 0) || (ref1 === 0 && mv1 !== 0)) && isShortTermColocated(s);
  let zeros = 0;
  if (canBeZero && s.direct_8x8_inference_flag) {
    for (let block = 0; block < 4; block++) {
      zeros |= isColZero(s, (block & 1) * 3, (block >> 1) * 3) ? 1 << block : 0;
    }
  }
  if (mask === 15 && (!canBeZero || (s.direct_8x8_inference_flag && (zeros === 0 || zeros === 15)))) {
    s.isUniform = true;
    s.refCache0[CACHE_ORIGIN] = ref0;
    s.refCache1[CACHE_ORIGIN] = ref1;
    s.mvCache0[CACHE_ORIGIN] = zeros !== 0 && ref0 === 0 ? 0 : mv0;
    s.mvCache1[CACHE_ORIGIN] = zeros !== 0 && ref1 === 0 ? 0 : mv1;
    return;
  }
  for (let block = 0; block < 4; block++) {
    if (((mask >> block) & 1) === 0) {
      continue;
    }
    const x = (block & 1) * 2;
    const y = block & 2;
    fillRef(s, 0, x, y, 2, 2, ref0);
    fillRef(s, 1, x, y, 2, 2, ref1);
    if (!canBeZero) {
      fillMv(s, 0, x, y, 2, 2, mv0);
      fillMv(s, 1, x, y, 2, 2, mv1);
    } else if (s.direct_8x8_inference_flag) {
      const isZero = ((zeros >> block) & 1) === 1;
      fillMv(s, 0, x, y, 2, 2, isZero && ref0 === 0 ? 0 : mv0);
      fillMv(s, 1, x, y, 2, 2, isZero && ref1 === 0 ? 0 : mv1);
    } else {
      for (let sub = 0; sub < 4; sub++) {
        const subX = x + (sub & 1);
        const subY = y + (sub >> 1);
        const isZero = isColZero(s, subX, subY);
        fillMv(s, 0, subX, subY, 1, 1, isZero && ref0 === 0 ? 0 : mv0);
        fillMv(s, 1, subX, subY, 1, 1, isZero && ref1 === 0 ? 0 : mv1);
      }
    }
  }
}

function isShortTermColocated(s: SliceState): boolean {
  const { colocated } = s;
  return colocated !== null && (colocated.picture.longTerm & colocated.structure) === 0;
}

/** colZeroFlag without its first condition. */
function isColZero(s: SliceState, x: number, y: number): boolean {
  locateColocated(s, x, y);
  const { refIdx, mv } = s.colocated!.picture.memory;
  const block = colIndex * 4 + (colRow & 2) + (colColumn >> 1);
  const at = colIndex * 16 + colRow * 4 + colColumn;
  const ref0 = refIdx[0][block];
  if (ref0 < 0 && refIdx[1][block] !== 0) {
    return false;
  }
  if (ref0 > 0) {
    return false;
  }
  const vector = ref0 === 0 ? mv[0][at] : mv[1][at];
  const dx = mvX(vector);
  const dy = mvY(vector);
  return dx >= -1 && dx <= 1 && dy >= -1 && dy <= 1;
}

// 8.4.1.2.3
function predictTemporal(s: SliceState, mask: number): void {
  for (let block = 0; block < 4; block++) {
    if (((mask >> block) & 1) === 0) {
      continue;
    }
    const x = (block & 1) * 2;
    const y = block & 2;
    if (s.direct_8x8_inference_flag) {
      temporalBlock(s, x === 0 ? 0 : 3, y === 0 ? 0 : 3, x, y, 2);
    } else {
      for (let sub = 0; sub < 4; sub++) {
        const subX = x + (sub & 1);
        const subY = y + (sub >> 1);
        temporalBlock(s, subX, subY, subX, subY, 1);
      }
    }
  }
}

/** One vector set: co-located with block (colX, colY), written to `size` x `size` blocks at (x, y). */
function temporalBlock(s: SliceState, colX: number, colY: number, x: number, y: number, size: number): void {
  let refIdxL0 = 0;
  let mvCol = 0;
  if (s.colocated !== null) {
    locateColocated(s, colX, colY);
    const { refPic, mv } = s.colocated.picture.memory;
    const block = colIndex * 4 + (colRow & 2) + (colColumn >> 1);
    const at = colIndex * 16 + colRow * 4 + colColumn;
    let refPicCol = refPic[0][block];
    if (refPicCol >= 0) {
      mvCol = mv[0][at];
    } else {
      refPicCol = refPic[1][block];
      mvCol = refPicCol >= 0 ? mv[1][at] : 0;
    }
    if (refPicCol >= 0) {
      refIdxL0 = mapColToList0(s, refPicCol);
      if (vertMvScale === 1) {
        mvCol = packMv(mvX(mvCol), (mvY(mvCol) / 2) | 0);
      } else if (vertMvScale === 2) {
        mvCol = packMv(mvX(mvCol), mvY(mvCol) * 2);
      }
    }
  }
  let mvL0 = mvCol;
  let mvL1 = 0;
  const scale = s.distScaleFactor[(s.refBase >> 1) + refIdxL0];
  if (scale !== NO_SCALE) {
    const x0 = (scale * mvX(mvCol) + 128) >> 8;
    const y0 = (scale * mvY(mvCol) + 128) >> 8;
    mvL0 = packMv(x0, y0);
    mvL1 = packMv(x0 - mvX(mvCol), y0 - mvY(mvCol));
  }
  fillRef(s, 0, x, y, size, size, refIdxL0);
  fillRef(s, 1, x, y, size, size, 0);
  fillMv(s, 0, x, y, size, size, mvL0);
  fillMv(s, 1, x, y, size, size, mvL1);
}

/** distScaleFactor of references that are not scaled: long-term, or as far as the list 1 reference. */
export const NO_SCALE = 9999;

function mapColToList0(s: SliceState, refPicCol: number): number {
  let wanted = refPicCol;
  if (vertMvScale === 1) {
    const isBottom = s.isFieldPicture ? s.isBottomField : (s.mbAddr & 1) === 1;
    wanted = (refPicCol & ~3) | (isBottom ? 2 : 1);
  } else if (vertMvScale === 2) {
    wanted = refPicCol | 3;
  }
  const count = s.refBase > 0 ? 2 * s.numRef0 : s.numRef0;
  for (let i = 0; i < count; i++) {
    if (s.refId[s.refBase + i] === wanted) {
      return i;
    }
  }
  return 0;
}
