// A clock that moves only when told. Timers run in order of their deadlines.

import type { Clock } from '../../server/platform/clock.ts';

type Timer = { at: number; readonly intervalMs: number | null; readonly callback: () => void };

/** `advance(ms)` runs every timer that falls due on the way, each at its own time. */
export class FakeClock implements Clock {
  private now: number;
  private readonly timers = new Set<Timer>();

  constructor(epochMs = 1_700_000_000_000) {
    this.now = epochMs;
  }

  epochMs(): number {
    return this.now;
  }

  monotonicMs(): number {
    return this.now;
  }

  every(intervalMs: number, callback: () => void): () => void {
    return this.add({ at: this.now + intervalMs, intervalMs, callback });
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.add({ at: this.now + delayMs, intervalMs: null, callback });
  }

  /** Timers that wait. */
  get pending(): number {
    return this.timers.size;
  }

  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = [...this.timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
      if (next === undefined) {
        break;
      }
      this.now = next.at;
      if (next.intervalMs === null) {
        this.timers.delete(next);
      } else {
        next.at += next.intervalMs;
      }
      next.callback();
    }
    this.now = end;
  }

  private add(timer: Timer): () => void {
    this.timers.add(timer);
    return () => {
      this.timers.delete(timer);
    };
  }
}
