// Worked examples of 8.2.1.

import { expect, test } from '@jest/globals';
import {
  deriveOrderCount,
  finishOrderCount,
  initialOrderCountState,
  type OrderCountInput,
} from '../../../../../../shared/codec/h264/dpb/picture-order-count.ts';
import { parseSps, writeSps, type SequenceParameterSet } from '../../../../../../shared/codec/h264/syntax/sps.ts';
import { plainSps } from '../../../../../support/plain-parameter-sets.ts';

const input = (changes: Partial<OrderCountInput>): OrderCountInput => ({
  frame_num: 0,
  field_pic_flag: false,
  bottom_field_flag: false,
  pic_order_cnt_lsb: 0,
  delta_pic_order_cnt_bottom: 0,
  delta_pic_order_cnt: [0, 0],
  isIdr: false,
  isReference: true,
  ...changes,
});

function run(
  sps: SequenceParameterSet,
  pictures: readonly (Partial<OrderCountInput> & { reset?: true })[],
): number[][] {
  const state = initialOrderCountState();
  return pictures.map(({ reset, ...changes }) => {
    const picture = input(changes);
    const order = deriveOrderCount(sps, state, picture);
    finishOrderCount(state, picture, order, reset === true);
    return [order.TopFieldOrderCnt, order.BottomFieldOrderCnt];
  });
}

test('type 0 wraps the least significant bits upwards and downwards', () => {
  const sps = { ...plainSps, pic_order_cnt_type: 0, log2_max_pic_order_cnt_lsb_minus4: 0 };
  const lsbs = [0, 8, 4, 12, 2, 14, 6];
  const references = [true, true, false, true, true, false, true];
  const counts = run(
    sps,
    lsbs.map((pic_order_cnt_lsb, i) => ({ pic_order_cnt_lsb, isIdr: i === 0, isReference: references[i] })),
  );
  expect(counts.map(([top]) => top)).toEqual([0, 8, 4, 12, 18, 14, 22]);
});

test('type 0 gives the bottom field its delta, and a bottom field picture its own count', () => {
  const sps = { ...plainSps, pic_order_cnt_type: 0, log2_max_pic_order_cnt_lsb_minus4: 4 };
  expect(
    run(sps, [
      { isIdr: true, delta_pic_order_cnt_bottom: 1 },
      { pic_order_cnt_lsb: 4, field_pic_flag: true },
      { pic_order_cnt_lsb: 5, field_pic_flag: true, bottom_field_flag: true },
    ]),
  ).toEqual([
    [0, 1],
    [4, 4],
    [5, 5],
  ]);
});

test('type 0 counts from the top field after memory_management_control_operation 5', () => {
  const sps = { ...plainSps, pic_order_cnt_type: 0, log2_max_pic_order_cnt_lsb_minus4: 0 };
  const counts = run(sps, [
    { isIdr: true },
    { pic_order_cnt_lsb: 10, delta_pic_order_cnt_bottom: -2, reset: true },
    { pic_order_cnt_lsb: 4 },
  ]);
  // The frame keeps top 2, bottom 0; 4 is above 2 without a wrap.
  expect(counts[2]).toEqual([4, 4]);
});

test('type 1 adds the cycle of expected deltas', () => {
  const sps = {
    ...plainSps,
    pic_order_cnt_type: 1,
    offset_for_ref_frame: [2, 4],
    offset_for_non_ref_pic: -1,
    offset_for_top_to_bottom_field: 1,
  };
  const counts = run(sps, [
    { isIdr: true },
    { frame_num: 1 },
    { frame_num: 2 },
    { frame_num: 3 },
    { frame_num: 4, isReference: false },
    { frame_num: 4, delta_pic_order_cnt: [10, 5] },
  ]);
  expect(counts).toEqual([
    [0, 1],
    [2, 3],
    [6, 7],
    [8, 9],
    [7, 8],
    [22, 28],
  ]);
});

test('type 2 follows decoding order and survives the wrap of frame_num', () => {
  const sps = { ...plainSps, pic_order_cnt_type: 2, log2_max_frame_num_minus4: 0 };
  const counts = run(sps, [
    { isIdr: true },
    { frame_num: 1 },
    { frame_num: 2, isReference: false },
    { frame_num: 15 },
    { frame_num: 0 },
  ]);
  expect(counts.map(([top]) => top)).toEqual([0, 2, 3, 30, 32]);
});

test('the plain parameter set of the tests is legal', () => {
  expect(parseSps(writeSps(plainSps))).toEqual(plainSps);
});
