// Replays events through fresh partition workers and compares what comes out with what is stored. Called by `tessera verify-replay`.

import type { StoredRecord, TelemetryLog, TopicPartition } from '../telemetry/telemetry-log.ts';
import { PartitionWorker, type WindowRecord } from './partition-worker.ts';
import type { JobTopic } from './stream-job.ts';

export type ReplayDifference = {
  readonly what: 'differs' | 'was not stored' | 'does not come out of the replay';
  readonly job: string;
  readonly stream: string;
  readonly start: number;
};

export type ReplayReport = {
  readonly compared: number;
  /** Stored windows older than the events that are still there. */
  readonly notRetained: number;
  readonly differences: readonly ReplayDifference[];
};

type Known = { readonly value: string; readonly window: WindowRecord };

const READ_RECORDS = 1000;
/** A window needs its events from this long before the first retained one: records out of order, and its own length. */
const MARGIN_MS = 15_000;

async function* recordsOf(log: TelemetryLog, at: TopicPartition): AsyncGenerator<readonly StoredRecord[]> {
  let offset = 0;
  for (;;) {
    const records = await log.read(at, offset, READ_RECORDS);
    const last = records.at(-1);
    if (last === undefined) {
      return;
    }
    offset = last.offset + 1;
    yield records;
  }
}

const nameOf = ({ job, stream, start }: WindowRecord): string => `${job} ${stream} ${start}`;

/** Windows of these jobs as stored; of one that was appended twice, every version that differs. */
async function storedWindows(log: TelemetryLog, jobs: ReadonlySet<string>): Promise<Map<string, Known[]>> {
  const found = new Map<string, Known[]>();
  for (let partition = 0; partition < log.partitions('windows'); partition++) {
    for await (const records of recordsOf(log, { topic: 'windows', partition })) {
      for (const { value } of records) {
        const window = value === null ? null : (JSON.parse(value) as WindowRecord);
        if (value === null || window === null || !jobs.has(window.job)) {
          continue;
        }
        const versions = found.get(nameOf(window)) ?? [];
        if (versions.every((version) => version.value !== value)) {
          versions.push({ value, window });
        }
        found.set(nameOf(window), versions);
      }
    }
  }
  return found;
}

type Replayed = {
  readonly windows: Map<string, Known>;
  readonly firstWhole: Map<string, number>;
  readonly upTo: Map<string, number>;
};

/** The windows that the retained events give; per stream since when they are whole and up to when windows can have been stored. */
async function replay(log: TelemetryLog, topic: JobTopic): Promise<Replayed> {
  const windows = new Map<string, Known>();
  const firstWhole = new Map<string, number>();
  const upTo = new Map<string, number>();
  for (let partition = 0; partition < log.partitions(topic); partition++) {
    const { earliest } = await log.bounds({ topic, partition });
    const worker = new PartitionWorker(topic, partition);
    for await (const records of recordsOf(log, { topic, partition })) {
      for (const { key, timestamp } of records) {
        if (!firstWhole.has(key)) {
          firstWhole.set(key, earliest === 0 ? -Infinity : timestamp + MARGIN_MS);
        }
      }
      for (const { value } of worker.process(records).windows) {
        const window = JSON.parse(value ?? 'null') as WindowRecord;
        windows.set(nameOf(window), { value: value ?? '', window });
        upTo.set(window.stream, Math.max(upTo.get(window.stream) ?? -Infinity, window.end));
      }
    }
  }
  return { windows, firstWhole, upTo };
}

/** Jobs that read a topic. */
const JOBS_OF: Readonly<Record<JobTopic, readonly string[]>> = {
  ingest: ['ingest', 'ingest-short'],
  viewer: ['viewer'],
  data: ['data'],
};

/** Compares the windows of the topics that end within (from, to], epoch ms. */
export async function verifyReplay(
  log: TelemetryLog,
  topics: readonly JobTopic[],
  range: { readonly from: number; readonly to: number },
): Promise<ReplayReport> {
  const differences: ReplayDifference[] = [];
  let compared = 0;
  let notRetained = 0;
  const isAsked = ({ end }: WindowRecord): boolean => end > range.from && end <= range.to;
  const note = (what: ReplayDifference['what'], { job, stream, start }: WindowRecord): void => {
    differences.push({ what, job, stream, start });
  };
  for (const topic of topics) {
    // Stored windows first: what analytics appends meanwhile is then in the replay at least.
    const stored = await storedWindows(log, new Set(JOBS_OF[topic]));
    const { windows, firstWhole } = await replay(log, topic);
    for (const [name, versions] of stored) {
      for (const { value, window } of versions.filter((version) => isAsked(version.window))) {
        if (window.start < (firstWhole.get(window.stream) ?? Infinity)) {
          notRetained++;
          continue;
        }
        compared++;
        const again = windows.get(name);
        if (again === undefined) {
          note('does not come out of the replay', window);
        } else if (again.value !== value) {
          note('differs', window);
        }
      }
    }
    compared += missing(windows, stored, isAsked, note);
  }
  return { compared, notRetained, differences };
}

/** Windows that the replay gives and nobody stored, up to the newest stored one of each stream and job. */
function missing(
  windows: ReadonlyMap<string, Known>,
  stored: ReadonlyMap<string, Known[]>,
  isAsked: (window: WindowRecord) => boolean,
  note: (what: ReplayDifference['what'], window: WindowRecord) => void,
): number {
  const newest = new Map<string, number>();
  for (const [{ window }] of stored.values() as Iterable<[Known]>) {
    const name = `${window.job} ${window.stream}`;
    newest.set(name, Math.max(newest.get(name) ?? -Infinity, window.end));
  }
  let found = 0;
  for (const [name, { window }] of windows) {
    if (
      !stored.has(name) &&
      isAsked(window) &&
      window.end <= (newest.get(`${window.job} ${window.stream}`) ?? -Infinity)
    ) {
      found++;
      note('was not stored', window);
    }
  }
  return found;
}
