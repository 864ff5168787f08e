// The server's wall clock as a client knows it: the offset of the exchange with the shortest round trip (as in NTP, RFC 5905, 8).
// Used by the WebSocket clients of the CLI.

/** One answer to `clock`: t0 asked (client), t1 received, t2 answered (server), epoch milliseconds. */
export type ClockAnswer = { readonly t0: number; readonly t1: number; readonly t2: number };

/** Old exchanges are forgotten, so that a drifting clock is followed. */
const KEPT_SAMPLES = 8;

export class ClockOffset {
  #samples: { readonly offset: number; readonly roundTrip: number }[] = [];
  samples = 0;

  /** This machine's wall clock, epoch milliseconds with fractions. */
  now(): number {
    return performance.timeOrigin + performance.now();
  }

  /** Takes an answer that has just arrived. */
  add({ t0, t1, t2 }: ClockAnswer): void {
    const t3 = this.now();
    this.#samples.push({ offset: (t1 - t0 + t2 - t3) / 2, roundTrip: t3 - t0 - (t2 - t1) });
    this.#samples = this.#samples.slice(-KEPT_SAMPLES);
    this.samples += 1;
  }

  /** Server clock minus ours, milliseconds; 0 before the first answer. */
  get offset(): number {
    const [first, ...others] = this.#samples;
    if (first === undefined) {
      return 0;
    }
    return others.reduce((best, sample) => (sample.roundTrip < best.roundTrip ? sample : best), first).offset;
  }

  /** The server's wall clock now, epoch milliseconds. */
  serverNow(): number {
    return this.now() + this.offset;
  }
}
