// Picture parameter set (7.3.2.2, 7.4.2.2): parse and write. Called on every PPS NAL unit.

import { BitReader } from '../../../bitstream/bit-reader.ts';
import { BitWriter } from '../../../bitstream/bit-writer.ts';
import { seWithin, ueUpTo } from './bounded.ts';
import { parseScalingLists, writeScalingLists, type ScalingList } from './scaling-list.ts';

const { ceil, log2 } = Math;

/** How macroblocks are divided into slice groups (8.2.2). */
export type SliceGroups = {
  readonly num_slice_groups_minus1: number; // 1..7
  readonly slice_group_map_type: number; // 0..6
  readonly run_length_minus1: readonly number[]; // type 0
  readonly top_left: readonly number[]; // type 2
  readonly bottom_right: readonly number[]; // type 2
  readonly slice_group_change_direction_flag: boolean; // types 3..5
  readonly slice_group_change_rate_minus1: number; // types 3..5
  readonly slice_group_id: readonly number[]; // type 6, pic_size_in_map_units_minus1 + 1 entries
};

/** All syntax elements of pic_parameter_set_rbsp(). */
export type PictureParameterSet = {
  readonly pic_parameter_set_id: number; // 0..255
  readonly seq_parameter_set_id: number; // 0..31
  readonly entropy_coding_mode_flag: boolean;
  readonly bottom_field_pic_order_in_frame_present_flag: boolean;
  /** Null with one slice group. */
  readonly slice_groups: SliceGroups | null;
  readonly num_ref_idx_l0_default_active_minus1: number; // 0..31
  readonly num_ref_idx_l1_default_active_minus1: number; // 0..31
  readonly weighted_pred_flag: boolean;
  readonly weighted_bipred_idc: number; // 0..2
  readonly pic_init_qp_minus26: number; // -(26 + QpBdOffsetY)..25
  readonly pic_init_qs_minus26: number; // -26..25
  readonly chroma_qp_index_offset: number; // -12..12
  readonly deblocking_filter_control_present_flag: boolean;
  readonly constrained_intra_pred_flag: boolean;
  readonly redundant_pic_cnt_present_flag: boolean;
  /** The fields after more_rbsp_data(); null when they are not sent. */
  readonly high: {
    readonly transform_8x8_mode_flag: boolean;
    /** Null when pic_scaling_matrix_present_flag is 0. */
    readonly scaling_lists: readonly ScalingList[] | null;
    readonly second_chroma_qp_index_offset: number; // -12..12
  } | null;
};

/** Reads the RBSP of a PPS; `chroma_format_idc` is that of its SPS (it decides how many scaling lists follow). */
export function parsePps(rbsp: Uint8Array, chroma_format_idc = 1): PictureParameterSet {
  const reader = new BitReader(rbsp);
  const clause = '7.4.2.2';
  const base = {
    pic_parameter_set_id: ueUpTo(reader, 255, 'pic_parameter_set_id', clause),
    seq_parameter_set_id: ueUpTo(reader, 31, 'seq_parameter_set_id', clause),
    entropy_coding_mode_flag: reader.flag(),
    bottom_field_pic_order_in_frame_present_flag: reader.flag(),
    slice_groups: parseSliceGroups(reader),
    num_ref_idx_l0_default_active_minus1: ueUpTo(reader, 31, 'num_ref_idx_l0_default_active_minus1', clause),
    num_ref_idx_l1_default_active_minus1: ueUpTo(reader, 31, 'num_ref_idx_l1_default_active_minus1', clause),
    weighted_pred_flag: reader.flag(),
    weighted_bipred_idc: reader.bits(2) % 3,
    pic_init_qp_minus26: seWithin(reader, [-62, 25], 'pic_init_qp_minus26', clause),
    pic_init_qs_minus26: seWithin(reader, [-26, 25], 'pic_init_qs_minus26', clause),
    chroma_qp_index_offset: seWithin(reader, [-12, 12], 'chroma_qp_index_offset', clause),
    deblocking_filter_control_present_flag: reader.flag(),
    constrained_intra_pred_flag: reader.flag(),
    redundant_pic_cnt_present_flag: reader.flag(),
  };
  if (!reader.moreRbspData()) {
    return { ...base, high: null };
  }
  const transform_8x8_mode_flag = reader.flag();
  const listCount = 6 + (transform_8x8_mode_flag ? (chroma_format_idc === 3 ? 6 : 2) : 0);
  return {
    ...base,
    high: {
      transform_8x8_mode_flag,
      scaling_lists: reader.flag() ? parseScalingLists(reader, listCount) : null,
      second_chroma_qp_index_offset: seWithin(reader, [-12, 12], 'second_chroma_qp_index_offset', clause),
    },
  };
}

const sliceGroupIdBits = (num_slice_groups_minus1: number): number => ceil(log2(num_slice_groups_minus1 + 1));

function parseSliceGroups(reader: BitReader): SliceGroups | null {
  const clause = '7.4.2.2';
  const num_slice_groups_minus1 = ueUpTo(reader, 7, 'num_slice_groups_minus1', clause);
  if (num_slice_groups_minus1 === 0) {
    return null;
  }
  const slice_group_map_type = ueUpTo(reader, 6, 'slice_group_map_type', clause);
  const run_length_minus1: number[] = [];
  const top_left: number[] = [];
  const bottom_right: number[] = [];
  const slice_group_id: number[] = [];
  let slice_group_change_direction_flag = false;
  let slice_group_change_rate_minus1 = 0;
  if (slice_group_map_type === 0) {
    for (let i = 0; i <= num_slice_groups_minus1; i++) {
      run_length_minus1.push(reader.ue());
    }
  } else if (slice_group_map_type === 2) {
    for (let i = 0; i < num_slice_groups_minus1; i++) {
      top_left.push(reader.ue());
      bottom_right.push(reader.ue());
    }
  } else if (slice_group_map_type >= 3 && slice_group_map_type <= 5) {
    slice_group_change_direction_flag = reader.flag();
    slice_group_change_rate_minus1 = reader.ue();
  } else if (slice_group_map_type === 6) {
    const count = ueUpTo(reader, 139263, 'pic_size_in_map_units_minus1', clause) + 1;
    for (let i = 0; i < count; i++) {
      slice_group_id.push(reader.bits(sliceGroupIdBits(num_slice_groups_minus1)));
    }
  }
  return {
    num_slice_groups_minus1,
    slice_group_map_type,
    run_length_minus1,
    top_left,
    bottom_right,
    slice_group_change_direction_flag,
    slice_group_change_rate_minus1,
    slice_group_id,
  };
}

function writeSliceGroups(writer: BitWriter, groups: SliceGroups): void {
  const { slice_group_map_type } = groups;
  writer.ue(slice_group_map_type);
  if (slice_group_map_type === 0) {
    for (const run of groups.run_length_minus1) {
      writer.ue(run);
    }
  } else if (slice_group_map_type === 2) {
    for (const [i, top_left] of groups.top_left.entries()) {
      writer.ue(top_left);
      writer.ue(groups.bottom_right[i]);
    }
  } else if (slice_group_map_type >= 3 && slice_group_map_type <= 5) {
    writer.flag(groups.slice_group_change_direction_flag);
    writer.ue(groups.slice_group_change_rate_minus1);
  } else if (slice_group_map_type === 6) {
    writer.ue(groups.slice_group_id.length - 1);
    for (const id of groups.slice_group_id) {
      writer.bits(id, sliceGroupIdBits(groups.num_slice_groups_minus1));
    }
  }
}

/** Writes the RBSP of a PPS. */
export function writePps(pps: PictureParameterSet): Uint8Array {
  const writer = new BitWriter(64);
  writer.ue(pps.pic_parameter_set_id);
  writer.ue(pps.seq_parameter_set_id);
  writer.flag(pps.entropy_coding_mode_flag);
  writer.flag(pps.bottom_field_pic_order_in_frame_present_flag);
  writer.ue(pps.slice_groups?.num_slice_groups_minus1 ?? 0);
  if (pps.slice_groups !== null) {
    writeSliceGroups(writer, pps.slice_groups);
  }
  writer.ue(pps.num_ref_idx_l0_default_active_minus1);
  writer.ue(pps.num_ref_idx_l1_default_active_minus1);
  writer.flag(pps.weighted_pred_flag);
  writer.bits(pps.weighted_bipred_idc, 2);
  writer.se(pps.pic_init_qp_minus26);
  writer.se(pps.pic_init_qs_minus26);
  writer.se(pps.chroma_qp_index_offset);
  writer.flag(pps.deblocking_filter_control_present_flag);
  writer.flag(pps.constrained_intra_pred_flag);
  writer.flag(pps.redundant_pic_cnt_present_flag);
  if (pps.high !== null) {
    writer.flag(pps.high.transform_8x8_mode_flag);
    writer.flag(pps.high.scaling_lists !== null);
    writeScalingLists(writer, pps.high.scaling_lists ?? []);
    writer.se(pps.high.second_chroma_qp_index_offset);
  }
  writer.trailingBits();
  return writer.toBytes();
}
