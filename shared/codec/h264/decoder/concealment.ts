// Concealment of macroblocks that no slice covered (not normative). They are filled from the edge of what was received inwards: each moves
// as one of its neighbours does, whichever continues the samples around it best (concealment-motion.ts). Where nothing can be moved, the
// samples around are continued (concealment-samples.ts). Called by picture-decoder.ts before deblocking.

import type { Picture } from '../dpb/picture.ts';
import { locateMacroblock } from '../macroblock/neighbours.ts';
import { MB_INTER, MB_INTRA_16X16 } from '../macroblock/mb-types.ts';
import { MotionConcealment, type Motion } from './concealment-motion.ts';
import { continueSamples, fillGrey } from './concealment-samples.ts';
import type { SliceState } from './slice-state.ts';

/** Sides of a macroblock, in the order of the offsets below. */
const SIDES = [
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
] as const;

/** What is known of a macroblock. */
const MISSING = 0;
const QUEUED = 1;
const CONCEALED = 2;
const RECEIVED = 3;

/** Mean difference of samples around a macroblock above which motion does not explain them: the scene has changed. */
const SCENE_CHANGE = 40;

/**
 * Fills the missing macroblocks of the current picture. `reference` is the picture before; null: there is none. `pictures` are all frame
 * stores, by slot.
 */
export function concealPicture(s: SliceState, reference: Picture | null, pictures: readonly Picture[]): void {
  const { PicWidthInMbs: width, PicHeightInMbs: height } = s;
  const known = new Uint8Array(width * height);
  for (let place = 0; place < known.length; place++) {
    locate(s, place);
    known[place] = s.store.sliceId[s.mb] >= 0 ? RECEIVED : MISSING;
  }
  const motion = reference === null ? null : new MotionConcealment(s, reference, pictures);
  const knows = (place: number, side: number, least: number): boolean => {
    const [dx, dy] = SIDES[side];
    const x = (place % width) + dx;
    const y = (place - (place % width)) / width + dy;
    return x >= 0 && x < width && y >= 0 && y < height && known[y * width + x] >= least;
  };
  const queue = new Int32Array(known.length);
  let end = 0;
  const enqueue = (place: number): void => {
    known[place] = QUEUED;
    queue[end++] = place;
  };
  for (let place = 0; place < known.length; place++) {
    if (known[place] === MISSING && SIDES.some((_, side) => knows(place, side, RECEIVED))) {
      enqueue(place);
    }
  }
  if (end === 0) {
    // nothing was received
    for (let place = 0; place < known.length; place++) {
      enqueue(place);
    }
  }
  for (let next = 0; next < end; next++) {
    const place = queue[next];
    locate(s, place);
    // samples that were received say more than those that were made up
    const least = SIDES.some((_, side) => knows(place, side, RECEIVED)) ? RECEIVED : CONCEALED;
    const sides = SIDES.map((_, side) => knows(place, side, least));
    concealMacroblock(s, motion, sides);
    known[place] = CONCEALED;
    for (const [side, [dx, dy]] of SIDES.entries()) {
      if (knows(place, side, MISSING)) {
        const beside = place + dy * width + dx;
        if (known[beside] === MISSING) {
          enqueue(beside);
        }
      }
    }
  }
}

/** Makes a macroblock, by its place in the picture, the current one. Missing macroblocks of MBAFF frames count as frame macroblocks. */
function locate(s: SliceState, place: number): void {
  const { PicWidthInMbs: width } = s;
  if (!s.MbaffFrameFlag) {
    locateMacroblock(s, place, s.isFieldPicture);
    return;
  }
  const x = place % width;
  const row = (place - x) / width;
  locateMacroblock(s, 2 * ((row >> 1) * width + x) + (row & 1), false);
}

function concealMacroblock(s: SliceState, motion: MotionConcealment | null, sides: readonly boolean[]): void {
  const best = motion?.choose(sides) ?? null;
  const canContinue = sides.includes(true);
  if (motion !== null && best !== null && (best.difference <= SCENE_CHANGE || !canContinue)) {
    motion.predict(best);
    setMotion(s, best);
    return;
  }
  if (canContinue) {
    continueSamples(s, sides);
  } else {
    fillGrey(s);
  }
  setMotion(s, null);
}

/** What later pictures, the filter and the inspector see of the macroblock; null: it has no motion. */
function setMotion(s: SliceState, motion: Motion | null): void {
  const { mb, store } = s;
  store.kind[mb] = motion === null ? MB_INTRA_16X16 : MB_INTER;
  store.nonZero[mb] = 0;
  store.cbp[mb] = 0;
  store.qp[mb] = 0;
  store.mbType[mb] = 255;
  s.mbField[mb] = s.isFieldMb ? 1 : 0;
  s.mv0.fill(motion?.mv ?? 0, mb * 16, mb * 16 + 16);
  s.mv1.fill(0, mb * 16, mb * 16 + 16);
  for (let i = mb * 4; i < mb * 4 + 4; i++) {
    s.refIdx0[i] = motion === null ? -1 : 0;
    s.refPic0[i] = motion === null ? -1 : motion.picture.slot * 4 + motion.structure;
    s.refIdx1[i] = -1;
    s.refPic1[i] = -1;
  }
}
