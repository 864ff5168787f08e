// Concealment of macroblocks that no slice covered (not normative): a copy of the reference moved as the neighbours moved, or of the
// decoded samples around where there is no reference. Called by picture-decoder.ts before deblocking.

import type { Picture } from '../dpb/picture.ts';
import { locateMacroblock } from '../macroblock/neighbours.ts';
import { MB_INTER } from '../macroblock/mb-types.ts';
import type { SliceState } from './slice-state.ts';

/** Fills the missing macroblocks of the current picture from `reference`; with null they become grey. */
export function concealPicture(s: SliceState, reference: Picture | null): void {
  const count = s.PicWidthInMbs * s.PicHeightInMbs;
  for (let mbAddr = 0; mbAddr < count; mbAddr++) {
    locateMacroblock(s, mbAddr, s.isFieldPicture);
    if (s.store.sliceId[s.mb] >= 0) {
      continue;
    }
    concealMacroblock(s, reference);
  }
}

function concealMacroblock(s: SliceState, reference: Picture | null): void {
  const { mb, store, bytes } = s;
  for (let y = 0; y < 16; y++) {
    const to = s.dstY + y * s.strideY;
    copyOrGrey(bytes, to, reference === null ? -1 : to - s.picture.memory.y + reference.memory.y, 16);
  }
  for (let y = 0; y < 8; y++) {
    const u = s.dstU + y * s.strideC;
    copyOrGrey(bytes, u, reference === null ? -1 : u - s.picture.memory.u + reference.memory.u, 8);
    const v = s.dstV + y * s.strideC;
    copyOrGrey(bytes, v, reference === null ? -1 : v - s.picture.memory.v + reference.memory.v, 8);
  }
  store.kind[mb] = MB_INTER;
  store.nonZero[mb] = 0;
  store.cbp[mb] = 0;
  store.qp[mb] = 0;
  store.mbType[mb] = 255;
  s.mbField[mb] = s.isFieldMb ? 1 : 0;
  s.mv0.fill(0, mb * 16, mb * 16 + 16);
  s.mv1.fill(0, mb * 16, mb * 16 + 16);
  for (let i = mb * 4; i < mb * 4 + 4; i++) {
    s.refIdx0[i] = reference === null ? -1 : 0;
    s.refPic0[i] = reference === null ? -1 : reference.slot * 4 + 3;
    s.refIdx1[i] = -1;
    s.refPic1[i] = -1;
  }
}

function copyOrGrey(bytes: Uint8Array, to: number, from: number, length: number): void {
  if (from < 0) {
    bytes.fill(128, to, to + length);
  } else {
    bytes.copyWithin(to, from, from + length);
  }
}
