// The codec's ThreadHost in Node: each thread is a worker_thread that runs one entry file. Used where the codec gets more than one thread.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { HostThread, ThreadHost, ThreadListener } from '../../shared/codec/h264/threads/thread-host.ts';

export class NodeThreadHost implements ThreadHost {
  readonly parallelism: number;
  readonly #entry: URL;

  /** `entry` is the module that each thread runs. `parallelism` defaults to the machine's. */
  constructor(entry: URL, parallelism = availableParallelism()) {
    this.#entry = entry;
    this.parallelism = parallelism;
  }

  start(listener: ThreadListener): HostThread {
    const worker = new Worker(this.#entry, { name: 'tessera-codec' });
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
