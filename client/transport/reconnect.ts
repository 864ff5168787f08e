// When to try again after a connection was lost or refused: capped exponential backoff with jitter, so that a thousand viewers of a
// restarted server do not come back in the same instant. Randomness is injected.

/** First delay, growth and cap of one kind of failure. */
export type BackoffOptions = { readonly firstMs: number; readonly factor: number; readonly maxMs: number };

/** A lost connection or an overloaded server. */
export const LOST_BACKOFF: BackoffOptions = { firstMs: 150, factor: 1.8, maxMs: 8000 };
/** The studio's own connection: one client, whose stream is kept only for seconds. */
export const PUBLISHER_BACKOFF: BackoffOptions = { firstMs: 150, factor: 1.6, maxMs: 1500 };
/** A stream that is not there (yet): steady, unhurried polling. */
export const WAITING_BACKOFF: BackoffOptions = { firstMs: 1000, factor: 1.25, maxMs: 4000 };

/** Counts attempts and answers how long to wait before the next one. */
export class Backoff {
  readonly #random: () => number;
  #attempts = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Attempts since the last success. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Delay in ms before the next attempt: between half and all of the exponential value. */
  next(options: BackoffOptions): number {
    const full = Math.min(options.maxMs, options.firstMs * options.factor ** this.#attempts);
    this.#attempts += 1;
    return full * (0.5 + 0.5 * this.#random());
  }

  /** The connection works: the next failure starts from the first delay. */
  succeeded(): void {
    this.#attempts = 0;
  }
}
