// Compares the partial aggregates of users' jobs in shuffle.v1 with those that their inputs give. Called by verify-replay, which compares
// the windows on their other side.

import { partitionOf } from '../telemetry/partition.ts';
import type { LogRecord, TelemetryLog } from '../telemetry/telemetry-log.ts';
import { recordsOf, type ReplayDifference } from './replay.ts';
import type { MarksRecord, PartialRecord } from './shuffle-records.ts';

type Place = readonly [offset: number, index: number];

const isBefore = (a: Place, b: Place): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);

/** What was stored of one job from one input partition in one partition of the shuffle. */
type Lane = { first: Place; last: Place };

const laneOf = ({ job, source }: PartialRecord, partition: number): string => `${job} ${source} ${partition}`;

/** Partials of a replay, by what they are of. */
export class ReplayedPartials {
  private readonly byPlace = new Map<string, LogRecord>();
  /** First offset that each input still has. */
  private readonly retainedFrom = new Map<string, number>();

  /** The input `source` is there from this offset on. */
  begin(source: string, earliest: number): void {
    this.retainedFrom.set(source, earliest);
  }

  add(records: readonly LogRecord[]): void {
    for (const record of records) {
      const { job, source, offset, index } = JSON.parse(record.value ?? 'null') as PartialRecord;
      this.byPlace.set(`${job} ${source} ${offset} ${index}`, record);
    }
  }

  /** Differences between these and the stored ones of `jobs`. What was stored before or after the replay's inputs is left aside. */
  async compare(log: TelemetryLog, jobs: ReadonlySet<string>): Promise<ReplayDifference[]> {
    const found: ReplayDifference[] = [];
    const lanes = new Map<string, Lane>();
    const stored = new Set<string>();
    const partitions = log.partitions('shuffle');
    for (let partition = 0; partition < partitions; partition++) {
      for await (const records of recordsOf(log, { topic: 'shuffle', partition })) {
        for (const { key, value, timestamp } of records) {
          const record = JSON.parse(value ?? 'null') as PartialRecord | MarksRecord | null;
          if (record === null || 'marks' in record || !jobs.has(record.job)) {
            continue;
          }
          const { job, source, offset, index } = record;
          const place: Place = [offset, index];
          if (offset < (this.retainedFrom.get(source) ?? Infinity)) {
            continue;
          }
          const name = `${job} ${source} ${offset} ${index}`;
          stored.add(name);
          const lane = lanes.get(laneOf(record, partition)) ?? { first: place, last: place };
          lane.first = isBefore(place, lane.first) ? place : lane.first;
          lane.last = isBefore(lane.last, place) ? place : lane.last;
          lanes.set(laneOf(record, partition), lane);
          const again = this.byPlace.get(name);
          if (again?.value !== value) {
            const what = again === undefined ? 'does not come out of the replay' : 'differs';
            found.push({ what, job, stream: key, start: timestamp });
          }
        }
      }
    }
    for (const [name, { key, value, timestamp }] of this.byPlace) {
      const record = JSON.parse(value ?? 'null') as PartialRecord;
      const place: Place = [record.offset, record.index];
      const lane = lanes.get(laneOf(record, partitionOf(key, partitions)));
      // Before the first one the job may not have been there; after the last one it may not have come so far.
      if (!stored.has(name) && lane !== undefined && isBefore(lane.first, place) && isBefore(place, lane.last)) {
        found.push({ what: 'was not stored', job: record.job, stream: key, start: timestamp });
      }
    }
    return found;
  }
}
