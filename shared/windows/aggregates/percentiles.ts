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

/** One percentile, `percent` in 0..100; null of nothing. */
export function percentileOf(percent: number): Aggregate<number, Histogram, number | null> {
  if (!(percent >= 0 && percent <= 100)) {
    throw new RangeError(`A percentile lies between 0 and 100, not at ${percent}.`);
  }
  return { ...histogramParts, result: (histogram) => quantile(histogram, percent / 100) };
}

/** The histogram itself, for whoever merges further. */
export const histogramOf: Aggregate<number, Histogram, Histogram> = {
  ...histogramParts,
  result: (histogram) => histogram,
};
