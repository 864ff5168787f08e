// The threads of an encoder: the caller's own and those lent by a ThreadHost. A picture is cut into as many slices as there are threads
// (or as asked for), at rows that give each about the same work; all claim slices from the board until none is left. Without a host, or while
// its threads have not come up, the caller codes all slices itself: the bytes are the same. Called by picture-encoder.ts.

import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { KernelKind, Pointer } from '../kernels/kernels.ts';
import type { CodingGrid } from '../macroblock/coding-grid.ts';
import type { HostThread, ThreadHost } from '../threads/thread-host.ts';
import type { CodedSize } from './picture-store.ts';
import { SliceBoard } from './slice-board.ts';
import {
  type SliceCoder,
  sliceCoderBytes,
  type SliceOrder,
  type SlicePicture,
  type SliceSetup,
} from './slice-coder.ts';

const { floor, min } = Math;

/** What a thread is told when it starts. */
export type SliceThreadOrder = {
  readonly memory: WebAssembly.Memory;
  readonly kernels: KernelKind;
  readonly setup: SliceSetup;
  readonly grid: Pointer;
  readonly board: Pointer;
  /** sliceCoderBytes of scratch that only this thread uses. */
  readonly scratch: Pointer;
};

/** A picture as it stands on the board. */
export type BoardOrder = { readonly picture: SlicePicture; readonly slices: readonly SliceOrder[] };

/** Work per macroblock by its kind (P_SKIP, P_INTER, I_4X4, I_16X16, I_8X8, I_PCM) against a skipped one, as fitted to times of rows. */
const WORK = [1, 5, 14, 8, 14, 20];
/** The share of deblocking in all work. */
const DEBLOCKING_SHARE = 0.12;

export type TeamOptions = {
  readonly threads: number;
  readonly host: ThreadHost | null;
  readonly kernels: KernelKind;
  readonly setup: SliceSetup;
};

export class SliceTeam {
  readonly board: SliceBoard;
  /** Pictures coded again because a lent thread failed within a slice. */
  failures = 0;
  private readonly grid: CodingGrid;
  private readonly helpers: HostThread[] = [];

  /** Bytes that a team takes from a codec memory. */
  static bytes(size: CodedSize, threads: number): number {
    return SliceBoard.bytes(size.width >> 4, size.height >> 4) + (threads - 1) * (sliceCoderBytes(size) + 64) + 64;
  }

  constructor(memory: CodecMemory, grid: CodingGrid, options: TeamOptions) {
    const { threads, host, kernels, setup } = options;
    this.grid = grid;
    const at = memory.allocate(SliceBoard.bytes(grid.mbWidth, grid.mbHeight), 64);
    this.board = new SliceBoard(memory, at, grid.mbWidth, grid.mbHeight);
    const isShared = typeof SharedArrayBuffer !== 'undefined' && memory.memory.buffer instanceof SharedArrayBuffer;
    const helpers = host === null || !isShared ? 0 : min(threads, host.parallelism) - 1;
    for (let i = 0; i < helpers && host !== null; i++) {
      const scratch = memory.allocate(sliceCoderBytes(setup.size), 64);
      // The share of a thread that died is done by the others.
      const thread = host.start({ onMessage: () => undefined, onFailure: () => undefined });
      const order: SliceThreadOrder = { memory: memory.memory, kernels, setup, grid: grid.base, board: at, scratch };
      thread.post(order);
      this.helpers.push(thread);
    }
  }

  /** First rows of `count` slices of about equal work, judged by the macroblocks of the picture before. */
  cut(count: number): number[] {
    const { mbWidth, mbHeight, kind } = this.grid;
    const work = new Float64Array(mbHeight);
    let total = 0;
    for (let row = 0; row < mbHeight; row++) {
      for (let mb = row * mbWidth; mb < (row + 1) * mbWidth; mb++) {
        work[row] += WORK[kind[mb]];
      }
      total += work[row];
    }
    // Deblocking goes from top to bottom: a slice is deblocked after those above it, so each has a little more to code than the one above.
    const weights = Array.from({ length: count }, (_, i) => (1 - DEBLOCKING_SHARE) ** -i);
    const whole = weights.reduce((sum, weight) => sum + weight, 0);
    const starts = [0];
    let row = 0;
    let done = 0;
    let wanted = 0;
    for (let i = 1; i < count; i++) {
      wanted += (total * weights[i - 1]) / whole;
      const last = mbHeight - (count - i);
      row = starts[i - 1];
      do {
        done += work[row++];
      } while (row < last && done + work[row] / 2 <= wanted);
      starts.push(row);
    }
    return starts;
  }

  /**
   * Codes and deblocks all slices. The caller's thread takes part with `coder`. When a lent thread fails within a slice, the picture is coded
   * again by the others: a thread that fails ends, so that in the end the caller codes alone. Throws LostThreadError when one was ended from outside.
   */
  code(coder: SliceCoder, picture: SlicePicture, slices: readonly SliceOrder[]): void {
    const order: BoardOrder = { picture, slices };
    const text = JSON.stringify(order);
    while (!this.codeOnce(coder, text, order)) {
      this.failures++;
    }
  }

  /** False when a lent thread failed. */
  private codeOnce(coder: SliceCoder, text: string, { picture, slices }: BoardOrder): boolean {
    const { board } = this;
    board.publish(text, slices.length);
    coder.begin(picture);
    for (let index = board.claim(); index >= 0; index = board.claim()) {
      try {
        board.code(coder, slices[index]);
      } catch (error) {
        board.giveUp();
        throw error;
      }
    }
    return board.waitForPicture();
  }

  /** Ends the lent threads. */
  close(): void {
    this.board.end();
    for (const thread of this.helpers.splice(0)) {
      void thread.terminate();
    }
  }
}

/** Evenly spaced first rows of `count` slices. */
export function evenCut(count: number, mbHeight: number): number[] {
  return Array.from({ length: count }, (_, i) => floor((i * mbHeight) / count));
}
