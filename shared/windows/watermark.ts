// Event-time clocks. `stream-time` is Kafka's (the newest time of any key), `watermark` moves only when told (Flink, Beam),
// `per-key` is Tessera's own: each key has its clock, trailing its newest record by a bound and never ahead of the receiver's
// clock by more than a clamp, so that one broken publisher clock closes nobody else's windows.

/** How event time moves. */
export type ClockSpec =
  | { readonly kind: 'stream-time' }
  | { readonly kind: 'watermark' }
  | {
      readonly kind: 'per-key';
      /** Records may be this much older than the newest of their key, ms. */
      readonly boundMs: number;
      /** A record's time is cut to receive time + this, ms. */
      readonly aheadMs: number;
      /** After this long without a record a key's clock goes on with the receiver's, ms. */
      readonly idleMs: number;
    };

/** The clock of one key: part of every key's state and of snapshots. */
export type KeyTime = {
  /** Watermark of the key: no older record is expected. */
  time: number;
  /** Newest record time of the key, never ahead of its receipt. */
  newest: number;
  /** Receive time of the newest record, ms; -Infinity before any. */
  receivedAt: number;
};

const { max, min } = Math;

/** A key's clock before its first record. */
export function newKeyTime(): KeyTime {
  return { time: -Infinity, newest: -Infinity, receivedAt: -Infinity };
}

/** The clocks of one operator: either one for all keys or one per key. */
export class Watermarks {
  readonly spec: ClockSpec;
  readonly isPerKey: boolean;
  /** Records whose time was cut by the clamp. */
  clamped = 0;
  private shared = -Infinity;

  constructor(spec: ClockSpec) {
    this.spec = spec;
    this.isPerKey = spec.kind === 'per-key';
  }

  /** The clock time that judges windows of this key. */
  of(key: KeyTime): number {
    return this.isPerKey ? key.time : this.shared;
  }

  /** The clock of all keys; -Infinity with per-key clocks. */
  get time(): number {
    return this.shared;
  }

  /** Moves the clock by a record and returns the record's time, clamped. */
  observe(key: KeyTime, ts: number, receivedAt: number): number {
    const spec = this.spec;
    if (spec.kind === 'stream-time') {
      if (ts > this.shared) {
        this.shared = ts;
      }
      return ts;
    }
    if (spec.kind === 'watermark') {
      return ts;
    }
    const latest = receivedAt + spec.aheadMs;
    const clamped = ts > latest ? latest : ts;
    if (clamped !== ts) {
      this.clamped++;
    }
    // A record ahead of the receiver's clock counts in its own window, but closes none before the receiver's time has come.
    const moves = min(clamped, receivedAt);
    if (moves > key.newest) {
      key.newest = moves;
      key.time = max(key.time, moves - spec.boundMs);
    }
    if (receivedAt > key.receivedAt) {
      key.receivedAt = receivedAt;
    }
    return clamped;
  }

  /** An explicit watermark for all keys. Never goes back. */
  advance(to: number): void {
    this.shared = max(this.shared, to);
  }

  /** Goes on with the receiver's clock where a key has been idle: its own clock plus the time that passed since. */
  tick(key: KeyTime, now: number): boolean {
    const spec = this.spec;
    if (spec.kind !== 'per-key' || now - key.receivedAt < spec.idleMs || key.newest === -Infinity) {
      return false;
    }
    const idleTime = key.newest + (now - key.receivedAt) - spec.boundMs;
    if (idleTime <= key.time) {
      return false;
    }
    key.time = idleTime;
    return true;
  }

  /** The shared clock for a snapshot, and back. */
  save(): number | null {
    return this.shared === -Infinity ? null : min(this.shared, Number.MAX_SAFE_INTEGER);
  }

  load(saved: number | null): void {
    this.shared = saved ?? -Infinity;
  }
}
