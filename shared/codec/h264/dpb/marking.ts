// Decoded reference picture marking (8.2.5): sliding window, memory management control operations, long-term references.
// Called once per reference picture, after it is decoded. What an operation names and is not there is counted, not fatal.

import type { DecRefPicMarking } from '../syntax/marking-syntax.ts';
import { FRAME, type Picture, type Structure } from './picture.ts';
import { findLongTerm, findShortTerm, updateFrameNumWrap } from './reference-lists.ts';

const { max } = Math;

/** "no long-term frame indices" (8.2.5.4.4). */
export const NO_LONG_TERM_FRAME_INDICES = -1;

/** What marking works on. */
export type MarkingInput = {
  /** Stored frames; the current one is among them when its first field was stored before. */
  readonly frames: readonly Picture[];
  readonly current: Picture;
  /** Structure of the picture that was decoded last. */
  readonly structure: Structure;
  readonly frame_num: number;
  readonly MaxFrameNum: number;
  readonly max_num_ref_frames: number;
  readonly MaxLongTermFrameIdx: number;
};

/** What marking found. */
export type MarkingResult = {
  readonly MaxLongTermFrameIdx: number;
  /** memory_management_control_operation 5 was there. */
  readonly hasReset: boolean;
  /** Operations that named a picture which is not there. */
  readonly missing: number;
};

/** Marks all references and the current picture. */
export function markReferences(marking: DecRefPicMarking, input: MarkingInput): MarkingResult {
  const { current, structure } = input;
  if (marking.kind === 'idr') {
    for (const frame of input.frames) {
      if (frame !== current) {
        unmark(frame, FRAME);
      }
    }
    if (marking.long_term_reference_flag) {
      current.longTerm |= structure;
      current.LongTermFrameIdx = 0;
      return { MaxLongTermFrameIdx: 0, hasReset: false, missing: 0 };
    }
    current.shortTerm |= structure;
    return { MaxLongTermFrameIdx: NO_LONG_TERM_FRAME_INDICES, hasReset: false, missing: 0 };
  }
  if (marking.kind === 'sliding-window') {
    const isSecondOfShortTerm = (current.shortTerm & (FRAME - structure)) !== 0 && structure !== FRAME;
    if (!isSecondOfShortTerm) {
      slideWindow(input);
    }
    current.shortTerm |= structure;
    return { MaxLongTermFrameIdx: input.MaxLongTermFrameIdx, hasReset: false, missing: 0 };
  }
  const result = runOperations(marking.operations, input);
  if ((current.longTerm & structure) === 0) {
    current.shortTerm |= structure;
  }
  // A stream that marks more than it may: the oldest go, so that the buffer stays bounded.
  enforceLimit(input);
  return result;
}

/** Takes marks off fields of a frame. */
function unmark(frame: Picture, structure: Structure): void {
  frame.shortTerm &= ~structure;
  frame.longTerm &= ~structure;
}

// 8.2.5.3
function slideWindow(input: MarkingInput): void {
  updateFrameNumWrap(input.frames, input.frame_num, input.MaxFrameNum);
  const limit = max(input.max_num_ref_frames, 1);
  for (;;) {
    const marked = input.frames.filter((frame) => frame.isMarked && frame !== input.current);
    if (marked.length < limit) {
      return;
    }
    const short = marked.filter((frame) => frame.shortTerm !== 0);
    const victims = short.length > 0 ? short : marked;
    unmark(
      victims.reduce((oldest, frame) => (frame.FrameNumWrap < oldest.FrameNumWrap ? frame : oldest)),
      FRAME,
    );
  }
}

function enforceLimit(input: MarkingInput): void {
  const limit = max(input.max_num_ref_frames, 1);
  const others = input.frames.filter((frame) => frame.isMarked && frame !== input.current);
  if (others.length + 1 > limit) {
    slideWindow(input);
  }
}

// 8.2.5.4
function runOperations(
  operations: readonly { readonly operation: number; readonly first: number; readonly second: number }[],
  input: MarkingInput,
): MarkingResult {
  const { frames, current, structure } = input;
  const CurrPicNum = structure === FRAME ? input.frame_num : 2 * input.frame_num + 1;
  let { MaxLongTermFrameIdx } = input;
  let hasReset = false;
  let missing = 0;
  updateFrameNumWrap(frames, input.frame_num, input.MaxFrameNum);
  for (const { operation, first, second } of operations) {
    if (operation === 1) {
      const found = findShortTerm(frames, structure, CurrPicNum - (first + 1));
      if (found === null) {
        missing++;
      } else {
        found.picture.shortTerm &= ~found.structure;
      }
    } else if (operation === 2) {
      const found = findLongTerm(frames, structure, first);
      if (found === null) {
        missing++;
      } else {
        found.picture.longTerm &= ~found.structure;
      }
    } else if (operation === 3) {
      const found = findShortTerm(frames, structure, CurrPicNum - (first + 1));
      if (found === null) {
        missing++;
      } else {
        freeLongTermFrameIdx(frames, second, found.picture);
        found.picture.shortTerm &= ~found.structure;
        found.picture.longTerm |= found.structure;
        found.picture.LongTermFrameIdx = second;
      }
    } else if (operation === 4) {
      MaxLongTermFrameIdx = first - 1;
      for (const frame of frames) {
        if (frame.longTerm !== 0 && frame.LongTermFrameIdx > MaxLongTermFrameIdx) {
          frame.longTerm = 0;
        }
      }
    } else if (operation === 5) {
      for (const frame of frames) {
        unmark(frame, FRAME);
      }
      MaxLongTermFrameIdx = NO_LONG_TERM_FRAME_INDICES;
      hasReset = true;
    } else {
      freeLongTermFrameIdx(frames, first, current);
      current.shortTerm &= ~structure;
      current.longTerm |= structure;
      current.LongTermFrameIdx = first;
    }
  }
  return { MaxLongTermFrameIdx, hasReset, missing };
}

/** Unmarks the frame that holds a long-term index, unless it is `except` with that very index. */
function freeLongTermFrameIdx(frames: readonly Picture[], index: number, except: Picture): void {
  for (const frame of frames) {
    if (frame.longTerm !== 0 && frame.LongTermFrameIdx === index && frame !== except) {
      frame.longTerm = 0;
    }
  }
  if (except.longTerm !== 0 && except.LongTermFrameIdx !== index) {
    except.longTerm = 0;
  }
}
