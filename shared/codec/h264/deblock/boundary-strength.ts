// Comparison of motion for boundary strength (8.7.2.1). Called for every 4x4 edge without coefficients.

import type { SliceState } from '../decoder/slice-state.ts';

/** bS 1 or 0 of two inter blocks (8.7.2.1): different pictures, number of vectors, or vectors too far apart. */
export function motionDiffers(s: SliceState, mbQ: number, blockQ: number, mbP: number, blockP: number): number {
  const atQ = mbQ * 4 + ((blockQ >> 3) << 1) + ((blockQ >> 1) & 1);
  const atP = mbP * 4 + ((blockP >> 3) << 1) + ((blockP >> 1) & 1);
  const { refPic0, refPic1, mv0, mv1 } = s;
  const q0 = refPic0[atQ];
  const q1 = refPic1[atQ];
  const p0 = refPic0[atP];
  const p1 = refPic1[atP];
  const limitY = s.mbField[mbQ] === 1 ? 2 : 4;
  const vQ = mbQ * 16 + blockQ;
  const vP = mbP * 16 + blockP;
  if (q0 === p0 && q1 === p1) {
    const straight = (q0 >= 0 && isFar(mv0[vQ], mv0[vP], limitY)) || (q1 >= 0 && isFar(mv1[vQ], mv1[vP], limitY));
    if (!straight) {
      return 0;
    }
    if (q0 !== q1) {
      return 1;
    }
    return isFar(mv0[vQ], mv1[vP], limitY) || isFar(mv1[vQ], mv0[vP], limitY) ? 1 : 0;
  }
  if (q0 === p1 && q1 === p0) {
    return (q0 >= 0 && isFar(mv0[vQ], mv1[vP], limitY)) || (q1 >= 0 && isFar(mv1[vQ], mv0[vP], limitY)) ? 1 : 0;
  }
  return 1;
}

function isFar(a: number, b: number, limitY: number): boolean {
  const dx = ((a << 16) >> 16) - ((b << 16) >> 16);
  const dy = (a >> 16) - (b >> 16);
  return dx >= 4 || dx <= -4 || dy >= limitY || dy <= -limitY;
}
