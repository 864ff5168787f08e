// A ThreadHost whose one thread is up before a decoder asks for it, and outlives it: decoding is synchronous, so that a short stream would
// be over before a thread has started. Counts the jobs that the thread got.

import { decoderThreadHost } from '../../server/platform/node-thread-host.ts';
import { sharedSliceModule } from '../../shared/codec/h264/kernels/slice-kernels.ts';
import type { DecoderThreadOrder } from '../../shared/codec/h264/threads/decoder-thread.ts';
import type { HostThread, ThreadHost } from '../../shared/codec/h264/threads/thread-host.ts';
import { eventually } from './eventually.ts';

export class WarmThreadHost implements ThreadHost {
  readonly parallelism = 2;
  jobs = 0;
  private readonly thread: HostThread;
  private failure: string | null = null;

  constructor() {
    this.thread = decoderThreadHost(2).start({
      onMessage: () => undefined,
      onFailure: (reason) => {
        this.failure = reason;
      },
    });
  }

  /** Resolves when the thread answers. */
  async warmUp(): Promise<void> {
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
    const order: DecoderThreadOrder = { kind: 'attach', memory, module: sharedSliceModule(), state: 65536 };
    this.thread.post(order);
    const cells = new Int32Array(memory.buffer);
    await eventually(
      'the decoder thread to take orders',
      () => {
        if (this.failure !== null) {
          throw new Error(`The decoder thread failed: ${this.failure}`);
        }
        return Atomics.load(cells, 65536 / 4) === 1;
      },
      120_000,
    );
  }

  start(): HostThread {
    return {
      post: (message) => {
        if ((message as DecoderThreadOrder).kind === 'decode') {
          this.jobs++;
        }
        this.thread.post(message);
        if ((message as DecoderThreadOrder).kind === 'attach') {
          // the decoder would go on without the thread until it has looked at the order
          const { memory, state } = message as DecoderThreadOrder & { kind: 'attach' };
          Atomics.wait(new Int32Array(memory.buffer), state >> 2, 0, 10_000);
        }
      },
      terminate: () => Promise.resolve(),
    };
  }

  close(): Promise<void> {
    return this.thread.terminate();
  }
}
