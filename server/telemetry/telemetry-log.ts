// The telemetry log as everybody sees it: topics cut into partitions, appended to by key, read by offset, followed in groups.
// Drivers: memory-telemetry-log (tests), embedded-telemetry-log (LMDB, the default and the spool), kafka-telemetry-log; around the last one
// opening-telemetry-log and spooling-telemetry-log.
// One contract suite runs over all of them (test/support/telemetry-log-contract.ts).

import type { Topic } from '../../shared/telemetry/topics.ts';

export type LogRecord = {
  readonly key: string;
  /** JSON text; null removes the key from a compacted topic. */
  readonly value: string | null;
  /** Event time, epoch ms. */
  readonly timestamp: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Chooses the partition instead of the key; not stored. */
  readonly partitionKey?: string;
};

export type StoredRecord = Omit<LogRecord, 'partitionKey'> & { readonly partition: number; readonly offset: number };

export type TopicPartition = { readonly topic: Topic; readonly partition: number };

/** Offsets that exist: `earliest` .. `end - 1`, with holes where records were compacted. */
export type OffsetBounds = { readonly earliest: number; readonly end: number };

export type BatchContext = {
  /** The partition is no longer ours: stop, whatever is done now is thrown away. */
  readonly isStale: () => boolean;
  /** Tells the group that we live; call between pieces of long work. */
  readonly heartbeat: () => Promise<void>;
};

export type Subscriber = {
  readonly group: string;
  readonly topics: readonly Topic[];
  /** Partitions became ours: returns where to start each (same order); null starts at the committed offset, else the earliest. */
  readonly onAssigned: (partitions: readonly TopicPartition[]) => Promise<readonly (number | null)[]>;
  /** Partitions are no longer ours. Nothing of them is delivered any more. */
  readonly onRevoked: (partitions: readonly TopicPartition[]) => Promise<void>;
  /** Records of one partition in order of offset. The next batch of the partition waits for this one. */
  readonly onBatch: (from: TopicPartition, records: readonly StoredRecord[], context: BatchContext) => Promise<void>;
};

export interface Subscription {
  close(): Promise<void>;
}

export interface TelemetryLog {
  /** For start-up lines and the console: `embedded`, `kafka 4.1.1, 24 partitions`. */
  readonly description: string;
  partitions(topic: Topic): number;
  /** Appends in order; each record goes to the partition of its key. Resolves when all are acknowledged; rejects when some may not be. */
  append(topic: Topic, records: readonly LogRecord[]): Promise<void>;
  bounds(at: TopicPartition): Promise<OffsetBounds>;
  /** Up to `max` records from `offset` on; fewer only at the end. An offset that is gone starts at the earliest. */
  read(at: TopicPartition, offset: number, max: number): Promise<readonly StoredRecord[]>;
  commit(group: string, at: TopicPartition, offset: number): Promise<void>;
  committed(group: string, at: TopicPartition): Promise<number | null>;
  /** Members that a group has now, here and in other processes. */
  members(group: string): Promise<number>;
  /** Joins a group: its partitions are shared among its members, here and in other processes. */
  subscribe(subscriber: Subscriber): Promise<Subscription>;
  /** Resolves when the log can be read and followed; until then everything but description and partitions rejects. Where that is at once, it is missing. */
  ready?(): Promise<void>;
  /** The process is about to end: appends, also those under way, are settled within a second. Where they always are, it is missing. */
  hurry?(): void;
  close(): Promise<void>;
}
