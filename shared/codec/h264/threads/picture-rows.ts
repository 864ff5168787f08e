// Decodes the rows of a slice by the slice kernel and filters (8.7) what cannot change any more, one row behind: intra prediction needs the
// row above unfiltered. Works on the codec's memory alone, so that it is the same in the caller's thread and in a lent one. Called by
// decoder/slice-rows.ts and decoder-thread.ts.

import type { Pointer } from '../kernels/kernels.ts';
import { FIRST_FAULT, SLICE_CONTEXT_WORDS, SLICE_ENDED } from '../kernels/slice-context.ts';
import type { AwaitRows, SliceKernels } from '../kernels/slice-kernels.ts';
import { finalLumaRows } from './picture-progress.ts';

const { min } = Math;

/** What a slice's job is, as Int32 words in the codec's memory. */
export const ROW_JOB = {
  /** Pointer to the slice context. */
  context: 0,
  /** Pointer to the words of the picture, PICTURE_WORDS. */
  picture: 1,
  /** 1: rows may be filtered as they become complete, if all macroblocks before the slice are decoded. */
  mayFilter: 2,
  /** Progress cell of the co-located picture whose motion is read; 0: none. */
  colocated: 3,
  /** Out: what decodeMacroblockRow returned last. */
  result: 4,
  /** JOB_WAITING or JOB_DONE; used with a lent thread. */
  state: 5,
} as const;
export const ROW_JOB_BYTES = 32;

/** What the slices of a picture hand on to each other, as Int32 words. */
export const PICTURE_WORDS = {
  /** Pointer to the strength parameters of the picture (kernels/row-deblock-kernels.ts). */
  strengths: 0,
  /** Rows of the picture that are filtered. */
  filteredRows: 1,
  /** Address behind the last macroblock when all before it are decoded, in the order of addresses; else -1. */
  contiguous: 2,
  /** Macroblocks that are decoded. */
  decodedMbs: 3,
} as const;
export const PICTURE_WORDS_BYTES = 16;

export const JOB_WAITING = 0;
export const JOB_DONE = 1;

const indexOf = (word: (typeof SLICE_CONTEXT_WORDS)[number]): number => SLICE_CONTEXT_WORDS.indexOf(word);
const MB_ADDR = indexOf('mbAddr');
const WIDTH = indexOf('PicWidthInMbs');
const HEIGHT = indexOf('FrameHeightInMbs');
const STRIDE_Y = indexOf('strideY');
const STRIDE_C = indexOf('strideC');
const Y = indexOf('y');
const U = indexOf('u');
const V = indexOf('v');
const DECODED_MBS = indexOf('decodedMbs');

/** Runs slices' jobs on one memory. */
export class PictureRows {
  private readonly kernels: SliceKernels;
  private readonly words: Int32Array;
  private readonly awaitRows: AwaitRows;

  constructor(memory: WebAssembly.Memory, kernels: SliceKernels, awaitRows: AwaitRows) {
    this.kernels = kernels;
    this.words = new Int32Array(memory.buffer);
    this.awaitRows = awaitRows;
  }

  /** Runs the job at `job` to its end. `onRow` is called after each row with the rows that are filtered; it may throw. */
  run(job: Pointer, onRow: (filteredRows: number) => void): void {
    const { words, kernels } = this;
    const at = job >> 2;
    const context = words[at + ROW_JOB.context];
    const c = context >> 2;
    const p = words[at + ROW_JOB.picture] >> 2;
    const isFiltering =
      words[at + ROW_JOB.mayFilter] === 1 && words[p + PICTURE_WORDS.contiguous] === words[c + MB_ADDR];
    words[p + PICTURE_WORDS.contiguous] = -1;
    words[at + ROW_JOB.result] = FIRST_FAULT;
    for (;;) {
      this.awaitColocated(words[at + ROW_JOB.colocated], c);
      words[c + DECODED_MBS] = words[p + PICTURE_WORDS.decodedMbs];
      const result = kernels.decodeMacroblockRow(context);
      words[p + PICTURE_WORDS.decodedMbs] = words[c + DECODED_MBS];
      words[at + ROW_JOB.result] = result;
      if (result >= FIRST_FAULT) {
        return;
      }
      if (isFiltering) {
        const complete = (words[c + MB_ADDR] / words[c + WIDTH]) | 0;
        this.filter(p, c, complete === words[c + HEIGHT] ? complete : complete - 1);
      }
      onRow(words[p + PICTURE_WORDS.filteredRows]);
      if (result === SLICE_ENDED) {
        words[p + PICTURE_WORDS.contiguous] = isFiltering ? words[c + MB_ADDR] : -1;
        return;
      }
    }
  }

  /** The job ended well, and with it the picture: all rows are filtered. */
  isPictureFinal(job: Pointer): boolean {
    const { words } = this;
    const at = job >> 2;
    const height = words[(words[at + ROW_JOB.context] >> 2) + HEIGHT];
    const filteredRows = words[(words[at + ROW_JOB.picture] >> 2) + PICTURE_WORDS.filteredRows];
    return words[at + ROW_JOB.result] === SLICE_ENDED && filteredRows === height;
  }

  /** Waits until the motion of the co-located macroblock row is there. */
  private awaitColocated(cell: Pointer, c: number): void {
    if (cell !== 0) {
      const { words } = this;
      const row = (words[c + MB_ADDR] / words[c + WIDTH]) | 0;
      // a row is decoded when it is filtered
      this.awaitRows(cell, finalLumaRows(min(row + 1, words[c + HEIGHT] - 1)));
    }
  }

  /** Filters rows up to `end`. */
  private filter(p: number, c: number, end: number): void {
    const { words, kernels } = this;
    const strengths = words[p + PICTURE_WORDS.strengths];
    const parameters = strengths >> 2;
    const width = words[c + WIDTH];
    const strideY = words[c + STRIDE_Y];
    const strideC = words[c + STRIDE_C];
    for (let row = words[p + PICTURE_WORDS.filteredRows]; row < end; row++) {
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
      words[p + PICTURE_WORDS.filteredRows] = row + 1;
    }
  }
}
