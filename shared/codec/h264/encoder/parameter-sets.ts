// The sequence and picture parameter sets of a configuration (7.4.2.1, 7.4.2.2, E.2): level by Table A-1, cropping of padded sizes,
// VUI with colour, timing and no reordering. Called by H264Encoder.configure.

import { writeAvcDecoderConfigurationRecord } from '../../../bitstream/avcc.ts';
import type { EncoderConfig, EncoderProfile } from '../codec-types.ts';
import { NAL_UNIT_TYPE, writeNalUnit } from '../syntax/nal-unit.ts';
import { type PictureParameterSet, writePps } from '../syntax/pps.ts';
import { type SequenceParameterSet, writeSps } from '../syntax/sps.ts';
import type { VuiParameters } from '../syntax/vui.ts';
import { type LevelLimits, TABLE_A_1_LEVELS, TABLE_E_1_SAMPLE_ASPECT } from '../tables/levels.generated.ts';
import type { Tools } from './presets.ts';

const { ceil, max } = Math;

/** profile_idc and constraint flags (A.2): Constrained Baseline, Main, High. */
const PROFILES: Record<EncoderProfile, { readonly idc: number; readonly flags: number }> = {
  baseline: { idc: 66, flags: 0b1100_0000 },
  main: { idc: 77, flags: 0b0100_0000 },
  high: { idc: 100, flags: 0 },
};

/** chroma_qp_index_offset of every picture. */
const CHROMA_QP_INDEX_OFFSET = 0;
/** log2 of MaxFrameNum. */
const LOG2_MAX_FRAME_NUM = 8;

/** Parameter sets in both forms that the encoder needs. */
export type ParameterSets = {
  readonly sps: SequenceParameterSet;
  readonly pps: PictureParameterSet;
  readonly spsNal: Uint8Array;
  readonly ppsNal: Uint8Array;
  readonly MaxFrameNum: number;
  /** FilterOffsetA and FilterOffsetB of all slices (7.4.3): the screen tune deblocks less, text has hard edges. */
  readonly filterOffsets: { readonly offsetA: number; readonly offsetB: number };
  /** Vertical vectors are within [-verticalLimit, verticalLimit) quarter samples (MaxVmvR). */
  readonly verticalLimit: number;
};

/** The smallest level that holds picture size, rate, references and bit rate. */
function levelFor(mbWidth: number, mbHeight: number, config: EncoderConfig, references: number): LevelLimits {
  const macroblocks = mbWidth * mbHeight;
  const { numerator, denominator } = config.framerate;
  const perSecond = (macroblocks * numerator) / denominator;
  const rate = config.rateControl.kind === 'bitrate' ? config.rateControl : null;
  const maxKbps = rate === null ? 0 : (rate.maxKbps ?? rate.kbps);
  const bufferKbits = rate === null ? 0 : (maxKbps * (rate.bufferMs ?? 1000)) / 1000;
  const factor = config.profile === 'high' ? 1.25 : 1;
  const fits = (level: LevelLimits): boolean =>
    level.level !== '1b' &&
    macroblocks <= level.MaxFS &&
    mbWidth * mbWidth <= 8 * level.MaxFS &&
    mbHeight * mbHeight <= 8 * level.MaxFS &&
    perSecond <= level.MaxMBPS &&
    macroblocks * references <= level.MaxDpbMbs &&
    maxKbps <= level.MaxBR * factor &&
    bufferKbits <= level.MaxCPB * factor;
  return TABLE_A_1_LEVELS.find(fits) ?? TABLE_A_1_LEVELS[TABLE_A_1_LEVELS.length - 1];
}

function aspectRatioOf(config: EncoderConfig): VuiParameters['aspect_ratio'] {
  const [width, height] = config.sampleAspect ?? [1, 1];
  for (let idc = 1; 2 * idc < TABLE_E_1_SAMPLE_ASPECT.length; idc++) {
    if (TABLE_E_1_SAMPLE_ASPECT[2 * idc] === width && TABLE_E_1_SAMPLE_ASPECT[2 * idc + 1] === height) {
      return { aspect_ratio_idc: idc, sar_width: 0, sar_height: 0 };
    }
  }
  return { aspect_ratio_idc: 255, sar_width: width, sar_height: height };
}

function vuiOf(config: EncoderConfig, references: number): VuiParameters {
  const colour = config.colour;
  const isDescribed =
    colour !== undefined &&
    (colour.colour_primaries !== 2 || colour.transfer_characteristics !== 2 || colour.matrix_coefficients !== 2);
  return {
    aspect_ratio: aspectRatioOf(config),
    overscan_appropriate_flag: null,
    video_signal_type:
      colour === undefined || (!isDescribed && !colour.video_full_range_flag)
        ? null
        : {
            video_format: 5,
            video_full_range_flag: colour.video_full_range_flag,
            colour_description: isDescribed
              ? {
                  colour_primaries: colour.colour_primaries,
                  transfer_characteristics: colour.transfer_characteristics,
                  matrix_coefficients: colour.matrix_coefficients,
                }
              : null,
          },
    chroma_loc: null,
    timing: {
      num_units_in_tick: config.framerate.denominator,
      time_scale: 2 * config.framerate.numerator,
      fixed_frame_rate_flag: false,
    },
    nal_hrd: null,
    vcl_hrd: null,
    low_delay_hrd_flag: false,
    pic_struct_present_flag: false,
    bitstream_restriction: {
      motion_vectors_over_pic_boundaries_flag: true,
      max_bytes_per_pic_denom: 0,
      max_bits_per_mb_denom: 0,
      log2_max_mv_length_horizontal: 11,
      log2_max_mv_length_vertical: 11,
      max_num_reorder_frames: 0,
      max_dec_frame_buffering: references,
    },
  };
}

/** Builds the parameter sets of a validated configuration. `references` is max_num_ref_frames. */
export function parameterSetsOf(config: EncoderConfig, tools: Tools, references: number): ParameterSets {
  const mbWidth = ceil(config.width / 16);
  const mbHeight = ceil(config.height / 16);
  const profile = PROFILES[config.profile ?? 'baseline'];
  const level = levelFor(mbWidth, mbHeight, config, references);
  // Crop units are two samples (6.2); an odd size shows its padding column or row, which repeats the edge.
  const cropRight = (16 * mbWidth - config.width) >> 1;
  const cropBottom = (16 * mbHeight - config.height) >> 1;
  const sps: SequenceParameterSet = {
    profile_idc: profile.idc,
    constraint_set_flags: profile.flags,
    level_idc: level.level_idc,
    seq_parameter_set_id: 0,
    chroma_format_idc: 1,
    separate_colour_plane_flag: false,
    bit_depth_luma_minus8: 0,
    bit_depth_chroma_minus8: 0,
    qpprime_y_zero_transform_bypass_flag: false,
    scaling_lists: null,
    log2_max_frame_num_minus4: LOG2_MAX_FRAME_NUM - 4,
    pic_order_cnt_type: 2,
    log2_max_pic_order_cnt_lsb_minus4: 0,
    delta_pic_order_always_zero_flag: false,
    offset_for_non_ref_pic: 0,
    offset_for_top_to_bottom_field: 0,
    offset_for_ref_frame: [],
    max_num_ref_frames: references,
    gaps_in_frame_num_value_allowed_flag: config.layers === 3,
    pic_width_in_mbs_minus1: mbWidth - 1,
    pic_height_in_map_units_minus1: mbHeight - 1,
    frame_mbs_only_flag: true,
    mb_adaptive_frame_field_flag: false,
    direct_8x8_inference_flag: true,
    frame_cropping:
      cropRight === 0 && cropBottom === 0
        ? null
        : {
            frame_crop_left_offset: 0,
            frame_crop_right_offset: cropRight,
            frame_crop_top_offset: 0,
            frame_crop_bottom_offset: cropBottom,
          },
    vui: vuiOf(config, references),
  };
  const pps: PictureParameterSet = {
    pic_parameter_set_id: 0,
    seq_parameter_set_id: 0,
    entropy_coding_mode_flag: tools.cabac,
    bottom_field_pic_order_in_frame_present_flag: false,
    slice_groups: null,
    num_ref_idx_l0_default_active_minus1: max(0, tools.references - 1),
    num_ref_idx_l1_default_active_minus1: 0,
    weighted_pred_flag: tools.weighted,
    weighted_bipred_idc: 0,
    pic_init_qp_minus26: 0,
    pic_init_qs_minus26: 0,
    chroma_qp_index_offset: CHROMA_QP_INDEX_OFFSET,
    deblocking_filter_control_present_flag: true,
    constrained_intra_pred_flag: false,
    redundant_pic_cnt_present_flag: false,
    high: tools.transform8x8
      ? { transform_8x8_mode_flag: true, scaling_lists: null, second_chroma_qp_index_offset: CHROMA_QP_INDEX_OFFSET }
      : null,
  };
  return {
    sps,
    pps,
    spsNal: writeNalUnit({ nal_ref_idc: 3, nal_unit_type: NAL_UNIT_TYPE.SPS, rbsp: writeSps(sps) }),
    ppsNal: writeNalUnit({ nal_ref_idc: 3, nal_unit_type: NAL_UNIT_TYPE.PPS, rbsp: writePps(pps) }),
    MaxFrameNum: 1 << LOG2_MAX_FRAME_NUM,
    filterOffsets: config.tune === 'screen' ? { offsetA: -4, offsetB: -4 } : { offsetA: 0, offsetB: 0 },
    verticalLimit: 4 * level.MaxVmvR,
  };
}

/** The AVCDecoderConfigurationRecord of parameter sets. */
export function decoderConfigurationOf(sets: ParameterSets): Uint8Array {
  const { sps } = sets;
  return writeAvcDecoderConfigurationRecord({
    AVCProfileIndication: sps.profile_idc,
    profile_compatibility: sps.constraint_set_flags,
    AVCLevelIndication: sps.level_idc,
    lengthSize: 4,
    sequenceParameterSets: [sets.spsNal],
    pictureParameterSets: [sets.ppsNal],
    extension: {
      chroma_format: 1,
      bit_depth_luma_minus8: 0,
      bit_depth_chroma_minus8: 0,
      sequenceParameterSetExtensions: [],
    },
  });
}
