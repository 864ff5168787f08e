// VUI parameters (E.1.1, E.1.2): how to show the picture and how long it may wait. Part of the SPS.

import type { BitReader } from '../../../bitstream/bit-reader.ts';
import type { BitWriter } from '../../../bitstream/bit-writer.ts';
import { TABLE_E_1_SAMPLE_ASPECT } from '../tables/levels.generated.ts';
import { ueUpTo } from './bounded.ts';

/** hrd_parameters() (E.1.2). */
export type HrdParameters = {
  readonly bit_rate_scale: number; // 0..15
  readonly cpb_size_scale: number; // 0..15
  /** cpb_cnt_minus1 + 1 entries, 1..32. */
  readonly cpbs: readonly {
    readonly bit_rate_value_minus1: number;
    readonly cpb_size_value_minus1: number;
    readonly cbr_flag: boolean;
  }[];
  readonly initial_cpb_removal_delay_length_minus1: number; // 0..31
  readonly cpb_removal_delay_length_minus1: number; // 0..31
  readonly dpb_output_delay_length_minus1: number; // 0..31
  readonly time_offset_length: number; // 0..31
};

/** vui_parameters() (E.1.1). A group that is not present is null. */
export type VuiParameters = {
  readonly aspect_ratio: {
    readonly aspect_ratio_idc: number; // 0..16, 255 explicit
    readonly sar_width: number; // with 255 only, else 0
    readonly sar_height: number;
  } | null;
  /** overscan_appropriate_flag. */
  readonly overscan_appropriate_flag: boolean | null;
  readonly video_signal_type: {
    readonly video_format: number; // 0..5
    readonly video_full_range_flag: boolean;
    readonly colour_description: {
      readonly colour_primaries: number;
      readonly transfer_characteristics: number;
      readonly matrix_coefficients: number;
    } | null;
  } | null;
  readonly chroma_loc: {
    readonly chroma_sample_loc_type_top_field: number; // 0..5
    readonly chroma_sample_loc_type_bottom_field: number; // 0..5
  } | null;
  readonly timing: {
    readonly num_units_in_tick: number;
    readonly time_scale: number;
    readonly fixed_frame_rate_flag: boolean;
  } | null;
  readonly nal_hrd: HrdParameters | null;
  readonly vcl_hrd: HrdParameters | null;
  readonly low_delay_hrd_flag: boolean;
  readonly pic_struct_present_flag: boolean;
  readonly bitstream_restriction: {
    readonly motion_vectors_over_pic_boundaries_flag: boolean;
    readonly max_bytes_per_pic_denom: number; // 0..16
    readonly max_bits_per_mb_denom: number; // 0..16
    readonly log2_max_mv_length_horizontal: number; // 0..16
    readonly log2_max_mv_length_vertical: number; // 0..16
    readonly max_num_reorder_frames: number; // 0..max_dec_frame_buffering
    readonly max_dec_frame_buffering: number; // 0..16
  } | null;
};

function parseHrd(reader: BitReader): HrdParameters {
  const count = ueUpTo(reader, 31, 'cpb_cnt_minus1', 'E.2.2') + 1;
  const bit_rate_scale = reader.bits(4);
  const cpb_size_scale = reader.bits(4);
  const cpbs: HrdParameters['cpbs'][number][] = [];
  for (let i = 0; i < count; i++) {
    cpbs.push({ bit_rate_value_minus1: reader.ue(), cpb_size_value_minus1: reader.ue(), cbr_flag: reader.flag() });
  }
  return {
    bit_rate_scale,
    cpb_size_scale,
    cpbs,
    initial_cpb_removal_delay_length_minus1: reader.bits(5),
    cpb_removal_delay_length_minus1: reader.bits(5),
    dpb_output_delay_length_minus1: reader.bits(5),
    time_offset_length: reader.bits(5),
  };
}

function writeHrd(writer: BitWriter, hrd: HrdParameters): void {
  writer.ue(hrd.cpbs.length - 1);
  writer.bits(hrd.bit_rate_scale, 4);
  writer.bits(hrd.cpb_size_scale, 4);
  for (const cpb of hrd.cpbs) {
    writer.ue(cpb.bit_rate_value_minus1);
    writer.ue(cpb.cpb_size_value_minus1);
    writer.flag(cpb.cbr_flag);
  }
  writer.bits(hrd.initial_cpb_removal_delay_length_minus1, 5);
  writer.bits(hrd.cpb_removal_delay_length_minus1, 5);
  writer.bits(hrd.dpb_output_delay_length_minus1, 5);
  writer.bits(hrd.time_offset_length, 5);
}

/** Reads vui_parameters(). */
export function parseVui(reader: BitReader): VuiParameters {
  const aspect_ratio = reader.flag() ? parseAspectRatio(reader) : null;
  const overscan_appropriate_flag = reader.flag() ? reader.flag() : null;
  const video_signal_type = reader.flag()
    ? {
        video_format: reader.bits(3),
        video_full_range_flag: reader.flag(),
        colour_description: reader.flag()
          ? {
              colour_primaries: reader.bits(8),
              transfer_characteristics: reader.bits(8),
              matrix_coefficients: reader.bits(8),
            }
          : null,
      }
    : null;
  const chroma_loc = reader.flag()
    ? {
        chroma_sample_loc_type_top_field: ueUpTo(reader, 5, 'chroma_sample_loc_type_top_field', 'E.2.1'),
        chroma_sample_loc_type_bottom_field: ueUpTo(reader, 5, 'chroma_sample_loc_type_bottom_field', 'E.2.1'),
      }
    : null;
  const timing = reader.flag()
    ? { num_units_in_tick: reader.bits(32), time_scale: reader.bits(32), fixed_frame_rate_flag: reader.flag() }
    : null;
  const nal_hrd = reader.flag() ? parseHrd(reader) : null;
  const vcl_hrd = reader.flag() ? parseHrd(reader) : null;
  const low_delay_hrd_flag = nal_hrd !== null || vcl_hrd !== null ? reader.flag() : false;
  const pic_struct_present_flag = reader.flag();
  const bitstream_restriction = reader.flag()
    ? {
        motion_vectors_over_pic_boundaries_flag: reader.flag(),
        max_bytes_per_pic_denom: reader.ue(),
        max_bits_per_mb_denom: reader.ue(),
        log2_max_mv_length_horizontal: reader.ue(),
        log2_max_mv_length_vertical: reader.ue(),
        max_num_reorder_frames: reader.ue(),
        max_dec_frame_buffering: reader.ue(),
      }
    : null;
  return {
    aspect_ratio,
    overscan_appropriate_flag,
    video_signal_type,
    chroma_loc,
    timing,
    nal_hrd,
    vcl_hrd,
    low_delay_hrd_flag,
    pic_struct_present_flag,
    bitstream_restriction,
  };
}

function parseAspectRatio(reader: BitReader): VuiParameters['aspect_ratio'] {
  const aspect_ratio_idc = reader.bits(8);
  if (aspect_ratio_idc !== 255) {
    return { aspect_ratio_idc, sar_width: 0, sar_height: 0 };
  }
  return { aspect_ratio_idc, sar_width: reader.bits(16), sar_height: reader.bits(16) };
}

/** Writes vui_parameters(). */
export function writeVui(writer: BitWriter, vui: VuiParameters): void {
  const { aspect_ratio, video_signal_type, chroma_loc, timing, bitstream_restriction } = vui;
  writer.flag(aspect_ratio !== null);
  if (aspect_ratio !== null) {
    writer.bits(aspect_ratio.aspect_ratio_idc, 8);
    if (aspect_ratio.aspect_ratio_idc === 255) {
      writer.bits(aspect_ratio.sar_width, 16);
      writer.bits(aspect_ratio.sar_height, 16);
    }
  }
  writer.flag(vui.overscan_appropriate_flag !== null);
  if (vui.overscan_appropriate_flag !== null) {
    writer.flag(vui.overscan_appropriate_flag);
  }
  writer.flag(video_signal_type !== null);
  if (video_signal_type !== null) {
    const { colour_description } = video_signal_type;
    writer.bits(video_signal_type.video_format, 3);
    writer.flag(video_signal_type.video_full_range_flag);
    writer.flag(colour_description !== null);
    if (colour_description !== null) {
      writer.bits(colour_description.colour_primaries, 8);
      writer.bits(colour_description.transfer_characteristics, 8);
      writer.bits(colour_description.matrix_coefficients, 8);
    }
  }
  writer.flag(chroma_loc !== null);
  if (chroma_loc !== null) {
    writer.ue(chroma_loc.chroma_sample_loc_type_top_field);
    writer.ue(chroma_loc.chroma_sample_loc_type_bottom_field);
  }
  writer.flag(timing !== null);
  if (timing !== null) {
    writer.bits(timing.num_units_in_tick, 32);
    writer.bits(timing.time_scale, 32);
    writer.flag(timing.fixed_frame_rate_flag);
  }
  for (const hrd of [vui.nal_hrd, vui.vcl_hrd]) {
    writer.flag(hrd !== null);
    if (hrd !== null) {
      writeHrd(writer, hrd);
    }
  }
  if (vui.nal_hrd !== null || vui.vcl_hrd !== null) {
    writer.flag(vui.low_delay_hrd_flag);
  }
  writer.flag(vui.pic_struct_present_flag);
  writer.flag(bitstream_restriction !== null);
  if (bitstream_restriction !== null) {
    writer.flag(bitstream_restriction.motion_vectors_over_pic_boundaries_flag);
    writer.ue(bitstream_restriction.max_bytes_per_pic_denom);
    writer.ue(bitstream_restriction.max_bits_per_mb_denom);
    writer.ue(bitstream_restriction.log2_max_mv_length_horizontal);
    writer.ue(bitstream_restriction.log2_max_mv_length_vertical);
    writer.ue(bitstream_restriction.max_num_reorder_frames);
    writer.ue(bitstream_restriction.max_dec_frame_buffering);
  }
}

/** Sample aspect ratio as a fraction; [1, 1] when not said. */
export function sampleAspectOf(vui: VuiParameters | null): readonly [number, number] {
  const aspect = vui?.aspect_ratio ?? null;
  if (aspect === null) {
    return [1, 1];
  }
  const isExplicit = aspect.aspect_ratio_idc === 255;
  const width = isExplicit ? aspect.sar_width : (TABLE_E_1_SAMPLE_ASPECT[2 * aspect.aspect_ratio_idc] ?? 0);
  const height = isExplicit ? aspect.sar_height : (TABLE_E_1_SAMPLE_ASPECT[2 * aspect.aspect_ratio_idc + 1] ?? 0);
  return width > 0 && height > 0 ? [width, height] : [1, 1];
}
