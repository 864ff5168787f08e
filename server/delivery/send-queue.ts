// What waits for one slow viewer: bounded by bytes and by age from enqueue. When a bound is passed, discardable units go first,
// then everything before the newest group, then all video until the next key unit; audio is the last to go, oldest first.
// The join burst has its own budget and does not count here.

import { itemBytes, type Item, type MediaItem } from './item.ts';

export type QueueLimits = { readonly maxBytes: number; readonly maxAgeMs: number };

/** Why units were dropped. */
export type DropReason = 'discardable' | 'skipped-group' | 'audio';

type Entry = { readonly item: Item; readonly enqueuedMs: number; readonly isBurst: boolean };

const isVideo = (item: Item): item is MediaItem => item.kind === 'video';

export class SendQueue {
  private readonly limits: QueueLimits;
  private readonly onDrop: (reason: DropReason, units: number) => void;
  private entries: Entry[] = [];
  private liveBytes = 0;
  private needsKey = false;
  private isThinning = false;

  constructor(limits: QueueLimits, onDrop: (reason: DropReason, units: number) => void) {
    this.limits = limits;
    this.onDrop = onDrop;
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Bytes that count against the bound. */
  get byteLength(): number {
    return this.liveBytes;
  }

  /** Video is dropped until its next key unit. */
  get awaitsKey(): boolean {
    return this.needsKey;
  }

  /** Drops all video, and what comes until its next key unit. */
  skipToNextGroup(): void {
    this.dropWhere('skipped-group', ({ item }) => isVideo(item));
    this.needsKey = true;
  }

  /** A whole group was put in front: what follows it is decodable. */
  startGroup(): void {
    this.needsKey = false;
  }

  /** Part of the join burst: not bounded here, in front of everything that comes later. */
  pushBurst(item: Item, nowMs: number): void {
    this.entries.push({ item, enqueuedMs: nowMs, isBurst: true });
  }

  push(item: Item, nowMs: number): void {
    if (isVideo(item)) {
      if (item.priority === 'key') {
        this.needsKey = false;
      } else if (this.needsKey) {
        this.onDrop('skipped-group', 1);
        return;
      } else if (this.isThinning && item.priority === 'discardable') {
        this.onDrop('discardable', 1);
        return;
      }
    }
    this.entries.push({ item, enqueuedMs: nowMs, isBurst: false });
    this.liveBytes += itemBytes(item);
    this.enforce(nowMs);
  }

  /** The next items, at least one, about `bytes` in all. What is too old by now is dropped before. */
  take(bytes: number, nowMs: number): Item[] {
    this.enforce(nowMs);
    let taken = 0;
    let count = 0;
    for (const { item } of this.entries) {
      if (count > 0 && taken + itemBytes(item) > bytes) {
        break;
      }
      taken += itemBytes(item);
      count++;
    }
    const first = this.entries.splice(0, count);
    for (const entry of first) {
      this.forget(entry);
    }
    if (this.entries.length === 0) {
      this.isThinning = false;
    }
    return first.map(({ item }) => item);
  }

  private isOver(nowMs: number): boolean {
    if (this.liveBytes > this.limits.maxBytes) {
      return true;
    }
    const oldest = this.entries.find(({ isBurst, item }) => !isBurst && item.kind !== 'control');
    return oldest !== undefined && nowMs - oldest.enqueuedMs > this.limits.maxAgeMs;
  }

  private enforce(nowMs: number): void {
    if (!this.isOver(nowMs)) {
      return;
    }
    this.isThinning = true;
    this.dropWhere('discardable', ({ item }) => isVideo(item) && item.priority === 'discardable');
    if (this.isOver(nowMs)) {
      this.dropBeforeNewestGroup();
    }
    if (this.isOver(nowMs) && this.entries.some(({ item }) => isVideo(item))) {
      this.skipToNextGroup();
    }
    while (this.isOver(nowMs) && this.dropOldestAudio()) {
      // until the bounds hold
    }
  }

  private dropBeforeNewestGroup(): void {
    const newest = this.entries.findLast(({ item }) => isVideo(item) && item.priority === 'key');
    if (newest !== undefined) {
      let isBefore = true;
      this.dropWhere('skipped-group', (entry) => {
        isBefore &&= entry !== newest;
        return isBefore && isVideo(entry.item);
      });
    }
  }

  private dropOldestAudio(): boolean {
    const oldest = this.entries.find(({ item, isBurst }) => item.kind === 'audio' && !isBurst);
    if (oldest === undefined) {
      return false;
    }
    this.dropWhere('audio', (entry) => entry === oldest);
    return true;
  }

  private dropWhere(reason: DropReason, isDropped: (entry: Entry) => boolean): void {
    const kept: Entry[] = [];
    let dropped = 0;
    for (const entry of this.entries) {
      if (isDropped(entry)) {
        this.forget(entry);
        dropped++;
      } else {
        kept.push(entry);
      }
    }
    this.entries = kept;
    if (dropped > 0) {
      this.onDrop(reason, dropped);
    }
  }

  private forget({ item, isBurst }: Entry): void {
    if (!isBurst) {
      this.liveBytes -= itemBytes(item);
    }
  }
}
