// The decoded picture buffer (C.4): which frame stores are kept, and when they are output ("bumping"), with the least delay that the
// stream's VUI allows. Bounded: capacity stores plus a fixed number of spare ones.

import type { SequenceParameterSet } from '../syntax/sps.ts';
import { maxDpbFramesOf } from '../syntax/sps.ts';
import type { Picture } from './picture.ts';

const { max, min } = Math;

/** Profiles whose intra-only variants need no reordering (E.2.1). */
const INTRA_PROFILES = new Set([44, 86, 100, 110, 122, 244]);

/** Capacity and reordering depth of a stream. */
export type BufferLimits = {
  /** Frames that the buffer holds, 1..16. */
  readonly capacity: number;
  /** Frames that may wait for output while later ones are decoded. */
  readonly reorderFrames: number;
};

/** Limits that follow from an SPS (A.3.1, E.2.1). */
export function bufferLimitsOf(sps: SequenceParameterSet): BufferLimits {
  const maxDpbFrames = maxDpbFramesOf(sps);
  const restriction = sps.vui?.bitstream_restriction ?? null;
  if (restriction !== null) {
    const wanted = max(restriction.max_dec_frame_buffering, restriction.max_num_reorder_frames);
    const capacity = min(16, max(1, sps.max_num_ref_frames, wanted));
    return { capacity, reorderFrames: min(restriction.max_num_reorder_frames, capacity) };
  }
  if (INTRA_PROFILES.has(sps.profile_idc) && (sps.constraint_set_flags & 0x10) !== 0) {
    return { capacity: max(1, sps.max_num_ref_frames), reorderFrames: 0 };
  }
  return { capacity: maxDpbFrames, reorderFrames: sps.pic_order_cnt_type === 2 ? 0 : maxDpbFrames };
}

/** Stored frames in decoding order. */
export class DecodedPictureBuffer {
  readonly frames: Picture[] = [];
  /** Order count of the last frame that was output since the last flush. */
  private lastOutput = Number.NEGATIVE_INFINITY;
  private limits: BufferLimits = { capacity: 1, reorderFrames: 0 };
  private isLowDelay = false;
  private readonly output: (picture: Picture) => void;

  constructor(output: (picture: Picture) => void) {
    this.output = output;
  }

  /** Sets the limits of a new sequence. With `lowDelay` reordering is learnt from the stream instead of assumed. */
  configure(sps: SequenceParameterSet, lowDelay: boolean): void {
    this.limits = bufferLimitsOf(sps);
    this.isLowDelay = lowDelay;
    if (lowDelay && sps.vui?.bitstream_restriction === undefined) {
      this.limits = { ...this.limits, reorderFrames: 0 };
    }
    if (lowDelay && sps.vui !== null && sps.vui.bitstream_restriction === null) {
      this.limits = { ...this.limits, reorderFrames: 0 };
    }
  }

  /** Makes room for a new frame: drops what nobody needs, and outputs until there is a free store (C.4.5.3). */
  makeRoom(current: Picture): void {
    this.removeUnused();
    while (this.frames.length >= this.limits.capacity) {
      const isOwnTurn =
        !current.isReference &&
        !this.frames.some((frame) => frame.isWaitingForOutput && frame.PicOrderCnt < current.PicOrderCnt);
      if (isOwnTurn) {
        return;
      }
      if (!this.bump()) {
        // All stores hold references: a damaged stream. The oldest goes.
        const oldest = this.frames[0];
        oldest.shortTerm = 0;
        oldest.longTerm = 0;
      }
      this.removeUnused();
    }
  }

  /** Frees a store although the limits do not ask for it: outputs the next frame, or drops the oldest reference. */
  giveUpOne(): void {
    if (!this.bump()) {
      for (const frame of this.frames) {
        if (frame.isMarked) {
          frame.shortTerm = 0;
          frame.longTerm = 0;
          break;
        }
      }
    }
  }

  /** Stores a frame, or the first field of one. */
  store(picture: Picture): void {
    if (!this.frames.includes(picture)) {
      this.frames.push(picture);
    }
  }

  /** A frame is complete: outputs what the reordering depth no longer holds back. */
  outputReady(): void {
    if (this.isLowDelay) {
      this.learnDepth();
    }
    for (;;) {
      const waiting = this.frames.reduce((count, frame) => count + (frame.isWaitingForOutput ? 1 : 0), 0);
      if (waiting === 0 || (waiting <= this.limits.reorderFrames && this.frames.length <= this.limits.capacity)) {
        break;
      }
      this.bump();
      this.removeUnused();
    }
    this.removeUnused();
  }

  /** Outputs everything in order and forgets it: IDR, memory_management_control_operation 5, end of stream. */
  flush(except: Picture | null = null): void {
    while (this.bump(except)) {
      // each call outputs one frame
    }
    this.lastOutput = Number.NEGATIVE_INFINITY;
  }

  /** Drops all marks and frames; what waits is not output. */
  clear(): void {
    for (const frame of this.frames) {
      frame.isInUse = false;
      frame.isWaitingForOutput = false;
      frame.shortTerm = 0;
      frame.longTerm = 0;
    }
    this.frames.length = 0;
    this.lastOutput = Number.NEGATIVE_INFINITY;
  }

  /** Removes frames that are neither references nor waiting. */
  removeUnused(): void {
    let kept = 0;
    for (const frame of this.frames) {
      if (frame.isMarked || frame.isWaitingForOutput) {
        this.frames[kept++] = frame;
      } else {
        frame.isInUse = false;
      }
    }
    this.frames.length = kept;
  }

  /** Outputs the waiting frame with the smallest order count; false when none waits. */
  private bump(except: Picture | null = null): boolean {
    let first: Picture | null = null;
    for (const frame of this.frames) {
      if (frame.isWaitingForOutput && frame !== except && (first === null || frame.PicOrderCnt < first.PicOrderCnt)) {
        first = frame;
      }
    }
    if (first === null) {
      return false;
    }
    first.isWaitingForOutput = false;
    this.lastOutput = max(this.lastOutput, first.PicOrderCnt);
    this.output(first);
    return true;
  }

  /** Low delay without VUI: a frame that comes after one with a higher order count was output shows that the stream reorders. */
  private learnDepth(): void {
    const isLate = this.frames.some((frame) => frame.isWaitingForOutput && frame.PicOrderCnt < this.lastOutput);
    if (isLate && this.limits.reorderFrames < this.limits.capacity) {
      this.limits = { ...this.limits, reorderFrames: this.limits.reorderFrames + 1 };
    }
  }
}
