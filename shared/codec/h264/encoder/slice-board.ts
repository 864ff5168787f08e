// Where the threads of an encoder meet: a few integers in the codec memory that say which slice is next, how many are done and how far
// deblocking has come, and the coded slices. Slices are claimed one by one by whoever is free, so the bytes do not depend on who codes
// what, nor on how many threads have come up. On a memory that is not shared it serves one thread alone. Used by slice-team.ts and slice-thread.ts.
//
//   Int32 0: ticket (pictures so far << 10 | next slice)   5: 1 when the team ends                     9..: bytes of each slice's RBSP
//         1: slices of the picture                         6: slices coded by lent threads so far      then bits of each slice up to
//         2: slices done or given up                       7: 1: a slice of the picture was given up        the end of each row
//         3: rows deblocked                                8: rows coded and deblocked so far          then the order (JSON, one byte per
//         4: bytes of the order                                                                             character), RBSPs

import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { Pointer } from '../kernels/kernels.ts';
import type { SliceCoder, SliceOrder } from './slice-coder.ts';

const TICKET = 0;
const COUNT = 1;
const DONE = 2;
const FILTERED = 3;
const ORDER_LENGTH = 4;
const ENDING = 5;
const LENT = 6;
const FAILED = 7;
const PROGRESS = 8;
const LENGTHS = 9;

/** Slices of a picture at most. */
const MAX_SLICES = 256;
const ORDER_BYTES = 65536;
/** Bytes that a macroblock can take at most, see the entropy coders. */
const MACROBLOCK_BYTES = 2400;
/** When no thread completes a row for this long, one is taken for dead: no row takes a hundredth of it. */
const PATIENCE_MS = 5000;
/** More rows than any picture has: releases those who wait for rows of a picture that is given up. */
const ALL_ROWS = 1 << 20;
/** Looks at a value before sleeping: a hand-over usually takes microseconds. */
const SPINS = 200;

/** A lent thread was ended within a slice. It may still write to the encoder's memory, which is given up with it. */
export class LostThreadError extends Error {
  override readonly name = 'LostThreadError';
}

const { load, store, notify, wait, compareExchange, add } = Atomics;

export class SliceBoard {
  private readonly cells: Int32Array;
  private readonly bytes: Uint8Array;
  private readonly rowBits: Int32Array;
  private readonly mbWidth: number;
  private readonly patienceMs: number;
  private readonly order: Pointer;
  private readonly output: Pointer;

  /** Bytes that a board takes from a codec memory. */
  static bytes(mbWidth: number, mbHeight: number): number {
    return (
      4 * (LENGTHS + MAX_SLICES + mbHeight) + ORDER_BYTES + MACROBLOCK_BYTES * mbWidth * mbHeight + 4096 * MAX_SLICES
    );
  }

  /**
   * `base`: SliceBoard.bytes of the memory, 16-aligned, all zero when the first thread takes it. `patienceMs`: after so long without a row
   * from anybody, who waits throws LostThreadError.
   */
  constructor(memory: CodecMemory, base: Pointer, mbWidth: number, mbHeight: number, patienceMs = PATIENCE_MS) {
    this.patienceMs = patienceMs;
    const { buffer } = memory.memory;
    this.cells = new Int32Array(buffer, base, LENGTHS + MAX_SLICES);
    this.rowBits = new Int32Array(buffer, base + this.cells.byteLength, mbHeight);
    this.bytes = memory.bytes;
    this.mbWidth = mbWidth;
    this.order = base + this.cells.byteLength + this.rowBits.byteLength;
    this.output = this.order + ORDER_BYTES;
  }

  /** Offers the slices of a picture to all threads. `text` is the picture and its slices as JSON in ASCII. */
  publish(text: string, slices: number): void {
    const { cells, bytes, order } = this;
    const before = load(cells, TICKET) & ~1023;
    // Nobody claims while count and order change.
    store(cells, TICKET, before | 1023);
    if (text.length > ORDER_BYTES) {
      throw new RangeError(
        `The slices of a picture take ${text.length} bytes of orders; there is room for ${ORDER_BYTES}.`,
      );
    }
    for (let i = 0; i < text.length; i++) {
      bytes[order + i] = text.charCodeAt(i);
    }
    store(cells, ORDER_LENGTH, text.length);
    store(cells, COUNT, slices);
    store(cells, DONE, 0);
    store(cells, FILTERED, 0);
    store(cells, FAILED, 0);
    store(cells, TICKET, (before + 1024) | 0);
    notify(cells, TICKET);
  }

  /** The order that stands on the board, for who has claimed a slice of it. */
  readOrder(): string {
    const { cells, bytes, order } = this;
    const length = load(cells, ORDER_LENGTH);
    let text = '';
    for (let i = 0; i < length; i++) {
      text += String.fromCharCode(bytes[order + i]);
    }
    return text;
  }

  /** The next slice that nobody codes, or -1. */
  claim(): number {
    const { cells } = this;
    for (;;) {
      const ticket = load(cells, TICKET);
      const slice = ticket & 1023;
      if (slice >= load(cells, COUNT)) {
        return -1;
      }
      if (compareExchange(cells, TICKET, ticket, ticket + 1) === ticket) {
        return slice;
      }
    }
  }

  /** Sleeps until there may be slices to claim; false when the team ends. */
  waitForWork(): boolean {
    const { cells } = this;
    for (;;) {
      const ticket = load(cells, TICKET);
      if (load(cells, ENDING) !== 0) {
        return false;
      }
      if ((ticket & 1023) < load(cells, COUNT)) {
        return true;
      }
      wait(cells, TICKET, ticket);
    }
  }

  /** Wakes all threads and tells them to end. */
  end(): void {
    store(this.cells, ENDING, 1);
    add(this.cells, TICKET, 1024);
    notify(this.cells, TICKET);
  }

  /**
   * Codes a claimed slice and deblocks its rows as soon as all rows above are deblocked. In a picture of which a slice was given up, gives it up
   * too. When it throws, the caller calls giveUp().
   */
  code(coder: SliceCoder, slice: SliceOrder): void {
    const { cells } = this;
    if (load(cells, FAILED) === 0) {
      this.codeSlice(coder, slice);
    }
    add(cells, DONE, 1);
    notify(cells, DONE);
  }

  private codeSlice(coder: SliceCoder, slice: SliceOrder): void {
    const { cells, rowBits } = this;
    const { firstRow, endRow, index } = slice;
    let next = firstRow;
    const filter = (): void => {
      coder.filterRow(next++);
      add(cells, PROGRESS, 1);
      store(cells, FILTERED, next);
    };
    const rbsp = coder.code(slice, (row, bits) => {
      rowBits[row] = bits;
      add(cells, PROGRESS, 1);
      while (next < row && load(cells, FILTERED) === next) {
        filter();
      }
      return slice.QPY;
    });
    this.bytes.set(rbsp, this.outputOf(slice));
    cells[LENGTHS + index] = rbsp.length;
    this.waitFor(FILTERED, next);
    while (next < endRow && load(cells, FAILED) === 0) {
      filter();
    }
    notify(cells, FILTERED);
  }

  /** A claimed slice cannot be coded: the picture will have to be coded again, and nobody waits for its rows any more. */
  giveUp(): void {
    const { cells } = this;
    store(cells, FAILED, 1);
    store(cells, FILTERED, ALL_ROWS);
    notify(cells, FILTERED);
    add(cells, DONE, 1);
    notify(cells, DONE);
  }

  /** A lent thread has coded a slice. */
  countLent(): void {
    add(this.cells, LENT, 1);
  }

  /** Slices that lent threads have coded. */
  get lentSlices(): number {
    return load(this.cells, LENT);
  }

  /** Waits until all slices of the picture are coded and deblocked. Returns false when one was given up. Throws LostThreadError. */
  waitForPicture(): boolean {
    const { cells } = this;
    this.waitFor(DONE, load(cells, COUNT));
    return load(cells, FAILED) === 0;
  }

  /** Waits until a cell is at least `least`; for rows, also until the picture is given up. */
  private waitFor(cell: number, least: number): void {
    const { cells, patienceMs } = this;
    const isEnough = (value: number): boolean => value >= least || (cell === FILTERED && load(cells, FAILED) === 1);
    for (let i = 0; i < SPINS; i++) {
      if (isEnough(load(cells, cell))) {
        return;
      }
    }
    let progress = load(cells, PROGRESS);
    for (let seen = load(cells, cell); !isEnough(seen); seen = load(cells, cell)) {
      if (wait(cells, cell, seen, patienceMs) === 'timed-out') {
        const now = load(cells, PROGRESS);
        if (now === progress) {
          throw new LostThreadError(
            `A thread of the encoder made no progress for ${patienceMs / 1000} s; configure the encoder again.`,
          );
        }
        progress = now;
      }
    }
  }

  private outputOf(slice: SliceOrder): Pointer {
    return this.output + MACROBLOCK_BYTES * this.mbWidth * slice.firstRow + 4096 * slice.index;
  }

  /** The RBSP of a slice that is done, valid until the next picture. */
  rbsp(slice: SliceOrder): Uint8Array {
    const at = this.outputOf(slice);
    return this.bytes.subarray(at, at + this.cells[LENGTHS + slice.index]);
  }

  /** Bits of the row's slice up to the end of the row. */
  bitsUpTo(row: number): number {
    return this.rowBits[row];
  }
}
