// What the inspector draws over a picture: a copy of the macroblock store and the motion of the picture just decoded, compact enough to
// go to another thread with every picture. Made from the decoder's trace (`picture`); costs nothing where nobody asks.

import type { SliceState } from './slice-state.ts';

/** Vectors kept per macroblock and list: the first 4x4 block of each 8x8 block. */
const BLOCKS = 4;

/** One decoded frame, macroblocks row by row of the frame (a field macroblock of parity p lies in row p of its pair). */
export type PictureInspection = {
  readonly widthInMbs: number;
  readonly heightInMbs: number;
  /** Luma samples cut off on the left and on top (frame_cropping). */
  readonly cropLeft: number;
  readonly cropTop: number;
  /** Kind bits of macroblock/mb-types.ts. */
  readonly kinds: Uint8Array;
  /** QPY. */
  readonly qp: Int8Array;
  /** 1: coded in field mode. */
  readonly fields: Uint8Array;
  /** Reference indices: index (list * macroblocks + macroblock) * 4 + 8x8 block; -1 where the list is not used. */
  readonly refs: Int8Array;
  /** Vectors in quarter samples: twice the index of `refs`, x then y. */
  readonly vectors: Int16Array;
};

/** Copies what is known of the current picture. Call from the trace's `picture`, before the next picture begins. */
export function inspectPicture(
  s: SliceState,
  crop: { readonly left: number; readonly top: number },
): PictureInspection {
  const macroblocks = s.PicWidthInMbs * s.FrameHeightInMbs;
  const refs = new Int8Array(2 * macroblocks * BLOCKS);
  const vectors = new Int16Array(4 * macroblocks * BLOCKS);
  for (let list = 0; list < 2; list++) {
    const refIdx = list === 0 ? s.refIdx0 : s.refIdx1;
    const mv = list === 0 ? s.mv0 : s.mv1;
    refs.set(refIdx.subarray(0, macroblocks * BLOCKS), list * macroblocks * BLOCKS);
    for (let i = 0; i < macroblocks * BLOCKS; i++) {
      if (refIdx[i] >= 0) {
        const block = i % BLOCKS;
        const vector = mv[(i - block) * 4 + (block >> 1) * 8 + (block & 1) * 2];
        const at = 2 * (list * macroblocks * BLOCKS + i);
        vectors[at] = (vector << 16) >> 16;
        vectors[at + 1] = vector >> 16;
      }
    }
  }
  return {
    widthInMbs: s.PicWidthInMbs,
    heightInMbs: s.FrameHeightInMbs,
    cropLeft: crop.left,
    cropTop: crop.top,
    kinds: s.store.kind.slice(0, macroblocks),
    qp: s.store.qp.slice(0, macroblocks),
    fields: s.mbField.slice(0, macroblocks),
    refs,
    vectors,
  };
}
