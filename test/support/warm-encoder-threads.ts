// A ThreadHost whose threads outlive the encoders that they are lent to: a short clip would be over before a thread of its own has started.
// An encoder that closes sends them back to their event loop, where the next encoder's order waits.

import { encoderThreadHost } from '../../server/platform/node-thread-host.ts';
import { H264Encoder } from '../../shared/codec/h264/encoder.ts';
import type { HostThread, ThreadHost } from '../../shared/codec/h264/threads/thread-host.ts';
import { eventually } from './eventually.ts';
import { movingPicture } from './moving-picture.ts';

const SIZE = { width: 32, height: 64 };
/** A slow machine may take long to bring a thread up. */
const PATIENCE_MS = 120_000;

export class WarmEncoderThreads implements ThreadHost {
  readonly parallelism: number;
  private readonly threads: readonly HostThread[];
  private next = 0;
  private failure: string | null = null;

  /** `parallelism`: as many threads at a time, the caller's own included. */
  constructor(parallelism: number) {
    this.parallelism = parallelism;
    const host = encoderThreadHost(parallelism);
    const onFailure = (reason: string): void => {
      this.failure = reason;
    };
    this.threads = Array.from({ length: parallelism - 1 }, () => host.start({ onMessage: () => undefined, onFailure }));
  }

  /** Resolves when a thread has coded a slice. */
  async warmUp(): Promise<void> {
    const clip = movingPicture({ ...SIZE, seed: 1 });
    const encoder = new H264Encoder({ output: () => undefined, threadHost: this });
    const framerate = { numerator: 25, denominator: 1 };
    encoder.configure({ ...SIZE, framerate, rateControl: { kind: 'qp', qp: 30 }, threads: this.parallelism });
    let index = 0;
    await eventually(
      'an encoder thread to code a slice',
      () => {
        if (this.failure !== null) {
          throw new Error(`An encoder thread failed: ${this.failure}`);
        }
        encoder.encode(clip(index++));
        return encoder.lentSlices > 0;
      },
      PATIENCE_MS,
    );
    encoder.close();
  }

  start(): HostThread {
    const thread = this.threads[this.next++ % this.threads.length];
    return {
      post: (message) => {
        thread.post(message);
      },
      terminate: () => Promise.resolve(),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.terminate()));
  }
}
