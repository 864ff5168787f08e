// Arbitrary parameter sets and slice headers for the twin tests: parse(write(x)) equals x.

import fc from 'fast-check';
import type { PictureParameterSet } from '../../shared/codec/h264/syntax/pps.ts';
import type { ScalingList } from '../../shared/codec/h264/syntax/scaling-list.ts';
import type { SliceContext, SliceHeader } from '../../shared/codec/h264/syntax/slice-header.ts';
import type { SequenceParameterSet } from '../../shared/codec/h264/syntax/sps.ts';
import type { HrdParameters, VuiParameters } from '../../shared/codec/h264/syntax/vui.ts';

const int = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const list = (size: number): fc.Arbitrary<ScalingList> =>
  fc.oneof(
    fc.constant(null),
    fc.constant('default' as const),
    fc.array(int(1, 255), { minLength: size, maxLength: size }),
  );
const lists = (small: number, large: number): fc.Arbitrary<ScalingList[]> =>
  fc.tuple(...Array.from({ length: small }, () => list(16)), ...Array.from({ length: large }, () => list(64)));

const hrd: fc.Arbitrary<HrdParameters> = fc.record({
  bit_rate_scale: int(0, 15),
  cpb_size_scale: int(0, 15),
  cpbs: fc.array(
    fc.record({
      bit_rate_value_minus1: int(0, 2 ** 31 - 2),
      cpb_size_value_minus1: int(0, 2 ** 31 - 2),
      cbr_flag: fc.boolean(),
    }),
    { minLength: 1, maxLength: 32 },
  ),
  initial_cpb_removal_delay_length_minus1: int(0, 31),
  cpb_removal_delay_length_minus1: int(0, 31),
  dpb_output_delay_length_minus1: int(0, 31),
  time_offset_length: int(0, 31),
});

const aspect = fc.oneof(
  fc.record({ aspect_ratio_idc: int(0, 254), sar_width: fc.constant(0), sar_height: fc.constant(0) }),
  fc.record({ aspect_ratio_idc: fc.constant(255), sar_width: int(0, 65535), sar_height: int(0, 65535) }),
);

const anyVui: fc.Arbitrary<VuiParameters> = fc
  .record({
    aspect_ratio: fc.option(aspect),
    overscan_appropriate_flag: fc.option(fc.boolean()),
    video_signal_type: fc.option(
      fc.record({
        video_format: int(0, 7),
        video_full_range_flag: fc.boolean(),
        colour_description: fc.option(
          fc.record({
            colour_primaries: int(0, 255),
            transfer_characteristics: int(0, 255),
            matrix_coefficients: int(0, 255),
          }),
        ),
      }),
    ),
    chroma_loc: fc.option(
      fc.record({ chroma_sample_loc_type_top_field: int(0, 5), chroma_sample_loc_type_bottom_field: int(0, 5) }),
    ),
    timing: fc.option(
      fc.record({
        num_units_in_tick: int(0, 2 ** 32 - 1),
        time_scale: int(0, 2 ** 32 - 1),
        fixed_frame_rate_flag: fc.boolean(),
      }),
    ),
    nal_hrd: fc.option(hrd),
    vcl_hrd: fc.option(hrd),
    low_delay_hrd_flag: fc.boolean(),
    pic_struct_present_flag: fc.boolean(),
    bitstream_restriction: fc.option(
      fc.record({
        motion_vectors_over_pic_boundaries_flag: fc.boolean(),
        max_bytes_per_pic_denom: int(0, 16),
        max_bits_per_mb_denom: int(0, 16),
        log2_max_mv_length_horizontal: int(0, 16),
        log2_max_mv_length_vertical: int(0, 16),
        max_num_reorder_frames: int(0, 16),
        max_dec_frame_buffering: int(0, 16),
      }),
    ),
  })
  .map((vui) => ({
    ...vui,
    low_delay_hrd_flag: (vui.nal_hrd !== null || vui.vcl_hrd !== null) && vui.low_delay_hrd_flag,
  }));

const order = fc.oneof(
  int(0, 12).map((log2) => ({
    pic_order_cnt_type: 0,
    log2_max_pic_order_cnt_lsb_minus4: log2,
    delta_pic_order_always_zero_flag: false,
    offset_for_non_ref_pic: 0,
    offset_for_top_to_bottom_field: 0,
    offset_for_ref_frame: [] as number[],
  })),
  fc.record({
    pic_order_cnt_type: fc.constant(1),
    log2_max_pic_order_cnt_lsb_minus4: fc.constant(0),
    delta_pic_order_always_zero_flag: fc.boolean(),
    offset_for_non_ref_pic: int(-1000, 1000),
    offset_for_top_to_bottom_field: int(-(2 ** 31) + 1, 2 ** 31 - 1),
    offset_for_ref_frame: fc.array(int(-100, 100), { maxLength: 255 }),
  }),
  fc.constant({
    pic_order_cnt_type: 2,
    log2_max_pic_order_cnt_lsb_minus4: 0,
    delta_pic_order_always_zero_flag: false,
    offset_for_non_ref_pic: 0,
    offset_for_top_to_bottom_field: 0,
    offset_for_ref_frame: [] as number[],
  }),
);

const baseChroma = {
  chroma_format_idc: 1,
  separate_colour_plane_flag: false,
  bit_depth_luma_minus8: 0,
  bit_depth_chroma_minus8: 0,
  qpprime_y_zero_transform_bypass_flag: false,
  scaling_lists: null,
};
const highChroma = int(0, 3).chain((chroma_format_idc) =>
  fc.record({
    chroma_format_idc: fc.constant(chroma_format_idc),
    separate_colour_plane_flag: chroma_format_idc === 3 ? fc.boolean() : fc.constant(false),
    bit_depth_luma_minus8: int(0, 6),
    bit_depth_chroma_minus8: int(0, 6),
    qpprime_y_zero_transform_bypass_flag: fc.boolean(),
    scaling_lists: fc.option(lists(6, chroma_format_idc === 3 ? 6 : 2)),
  }),
);

export const anySps: fc.Arbitrary<SequenceParameterSet> = fc
  .record({
    profile: fc.oneof(
      fc.tuple(fc.constantFrom(66, 77, 88), fc.constant(baseChroma)),
      fc.tuple(fc.constantFrom(100, 110, 122, 244, 44), highChroma),
    ),
    constraint_set_flags: int(0, 255),
    level_idc: fc.constantFrom(9, 10, 11, 20, 31, 40, 51, 62),
    seq_parameter_set_id: int(0, 31),
    log2_max_frame_num_minus4: int(0, 12),
    order,
    max_num_ref_frames: int(0, 16),
    gaps_in_frame_num_value_allowed_flag: fc.boolean(),
    pic_width_in_mbs_minus1: int(3, 120),
    pic_height_in_map_units_minus1: int(3, 60),
    frame_mbs_only_flag: fc.boolean(),
    mb_adaptive_frame_field_flag: fc.boolean(),
    direct_8x8_inference_flag: fc.boolean(),
    frame_cropping: fc.option(
      fc.record({
        frame_crop_left_offset: int(0, 8),
        frame_crop_right_offset: int(0, 8),
        frame_crop_top_offset: int(0, 4),
        frame_crop_bottom_offset: int(0, 4),
      }),
    ),
    vui: fc.option(anyVui),
  })
  .map(({ profile: [profile_idc, chroma], order: orderElements, ...rest }) => ({
    profile_idc,
    ...chroma,
    ...orderElements,
    ...rest,
    mb_adaptive_frame_field_flag: !rest.frame_mbs_only_flag && rest.mb_adaptive_frame_field_flag,
  }));

const noGroups = {
  run_length_minus1: [] as number[],
  top_left: [] as number[],
  bottom_right: [] as number[],
  slice_group_change_direction_flag: false,
  slice_group_change_rate_minus1: 0,
  slice_group_id: [] as number[],
};
const sliceGroups = fc.tuple(int(1, 7), int(0, 6)).chain(([num_slice_groups_minus1, slice_group_map_type]) => {
  const values = (count: number, max: number): fc.Arbitrary<number[]> =>
    fc.array(int(0, max), { minLength: count, maxLength: count });
  const base = fc.constant({ ...noGroups, num_slice_groups_minus1, slice_group_map_type });
  if (slice_group_map_type === 0) {
    return fc
      .tuple(base, values(num_slice_groups_minus1 + 1, 50))
      .map(([g, run_length_minus1]) => ({ ...g, run_length_minus1 }));
  }
  if (slice_group_map_type === 2) {
    return fc
      .tuple(base, values(num_slice_groups_minus1, 50), values(num_slice_groups_minus1, 99))
      .map(([g, top_left, bottom_right]) => ({ ...g, top_left, bottom_right }));
  }
  if (slice_group_map_type >= 3 && slice_group_map_type <= 5) {
    return fc
      .tuple(base, fc.boolean(), int(0, 98))
      .map(([g, slice_group_change_direction_flag, slice_group_change_rate_minus1]) => ({
        ...g,
        slice_group_change_direction_flag,
        slice_group_change_rate_minus1,
      }));
  }
  if (slice_group_map_type === 6) {
    return fc.tuple(base, values(40, num_slice_groups_minus1)).map(([g, slice_group_id]) => ({ ...g, slice_group_id }));
  }
  return base;
});

export const anyPps: fc.Arbitrary<PictureParameterSet> = fc.record({
  pic_parameter_set_id: int(0, 255),
  seq_parameter_set_id: int(0, 31),
  entropy_coding_mode_flag: fc.boolean(),
  bottom_field_pic_order_in_frame_present_flag: fc.boolean(),
  slice_groups: fc.option(sliceGroups, { freq: 2 }),
  num_ref_idx_l0_default_active_minus1: int(0, 15),
  num_ref_idx_l1_default_active_minus1: int(0, 15),
  weighted_pred_flag: fc.boolean(),
  weighted_bipred_idc: int(0, 2),
  pic_init_qp_minus26: int(-26, 25),
  pic_init_qs_minus26: int(-26, 25),
  chroma_qp_index_offset: int(-12, 12),
  deblocking_filter_control_present_flag: fc.boolean(),
  constrained_intra_pred_flag: fc.boolean(),
  redundant_pic_cnt_present_flag: fc.boolean(),
  high: fc.option(
    fc.boolean().chain((transform_8x8_mode_flag) =>
      fc.record({
        transform_8x8_mode_flag: fc.constant(transform_8x8_mode_flag),
        scaling_lists: fc.option(lists(6, transform_8x8_mode_flag ? 2 : 0)),
        second_chroma_qp_index_offset: int(-12, 12),
      }),
    ),
  ),
});

const modification = fc.array(fc.record({ modification_of_pic_nums_idc: int(0, 2), value: int(0, 1000) }), {
  maxLength: 33,
});
const operation = fc.oneof(
  fc.record({ operation: fc.constantFrom(1, 2, 4, 6), first: int(0, 100), second: fc.constant(0) }),
  fc.record({ operation: fc.constant(3), first: int(0, 100), second: int(0, 15) }),
  fc.constant({ operation: 5, first: 0, second: 0 }),
);
const weight = (hasChroma: boolean) =>
  fc.record({
    luma: fc.option(fc.tuple(int(-128, 127), int(-128, 127))),
    chroma: hasChroma
      ? fc.option(fc.tuple(int(-128, 127), int(-128, 127), int(-128, 127), int(-128, 127)))
      : fc.constant(null),
  });

/** A slice header with the parameter sets and NAL unit header that it is written with. */
export const anySlice: fc.Arbitrary<{ context: SliceContext; header: SliceHeader }> = fc
  .tuple(anySps, anyPps, int(0, 9), int(0, 3), fc.boolean(), fc.boolean(), fc.boolean())
  .chain(([sps, pps, slice_type, nal_ref_idc, wantsIdr, wantsField, isBottom]) => {
    const type = slice_type % 5;
    const isIdr = wantsIdr && nal_ref_idc !== 0 && (type === 2 || type === 4);
    const isIntra = type === 2 || type === 4;
    const isB = type === 1;
    const field_pic_flag = wantsField && !sps.frame_mbs_only_flag;
    const hasBottom = pps.bottom_field_pic_order_in_frame_present_flag && !field_pic_flag;
    const hasDeltas = sps.pic_order_cnt_type === 1 && !sps.delta_pic_order_always_zero_flag;
    const ChromaArrayType = sps.separate_colour_plane_flag ? 0 : sps.chroma_format_idc;
    const only = <T>(condition: boolean, arbitrary: fc.Arbitrary<T>, otherwise: T): fc.Arbitrary<T> =>
      condition ? arbitrary : fc.constant(otherwise);
    const l0 = only(!isIntra, int(1, field_pic_flag ? 32 : 16), 0);
    const l1 = only(isB, int(1, field_pic_flag ? 32 : 16), 0);
    const context: SliceContext = { nal: { nal_ref_idc, nal_unit_type: isIdr ? 5 : 1 }, sps, pps };
    const isWeighted = (pps.weighted_pred_flag && (type === 0 || type === 3)) || (pps.weighted_bipred_idc === 1 && isB);
    const filtered = pps.deblocking_filter_control_present_flag;
    const groups = pps.slice_groups;
    const hasCycle = groups !== null && groups.slice_group_map_type >= 3 && groups.slice_group_map_type <= 5;
    return fc.tuple(l0, l1, only(filtered, int(0, 2), 0)).chain(([count0, count1, idc]) =>
      fc
        .record({
          first_mb_in_slice: int(0, 5000),
          slice_type: fc.constant(slice_type),
          pic_parameter_set_id: fc.constant(pps.pic_parameter_set_id),
          colour_plane_id: only(sps.separate_colour_plane_flag, int(0, 2), 0),
          frame_num: int(0, 2 ** (sps.log2_max_frame_num_minus4 + 4) - 1),
          field_pic_flag: fc.constant(field_pic_flag),
          bottom_field_flag: fc.constant(field_pic_flag && isBottom),
          idr_pic_id: only(isIdr, int(0, 65535), 0),
          pic_order_cnt_lsb: only(
            sps.pic_order_cnt_type === 0,
            int(0, 2 ** (sps.log2_max_pic_order_cnt_lsb_minus4 + 4) - 1),
            0,
          ),
          delta_pic_order_cnt_bottom: only(sps.pic_order_cnt_type === 0 && hasBottom, int(-500, 500), 0),
          delta_pic_order_cnt: fc.tuple(
            only(hasDeltas, int(-500, 500), 0),
            only(hasDeltas && hasBottom, int(-500, 500), 0),
          ),
          redundant_pic_cnt: only(pps.redundant_pic_cnt_present_flag, int(0, 127), 0),
          direct_spatial_mv_pred_flag: only(isB, fc.boolean(), false),
          num_ref_idx_active: fc.constant([count0, count1] as const),
          ref_pic_list_modification: fc.tuple(only(!isIntra, modification, []), only(isB, modification, [])),
          pred_weight_table: isWeighted
            ? fc.record({
                luma_log2_weight_denom: int(0, 7),
                chroma_log2_weight_denom: only(ChromaArrayType !== 0, int(0, 7), 0),
                lists: fc.tuple(
                  fc.array(weight(ChromaArrayType !== 0), { minLength: count0, maxLength: count0 }),
                  fc.array(weight(ChromaArrayType !== 0), { minLength: count1, maxLength: count1 }),
                ),
              })
            : fc.constant(null),
          dec_ref_pic_marking:
            nal_ref_idc === 0
              ? fc.constant(null)
              : isIdr
                ? fc.record({
                    kind: fc.constant('idr' as const),
                    no_output_of_prior_pics_flag: fc.boolean(),
                    long_term_reference_flag: fc.boolean(),
                  })
                : fc.oneof(
                    fc.constant({ kind: 'sliding-window' as const }),
                    fc.record({
                      kind: fc.constant('adaptive' as const),
                      operations: fc.array(operation, { maxLength: 20 }),
                    }),
                  ),
          cabac_init_idc: only(pps.entropy_coding_mode_flag && !isIntra, int(0, 2), 0),
          slice_qp_delta: int(-26 - pps.pic_init_qp_minus26, 25 - pps.pic_init_qp_minus26),
          sp_for_switch_flag: only(type === 3, fc.boolean(), false),
          slice_qs_delta: only(type >= 3, int(-51, 51), 0),
          disable_deblocking_filter_idc: fc.constant(idc),
          slice_alpha_c0_offset_div2: only(filtered && idc !== 1, int(-6, 6), 0),
          slice_beta_offset_div2: only(filtered && idc !== 1, int(-6, 6), 0),
          slice_group_change_cycle: only(hasCycle, int(0, 1), 0),
        })
        .map((header) => ({ context, header: header })),
    );
  });
