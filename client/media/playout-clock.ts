// Decides when each picture is due. For every picture the transit (ready to paint, minus PTS) is observed; the clock runs as close
// behind the live edge as nearly all recent transits allow, so jitter, decoding time and reordering are paid for, and nothing more.
// One stall does not buy latency for ever: what it adds is limited, forgotten after seconds, and large excess is jumped away at once.
// Pure: all times are handed in, in ms. Used by the decode worker; audio is steered to this clock.

/** How the clock weighs smoothness against latency. */
export type PlayoutClockOptions = {
  /** Added to the transit that nearly all pictures keep. */
  readonly marginMs: number;
  /** Share of recent pictures that must be in time, 0..1. */
  readonly quantile: number;
  /** Observations remembered once the clock has run for a while; fewer at first, so that the bustle of a start is soon forgotten. */
  readonly windowLength: number;
  /** Most that one odd stall may add to the delay. */
  readonly stallAllowanceMs: number;
};

const DEFAULTS: PlayoutClockOptions = { marginMs: 3, quantile: 0.94, windowLength: 150, stallAllowanceMs: 60 };
const RECENT = 12;
const FIRST_WINDOW = 30;
const WINDOW_SHARE = 1 / 3; // of all observations so far
const JUMP_DOWN_MS = 120;
const STEADY_MS = 60;
const SHRINK_MS_PER_PICTURE = 0.6;
const SHRINK_SHARE = 0.04;
const STALL_MEMORY_MS = 20_000;
const INSANE_MS = 10_000;

/** A PTS-to-local-time map that follows the live edge. */
export class PlayoutClock {
  readonly #options: PlayoutClockOptions;
  #transits: number[] = [];
  #observed = 0;
  #base: number | null = null;
  #audioTransitMs: number | null = null;
  #stallEpisodes: number[] = [];

  constructor(options: Partial<PlayoutClockOptions> = {}) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /** False until the first observation. */
  get isRunning(): boolean {
    return this.#base !== null;
  }

  /** Delay behind the fastest recent picture, ms: what the jitter buffer holds. */
  get bufferMs(): number {
    return this.#base === null || this.#transits.length === 0
      ? 0
      : Math.max(0, this.#base - Math.min(...this.#transits));
  }

  /** A picture with `ptsMs` became ready at `readyAtMs`. Not for pictures of the join burst. */
  observe(ptsMs: number, readyAtMs: number): void {
    const transit = readyAtMs - ptsMs;
    if (this.#base === null || Math.abs(transit - this.#base) > INSANE_MS) {
      this.#transits = [transit];
      this.#observed = 1;
      this.#base = transit;
      return;
    }
    this.#noteStall(transit, readyAtMs);
    this.#transits.push(transit);
    this.#observed += 1;
    const wanted = Math.max(FIRST_WINDOW, Math.floor(this.#observed * WINDOW_SHARE));
    const length = Math.min(this.#options.windowLength, wanted);
    if (this.#transits.length > length) {
      this.#transits = this.#transits.slice(-length);
    }
    this.#follow(this.#target(readyAtMs));
  }

  /** Nothing is known yet but this picture is to be shown now: the newest of the join burst. */
  startAt(ptsMs: number, nowMs: number): void {
    this.#base ??= nowMs - ptsMs;
  }

  /** What audio needs between PTS and being handed to the output, or null while there is no sound. */
  setAudioTransit(transitMs: number | null): void {
    this.#audioTransitMs = transitMs;
  }

  /** Local time at which a picture is due. */
  dueAtMs(ptsMs: number): number {
    return ptsMs + (this.#base ?? 0);
  }

  /** The PTS that is due at `nowMs`. */
  ptsAtMs(nowMs: number): number {
    return nowMs - (this.#base ?? 0);
  }

  /** Forgets everything: after a pause, or when the stream's timeline starts anew. */
  reset(): void {
    this.#transits = [];
    this.#observed = 0;
    this.#base = null;
    this.#stallEpisodes = [];
  }

  #target(nowMs: number): number {
    const recent = this.#transits.slice(-RECENT);
    let sorted = [...this.#transits].sort((a, b) => a - b);
    // The path became faster for good: what was before is history. (A stall that is being caught up is not steady.)
    const slowest = Math.max(...recent);
    const isSteady = recent.length === RECENT && slowest - Math.min(...recent) < STEADY_MS;
    if (isSteady && slowest + JUMP_DOWN_MS < (sorted[this.#rank(sorted.length)] ?? 0)) {
      this.#transits = recent;
      sorted = [...recent].sort((a, b) => a - b);
    }
    const fastest = sorted[0] ?? 0;
    const wanted = sorted[this.#rank(sorted.length)] ?? fastest;
    this.#stallEpisodes = this.#stallEpisodes.filter((at) => nowMs - at < STALL_MEMORY_MS);
    const allowance = this.#options.stallAllowanceMs * Math.max(1, 2 * this.#stallEpisodes.length - 1);
    const video = Math.min(wanted, fastest + allowance) + this.#options.marginMs;
    return this.#audioTransitMs === null ? video : Math.max(video, this.#audioTransitMs);
  }

  #rank(length: number): number {
    return Math.min(length - 1, Math.floor(length * this.#options.quantile));
  }

  // A stall is one episode however many pictures it delayed.
  #noteStall(transit: number, nowMs: number): void {
    const last = this.#stallEpisodes.at(-1);
    if (transit > (this.#base ?? 0) + this.#options.stallAllowanceMs && (last === undefined || nowMs - last > 1000)) {
      this.#stallEpisodes.push(nowMs);
    }
  }

  #follow(target: number): void {
    const base = this.#base ?? target;
    const excess = base - target;
    if (excess > JUMP_DOWN_MS) {
      this.#base = target;
    } else if (excess > 0) {
      this.#base = base - Math.min(excess, Math.max(SHRINK_MS_PER_PICTURE, excess * SHRINK_SHARE));
    } else {
      this.#base = base + Math.min(-excess, Math.max(1, -excess * 0.25));
    }
  }
}
