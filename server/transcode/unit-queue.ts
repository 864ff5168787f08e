// Units on their way from a source track to its transcode worker: bounded by count, bytes and age, with one policy per kind of
// source. Coded units depend on each other, so an overflow empties the queue and skips to the next key unit; raw pictures do not,
// so the oldest goes. Everything dropped is counted. Used by source-transcode.ts.

import type { AccessUnit } from '../../shared/media/access-unit.ts';

export type QueuedUnit = {
  readonly unit: AccessUnit;
  readonly group: number;
  /** Decode it, but nobody needs to see it: part of the cached group, before the live edge. */
  readonly isCatchUp: boolean;
  /** Milliseconds on the clock that parent and worker share. */
  readonly queuedAt: number;
};

export type UnitQueueLimits = { readonly maxUnits: number; readonly maxBytes: number; readonly maxAgeMs: number };

export type DropPolicy = 'oldest-picture' | 'to-next-key';

export class UnitQueue {
  private readonly limits: UnitQueueLimits;
  private readonly policy: DropPolicy;
  private units: QueuedUnit[] = [];
  private bytes = 0;
  private isSkipping = false;
  /** Units that never reached the worker. */
  dropped = 0;

  constructor(policy: DropPolicy, limits: UnitQueueLimits) {
    this.policy = policy;
    this.limits = limits;
  }

  get length(): number {
    return this.units.length;
  }

  /** Queues the unit. True: a key unit is wanted from the publisher, because units were lost. */
  push(queued: QueuedUnit): boolean {
    if (this.isSkipping && queued.unit.priority !== 'key') {
      this.dropped++;
      return false;
    }
    this.isSkipping = false;
    const isOverflow = this.isFull(queued);
    if (isOverflow && this.policy === 'to-next-key') {
      this.dropped += this.units.length;
      this.clear();
      if (queued.unit.priority !== 'key') {
        this.dropped++;
        this.isSkipping = true;
        return true;
      }
    }
    while (this.policy === 'oldest-picture' && this.units.length > 0 && this.isFull(queued)) {
      this.shift();
      this.dropped++;
    }
    this.units.push(queued);
    this.bytes += queued.unit.data.length;
    return false;
  }

  shift(): QueuedUnit | undefined {
    const first = this.units.shift();
    if (first !== undefined) {
      this.bytes -= first.unit.data.length;
    }
    return first;
  }

  /** Forgets everything without counting it: the source starts over. */
  clear(): void {
    this.units = [];
    this.bytes = 0;
  }

  private isFull(next: QueuedUnit): boolean {
    const oldest = this.units[0];
    return (
      this.units.length >= this.limits.maxUnits ||
      this.bytes + next.unit.data.length > this.limits.maxBytes ||
      (oldest !== undefined && next.queuedAt - oldest.queuedAt > this.limits.maxAgeMs)
    );
  }
}
