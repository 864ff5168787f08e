// A job that a user adds to the product's own: a module named in `analytics.jobs` exports it as `job` or by default. Its map side runs
// over the partitions of one topic, its partial aggregates travel through shuffle.v1 by key, and its results go to windows.v1.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Job } from '../../shared/jobs/job.ts';
import type { EventRecord } from '../../shared/telemetry/event-codec.ts';
import type { EventTopic } from '../../shared/telemetry/topics.ts';

/** Topics that jobs read. */
export const JOB_TOPICS = ['ingest', 'viewer', 'data'] as const satisfies readonly EventTopic[];
export type JobTopic = (typeof JOB_TOPICS)[number];

/** The product's own jobs, by the name that their results carry. */
export const PRODUCT_JOBS: ReadonlySet<string> = new Set(['ingest', 'ingest-short', 'viewer', 'data']);

export type StreamJob<V, A, R> = {
  readonly topic: JobTopic;
  /** `name` is 1 to 40 of `a-z 0-9 -`; `clock` is the shuffle's own and cannot be chosen. */
  readonly job: Omit<Job<EventRecord, V, A, R>, 'clock'>;
};

/** Any job: its types are the module's own business. */
export type AnyStreamJob = StreamJob<never, never, unknown>;

/** Checks the types of a job where it is written, and hands it on as the product takes it. */
export function streamJob<V, A, R>(job: StreamJob<V, A, R>): AnyStreamJob {
  return job as unknown as AnyStreamJob;
}

const NAME = /^[a-z0-9-]{1,40}$/;

function checked(path: string, value: unknown): AnyStreamJob {
  const { topic, job } = (value ?? {}) as Partial<AnyStreamJob>;
  const { name, map, reduce, window } = (job ?? {}) as Partial<AnyStreamJob['job']>;
  const refuse = (what: string): never => {
    throw new TypeError(`The job module ${path} ${what}.`);
  };
  if (typeof map !== 'function' || typeof reduce?.merge !== 'function' || window?.kind === undefined) {
    return refuse('exports no `job` with topic and job {name, map, window, reduce}');
  }
  if (!JOB_TOPICS.some((known) => known === topic)) {
    return refuse(`reads the topic ${String(topic)}, not one of ${JOB_TOPICS.join(', ')}`);
  }
  if (typeof name !== 'string' || !NAME.test(name) || PRODUCT_JOBS.has(name)) {
    return refuse(`has the name ${String(name)}, which is taken or not 1 to 40 of a-z, 0-9 and -`);
  }
  return value as AnyStreamJob;
}

/** Loads the modules. Rejects with one sentence about the first that does not fit. */
export async function loadStreamJobs(paths: readonly string[]): Promise<AnyStreamJob[]> {
  const jobs: AnyStreamJob[] = [];
  for (const path of paths) {
    let module: { readonly job?: unknown; readonly default?: unknown };
    try {
      module = (await import(pathToFileURL(resolve(path)).href)) as typeof module;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new TypeError(`The job module ${path} cannot be loaded: ${why}`, { cause: error });
    }
    const loaded = checked(path, module.job ?? module.default);
    if (jobs.some(({ job }) => job.name === loaded.job.name)) {
      throw new TypeError(`Two job modules have the name ${loaded.job.name}.`);
    }
    jobs.push(loaded);
  }
  return jobs;
}
