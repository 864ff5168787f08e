// What a thread lent to the encoder runs: it gets its order once, then takes slices from the board until the encoder closes. It never goes
// back to its event loop in between; whoever lent it terminates it. Entry: server/platform/encoder-thread.ts.

import { CodecMemory } from '../kernels/codec-memory.ts';
import { createEncoderKernels } from '../kernels/encoder-kernels.ts';
import { CodingGrid } from '../macroblock/coding-grid.ts';
import type { ThreadMain } from '../threads/thread-host.ts';
import { SliceBoard } from './slice-board.ts';
import { SliceCoder } from './slice-coder.ts';
import type { BoardOrder, SliceThreadOrder } from './slice-team.ts';

/** Works until the team ends. What fails within a slice is told to the team and thrown, which ends the thread. */
export const runEncoderThread: ThreadMain = (message) => {
  const order = message as SliceThreadOrder;
  const { size } = order.setup;
  const [mbWidth, mbHeight] = [size.width >> 4, size.height >> 4];
  const memory = new CodecMemory(order.memory, order.scratch);
  const kernels = createEncoderKernels(order.memory, order.kernels);
  const coder = new SliceCoder(kernels, memory, new CodingGrid(memory, mbWidth, mbHeight, order.grid), order.setup);
  const board = new SliceBoard(memory, order.board, mbWidth, mbHeight);
  while (board.waitForWork()) {
    const index = board.claim();
    if (index < 0) {
      continue;
    }
    try {
      const { picture, slices } = JSON.parse(board.readOrder()) as BoardOrder;
      coder.begin(picture);
      board.countLent();
      board.code(coder, slices[index]);
    } catch (error) {
      board.giveUp();
      throw error;
    }
  }
};
