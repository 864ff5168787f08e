// Estimates the server's wall clock by exchange (t0 sent, t1 received, t2 answered, t3 back), as NTP does. The exchange with the
// shortest round trip of the last minute decides, because only its two ways are nearly symmetric. The local clock need not be right:
// only its rate matters. Used by viewers (latency) and by the studio (capture times).

/** One answered exchange: `t0` and `t3` on the local clock, `t1` and `t2` on the server's, all in ms. */
export type ClockExchange = { readonly t0: number; readonly t1: number; readonly t2: number; readonly t3: number };

type Sample = { readonly rttMs: number; readonly offsetMs: number; readonly at: number };

const SAMPLES = 32;
const MAX_AGE_MS = 60_000;

/** Local wall clock in epoch ms that never steps; an absolute error is what the exchange removes. */
export function localNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Keeps the recent exchanges and answers what time it is on the server. */
export class ClockSync {
  #samples: Sample[] = [];
  #best: Sample | null = null;

  /** Takes one exchange; those that cannot be (negative round trip) are ignored. */
  add({ t0, t1, t2, t3 }: ClockExchange): void {
    const rttMs = t3 - t0 - (t2 - t1);
    if (!(rttMs >= 0) || !Number.isFinite(t1)) {
      return;
    }
    this.#samples.push({ rttMs, offsetMs: (t1 - t0 + (t2 - t3)) / 2, at: t3 });
    this.#samples = this.#samples.slice(-SAMPLES).filter((sample) => t3 - sample.at <= MAX_AGE_MS);
    this.#best = this.#samples.reduce((best, sample) => (sample.rttMs < best.rttMs ? sample : best));
  }

  /** False until the first exchange: then every answer is the local clock's. */
  get isSynchronised(): boolean {
    return this.#best !== null;
  }

  /** Shortest round trip of the recent exchanges, ms, or null. Half of it bounds the error of the offset. */
  get rttMs(): number | null {
    return this.#best?.rttMs ?? null;
  }

  /** Server clock minus local clock, ms. */
  get offsetMs(): number {
    return this.#best?.offsetMs ?? 0;
  }

  /** The server's epoch ms at local time `localMs`. */
  toServerMs(localMs: number): number {
    return localMs + this.offsetMs;
  }
}

/** When the next exchange is due: six quick ones to find a short round trip, then one every 2 s. */
export function exchangeDelayMs(exchangesSoFar: number): number {
  return exchangesSoFar < 6 ? 60 : 2000;
}
