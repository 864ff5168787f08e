// Plain Baseline parameter sets that tests vary: 64x64, one reference, order count type 2.

import type { PictureParameterSet } from '../../shared/codec/h264/syntax/pps.ts';
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

export const plainPps: PictureParameterSet = {
  pic_parameter_set_id: 0,
  seq_parameter_set_id: 0,
  entropy_coding_mode_flag: false,
  bottom_field_pic_order_in_frame_present_flag: false,
  slice_groups: null,
  num_ref_idx_l0_default_active_minus1: 0,
  num_ref_idx_l1_default_active_minus1: 0,
  weighted_pred_flag: false,
  weighted_bipred_idc: 0,
  pic_init_qp_minus26: 0,
  pic_init_qs_minus26: 0,
  chroma_qp_index_offset: 0,
  deblocking_filter_control_present_flag: false,
  constrained_intra_pred_flag: false,
  redundant_pic_cnt_present_flag: false,
  high: null,
};
