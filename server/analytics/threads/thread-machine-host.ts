// Hosts machines in worker threads: map and reduce of different partitions run side by side in one process. A machine stays in the
// thread that it was opened in; what comes out is the same bytes as in the owner's thread. When a thread dies all machines count as
// lost, and their owner starts again from the checkpoints.

import { Worker } from 'node:worker_threads';
import { TOPICS, type Topic } from '../../../shared/telemetry/topics.ts';
import type { Json } from '../../../shared/windows/aggregates/aggregate.ts';
import type { MachineCounters, MachineHost, MachineOutput, RemoteMachine } from '../partition-machine.ts';
import type { FromThread, MachineRequest, ThreadData, ToThread } from './messages.ts';

export type ThreadHostOptions = {
  /** 1..64. */
  readonly threads: number;
  readonly jobPaths: readonly string[];
  readonly partitionsOf: (topic: Topic) => number;
  /** Heap of one thread, MB; a thread that needs more dies, and nothing else does. */
  readonly maxHeapMb?: number;
};

type Pending = { readonly resolve: (reply: FromThread) => void; readonly reject: (error: Error) => void };

const MAX_HEAP_MB = 512;
const NOTHING: MachineCounters = { records: 0, duplicates: 0, missing: 0, late: 0, bad: 0 };

class MachineThread {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private nextId = 0;
  private failure: string | null = null;

  constructor(data: ThreadData, maxHeapMb: number, onDeath: (reason: string) => void) {
    const isSource = import.meta.url.endsWith('.ts');
    const entry = new URL(isSource ? './typescript-thread.mjs' : './machine-thread.js', import.meta.url);
    this.worker = new Worker(entry, {
      name: 'tessera-analytics',
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    });
    this.worker.unref();
    this.worker.on('message', (reply: FromThread) => {
      const pending = this.pending.get(reply.id);
      this.pending.delete(reply.id);
      if ('error' in reply) {
        pending?.reject(new Error(reply.error));
      } else {
        pending?.resolve(reply);
      }
    });
    this.worker.on('error', (error) => {
      this.failure = error instanceof Error ? error.message : String(error);
    });
    this.worker.on('exit', (code) => {
      this.failure ??= `the thread ended with code ${code}`;
      const reason = this.failure;
      for (const { reject } of this.pending.values()) {
        reject(new Error(`An analytics thread has died: ${reason}`));
      }
      this.pending.clear();
      onDeath(reason);
    });
  }

  ask(machine: number, request: MachineRequest): Promise<FromThread> {
    if (this.failure !== null) {
      return Promise.reject(new Error(`An analytics thread has died: ${this.failure}`));
    }
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.worker.postMessage({ id, machine, request } satisfies ToThread);
    });
  }

  async terminate(): Promise<void> {
    await this.worker.terminate();
  }
}

export class ThreadMachineHost implements MachineHost {
  onLost: (reason: string) => void = () => undefined;
  private readonly threads: readonly MachineThread[];
  private machines = 0;
  private isClosed = false;

  constructor({ threads, jobPaths, partitionsOf, maxHeapMb = MAX_HEAP_MB }: ThreadHostOptions) {
    const topics = Object.keys(TOPICS) as Topic[];
    const partitions = Object.fromEntries(topics.map((topic) => [topic, partitionsOf(topic)]));
    this.threads = Array.from(
      { length: threads },
      () =>
        new MachineThread({ jobPaths, partitions }, maxHeapMb, (reason) => {
          if (!this.isClosed) {
            this.isClosed = true;
            this.onLost(reason);
          }
        }),
    );
  }

  /** Partitions go to the threads in turn. */
  open({ topic, partition }: { readonly topic: Topic; readonly partition: number }): RemoteMachine {
    const machine = this.machines++;
    const thread = this.threads[machine % this.threads.length] as MachineThread;
    let counters = NOTHING;
    // Requests are answered in order, so whoever asks next waits for this one too.
    const opened = thread.ask(machine, { kind: 'open', topic, partition });
    opened.catch(() => undefined);
    return {
      process: async (records): Promise<MachineOutput> => {
        const reply = await thread.ask(machine, { kind: 'process', records });
        if (!('output' in reply)) {
          throw new TypeError('A thread answers `process` with what came out.');
        }
        counters = reply.counters;
        return reply.output;
      },
      counters: () => counters,
      snapshot: async (): Promise<Json> => {
        const reply = await thread.ask(machine, { kind: 'snapshot' });
        return 'state' in reply ? reply.state : null;
      },
      restore: async (state) => {
        await thread.ask(machine, { kind: 'restore', state });
      },
      release: () => {
        thread.ask(machine, { kind: 'release' }).catch(() => undefined);
      },
    };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.threads.map((thread) => thread.terminate()));
  }
}
