// Replays retained records through fresh machines, and says which of the windows that come out had all of their records. Called by
// verify-replay.

import type { Topic } from '../../shared/telemetry/topics.ts';
import type { WindowSpec } from '../../shared/windows/window.ts';
import type { LogRecord, StoredRecord, TelemetryLog, TopicPartition } from '../telemetry/telemetry-log.ts';
import { makeMachine } from './machine-host.ts';
import { sourceName } from './shuffle-records.ts';
import type { AnyStreamJob } from './stream-job.ts';
import type { WindowRecord } from './window-record.ts';

export type ReplayDifference = {
  readonly what: 'differs' | 'was not stored' | 'does not come out of the replay';
  readonly job: string;
  /** The stream, or the key of a user's job. */
  readonly stream: string;
  /** Start of the window, epoch ms; of a partial aggregate that differs, the time of its event. */
  readonly start: number;
};

const READ_RECORDS = 1000;
/** A window needs its events from this long before the first retained one: records out of order, and the product's window length. */
const MARGIN_MS = 15_000;

/** A partition's records, batch after batch, up to its end. */
export async function* recordsOf(log: TelemetryLog, at: TopicPartition): AsyncGenerator<readonly StoredRecord[]> {
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

/** Names a window among those of all jobs. */
export const nameOf = ({ job, stream, start }: WindowRecord): string => `${job} ${stream} ${start}`;

/** A window as the replay gives it: more than once when its trigger fires again. */
type ReplayedWindow = { readonly values: Set<string>; readonly window: WindowRecord };

export type Replayed = {
  readonly windows: ReadonlyMap<string, ReplayedWindow>;
  /** Whether the window's records are all still there. */
  readonly isWhole: (window: WindowRecord) => boolean;
};

/** Takes what users' jobs map in a replay. */
export interface PartialSink {
  /** The input `source` is there from this offset on. */
  begin(source: string, earliest: number): void;
  add(records: readonly LogRecord[]): void;
}

/** How long before a window's start its records can lie, ms; infinite when it depends on all that came before. */
function reachMs(window: WindowSpec): number {
  switch (window.kind) {
    case 'tumbling':
    case 'hopping':
    case 'sliding':
      return window.size;
    case 'session':
      return window.gap;
    case 'count':
      return Infinity;
  }
}

/** The windows that the retained records of `topic` give. `partials` takes what users' jobs map. */
export async function replay(
  log: TelemetryLog,
  topic: Topic,
  jobs: readonly AnyStreamJob[],
  partials?: PartialSink,
): Promise<Replayed> {
  const windows = new Map<string, ReplayedWindow>();
  const firstSeen = new Map<string, number>();
  const reach = new Map(jobs.map(({ job }) => [job.name, reachMs(job.window)]));
  for (let partition = 0; partition < log.partitions(topic); partition++) {
    const { earliest } = await log.bounds({ topic, partition });
    partials?.begin(sourceName(topic, partition), earliest);
    const machine = makeMachine({ topic, partition }, jobs, (each) => log.partitions(each));
    for await (const records of recordsOf(log, { topic, partition })) {
      for (const { key, timestamp } of records) {
        if (!firstSeen.has(key)) {
          firstSeen.set(key, earliest === 0 ? -Infinity : timestamp);
        }
      }
      const output = machine.process(records);
      partials?.add(output.shuffle);
      for (const { value } of output.windows) {
        const window = JSON.parse(value ?? 'null') as WindowRecord;
        const known = windows.get(nameOf(window)) ?? { values: new Set(), window };
        known.values.add(value ?? '');
        windows.set(nameOf(window), known);
      }
    }
  }
  const isWhole = ({ job, stream, start }: WindowRecord): boolean => {
    const first = firstSeen.get(stream) ?? Infinity;
    return first === -Infinity || start >= first + MARGIN_MS + (reach.get(job) ?? 0);
  };
  return { windows, isWhole };
}
