// The transcode worker threads: started with memory limits, watched (a unit that decodes longer than its budget ends its worker),
// handed out one per source, kept warm for the next. Used by source-transcode.ts and transcoder.ts.

import { Worker } from 'node:worker_threads';
import { workerEntry } from '../platform/worker-entry.ts';
import { cpuMsOfThread } from './thread-cpu.ts';
import {
  BOARD,
  CODEC_THREAD_LIMITS,
  PHASE,
  sharedNow,
  sinceBoardTime,
  type Calibration,
  type FromWorker,
  type ToWorker,
} from './worker-messages.ts';

export type WorkerPoolOptions = {
  /** Workers at the same time; a source without one waits for none: it is refused. */
  readonly maxWorkers: number;
  /** limits.decodeBudgetMs: milliseconds of decoding per access unit. */
  readonly decodeBudgetMs: number;
  /** Milliseconds after which a picture is too late to be encoded. */
  readonly lateMs: number;
  /** Threads that each worker may start to encode renditions beside it. */
  readonly lanes: number;
  readonly onCalibration: (calibration: Calibration) => void;
};

export type WorkerUser = {
  readonly onMessage: (message: FromWorker) => void;
  /** The worker is gone. `isPoison`: it was ended because a unit took too long to decode. */
  readonly onDeath: (sentence: string, isPoison: boolean) => void;
};

const WATCH_EVERY_MS = 50;
/** Encoding all renditions of one picture has no budget in the design; this is a thread that hangs. */
const ENCODE_BUDGET_MS = 5000;
/** A thread that gets no CPU is given up after this many times its budget on the wall clock. */
const WALL_PATIENCE = 20;
/** A worker that does not answer for this long is ended without its goodbye. */
const END_PATIENCE_MS = 2000;
/** Idle workers that are kept for the next source. */
const MAX_SPARE = 1;

export class WorkerPool {
  private readonly options: WorkerPoolOptions;
  private readonly busy = new Set<PooledWorker>();
  private readonly spare: PooledWorker[] = [];
  private isClosed = false;

  constructor(options: WorkerPoolOptions) {
    this.options = options;
  }

  /** Starts a worker ahead of the first source. */
  prewarm(): void {
    if (!this.isClosed && this.spare.length < MAX_SPARE && this.size < this.options.maxWorkers) {
      this.spare.push(this.start());
    }
  }

  /** Workers that exist. */
  get size(): number {
    return this.busy.size + this.spare.length;
  }

  /** Workers that have a source now. */
  get active(): readonly PooledWorker[] {
    return [...this.busy];
  }

  /** A worker for one source, or null when all are taken. */
  acquire(user: WorkerUser): PooledWorker | null {
    if (this.isClosed) {
      return null;
    }
    const worker = this.spare.pop() ?? (this.size < this.options.maxWorkers ? this.start() : null);
    if (worker !== null) {
      worker.user = user;
      this.busy.add(worker);
    }
    return worker;
  }

  /** Gives a worker back. It forgets its source and waits for another, or ends when enough are waiting. */
  release(worker: PooledWorker): void {
    if (!this.busy.delete(worker)) {
      return;
    }
    worker.user = null;
    if (this.isClosed || this.spare.length >= MAX_SPARE) {
      void worker.end();
      return;
    }
    void worker.reset();
    this.spare.push(worker);
  }

  /** Ends every worker. */
  async close(): Promise<void> {
    this.isClosed = true;
    const all = [...this.busy, ...this.spare];
    this.busy.clear();
    this.spare.length = 0;
    await Promise.all(all.map((worker) => worker.end()));
  }

  private start(): PooledWorker {
    const worker = new PooledWorker(this.options, () => {
      this.busy.delete(worker);
      const index = this.spare.indexOf(worker);
      if (index >= 0) {
        this.spare.splice(index, 1);
      }
    });
    return worker;
  }
}

/** One worker thread with its board and its watchdog. */
export class PooledWorker {
  user: WorkerUser | null = null;
  private readonly thread: Worker;
  private readonly board = new Int32Array(new SharedArrayBuffer(BOARD.size * Int32Array.BYTES_PER_ELEMENT));
  private readonly options: WorkerPoolOptions;
  private readonly watch: NodeJS.Timeout;
  private failure = 'the worker ended';
  private isPoison = false;
  private isDead = false;
  private readonly resets: (() => void)[] = [];

  constructor(options: WorkerPoolOptions, onGone: () => void) {
    this.options = options;
    const entry = workerEntry(import.meta.url, './transcode-worker');
    this.thread = new Worker(entry.script, {
      name: 'tessera-transcode',
      workerData: {
        board: this.board.buffer,
        decodeBudgetMs: options.decodeBudgetMs,
        lateMs: options.lateMs,
        lanes: options.lanes,
        ...entry.data,
      },
      resourceLimits: CODEC_THREAD_LIMITS,
    });
    this.thread.unref();
    this.thread.on('message', (message: FromWorker) => {
      this.receive(message);
    });
    this.thread.on('error', (error) => {
      this.failure = error instanceof Error ? error.message : String(error);
    });
    this.thread.on('exit', () => {
      this.isDead = true;
      clearInterval(this.watch);
      for (const resolve of this.resets.splice(0)) {
        resolve();
      }
      onGone();
      this.user?.onDeath(this.failure, this.isPoison);
      this.user = null;
    });
    this.watch = setInterval(() => {
      this.checkBudget();
    }, WATCH_EVERY_MS);
    this.watch.unref();
  }

  /** Thread id, for operators and tests. */
  get threadId(): number {
    return this.thread.threadId;
  }

  post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    if (!this.isDead) {
      this.thread.postMessage(message, transfer);
    }
  }

  /** Takes its source away. Resolves when the worker has let go of it, its ffmpeg child included. */
  reset(): Promise<void> {
    if (this.isDead) {
      return Promise.resolve();
    }
    this.post({ kind: 'reset' });
    return new Promise((resolve) => {
      this.resets.push(resolve);
    });
  }

  /** Ends the thread in order: an ffmpeg child is ended and reaped before its parent thread is gone. */
  async end(): Promise<void> {
    this.user = null;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, END_PATIENCE_MS);
    });
    await Promise.race([this.reset(), patience]);
    clearTimeout(timer);
    await this.terminate();
  }

  /** Tells the worker which unit is the newest on its way to it. */
  announceNewest(index: number): void {
    Atomics.store(this.board, BOARD.newest, index);
  }

  /** Ends the thread at once, whatever it does; its user hears of it unless it was released before. */
  async terminate(): Promise<void> {
    await this.thread.terminate();
  }

  private receive(message: FromWorker): void {
    if (message.kind === 'ready') {
      this.options.onCalibration(message.calibration);
    } else if (message.kind === 'reset-done') {
      this.resets.shift()?.();
    } else if (this.resets.length === 0) {
      this.user?.onMessage(message); // what comes before reset-done belongs to the source before
    }
  }

  private checkBudget(): void {
    const phase = Atomics.load(this.board, BOARD.phase);
    if (phase === PHASE.idle) {
      return;
    }
    const isDecoding = phase === PHASE.decoding;
    const budget = isDecoding ? this.options.decodeBudgetMs : ENCODE_BUDGET_MS;
    // A clock that reads slightly ahead wraps to a huge value: not a hang.
    const wallMs = sinceBoardTime(Atomics.load(this.board, BOARD.since), sharedNow());
    if (wallMs <= budget || wallMs > 2 ** 29 || this.isDead) {
      return;
    }
    // On a busy machine the thread may have waited for a core most of the time: that is not the picture's fault.
    const cpuMs = cpuMsOfThread(Atomics.load(this.board, BOARD.threadId));
    const spentMs = cpuMs === null ? wallMs : sinceBoardTime(Atomics.load(this.board, BOARD.sinceCpu), cpuMs);
    if (spentMs > budget || wallMs > budget * WALL_PATIENCE) {
      this.failure = `${isDecoding ? 'decoding' : 'encoding'} one picture took more than ${budget} ms of CPU time`;
      this.isPoison = isDecoding;
      void this.thread.terminate();
    }
  }
}
