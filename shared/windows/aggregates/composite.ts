// Several aggregates over the same records at once: one accumulator, one result object.

import type { Aggregate, AnyAggregate, Json, Span } from './aggregate.ts';

/** What `together` returns for its parts. */
export type ResultsOf<P> = {
  [K in keyof P]: P[K] extends {
    /** The part's own result. */
    readonly result: (...args: never[]) => infer R;
  }
    ? R
    : never;
};

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

/** The same aggregate with its result turned into something else. */
export function mapResult<V, A, R, S>(
  aggregate: Aggregate<V, A, R>,
  turn: (result: R, span: Span) => S,
): Aggregate<V, A, S> {
  return { ...aggregate, result: (accumulator, span) => turn(aggregate.result(accumulator, span), span) };
}

/** One accumulator per group of values; groups beyond `limit` are left out. Results come by name, in the order of names. */
export function grouped<V, A, R>(
  by: (value: V) => string,
  aggregate: Aggregate<V, A, R>,
  limit: number,
): Aggregate<V, Map<string, A>, Record<string, R>> {
  const groupOf = (groups: Map<string, A>, name: string): A | undefined => {
    let group = groups.get(name);
    if (group === undefined && groups.size < limit) {
      group = aggregate.create();
      groups.set(name, group);
    }
    return group;
  };
  const inOrder = (groups: Map<string, A>): [string, A][] => [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    create: () => new Map(),
    add: (groups, value, ts, order) => {
      const group = groupOf(groups, by(value));
      if (group !== undefined) {
        aggregate.add(group, value, ts, order);
      }
    },
    merge: (into, from) => {
      for (const [name, group] of inOrder(from)) {
        const target = groupOf(into, name);
        if (target !== undefined) {
          aggregate.merge(target, group);
        }
      }
    },
    result: (groups, span) =>
      Object.fromEntries(inOrder(groups).map(([name, group]) => [name, aggregate.result(group, span)])),
    save: (groups) => inOrder(groups).map(([name, group]) => [name, aggregate.save(group)]),
    load: (saved) => new Map((saved as [string, Json][]).map(([name, group]) => [name, aggregate.load(group)])),
  };
}
