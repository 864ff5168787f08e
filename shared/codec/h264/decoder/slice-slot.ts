// Where a slice is kept that is prepared for the slice kernel: its context (kernels/slice-context.ts), its job (threads/picture-rows.ts)
// and its context variables, in the codec's memory. Filled by slice-rows.ts.

import type { Pointer } from '../kernels/kernels.ts';
import { DIST_SCALE_AT, SLICE_CONTEXT_BYTES, SLICE_CONTEXT_WORDS } from '../kernels/slice-context.ts';
import { PICTURE_WORDS_BYTES, ROW_JOB_BYTES } from '../threads/picture-rows.ts';

const CABAC_CONTEXT_BYTES = 1024;
const SLOT_BYTES = SLICE_CONTEXT_BYTES + ROW_JOB_BYTES + CABAC_CONTEXT_BYTES;

/** Bytes of what the slices of a picture hand on to each other, and of so many slots behind it. */
export function sliceRowBytes(slots: number): number {
  return PICTURE_WORDS_BYTES + slots * SLOT_BYTES;
}

/** One prepared slice. */
export class SliceSlot {
  readonly context: Pointer;
  readonly job: Pointer;
  readonly words: Int32Array;
  /** The weights of the context. */
  readonly halves: Int16Array;
  readonly jobWords: Int32Array;
  readonly cabacContexts: Uint8Array;

  /** The slot with number `index` of an area of sliceRowBytes. */
  constructor(buffer: ArrayBufferLike, area: Pointer, index: number) {
    this.context = area + PICTURE_WORDS_BYTES + index * SLOT_BYTES;
    this.job = this.context + SLICE_CONTEXT_BYTES;
    this.words = new Int32Array(buffer, this.context, SLICE_CONTEXT_BYTES / 4);
    this.halves = new Int16Array(buffer, this.context, DIST_SCALE_AT / 2);
    this.jobWords = new Int32Array(buffer, this.job, ROW_JOB_BYTES / 4);
    this.cabacContexts = new Uint8Array(buffer, this.job + ROW_JOB_BYTES, CABAC_CONTEXT_BYTES);
  }

  /** Sets words of the context. */
  set(values: Partial<Record<(typeof SLICE_CONTEXT_WORDS)[number], number>>): void {
    for (const [word, value] of Object.entries(values)) {
      this.words[SLICE_CONTEXT_WORDS.indexOf(word as (typeof SLICE_CONTEXT_WORDS)[number])] = value;
    }
  }
}
