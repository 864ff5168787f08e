// The jobs over one partition of one topic, as a pure machine: records in, records for windows.v1, late.v1 and dlq.v1 out. What comes
// out depends on the records alone, so that another process, or a replay, makes the same bytes.

import { RunningJob, type Job } from '../../shared/jobs/job.ts';
import { decodeEvent, type EventRecord } from '../../shared/telemetry/event-codec.ts';
import type { EventTopic } from '../../shared/telemetry/topics.ts';
import type { Json } from '../../shared/windows/aggregates/aggregate.ts';
import type { ClockSpec } from '../../shared/windows/watermark.ts';
import { hopping, tumbling, type WindowSpec } from '../../shared/windows/window.ts';
import type { LogRecord, StoredRecord } from '../telemetry/telemetry-log.ts';
import { dataReduce, mapData } from './jobs/data-job.ts';
import { ingestReduce, mapIngest } from './jobs/ingest-job.ts';
import { mapViewer, viewerReduce } from './jobs/viewer-job.ts';
import { SequenceTracker } from './sequence-tracker.ts';

/** What a job of the product takes: an event, or that records before it are missing. */
type JobInput = { readonly event: EventRecord; readonly missing: number };
type HealthJob = Job<JobInput, never, never, object>;

export type WorkerOutput = {
  readonly windows: readonly LogRecord[];
  readonly late: readonly LogRecord[];
  readonly dlq: readonly LogRecord[];
};

export type WorkerCounters = {
  readonly records: number;
  readonly duplicates: number;
  readonly missing: number;
  readonly late: number;
  readonly bad: number;
};

/** Records of a key may be this much older than its newest: batches hold up to half a second, retries come on top. */
const BOUND_MS = 1000;
const AHEAD_MS = 2000;
const MAX_STREAMS = 20_000;
/** Bytes of a bad record that go to the dead-letter topic. */
const MAX_DEAD_LETTER = 4096;

const clock: ClockSpec = { kind: 'per-key', boundMs: BOUND_MS, aheadMs: AHEAD_MS, idleMs: Number.MAX_SAFE_INTEGER };

function healthJob(name: string, window: WindowSpec, map: unknown, reduce: unknown): HealthJob {
  const mapEvent = map as (event: EventRecord, emit: unknown) => void;
  const job: Job<JobInput, { kind: string; records?: number }, unknown, object> = {
    name,
    map: ({ event, missing }, emit) => {
      if (missing > 0) {
        emit(event.stream, { kind: 'missing', records: missing }, event.ts, event.at);
      }
      mapEvent(event, emit);
    },
    window,
    reduce: reduce as Job<JobInput, { kind: string }, unknown, object>['reduce'],
    clock,
    maxKeys: MAX_STREAMS,
  };
  return job as unknown as HealthJob;
}

/** The product's jobs by the topic that they read. */
const JOBS: Readonly<Record<EventTopic, readonly HealthJob[]>> = {
  ingest: [
    healthJob('ingest', hopping(10_000, 1000), mapIngest, ingestReduce),
    // What must be noticed within seconds.
    healthJob('ingest-short', hopping(4000, 1000), mapIngest, ingestReduce),
  ],
  viewer: [healthJob('viewer', hopping(10_000, 1000), mapViewer, viewerReduce)],
  data: [healthJob('data', tumbling(5000), mapData, dataReduce)],
  session: [],
};

/** Topics that have jobs. */
export const JOB_TOPICS = ['ingest', 'viewer', 'data'] as const satisfies readonly EventTopic[];

/** Value of a record of windows.v1: `start` inclusive, `end` exclusive, epoch ms; the job's result beside them. */
export type WindowRecord = {
  readonly v: 1;
  readonly job: string;
  readonly stream: string;
  readonly start: number;
  readonly end: number;
};

export class PartitionWorker {
  private readonly topic: EventTopic;
  private readonly partition: number;
  private readonly sequences = new SequenceTracker();
  private readonly jobs: readonly RunningJob<JobInput, never, never, object>[];
  private windows: LogRecord[] = [];
  private late: LogRecord[] = [];
  private dlq: LogRecord[] = [];
  private lateShares = 0;
  private records = 0;
  private lateRecords = 0;
  private bad = 0;

  constructor(topic: EventTopic, partition: number) {
    this.topic = topic;
    this.partition = partition;
    this.jobs = JOBS[topic].map(
      (job) =>
        new RunningJob(job, {
          onResult: ({ key, start, end, value }) => this.onWindow(job.name, key, { start, end }, value ?? {}),
          onLate: () => {
            this.lateShares++;
          },
        }),
    );
  }

  /** Takes records in order of offset and returns what they closed. */
  process(records: readonly StoredRecord[]): WorkerOutput {
    for (const record of records) {
      this.records++;
      const decoded = record.value === null ? null : decodeEvent(record.value);
      if (decoded?.kind === 'event' && decoded.event.topic === this.topic && decoded.event.stream === record.key) {
        this.take(decoded.event, record);
      } else if (decoded !== null) {
        this.bury(record, decoded.kind === 'bad' ? decoded.reason : 'topic or stream are not those of the record');
      }
    }
    const output = { windows: this.windows, late: this.late, dlq: this.dlq };
    this.windows = [];
    this.late = [];
    this.dlq = [];
    return output;
  }

  private take(event: EventRecord, record: StoredRecord): void {
    const { isDuplicate, missing } = this.sequences.see(event);
    if (isDuplicate) {
      return;
    }
    this.lateShares = 0;
    try {
      for (const job of this.jobs) {
        job.take([{ event, missing }]);
        if (event.type === 'tick') {
          this.tick(job, event);
        }
      }
    } catch (error) {
      this.bury(record, `no job can take it: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (this.lateShares > 0) {
      this.lateRecords++;
      this.late.push({
        key: record.key,
        value: JSON.stringify({ v: 1, reason: 'late', shares: this.lateShares, event }),
        timestamp: record.timestamp,
        headers: { ...record.headers, ce_type: `tessera.late.${event.type}` },
      });
    }
  }

  private tick(job: RunningJob<JobInput, never, never, object>, event: EventRecord): void {
    job.observe(event.stream, event.ts, event.at);
    if ('isLast' in event && event.isLast === true) {
      job.endKey(event.stream);
    }
  }

  private onWindow(job: string, stream: string, span: { start: number; end: number }, result: object): void {
    const { start, end } = span;
    const record: WindowRecord = { v: 1, job, stream, start, end, ...result };
    this.windows.push({
      key: stream,
      value: JSON.stringify(record),
      timestamp: end,
      headers: {
        ce_type: `tessera.windows.${job}`,
        ce_source: '/tessera/analytics',
        ce_id: `${job}/${stream}/${start}`,
      },
    });
  }

  private bury(record: StoredRecord, reason: string): void {
    this.bad++;
    const { topic, partition } = this;
    const value = (record.value ?? '').slice(0, MAX_DEAD_LETTER);
    this.dlq.push({
      key: record.key.slice(0, 256),
      value: JSON.stringify({ v: 1, reason, topic, partition, offset: record.offset, value }),
      timestamp: record.timestamp,
      headers: {
        ce_type: 'tessera.dlq',
        ce_source: '/tessera/analytics',
        ce_id: `${topic}/${partition}/${record.offset}`,
      },
    });
  }

  counters(): WorkerCounters {
    const { records, lateRecords: late, bad } = this;
    const { duplicates, missing } = this.sequences;
    return { records, duplicates, missing, late, bad };
  }

  snapshot(): Json {
    return { v: 1, sequences: this.sequences.save(), jobs: this.jobs.map((job) => job.snapshot()) };
  }

  restore(saved: Json): void {
    const { v, sequences, jobs } = saved as { v: number; sequences: Json; jobs: Json[] };
    if (v !== 1 || jobs.length !== this.jobs.length) {
      throw new Error('The checkpoint is of another version.');
    }
    this.sequences.load(sequences);
    this.jobs.forEach((job, i) => {
      job.restore(jobs[i] ?? null);
    });
  }
}
