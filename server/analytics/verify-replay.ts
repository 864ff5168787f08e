// Replays events through fresh machines and compares what comes out with what is stored: the product's windows, and those of users' jobs
// on both sides of their shuffle. Called by `tessera verify-replay`.

import type { TelemetryLog } from '../telemetry/telemetry-log.ts';
import { nameOf, recordsOf, replay, type Replayed, type ReplayDifference } from './replay.ts';
import { PRODUCT_JOBS, type AnyStreamJob, type JobTopic } from './stream-job.ts';
import { ReplayedPartials } from './verify-partials.ts';
import type { WindowRecord } from './window-record.ts';

export type ReplayReport = {
  readonly compared: number;
  /** Stored windows older than the events that are still there. */
  readonly notRetained: number;
  /** Jobs with stored windows that nobody told how to compute. */
  readonly unknownJobs: readonly string[];
  readonly differences: readonly ReplayDifference[];
};

type Stored = { readonly value: string; readonly window: WindowRecord };

/** Jobs that read a topic. */
const JOBS_OF: Readonly<Record<JobTopic, readonly string[]>> = {
  ingest: ['ingest', 'ingest-short'],
  viewer: ['viewer'],
  data: ['data'],
};

/** Stored windows by job and name; of one that was appended twice, every version that differs. */
async function storedWindows(log: TelemetryLog): Promise<Map<string, Map<string, Stored[]>>> {
  const jobs = new Map<string, Map<string, Stored[]>>();
  for (let partition = 0; partition < log.partitions('windows'); partition++) {
    for await (const records of recordsOf(log, { topic: 'windows', partition })) {
      for (const { value } of records) {
        const window = value === null ? null : (JSON.parse(value) as WindowRecord);
        if (value === null || window === null) {
          continue;
        }
        const found = jobs.get(window.job) ?? new Map<string, Stored[]>();
        jobs.set(window.job, found);
        const versions = found.get(nameOf(window)) ?? [];
        if (versions.every((version) => version.value !== value)) {
          versions.push({ value, window });
        }
        found.set(nameOf(window), versions);
      }
    }
  }
  return jobs;
}

class Comparison {
  compared = 0;
  notRetained = 0;
  readonly differences: ReplayDifference[] = [];
  private readonly range: { readonly from: number; readonly to: number };

  constructor(range: { readonly from: number; readonly to: number }) {
    this.range = range;
  }

  /** Compares the windows of one job. */
  add(stored: ReadonlyMap<string, readonly Stored[]>, { windows, isWhole }: Replayed, job: string): void {
    const newest = new Map<string, number>();
    for (const [name, versions] of stored) {
      for (const { value, window } of versions) {
        newest.set(window.stream, Math.max(newest.get(window.stream) ?? -Infinity, window.end));
        if (!this.isAsked(window)) {
          continue;
        }
        if (!isWhole(window)) {
          this.notRetained++;
          continue;
        }
        this.compared++;
        const again = windows.get(name);
        if (again === undefined) {
          this.note('does not come out of the replay', window);
        } else if (!again.values.has(value)) {
          this.note('differs', window);
        }
      }
    }
    // Windows that nobody stored, up to the newest stored one of each stream: what comes after may be on its way.
    for (const [name, { window }] of windows) {
      if (
        window.job === job &&
        !stored.has(name) &&
        this.isAsked(window) &&
        window.end <= (newest.get(window.stream) ?? -Infinity)
      ) {
        this.compared++;
        this.note('was not stored', window);
      }
    }
  }

  private isAsked({ end }: WindowRecord): boolean {
    return end > this.range.from && end <= this.range.to;
  }

  private note(what: ReplayDifference['what'], { job, stream, start }: WindowRecord): void {
    this.differences.push({ what, job, stream, start });
  }
}

/** Compares the windows of the topics that end within (from, to], epoch ms. `jobs`: the users' jobs, as the server runs them. */
export async function verifyReplay(
  log: TelemetryLog,
  topics: readonly JobTopic[],
  range: { readonly from: number; readonly to: number },
  jobs: readonly AnyStreamJob[] = [],
): Promise<ReplayReport> {
  const comparison = new Comparison(range);
  // Stored windows first: what analytics appends meanwhile is then in the replay at least.
  const stored = await storedWindows(log);
  const partials = new ReplayedPartials();
  for (const topic of topics) {
    const replayed = await replay(log, topic, jobs, partials);
    for (const job of JOBS_OF[topic]) {
      comparison.add(stored.get(job) ?? new Map(), replayed, job);
    }
  }
  const asked = jobs.filter(({ topic }) => topics.includes(topic)).map(({ job }) => job.name);
  const { differences } = comparison;
  if (asked.length > 0) {
    // The shuffle's machines need every job: its marks are of the sources of all.
    const replayed = await replay(log, 'shuffle', jobs);
    for (const job of asked) {
      comparison.add(stored.get(job) ?? new Map(), replayed, job);
    }
    const mapped = await partials.compare(log, new Set(asked));
    differences.push(...mapped.filter(({ start }) => start > range.from && start <= range.to));
  }
  const known = new Set([...PRODUCT_JOBS, ...jobs.map(({ job }) => job.name)]);
  const unknownJobs = [...stored.keys()].filter((job) => !known.has(job)).sort();
  return { compared: comparison.compared, notRetained: comparison.notRetained, unknownJobs, differences };
}
