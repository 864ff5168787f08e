// The telemetry log in memory: for tests and `telemetry.driver: memory`. Bounded by records per partition; the oldest go first.

import { TOPICS, type Topic } from '../../shared/telemetry/topics.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { LocalGroups } from './local-groups.ts';
import { partitionOf } from './partition.ts';
import type {
  LogRecord,
  OffsetBounds,
  StoredRecord,
  Subscriber,
  Subscription,
  TelemetryLog,
  TopicPartition,
} from './telemetry-log.ts';

export type MemoryLogOptions = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly partitions?: number;
  /** Records kept per partition. */
  readonly maxRecords?: number;
};

type Partition = { end: number; records: StoredRecord[] };

export class MemoryTelemetryLog implements TelemetryLog {
  readonly description = 'memory';
  private readonly partitionCount: number;
  private readonly maxRecords: number;
  private readonly stored = new Map<string, Partition>();
  private readonly offsets = new Map<string, number>();
  private readonly groups: LocalGroups;

  constructor({ clock, logger, partitions = 4, maxRecords = 100_000 }: MemoryLogOptions) {
    this.partitionCount = partitions;
    this.maxRecords = maxRecords;
    this.groups = new LocalGroups(this, clock, logger);
  }

  partitions(): number {
    return this.partitionCount;
  }

  append(topic: Topic, records: readonly LogRecord[]): Promise<void> {
    for (const { partitionKey, ...record } of records) {
      const partition = partitionOf(partitionKey ?? record.key, this.partitionCount);
      const kept = this.partition({ topic, partition });
      kept.records.push({ ...record, partition, offset: kept.end++ });
      if (TOPICS[topic].kind === 'compact') {
        const before = kept.records.findIndex(({ key }) => key === record.key);
        if (before < kept.records.length - 1) {
          kept.records.splice(before, 1);
        }
      } else if (kept.records.length > this.maxRecords * 1.25) {
        kept.records.splice(0, kept.records.length - this.maxRecords);
      }
    }
    this.groups.wake(topic);
    return Promise.resolve();
  }

  bounds(at: TopicPartition): Promise<OffsetBounds> {
    const { end, records } = this.partition(at);
    return Promise.resolve({ earliest: records.at(0)?.offset ?? end, end });
  }

  read(at: TopicPartition, offset: number, max: number): Promise<readonly StoredRecord[]> {
    const { records } = this.partition(at);
    let low = 0;
    let high = records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((records[middle]?.offset ?? Infinity) < offset) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return Promise.resolve(records.slice(low, low + max));
  }

  commit(group: string, { topic, partition }: TopicPartition, offset: number): Promise<void> {
    this.offsets.set(`${group} ${topic} ${partition}`, offset);
    return Promise.resolve();
  }

  committed(group: string, { topic, partition }: TopicPartition): Promise<number | null> {
    return Promise.resolve(this.offsets.get(`${group} ${topic} ${partition}`) ?? null);
  }

  members(group: string): Promise<number> {
    return Promise.resolve(this.groups.members(group));
  }

  subscribe(subscriber: Subscriber): Promise<Subscription> {
    return this.groups.join(subscriber);
  }

  close(): Promise<void> {
    return this.groups.close();
  }

  private partition({ topic, partition }: TopicPartition): Partition {
    const name = `${topic} ${partition}`;
    const kept = this.stored.get(name) ?? { end: 0, records: [] };
    this.stored.set(name, kept);
    return kept;
  }
}
