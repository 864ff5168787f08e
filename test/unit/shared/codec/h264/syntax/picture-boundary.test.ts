// Which slice begins another picture (7.4.1.2.4): each element alone, and what may differ within a picture.

import { expect, test } from '@jest/globals';
import { isNewPicture, type SliceOfPicture } from '../../../../../../shared/codec/h264/syntax/picture-boundary.ts';
import type { PictureParameterSet } from '../../../../../../shared/codec/h264/syntax/pps.ts';
import type { SliceHeader } from '../../../../../../shared/codec/h264/syntax/slice-header.ts';
import { plainPps, plainSps } from '../../../../../support/plain-parameter-sets.ts';

const pps: PictureParameterSet = { ...plainPps, deblocking_filter_control_present_flag: true };

const plainHeader: SliceHeader = {
  first_mb_in_slice: 0,
  slice_type: 0,
  pic_parameter_set_id: 0,
  colour_plane_id: 0,
  frame_num: 3,
  field_pic_flag: false,
  bottom_field_flag: false,
  idr_pic_id: 0,
  pic_order_cnt_lsb: 6,
  delta_pic_order_cnt_bottom: 0,
  delta_pic_order_cnt: [0, 0],
  redundant_pic_cnt: 0,
  direct_spatial_mv_pred_flag: false,
  num_ref_idx_active: [1, 0],
  ref_pic_list_modification: [[], []],
  pred_weight_table: null,
  dec_ref_pic_marking: { kind: 'sliding-window' },
  cabac_init_idc: 0,
  slice_qp_delta: 0,
  sp_for_switch_flag: false,
  slice_qs_delta: 0,
  disable_deblocking_filter_idc: 0,
  slice_alpha_c0_offset_div2: 0,
  slice_beta_offset_div2: 0,
  slice_group_change_cycle: 0,
};

type Variation = {
  readonly header?: Partial<SliceHeader>;
  readonly nal_ref_idc?: number;
  readonly nal_unit_type?: number;
  readonly pic_order_cnt_type?: 0 | 1 | 2;
};

function slice({ header, nal_ref_idc = 2, nal_unit_type = 1, pic_order_cnt_type = 0 }: Variation = {}): SliceOfPicture {
  return {
    header: { ...plainHeader, ...header },
    context: { nal: { nal_ref_idc, nal_unit_type }, sps: { ...plainSps, pic_order_cnt_type }, pps },
  };
}

test.each<[string, Variation, Variation]>([
  ['frame_num', {}, { header: { frame_num: 4 } }],
  ['pic_parameter_set_id', {}, { header: { pic_parameter_set_id: 1 } }],
  ['field_pic_flag', {}, { header: { field_pic_flag: true } }],
  [
    'bottom_field_flag',
    { header: { field_pic_flag: true } },
    { header: { field_pic_flag: true, bottom_field_flag: true } },
  ],
  ['nal_ref_idc, one of them 0', {}, { nal_ref_idc: 0 }],
  ['IdrPicFlag', {}, { nal_unit_type: 5 }],
  ['idr_pic_id', { nal_unit_type: 5 }, { nal_unit_type: 5, header: { idr_pic_id: 1 } }],
  ['pic_order_cnt_lsb', {}, { header: { pic_order_cnt_lsb: 8 } }],
  ['delta_pic_order_cnt_bottom', {}, { header: { delta_pic_order_cnt_bottom: -1 } }],
  [
    'delta_pic_order_cnt[0]',
    { pic_order_cnt_type: 1 },
    { pic_order_cnt_type: 1, header: { delta_pic_order_cnt: [1, 0] } },
  ],
  [
    'delta_pic_order_cnt[1]',
    { pic_order_cnt_type: 1 },
    { pic_order_cnt_type: 1, header: { delta_pic_order_cnt: [0, 1] } },
  ],
])('another %s begins another picture', (_, last, next) => {
  expect(isNewPicture(slice(last), slice(next))).toBe(true);
  expect(isNewPicture(slice(last), slice(last))).toBe(false);
});

test.each<[string, Variation, Variation]>([
  ['slice_type', {}, { header: { slice_type: 2 } }],
  ['first_mb_in_slice, backwards too', { header: { first_mb_in_slice: 9 } }, {}],
  ['nal_ref_idc, none of them 0', {}, { nal_ref_idc: 3 }],
  ['disable_deblocking_filter_idc', {}, { header: { disable_deblocking_filter_idc: 2 } }],
  [
    'pic_order_cnt_lsb with order count type 2',
    { pic_order_cnt_type: 2 },
    { pic_order_cnt_type: 2, header: { pic_order_cnt_lsb: 8 } },
  ],
  ['idr_pic_id without IDR pictures', {}, { header: { idr_pic_id: 1 } }],
])('another %s may be within a picture', (_, last, next) => {
  expect(isNewPicture(slice(last), slice(next))).toBe(false);
});
