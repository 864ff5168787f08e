// The role of what works on one partition: records in, records for other topics out, state by snapshot. What comes out depends on the
// records alone, so that another process, another thread or a replay makes the same bytes.

import type { Topic } from '../../shared/telemetry/topics.ts';
import type { Json } from '../../shared/windows/aggregates/aggregate.ts';
import type { LogRecord, StoredRecord } from '../telemetry/telemetry-log.ts';

export type MachineOutput = {
  readonly windows: readonly LogRecord[];
  readonly late: readonly LogRecord[];
  readonly dlq: readonly LogRecord[];
  /** Partial aggregates of users' jobs. */
  readonly shuffle: readonly LogRecord[];
  /** No user's job will see an older event of this partition, epoch ms; null before any record. */
  readonly watermark: number | null;
};

export type MachineCounters = {
  readonly records: number;
  readonly duplicates: number;
  readonly missing: number;
  readonly late: number;
  readonly bad: number;
};

export interface PartitionMachine {
  /** Takes records in order of offset and returns what they closed. */
  process(records: readonly StoredRecord[]): MachineOutput;
  counters(): MachineCounters;
  snapshot(): Json;
  restore(saved: Json): void;
}

/** A machine as its owner sees it, wherever it works. */
export interface RemoteMachine {
  process(records: readonly StoredRecord[]): Promise<MachineOutput>;
  /** As of the last batch. */
  counters(): MachineCounters;
  snapshot(): Promise<Json>;
  restore(saved: Json): Promise<void>;
  /** The partition is no longer ours. */
  release(): void;
}

export interface MachineHost {
  open(at: { readonly topic: Topic; readonly partition: number }): RemoteMachine;
  /** Told once when machines were lost with their thread: nothing of them can be trusted any more. */
  onLost: (reason: string) => void;
  close(): Promise<void>;
}
