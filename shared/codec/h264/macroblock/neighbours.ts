// Where the current macroblock lies and which macroblocks are its neighbours (6.4.9 to 6.4.12, Table 6-4). Called once per macroblock.

import type { SliceState } from '../decoder/slice-state.ts';

/** Sets address, position, strides and, with `locateNeighbours`, the neighbours. `isField` only matters in MBAFF frames. */
export function locateMacroblock(s: SliceState, mbAddr: number, isField: boolean): void {
  const width = s.PicWidthInMbs;
  s.mbAddr = mbAddr;
  let storageRow: number;
  if (s.MbaffFrameFlag) {
    const pair = mbAddr >> 1;
    s.mbX = pair % width;
    const pairRow = (pair - s.mbX) / width;
    storageRow = 2 * pairRow + (mbAddr & 1);
    s.isFieldMb = isField;
    const parity = mbAddr & 1;
    const firstRow = isField ? 32 * pairRow + parity : 16 * storageRow;
    s.strideY = isField ? 2 * s.frameStrideY : s.frameStrideY;
    s.strideC = isField ? 2 * s.frameStrideC : s.frameStrideC;
    s.dstY = s.picture.memory.y + firstRow * s.frameStrideY + 16 * s.mbX;
    const firstRowC = isField ? 16 * pairRow + parity : 8 * storageRow;
    s.dstU = s.picture.memory.u + firstRowC * s.frameStrideC + 8 * s.mbX;
    s.dstV = s.picture.memory.v + firstRowC * s.frameStrideC + 8 * s.mbX;
    s.lumaRow = isField ? 16 * pairRow : 16 * storageRow;
    s.refHeight = isField ? 8 * s.FrameHeightInMbs : 16 * s.FrameHeightInMbs;
    s.refBase = isField ? 128 * (1 + parity) : 0;
  } else {
    s.mbX = mbAddr % width;
    const row = (mbAddr - s.mbX) / width;
    if (s.isFieldPicture) {
      const parity = s.isBottomField ? 1 : 0;
      storageRow = 2 * row + parity;
      s.strideY = 2 * s.frameStrideY;
      s.strideC = 2 * s.frameStrideC;
      s.dstY = s.picture.memory.y + (32 * row + parity) * s.frameStrideY + 16 * s.mbX;
      s.dstU = s.picture.memory.u + (16 * row + parity) * s.frameStrideC + 8 * s.mbX;
      s.dstV = s.picture.memory.v + (16 * row + parity) * s.frameStrideC + 8 * s.mbX;
      s.isFieldMb = true;
      s.refHeight = 8 * s.FrameHeightInMbs;
    } else {
      storageRow = row;
      s.strideY = s.frameStrideY;
      s.strideC = s.frameStrideC;
      s.dstY = s.picture.memory.y + 16 * row * s.frameStrideY + 16 * s.mbX;
      s.dstU = s.picture.memory.u + 8 * row * s.frameStrideC + 8 * s.mbX;
      s.dstV = s.picture.memory.v + 8 * row * s.frameStrideC + 8 * s.mbX;
      s.isFieldMb = false;
      s.refHeight = 16 * s.FrameHeightInMbs;
    }
    s.lumaRow = 16 * row;
    s.refBase = 0;
  }
  s.mbY = storageRow;
  s.mb = storageRow * width + s.mbX;
}

/** Finds the neighbours A, B, C, D that are in the same slice. */
export function locateNeighbours(s: SliceState): void {
  if (s.MbaffFrameFlag) {
    locateMbaffNeighbours(s);
    return;
  }
  const { mb, mbX, PicWidthInMbs: width, sliceId } = s;
  const ids = s.store.sliceId;
  const above = s.isFieldPicture ? mb - 2 * width : mb - width;
  const left = mbX > 0 && ids[mb - 1] === sliceId ? mb - 1 : -1;
  s.mbA = left;
  if (above >= 0) {
    s.mbB = ids[above] === sliceId ? above : -1;
    s.mbC = mbX < width - 1 && ids[above + 1] === sliceId ? above + 1 : -1;
    s.mbD = mbX > 0 && ids[above - 1] === sliceId ? above - 1 : -1;
  } else {
    s.mbB = -1;
    s.mbC = -1;
    s.mbD = -1;
  }
  s.rowD = 3;
  const { leftMb, leftRow } = s;
  leftMb[0] = left;
  leftMb[1] = left;
  leftMb[2] = left;
  leftMb[3] = left;
  leftRow[0] = 0;
  leftRow[1] = 1;
  leftRow[2] = 2;
  leftRow[3] = 3;
}

/** Storage index of the top macroblock of a neighbouring pair in the same slice, or -1. */
function pairAt(s: SliceState, pairX: number, topRow: number): number {
  if (pairX < 0 || pairX >= s.PicWidthInMbs || topRow < 0) {
    return -1;
  }
  const index = topRow * s.PicWidthInMbs + pairX;
  return s.store.sliceId[index] === s.sliceId ? index : -1;
}

function locateMbaffNeighbours(s: SliceState): void {
  const width = s.PicWidthInMbs;
  const isBottom = (s.mbAddr & 1) === 1;
  const topRow = s.mbY & ~1;
  const pairA = pairAt(s, s.mbX - 1, topRow);
  const pairB = pairAt(s, s.mbX, topRow - 2);
  const pairC = pairAt(s, s.mbX + 1, topRow - 2);
  const pairD = pairAt(s, s.mbX - 1, topRow - 2);
  const { mbField, leftMb, leftRow } = s;
  s.rowD = 3;
  if (!s.isFieldMb) {
    if (isBottom) {
      s.mbB = s.mb - width;
      s.mbC = -1;
      if (pairA >= 0 && mbField[pairA] === 1) {
        s.mbD = pairA + width;
        s.rowD = 1;
      } else {
        s.mbD = pairA;
      }
    } else {
      s.mbB = pairB < 0 ? -1 : pairB + width;
      s.mbC = pairC < 0 ? -1 : pairC + width;
      s.mbD = pairD < 0 ? -1 : pairD + width;
    }
  } else if (isBottom) {
    s.mbB = pairB < 0 ? -1 : pairB + width;
    s.mbC = pairC < 0 ? -1 : pairC + width;
    s.mbD = pairD < 0 ? -1 : pairD + width;
  } else {
    s.mbB = pairB < 0 ? -1 : mbField[pairB] === 1 ? pairB : pairB + width;
    s.mbC = pairC < 0 ? -1 : mbField[pairC] === 1 ? pairC : pairC + width;
    s.mbD = pairD < 0 ? -1 : mbField[pairD] === 1 ? pairD : pairD + width;
  }
  for (let row = 0; row < 4; row++) {
    if (pairA < 0) {
      leftMb[row] = -1;
      leftRow[row] = row;
      continue;
    }
    const isLeftField = mbField[pairA] === 1;
    if (isLeftField === s.isFieldMb) {
      leftMb[row] = isBottom ? pairA + width : pairA;
      leftRow[row] = row;
    } else if (s.isFieldMb) {
      leftMb[row] = row < 2 ? pairA : pairA + width;
      leftRow[row] = row < 2 ? 2 * row : 2 * row - 4;
    } else {
      leftMb[row] = pairA;
      leftRow[row] = (row >> 1) + (isBottom ? 2 : 0);
    }
  }
  s.mbA = leftMb[0];
}

/** MBAFF: the macroblock and 4x4 row left of and above block row `row` >= 1, as storage index * 4 + row; -1 when not available. */
export function locateMbaffLeftAbove(s: SliceState, row: number): number {
  const width = s.PicWidthInMbs;
  const isBottom = (s.mbAddr & 1) === 1;
  const pairA = pairAt(s, s.mbX - 1, s.mbY & ~1);
  if (pairA < 0) {
    return -1;
  }
  const yN = 4 * row - 1;
  const isLeftField = s.mbField[pairA] === 1;
  if (isLeftField === s.isFieldMb) {
    return (isBottom ? pairA + width : pairA) * 4 + (yN >> 2);
  }
  if (s.isFieldMb) {
    // yN < 8: (yN << 1) + parity within the upper macroblock, else the lower.
    const y = 2 * yN + (isBottom ? 1 : 0);
    return (y < 16 ? pairA : pairA + width) * 4 + ((y & 15) >> 2);
  }
  const y = (yN + (isBottom ? 16 : 0)) >> 1;
  return ((yN & 1) === 1 ? pairA + width : pairA) * 4 + (y >> 2);
}
