// What the way to the server takes while nothing queues on it: the shortest delay seen lately. The two ends' clocks need not agree: their
// difference is in every delay alike. Used by the uplink controller.

/** A shortest delay is forgotten after one to two of these: ways change, and clocks are set. */
const PERIOD_MS = 30_000;

/** Of one connection. */
export class EmptyPathDelay {
  #periodStart = Number.NEGATIVE_INFINITY;
  #before = Infinity;
  #now = Infinity;

  /** Something arrived `delayMs` after it was sent, by clocks that may differ. */
  observe(nowMs: number, delayMs: number): void {
    if (nowMs - this.#periodStart >= PERIOD_MS) {
      this.#periodStart = nowMs;
      this.#before = this.#now;
      this.#now = Infinity;
    }
    this.#now = Math.min(this.#now, delayMs);
  }

  /** The shortest delay, or null before the first. */
  get shortest(): number | null {
    const shortest = Math.min(this.#before, this.#now);
    return shortest === Infinity ? null : shortest;
  }
}
