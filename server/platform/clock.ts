// Time and timers as a role, so that every policy can be tested with a fake clock (test/support/fake-clock.ts).

import { performance } from 'node:perf_hooks';

export interface Clock {
  /** Unix epoch, milliseconds with a fraction. Steps when the system clock is set. */
  epochMs(): number;
  /** Milliseconds that never go back; for durations and deadlines. */
  monotonicMs(): number;
  /** Calls back every `intervalMs` until the returned function is called. */
  every(intervalMs: number, callback: () => void): () => void;
  /** Calls back once after `delayMs` unless the returned function is called before. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's clock. Its timers keep no process alive. */
export const systemClock: Clock = {
  epochMs: () => performance.timeOrigin + performance.now(),
  monotonicMs: () => performance.now(),
  every: (intervalMs, callback) => {
    const timer = setInterval(callback, intervalMs).unref();
    return () => {
      clearInterval(timer);
    };
  },
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
