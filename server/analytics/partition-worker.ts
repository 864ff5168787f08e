// The jobs over one partition of one topic, as a pure machine: records in, records for windows.v1, late.v1 and dlq.v1 out. What comes
// out depends on the records alone, so that another process, or a replay, makes the same bytes.

import { MapSide, RunningJob, type Job } from '../../shared/jobs/job.ts';
import { parseStreamId } from '../../shared/media/brands.ts';
import { decodeEvent, type EventRecord } from '../../shared/telemetry/event-codec.ts';
import type { EventTopic } from '../../shared/telemetry/topics.ts';
import type { Json } from '../../shared/windows/aggregates/aggregate.ts';
import type { ClockSpec } from '../../shared/windows/watermark.ts';
import { hopping, tumbling, type WindowSpec } from '../../shared/windows/window.ts';
import type { LogRecord, StoredRecord } from '../telemetry/telemetry-log.ts';
import { dataReduce, mapData } from './jobs/data-job.ts';
import { ingestReduce, mapIngest } from './jobs/ingest-job.ts';
import { mapViewer, viewerReduce } from './jobs/viewer-job.ts';
import { deadLetter } from './dead-letter.ts';
import type { MachineCounters, MachineOutput, PartitionMachine } from './partition-machine.ts';
import { SequenceTracker } from './sequence-tracker.ts';
import { SHUFFLE_BOUND_MS, sourceName, type PartialRecord } from './shuffle-records.ts';
import type { AnyStreamJob, JobTopic } from './stream-job.ts';
import { windowRecord } from './window-record.ts';

/** What a job of the product takes: an event, or that records before it are missing. */
type JobInput = { readonly event: EventRecord; readonly missing: number };
type HealthJob = Job<JobInput, never, never, object>;

/** Records of a key may be this much older than its newest: batches hold up to half a second, retries come on top. */
const BOUND_MS = 1000;
const AHEAD_MS = 2000;
const MAX_STREAMS = 20_000;
/** An event whose time is further from its receipt than this is not believed: 1970, 2100. */
const MAX_SKEW_MS = 86_400_000;
/** Characters of a key that a user's job may emit. */
const MAX_JOB_KEY = 256;
/** Numbers of order that each input has for what a user's job emits of it: a replay from any offset gives the same bytes. */
const ORDERS_PER_INPUT = 1024;

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

export { JOB_TOPICS } from './stream-job.ts';
export type { WindowRecord } from './window-record.ts';

type UserMap = {
  readonly name: string;
  readonly side: MapSide<EventRecord, never, never, unknown>;
  readonly save: (partial: never) => Json;
};

export class PartitionWorker implements PartitionMachine {
  private readonly topic: EventTopic;
  private readonly partition: number;
  private readonly sequences = new SequenceTracker();
  private readonly jobs: readonly RunningJob<JobInput, never, never, object>[];
  private windows: LogRecord[] = [];
  private readonly userMaps: readonly UserMap[];
  private late: LogRecord[] = [];
  private dlq: LogRecord[] = [];
  private shuffle: LogRecord[] = [];
  private newest = -Infinity;
  private lateShares = 0;
  private records = 0;
  private lateRecords = 0;
  private bad = 0;

  /** `jobs`: users' jobs; those of other topics are left aside. */
  constructor(topic: JobTopic, partition: number, jobs: readonly AnyStreamJob[] = []) {
    this.topic = topic;
    this.partition = partition;
    this.userMaps = jobs
      .filter((job) => job.topic === topic)
      .map(({ job }) => ({
        name: job.name,
        side: new MapSide(job as never),
        save: (partial) => job.reduce.save(partial),
      }));
    this.jobs = JOBS[topic].map(
      (job) =>
        new RunningJob(job, {
          onResult: ({ key, start, end, value }) => {
            this.windows.push(windowRecord(job.name, key, { start, end }, value ?? {}));
          },
          onLate: () => {
            this.lateShares++;
          },
        }),
    );
  }

  /** Takes records in order of offset and returns what they closed. */
  process(records: readonly StoredRecord[]): MachineOutput {
    for (const record of records) {
      this.records++;
      const decoded = record.value === null ? null : decodeEvent(record.value);
      if (decoded !== null) {
        const reason = decoded.kind === 'bad' ? decoded.reason : this.doubt(decoded.event, record);
        if (decoded.kind === 'event' && reason === null) {
          this.take(decoded.event, record);
        } else {
          this.bury(record, reason ?? '');
        }
      }
    }
    const { windows, late, dlq, shuffle, newest } = this;
    this.windows = [];
    this.shuffle = [];
    this.late = [];
    this.dlq = [];
    return { windows, late, dlq, shuffle, watermark: newest === -Infinity ? null : newest - SHUFFLE_BOUND_MS };
  }

  /** What is wrong with an event that is well-formed by itself; null when nothing is. */
  private doubt({ topic, stream, ts, at }: EventRecord, { key }: StoredRecord): string | null {
    if (topic !== this.topic || stream !== key) {
      return 'topic or stream are not those of the record';
    }
    if (parseStreamId(stream) === null) {
      return 'the stream has no valid name';
    }
    return Math.abs(ts - at) > MAX_SKEW_MS ? `the time ${ts} is more than a day from its receipt ${at}` : null;
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
    this.mapForUsers(event, record);
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

  /** The map side of users' jobs: partials of this event, on their way to the partitions of their keys. */
  private mapForUsers(event: EventRecord, record: StoredRecord): void {
    const ts = Math.min(event.ts, event.at + AHEAD_MS);
    this.newest = Math.max(this.newest, ts);
    if (event.type === 'tick' || event.type === 'gap') {
      return;
    }
    const source = sourceName(this.topic, this.partition);
    for (const { name, side, save } of this.userMaps) {
      try {
        const partials = side.process([ts === event.ts ? event : { ...event, ts }], record.offset * ORDERS_PER_INPUT);
        partials.forEach(({ key, partial, ts: time, receivedAt }, index) => {
          const encoded: Json = [key.slice(0, MAX_JOB_KEY), save(partial), time, receivedAt];
          const value: PartialRecord = { v: 1, job: name, source, offset: record.offset, index, partial: encoded };
          const headers = { ce_type: `tessera.shuffle.${name}` };
          this.shuffle.push({ key: key.slice(0, MAX_JOB_KEY), value: JSON.stringify(value), timestamp: time, headers });
        });
      } catch (error) {
        this.bury(record, `job ${name} cannot map it: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  private tick(job: RunningJob<JobInput, never, never, object>, event: EventRecord): void {
    job.observe(event.stream, event.ts, event.at);
    if ('isLast' in event && event.isLast === true) {
      job.endKey(event.stream);
    }
  }

  private bury(record: StoredRecord, reason: string): void {
    this.bad++;
    this.dlq.push(deadLetter(this.topic, this.partition, record, reason));
  }

  counters(): MachineCounters {
    const { records, lateRecords: late, bad } = this;
    const { duplicates, missing } = this.sequences;
    return { records, duplicates, missing, late, bad };
  }

  snapshot(): Json {
    return {
      v: 1,
      sequences: this.sequences.save(),
      jobs: this.jobs.map((job) => job.snapshot()),
      ...(this.newest === -Infinity ? {} : { newest: this.newest }),
    };
  }

  restore(saved: Json): void {
    const { v, sequences, jobs, newest } = saved as { v: number; sequences: Json; jobs: Json[]; newest?: number };
    if (v !== 1 || jobs.length !== this.jobs.length) {
      throw new Error('The checkpoint is of another version.');
    }
    this.newest = newest ?? -Infinity;
    this.sequences.load(sequences);
    this.jobs.forEach((job, i) => {
      job.restore(jobs[i] ?? null);
    });
  }
}
