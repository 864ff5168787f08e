// Decodes pictures: finds where one begins (7.4.1.2.4), prepares order counts, references and slices, and when all macroblocks are there
// conceals, deblocks, marks (8.2.5) and stores it (C.4). One per decoder and active sequence; called by decoder.ts.

import type { BitReader } from '../../../bitstream/bit-reader.ts';
import type { Microseconds } from '../../../media/time.ts';
import { DecodedPictureBuffer } from '../dpb/decoded-picture-buffer.ts';
import { markReferences, NO_LONG_TERM_FRAME_INDICES } from '../dpb/marking.ts';
import {
  deriveOrderCount,
  finishOrderCount,
  initialOrderCountState,
  type OrderCount,
  type OrderCountInput,
  type OrderCountState,
} from '../dpb/picture-order-count.ts';
import { BOTTOM_FIELD, FRAME, TOP_FIELD, type Picture, type Structure } from '../dpb/picture.ts';
import { isNewPicture } from '../syntax/picture-boundary.ts';
import { SLICE_TYPE, type SliceContext, type SliceHeader } from '../syntax/slice-header.ts';
import { concealPicture } from './concealment.ts';
import { copyToMissingField, makeMissingFrame, missingFrameNumbers } from './missing-pictures.ts';
import type { Sequence } from './sequence.ts';
import type { NalPlace, PictureEvents } from './picture-events.ts';
import { PictureLane } from './picture-lane.ts';
import type { PictureThread } from './picture-thread.ts';
import { PicturePipeline, type PictureUnderWay } from './picture-pipeline.ts';
import type { SliceDataDecoder } from './slice-data.ts';
import { sliceGroupSuccessor } from './slice-groups.ts';
import { HOLE_ID } from './slice-references.ts';
import { setSliceParameters, setSliceReferences } from './slice-parameters.ts';

/** The slice that began the current picture. */
type CurrentPicture = {
  readonly lane: PictureLane;
  /** Its place in the pipeline; null: it is decoded at once. */
  readonly underWay: PictureUnderWay | null;
  readonly picture: Picture;
  readonly structure: Structure;
  readonly header: SliceHeader;
  readonly context: SliceContext;
  readonly order: OrderCount;
  readonly orderInput: OrderCountInput;
  readonly macroblocks: number;
};

const { abs } = Math;

/** Decodes the pictures of one sequence. */
export class PictureDecoder {
  readonly sequence: Sequence;
  readonly buffer: DecodedPictureBuffer;
  readonly sliceData: SliceDataDecoder;
  private readonly events: PictureEvents;
  private readonly lane: PictureLane;
  /** Decodes pictures together with a second thread; null without one. */
  private readonly pipeline: PicturePipeline | null;
  private readonly orderState: OrderCountState = initialOrderCountState();
  private current: CurrentPicture | null = null;
  /** The frame whose first field is decoded and whose second may follow. */
  private halfFrame: Picture | null = null;
  private lastReference: Picture | null = null;
  private PrevRefFrameNum = 0;
  private MaxLongTermFrameIdx = NO_LONG_TERM_FRAME_INDICES;
  /** Nothing can be predicted from before the first key picture. */
  private hasReference = false;

  constructor(sequence: Sequence, lowDelay: boolean, events: PictureEvents, thread: PictureThread | null = null) {
    this.sequence = sequence;
    this.events = events;
    this.lane = new PictureLane(sequence.state, sequence.sliceKernels);
    this.sliceData = this.lane.sliceData;
    this.pipeline = thread === null ? null : new PicturePipeline(sequence, thread, events);
    this.buffer = new DecodedPictureBuffer(this.pipeline?.output ?? events.output);
    this.buffer.configure(sequence.sps, lowDelay);
  }

  /** A picture is being decoded. */
  get isBusy(): boolean {
    return this.current !== null;
  }

  /** All macroblocks of the current picture are there. */
  get isCurrentComplete(): boolean {
    const { current } = this;
    return current !== null && current.underWay === null && current.lane.state.decodedMbs >= current.macroblocks;
  }

  /** The slice belongs to another picture than the current one (7.4.1.2.4). */
  startsPicture(header: SliceHeader, context: SliceContext): boolean {
    const { current } = this;
    return current === null || isNewPicture(current, { header, context });
  }

  /** Decodes a slice; begins a new picture when it is the first of one. The reader stands at the slice data. */
  decodeSlice(
    reader: BitReader,
    header: SliceHeader,
    context: SliceContext,
    timestamp: Microseconds,
    accessUnit: number,
  ): void {
    if (this.startsPicture(header, context)) {
      this.finishPicture();
      this.startPicture(header, context, timestamp, accessUnit);
    }
    const { current } = this;
    if (current === null) {
      return;
    }
    const { lane, underWay } = current;
    if (underWay !== null && !(lane.isScaledFor(context.pps) && underWay.rows.hasRoom(reader.length >> 3))) {
      this.pipeline?.makeRoom(underWay);
    }
    this.prepareSlice(current, header, context);
    const s = lane.state;
    s.reader = reader;
    const SliceQPY = 26 + context.pps.pic_init_qp_minus26 + header.slice_qp_delta;
    const first = header.first_mb_in_slice * (s.MbaffFrameFlag ? 2 : 1);
    const cabacTable = s.isIntraSlice ? 0 : 1 + header.cabac_init_idc;
    const next = sliceGroupSuccessor(context.sps, context.pps, header);
    if (underWay !== null) {
      if (lane.sliceData.usesRows(next)) {
        this.pipeline?.startSlice(underWay, first, cabacTable, SliceQPY);
        return;
      }
      this.pipeline?.completeAll();
      this.pipeline?.makeRoom(underWay);
    }
    try {
      lane.sliceData.decode(first, current.macroblocks, next, cabacTable, SliceQPY);
    } catch (error) {
      lane.clearCoefficients();
      throw error;
    }
  }

  /** Conceals, filters, marks and stores the current picture. Does nothing when there is none. */
  finishPicture(): void {
    const { current } = this;
    if (current === null) {
      return;
    }
    this.current = null;
    const { underWay, picture, structure } = current;
    const substitute = this.substituteFor(picture, structure);
    const hasHoles = this.hasHoles;
    this.hasHoles = false;
    picture.decoded |= structure;
    if (underWay === null) {
      this.completePicture(current, substitute, hasHoles);
    } else {
      this.pipeline?.seal(underWay, (place) => this.completePicture(current, substitute, hasHoles, place));
    }
    this.markAndStore(current);
    this.events.decoded(picture, structure);
    if (picture.decoded === FRAME) {
      this.halfFrame = null;
      this.buffer.outputReady();
    } else {
      this.halfFrame = picture;
    }
  }

  /** What missing macroblocks are made of: the reference nearest in output order, or the first field of the same frame. */
  private substituteFor(picture: Picture, structure: Structure): Picture | null {
    const { frames } = this.buffer;
    let substitute = this.lastReference;
    if (substitute === picture) {
      return substitute;
    }
    const distance = (frame: Picture): number => abs(frame.PicOrderCnt - picture.orderOf(structure));
    for (const frame of frames) {
      const isUsable = frame !== picture && frame.isMarked && frame.decoded === FRAME && !frame.isNonExisting;
      if (isUsable && (substitute === null || !frames.includes(substitute) || distance(frame) < distance(substitute))) {
        substitute = frame;
      }
    }
    return substitute ?? frames.find((frame) => frame !== picture) ?? null;
  }

  /** What needs the samples: conceals and filters. `place` when that comes later than the picture's last NAL unit. */
  private completePicture(
    current: CurrentPicture,
    substitute: Picture | null,
    hasHoles: boolean,
    place?: NalPlace,
  ): void {
    const { lane } = current;
    const s = lane.state;
    if (s.decodedMbs < current.macroblocks) {
      this.events.error('lost-slice', 0, place);
      concealPicture(s, substitute, this.sequence.pictures);
    }
    if (hasHoles && (s.refPic0.includes(HOLE_ID) || s.refPic1.includes(HOLE_ID))) {
      this.events.error('missing-reference', 0, place);
    }
    lane.deblocker.filterPicture();
  }

  /** Ends the stream or the sequence: finishes the picture and outputs all that waits. */
  flush(): void {
    this.finishPicture();
    this.releaseHalfFrame();
    this.buffer.flush();
    this.pipeline?.completeAll();
    this.buffer.removeUnused();
  }

  /** Nothing more of this sequence is wanted. */
  abandon(): void {
    this.pipeline?.abandon();
  }

  private markAndStore(current: CurrentPicture): void {
    const { picture, structure, header, order, orderInput } = current;
    const { sps } = this.sequence;
    let hasReset = false;
    const marking = header.dec_ref_pic_marking;
    if (marking !== null) {
      const result = markReferences(marking, {
        frames: this.buffer.frames,
        current: picture,
        structure,
        frame_num: header.frame_num,
        MaxFrameNum: 1 << (sps.log2_max_frame_num_minus4 + 4),
        max_num_ref_frames: sps.max_num_ref_frames,
        MaxLongTermFrameIdx: this.MaxLongTermFrameIdx,
      });
      this.MaxLongTermFrameIdx = result.MaxLongTermFrameIdx;
      hasReset = result.hasReset;
      if (result.missing > 0) {
        this.events.error('missing-reference', 0);
      }
      this.PrevRefFrameNum = hasReset ? 0 : header.frame_num;
      this.lastReference = picture;
    }
    if (hasReset) {
      this.resetOrder(picture, structure);
    }
    finishOrderCount(this.orderState, orderInput, order, hasReset);
    if (!this.buffer.frames.includes(picture)) {
      picture.isWaitingForOutput = true;
      this.buffer.makeRoom(picture);
      this.buffer.store(picture);
    }
  }

  /** memory_management_control_operation 5: earlier pictures come first, and counting starts again (8.2.1). */
  private resetOrder(picture: Picture, structure: Structure): void {
    this.buffer.flush(picture);
    this.buffer.removeUnused();
    picture.restartCounts(structure);
  }

  private startPicture(header: SliceHeader, context: SliceContext, timestamp: Microseconds, accessUnit: number): void {
    const { sequence, events } = this;
    const { sps } = sequence;
    const { nal } = context;
    const isIdr = nal.nal_unit_type === 5;
    const structure = header.field_pic_flag ? (header.bottom_field_flag ? BOTTOM_FIELD : TOP_FIELD) : FRAME;
    const isSecondField = this.isSecondField(header, context, structure);
    if (!isSecondField) {
      this.releaseHalfFrame();
      if (isIdr) {
        this.buffer.flush();
        this.buffer.clear();
        this.PrevRefFrameNum = 0;
        this.hasReference = true;
      } else {
        this.fillGap(header);
      }
    }
    const orderInput: OrderCountInput = { ...header, isIdr, isReference: nal.nal_ref_idc !== 0 };
    const order = deriveOrderCount(sps, this.orderState, orderInput);
    let picture = this.halfFrame;
    if (!isSecondField || picture === null) {
      picture = this.takePicture();
      picture.reset();
      picture.timestamp = timestamp;
      picture.accessUnit = accessUnit;
      picture.isFieldCoded = header.field_pic_flag;
      picture.isIdr = isIdr;
      picture.isUnderWay = false;
    }
    const underWay = isSecondField ? null : this.startUnderWay(picture, header, context);
    const lane = underWay?.lane ?? this.lane;
    if (!isSecondField) {
      lane.startFrame();
    }
    lane.startPicture();
    picture.FrameNum = header.frame_num;
    picture.isReference = nal.nal_ref_idc !== 0;
    picture.isMbaff = sps.mb_adaptive_frame_field_flag && !header.field_pic_flag;
    if (structure !== BOTTOM_FIELD) {
      picture.TopFieldOrderCnt = order.TopFieldOrderCnt;
    }
    if (structure !== TOP_FIELD) {
      picture.BottomFieldOrderCnt = order.BottomFieldOrderCnt;
    }
    const s = lane.state;
    s.setPicture(picture);
    s.isFieldPicture = header.field_pic_flag;
    s.isBottomField = header.bottom_field_flag;
    s.MbaffFrameFlag = picture.isMbaff;
    s.PicHeightInMbs = header.field_pic_flag ? s.FrameHeightInMbs >> 1 : s.FrameHeightInMbs;
    s.decodedMbs = 0;
    const macroblocks = s.PicWidthInMbs * s.PicHeightInMbs;
    this.current = { lane, underWay, picture, structure, header, context, order, orderInput, macroblocks };
    if (!isIdr && !this.hasReference) {
      // Decoding begins within the stream: pictures before the first key picture are damaged.
      this.hasReference = true;
      if (header.slice_type % 5 !== SLICE_TYPE.I) {
        events.error('missing-reference', 0);
      }
    }
  }

  /** The pipeline takes what the slice kernel can decode; null: the picture is decoded at once, all before it are complete. */
  private startUnderWay(picture: Picture, header: SliceHeader, context: SliceContext): PictureUnderWay | null {
    const { pipeline } = this;
    const isPlain =
      context.sps.frame_mbs_only_flag &&
      context.sps.chroma_format_idc === 1 &&
      context.pps.slice_groups === null &&
      header.first_mb_in_slice === 0;
    if (pipeline !== null && !isPlain) {
      pipeline.completeAll();
    }
    return isPlain ? (pipeline?.startPicture(picture) ?? null) : null;
  }

  private isSecondField(header: SliceHeader, context: SliceContext, structure: Structure): boolean {
    const first = this.halfFrame;
    return (
      first !== null &&
      structure !== FRAME &&
      first.decoded === FRAME - structure &&
      context.nal.nal_unit_type !== 5 &&
      first.FrameNum === header.frame_num &&
      first.isReference === (context.nal.nal_ref_idc !== 0)
    );
  }

  /** A first field stays alone: it is a frame of its own, its other field a copy (only for showing). */
  private releaseHalfFrame(): void {
    const { halfFrame } = this;
    if (halfFrame === null) {
      return;
    }
    this.halfFrame = null;
    copyToMissingField(this.sequence.state, halfFrame);
    this.buffer.outputReady();
  }

  /** A store for the current frame; when all are in use, the buffer gives one up. */
  private takePicture(): Picture {
    const { sequence, buffer } = this;
    for (;;) {
      buffer.removeUnused();
      const free = sequence.freePicture();
      if (free !== null) {
        this.pipeline?.markComplete(free);
        return free;
      }
      if (this.pipeline?.completeOldest() === true) {
        continue;
      }
      buffer.giveUpOne();
    }
  }

  /** frame_num gaps (8.2.5.2): missing frames become "non-existing" references; where gaps are not allowed they are lost. */
  private fillGap(header: SliceHeader): void {
    const { sps } = this.sequence;
    if (header.frame_num === this.PrevRefFrameNum || !this.hasReference) {
      return;
    }
    const missing = missingFrameNumbers(this.PrevRefFrameNum, header.frame_num, sps);
    if (missing.length === 0) {
      return;
    }
    this.pipeline?.completeAll();
    const isAllowed = sps.gaps_in_frame_num_value_allowed_flag;
    if (!isAllowed) {
      this.events.error('frame-num-gap', 0);
    }
    for (const frame_num of missing) {
      this.insertMissing(frame_num, !isAllowed);
    }
  }

  private insertMissing(frame_num: number, isLoss: boolean): void {
    const { sequence, buffer } = this;
    const { sps } = sequence;
    const picture = this.takePicture();
    makeMissingFrame(picture, { sequence, orderState: this.orderState, source: this.lastReference, frame_num, isLoss });
    markReferences(
      { kind: 'sliding-window' },
      {
        frames: buffer.frames,
        current: picture,
        structure: FRAME,
        frame_num,
        MaxFrameNum: 1 << (sps.log2_max_frame_num_minus4 + 4),
        max_num_ref_frames: sps.max_num_ref_frames,
        MaxLongTermFrameIdx: this.MaxLongTermFrameIdx,
      },
    );
    buffer.makeRoom(picture);
    buffer.store(picture);
    this.PrevRefFrameNum = frame_num;
  }

  private prepareSlice(current: CurrentPicture, header: SliceHeader, context: SliceContext): void {
    const { sequence, buffer } = this;
    const { lane } = current;
    const s = lane.state;
    lane.startSlice(sequence.sps, context.pps, header, () => setSliceParameters(s, header, context));
    const substitute = this.lastReference ?? buffer.frames[0] ?? current.picture;
    if (setSliceReferences(s, header, context, { frames: buffer.frames, structure: current.structure, substitute })) {
      this.hasHoles = true;
    }
  }

  /** A list of the current picture has entries that no picture fills. */
  private hasHoles = false;
}
