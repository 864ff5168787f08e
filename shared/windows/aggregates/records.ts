// first, last, collect and concat: the aggregates that keep records. All hold (time, order of arrival) beside the value, so that
// panes and shards merge to the same result in any order.

import type { Aggregate, Json } from './aggregate.ts';

type Kept<V> = { readonly value: V; readonly ts: number; readonly order: number };

const isEarlier = (a: Kept<unknown>, b: Kept<unknown>): boolean => (a.ts !== b.ts ? a.ts < b.ts : a.order < b.order);

function oneRecord<V extends Json>(
  isBetter: (candidate: Kept<V>, kept: Kept<V>) => boolean,
): Aggregate<V, { kept: Kept<V> | null }, V | null> {
  const offer = (acc: { kept: Kept<V> | null }, candidate: Kept<V>): void => {
    if (acc.kept === null || isBetter(candidate, acc.kept)) {
      acc.kept = candidate;
    }
  };
  return {
    create: () => ({ kept: null }),
    add: (acc, value, ts, order) => offer(acc, { value, ts, order }),
    merge: (into, from) => {
      if (from.kept !== null) {
        offer(into, from.kept);
      }
    },
    result: (acc) => acc.kept?.value ?? null,
    save: (acc) => (acc.kept === null ? null : [acc.kept.value, acc.kept.ts, acc.kept.order]),
    load: (saved) => {
      if (saved === null) {
        return { kept: null };
      }
      const [value, ts, order] = saved as [V, number, number];
      return { kept: { value, ts, order } };
    },
  };
}

/** Value of the oldest record by event time; of equally old ones the first to arrive. */
export const firstOf = <V extends Json>(): Aggregate<V, { kept: Kept<V> | null }, V | null> => oneRecord<V>(isEarlier);

/** Value of the newest record by event time; of equally new ones the last to arrive. */
export const lastOf = <V extends Json>(): Aggregate<V, { kept: Kept<V> | null }, V | null> =>
  oneRecord<V>((candidate, kept) => isEarlier(kept, candidate));

type Collected<V> = { records: Kept<V>[]; dropped: number };

const saveRecords = (acc: Collected<Json>): Json => [
  acc.dropped,
  acc.records.map(({ value, ts, order }) => [value, ts, order]),
];

function loadRecords<V extends Json>(saved: Json): Collected<V> {
  const [dropped, records] = saved as [number, [V, number, number][]];
  return { dropped, records: records.map(([value, ts, order]) => ({ value, ts, order })) };
}

function recordList<V extends Json, R>(
  limit: number,
  result: (records: Kept<V>[]) => R,
): Aggregate<V, Collected<V>, R> {
  return {
    create: () => ({ records: [], dropped: 0 }),
    add: (acc, value, ts, order) => {
      if (acc.records.length < limit) {
        acc.records.push({ value, ts, order });
      } else {
        acc.dropped++;
      }
    },
    merge: (into, from) => {
      const room = limit - into.records.length;
      into.records.push(...from.records.slice(0, room));
      into.dropped += from.dropped + (from.records.length > room ? from.records.length - room : 0);
    },
    result: (acc) => result(acc.records),
    save: saveRecords,
    load: loadRecords<V>,
  };
}

/** All values in order of event time (ties: arrival). Holds at most `limit`; what comes later is left out. */
export const collectOf = <V extends Json>(limit = 100_000): Aggregate<V, Collected<V>, V[]> =>
  recordList<V, V[]>(limit, (records) =>
    [...records].sort((a, b) => a.ts - b.ts || a.order - b.order).map((record) => record.value),
  );

const asText = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

/**
 * The values joined by `+` in order of arrival; with `initial` (also an empty one) that comes first, as in Kafka's aggregate, without
 * it the first value does, as in Kafka's reduce. Holds at most `limit`; what comes later is left out.
 */
export const concatOf = (initial?: string, limit = 100_000): Aggregate<Json, Collected<Json>, string> =>
  recordList<Json, string>(limit, (records) => {
    const texts = [...records].sort((a, b) => a.order - b.order).map((record) => asText(record.value));
    return (initial === undefined ? texts : [initial, ...texts]).join('+');
  });
