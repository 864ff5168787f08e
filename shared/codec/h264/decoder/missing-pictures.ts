// Pictures that never came: the frames of a frame_num gap (8.2.5.2), and the other field of a field that stayed alone. Called by
// picture-decoder.ts.

import {
  deriveOrderCount,
  finishOrderCount,
  type OrderCountInput,
  type OrderCountState,
} from '../dpb/picture-order-count.ts';
import { BOTTOM_FIELD, FRAME, type Picture } from '../dpb/picture.ts';
import type { SequenceParameterSet } from '../syntax/sps.ts';
import type { Sequence } from './sequence.ts';
import type { SliceState } from './slice-state.ts';

const { max, min } = Math;

/**
 * The frame numbers that were left out between the last reference and a picture (7.4.3, 8.2.5.2): those of them that can stay in the
 * buffer.
 */
export function missingFrameNumbers(PrevRefFrameNum: number, frame_num: number, sps: SequenceParameterSet): number[] {
  const MaxFrameNum = 1 << (sps.log2_max_frame_num_minus4 + 4);
  const count = (frame_num - PrevRefFrameNum - 1 + 2 * MaxFrameNum) % MaxFrameNum;
  const useful = min(count, max(1, sps.max_num_ref_frames));
  return Array.from({ length: useful }, (_, i) => (frame_num - useful + i + MaxFrameNum) % MaxFrameNum);
}

/** What a missing frame is made of. */
export type MissingFrame = {
  readonly sequence: Sequence;
  readonly orderState: OrderCountState;
  /** Whose samples it shows where it is referred to all the same. */
  readonly source: Picture | null;
  readonly frame_num: number;
  /** Gaps are not allowed: the frame was lost, it is not "non-existing". */
  readonly isLoss: boolean;
};

/** Makes `picture` the reference frame of a number that was left out. */
export function makeMissingFrame(
  picture: Picture,
  { sequence, orderState, source, frame_num, isLoss }: MissingFrame,
): void {
  const { sps, state } = sequence;
  picture.reset();
  picture.isNonExisting = !isLoss;
  picture.FrameNum = frame_num;
  picture.isReference = true;
  picture.decoded = FRAME;
  const orderInput: OrderCountInput = {
    frame_num,
    field_pic_flag: false,
    bottom_field_flag: false,
    pic_order_cnt_lsb: 0,
    delta_pic_order_cnt_bottom: 0,
    delta_pic_order_cnt: [0, 0],
    isIdr: false,
    isReference: true,
  };
  if (sps.pic_order_cnt_type !== 0) {
    const order = deriveOrderCount(sps, orderState, orderInput);
    picture.TopFieldOrderCnt = order.TopFieldOrderCnt;
    picture.BottomFieldOrderCnt = order.BottomFieldOrderCnt;
    finishOrderCount(orderState, orderInput, order, false);
  }
  if (source !== null) {
    const samples = 256 * state.store.macroblocks;
    state.bytes.copyWithin(picture.memory.y, source.memory.y, source.memory.y + samples);
    state.bytes.copyWithin(picture.memory.u, source.memory.u, source.memory.u + samples / 4);
    state.bytes.copyWithin(picture.memory.v, source.memory.v, source.memory.v + samples / 4);
    if (sps.pic_order_cnt_type === 0) {
      picture.TopFieldOrderCnt = source.TopFieldOrderCnt;
      picture.BottomFieldOrderCnt = source.BottomFieldOrderCnt;
    }
  }
  for (let list = 0; list < 2; list++) {
    picture.memory.refIdx[list].fill(-1);
    picture.memory.refPic[list].fill(-1);
  }
  picture.memory.mbField.fill(0);
}

/** A first field stays alone: the rows of its other field become copies, only for showing. */
export function copyToMissingField(s: SliceState, frame: Picture): void {
  const isTopMissing = frame.decoded === BOTTOM_FIELD;
  const copy = (plane: number, stride: number, rows: number): void => {
    for (let row = 0; row < rows; row += 2) {
      const from = plane + (isTopMissing ? row + 1 : row) * stride;
      const to = plane + (isTopMissing ? row : row + 1) * stride;
      s.bytes.copyWithin(to, from, from + stride);
    }
  };
  copy(frame.memory.y, s.frameStrideY, 16 * s.FrameHeightInMbs);
  copy(frame.memory.u, s.frameStrideC, 8 * s.FrameHeightInMbs);
  copy(frame.memory.v, s.frameStrideC, 8 * s.FrameHeightInMbs);
}
