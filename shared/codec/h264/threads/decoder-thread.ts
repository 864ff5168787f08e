// The decoder's second thread: the orders that it takes, and what it runs for them. It decodes whole pictures of one slice each or more,
// slice by slice, on the decoder's shared memory; everything that needs the decoder's objects (headers, references, concealment,
// output) stays with the caller. A room's entry file passes the messages on.

import type { Pointer } from '../kernels/kernels.ts';
import { FIRST_FAULT, SLICE_ENDED } from '../kernels/slice-context.ts';
import type { SliceKernels } from '../kernels/slice-kernels.ts';
import { JOB_DONE, PictureRows, ROW_JOB } from './picture-rows.ts';
import type { ThreadMain } from './thread-host.ts';

const { max } = Math;

/** Progress of a picture in its cell: luma rows that will not change any more. */
export const PROGRESS_COMPLETE = 0x7fffffff;

/** A filtered macroblock row still changes in its last three luma rows, when the row below is filtered. */
export function finalLumaRows(filteredRows: number): number {
  return max(0, 16 * filteredRows - 3);
}

export type DecoderThreadOrder =
  | {
      readonly kind: 'attach';
      readonly memory: WebAssembly.Memory;
      /** The slice module, compiled. */
      readonly module: WebAssembly.Module;
      /** Cell that becomes 1 when the thread can take jobs. */
      readonly ready: Pointer;
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

  const say = (cell: Pointer, value: number): void => {
    Atomics.store(cells, cell >> 2, value);
    Atomics.notify(cells, cell >> 2);
  };

  return (message) => {
    const order = message as DecoderThreadOrder;
    if (order.kind === 'attach') {
      const { memory, module, ready } = order;
      // The pictures that this thread's jobs refer to are always complete.
      const imports = { env: { memory, awaitRows: () => undefined } };
      const kernels = new WebAssembly.Instance(module, imports).exports as unknown as SliceKernels;
      cells = new Int32Array(memory.buffer);
      rows = new PictureRows(memory, kernels);
      say(ready, 1);
      return;
    }
    const { job, progress, FrameHeightInMbs } = order;
    const at = job >> 2;
    cells[at + ROW_JOB.result] = FIRST_FAULT;
    try {
      rows?.run(job, (filteredRows) => {
        if (filteredRows < FrameHeightInMbs) {
          say(progress, finalLumaRows(filteredRows));
        }
      });
    } finally {
      if (cells[at + ROW_JOB.result] === SLICE_ENDED && cells[at + ROW_JOB.filteredRows] === FrameHeightInMbs) {
        say(progress, PROGRESS_COMPLETE);
      }
      say(job + 4 * ROW_JOB.state, JOB_DONE);
      Atomics.notify(cells, progress >> 2);
    }
  };
}
