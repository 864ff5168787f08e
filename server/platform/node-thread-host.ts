// The codec's ThreadHost in Node: each thread is a worker_thread that runs one entry file. Used where the codec gets more than one thread.

import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { HostThread, ThreadHost, ThreadListener } from '../../shared/codec/h264/threads/thread-host.ts';
import { type WorkerEntry, workerEntry } from './worker-entry.ts';

export class NodeThreadHost implements ThreadHost {
  readonly parallelism: number;
  readonly #entry: WorkerEntry;
  /** Started ahead of time, for the next start(). */
  #prepared: Worker | null = null;

  /** `entry` is the module that each thread runs (workerEntry finds it). `parallelism` defaults to the machine's. */
  constructor(entry: WorkerEntry, parallelism = availableParallelism()) {
    this.parallelism = parallelism;
    this.#entry = entry;
  }

  /** Starts a thread ahead of time. Resolves when it runs, or when it cannot be had: then start() tries again. */
  async prepare(): Promise<void> {
    const worker = this.#startWorker();
    try {
      // entries say a first word when they are loaded
      await once(worker, 'message');
      this.#prepared = worker;
    } catch {
      await worker.terminate();
    }
  }

  start(listener: ThreadListener): HostThread {
    const worker = this.#prepared ?? this.#startWorker();
    this.#prepared = null;
    let isEnding = false;
    worker.on('message', listener.onMessage);
    worker.on('error', (error) => {
      isEnding = true;
      listener.onFailure(error instanceof Error ? error.message : String(error));
    });
    worker.on('exit', (code) => {
      if (!isEnding) {
        listener.onFailure(`the thread ended with code ${code}`);
      }
    });
    worker.unref();
    return {
      post: (message) => {
        worker.postMessage(message);
      },
      terminate: async () => {
        isEnding = true;
        await worker.terminate();
      },
    };
  }

  #startWorker(): Worker {
    return new Worker(this.#entry.script, { name: 'tessera-codec', workerData: this.#entry.data });
  }
}

/** Lends a thread to an H264Decoder. */
export function decoderThreadHost(parallelism?: number): NodeThreadHost {
  return new NodeThreadHost(workerEntry(import.meta.url, './decoder-thread'), parallelism);
}

/** Lends threads to an H264Encoder. */
export function encoderThreadHost(parallelism?: number): ThreadHost {
  return new NodeThreadHost(workerEntry(import.meta.url, './encoder-thread'), parallelism);
}
