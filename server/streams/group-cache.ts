// The current group of one track, so that a viewer who joins has a picture at once. Bounded by bytes: a group that grows
// beyond the bound is forgotten whole (half a group decodes to nothing) until the next key unit.

import type { AccessUnit } from '../../shared/media/access-unit.ts';

export class GroupCache {
  private readonly maxBytes: number;
  private kept: AccessUnit[] = [];
  private bytes = 0;
  private overflowed = true; // nothing usable before the first key unit

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** The current group from its key unit on; empty when there is none to join at. */
  get units(): readonly AccessUnit[] {
    return this.kept;
  }

  get byteLength(): number {
    return this.bytes;
  }

  /** Adds a unit; a key unit starts a new group. Returns false when the group has outgrown the bound with this unit. */
  push(unit: AccessUnit): boolean {
    if (unit.priority === 'key') {
      this.clear();
      this.overflowed = false;
    }
    if (this.overflowed) {
      return true;
    }
    if (this.bytes + unit.data.length > this.maxBytes) {
      this.clear();
      return false;
    }
    this.kept.push(unit);
    this.bytes += unit.data.length;
    return true;
  }

  clear(): void {
    this.kept = [];
    this.bytes = 0;
    this.overflowed = true;
  }
}

const RECENT_SPAN = 10_000_000; // microseconds
const RECENT_BYTES = 1_048_576;

/** The last ten seconds of an audio track, at most a megabyte. */
export class RecentUnits {
  private kept: AccessUnit[] = [];
  private bytes = 0;

  get units(): readonly AccessUnit[] {
    return this.kept;
  }

  push(unit: AccessUnit): void {
    this.kept.push(unit);
    this.bytes += unit.data.length;
    let drop = 0;
    for (const oldest of this.kept) {
      if (this.bytes <= RECENT_BYTES && unit.dts - oldest.dts <= RECENT_SPAN) {
        break;
      }
      this.bytes -= oldest.data.length;
      drop++;
    }
    this.kept.splice(0, drop);
  }

  clear(): void {
    this.kept = [];
    this.bytes = 0;
  }
}
