// The telemetry log on LMDB, in the server's own process: the default without Kafka, and the spool while Kafka is away.
// Several processes may open one folder: offsets are handed out inside LMDB's write transaction. Bounded by bytes and by retention;
// the oldest records of the biggest topic go first.

import { mkdirSync } from 'node:fs';
import { open, type Database, type RootDatabase } from 'lmdb';
import { retentionOf, TOPICS, type RetentionHours, type Topic } from '../../shared/telemetry/topics.ts';
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

export type EmbeddedLogOptions = {
  /** Folder of the database; made when missing, readable by the owner only. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly partitions?: number;
  readonly retentionHours?: RetentionHours;
  readonly isReadOnly?: boolean;
  /** Told how many records of a topic went before their retention because the log was full. */
  readonly onTrimmed?: (topic: Topic, records: number) => void;
};

type RecordKey = [topic: string, partition: number, offset: number];
/** Appended at (epoch ms), event time, key, value, headers. */
type Row = [number, number, string, string | null, Record<string, string> | null];
type MetaKey = [what: string, ...where: (string | number)[]];

/** What one record costs in the file beside its own bytes: keys, page slack, tree. Measured, rounded up. */
const OVERHEAD_BYTES = 120;
/** Share of maxBytes that records may fill by our count: freed pages and the tree need the rest. */
const FILL = 0.6;
const TRIM_EVERY_MS = 10_000;
const TRIM_CHUNK = 1000;

const topics = Object.keys(TOPICS) as Topic[];

function costOf(row: Row): number {
  const headers = row[4] === null ? 0 : 3 * 60;
  return OVERHEAD_BYTES + row[2].length + (row[3]?.length ?? 0) + headers;
}

export class EmbeddedTelemetryLog implements TelemetryLog {
  readonly description = 'embedded';
  private readonly options: EmbeddedLogOptions;
  private readonly partitionCount: number;
  private readonly root: RootDatabase;
  private readonly records: Database<Row, RecordKey>;
  private readonly meta: Database<number, MetaKey>;
  private readonly groups: LocalGroups;
  private readonly stopTrimming: () => void;
  private trimming: Promise<void> | null = null;
  private isClosed = false;

  constructor(options: EmbeddedLogOptions) {
    this.options = options;
    this.partitionCount = options.partitions ?? 4;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    const readOnly = options.isReadOnly === true;
    this.root = open({ path: options.directory, maxDbs: 4, readOnly, noSubdir: false });
    this.records = this.root.openDB<Row, RecordKey>({ name: 'records' });
    this.meta = this.root.openDB<number, MetaKey>({ name: 'meta' });
    this.groups = new LocalGroups(this, options.clock, options.logger);
    this.stopTrimming = readOnly ? () => undefined : options.clock.every(TRIM_EVERY_MS, () => void this.trim());
  }

  partitions(): number {
    return this.partitionCount;
  }

  /** Bytes of records by our count. */
  get bytes(): number {
    return topics.reduce((sum, topic) => sum + (this.meta.get(['bytes', topic]) ?? 0), 0);
  }

  async append(topic: Topic, records: readonly LogRecord[]): Promise<void> {
    if (records.length === 0) {
      return;
    }
    await this.root.transaction(() => this.write(topic, records));
    this.groups.wake(topic);
    if (this.bytes > this.options.maxBytes * FILL * 1.05) {
      await this.trim();
    }
  }

  private write(topic: Topic, records: readonly LogRecord[]): void {
    const isCompact = TOPICS[topic].kind === 'compact';
    const appendedAt = this.options.clock.epochMs();
    const ends = new Map<number, number>();
    let cost = this.meta.get(['bytes', topic]) ?? 0;
    for (const { key, value, timestamp, headers, partitionKey } of records) {
      const partition = partitionOf(partitionKey ?? key, this.partitionCount);
      const offset = ends.get(partition) ?? this.meta.get(['end', topic, partition]) ?? 0;
      const row: Row = [appendedAt, timestamp, key, value, headers ?? null];
      if (isCompact) {
        cost -= this.removeOlder(topic, partition, key, offset);
      }
      void this.records.put([topic, partition, offset], row);
      cost += costOf(row);
      ends.set(partition, offset + 1);
    }
    for (const [partition, end] of ends) {
      void this.meta.put(['end', topic, partition], end);
    }
    void this.meta.put(['bytes', topic], cost);
  }

  /** Compaction at once: the key's older record goes. Returns its cost. */
  private removeOlder(topic: Topic, partition: number, key: string, offset: number): number {
    const at: MetaKey = ['newest', topic, partition, key];
    const older = this.meta.get(at);
    void this.meta.put(at, offset);
    if (older === undefined) {
      return 0;
    }
    const row = this.records.get([topic, partition, older]);
    void this.records.remove([topic, partition, older]);
    return row === undefined ? 0 : costOf(row);
  }

  bounds({ topic, partition }: TopicPartition): Promise<OffsetBounds> {
    const end = this.meta.get(['end', topic, partition]) ?? 0;
    const [first] = this.records.getKeys({ start: [topic, partition, 0], end: [topic, partition, end], limit: 1 });
    return Promise.resolve({ earliest: first?.[2] ?? end, end });
  }

  read({ topic, partition }: TopicPartition, offset: number, max: number): Promise<readonly StoredRecord[]> {
    const found: StoredRecord[] = [];
    const range = this.records.getRange({
      start: [topic, partition, offset],
      end: [topic, partition, Number.MAX_SAFE_INTEGER],
      limit: max,
    });
    for (const { key, value: row } of range) {
      const [, timestamp, recordKey, value, headers] = row;
      const record = { key: recordKey, value, timestamp, partition, offset: key[2] };
      found.push(headers === null ? record : { ...record, headers });
    }
    return Promise.resolve(found);
  }

  async commit(group: string, { topic, partition }: TopicPartition, offset: number): Promise<void> {
    await this.meta.put(['commit', group, topic, partition], offset);
  }

  committed(group: string, { topic, partition }: TopicPartition): Promise<number | null> {
    return Promise.resolve(this.meta.get(['commit', group, topic, partition]) ?? null);
  }

  /** Removes the records of a partition before `offset`. */
  async truncate({ topic, partition }: TopicPartition, offset: number): Promise<void> {
    await this.root.transaction(() => {
      let cost = this.meta.get(['bytes', topic]) ?? 0;
      const range = { start: [topic, partition, 0] as RecordKey, end: [topic, partition, offset] as RecordKey };
      for (const { key, value: row } of [...this.records.getRange(range)]) {
        void this.records.remove(key);
        cost -= costOf(row);
      }
      void this.meta.put(['bytes', topic], cost);
    });
  }

  members(group: string): Promise<number> {
    return Promise.resolve(this.groups.members(group));
  }

  /** Removes every record that `matches`, in all topics. Returns how many, by topic. */
  async forget(matches: (topic: Topic, record: StoredRecord) => boolean): Promise<Partial<Record<Topic, number>>> {
    const removed: Partial<Record<Topic, number>> = {};
    for (const topic of topics) {
      for (let partition = 0; partition < this.partitionCount; partition++) {
        for (let offset: number | null = 0; offset !== null;) {
          offset = await this.forgetChunk({ topic, partition }, offset, matches, removed);
        }
      }
    }
    return removed;
  }

  /** One transaction's worth; the offset to go on at, or null at the end. */
  private async forgetChunk(
    at: TopicPartition,
    offset: number,
    matches: (topic: Topic, record: StoredRecord) => boolean,
    removed: Partial<Record<Topic, number>>,
  ): Promise<number | null> {
    const records = await this.read(at, offset, TRIM_CHUNK);
    const doomed = records.filter((record) => matches(at.topic, record));
    if (doomed.length > 0) {
      await this.root.transaction(() => {
        let cost = this.meta.get(['bytes', at.topic]) ?? 0;
        for (const record of doomed) {
          const key: RecordKey = [at.topic, at.partition, record.offset];
          const row = this.records.get(key);
          if (row !== undefined) {
            cost -= costOf(row);
            void this.records.remove(key);
            void this.meta.remove(['newest', at.topic, at.partition, record.key]);
          }
        }
        void this.meta.put(['bytes', at.topic], cost);
      });
      removed[at.topic] = (removed[at.topic] ?? 0) + doomed.length;
    }
    const last = records.at(-1);
    return last === undefined ? null : last.offset + 1;
  }

  subscribe(subscriber: Subscriber): Promise<Subscription> {
    return this.groups.join(subscriber);
  }

  async close(): Promise<void> {
    if (!this.isClosed) {
      this.isClosed = true;
      this.stopTrimming();
      await this.groups.close();
      await this.trimming;
      await this.root.close();
    }
  }

  /** Removes what is past its retention, then the oldest of the biggest topic until the log fits. */
  trim(): Promise<void> {
    this.trimming ??= this.trimOnce().finally(() => {
      this.trimming = null;
    });
    return this.trimming;
  }

  private async trimOnce(): Promise<void> {
    try {
      await this.trimByAge();
      await this.trimBySize();
    } catch (error) {
      this.options.logger.error({ error }, 'the embedded telemetry log could not be trimmed');
    }
  }

  private async trimByAge(): Promise<void> {
    const now = this.options.clock.epochMs();
    for (const topic of topics) {
      const retentionMs = retentionOf(topic, this.options.retentionHours);
      if (retentionMs !== null) {
        const before = now - retentionMs;
        while ((await this.removeOldest(topic, (row) => row[0] < before)) === TRIM_CHUNK) {
          // another chunk
        }
      }
    }
  }

  private async trimBySize(): Promise<void> {
    while (this.bytes > this.options.maxBytes * FILL) {
      const sizes = topics
        .filter((topic) => TOPICS[topic].kind === 'delete')
        .map((topic) => ({ topic, bytes: this.meta.get(['bytes', topic]) ?? 0 }))
        .sort((a, b) => b.bytes - a.bytes);
      const biggest = sizes.at(0);
      const removed = biggest === undefined ? 0 : await this.removeOldest(biggest.topic, () => true);
      if (biggest === undefined || removed === 0) {
        return; // only compacted topics are left
      }
      this.options.onTrimmed?.(biggest.topic, removed);
    }
  }

  /** Removes up to a chunk of the topic's oldest records for which `isOver` holds, the partitions in turn. */
  private removeOldest(topic: Topic, isOver: (row: Row) => boolean): Promise<number> {
    return this.root.transaction(() => {
      let removed = 0;
      let cost = this.meta.get(['bytes', topic]) ?? 0;
      for (let partition = 0; partition < this.partitionCount; partition++) {
        const limit = Math.ceil(TRIM_CHUNK / this.partitionCount);
        const oldest = [
          ...this.records.getRange({ start: [topic, partition, 0], end: [topic, partition + 1, 0], limit }),
        ];
        for (const { key, value: row } of oldest) {
          if (!isOver(row)) {
            break;
          }
          void this.records.remove(key);
          cost -= costOf(row);
          removed++;
        }
      }
      void this.meta.put(['bytes', topic], cost);
      return removed;
    });
  }
}
