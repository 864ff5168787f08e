// Sequence parameter set (7.3.2.1.1, 7.4.2.1.1): parse, write, and what follows from it. Called on every SPS NAL unit.

import { BitReader } from '../../../bitstream/bit-reader.ts';
import { BitWriter } from '../../../bitstream/bit-writer.ts';
import { BitstreamError } from '../../../errors.ts';
import { UNSPECIFIED_COLOUR, type ColourDescription } from '../../../media/colour.ts';
import { TABLE_A_1_LEVELS } from '../tables/levels.generated.ts';
import { ueUpTo } from './bounded.ts';
import { parseScalingLists, writeScalingLists, type ScalingList } from './scaling-list.ts';
import { parseVui, writeVui, type VuiParameters } from './vui.ts';

const { floor, min, max } = Math;

/** All syntax elements of seq_parameter_set_data(). Elements that are not sent hold their inferred value. */
export type SequenceParameterSet = {
  readonly profile_idc: number;
  /** constraint_set0_flag in bit 7 down to constraint_set5_flag in bit 2; reserved_zero_2bits. */
  readonly constraint_set_flags: number;
  readonly level_idc: number;
  readonly seq_parameter_set_id: number; // 0..31
  readonly chroma_format_idc: number; // 0..3
  readonly separate_colour_plane_flag: boolean;
  readonly bit_depth_luma_minus8: number; // 0..6
  readonly bit_depth_chroma_minus8: number; // 0..6
  readonly qpprime_y_zero_transform_bypass_flag: boolean;
  /** 8 (12 for 4:4:4) lists, or null when seq_scaling_matrix_present_flag is 0. */
  readonly scaling_lists: readonly ScalingList[] | null;
  readonly log2_max_frame_num_minus4: number; // 0..12
  readonly pic_order_cnt_type: number; // 0..2
  readonly log2_max_pic_order_cnt_lsb_minus4: number; // 0..12, type 0
  readonly delta_pic_order_always_zero_flag: boolean; // type 1, as the four below
  readonly offset_for_non_ref_pic: number;
  readonly offset_for_top_to_bottom_field: number;
  readonly offset_for_ref_frame: readonly number[]; // num_ref_frames_in_pic_order_cnt_cycle entries, 0..255
  readonly max_num_ref_frames: number; // 0..16
  readonly gaps_in_frame_num_value_allowed_flag: boolean;
  readonly pic_width_in_mbs_minus1: number;
  readonly pic_height_in_map_units_minus1: number;
  readonly frame_mbs_only_flag: boolean;
  readonly mb_adaptive_frame_field_flag: boolean;
  readonly direct_8x8_inference_flag: boolean;
  /** Crop offsets in crop units, or null when frame_cropping_flag is 0. */
  readonly frame_cropping: {
    readonly frame_crop_left_offset: number;
    readonly frame_crop_right_offset: number;
    readonly frame_crop_top_offset: number;
    readonly frame_crop_bottom_offset: number;
  } | null;
  readonly vui: VuiParameters | null;
};

const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** Largest picture that is taken: level 6.2 allows 139264 macroblocks, sides up to 1055. */
const MAX_SIDE_IN_MBS = 1055;

/** Reads the RBSP of an SPS. */
export function parseSps(rbsp: Uint8Array): SequenceParameterSet {
  const reader = new BitReader(rbsp);
  const clause = '7.4.2.1.1';
  const profile_idc = reader.bits(8);
  const constraint_set_flags = reader.bits(8);
  const level_idc = reader.bits(8);
  const seq_parameter_set_id = ueUpTo(reader, 31, 'seq_parameter_set_id', clause);
  const chroma = HIGH_PROFILES.has(profile_idc) ? parseChroma(reader) : CHROMA_420;
  const log2_max_frame_num_minus4 = ueUpTo(reader, 12, 'log2_max_frame_num_minus4', clause);
  const order = parseOrderCount(reader);
  const max_num_ref_frames = ueUpTo(reader, 16, 'max_num_ref_frames', clause);
  const gaps_in_frame_num_value_allowed_flag = reader.flag();
  const pic_width_in_mbs_minus1 = ueUpTo(reader, MAX_SIDE_IN_MBS - 1, 'pic_width_in_mbs_minus1', clause);
  const pic_height_in_map_units_minus1 = ueUpTo(reader, MAX_SIDE_IN_MBS - 1, 'pic_height_in_map_units_minus1', clause);
  const frame_mbs_only_flag = reader.flag();
  const mb_adaptive_frame_field_flag = frame_mbs_only_flag ? false : reader.flag();
  const direct_8x8_inference_flag = reader.flag();
  const frame_cropping = reader.flag()
    ? {
        frame_crop_left_offset: reader.ue(),
        frame_crop_right_offset: reader.ue(),
        frame_crop_top_offset: reader.ue(),
        frame_crop_bottom_offset: reader.ue(),
      }
    : null;
  const sps = {
    profile_idc,
    constraint_set_flags,
    level_idc,
    seq_parameter_set_id,
    ...chroma,
    log2_max_frame_num_minus4,
    ...order,
    max_num_ref_frames,
    gaps_in_frame_num_value_allowed_flag,
    pic_width_in_mbs_minus1,
    pic_height_in_map_units_minus1,
    frame_mbs_only_flag,
    mb_adaptive_frame_field_flag,
    direct_8x8_inference_flag,
    frame_cropping,
    vui: reader.flag() ? parseVuiOrNull(reader) : null,
  };
  return withLegalCrop(sps, reader.position);
}

/** Decoding does not need the VUI: damaged ones count as absent, as widespread encoders write them. */
function parseVuiOrNull(reader: BitReader): VuiParameters | null {
  try {
    return parseVui(reader);
  } catch (error) {
    if (error instanceof BitstreamError) {
      return null;
    }
    throw error;
  }
}

const CHROMA_420 = {
  chroma_format_idc: 1,
  separate_colour_plane_flag: false,
  bit_depth_luma_minus8: 0,
  bit_depth_chroma_minus8: 0,
  qpprime_y_zero_transform_bypass_flag: false,
  scaling_lists: null,
} as const;

type Chroma = Pick<SequenceParameterSet, keyof typeof CHROMA_420>;

function parseChroma(reader: BitReader): Chroma {
  const chroma_format_idc = ueUpTo(reader, 3, 'chroma_format_idc', '7.4.2.1.1');
  return {
    chroma_format_idc,
    separate_colour_plane_flag: chroma_format_idc === 3 ? reader.flag() : false,
    bit_depth_luma_minus8: ueUpTo(reader, 6, 'bit_depth_luma_minus8', '7.4.2.1.1'),
    bit_depth_chroma_minus8: ueUpTo(reader, 6, 'bit_depth_chroma_minus8', '7.4.2.1.1'),
    qpprime_y_zero_transform_bypass_flag: reader.flag(),
    scaling_lists: reader.flag() ? parseScalingLists(reader, chroma_format_idc === 3 ? 12 : 8) : null,
  };
}

type OrderCount = Pick<
  SequenceParameterSet,
  | 'pic_order_cnt_type'
  | 'log2_max_pic_order_cnt_lsb_minus4'
  | 'delta_pic_order_always_zero_flag'
  | 'offset_for_non_ref_pic'
  | 'offset_for_top_to_bottom_field'
  | 'offset_for_ref_frame'
>;

function parseOrderCount(reader: BitReader): OrderCount {
  const pic_order_cnt_type = ueUpTo(reader, 2, 'pic_order_cnt_type', '7.4.2.1.1');
  const none = {
    pic_order_cnt_type,
    log2_max_pic_order_cnt_lsb_minus4: 0,
    delta_pic_order_always_zero_flag: false,
    offset_for_non_ref_pic: 0,
    offset_for_top_to_bottom_field: 0,
    offset_for_ref_frame: [],
  };
  if (pic_order_cnt_type === 0) {
    const log2 = ueUpTo(reader, 12, 'log2_max_pic_order_cnt_lsb_minus4', '7.4.2.1.1');
    return { ...none, log2_max_pic_order_cnt_lsb_minus4: log2 };
  }
  if (pic_order_cnt_type === 2) {
    return none;
  }
  const delta_pic_order_always_zero_flag = reader.flag();
  const offset_for_non_ref_pic = reader.se();
  const offset_for_top_to_bottom_field = reader.se();
  const count = ueUpTo(reader, 255, 'num_ref_frames_in_pic_order_cnt_cycle', '7.4.2.1.1');
  const offset_for_ref_frame: number[] = [];
  for (let i = 0; i < count; i++) {
    offset_for_ref_frame.push(reader.se());
  }
  return {
    ...none,
    delta_pic_order_always_zero_flag,
    offset_for_non_ref_pic,
    offset_for_top_to_bottom_field,
    offset_for_ref_frame,
  };
}

/** Refuses pictures that are too large; a crop rectangle that leaves no picture counts as absent. */
function withLegalCrop(sps: SequenceParameterSet, position: number): SequenceParameterSet {
  const { codedWidth, codedHeight, width, height } = pictureSizeOf(sps);
  if (codedWidth * codedHeight > 139264 * 256) {
    throw new BitstreamError('unsupported', 'A.3', position, `A picture of ${codedWidth}x${codedHeight} is too large.`);
  }
  return width > 0 && height > 0 ? sps : { ...sps, frame_cropping: null };
}

/** Writes the RBSP of an SPS. */
export function writeSps(sps: SequenceParameterSet): Uint8Array {
  const writer = new BitWriter(64);
  writer.bits(sps.profile_idc, 8);
  writer.bits(sps.constraint_set_flags, 8);
  writer.bits(sps.level_idc, 8);
  writer.ue(sps.seq_parameter_set_id);
  if (HIGH_PROFILES.has(sps.profile_idc)) {
    writer.ue(sps.chroma_format_idc);
    if (sps.chroma_format_idc === 3) {
      writer.flag(sps.separate_colour_plane_flag);
    }
    writer.ue(sps.bit_depth_luma_minus8);
    writer.ue(sps.bit_depth_chroma_minus8);
    writer.flag(sps.qpprime_y_zero_transform_bypass_flag);
    writer.flag(sps.scaling_lists !== null);
    writeScalingLists(writer, sps.scaling_lists ?? []);
  }
  writer.ue(sps.log2_max_frame_num_minus4);
  writer.ue(sps.pic_order_cnt_type);
  if (sps.pic_order_cnt_type === 0) {
    writer.ue(sps.log2_max_pic_order_cnt_lsb_minus4);
  } else if (sps.pic_order_cnt_type === 1) {
    writer.flag(sps.delta_pic_order_always_zero_flag);
    writer.se(sps.offset_for_non_ref_pic);
    writer.se(sps.offset_for_top_to_bottom_field);
    writer.ue(sps.offset_for_ref_frame.length);
    for (const offset of sps.offset_for_ref_frame) {
      writer.se(offset);
    }
  }
  writer.ue(sps.max_num_ref_frames);
  writer.flag(sps.gaps_in_frame_num_value_allowed_flag);
  writer.ue(sps.pic_width_in_mbs_minus1);
  writer.ue(sps.pic_height_in_map_units_minus1);
  writer.flag(sps.frame_mbs_only_flag);
  if (!sps.frame_mbs_only_flag) {
    writer.flag(sps.mb_adaptive_frame_field_flag);
  }
  writer.flag(sps.direct_8x8_inference_flag);
  writer.flag(sps.frame_cropping !== null);
  if (sps.frame_cropping !== null) {
    writer.ue(sps.frame_cropping.frame_crop_left_offset);
    writer.ue(sps.frame_cropping.frame_crop_right_offset);
    writer.ue(sps.frame_cropping.frame_crop_top_offset);
    writer.ue(sps.frame_cropping.frame_crop_bottom_offset);
  }
  writer.flag(sps.vui !== null);
  if (sps.vui !== null) {
    writeVui(writer, sps.vui);
  }
  writer.trailingBits();
  return writer.toBytes();
}

/** Sizes in samples that follow from an SPS (7.4.2.1.1). */
export type PictureSize = {
  readonly PicWidthInMbs: number;
  readonly FrameHeightInMbs: number;
  readonly codedWidth: number;
  readonly codedHeight: number;
  /** The crop rectangle in luma samples. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
};

/** ChromaArrayType (7.4.2.1.1). */
export function chromaArrayTypeOf(sps: SequenceParameterSet): number {
  return sps.separate_colour_plane_flag ? 0 : sps.chroma_format_idc;
}

/** Sizes of the frame and its crop rectangle. */
export function pictureSizeOf(sps: SequenceParameterSet): PictureSize {
  const PicWidthInMbs = sps.pic_width_in_mbs_minus1 + 1;
  const FrameHeightInMbs = (sps.frame_mbs_only_flag ? 1 : 2) * (sps.pic_height_in_map_units_minus1 + 1);
  const ChromaArrayType = chromaArrayTypeOf(sps);
  const cropUnitX = ChromaArrayType === 1 || ChromaArrayType === 2 ? 2 : 1;
  const cropUnitY = (ChromaArrayType === 1 ? 2 : 1) * (sps.frame_mbs_only_flag ? 1 : 2);
  const crop = sps.frame_cropping;
  const left = cropUnitX * (crop?.frame_crop_left_offset ?? 0);
  const top = cropUnitY * (crop?.frame_crop_top_offset ?? 0);
  const codedWidth = PicWidthInMbs * 16;
  const codedHeight = FrameHeightInMbs * 16;
  return {
    PicWidthInMbs,
    FrameHeightInMbs,
    codedWidth,
    codedHeight,
    left,
    top,
    width: codedWidth - left - cropUnitX * (crop?.frame_crop_right_offset ?? 0),
    height: codedHeight - top - cropUnitY * (crop?.frame_crop_bottom_offset ?? 0),
  };
}

/** Level 1b is coded as level_idc 11 with constraint_set3_flag in Baseline, Main and Extended (A.3.1). */
function levelRow(sps: SequenceParameterSet): (typeof TABLE_A_1_LEVELS)[number] {
  const is1b = sps.level_idc === 11 && (sps.constraint_set_flags & 0x10) !== 0 && !HIGH_PROFILES.has(sps.profile_idc);
  const level_idc = is1b ? 9 : sps.level_idc;
  const exact = TABLE_A_1_LEVELS.find((row) => row.level_idc === level_idc);
  const above = TABLE_A_1_LEVELS.find((row) => row.level_idc >= level_idc);
  return exact ?? above ?? TABLE_A_1_LEVELS[TABLE_A_1_LEVELS.length - 1];
}

/** Name of the level, such as `3.1` or `1b`. */
export function levelNameOf(sps: SequenceParameterSet): string {
  return levelRow(sps).level;
}

/** MaxDpbFrames (A.3.1 h), 1..16: at least what the stream itself says it needs. */
export function maxDpbFramesOf(sps: SequenceParameterSet): number {
  const { PicWidthInMbs, FrameHeightInMbs } = pictureSizeOf(sps);
  const frames = floor(levelRow(sps).MaxDpbMbs / (PicWidthInMbs * FrameHeightInMbs));
  return min(16, max(frames, 1, sps.max_num_ref_frames));
}

/** Colour description of the pictures (E.2.1). */
export function colourOf(sps: SequenceParameterSet): ColourDescription {
  const signal = sps.vui?.video_signal_type ?? null;
  if (signal === null) {
    return UNSPECIFIED_COLOUR;
  }
  return {
    ...(signal.colour_description ?? {
      colour_primaries: 2,
      transfer_characteristics: 2,
      matrix_coefficients: 2,
    }),
    video_full_range_flag: signal.video_full_range_flag,
  };
}

/** RFC 6381 codec string, such as `avc1.64001f`. */
export function codecStringOf(sps: SequenceParameterSet): string {
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  return `avc1.${hex(sps.profile_idc)}${hex(sps.constraint_set_flags)}${hex(sps.level_idc)}`;
}

/** Frames per second said by the VUI, or null. */
export function frameRateOf(sps: SequenceParameterSet): number | null {
  const timing = sps.vui?.timing ?? null;
  if (timing === null || timing.num_units_in_tick === 0 || timing.time_scale === 0) {
    return null;
  }
  return timing.time_scale / (2 * timing.num_units_in_tick);
}
