// The past of a stream in steps, for the console and /api/v1/streams/STREAM/history: one point per ten-second window, filled from
// windows.v1. Time without a window is a gap (null), never zero. Kept in columns per stream and hour, bounded by age and by bytes.

import { z } from 'zod';

const epochMs = z.number().describe('Unix epoch, milliseconds');

const historyPointSchema = z.object({
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
  step: z.number().describe('a multiple of ten seconds, ms'),
  points: z.array(historyPointSchema),
});

export type HistoryPoint = z.infer<typeof historyPointSchema>;
export type History = z.infer<typeof historySchema>;
/** What one window adds to a point. */
export type HistoryPart = Partial<Omit<HistoryPoint, 'start' | 'end'>>;

export type HistoryOptions = {
  /** Points are kept this long, measured from the newest. */
  readonly maxAgeMs: number;
  /** Memory for all streams together; beyond it the oldest hours go first. */
  readonly maxBytes: number;
};

/** Length of a stored point: the windows' own. */
export const POINT_MS = 10_000;
const HOUR_MS = 3_600_000;
const POINTS_PER_HOUR = HOUR_MS / POINT_MS;
const FIELDS = ['bitrateKbps', 'fps', 'viewers', 'latencyP50Ms', 'latencyP95Ms', 'complete'] as const;
type Field = (typeof FIELDS)[number];
const HOUR_BYTES = POINTS_PER_HOUR * FIELDS.length * Float32Array.BYTES_PER_ELEMENT;
/** Points in one answer. */
const MAX_ANSWER = 2000;
const DEFAULT_HISTORY: HistoryOptions = { maxAgeMs: 24 * HOUR_MS, maxBytes: 64 * 1024 * 1024 };

/** How the points of a longer step become one: viewers and the slow end by their largest. */
const JOINED_BY: Readonly<Record<Field, 'mean' | 'most'>> = {
  bitrateKbps: 'mean',
  fps: 'mean',
  viewers: 'most',
  latencyP50Ms: 'mean',
  latencyP95Ms: 'most',
  complete: 'mean',
};

function joined(values: readonly number[], by: 'mean' | 'most'): number | null {
  if (values.length === 0) {
    return null;
  }
  const value = by === 'most' ? Math.max(...values) : values.reduce((sum, each) => sum + each, 0) / values.length;
  return Math.round(value * 10_000) / 10_000;
}

type Hour = { readonly stream: string; readonly hour: number; readonly values: Float32Array };

export class HistoryReadModel {
  private readonly options: HistoryOptions;
  /** By stream and hour, in order of first use. */
  private readonly hours = new Map<string, Hour>();
  private readonly hoursOf = new Map<string, number>();
  private newest = 0;

  constructor(options: HistoryOptions = DEFAULT_HISTORY) {
    this.options = options;
  }

  /** Adds what a window that starts at a multiple of ten seconds says. The same window again changes nothing. */
  apply(stream: string, start: number, part: HistoryPart): void {
    this.newest = Math.max(this.newest, start);
    if (start < this.newest - this.options.maxAgeMs) {
      return;
    }
    const { values } = this.hourFor(stream, Math.floor(start / HOUR_MS));
    const at = (Math.floor(start / POINT_MS) % POINTS_PER_HOUR) * FIELDS.length;
    FIELDS.forEach((field, i) => {
      const value = part[field];
      if (value !== undefined) {
        values[at + i] = value ?? Number.NaN;
      }
    });
  }

  /** Whether anything of the stream is kept. */
  has(stream: string): boolean {
    return this.hoursOf.has(stream);
  }

  /** Memory in use, bytes. */
  get bytes(): number {
    return this.hours.size * HOUR_BYTES;
  }

  /** Points of `step` ms (taken up to a multiple of ten seconds) from `from` to `to`, epoch ms; throws RangeError when asked for nonsense. */
  query(stream: string, range: { from: number; to: number; step: number }): History {
    const { from, to } = range;
    if (!(from >= 0) || !(to > from) || !(to <= Number.MAX_SAFE_INTEGER)) {
      throw new RangeError('Ask for a range of time with "from" before "to", in Unix epoch milliseconds.');
    }
    if (!(range.step > 0)) {
      throw new RangeError('"step" is a number of milliseconds above 0.');
    }
    const step = Math.ceil(range.step / POINT_MS) * POINT_MS;
    const first = Math.floor(from / step) * step;
    if ((to - first) / step > MAX_ANSWER) {
      throw new RangeError(`Ask for at most ${MAX_ANSWER} points: a shorter range or a longer step.`);
    }
    const points: HistoryPoint[] = [];
    for (let start = first; start < to; start += step) {
      points.push(this.pointOf(stream, start, start + step));
    }
    return { stream, from, to, step, points };
  }

  private pointOf(stream: string, start: number, end: number): HistoryPoint {
    const seen: Record<Field, number[]> = {
      bitrateKbps: [],
      fps: [],
      viewers: [],
      latencyP50Ms: [],
      latencyP95Ms: [],
      complete: [],
    };
    for (let at = start; at < end; at += POINT_MS) {
      const values = this.hours.get(nameOf(stream, Math.floor(at / HOUR_MS)))?.values;
      if (values === undefined) {
        at = (Math.floor(at / HOUR_MS) + 1) * HOUR_MS - POINT_MS; // nothing in this hour
        continue;
      }
      const place = (Math.floor(at / POINT_MS) % POINTS_PER_HOUR) * FIELDS.length;
      FIELDS.forEach((field, i) => {
        const value = values[place + i] ?? Number.NaN;
        if (!Number.isNaN(value)) {
          seen[field].push(value);
        }
      });
    }
    const values = Object.fromEntries(FIELDS.map((field) => [field, joined(seen[field], JOINED_BY[field])]));
    return { start, end, ...(values as Record<Field, number | null>) };
  }

  private hourFor(stream: string, hour: number): Hour {
    const name = nameOf(stream, hour);
    const known = this.hours.get(name);
    if (known !== undefined) {
      return known;
    }
    const made = { stream, hour, values: new Float32Array(POINTS_PER_HOUR * FIELDS.length).fill(Number.NaN) };
    this.hours.set(name, made);
    this.hoursOf.set(stream, (this.hoursOf.get(stream) ?? 0) + 1);
    this.forget();
    return made;
  }

  /** Drops hours that are too old, and the oldest while there are too many. */
  private forget(): void {
    const { maxAgeMs, maxBytes } = this.options;
    for (const [name, { stream, hour }] of this.hours) {
      const isOld = (hour + 1) * HOUR_MS <= this.newest - maxAgeMs;
      if (!isOld && this.bytes <= maxBytes) {
        return;
      }
      this.hours.delete(name);
      const left = (this.hoursOf.get(stream) ?? 1) - 1;
      if (left > 0) {
        this.hoursOf.set(stream, left);
      } else {
        this.hoursOf.delete(stream);
      }
    }
  }
}

const nameOf = (stream: string, hour: number): string => `${hour} ${stream}`;
