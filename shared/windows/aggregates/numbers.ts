// count, sum, mean, min, max and rate: the aggregates of one or two numbers per window.

import type { Aggregate, Json, Span } from './aggregate.ts';
import { addExact, mergeExact, newExactSum, roundExact, type ExactSum } from './exact-sum.ts';

type Counter = { n: number };

/** Number of records. */
export const countOf: Aggregate<unknown, Counter, number> = {
  create: () => ({ n: 0 }),
  add: (counter) => {
    counter.n++;
  },
  merge: (into, from) => {
    into.n += from.n;
  },
  result: (counter) => counter.n,
  save: (counter) => counter.n,
  load: (saved) => ({ n: saved as number }),
};

const saveSum = (sum: ExactSum): Json => [sum.whole, ...sum.partials];
const loadSum = (saved: Json): ExactSum => {
  const [whole = 0, ...partials] = saved as number[];
  return { whole, partials };
};

/** Sum of finite numbers, rounded once: the order of arrival does not show. */
export const sumOf: Aggregate<number, ExactSum, number> = {
  create: newExactSum,
  add: addExact,
  merge: mergeExact,
  result: roundExact,
  save: saveSum,
  load: loadSum,
};

type CountedSum = { n: number; sum: ExactSum };

const newCountedSum = (): CountedSum => ({ n: 0, sum: newExactSum() });
const addCounted = (acc: CountedSum, value: number): void => {
  acc.n++;
  addExact(acc.sum, value);
};
const mergeCounted = (into: CountedSum, from: CountedSum): void => {
  into.n += from.n;
  mergeExact(into.sum, from.sum);
};
const saveCounted = (acc: CountedSum): Json => [acc.n, saveSum(acc.sum)];
const loadCounted = (saved: Json): CountedSum => {
  const [n, sum] = saved as [number, Json];
  return { n, sum: loadSum(sum) };
};

/** Arithmetic mean; null of nothing. */
export const meanOf: Aggregate<number, CountedSum, number | null> = {
  create: newCountedSum,
  add: addCounted,
  merge: mergeCounted,
  result: (acc) => (acc.n === 0 ? null : roundExact(acc.sum) / acc.n),
  save: saveCounted,
  load: loadCounted,
};

/** Sum of the values per second of the window's length; null where the window has no length. */
export const rateOf: Aggregate<number, ExactSum, number | null> = {
  ...sumOf,
  result: (sum, span: Span) => (span.end > span.start ? (roundExact(sum) * 1000) / (span.end - span.start) : null),
};

type Extreme = { value: number | null };

function extreme(isBetter: (candidate: number, kept: number) => boolean): Aggregate<number, Extreme, number | null> {
  const offer = (acc: Extreme, value: number): void => {
    if (acc.value === null || isBetter(value, acc.value)) {
      acc.value = value;
    }
  };
  return {
    create: () => ({ value: null }),
    add: offer,
    merge: (into, from) => {
      if (from.value !== null) {
        offer(into, from.value);
      }
    },
    result: (acc) => acc.value,
    save: (acc) => acc.value,
    load: (saved) => ({ value: saved as number | null }),
  };
}

/** Smallest value; null of nothing. */
export const minOf = extreme((candidate, kept) => candidate < kept);
/** Largest value; null of nothing. */
export const maxOf = extreme((candidate, kept) => candidate > kept);
