// Decides the bitrate of a browser publisher from what the uplink does: how long bytes queue on the way to the server, and how fast they
// get through while they do. Leaves pictures out while the queue is long, falls below what gets through, rises slowly, never passes
// the ceiling. The queue shows in the server's acknowledgements: a socket calls megabytes sent that still wait in this machine.
// Pure: times in ms are handed in. Used by the publish session.

import { EmptyPathDelay } from './empty-path-delay.ts';

/** Bounds set by the streamer. */
export type UplinkLimits = { readonly ceilingKbps: number; readonly floorKbps: number };

/** What to do now. */
export type UplinkAdvice = {
  /** For everything that is sent: picture, sound and headers. */
  readonly targetKbps: number;
  /** So much waits that the next picture had better not be encoded. */
  readonly shouldSkip: boolean;
};

/** So many bytes in all, reached at this time. */
type Mark = { readonly at: number; readonly bytes: number };

/** From a queue that grew long until it is short again. */
type Congestion = {
  /** Target when it began. */
  readonly targetKbps: number;
  /** When something got through, the latest RATE_WINDOW_MS of it. */
  arrived: readonly Mark[];
  /** When something last got through, or the target was halved because nothing did. */
  movedAt: number;
};

const CONGESTED_MS = 150;
const CLEAR_MS = 80;
const SKIP_ABOVE_MS = 300;
const SKIP_UNTIL_MS = 100;
/** A rate is believed when it was measured for so long, and is measured over the latest RATE_WINDOW_MS. */
const MEASURED_MS = 250;
const RATE_WINDOW_MS = 1000;
const SHARE_OF_DRAIN = 0.8;
/** Nothing got through for so long: half the target. */
const STUCK_MS = 1000;
const RAISE_AFTER_MS = 3000;
const RAISE_FACTOR = 1.08;
/** An uplink that was measured is taken for so narrow this long. */
const NARROW_MS = 20_000;

/** One uplink's controller. */
export class UplinkController {
  #limits: UplinkLimits;
  #targetKbps: number;
  #sent: Mark[] = [];
  #sentBytes = 0;
  #acknowledgedBytes = 0;
  #emptyDelay = new EmptyPathDelay();
  #queueMs = 0;
  #congestion: Congestion | null = null;
  #isSkipping = false;
  #narrow: { readonly at: number; readonly kbps: number } | null = null;
  /** The target has been let be since. */
  #calmSince: number | null = null;

  constructor(limits: UplinkLimits) {
    this.#limits = limits;
    this.#targetKbps = limits.ceilingKbps;
  }

  /** A new connection: the server counts from zero again. */
  restart(): void {
    this.#sent = [];
    this.#sentBytes = 0;
    this.#acknowledgedBytes = 0;
    this.#emptyDelay = new EmptyPathDelay();
    this.#queueMs = 0;
    this.#congestion = null;
    this.#isSkipping = false;
    this.#calmSince = null;
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

  /** At `serverMs` by its own clock the server had `totalBytes` of this connection. */
  acknowledged(nowMs: number, totalBytes: number, serverMs: number): void {
    const newest = this.#sent.findLast(({ bytes }) => bytes <= totalBytes);
    this.#sent = this.#sent.filter(({ bytes }) => bytes > totalBytes);
    if (newest !== undefined) {
      this.#emptyDelay.observe(nowMs, serverMs - newest.at);
    }
    const [oldest] = this.#sent;
    const delay = this.#emptyDelay.shortest;
    const wasQueued = this.#queueMs > CONGESTED_MS;
    this.#queueMs = oldest === undefined || delay === null ? 0 : Math.max(0, serverMs - oldest.at - delay);
    // One long wait may be a server that was busy for a moment: a second one is a queue.
    this.#isSkipping = this.#isSkipping ? this.#queueMs > SKIP_UNTIL_MS : wasQueued && this.#queueMs > SKIP_ABOVE_MS;
    this.#followCongestion(nowMs, { at: serverMs, bytes: totalBytes });
    this.#acknowledgedBytes = totalBytes;
  }

  /** How long bytes wait beyond what the way takes without a queue, ms. */
  get queueMs(): number {
    return this.#queueMs;
  }

  /** Call it before each picture. */
  advise(nowMs: number): UplinkAdvice {
    if (this.#congestion === null) {
      this.#raise(nowMs);
    }
    return { targetKbps: Math.round(this.#targetKbps), shouldSkip: this.#isSkipping };
  }

  #followCongestion(nowMs: number, mark: Mark): void {
    if (this.#congestion === null) {
      if (this.#queueMs > CONGESTED_MS) {
        this.#congestion = { targetKbps: this.#targetKbps, arrived: [mark], movedAt: nowMs };
      }
      return;
    }
    this.#calmSince = null;
    // An object counts when the whole of it has arrived: the time is that of the last one.
    if (mark.bytes > this.#acknowledgedBytes) {
      this.#congestion.arrived = [...this.#congestion.arrived, mark].filter(({ at }) => mark.at - at <= RATE_WINDOW_MS);
      this.#congestion.movedAt = nowMs;
      this.#fallBelowDrain(nowMs, this.#congestion);
    } else if (nowMs - this.#congestion.movedAt >= STUCK_MS) {
      this.#congestion.movedAt = nowMs;
      this.#set(this.#targetKbps / 2);
    }
    if (this.#queueMs < CLEAR_MS) {
      this.#congestion = null;
    }
  }

  // While there is a queue, what gets through is what the uplink can carry.
  #fallBelowDrain(nowMs: number, { targetKbps, arrived }: Congestion): void {
    const [first] = arrived;
    const last = arrived.at(-1);
    if (first === undefined || last === undefined) {
      return;
    }
    const elapsedMs = last.at - first.at;
    if (elapsedMs >= MEASURED_MS) {
      const drainKbps = ((last.bytes - first.bytes) * 8) / elapsedMs;
      this.#narrow = { at: nowMs, kbps: drainKbps };
      this.#set(Math.min(targetKbps, drainKbps * SHARE_OF_DRAIN));
    }
  }

  #raise(nowMs: number): void {
    this.#calmSince ??= nowMs;
    if (nowMs - this.#calmSince >= RAISE_AFTER_MS) {
      this.#calmSince = nowMs;
      const isNarrow = this.#narrow !== null && nowMs - this.#narrow.at < NARROW_MS;
      const limitKbps = isNarrow ? (this.#narrow?.kbps ?? 0) * SHARE_OF_DRAIN : Infinity;
      this.#set(Math.max(this.#targetKbps, Math.min(limitKbps, this.#targetKbps * RAISE_FACTOR)));
    }
  }

  #set(kbps: number): void {
    const { floorKbps, ceilingKbps } = this.#limits;
    this.#targetKbps = Math.max(Math.min(floorKbps, ceilingKbps), Math.min(ceilingKbps, kbps));
  }
}
