// Counts what one viewer sees: painted and dropped pictures, stalls, latency samples, bitrate. Feeds the statistics overlay (totals
// and recent values) and the reports to the server (differences since the last report). Pure: times are handed in, ms.

import type { LatencyStages } from './decode-messages.ts';

/** What a report to the server carries of the counters. */
export type CounterInterval = {
  readonly intervalMs: number;
  readonly painted: number;
  readonly dropped: number;
  readonly decodeErrors: number;
  readonly stalls: number;
  readonly stalledMs: number;
  readonly latencyMs: readonly number[];
  /** Presentation time of the picture of each sample. */
  readonly latencyPtsMs: readonly number[];
};

const RATE_WINDOW_MS = 2000;
const LATENCY_WINDOW = 30;
const MAX_SAMPLES_PER_REPORT = 120;
const STALL_AFTER_MS = 300;

type Totals = { painted: number; dropped: number; decodeErrors: number; stalls: number; stalledMs: number };

const NOTHING: Totals = { painted: 0, dropped: 0, decodeErrors: 0, stalls: 0, stalledMs: 0 };

/** The counters of one playback session. */
export class PlaybackCounters {
  readonly #totals: Totals = { ...NOTHING };
  #reported: Totals = { ...NOTHING };
  #reportedAt: number;
  #paints: { readonly at: number; readonly ptsMs: number }[] = [];
  #received: { readonly at: number; readonly bytes: number }[] = [];
  #recentLatencies: number[] = [];
  #latencySamples: number[] = [];
  #latencyPts: number[] = [];
  #lastLatencyMs: number | null = null;
  #recentStages: LatencyStages[] = [];
  #isContinuous = false;

  constructor(nowMs: number) {
    this.#reportedAt = nowMs;
  }

  get totals(): Readonly<Totals> {
    return this.#totals;
  }

  /** The picture with `ptsMs` was painted; `latencyMs` is null where it says nothing (join burst, unknown clock). */
  painted(nowMs: number, ptsMs: number, latencyMs: number | null, stages: LatencyStages | null = null): void {
    const last = this.#paints.at(-1);
    if (this.#isContinuous && last !== undefined && nowMs - last.at > STALL_AFTER_MS) {
      this.#totals.stalls += 1;
      this.#totals.stalledMs += nowMs - last.at;
    }
    if (last !== undefined && ptsMs <= last.ptsMs) {
      this.#paints = []; // another timeline
    }
    this.#isContinuous = true;
    this.#lastLatencyMs = latencyMs;
    if (stages !== null) {
      this.#recentStages = [...this.#recentStages, stages].slice(-LATENCY_WINDOW);
    }
    this.#totals.painted += 1;
    this.#paints.push({ at: nowMs, ptsMs });
    if (latencyMs !== null) {
      this.#recentLatencies.push(latencyMs);
      this.#recentLatencies = this.#recentLatencies.slice(-LATENCY_WINDOW);
      if (this.#latencySamples.length < MAX_SAMPLES_PER_REPORT) {
        this.#latencySamples.push(Math.round(latencyMs * 10) / 10);
        this.#latencyPts.push(Math.round(ptsMs));
      }
    }
  }

  /** A picture from before the live edge was painted, ahead of the live ones: it says nothing about rate, stalls or latency. */
  paintedPast(): void {
    this.#totals.painted += 1;
  }

  /** What follows is not a stall: the page was hidden, paused, or the stream itself had stopped. */
  interrupted(): void {
    this.#isContinuous = false;
    this.#recentLatencies = [];
    this.#recentStages = [];
  }

  dropped(pictures: number): void {
    this.#totals.dropped += pictures;
  }

  decodeError(): void {
    this.#totals.decodeErrors += 1;
  }

  received(nowMs: number, bytes: number): void {
    this.#received.push({ at: nowMs, bytes });
  }

  /** Pictures painted per second of the stream over the last two seconds. */
  fps(nowMs: number): number {
    this.#paints = this.#paints.filter(({ at }) => nowMs - at <= RATE_WINDOW_MS);
    const [first] = this.#paints;
    const last = this.#paints.at(-1);
    if (first === undefined || last === undefined || this.#paints.length < 3) {
      return 0;
    }
    // The stream's own time has no painting jitter in it; when painting has stopped, the viewer's time counts.
    const spanMs = nowMs - last.at > 500 ? nowMs - first.at : last.ptsMs - first.ptsMs;
    return ((this.#paints.length - 1) * 1000) / spanMs;
  }

  /** Media bytes received over the last two seconds, kbit/s. */
  bitrateKbps(nowMs: number): number {
    this.#received = this.#received.filter(({ at }) => nowMs - at <= RATE_WINDOW_MS);
    const [first] = this.#received;
    const bytes = this.#received.reduce((sum, entry) => sum + entry.bytes, 0);
    return first === undefined ? 0 : (bytes * 8) / Math.max(nowMs - first.at, 500);
  }

  /** Of the last painted picture, or null. */
  get lastLatencyMs(): number | null {
    return this.#lastLatencyMs;
  }

  /** Median of the last second or so, or null. */
  latencyMedianMs(): number | null {
    const sorted = [...this.#recentLatencies].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? null;
  }

  /** Means of the last second or so, or null. */
  latencyStages(): LatencyStages | null {
    const stages = this.#recentStages;
    if (stages.length === 0) {
      return null;
    }
    const mean = (name: keyof LatencyStages) => stages.reduce((sum, one) => sum + one[name], 0) / stages.length;
    return { arrive: mean('arrive'), decode: mean('decode'), wait: mean('wait'), draw: mean('draw') };
  }

  /** Differences since the last call. */
  takeInterval(nowMs: number): CounterInterval {
    const { painted, dropped, decodeErrors, stalls, stalledMs } = this.#totals;
    const interval: CounterInterval = {
      intervalMs: Math.max(1, nowMs - this.#reportedAt),
      painted: painted - this.#reported.painted,
      dropped: dropped - this.#reported.dropped,
      decodeErrors: decodeErrors - this.#reported.decodeErrors,
      stalls: stalls - this.#reported.stalls,
      stalledMs: stalledMs - this.#reported.stalledMs,
      latencyMs: this.#latencySamples,
      latencyPtsMs: this.#latencyPts,
    };
    this.#reported = { ...this.#totals };
    this.#reportedAt = nowMs;
    this.#latencySamples = [];
    this.#latencyPts = [];
    return interval;
  }
}
