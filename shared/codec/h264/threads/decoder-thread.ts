// The decoder's second thread: the orders that it takes, and what it runs for them. It decodes slices of whole pictures, in the order in
// which it is told, on the decoder's shared memory; everything that needs the decoder's objects (headers, references, concealment,
// output) stays with the caller. A room's entry file passes the messages on.

import type { Pointer } from '../kernels/kernels.ts';
import type { SliceKernels } from '../kernels/slice-kernels.ts';
import { finalLumaRows, PROGRESS_COMPLETE, rowsToSleepFor } from './picture-progress.ts';
import { JOB_DONE, PictureRows, ROW_JOB } from './picture-rows.ts';
import type { ThreadMain } from './thread-host.ts';

/** States of the cell by which caller and thread know of each other. */
export const THREAD_STARTING = 0;
/** Set by the thread: it takes jobs. */
export const THREAD_READY = 1;
/** Set by the caller: what the jobs make is not wanted any more, and nothing is to be waited for. */
export const THREAD_ABANDONED = 2;

/** A sleeper looks again after this time, whatever happens. */
const LOOK_AGAIN_MS = 5;

export type DecoderThreadOrder =
  | {
      readonly kind: 'attach';
      readonly memory: WebAssembly.Memory;
      /** The slice module, compiled. */
      readonly module: WebAssembly.Module;
      /** Cell of the thread's state. */
      readonly state: Pointer;
    }
  | {
      readonly kind: 'decode';
      readonly job: Pointer;
      /** Cell of the picture's progress. */
      readonly progress: Pointer;
      readonly FrameHeightInMbs: number;
    };

/** The thread's program: one decoder at a time. */
export function createDecoderThread(): ThreadMain {
  let rows: PictureRows | null = null;
  let cells = new Int32Array(0);
  let stateAt = 0;
  /** FrameHeightInMbs of the picture of the job. */
  let rowsOfPicture = 0;

  const say = (cell: Pointer, value: number): void => {
    Atomics.store(cells, cell >> 2, value);
    Atomics.notify(cells, cell >> 2);
  };

  /** Sleeps until the picture of `cell` has `wanted` final rows. */
  const awaitRows = (cell: Pointer, wanted: number): void => {
    const at = cell >> 2;
    if (Atomics.load(cells, at) >= wanted) {
      return;
    }
    const enough = rowsToSleepFor(wanted, rowsOfPicture);
    for (let seen = Atomics.load(cells, at); seen < enough; seen = Atomics.load(cells, at)) {
      if (Atomics.load(cells, stateAt) === THREAD_ABANDONED) {
        return;
      }
      Atomics.wait(cells, at, seen, LOOK_AGAIN_MS);
    }
  };

  return (message) => {
    const order = message as DecoderThreadOrder;
    if (order.kind === 'attach') {
      const { memory, module, state } = order;
      const kernels = new WebAssembly.Instance(module, { env: { memory, awaitRows } }).exports;
      cells = new Int32Array(memory.buffer);
      stateAt = state >> 2;
      rows = new PictureRows(memory, kernels as unknown as SliceKernels, awaitRows);
      Atomics.compareExchange(cells, stateAt, THREAD_STARTING, THREAD_READY);
      Atomics.notify(cells, stateAt);
      return;
    }
    const { job, progress, FrameHeightInMbs } = order;
    rowsOfPicture = FrameHeightInMbs;
    try {
      rows?.run(job, (filteredRows) => {
        if (filteredRows < FrameHeightInMbs) {
          say(progress, finalLumaRows(filteredRows));
        }
      });
    } finally {
      if (rows?.isPictureFinal(job) === true) {
        say(progress, PROGRESS_COMPLETE);
      }
      say(job + 4 * ROW_JOB.state, JOB_DONE);
      Atomics.notify(cells, progress >> 2);
    }
  };
}
