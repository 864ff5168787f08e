// Decides the bitrate of a browser publisher from what the uplink does: how long sent bytes wait for the server's acknowledgement, how
// fast acknowledgements grow, and what the socket still buffers. Falls at once below what gets through, rises slowly, never passes the
// ceiling. Pure: times in ms are handed in. Used by the publish session.

/** Bounds set by the streamer. */
export type UplinkLimits = { readonly ceilingKbps: number; readonly floorKbps: number };

/** What to do now. */
export type UplinkAdvice = {
  /** For everything that is sent: picture, sound and headers. */
  readonly targetKbps: number;
  /** So much waits that the next pictures had better not be encoded. */
  readonly shouldSkip: boolean;
};

type Mark = { readonly at: number; readonly bytes: number };

const CONGESTED_MS = 450; // oldest unacknowledged byte, beyond the interval of acknowledgements
const SKIP_ABOVE_MS = 1100;
const SKIP_UNTIL_MS = 600;
const SHARE_OF_DRAIN = 0.8;
const RATE_WINDOW_MS = 1600;
const LOWER_EVERY_MS = 1200;
const RAISE_AFTER_MS = 3000;
const RAISE_FACTOR = 1.08;

/** One uplink's controller. */
export class UplinkController {
  #limits: UplinkLimits;
  #targetKbps: number;
  #sent: Mark[] = [];
  #acknowledged: Mark[] = [];
  #sentBytes = 0;
  #changedAt = Number.NEGATIVE_INFINITY;
  #calmSince: number | null = null;
  #isSkipping = false;
  /** Waiting time when the target was last lowered: while it shrinks, the lower target does its work. */
  #waitingAtLowering = 0;

  constructor(limits: UplinkLimits) {
    this.#limits = limits;
    this.#targetKbps = limits.ceilingKbps;
  }

  /** A new connection: the server counts from zero again. */
  restart(): void {
    this.#sent = [];
    this.#acknowledged = [];
    this.#sentBytes = 0;
    this.#calmSince = null;
    this.#isSkipping = false;
  }

  setCeiling(ceilingKbps: number): void {
    this.#limits = { ...this.#limits, ceilingKbps };
    this.#targetKbps = Math.min(this.#targetKbps, ceilingKbps);
    this.#calmSince = null;
  }

  /** `bytes` of objects went to the socket. */
  sent(nowMs: number, bytes: number): void {
    this.#sentBytes += bytes;
    this.#sent.push({ at: nowMs, bytes: this.#sentBytes });
  }

  /** The server has `totalBytes` of this connection. */
  acknowledged(nowMs: number, totalBytes: number): void {
    this.#acknowledged.push({ at: nowMs, bytes: totalBytes });
    this.#acknowledged = this.#acknowledged.filter((mark) => nowMs - mark.at <= RATE_WINDOW_MS).slice(-16);
    this.#sent = this.#sent.filter((mark) => mark.bytes > totalBytes);
  }

  /** Age of the oldest byte that the server has not confirmed, ms. */
  waitingMs(nowMs: number): number {
    const [oldest] = this.#sent;
    return oldest === undefined ? 0 : nowMs - oldest.at;
  }

  /** What gets through, kbit/s, or null before two acknowledgements. */
  drainKbps(): number | null {
    const [first] = this.#acknowledged;
    const last = this.#acknowledged.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < 300) {
      return null;
    }
    return ((last.bytes - first.bytes) * 8) / (last.at - first.at);
  }

  /** Call it before each picture. `acknowledgeEveryMs` is how often the server speaks. */
  advise(nowMs: number, acknowledgeEveryMs: number): UplinkAdvice {
    const waiting = this.waitingMs(nowMs) - acknowledgeEveryMs;
    if (waiting > CONGESTED_MS) {
      this.#lower(nowMs, waiting);
    } else {
      this.#raise(nowMs);
    }
    this.#isSkipping = waiting > (this.#isSkipping ? SKIP_UNTIL_MS : SKIP_ABOVE_MS);
    return { targetKbps: Math.round(this.#targetKbps), shouldSkip: this.#isSkipping };
  }

  #lower(nowMs: number, waitingMs: number): void {
    const isFirst = this.#calmSince !== null;
    this.#calmSince = null;
    const isShrinking = waitingMs < this.#waitingAtLowering;
    if (!isFirst && (isShrinking || nowMs - this.#changedAt < LOWER_EVERY_MS)) {
      return;
    }
    this.#waitingAtLowering = waitingMs;
    const drain = this.drainKbps();
    const usable = drain === null ? this.#targetKbps * 0.6 : drain * SHARE_OF_DRAIN;
    this.#set(nowMs, Math.min(usable, this.#targetKbps * 0.9));
  }

  #raise(nowMs: number): void {
    this.#calmSince ??= nowMs;
    if (nowMs - this.#calmSince >= RAISE_AFTER_MS && nowMs - this.#changedAt >= RAISE_AFTER_MS) {
      this.#set(nowMs, this.#targetKbps * RAISE_FACTOR);
    }
  }

  #set(nowMs: number, kbps: number): void {
    const { floorKbps, ceilingKbps } = this.#limits;
    this.#targetKbps = Math.max(Math.min(floorKbps, ceilingKbps), Math.min(ceilingKbps, kbps));
    this.#changedAt = nowMs;
  }
}
