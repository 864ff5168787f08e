// A token bucket: how many messages a peer may send. Pure; time comes in as a parameter.

export class MessageBudget {
  private readonly perSecond: number;
  private readonly burst: number;
  private tokens: number;
  private lastMs: number;

  constructor(options: { readonly perSecond: number; readonly burst: number }, nowMs: number) {
    this.perSecond = options.perSecond;
    this.burst = options.burst;
    this.tokens = options.burst;
    this.lastMs = nowMs;
  }

  /** Takes one token; false when there is none left. */
  take(nowMs: number): boolean {
    this.tokens = Math.min(this.burst, this.tokens + ((nowMs - this.lastMs) / 1000) * this.perSecond);
    this.lastMs = nowMs;
    if (this.tokens < 1) {
      return false;
    }
    this.tokens--;
    return true;
  }
}
