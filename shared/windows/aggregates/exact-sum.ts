// Sums of doubles that do not depend on the order of the terms: whole numbers in one lane while they are exact, everything else as
// an expansion of non-overlapping partial sums (Shewchuk 1997, GROW-EXPANSION), rounded once at the end, half to even.
// This is what makes replays and merged shards give the same bytes. Used by sum, mean and rate.

/** The exact sum of some numbers: `whole` + the partials, which do not overlap and grow in magnitude. */
export type ExactSum = { whole: number; partials: number[] };

const { abs, MAX_SAFE_INTEGER, isInteger } = {
  abs: Math.abs,
  MAX_SAFE_INTEGER: Number.MAX_SAFE_INTEGER,
  isInteger: Number.isInteger,
};

/** The sum of nothing. */
export function newExactSum(): ExactSum {
  return { whole: 0, partials: [] };
}

/** Adds a term in place; each step is Knuth's TwoSum, exact whichever of the two is larger. */
function grow(partials: number[], term: number): void {
  const count = partials.length;
  let high = term;
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const partial = partials[i];
    const sum = partial + high;
    const virtual = sum - partial;
    const low = partial - (sum - virtual) + (high - virtual);
    if (low !== 0) {
      partials[kept++] = low;
    }
    high = sum;
  }
  if (high !== 0) {
    partials[kept++] = high;
  }
  while (partials.length > kept) {
    partials.pop();
  }
}

/** Adds one finite number. */
export function addExact(sum: ExactSum, term: number): void {
  const whole = sum.whole + term;
  if (isInteger(term) && abs(term) <= MAX_SAFE_INTEGER && abs(whole) <= MAX_SAFE_INTEGER) {
    sum.whole = whole;
    return;
  }
  grow(sum.partials, term);
}

/** Adds another sum. */
export function mergeExact(into: ExactSum, from: ExactSum): void {
  addExact(into, from.whole);
  for (const partial of from.partials) {
    grow(into.partials, partial);
  }
}

/** The sum, rounded once to the nearest double, ties to even. */
export function roundExact(sum: ExactSum): number {
  if (sum.partials.length === 0) {
    return sum.whole;
  }
  const partials = [...sum.partials];
  if (sum.whole !== 0) {
    grow(partials, sum.whole);
  }
  let at = partials.length - 1;
  let high = at < 0 ? 0 : partials[at];
  let low = 0;
  while (at > 0) {
    const x = high;
    const y = partials[--at];
    high = x + y;
    low = y - (high - x);
    if (low !== 0) {
      break;
    }
  }
  // A tie that `high + low` rounded away from: the next partial decides.
  if (at > 0 && low !== 0 && low < 0 === partials[at - 1] < 0) {
    const doubled = low * 2;
    const next = high + doubled;
    if (next - high === doubled) {
      high = next;
    }
  }
  return high;
}
