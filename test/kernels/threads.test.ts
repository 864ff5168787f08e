// Two threads on one shared memory: one draws rows, the other deblocks them, and the picture is the same as by one thread.
import { expect, test } from '@jest/globals';
import { NodeThreadHost } from '../../server/platform/node-thread-host.ts';
import { workerEntry } from '../../server/platform/worker-entry.ts';
import { CodecMemory } from '../../shared/codec/h264/kernels/codec-memory.ts';
import type { ReconstructionKernels } from '../../shared/codec/h264/kernels/kernels.ts';
import { DEBLOCK_RECORD_BYTES } from '../../shared/codec/h264/kernels/row-deblock-kernels.ts';
import { createWasmKernels } from '../../shared/codec/h264/kernels/wasm-kernels.ts';
import { ROW_PROGRESS_BYTES, RowProgress } from '../../shared/codec/h264/threads/row-progress.ts';
import type { DeblockOrder } from '../support/deblock-thread.ts';
import { seededRandom } from '../support/random.ts';

const [MACROBLOCKS, ROWS] = [12, 20];
const STRIDE = 16 * MACROBLOCKS;
const ROW_RECORDS = DEBLOCK_RECORD_BYTES * MACROBLOCKS;

/** A picture and its records in a memory of its own; the same content for the same seed. */
function prepare(isShared: boolean) {
  const memory = CodecMemory.create(STRIDE * 16 * ROWS + ROW_RECORDS * ROWS + 4096, { shared: isShared });
  const y = memory.allocate(STRIDE * 16 * ROWS);
  const records = memory.allocate(ROW_RECORDS * ROWS);
  const progress = memory.allocate(2 * ROW_PROGRESS_BYTES);
  const random = seededRandom(3);
  for (let i = 0; i < MACROBLOCKS * ROWS; i++) {
    const record = records + DEBLOCK_RECORD_BYTES * i;
    memory.bytes.set(
      Array.from({ length: 32 }, () => random(4)),
      record,
    );
    memory.bytes.fill(40, record + 34, record + 43);
  }
  // rows 0..2 of every macroblock column hold no strength towards what is outside the picture
  memory.bytes.set(new Uint8Array(4), records);
  for (let x = 0; x < MACROBLOCKS; x++) {
    memory.bytes.fill(0, records + DEBLOCK_RECORD_BYTES * x + 16, records + DEBLOCK_RECORD_BYTES * x + 20);
  }
  for (let row = 0; row < ROWS; row++) {
    memory.bytes.fill(0, records + row * ROW_RECORDS, records + row * ROW_RECORDS + 4);
  }
  return { memory, y, records, progress, kernels: createWasmKernels(memory.memory) };
}

/** Draws row `row` of macroblocks: a random DC block each, by the intra kernels. */
function drawRow(bytes: Uint8Array, kernels: ReconstructionKernels, y: number, row: number): void {
  const random = seededRandom(row + 1);
  for (let x = 0; x < MACROBLOCKS; x++) {
    const at = y + 16 * row * STRIDE + 16 * x;
    kernels.predictIntra16x16(at, STRIDE, 2, 0);
    for (let i = 0; i < 256; i++) {
      bytes[at + (i >> 4) * STRIDE + (i & 15)] += random(12);
    }
  }
}

test('a second thread deblocks in shared memory what the first draws', async () => {
  const alone = prepare(false);
  for (let row = 0; row < ROWS; row++) {
    drawRow(alone.memory.bytes, alone.kernels, alone.y, row);
  }
  const unfiltered = alone.memory.bytes.slice(alone.y, alone.y + STRIDE * 16 * ROWS);
  for (let row = 0; row < ROWS; row++) {
    alone.kernels.deblockRow(
      alone.y + 16 * row * STRIDE,
      0,
      0,
      STRIDE,
      0,
      MACROBLOCKS,
      alone.records + row * ROW_RECORDS,
    );
  }

  const both = prepare(true);
  const [drawn, filtered] = [both.progress, both.progress + ROW_PROGRESS_BYTES];
  const host = new NodeThreadHost(workerEntry(import.meta.url, '../support/deblock-thread'));
  const finished = new Promise<unknown>((resolve, reject) => {
    const thread = host.start({ onMessage: resolve, onFailure: (reason) => reject(new Error(reason)) });
    const order: DeblockOrder = {
      memory: both.memory.memory,
      drawn,
      filtered,
      y: both.y,
      stride: STRIDE,
      macroblocks: MACROBLOCKS,
      rows: ROWS,
      records: both.records,
      recordBytes: ROW_RECORDS,
    };
    thread.post(order);
  });
  const progress = new RowProgress(both.memory.memory, drawn);
  for (let row = 0; row < ROWS; row++) {
    drawRow(both.memory.bytes, both.kernels, both.y, row);
    progress.advanceTo(row + 1);
  }
  expect(await finished).toBe('done');
  expect(new RowProgress(both.memory.memory, filtered).rows).toBe(ROWS);
  const picture = (side: typeof both) => Buffer.from(side.memory.bytes.slice(side.y, side.y + STRIDE * 16 * ROWS));
  expect(picture(both).equals(picture(alone))).toBe(true);
  expect(picture(alone).equals(Buffer.from(unfiltered))).toBe(false);
});

test('waiting for rows gives up after its time', () => {
  const memory = CodecMemory.create(64, { shared: true });
  const progress = new RowProgress(memory.memory, memory.allocate(ROW_PROGRESS_BYTES));
  expect(progress.waitFor(1, 5)).toBe(false);
  progress.advanceTo(3);
  expect(progress.waitFor(2, 5)).toBe(true);
  progress.reset();
  expect(progress.rows).toBe(0);
});

test('progress in a memory that is not shared is refused', () => {
  const memory = CodecMemory.create(64);
  expect(() => new RowProgress(memory.memory, 0)).toThrow(TypeError);
});

test('a thread that cannot start reports its failure', async () => {
  const host = new NodeThreadHost(workerEntry(import.meta.url, '../support/no-such-thread'), 2);
  expect(host.parallelism).toBe(2);
  const reason = await new Promise<string>((resolve) => {
    host.start({ onMessage: () => undefined, onFailure: resolve });
  });
  expect(reason).toContain('no-such-thread.ts');
});
