// A thread that deblocks a picture in shared memory row by row, each as soon as the row below it is drawn.

import { parentPort } from 'node:worker_threads';
import { createWasmKernels } from '../../shared/codec/h264/kernels/wasm-kernels.ts';
import { RowProgress } from '../../shared/codec/h264/threads/row-progress.ts';

/** Everything that the thread needs to know of the picture. */
export type DeblockOrder = {
  readonly memory: WebAssembly.Memory;
  readonly drawn: number;
  readonly filtered: number;
  readonly y: number;
  readonly stride: number;
  readonly macroblocks: number;
  readonly rows: number;
  readonly records: number;
  readonly recordBytes: number;
};

parentPort?.on('message', (order: DeblockOrder) => {
  const kernels = createWasmKernels(order.memory);
  const drawn = new RowProgress(order.memory, order.drawn);
  const filtered = new RowProgress(order.memory, order.filtered);
  for (let row = 0; row < order.rows; row++) {
    drawn.waitFor(Math.min(row + 2, order.rows));
    const { y, stride, macroblocks, records, recordBytes } = order;
    kernels.deblockRow(y + 16 * row * stride, 0, 0, stride, 0, macroblocks, records + row * recordBytes);
    filtered.advanceTo(row + 1);
  }
  parentPort?.postMessage('done');
});
