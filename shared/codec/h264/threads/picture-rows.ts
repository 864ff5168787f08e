// Decodes the rows of a slice by the slice kernel and filters (8.7) what cannot change any more, one row behind: intra prediction needs the
// row above unfiltered. Works on the codec's memory alone, so that it is the same in the caller's thread and in a lent one. Called by
// decoder/slice-rows.ts and decoder-thread.ts.

import type { Pointer } from '../kernels/kernels.ts';
import { FIRST_FAULT, SLICE_CONTEXT_WORDS, SLICE_ENDED } from '../kernels/slice-context.ts';
import type { SliceKernels } from '../kernels/slice-kernels.ts';

/** What a slice's job is, as Int32 words in the codec's memory. */
export const ROW_JOB = {
  /** Pointer to the slice context. */
  context: 0,
  /** Pointer to the strength parameters of the picture (kernels/row-deblock-kernels.ts). */
  strengths: 1,
  /** 1: all macroblocks before the slice are decoded, so that rows can be filtered as they become complete. */
  isFiltering: 2,
  /** In/out: rows of the picture that are filtered. */
  filteredRows: 3,
  /** Out: what decodeMacroblockRow returned last. */
  result: 4,
  /** JOB_IDLE, JOB_RUNNING or JOB_DONE; used with a lent thread. */
  state: 5,
} as const;
export const ROW_JOB_BYTES = 32;

export const JOB_IDLE = 0;
export const JOB_RUNNING = 1;
export const JOB_DONE = 2;

const indexOf = (word: (typeof SLICE_CONTEXT_WORDS)[number]): number => SLICE_CONTEXT_WORDS.indexOf(word);
const MB_ADDR = indexOf('mbAddr');
const WIDTH = indexOf('PicWidthInMbs');
const HEIGHT = indexOf('FrameHeightInMbs');
const STRIDE_Y = indexOf('strideY');
const STRIDE_C = indexOf('strideC');
const Y = indexOf('y');
const U = indexOf('u');
const V = indexOf('v');

/** Runs slices' jobs on one memory. */
export class PictureRows {
  private readonly kernels: SliceKernels;
  private readonly words: Int32Array;

  constructor(memory: WebAssembly.Memory, kernels: SliceKernels) {
    this.kernels = kernels;
    this.words = new Int32Array(memory.buffer);
  }

  /** Runs the job at `job` to its end. `onRow` is called after each row with the rows that are filtered; it may throw. */
  run(job: Pointer, onRow: (filteredRows: number) => void): void {
    const { words, kernels } = this;
    const at = job >> 2;
    const context = words[at + ROW_JOB.context];
    const c = context >> 2;
    for (;;) {
      const result = kernels.decodeMacroblockRow(context);
      words[at + ROW_JOB.result] = result;
      if (result >= FIRST_FAULT) {
        return;
      }
      if (words[at + ROW_JOB.isFiltering] === 1) {
        const complete = (words[c + MB_ADDR] / words[c + WIDTH]) | 0;
        this.filter(at, c, complete === words[c + HEIGHT] ? complete : complete - 1);
      }
      onRow(words[at + ROW_JOB.filteredRows]);
      if (result === SLICE_ENDED) {
        return;
      }
    }
  }

  /** Filters rows up to `end`. */
  private filter(at: number, c: number, end: number): void {
    const { words, kernels } = this;
    const strengths = words[at + ROW_JOB.strengths];
    const parameters = strengths >> 2;
    const width = words[c + WIDTH];
    const strideY = words[c + STRIDE_Y];
    const strideC = words[c + STRIDE_C];
    for (let row = words[at + ROW_JOB.filteredRows]; row < end; row++) {
      words[parameters + 2] = row * width;
      words[parameters + 3] = row > 0 ? width : 0;
      kernels.boundaryStrengths(strengths);
      kernels.deblockRow(
        words[c + Y] + 16 * row * strideY,
        words[c + U] + 8 * row * strideC,
        words[c + V] + 8 * row * strideC,
        strideY,
        strideC,
        width,
        words[parameters],
      );
      words[at + ROW_JOB.filteredRows] = row + 1;
    }
  }
}
