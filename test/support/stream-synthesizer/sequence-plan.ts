// Parameter sets of a synthetic stream: one SPS and a few PPSs that differ in everything that may change from picture to picture.
// Left out is what ffmpeg, the judge, gets wrong: explicit weights of monochrome pictures (it weights chroma that is not there), and
// constrained intra prediction in MBAFF frames (it takes the corner sample of a lower left 8x8 block from the wrong macroblock).

import type { PictureParameterSet } from '../../../shared/codec/h264/syntax/pps.ts';
import type { ScalingList } from '../../../shared/codec/h264/syntax/scaling-list.ts';
import type { SequenceParameterSet } from '../../../shared/codec/h264/syntax/sps.ts';
import type { VuiParameters } from '../../../shared/codec/h264/syntax/vui.ts';
import { plainSps } from '../plain-parameter-sets.ts';
import type { Draw } from './draw.ts';

/** How the frames of a stream may be coded. */
type Coding = 'progressive' | 'fields' | 'mbaff' | 'mixed';

/** What a stream is made with. */
export type SequencePlan = {
  readonly coding: Coding;
  readonly profile: 'main' | 'high';
  readonly sps: SequenceParameterSet;
  readonly ppss: readonly PictureParameterSet[];
  /** Pictures that may come out later than they were decoded. */
  readonly reorder: number;
};

const restriction = (reorder: number, buffering: number): VuiParameters => ({
  aspect_ratio: null,
  overscan_appropriate_flag: null,
  video_signal_type: null,
  chroma_loc: null,
  timing: null,
  nal_hrd: null,
  vcl_hrd: null,
  low_delay_hrd_flag: false,
  pic_struct_present_flag: false,
  bitstream_restriction: {
    motion_vectors_over_pic_boundaries_flag: true,
    max_bytes_per_pic_denom: 0,
    max_bits_per_mb_denom: 0,
    log2_max_mv_length_horizontal: 13,
    log2_max_mv_length_vertical: 13,
    max_num_reorder_frames: reorder,
    max_dec_frame_buffering: buffering,
  },
});

function scalingLists(draw: Draw, count: number): ScalingList[] {
  return Array.from({ length: count }, (_, i) => {
    const length = i < 6 ? 16 : 64;
    const kind = draw.below(3);
    return kind === 0 ? null : kind === 1 ? 'default' : Array.from({ length }, () => draw.between(6, 40));
  });
}

function drawPps(
  draw: Draw,
  id: number,
  plan: { readonly isHigh: boolean; readonly sps: SequenceParameterSet },
): PictureParameterSet {
  const hasChroma = plan.sps.chroma_format_idc !== 0;
  const transform_8x8_mode_flag = plan.isHigh && draw.chance(60);
  return {
    pic_parameter_set_id: id,
    seq_parameter_set_id: 0,
    entropy_coding_mode_flag: draw.chance(60),
    bottom_field_pic_order_in_frame_present_flag: draw.chance(50),
    slice_groups: null,
    num_ref_idx_l0_default_active_minus1: draw.below(3),
    num_ref_idx_l1_default_active_minus1: draw.below(3),
    weighted_pred_flag: hasChroma && draw.chance(40),
    weighted_bipred_idc: hasChroma ? draw.below(3) : draw.pick([0, 2]),
    pic_init_qp_minus26: draw.between(-8, 8),
    pic_init_qs_minus26: 0,
    chroma_qp_index_offset: draw.between(-12, 12),
    deblocking_filter_control_present_flag: draw.chance(80),
    constrained_intra_pred_flag: !plan.sps.mb_adaptive_frame_field_flag && draw.chance(35),
    redundant_pic_cnt_present_flag: false,
    high: plan.isHigh
      ? {
          transform_8x8_mode_flag,
          scaling_lists: draw.chance(25) ? scalingLists(draw, transform_8x8_mode_flag ? 8 : 6) : null,
          second_chroma_qp_index_offset: draw.between(-12, 12),
        }
      : null,
  };
}

/** Draws the parameter sets of a stream. */
export function drawSequence(draw: Draw): SequencePlan {
  const coding = draw.pick(['progressive', 'fields', 'mbaff', 'mixed', 'mixed'] as const);
  const isHigh = draw.chance(60);
  const isInterlaced = coding !== 'progressive';
  const pic_order_cnt_type = draw.pick([0, 0, 0, 1, 2]);
  const reorder = pic_order_cnt_type === 2 ? 0 : 2;
  const max_num_ref_frames = draw.between(1, 5);
  const cycle = draw.below(4);
  const sps: SequenceParameterSet = {
    ...plainSps,
    profile_idc: isHigh ? 100 : 77,
    constraint_set_flags: 0,
    level_idc: 40,
    chroma_format_idc: isHigh && draw.chance(12) ? 0 : 1,
    scaling_lists: isHigh && draw.chance(25) ? scalingLists(draw, 8) : null,
    log2_max_frame_num_minus4: draw.below(3),
    pic_order_cnt_type,
    log2_max_pic_order_cnt_lsb_minus4: draw.between(2, 6),
    delta_pic_order_always_zero_flag: false,
    offset_for_non_ref_pic: pic_order_cnt_type === 1 ? draw.between(-4, 4) : 0,
    offset_for_top_to_bottom_field: pic_order_cnt_type === 1 ? draw.between(-2, 2) : 0,
    offset_for_ref_frame: pic_order_cnt_type === 1 ? Array.from({ length: cycle }, () => draw.between(-3, 12)) : [],
    max_num_ref_frames,
    pic_width_in_mbs_minus1: draw.below(6),
    pic_height_in_map_units_minus1: isInterlaced ? draw.below(3) : draw.below(5),
    frame_mbs_only_flag: !isInterlaced,
    mb_adaptive_frame_field_flag: coding === 'mbaff' || coding === 'mixed',
    direct_8x8_inference_flag: isInterlaced || draw.chance(50),
    frame_cropping: draw.chance(30)
      ? {
          frame_crop_left_offset: draw.below(3),
          frame_crop_right_offset: draw.below(3),
          frame_crop_top_offset: draw.below(2),
          frame_crop_bottom_offset: draw.below(2),
        }
      : null,
    vui: restriction(reorder, Math.min(16, max_num_ref_frames + reorder + 1)),
  };
  const ppss = Array.from({ length: 3 }, (_, id) => drawPps(draw, id, { isHigh, sps }));
  return { coding, profile: isHigh ? 'high' : 'main', sps, ppss, reorder };
}
