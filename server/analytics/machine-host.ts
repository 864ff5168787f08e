// Makes the machine of a partition, and hosts machines in the thread of their owner (threads/thread-machine-host.ts: in others).

import type { Topic } from '../../shared/telemetry/topics.ts';
import type { MachineHost, PartitionMachine, RemoteMachine } from './partition-machine.ts';
import { PartitionWorker } from './partition-worker.ts';
import { ShuffleWorker } from './shuffle-worker.ts';
import type { AnyStreamJob, JobTopic } from './stream-job.ts';

/** The machine of a partition: map side and the product's jobs over an input, reduce side over the shuffle. */
export function makeMachine(
  { topic, partition }: { readonly topic: Topic; readonly partition: number },
  jobs: readonly AnyStreamJob[],
  partitionsOf: (topic: Topic) => number,
): PartitionMachine {
  return topic === 'shuffle'
    ? new ShuffleWorker(partition, jobs, partitionsOf)
    : new PartitionWorker(topic as JobTopic, partition, jobs);
}

/** Machines in the thread of their owner. */
export class LocalMachineHost implements MachineHost {
  onLost: (reason: string) => void = () => undefined;
  private readonly jobs: readonly AnyStreamJob[];
  private readonly partitionsOf: (topic: Topic) => number;

  constructor(jobs: readonly AnyStreamJob[], partitionsOf: (topic: Topic) => number) {
    this.jobs = jobs;
    this.partitionsOf = partitionsOf;
  }

  open(at: { readonly topic: Topic; readonly partition: number }): RemoteMachine {
    const machine = makeMachine(at, this.jobs, this.partitionsOf);
    return {
      process: (records) => Promise.resolve(machine.process(records)),
      counters: () => machine.counters(),
      snapshot: () => Promise.resolve(machine.snapshot()),
      restore: (saved) => {
        machine.restore(saved);
        return Promise.resolve();
      },
      release: () => undefined,
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
