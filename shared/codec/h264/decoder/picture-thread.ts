// The caller's side of the decoder's second thread (threads/decoder-thread.ts): lends it the memory of a sequence, gives it jobs and waits
// for them. Waiting blocks, so that a page must not decode with threads on its main thread. Owned by decoder.ts.

import type { Pointer } from '../kernels/kernels.ts';
import { JOB_DONE, JOB_RUNNING, ROW_JOB } from '../threads/picture-rows.ts';
import type { DecoderThreadOrder } from '../threads/decoder-thread.ts';
import type { HostThread, ThreadHost } from '../threads/thread-host.ts';

/** A sleeper looks again after this time, whatever happens. */
const LOOK_AGAIN_MS = 5;
/** A thread that makes no progress for this time is taken for dead. */
const DEAD_AFTER_MS = 20_000;

/** One lent thread. */
export class PictureThread {
  private readonly thread: HostThread;
  private cells = new Int32Array(0);
  private readyCell: Pointer = 0;
  private isLost = false;

  constructor(host: ThreadHost) {
    this.thread = host.start({
      onMessage: () => undefined,
      onFailure: () => {
        this.isLost = true;
      },
    });
  }

  /** Lends the memory of a sequence; `ready` is a cell of it. Jobs in another memory must be done before. */
  attach(memory: WebAssembly.Memory, module: WebAssembly.Module, ready: Pointer): void {
    this.cells = new Int32Array(memory.buffer);
    this.readyCell = ready;
    this.cells[ready >> 2] = 0;
    this.post({ kind: 'attach', memory, module, ready });
  }

  /** Whether the thread has reported for the memory that was lent last, and lives. */
  get isReady(): boolean {
    return !this.isLost && Atomics.load(this.cells, this.readyCell >> 2) === 1;
  }

  /** Gives a job (threads/picture-rows.ts) of the picture whose progress cell is `progress`. */
  start(job: Pointer, progress: Pointer, FrameHeightInMbs: number): void {
    Atomics.store(this.cells, (job >> 2) + ROW_JOB.state, JOB_RUNNING);
    this.post({ kind: 'decode', job, progress, FrameHeightInMbs });
  }

  isDone(job: Pointer): boolean {
    return Atomics.load(this.cells, (job >> 2) + ROW_JOB.state) === JOB_DONE;
  }

  /** Sleeps until the job is done. False when the thread is lost: it may still write to the memory then. */
  waitForJob(job: Pointer): boolean {
    return this.waitFor((job >> 2) + ROW_JOB.state, (state) => state === JOB_DONE, job);
  }

  /** Sleeps until a picture's progress is at least `rows` or its job is done; false as above. */
  waitForRows(progress: Pointer, rows: number, job: Pointer): boolean {
    return this.waitFor(progress >> 2, (seen) => seen >= rows, job);
  }

  close(): void {
    this.isLost = true;
    void this.thread.terminate();
  }

  private waitFor(at: number, isEnough: (value: number) => boolean, job: Pointer): boolean {
    let sleptMs = 0;
    let last = Atomics.load(this.cells, at);
    for (let seen = last; !isEnough(seen) && !this.isDone(job); seen = Atomics.load(this.cells, at)) {
      if (seen !== last) {
        last = seen;
        sleptMs = 0;
      }
      if (this.isLost || sleptMs > DEAD_AFTER_MS) {
        this.close();
        return false;
      }
      if (Atomics.wait(this.cells, at, seen, LOOK_AGAIN_MS) === 'timed-out') {
        sleptMs += LOOK_AGAIN_MS;
      }
    }
    return true;
  }

  private post(order: DecoderThreadOrder): void {
    this.thread.post(order);
  }
}
