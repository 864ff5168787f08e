// How many events of other sources a stream takes per second, whichever door they come through: one bucket per stream, streams bounded.

const MAX_STREAMS = 10_000;
/** Seconds of events that may come at once. */
const BURST_SECONDS = 5;

export class EventBudget {
  private readonly perSecond: number;
  private readonly buckets = new Map<string, { tokens: number; lastMs: number }>();
  /** Events that were not taken. */
  refused = 0;

  /** `perSecond`: limits.eventsPerSecond. */
  constructor(perSecond: number) {
    this.perSecond = perSecond;
  }

  /** Takes `count` events of the stream, or none of them: false. `nowMs` on any steady clock. */
  take(stream: string, count: number, nowMs: number): boolean {
    const burst = this.perSecond * BURST_SECONDS;
    const bucket = this.buckets.get(stream) ?? { tokens: burst, lastMs: nowMs };
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.lastMs) / 1000) * this.perSecond);
    bucket.lastMs = nowMs;
    this.buckets.delete(stream);
    this.buckets.set(stream, bucket);
    if (this.buckets.size > MAX_STREAMS) {
      const [oldest] = this.buckets.keys();
      this.buckets.delete(oldest ?? '');
    }
    if (bucket.tokens < count) {
      this.refused += count;
      return false;
    }
    bucket.tokens -= count;
    return true;
  }
}
