// The caller's side of the decoder's second thread (threads/decoder-thread.ts): lends it the memory of a sequence, gives it jobs and waits
// for them. Waiting blocks, so that a page must not decode with threads on its main thread. Owned by decoder.ts.

import type { Pointer } from '../kernels/kernels.ts';
import { JOB_DONE, JOB_WAITING, ROW_JOB } from '../threads/picture-rows.ts';
import { THREAD_ABANDONED, THREAD_READY, THREAD_STARTING, type DecoderThreadOrder } from '../threads/decoder-thread.ts';
import type { HostThread, ThreadHost } from '../threads/thread-host.ts';

/** A sleeper looks again after this time, whatever happens. */
const LOOK_AGAIN_MS = 5;
/** A thread that changes nothing for this time while it is waited for is taken for dead. */
const DEAD_AFTER_MS = 20_000;

/** One lent thread. */
export class PictureThread {
  private readonly thread: HostThread;
  private cells = new Int32Array(0);
  private stateCell: Pointer = 0;
  private isLost = false;

  constructor(host: ThreadHost) {
    this.thread = host.start({
      onMessage: () => undefined,
      onFailure: () => {
        this.isLost = true;
      },
    });
  }

  /** Lends the memory of a sequence; `state` is a cell of it. Jobs in another memory must be done or abandoned before. */
  attach(memory: WebAssembly.Memory, module: WebAssembly.Module, state: Pointer): void {
    this.cells = new Int32Array(memory.buffer);
    this.stateCell = state;
    this.cells[state >> 2] = THREAD_STARTING;
    this.post({ kind: 'attach', memory, module, state });
  }

  /** Whether the thread has reported for the memory that was lent last, and lives. */
  get isReady(): boolean {
    return !this.isLost && Atomics.load(this.cells, this.stateCell >> 2) === THREAD_READY;
  }

  /** Gives a job (threads/picture-rows.ts) of the picture whose progress cell is `progress`; jobs are done in the order given. */
  start(job: Pointer, progress: Pointer, FrameHeightInMbs: number): void {
    Atomics.store(this.cells, (job >> 2) + ROW_JOB.state, JOB_WAITING);
    this.post({ kind: 'decode', job, progress, FrameHeightInMbs });
  }

  isDone(job: Pointer): boolean {
    return Atomics.load(this.cells, (job >> 2) + ROW_JOB.state) === JOB_DONE;
  }

  /**
   * Sleeps until `isEnough`, which is asked whenever `cell` changes, and from time to time. False when the thread is lost: it may still write
   * to the memory then.
   */
  waitUntil(cell: Pointer, isEnough: () => boolean): boolean {
    let sleptMs = 0;
    for (;;) {
      const seen = Atomics.load(this.cells, cell >> 2);
      if (isEnough()) {
        return true;
      }
      if (this.isLost || sleptMs > DEAD_AFTER_MS) {
        this.close();
        return false;
      }
      sleptMs = Atomics.wait(this.cells, cell >> 2, seen, LOOK_AGAIN_MS) === 'timed-out' ? sleptMs + LOOK_AGAIN_MS : 0;
    }
  }

  /** The jobs given so far are not wanted any more: the thread does not wait for anything on their behalf. */
  abandon(): void {
    Atomics.store(this.cells, this.stateCell >> 2, THREAD_ABANDONED);
  }

  close(): void {
    this.isLost = true;
    void this.thread.terminate();
  }

  private post(order: DecoderThreadOrder): void {
    this.thread.post(order);
  }
}
