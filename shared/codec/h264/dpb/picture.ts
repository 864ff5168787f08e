// A frame store: the samples, the motion and the marks of one frame or complementary field pair (3.30, 8.2.1, 8.2.5).
//
// Motion is kept per macroblock in storage order: row by row of the frame, where the two rows of a macroblock pair hold its top and
// bottom macroblock. A field macroblock (of a field picture or of an MBAFF frame) of parity p in pair row r lies in row 2 * r + p, so
// that frames, field pairs and MBAFF frames share one addressing. Owned by the decoded picture buffer.

import type { Microseconds } from '../../../media/time.ts';
import type { Pointer } from '../kernels/kernels.ts';

const { min } = Math;

/** Which part of a frame is meant; also bit masks of the fields that have a property. */
export const TOP_FIELD = 1;
export const BOTTOM_FIELD = 2;
export const FRAME = 3;

/** TOP_FIELD, BOTTOM_FIELD or FRAME (0: none). */
export type Structure = number;

/** Where the samples and the motion of a frame store lie in the codec's memory. */
export type PictureMemory = {
  readonly y: Pointer;
  readonly u: Pointer;
  readonly v: Pointer;
  /** Motion vectors per 4x4 block (index 16 * macroblock + 4 * row + column): x in the low, y in the high 16 bits. */
  readonly mv: readonly [Int32Array, Int32Array];
  /** Reference indices per 8x8 block (index 4 * macroblock + block); -1: list not used. */
  readonly refIdx: readonly [Int8Array, Int8Array];
  /** Identity of the reference: 4 * slot + structure; -1: list not used. */
  readonly refPic: readonly [Int8Array, Int8Array];
  /** refIdx and refPic of a whole macroblock at a time. */
  readonly refIdx32: readonly [Int32Array, Int32Array];
  readonly refPic32: readonly [Int32Array, Int32Array];
  /** 1 for field macroblocks. */
  readonly mbField: Uint8Array;
};

/** One frame store of the decoded picture buffer. */
export class Picture {
  /** Number of the store; part of reference identities. */
  readonly slot: number;
  readonly memory: PictureMemory;

  /** Fields decoded so far. */
  decoded: Structure = 0;
  /** Coded as one or two field pictures. */
  isFieldCoded = false;
  isMbaff = false;
  /** Marked "used for short-term reference", per field. */
  shortTerm: Structure = 0;
  /** Marked "used for long-term reference", per field. */
  longTerm: Structure = 0;
  /** Inferred for a frame_num gap (8.2.5.2). */
  isNonExisting = false;
  FrameNum = 0;
  FrameNumWrap = 0;
  LongTermFrameIdx = 0;
  TopFieldOrderCnt = 0;
  BottomFieldOrderCnt = 0;
  isIdr = false;
  /** nal_ref_idc of the picture was not 0. */
  isReference = false;
  isWaitingForOutput = false;
  /** Views given to the receiver of output that are not closed. */
  holders = 0;
  /** Pictures under way in another thread that are this one or refer to it: until then the store must not be used again. */
  users = 0;
  /** Another thread decodes it; its samples must not be looked at without waiting. */
  isUnderWay = false;
  /** In the decoded picture buffer or being decoded. */
  isInUse = false;
  timestamp = 0 as Microseconds;
  /** Number of the access unit, for reports. */
  accessUnit = 0;

  constructor(slot: number, memory: PictureMemory) {
    this.slot = slot;
    this.memory = memory;
  }

  /** Prepares the store for a new frame. */
  reset(): void {
    this.decoded = 0;
    this.isFieldCoded = false;
    this.isMbaff = false;
    this.shortTerm = 0;
    this.longTerm = 0;
    this.isNonExisting = false;
    this.FrameNum = 0;
    this.FrameNumWrap = 0;
    this.LongTermFrameIdx = 0;
    this.TopFieldOrderCnt = 0;
    this.BottomFieldOrderCnt = 0;
    this.isIdr = false;
    this.isReference = false;
    this.isWaitingForOutput = false;
    this.isInUse = true;
  }

  /** After memory_management_control_operation 5 with the picture of `structure` (8.2.1): its counts begin again. */
  restartCounts(structure: Structure): void {
    this.FrameNum = 0;
    if (structure === FRAME) {
      const temp = min(this.TopFieldOrderCnt, this.BottomFieldOrderCnt);
      this.TopFieldOrderCnt -= temp;
      this.BottomFieldOrderCnt -= temp;
    } else if (structure === TOP_FIELD) {
      this.TopFieldOrderCnt = 0;
    } else {
      this.BottomFieldOrderCnt = 0;
    }
  }

  /** Any field is marked as a reference. */
  get isMarked(): boolean {
    return (this.shortTerm | this.longTerm) !== 0;
  }

  /** PicOrderCnt() (8-1) of the frame, or of its only decoded field. */
  get PicOrderCnt(): number {
    return this.orderOf(this.decoded);
  }

  /** PicOrderCnt() of a field, or of the frame. */
  orderOf(structure: Structure): number {
    if (structure === TOP_FIELD) {
      return this.TopFieldOrderCnt;
    }
    if (structure === BOTTOM_FIELD) {
      return this.BottomFieldOrderCnt;
    }
    return min(this.TopFieldOrderCnt, this.BottomFieldOrderCnt);
  }
}

/** An entry of a reference list: a frame, or one field of a frame. */
export type Reference = { readonly picture: Picture; readonly structure: Structure };
