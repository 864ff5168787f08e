// What travels through shuffle.v1: partial aggregates of users' jobs from the map side of one partition, keyed by the job's own key, and
// marks that say how far the event time of partitions has come. Each partial carries the place that it comes from, in rising order per
// (source, partition of the shuffle), so that the reduce side recognises what arrives twice after a crash.

import type { Json } from '../../shared/windows/aggregates/aggregate.ts';
import { partitionOf } from '../telemetry/partition.ts';
import type { LogRecord } from '../telemetry/telemetry-log.ts';

export type PartialRecord = {
  readonly v: 1;
  readonly job: string;
  /** TOPIC-PARTITION of the input. */
  readonly source: string;
  /** Offset of the input, and which of its partials this is. */
  readonly offset: number;
  readonly index: number;
  /** A partial as the job encodes it. */
  readonly partial: Json;
};

export type MarksRecord = {
  readonly v: 1;
  /** Source -> event time, epoch ms: nothing older comes from it. */
  readonly marks: Readonly<Record<string, number>>;
};

/** Older events than the newest of their partition by this much may still come: batches, retries, and clocks up to 2 s ahead. */
export const SHUFFLE_BOUND_MS = 4000;

export const sourceName = (topic: string, partition: number): string => `${topic}-${partition}`;

/** A key for every partition of the shuffle, so that a mark reaches each. */
export function markKeys(partitions: number): string[] {
  const keys: string[] = [];
  for (let i = 0; keys.filter((key) => key !== '').length < partitions; i++) {
    const key = `marks/${i}`;
    keys[partitionOf(key, partitions)] ??= key;
  }
  return keys;
}

/** The same marks for every partition of the shuffle. */
export function markRecords(marks: Readonly<Record<string, number>>, keys: readonly string[], at: number): LogRecord[] {
  const value = JSON.stringify({ v: 1, marks } satisfies MarksRecord);
  return keys.map((key) => ({ key, value, timestamp: at, headers: { ce_type: 'tessera.shuffle.marks' } }));
}
