// What the sessions of a stream say, each with the same weight whatever it claims: per session a few whole numbers are summed, and what
// comes out are the middle session and the slow end. One liar among three or more viewers cannot move a judgement.

import type { Aggregate } from '../../../shared/windows/aggregates/aggregate.ts';

/** One report, clamped. Milliseconds; counts of pictures. */
export type SessionSample = {
  readonly session: string;
  readonly intervalMs: number;
  readonly stalledMs: number;
  readonly painted: number;
  readonly dropped: number;
  readonly decodeErrors: number;
  readonly latencyMs: number | undefined;
  readonly avSkewMs: number | undefined;
  readonly clippedShare: number | undefined;
};

export type SessionSummary = {
  readonly sessions: number;
  /** Mean latency of each session: the middle one and the slow end; null where none measured. */
  readonly latency: { readonly count: number; readonly p50: number; readonly p95: number } | null;
  /** Of the middle session; with many sessions the mean of all but the worst twentieth. 0..1. */
  readonly rebufferRatio: number;
  readonly droppedShare: number;
  readonly decodeErrorShare: number;
  /** Of the middle session; null where none has sound. */
  readonly avSkewMs: number | null;
  readonly clippedShare: number | null;
};

const FIELDS = 10;
const [INTERVAL, STALLED, PAINTED, DROPPED, ERRORS, LATENCY, LATENCIES, SKEW, CLIPPED, SOUNDS] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
] as const;
type Sums = number[];

const MAX_SESSIONS = 20_000;
/** From this many sessions on a share of them counts, not the middle one. */
const MANY = 20;
const PER_MILLION = 1_000_000;

const rounded = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;

function sumsOf(sessions: Map<string, Sums>, session: string): Sums | null {
  let sums = sessions.get(session);
  if (sums === undefined) {
    if (sessions.size >= MAX_SESSIONS) {
      return null;
    }
    sums = new Array<number>(FIELDS).fill(0);
    sessions.set(session, sums);
  }
  return sums;
}

/** Whole numbers only, so that the sums are the same in any order. */
function fieldsOf(sample: SessionSample): Sums {
  const { latencyMs, avSkewMs, clippedShare } = sample;
  const hasSound = avSkewMs !== undefined || clippedShare !== undefined;
  return [
    Math.round(sample.intervalMs),
    Math.round(sample.stalledMs),
    sample.painted,
    sample.dropped,
    sample.decodeErrors,
    latencyMs === undefined ? 0 : Math.round(latencyMs * 10),
    latencyMs === undefined ? 0 : 1,
    Math.round(avSkewMs ?? 0),
    Math.round((clippedShare ?? 0) * PER_MILLION),
    hasSound ? 1 : 0,
  ];
}

function add(into: Sums, from: readonly number[]): void {
  for (let i = 0; i < FIELDS; i++) {
    into[i] = (into[i] ?? 0) + (from[i] ?? 0);
  }
}

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
/** Nearest rank; of two in the middle the lower. */
const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;

/** What is typical of these shares, though some may be invented. */
function typical(shares: readonly number[]): number {
  const sorted = ascending(shares);
  if (sorted.length < MANY) {
    return rounded(at(sorted, 0.5), 4);
  }
  const kept = sorted.slice(0, sorted.length - Math.ceil(sorted.length / 20));
  return rounded(kept.reduce((sum, share) => sum + share, 0) / kept.length, 4);
}

function summaryOf(sessions: Map<string, Sums>): SessionSummary {
  const all = [...sessions.values()];
  const field = (sums: Sums, name: number): number => sums[name] ?? 0;
  const share = (part: number, whole: (sums: Sums) => number): number =>
    typical(all.map((sums) => (whole(sums) === 0 ? 0 : field(sums, part) / whole(sums))));
  const measured = all.filter((sums) => field(sums, LATENCIES) > 0);
  const means = ascending(measured.map((sums) => field(sums, LATENCY) / 10 / field(sums, LATENCIES)));
  const heard = all.filter((sums) => field(sums, SOUNDS) > 0);
  const ofSound = (name: number): number[] => ascending(heard.map((sums) => field(sums, name) / field(sums, SOUNDS)));
  return {
    sessions: all.length,
    latency:
      means.length === 0
        ? null
        : { count: means.length, p50: rounded(at(means, 0.5), 1), p95: rounded(at(means, 0.95), 1) },
    rebufferRatio: share(STALLED, (sums) => field(sums, INTERVAL)),
    droppedShare: share(DROPPED, (sums) => field(sums, DROPPED) + field(sums, PAINTED)),
    decodeErrorShare: share(ERRORS, (sums) => field(sums, ERRORS) + field(sums, PAINTED)),
    avSkewMs: heard.length === 0 ? null : Math.round(at(ofSound(SKEW), 0.5)),
    clippedShare: heard.length === 0 ? null : rounded(at(ofSound(CLIPPED), 0.5) / PER_MILLION, 4),
  };
}

/** Sums per session; sessions beyond 20 000 are left out. */
export const sessionsOf: Aggregate<SessionSample, Map<string, Sums>, SessionSummary> = {
  create: () => new Map(),
  add: (sessions, sample) => {
    const sums = sumsOf(sessions, sample.session);
    if (sums !== null) {
      add(sums, fieldsOf(sample));
    }
  },
  merge: (into, from) => {
    for (const [session, fields] of from) {
      const sums = sumsOf(into, session);
      if (sums !== null) {
        add(sums, fields);
      }
    }
  },
  result: summaryOf,
  save: (sessions) => [...sessions].sort(([a], [b]) => (a < b ? -1 : 1)),
  load: (saved) => new Map(structuredClone(saved) as unknown as [string, Sums][]),
};
