// Picture order count (8.2.1): types 0, 1 and 2. Called once per picture, before its reference lists are made.

import type { SequenceParameterSet } from '../syntax/sps.ts';
import type { SliceHeader } from '../syntax/slice-header.ts';

const { min } = Math;

/** What one picture leaves for the next (the prev* variables). Changed by `finish`. */
export type OrderCountState = {
  prevPicOrderCntMsb: number;
  prevPicOrderCntLsb: number;
  prevFrameNum: number;
  prevFrameNumOffset: number;
};

/** The state before an IDR picture. */
export function initialOrderCountState(): OrderCountState {
  return { prevPicOrderCntMsb: 0, prevPicOrderCntLsb: 0, prevFrameNum: 0, prevFrameNumOffset: 0 };
}

/** Elements of the slice header that order counts depend on. */
export type OrderCountInput = Pick<
  SliceHeader,
  | 'frame_num'
  | 'field_pic_flag'
  | 'bottom_field_flag'
  | 'pic_order_cnt_lsb'
  | 'delta_pic_order_cnt_bottom'
  | 'delta_pic_order_cnt'
> & { readonly isIdr: boolean; readonly isReference: boolean };

/** The result; for a field picture only its own count is meant. */
export type OrderCount = {
  readonly TopFieldOrderCnt: number;
  readonly BottomFieldOrderCnt: number;
  readonly PicOrderCntMsb: number;
  readonly FrameNumOffset: number;
};

/** Derives the order counts of a picture; `state` is not changed. */
export function deriveOrderCount(
  sps: SequenceParameterSet,
  state: OrderCountState,
  input: OrderCountInput,
): OrderCount {
  if (sps.pic_order_cnt_type === 0) {
    return deriveType0(sps, state, input);
  }
  const FrameNumOffset = deriveFrameNumOffset(sps, state, input);
  return sps.pic_order_cnt_type === 1 ? deriveType1(sps, FrameNumOffset, input) : deriveType2(FrameNumOffset, input);
}

// 8.2.1.1
function deriveType0(sps: SequenceParameterSet, state: OrderCountState, input: OrderCountInput): OrderCount {
  const MaxPicOrderCntLsb = 1 << (sps.log2_max_pic_order_cnt_lsb_minus4 + 4);
  const prevMsb = input.isIdr ? 0 : state.prevPicOrderCntMsb;
  const prevLsb = input.isIdr ? 0 : state.prevPicOrderCntLsb;
  const lsb = input.pic_order_cnt_lsb;
  let PicOrderCntMsb = prevMsb;
  if (lsb < prevLsb && prevLsb - lsb >= MaxPicOrderCntLsb / 2) {
    PicOrderCntMsb = prevMsb + MaxPicOrderCntLsb;
  } else if (lsb > prevLsb && lsb - prevLsb > MaxPicOrderCntLsb / 2) {
    PicOrderCntMsb = prevMsb - MaxPicOrderCntLsb;
  }
  const count = PicOrderCntMsb + lsb;
  return {
    TopFieldOrderCnt: count,
    BottomFieldOrderCnt: input.field_pic_flag ? count : count + input.delta_pic_order_cnt_bottom,
    PicOrderCntMsb,
    FrameNumOffset: 0,
  };
}

// (8-6), (8-11)
function deriveFrameNumOffset(sps: SequenceParameterSet, state: OrderCountState, input: OrderCountInput): number {
  if (input.isIdr) {
    return 0;
  }
  const MaxFrameNum = 1 << (sps.log2_max_frame_num_minus4 + 4);
  return state.prevFrameNum > input.frame_num ? state.prevFrameNumOffset + MaxFrameNum : state.prevFrameNumOffset;
}

// 8.2.1.2
function deriveType1(sps: SequenceParameterSet, FrameNumOffset: number, input: OrderCountInput): OrderCount {
  const offsets = sps.offset_for_ref_frame;
  let absFrameNum = offsets.length > 0 ? FrameNumOffset + input.frame_num : 0;
  if (!input.isReference && absFrameNum > 0) {
    absFrameNum--;
  }
  let expected = 0;
  if (absFrameNum > 0) {
    const cycle = (absFrameNum - 1 - ((absFrameNum - 1) % offsets.length)) / offsets.length;
    const frameInCycle = (absFrameNum - 1) % offsets.length;
    for (const [i, offset] of offsets.entries()) {
      expected += offset * (i <= frameInCycle ? cycle + 1 : cycle);
    }
  }
  if (!input.isReference) {
    expected += sps.offset_for_non_ref_pic;
  }
  const [delta0, delta1] = input.delta_pic_order_cnt;
  const top = expected + delta0;
  const bottom = input.field_pic_flag
    ? expected + sps.offset_for_top_to_bottom_field + delta0
    : top + sps.offset_for_top_to_bottom_field + delta1;
  return { TopFieldOrderCnt: top, BottomFieldOrderCnt: bottom, PicOrderCntMsb: 0, FrameNumOffset };
}

// 8.2.1.3
function deriveType2(FrameNumOffset: number, input: OrderCountInput): OrderCount {
  const count = input.isIdr ? 0 : 2 * (FrameNumOffset + input.frame_num) - (input.isReference ? 0 : 1);
  return { TopFieldOrderCnt: count, BottomFieldOrderCnt: count, PicOrderCntMsb: 0, FrameNumOffset };
}

/** Updates the prev* variables after a picture. `hasReset`: it carried memory_management_control_operation 5. */
export function finishOrderCount(
  state: OrderCountState,
  input: OrderCountInput,
  order: OrderCount,
  hasReset: boolean,
): void {
  if (hasReset) {
    state.prevFrameNum = 0;
    state.prevFrameNumOffset = 0;
    state.prevPicOrderCntMsb = 0;
    // tempPicOrderCnt was taken off: a top field is 0 then, a frame keeps the distance of its top field (8.2.1).
    const temp = min(order.TopFieldOrderCnt, order.BottomFieldOrderCnt);
    state.prevPicOrderCntLsb = input.bottom_field_flag || input.field_pic_flag ? 0 : order.TopFieldOrderCnt - temp;
    return;
  }
  state.prevFrameNum = input.frame_num;
  state.prevFrameNumOffset = order.FrameNumOffset;
  if (input.isReference) {
    state.prevPicOrderCntMsb = order.PicOrderCntMsb;
    state.prevPicOrderCntLsb = input.pic_order_cnt_lsb;
  }
}
