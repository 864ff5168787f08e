// What the console draws of a stream over time: its own points, one per health answer, over the last minutes, and the server's history
// over hours. A time without data is a gap, never a zero. Pure.

import type { StreamHealth, StreamPast } from '../ui/api.ts';

/** One moment of a stream; null where the server did not know. */
export type HistoryPoint = {
  readonly atMs: number;
  readonly bitrateKbps: number | null;
  readonly fps: number | null;
  readonly latencyP50: number | null;
  readonly latencyP95: number | null;
  readonly viewers: number | null;
};

const MAX_POINTS = 300;
const GAP_MS = 4000;

/** The point that a health answer makes. */
export function toPoint(atMs: number, health: StreamHealth | null, viewers: number | null): HistoryPoint {
  const isKnown = health !== null && health.status !== 'unknown';
  return {
    atMs,
    bitrateKbps: isKnown ? (health.bitrateKbps ?? null) : null,
    fps: isKnown ? (health.fps ?? null) : null,
    latencyP50: isKnown ? (health.latencyMs?.p50 ?? null) : null,
    latencyP95: isKnown ? (health.latencyMs?.p95 ?? null) : null,
    viewers,
  };
}

/** The server's history as points in the middle of their steps; viewers that nobody counted are a gap, too. */
export function pastPoints(past: StreamPast): readonly HistoryPoint[] {
  return past.map((step) => ({
    atMs: (step.start + step.end) / 2,
    bitrateKbps: step.bitrateKbps,
    fps: step.fps,
    latencyP50: step.latencyP50Ms,
    latencyP95: step.latencyP95Ms,
    viewers: step.viewers,
  }));
}

/** The server's history up to where the console's own points begin, then these. */
export function joinHistory(
  past: readonly HistoryPoint[],
  own: readonly HistoryPoint[],
  fromMs: number,
): readonly HistoryPoint[] {
  const begin = own[0]?.atMs ?? Number.POSITIVE_INFINITY;
  return [...past.filter(({ atMs }) => atMs < begin), ...own].filter(({ atMs }) => atMs >= fromMs);
}

/** History with one more point; where nothing was asked for a while an empty point breaks the line. */
export function appendPoint(history: readonly HistoryPoint[], point: HistoryPoint): readonly HistoryPoint[] {
  const last = history.at(-1);
  const isGap = last !== undefined && point.atMs - last.atMs > GAP_MS;
  const gap = isGap ? [toPoint(last.atMs + 1, null, null)] : [];
  return [...history, ...gap, point].slice(-MAX_POINTS);
}
