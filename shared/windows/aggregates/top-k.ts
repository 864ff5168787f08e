// The most frequent values of a window. Counts are exact up to `capacity` different values; beyond that the rarest gives way and
// the newcomer takes over its count (Space-Saving, Metwally et al. 2005), so that a count is never too low by more than the rarest.

import type { Aggregate, Json } from './aggregate.ts';

type Counts = Map<string, number>;

/** One row of the result: the value and how often it came. */
export type Frequency = { readonly value: Json; readonly count: number };

function addCount(counts: Counts, text: string, amount: number, capacity: number): void {
  const known = counts.get(text);
  if (known !== undefined || counts.size < capacity) {
    counts.set(text, (known ?? 0) + amount);
    return;
  }
  let rarest = '';
  let rarestCount = Infinity;
  for (const [candidate, n] of counts) {
    if (n < rarestCount || (n === rarestCount && candidate > rarest)) {
      rarest = candidate;
      rarestCount = n;
    }
  }
  counts.delete(rarest);
  counts.set(text, rarestCount + amount);
}

/** The `k` most frequent values, the most frequent first, equal counts in order of their JSON text. */
export function topKOf(k: number, capacity = Math.max(1024, 16 * k)): Aggregate<Json, Counts, Frequency[]> {
  return {
    create: () => new Map(),
    add: (counts, value) => addCount(counts, JSON.stringify(value), 1, capacity),
    merge: (into, from) => {
      for (const [text, n] of from) {
        addCount(into, text, n, capacity);
      }
    },
    result: (counts) =>
      [...counts]
        .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
        .slice(0, k)
        .map(([text, n]) => ({ value: JSON.parse(text) as Json, count: n })),
    save: (counts) => [...counts].map(([text, n]) => [text, n]),
    load: (saved) => new Map(saved as [string, number][]),
  };
}
