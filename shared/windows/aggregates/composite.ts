// Several aggregates over the same records at once: one accumulator, one result object.

import type { Aggregate, AnyAggregate, Json, Span } from './aggregate.ts';

/** What `together` returns for its parts. */
export type ResultsOf<P> = { [K in keyof P]: P[K] extends Aggregate<never, never, infer R> ? R : never };

/** Runs the named aggregates side by side over one value. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- parts differ in their accumulators; each gets back only its own
export function together<V, P extends Record<string, Aggregate<V, any, unknown>>>(
  parts: P,
): Aggregate<V, unknown[], ResultsOf<P>> {
  const names = Object.keys(parts);
  const aggregates = names.map((name) => parts[name] as AnyAggregate<V, unknown>);
  return {
    create: () => aggregates.map((aggregate) => aggregate.create()),
    add: (accumulators, value, ts, order) => {
      for (let i = 0; i < aggregates.length; i++) {
        aggregates[i].add(accumulators[i], value, ts, order);
      }
    },
    merge: (into, from) => {
      for (let i = 0; i < aggregates.length; i++) {
        aggregates[i].merge(into[i], from[i]);
      }
    },
    result: (accumulators, span: Span) =>
      Object.fromEntries(names.map((name, i) => [name, aggregates[i].result(accumulators[i], span)])) as ResultsOf<P>,
    save: (accumulators) => aggregates.map((aggregate, i) => aggregate.save(accumulators[i])),
    load: (saved) => aggregates.map((aggregate, i) => aggregate.load((saved as Json[])[i])),
  };
}

/** The same aggregate over something taken from each value; `undefined` leaves the record out. */
export function over<W, V, A, R>(
  select: (value: W) => V | undefined,
  aggregate: Aggregate<V, A, R>,
): Aggregate<W, A, R> {
  return {
    ...aggregate,
    add: (accumulator, value, ts, order) => {
      const selected = select(value);
      if (selected !== undefined) {
        aggregate.add(accumulator, selected, ts, order);
      }
    },
  };
}
