// Whether a WebSocket peer is still there: it answers pings, says something, or takes bytes. Pure; the owner ticks it.

/** Intervals that a ping may stay unanswered while bytes are still taken: the answer waits behind what the kernel holds. */
const PATIENCE = 3;

export type LivenessVerdict = 'ok' | 'ping' | 'dead';

export class Liveness {
  private readonly intervalMs: number;
  private aliveMs: number;
  private pingedMs: number | null = null;
  private nextPingMs: number;
  private takenBytes = 0;

  constructor(intervalMs: number, nowMs: number) {
    this.intervalMs = intervalMs;
    this.aliveMs = nowMs;
    this.nextPingMs = nowMs + intervalMs;
  }

  /** The peer sent something. */
  heard(nowMs: number): void {
    this.aliveMs = nowMs;
  }

  /** The peer answered a ping. */
  ponged(nowMs: number): void {
    this.aliveMs = nowMs;
    this.pingedMs = null;
  }

  /** How long the last ping has been unanswered, ms; 0 when it was answered. */
  unansweredMs(nowMs: number): number {
    return this.pingedMs === null ? 0 : nowMs - this.pingedMs;
  }

  /** `takenBytes`: total that left our process. `ping`: send one now. `dead`: drop the connection. */
  tick(nowMs: number, takenBytes: number): LivenessVerdict {
    if (takenBytes > this.takenBytes) {
      this.takenBytes = takenBytes;
      this.aliveMs = nowMs;
    }
    if (this.pingedMs === null) {
      if (nowMs < this.nextPingMs) {
        return 'ok';
      }
      this.nextPingMs = nowMs + this.intervalMs;
      this.pingedMs = nowMs;
      return 'ping';
    }
    const silentMs = nowMs - Math.max(this.pingedMs, this.aliveMs);
    const isDead = silentMs >= this.intervalMs || nowMs - this.pingedMs >= this.intervalMs * PATIENCE;
    return isDead ? 'dead' : 'ok';
  }
}
