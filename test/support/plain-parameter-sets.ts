// A plain Baseline parameter set that tests vary: 64x64, one reference, order count type 2.

import type { SequenceParameterSet } from '../../shared/codec/h264/syntax/sps.ts';

export const plainSps: SequenceParameterSet = {
  profile_idc: 66,
  constraint_set_flags: 0xc0,
  level_idc: 30,
  seq_parameter_set_id: 0,
  chroma_format_idc: 1,
  separate_colour_plane_flag: false,
  bit_depth_luma_minus8: 0,
  bit_depth_chroma_minus8: 0,
  qpprime_y_zero_transform_bypass_flag: false,
  scaling_lists: null,
  log2_max_frame_num_minus4: 4,
  pic_order_cnt_type: 2,
  log2_max_pic_order_cnt_lsb_minus4: 0,
  delta_pic_order_always_zero_flag: false,
  offset_for_non_ref_pic: 0,
  offset_for_top_to_bottom_field: 0,
  offset_for_ref_frame: [],
  max_num_ref_frames: 1,
  gaps_in_frame_num_value_allowed_flag: false,
  pic_width_in_mbs_minus1: 3,
  pic_height_in_map_units_minus1: 3,
  frame_mbs_only_flag: true,
  mb_adaptive_frame_field_flag: false,
  direct_8x8_inference_flag: true,
  frame_cropping: null,
  vui: null,
};
