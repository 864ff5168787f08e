// Compares the partial aggregates of users' jobs in shuffle.v1 with those that their inputs give. Called by verify-replay, which compares
// the windows on their other side.

import { partitionOf } from '../telemetry/partition.ts';
import type { LogRecord, StoredRecord, TelemetryLog } from '../telemetry/telemetry-log.ts';
import { recordsOf, type PartialSink, type ReplayDifference } from './replay.ts';
import type { MarksRecord, PartialRecord } from './shuffle-records.ts';

type Place = readonly [offset: number, index: number];

const isBefore = (a: Place, b: Place): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);

/** What was stored of one job from one input partition in one partition of the shuffle. */
type Extent = { first: Place; last: Place };

type ReadPartial = { readonly record: PartialRecord; readonly stored: StoredRecord; readonly partition: number };

const extentNameOf = ({ job, source }: PartialRecord, partition: number): string => `${job} ${source} ${partition}`;

const nameOf = ({ job, source, offset, index }: PartialRecord): string => `${job} ${source} ${offset} ${index}`;

/** The partials of `jobs` that a log holds, by partition, oldest first. */
async function* storedPartials(log: TelemetryLog, jobs: ReadonlySet<string>): AsyncGenerator<ReadPartial> {
  for (let partition = 0; partition < log.partitions('shuffle'); partition++) {
    for await (const records of recordsOf(log, { topic: 'shuffle', partition })) {
      for (const stored of records) {
        const record = JSON.parse(stored.value ?? 'null') as PartialRecord | MarksRecord | null;
        if (record !== null && !('marks' in record) && jobs.has(record.job)) {
          yield { record, stored, partition };
        }
      }
    }
  }
}

/** What is stored of each job, input and partition, from its first partial to its last. */
class Extents {
  private readonly byName = new Map<string, Extent>();

  widen(record: PartialRecord, partition: number): void {
    const place: Place = [record.offset, record.index];
    const extent = this.byName.get(extentNameOf(record, partition)) ?? { first: place, last: place };
    extent.first = isBefore(place, extent.first) ? place : extent.first;
    extent.last = isBefore(extent.last, place) ? place : extent.last;
    this.byName.set(extentNameOf(record, partition), extent);
  }

  /** Whether a partial lies between two stored ones: before the first the job may not have been there, nor have come past the last. */
  enclose(record: PartialRecord, partition: number): boolean {
    const place: Place = [record.offset, record.index];
    const extent = this.byName.get(extentNameOf(record, partition));
    return extent !== undefined && isBefore(extent.first, place) && isBefore(place, extent.last);
  }
}

/** Partials of a replay, by what they are of. */
export class ReplayedPartials implements PartialSink {
  private readonly byName = new Map<string, LogRecord>();
  /** First offset that each input still has. */
  private readonly retainedFrom = new Map<string, number>();

  begin(source: string, earliest: number): void {
    this.retainedFrom.set(source, earliest);
  }

  add(records: readonly LogRecord[]): void {
    for (const record of records) {
      this.byName.set(nameOf(JSON.parse(record.value ?? 'null') as PartialRecord), record);
    }
  }

  /** Differences between these and the stored ones of `jobs`. What was stored before or after the replay's inputs is left aside. */
  async compare(log: TelemetryLog, jobs: ReadonlySet<string>): Promise<ReplayDifference[]> {
    const found: ReplayDifference[] = [];
    const extents = new Extents();
    const names = new Set<string>();
    for await (const { record, stored, partition } of storedPartials(log, jobs)) {
      if (record.offset < (this.retainedFrom.get(record.source) ?? Infinity)) {
        continue;
      }
      names.add(nameOf(record));
      extents.widen(record, partition);
      const again = this.byName.get(nameOf(record));
      if (again?.value !== stored.value) {
        const what = again === undefined ? 'does not come out of the replay' : 'differs';
        found.push({ what, job: record.job, stream: stored.key, start: stored.timestamp });
      }
    }
    return [...found, ...this.missing(names, extents, log.partitions('shuffle'))];
  }

  private missing(stored: ReadonlySet<string>, extents: Extents, partitions: number): ReplayDifference[] {
    const found: ReplayDifference[] = [];
    for (const [name, { key, value, timestamp }] of this.byName) {
      const record = JSON.parse(value ?? 'null') as PartialRecord;
      if (!stored.has(name) && extents.enclose(record, partitionOf(key, partitions))) {
        found.push({ what: 'was not stored', job: record.job, stream: key, start: timestamp });
      }
    }
    return found;
  }
}
