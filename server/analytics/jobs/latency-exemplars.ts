// One frame that stands for each range of latency: the slowest of it, with its place in the stream and who saw it, so that a percentile
// can be traced to a picture. Mergeable; the same in any order.

import type { Aggregate } from '../../../shared/windows/aggregates/aggregate.ts';

export type SeenFrame = {
  readonly ms: number;
  /** Presentation time on the stream's timeline, ms; null where the player does not tell. */
  readonly ptsMs: number | null;
  readonly session: string;
  readonly rendition: string;
};

/** `le`: upper bound of the range, ms; null: none. `count` frames lie in it. */
export type Exemplar = SeenFrame & { readonly le: number | null; readonly count: number };

/** Upper bounds of the ranges, ms. */
const BOUNDS = [25, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000] as const;

type Range = { count: number; frame: SeenFrame };

function isBetter(candidate: SeenFrame, kept: SeenFrame): boolean {
  if (candidate.ms !== kept.ms) {
    return candidate.ms > kept.ms;
  }
  const [a, b] = [candidate.ptsMs ?? Infinity, kept.ptsMs ?? Infinity];
  return a === b ? candidate.session < kept.session : a < b;
}

function take(ranges: Map<number, Range>, index: number, frame: SeenFrame, count: number): void {
  const range = ranges.get(index);
  if (range === undefined) {
    ranges.set(index, { count, frame });
    return;
  }
  range.count += count;
  if (isBetter(frame, range.frame)) {
    range.frame = frame;
  }
}

function rangeOf(ms: number): number {
  const index = BOUNDS.findIndex((bound) => ms <= bound);
  return index < 0 ? BOUNDS.length : index;
}

const inOrder = (ranges: Map<number, Range>): [number, Range][] => [...ranges].sort(([a], [b]) => a - b);

/** An exemplar per range of latency that has frames, fastest first. */
export const exemplarsOf: Aggregate<SeenFrame, Map<number, Range>, Exemplar[]> = {
  create: () => new Map(),
  add: (ranges, frame) => {
    take(ranges, rangeOf(frame.ms), frame, 1);
  },
  merge: (into, from) => {
    for (const [index, { count, frame }] of from) {
      take(into, index, frame, count);
    }
  },
  result: (ranges) =>
    inOrder(ranges).map(([index, { count, frame }]) => ({ le: BOUNDS[index] ?? null, count, ...frame })),
  save: (ranges) => inOrder(ranges),
  load: (saved) => new Map(structuredClone(saved) as unknown as [number, Range][]),
};
