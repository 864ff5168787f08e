// The reduce side of users' jobs over one partition of shuffle.v1. Its clock is the least event time that any source partition has
// promised (marks), so that a partition that lags holds windows open instead of losing its records.

import { ReduceSide } from '../../shared/jobs/job.ts';
import type { Topic } from '../../shared/telemetry/topics.ts';
import type { Json } from '../../shared/windows/aggregates/aggregate.ts';
import type { LogRecord, StoredRecord } from '../telemetry/telemetry-log.ts';
import { deadLetter } from './dead-letter.ts';
import type { MachineCounters, MachineOutput, PartitionMachine } from './partition-machine.ts';
import { sourceName, type MarksRecord, type PartialRecord } from './shuffle-records.ts';
import type { AnyStreamJob } from './stream-job.ts';
import { windowRecord } from './window-record.ts';

type Reduce = ReduceSide<never, never, never, unknown>;
type RunningReduce = { readonly reduce: Reduce; readonly sources: readonly string[]; watermark: number };
type Place = readonly [offset: number, index: number];

const isAfter = ([offset, index]: Place, [seenOffset, seenIndex]: Place): boolean =>
  offset > seenOffset || (offset === seenOffset && index > seenIndex);

export class ShuffleWorker implements PartitionMachine {
  private readonly partition: number;
  private readonly jobs = new Map<string, RunningReduce>();
  /** Last place of each `job source`. */
  private readonly seen = new Map<string, Place>();
  private readonly marks = new Map<string, number>();
  private windows: LogRecord[] = [];
  private late: LogRecord[] = [];
  private dlq: LogRecord[] = [];
  private records = 0;
  private duplicates = 0;
  private lateRecords = 0;
  private bad = 0;

  constructor(partition: number, jobs: readonly AnyStreamJob[], partitionsOf: (topic: Topic) => number) {
    this.partition = partition;
    for (const { topic, job } of jobs) {
      const { name } = job;
      const reduce = new ReduceSide<never, never, never, unknown>(
        { ...(job as object), clock: { kind: 'watermark' } } as never,
        {
          onResult: ({ key, start, end, value }) => {
            this.windows.push(windowRecord(name, key, { start, end }, { value: value as Json }));
          },
          onLate: ({ key, ts }) => {
            this.lateRecords++;
            const value = JSON.stringify({ v: 1, reason: 'late', job: name, key, ts });
            this.late.push({ key, value, timestamp: ts, headers: { ce_type: `tessera.late.${name}` } });
          },
        },
      );
      const sources = Array.from({ length: partitionsOf(topic) }, (_, i) => sourceName(topic, i));
      this.jobs.set(name, { reduce, sources, watermark: -Infinity });
    }
  }

  process(records: readonly StoredRecord[]): MachineOutput {
    for (const record of records) {
      this.records++;
      try {
        this.take(JSON.parse(record.value ?? 'null') as PartialRecord | MarksRecord | null);
      } catch (error) {
        this.bad++;
        const reason = error instanceof Error ? error.message : String(error);
        this.dlq.push(deadLetter('shuffle', this.partition, record, `no job can take it: ${reason}`));
      }
    }
    const { windows, late, dlq } = this;
    this.windows = [];
    this.late = [];
    this.dlq = [];
    return { windows, late, dlq, shuffle: [], watermark: null };
  }

  private take(record: PartialRecord | MarksRecord | null): void {
    if (record?.v !== 1) {
      throw new TypeError('version is not 1');
    }
    if ('marks' in record) {
      this.mark(record);
      return;
    }
    const { job, source, offset, index, partial } = record;
    const running = this.jobs.get(job);
    if (running === undefined) {
      throw new TypeError(`there is no job ${job} here`);
    }
    const name = `${job} ${source}`;
    if (!isAfter([offset, index], this.seen.get(name) ?? [-1, -1])) {
      this.duplicates++;
      return;
    }
    this.seen.set(name, [offset, index]);
    running.reduce.process([running.reduce.decode(partial)]);
  }

  private mark({ marks }: MarksRecord): void {
    for (const [source, time] of Object.entries(marks)) {
      this.marks.set(source, Math.max(time, this.marks.get(source) ?? -Infinity));
    }
    for (const running of this.jobs.values()) {
      let least = Infinity;
      for (const source of running.sources) {
        least = Math.min(least, this.marks.get(source) ?? -Infinity);
      }
      if (least > running.watermark) {
        running.watermark = least;
        running.reduce.advance(least);
      }
    }
  }

  counters(): MachineCounters {
    const { records, duplicates, lateRecords: late, bad } = this;
    return { records, duplicates, missing: 0, late, bad };
  }

  snapshot(): Json {
    const jobs = [...this.jobs].map(([name, { reduce }]): Json => [name, reduce.snapshot()]);
    return { v: 1, seen: [...this.seen] as unknown as Json, marks: [...this.marks], jobs };
  }

  restore(saved: Json): void {
    const { v, seen, marks, jobs } = saved as unknown as {
      v: number;
      seen: [string, Place][];
      marks: [string, number][];
      jobs: [string, Json][];
    };
    if (v !== 1) {
      throw new Error('The checkpoint is of another version.');
    }
    seen.forEach(([name, place]) => this.seen.set(name, place));
    marks.forEach(([source, time]) => this.marks.set(source, time));
    for (const [name, state] of jobs) {
      this.jobs.get(name)?.reduce.restore(state); // a job that is gone leaves nothing behind
    }
  }
}
