// What a viewer sees, in figures: joining, frames, drops, stalls, bitrate, latency. Fed by `tessera watch`, usable by load tests.

/** The JSON of `tessera watch`. Latencies are null where nothing tells them (FLV carries no times of the server). */
export type WatchSummary = {
  readonly joinMs: number | null;
  readonly frames: number;
  readonly fps: number;
  readonly drops: number;
  readonly stalls: number;
  readonly bitrateKbps: number;
  readonly decodeErrors: number;
  readonly latencyMs: {
    readonly kind: 'glass' | 'ingest';
    readonly p50: number | null;
    readonly p95: number | null;
    readonly p99: number | null;
  };
};

/** One video frame or audio frame as it arrived. */
export type ReceivedUnit = {
  readonly kind: 'video' | 'audio';
  readonly isKey: boolean;
  /** Part of the join burst: no measure of latency or stalls. */
  readonly isCached: boolean;
  readonly bytes: number;
  readonly ptsUs: number;
  readonly dtsUs: number;
  /** Group and place of tessera.1; absent in FLV. */
  readonly place?: { readonly track: string; readonly group: number; readonly object: number };
  /** From capture or arrival at the server to now, where known. */
  readonly latencyMs?: number;
  /** Monotonic clock of the viewer, milliseconds. */
  readonly at: number;
};

/** A player that starts this long after the first live frame sees no stall in ordinary jitter. */
const PLAYOUT_DELAY_MS = 250;
const MAX_LATENCY_SAMPLES = 100_000;

type Span = { first: number; last: number; step: number };

export class ViewerStatistics {
  readonly #startedAt: number;
  #joinMs: number | null = null;
  #frames = 0;
  #drops = 0;
  #stalls = 0;
  #bytes = 0;
  #decodeErrors = 0;
  #latencyKind: 'glass' | 'ingest' = 'ingest';
  readonly #latencies: number[] = [];
  readonly #spans = new Map<string, Span>();
  readonly #places = new Map<string, { group: number; object: number }>();
  /** Wall clock minus media time at which the playout runs, milliseconds. */
  #playout: number | null = null;

  /** `startedAt`: when the viewer decided to watch, on the clock of `ReceivedUnit.at`. */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  set latencyKind(kind: 'glass' | 'ingest') {
    this.#latencyKind = kind;
  }

  get frames(): number {
    return this.#frames;
  }

  countDecodeErrors(errors: number): void {
    this.#decodeErrors += errors;
  }

  /** The track starts anew (new rendition, new epoch): numbering and times begin again. */
  restartTrack(track: string): void {
    this.#places.delete(track);
  }

  add(unit: ReceivedUnit): void {
    this.#bytes += unit.bytes;
    this.#noteSpan(unit);
    this.#noteDrops(unit);
    if (unit.kind === 'audio') {
      return;
    }
    this.#frames += 1;
    if (unit.isKey) {
      this.#joinMs ??= unit.at - this.#startedAt;
    }
    if (!unit.isCached) {
      this.#noteStall(unit);
      if (unit.latencyMs !== undefined && this.#latencies.length < MAX_LATENCY_SAMPLES) {
        this.#latencies.push(unit.latencyMs);
      }
    }
  }

  summary(): WatchSummary {
    const video = this.#spans.get('video');
    const mediaUs = Math.max(0, ...[...this.#spans.values()].map(({ first, last, step }) => last - first + step));
    const videoUs = video === undefined ? 0 : video.last - video.first + video.step;
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    return {
      joinMs: this.#joinMs === null ? null : round(this.#joinMs),
      frames: this.#frames,
      fps: videoUs === 0 ? 0 : round((this.#frames * 1e6) / videoUs),
      drops: this.#drops,
      stalls: this.#stalls,
      bitrateKbps: mediaUs === 0 ? 0 : round((this.#bytes * 8000) / mediaUs),
      decodeErrors: this.#decodeErrors,
      latencyMs: {
        kind: this.#latencyKind,
        p50: quantile(sorted, 0.5),
        p95: quantile(sorted, 0.95),
        p99: quantile(sorted, 0.99),
      },
    };
  }

  #noteSpan({ kind, dtsUs }: ReceivedUnit): void {
    const span = this.#spans.get(kind);
    if (span === undefined) {
      this.#spans.set(kind, { first: dtsUs, last: dtsUs, step: 0 });
      return;
    }
    if (dtsUs > span.last) {
      const step = dtsUs - span.last;
      span.step = span.step === 0 ? step : Math.min(span.step, step);
      span.last = dtsUs;
    }
  }

  #noteDrops({ place }: ReceivedUnit): void {
    if (place === undefined) {
      return;
    }
    const previous = this.#places.get(place.track);
    if (previous !== undefined) {
      if (place.group === previous.group) {
        this.#drops += Math.max(0, place.object - previous.object - 1);
      } else {
        // How long the missing groups were is not known: each counts as one, and so do missing first objects.
        this.#drops += Math.max(0, place.group - previous.group - 1) + place.object;
      }
    }
    this.#places.set(place.track, { group: place.group, object: place.object });
  }

  /** A frame that comes later than the playout can wait stops it; the playout goes on that much later. */
  #noteStall({ at, ptsUs }: ReceivedUnit): void {
    const due = at - ptsUs / 1000;
    if (this.#playout === null) {
      this.#playout = due + PLAYOUT_DELAY_MS;
    } else if (due > this.#playout) {
      this.#stalls += 1;
      this.#playout = due + PLAYOUT_DELAY_MS;
    } else if (due < this.#playout - 10_000) {
      this.#playout = due + PLAYOUT_DELAY_MS; // the stream's time jumped ahead
    }
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The nearest-rank quantile of sorted values. */
function quantile(sorted: readonly number[], q: number): number | null {
  const value = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
  return value === undefined ? null : round(value);
}
