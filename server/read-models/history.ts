// The past of a stream in steps, for the console and /api/v1/streams/STREAM/history: one point per ten-second window, filled from
// windows.v1. Time without a window is a gap (null), never zero. Bounded by points per stream and by streams.

import { z } from 'zod';

const epochMs = z.number().describe('Unix epoch, milliseconds');

export const historyPointSchema = z.object({
  start: epochMs,
  end: epochMs,
  bitrateKbps: z.number().nullable(),
  fps: z.number().nullable(),
  viewers: z.number().nullable(),
  latencyP50Ms: z.number().nullable(),
  latencyP95Ms: z.number().nullable(),
  complete: z.number().nullable(),
});

export const historySchema = z.object({
  stream: z.string(),
  from: epochMs,
  to: epochMs,
  step: z.number(),
  points: z.array(historyPointSchema),
});

export type HistoryPoint = z.infer<typeof historyPointSchema>;
export type History = z.infer<typeof historySchema>;
/** What one window adds to a point. */
export type HistoryPart = Partial<Omit<HistoryPoint, 'start' | 'end'>>;

/** Length of a stored point: the windows' own. */
export const POINT_MS = 10_000;
const MAX_POINTS = 8640;
const MAX_STREAMS = 500;
/** Points in one answer. */
const MAX_ANSWER = 2000;

const mean = (numbers: readonly (number | null)[]): number | null => {
  const known = numbers.filter((each) => each !== null);
  return known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0) / known.length;
};
const most = (numbers: readonly (number | null)[]): number | null => {
  const known = numbers.filter((each) => each !== null);
  return known.length === 0 ? null : Math.max(...known);
};

export class HistoryReadModel {
  private readonly streams = new Map<string, Map<number, HistoryPart>>();

  /** Adds what a window that starts at a multiple of ten seconds says. The same window again changes nothing. */
  apply(stream: string, start: number, part: HistoryPart): void {
    const points = this.streams.get(stream) ?? new Map<number, HistoryPart>();
    this.streams.delete(stream);
    this.streams.set(stream, points);
    points.set(start, { ...points.get(start), ...part });
    if (points.size > MAX_POINTS) {
      points.delete(Math.min(...points.keys()));
    }
    if (this.streams.size > MAX_STREAMS) {
      const [oldest] = this.streams.keys();
      this.streams.delete(oldest ?? '');
    }
  }

  /** Points of `step` ms (a multiple of ten seconds) from `from` to `to`, epoch ms; throws RangeError when asked for nonsense. */
  query(stream: string, range: { from: number; to: number; step: number }): History {
    const { from, to } = range;
    const step = Math.max(POINT_MS, Math.ceil(range.step / POINT_MS) * POINT_MS);
    const first = Math.floor(from / step) * step;
    if (!(to > from) || (to - first) / step > MAX_ANSWER) {
      throw new RangeError(`Ask for a range of at most ${MAX_ANSWER} steps, with "from" before "to".`);
    }
    const stored = this.streams.get(stream) ?? new Map<number, HistoryPart>();
    const points: HistoryPoint[] = [];
    for (let start = first; start < to; start += step) {
      const parts: HistoryPart[] = [];
      for (let at = start; at < start + step; at += POINT_MS) {
        parts.push(stored.get(at) ?? {});
      }
      const of = (name: keyof HistoryPart): (number | null)[] => parts.map((part) => part[name] ?? null);
      points.push({
        start,
        end: start + step,
        bitrateKbps: mean(of('bitrateKbps')),
        fps: mean(of('fps')),
        viewers: most(of('viewers')),
        latencyP50Ms: mean(of('latencyP50Ms')),
        latencyP95Ms: most(of('latencyP95Ms')),
        complete: mean(of('complete')),
      });
    }
    return { stream, from, to, step, points };
  }
}
