// Percentiles of a window over the logarithmic histogram: within 1 % of the exact nearest-rank value, mergeable, order-independent.

import type { Aggregate } from './aggregate.ts';
import {
  addValue,
  loadHistogram,
  mergeHistogram,
  newHistogram,
  quantile,
  saveHistogram,
  type Histogram,
} from './histogram.ts';

const histogramParts = {
  create: newHistogram,
  add: addValue,
  merge: mergeHistogram,
  save: saveHistogram,
  load: loadHistogram,
};

function requirePercent(percent: number): void {
  if (!(percent >= 0 && percent <= 100)) {
    throw new RangeError(`A percentile lies between 0 and 100, not at ${percent}.`);
  }
}

/** One percentile, `percent` in 0..100; null of nothing. */
export function percentileOf(percent: number): Aggregate<number, Histogram, number | null> {
  requirePercent(percent);
  return { ...histogramParts, result: (histogram) => quantile(histogram, percent / 100) };
}

/** Several percentiles by name, each in 0..100, out of one histogram: `percentilesOf({ p50: 50, p99: 99 })`; null of nothing. */
export function percentilesOf<Name extends string>(
  percents: Readonly<Record<Name, number>>,
): Aggregate<number, Histogram, Record<Name, number | null>> {
  const named = Object.entries<number>(percents);
  named.forEach(([, percent]) => {
    requirePercent(percent);
  });
  return {
    ...histogramParts,
    result: (histogram) =>
      Object.fromEntries(named.map(([name, percent]) => [name, quantile(histogram, percent / 100)])) as Record<
        Name,
        number | null
      >,
  };
}

/** The histogram itself, for whoever merges further. */
export const histogramOf: Aggregate<number, Histogram, Histogram> = {
  ...histogramParts,
  result: (histogram) => histogram,
};
