// One viewer as the fan-out sees it: in step, it gets each prepared batch with one write; behind, it gets its own bounded queue
// until it has caught up or skipped to the next group.

import type { Clock } from '../platform/clock.ts';
import type { Framing, Item } from './item.ts';
import { SendQueue, type DropReason, type QueueLimits } from './send-queue.ts';

/** Bytes in our process beyond which a viewer is behind: its queue decides what is still worth sending. */
const IN_STEP_BYTES = 65_536;
/** Bytes laid out and written at a time while catching up. */
const CATCH_UP_BYTES = 65_536;

/** The connection, as far as a subscriber needs it. */
export interface Outlet {
  readonly waitingBytes: number;
  write(chunks: readonly Uint8Array[]): void;
}

/** Units of one flush, framed once for everybody who is in step. */
export type Batch = { readonly items: readonly Item[]; readonly framed: Uint8Array; readonly units: number };

/** Totals of a channel, told to telemetry once per second. */
export type DeliveryTally = {
  sentUnits: number;
  sentBytes: number;
  droppedUnits: number;
  /** Objects that viewers said they miss. */
  reportedLosses: number;
};

export type SubscriberOptions = {
  readonly outlet: Outlet;
  readonly framing: Framing;
  readonly limits: QueueLimits;
  readonly clock: Clock;
  readonly onDrop?: (reason: DropReason, units: number) => void;
};

export class Subscriber {
  private readonly outlet: Outlet;
  private readonly framing: Framing;
  private readonly clock: Clock;
  private readonly queue: SendQueue;
  private isHeld = false;
  private onEmpty: (() => void) | null = null;
  /** The channel's totals; each channel sets its own when the subscriber joins. */
  tally: DeliveryTally = { sentUnits: 0, sentBytes: 0, droppedUnits: 0, reportedLosses: 0 };

  constructor({ outlet, framing, limits, clock, onDrop }: SubscriberOptions) {
    this.outlet = outlet;
    this.framing = framing;
    this.clock = clock;
    this.queue = new SendQueue(limits, (reason, units) => {
      this.tally.droppedUnits += units;
      onDrop?.(reason, units);
    });
  }

  /** Nothing waits and the connection takes what is written. */
  get isInStep(): boolean {
    return this.queue.isEmpty && !this.queue.awaitsKey && this.outlet.waitingBytes <= IN_STEP_BYTES;
  }

  get queuedBytes(): number {
    return this.queue.byteLength;
  }

  offer(batch: Batch): void {
    if (this.isInStep) {
      this.tally.sentUnits += batch.units;
      this.tally.sentBytes += batch.framed.length;
      this.outlet.write([batch.framed]);
      return;
    }
    const now = this.clock.monotonicMs();
    for (const item of batch.items) {
      if (!this.isHeld || item.kind !== 'video') {
        this.queue.push(item, now);
      } else {
        this.tally.droppedUnits++;
      }
    }
    this.pump();
  }

  /** The cached group, in front of what follows. Empty: video starts with the next key unit. */
  startWith(items: readonly Item[], hasGroup: boolean): void {
    const now = this.clock.monotonicMs();
    this.queue.skipToNextGroup(); // of the rendition before, if any
    if (hasGroup) {
      this.queue.startGroup();
    }
    for (const item of items) {
      this.queue.pushBurst(item, now);
    }
    this.pump();
  }

  /** The viewer is far behind in what the kernel holds: no more video until `resume`. */
  hold(): void {
    this.isHeld = true;
    this.queue.skipToNextGroup();
  }

  /** Everything sent has arrived: go on with the next group. */
  resume(): void {
    this.isHeld = false;
  }

  /** Writes what waits while the connection takes it. Called on drain. */
  pump(): void {
    while (!this.queue.isEmpty && this.outlet.waitingBytes <= IN_STEP_BYTES) {
      const items = this.queue.take(CATCH_UP_BYTES, this.clock.monotonicMs());
      if (items.length === 0) {
        break;
      }
      const chunks = this.framing(items);
      this.tally.sentUnits += items.filter(({ kind }) => kind !== 'control').length;
      this.tally.sentBytes += chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      this.outlet.write(chunks);
    }
    if (this.queue.isEmpty && this.onEmpty !== null) {
      const done = this.onEmpty;
      this.onEmpty = null;
      done();
    }
  }

  /** Calls back once nothing waits any more, at the latest after `maxMs`. */
  finish(maxMs: number, done: () => void): void {
    let called = false;
    const once = (): void => {
      if (!called) {
        called = true;
        done();
      }
    };
    if (this.queue.isEmpty) {
      once();
      return;
    }
    this.onEmpty = once;
    this.clock.after(maxMs, once);
  }
}
