// The codec's ThreadHost in Node: each thread is a worker_thread that runs one entry file. Used where the codec gets more than one thread.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { HostThread, ThreadHost, ThreadListener } from '../../shared/codec/h264/threads/thread-host.ts';
import { type WorkerEntry, workerEntry } from './worker-entry.ts';

export class NodeThreadHost implements ThreadHost {
  readonly parallelism: number;
  readonly #entry: WorkerEntry;

  /** `entry` is the module that each thread runs (workerEntry finds it). `parallelism` defaults to the machine's. */
  constructor(entry: WorkerEntry, parallelism = availableParallelism()) {
    this.#entry = entry;
    this.parallelism = parallelism;
  }

  start(listener: ThreadListener): HostThread {
    const worker = new Worker(this.#entry.script, { name: 'tessera-codec', workerData: this.#entry.data });
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
}

/** Lends threads to an H264Encoder. */
export function encoderThreadHost(parallelism?: number): ThreadHost {
  return new NodeThreadHost(workerEntry(import.meta.url, './encoder-thread'), parallelism);
}
