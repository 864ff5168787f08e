// A histogram of logarithmic buckets: bucket i holds (GAMMA^(i-1), GAMMA^i], so any value is known to (GAMMA - 1) / (GAMMA + 1) =
// 0.99 % (the mapping of DDSketch, Masson et al. 2019). Counts are integers, hence adding and merging give the same bytes in any
// order, and an older histogram can be subtracted. Negative values mirror into a second row of buckets; |v| < TINY counts as zero.
// A pane of a few values is far smaller than the buckets they span: positive values wait as a list of bucket numbers until there are
// FEW of them or somebody asks for a rank.

import type { Json } from './aggregate.ts';

const { ceil, exp, log, max, min, abs } = Math;

/** Ratio of neighbouring bucket bounds. */
const GAMMA = 1.02;
const LOG_GAMMA = log(GAMMA);
const TINY = 1e-9;
const HUGE = 1e15;
/** Middle of bucket i as a factor of GAMMA^i: 2 / (GAMMA + 1). */
const MIDDLE = 2 / (GAMMA + 1);

/** Counts of consecutive buckets: `counts[i]` belongs to bucket `first + i`. Plain arrays: far cheaper to make than typed ones. */
type Row = { first: number; counts: number[] };

export type Histogram = {
  n: number;
  zeros: number;
  smallest: number;
  largest: number;
  positive: Row;
  negative: Row;
  /** Buckets of positive values that `positive` does not count yet, in order of arrival. */
  waiting: number[];
};

const FEW = 128;

/** The counts of no buckets. Never written: `reach` gives a row its own before anything is counted. */
const NOTHING: number[] = [];

const zeros = (count: number): number[] => new Array<number>(count).fill(0);

/** A histogram of nothing. */
export function newHistogram(): Histogram {
  return {
    n: 0,
    zeros: 0,
    smallest: Infinity,
    largest: -Infinity,
    positive: { first: 0, counts: NOTHING },
    negative: { first: 0, counts: NOTHING },
    waiting: [],
  };
}

function reach(row: Row, low: number, high: number): void {
  const { first, counts } = row;
  if (counts.length > 0 && low >= first && high < first + counts.length) {
    return;
  }
  const wasEmpty = counts.length === 0;
  const slack = wasEmpty ? 8 : counts.length >> 1;
  const from = wasEmpty ? low - slack : low < first ? low - slack : first;
  const last = first + counts.length - 1;
  const to = wasEmpty ? high + slack : high > last ? high + slack : last;
  const grown = zeros(to - from + 1);
  for (let i = 0; i < counts.length; i++) {
    grown[first - from + i] = counts[i];
  }
  row.first = from;
  row.counts = grown;
}

function addTo(row: Row, bucket: number): void {
  const at = bucket - row.first;
  if (at >= 0 && at < row.counts.length) {
    row.counts[at]++;
    return;
  }
  reach(row, bucket, bucket);
  row.counts[bucket - row.first]++;
}

/** Adds one finite value. Magnitudes above 1e15 count as 1e15. */
export function addValue(histogram: Histogram, value: number): void {
  histogram.n++;
  if (value < histogram.smallest) {
    histogram.smallest = value;
  }
  if (value > histogram.largest) {
    histogram.largest = value;
  }
  const magnitude = min(abs(value), HUGE);
  if (magnitude < TINY) {
    histogram.zeros++;
    return;
  }
  const bucket = ceil(log(magnitude) / LOG_GAMMA);
  if (value < 0) {
    addTo(histogram.negative, bucket);
    return;
  }
  if (histogram.waiting.length === FEW) {
    settle(histogram);
  }
  histogram.waiting.push(bucket);
}

/** Counts in `row` what waits. */
function countWaiting(row: Row, waiting: readonly number[]): void {
  if (waiting.length === 0) {
    return;
  }
  let low = waiting[0];
  let high = low;
  for (let i = 1; i < waiting.length; i++) {
    const bucket = waiting[i];
    if (bucket < low) {
      low = bucket;
    } else if (bucket > high) {
      high = bucket;
    }
  }
  reach(row, low, high);
  const { first, counts } = row;
  for (let i = 0; i < waiting.length; i++) {
    counts[waiting[i] - first]++;
  }
}

function settle(histogram: Histogram): void {
  countWaiting(histogram.positive, histogram.waiting);
  histogram.waiting.length = 0;
}

function mergeRow(into: Row, from: Row): void {
  const { counts, first } = from;
  let low = 0;
  let high = counts.length - 1;
  while (low <= high && counts[low] === 0) {
    low++;
  }
  while (high > low && counts[high] === 0) {
    high--;
  }
  if (low > high) {
    return;
  }
  if (into.counts.length === 0) {
    into.first = first + low;
    into.counts = counts.slice(low, high + 1);
    return;
  }
  reach(into, first + low, first + high);
  const shift = first - into.first;
  for (let i = low; i <= high; i++) {
    into.counts[i + shift] += counts[i];
  }
}

/** Adds everything that is in `from`. */
export function mergeHistogram(into: Histogram, from: Histogram): void {
  into.n += from.n;
  into.zeros += from.zeros;
  into.smallest = min(into.smallest, from.smallest);
  into.largest = max(into.largest, from.largest);
  mergeRow(into.positive, from.positive);
  if (into.waiting.length === 0 && from.positive.counts.length === 0) {
    into.waiting = from.waiting.slice();
  } else {
    countWaiting(into.positive, from.waiting);
  }
  mergeRow(into.negative, from.negative);
}

function valueAtRank(histogram: Histogram, rank: number): number {
  let left = rank;
  const { positive, negative } = histogram;
  for (let i = negative.counts.length - 1; i >= 0; i--) {
    left -= negative.counts[i];
    if (left <= 0) {
      return -MIDDLE * exp((negative.first + i) * LOG_GAMMA);
    }
  }
  left -= histogram.zeros;
  if (left <= 0) {
    return 0;
  }
  for (let i = 0; i < positive.counts.length; i++) {
    left -= positive.counts[i];
    if (left <= 0) {
      return MIDDLE * exp((positive.first + i) * LOG_GAMMA);
    }
  }
  return histogram.largest;
}

/** The value below or at which `fraction` (0..1) of the values lie, by nearest rank, within 1 %; null of nothing. */
export function quantile(histogram: Histogram, fraction: number): number | null {
  if (histogram.n === 0) {
    return null;
  }
  const rank = min(histogram.n, max(1, ceil(fraction * histogram.n - 1e-9)));
  if (rank === histogram.n) {
    return histogram.largest;
  }
  if (rank === 1) {
    return histogram.smallest;
  }
  settle(histogram);
  return min(histogram.largest, max(histogram.smallest, valueAtRank(histogram, rank)));
}

const saveRow = (row: Row, waiting: readonly number[]): Json => {
  const trimmed: Row = { first: 0, counts: NOTHING };
  mergeRow(trimmed, row);
  countWaiting(trimmed, waiting);
  const pairs: number[] = [];
  trimmed.counts.forEach((n, i) => {
    if (n > 0) {
      pairs.push(trimmed.first + i, n);
    }
  });
  return pairs;
};

function loadRow(saved: Json): Row {
  const row: Row = { first: 0, counts: NOTHING };
  const pairs = saved as number[];
  for (let i = 0; i < pairs.length; i += 2) {
    reach(row, pairs[i], pairs[i]);
    row.counts[pairs[i] - row.first] += pairs[i + 1];
  }
  return row;
}

/** As JSON: only buckets that hold something. */
export function saveHistogram(histogram: Histogram): Json {
  const { n, zeros, smallest, largest, positive, negative, waiting } = histogram;
  return n === 0 ? null : [n, zeros, smallest, largest, saveRow(positive, waiting), saveRow(negative, [])];
}

/** The inverse of `saveHistogram`. */
export function loadHistogram(saved: Json): Histogram {
  if (saved === null) {
    return newHistogram();
  }
  const [n, zeros, smallest, largest, positive, negative] = saved as [number, number, number, number, Json, Json];
  return { n, zeros, smallest, largest, positive: loadRow(positive), negative: loadRow(negative), waiting: [] };
}
