// How far one thread has come in a picture, as seen by others: a row number in shared memory, with sleep and wake-up. One writer,
// any number of waiters. A page's main thread must not wait (browsers forbid it); workers and Node may.

/** Bytes that a RowProgress takes, 4-aligned. */
export const ROW_PROGRESS_BYTES = 4;

export class RowProgress {
  readonly #cell: Int32Array;

  /** `memory` is shared; `at` is the byte offset of four bytes of it, all zero: no row is done. */
  constructor(memory: WebAssembly.Memory, at: number) {
    if (!(memory.buffer instanceof SharedArrayBuffer)) {
      throw new TypeError('RowProgress needs a shared memory.');
    }
    this.#cell = new Int32Array(memory.buffer, at, 1);
  }

  /** Rows that are done. */
  get rows(): number {
    return Atomics.load(this.#cell, 0);
  }

  /** Says that rows 0..rows-1 are done; never goes back. Everything written before is visible to who sees it. */
  advanceTo(rows: number): void {
    Atomics.store(this.#cell, 0, rows);
    Atomics.notify(this.#cell, 0);
  }

  /** Forgets the picture before: only while nobody waits. */
  reset(): void {
    Atomics.store(this.#cell, 0, 0);
  }

  /** Sleeps until at least `rows` rows are done. Returns false when `timeoutMs` passed before. */
  waitFor(rows: number, timeoutMs = Infinity): boolean {
    for (let seen = this.rows; seen < rows; seen = this.rows) {
      if (Atomics.wait(this.#cell, 0, seen, timeoutMs) === 'timed-out') {
        return this.rows >= rows;
      }
    }
    return true;
  }
}
