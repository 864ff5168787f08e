// One timeline per stream: maps a publisher's timestamps to it, so that time goes on over reconnects, takeovers and jumps of
// the publisher's clock. All tracks of a publisher share one offset, so audio and video stay together.

import type { AccessUnit } from '../../shared/media/access-unit.ts';
import { microseconds } from '../../shared/media/time.ts';

const SECOND = 1_000_000;
/** A first publisher's timestamps below this are taken as they are; others (clocks, uptimes) start at 0. */
const LARGEST_FIRST_DTS = 24 * 3600 * SECOND;
const BACK_JUMP = -1 * SECOND;
const FORWARD_JUMP = 10 * SECOND;
/** Another track has already followed the same jump when the unit lands this close to the live edge. */
const NEAR_EDGE = 3 * SECOND;
const SMALLEST_STEP = 1000;
/** Reordering beyond this is no reordering: presentation times are held within it. */
const MAX_REORDER = 10 * SECOND;

type TrackEdge = { sourceDts: number; dts: number };

export class Timeline {
  private offset: number | null = null;
  private edgeDts: number | null = null;
  private edgeArrival = 0;
  private readonly tracks = new Map<string, TrackEdge>();
  private readonly onJump: (us: number) => void;
  private jumpCount = 0;

  /** `onJump` is told by how much the publisher's timestamps jumped, beyond what the clock says; reconnects do not count. */
  constructor(onJump: (us: number) => void = () => undefined) {
    this.onJump = onJump;
  }

  /** Discontinuities that were bridged, reconnects not counted. */
  get jumps(): number {
    return this.jumpCount;
  }

  /** The next unit comes from a new publisher: it is put behind the last one by the time that has passed. */
  startEpoch(): void {
    this.offset = null;
    for (const edge of this.tracks.values()) {
      edge.sourceDts = Number.NaN;
    }
  }

  /** The unit with its times on the stream's timeline. `dts` never goes back on a track. */
  map(track: string, unit: AccessUnit): AccessUnit {
    const edge = this.tracks.get(track) ?? { sourceDts: Number.NaN, dts: Number.NEGATIVE_INFINITY };
    if (this.offset === null) {
      this.offset = this.firstOffset(unit);
    } else if (this.isJump(edge, unit, this.offset)) {
      this.jumpCount++;
      const offset = this.offsetBehindEdge(unit);
      this.onJump(this.offset - offset);
      this.offset = offset;
    }
    const dts = Math.max(Math.round(unit.dts + this.offset), edge.dts); // whole microseconds, as the wire has them
    const reorder = Math.min(MAX_REORDER, Math.max(-MAX_REORDER, Math.round(unit.pts - unit.dts)));
    this.tracks.set(track, { sourceDts: unit.dts, dts });
    if (this.edgeDts === null || dts >= this.edgeDts) {
      this.edgeDts = dts;
      this.edgeArrival = unit.arrivalTime;
    }
    return { ...unit, dts: microseconds(dts), pts: microseconds(dts + reorder) };
  }

  private isJump(edge: TrackEdge, unit: AccessUnit, offset: number): boolean {
    const step = unit.dts - edge.sourceDts;
    const isAbrupt = Number.isNaN(step) || step < BACK_JUMP || step > FORWARD_JUMP;
    return isAbrupt && Math.abs(unit.dts + offset - (this.edgeDts ?? 0)) > NEAR_EDGE;
  }

  private firstOffset(unit: AccessUnit): number {
    if (this.edgeDts !== null) {
      return this.offsetBehindEdge(unit);
    }
    return unit.dts >= 0 && unit.dts < LARGEST_FIRST_DTS ? 0 : 0 - unit.dts;
  }

  private offsetBehindEdge(unit: AccessUnit): number {
    const passed = Math.max(SMALLEST_STEP, unit.arrivalTime - this.edgeArrival);
    return (this.edgeDts ?? 0) + Math.round(passed) - unit.dts;
  }
}
