// Slice header (7.3.3, 7.4.3): parse and write. Called once per slice. Its three inner structures have their own files.

import { BitReader } from '../../../bitstream/bit-reader.ts';
import type { BitWriter } from '../../../bitstream/bit-writer.ts';
import { BitstreamError } from '../../../errors.ts';
import { seWithin, ueUpTo } from './bounded.ts';
import { parseMarking, writeMarking, type DecRefPicMarking } from './marking-syntax.ts';
import type { NalHeader } from './nal-unit.ts';
import { parsePredWeightTable, writePredWeightTable, type PredWeightTable } from './pred-weight-table.ts';
import type { PictureParameterSet } from './pps.ts';
import { parseListModification, writeListModification, type ListModification } from './ref-list-modification.ts';
import { chromaArrayTypeOf, type SequenceParameterSet } from './sps.ts';

const { ceil, log2 } = Math;

/** slice_type % 5 (Table 7-6). */
export const SLICE_TYPE = { P: 0, B: 1, I: 2, SP: 3, SI: 4 } as const;

/** All syntax elements of slice_header(). Elements that are not sent hold their inferred value. */
export type SliceHeader = {
  readonly first_mb_in_slice: number;
  readonly slice_type: number; // 0..9
  readonly pic_parameter_set_id: number;
  readonly colour_plane_id: number;
  readonly frame_num: number;
  readonly field_pic_flag: boolean;
  readonly bottom_field_flag: boolean;
  readonly idr_pic_id: number; // 0..65535
  readonly pic_order_cnt_lsb: number;
  readonly delta_pic_order_cnt_bottom: number;
  readonly delta_pic_order_cnt: readonly [number, number];
  readonly redundant_pic_cnt: number; // 0..127
  readonly direct_spatial_mv_pred_flag: boolean;
  /** The numbers in force: overridden here or the defaults of the PPS; 0 where the list does not exist. */
  readonly num_ref_idx_active: readonly [number, number];
  readonly ref_pic_list_modification: readonly [ListModification, ListModification];
  readonly pred_weight_table: PredWeightTable | null;
  /** Null when nal_ref_idc is 0. */
  readonly dec_ref_pic_marking: DecRefPicMarking | null;
  readonly cabac_init_idc: number; // 0..2
  readonly slice_qp_delta: number;
  readonly sp_for_switch_flag: boolean;
  readonly slice_qs_delta: number;
  readonly disable_deblocking_filter_idc: number; // 0..2
  readonly slice_alpha_c0_offset_div2: number; // -6..6
  readonly slice_beta_offset_div2: number; // -6..6
  readonly slice_group_change_cycle: number;
};

/** What a slice header is read with. */
export type SliceContext = {
  readonly nal: NalHeader;
  readonly sps: SequenceParameterSet;
  readonly pps: PictureParameterSet;
};

/** Looks parameter sets up by id; undefined when one has not arrived. */
export type ParameterSetLookup = {
  readonly sps: (id: number) => SequenceParameterSet | undefined;
  readonly pps: (id: number) => PictureParameterSet | undefined;
};

/** Reads pic_parameter_set_id ahead of the rest and finds the sets; throws 'missing-parameter-set'. */
export function findSliceContext(rbsp: Uint8Array, nal: NalHeader, lookup: ParameterSetLookup): SliceContext {
  const reader = new BitReader(rbsp);
  reader.ue();
  reader.ue();
  const id = ueUpTo(reader, 255, 'pic_parameter_set_id', '7.4.3');
  const pps = lookup.pps(id);
  if (pps === undefined) {
    throw new BitstreamError('missing-parameter-set', '7.4.3', reader.position, `PPS ${id} has not arrived.`);
  }
  const sps = lookup.sps(pps.seq_parameter_set_id);
  if (sps === undefined) {
    const message = `SPS ${pps.seq_parameter_set_id} has not arrived.`;
    throw new BitstreamError('missing-parameter-set', '7.4.3', reader.position, message);
  }
  return { nal, sps, pps };
}

/** Bits of slice_group_change_cycle (7.4.3). */
function sliceGroupChangeCycleBits({ sps, pps }: SliceContext): number {
  const groups = pps.slice_groups;
  if (groups === null || groups.slice_group_map_type < 3 || groups.slice_group_map_type > 5) {
    return 0;
  }
  const PicSizeInMapUnits = (sps.pic_width_in_mbs_minus1 + 1) * (sps.pic_height_in_map_units_minus1 + 1);
  return ceil(log2(ceil(PicSizeInMapUnits / (groups.slice_group_change_rate_minus1 + 1)) + 1));
}

type OrderElements = Pick<
  SliceHeader,
  'pic_order_cnt_lsb' | 'delta_pic_order_cnt_bottom' | 'delta_pic_order_cnt' | 'redundant_pic_cnt'
>;

function parseOrder(reader: BitReader, context: SliceContext, field_pic_flag: boolean): OrderElements {
  const { sps, pps } = context;
  const hasBottom = pps.bottom_field_pic_order_in_frame_present_flag && !field_pic_flag;
  let pic_order_cnt_lsb = 0;
  let delta_pic_order_cnt_bottom = 0;
  let delta0 = 0;
  let delta1 = 0;
  if (sps.pic_order_cnt_type === 0) {
    pic_order_cnt_lsb = reader.bits(sps.log2_max_pic_order_cnt_lsb_minus4 + 4);
    delta_pic_order_cnt_bottom = hasBottom ? reader.se() : 0;
  } else if (sps.pic_order_cnt_type === 1 && !sps.delta_pic_order_always_zero_flag) {
    delta0 = reader.se();
    delta1 = hasBottom ? reader.se() : 0;
  }
  return {
    pic_order_cnt_lsb,
    delta_pic_order_cnt_bottom,
    delta_pic_order_cnt: [delta0, delta1],
    redundant_pic_cnt: pps.redundant_pic_cnt_present_flag ? ueUpTo(reader, 127, 'redundant_pic_cnt', '7.4.3') : 0,
  };
}

function parseActiveCounts(
  reader: BitReader,
  pps: PictureParameterSet,
  type: number,
  field_pic_flag: boolean,
): readonly [number, number] {
  const largest = field_pic_flag ? 31 : 15;
  let l0 = pps.num_ref_idx_l0_default_active_minus1;
  let l1 = pps.num_ref_idx_l1_default_active_minus1;
  if (reader.flag()) {
    l0 = ueUpTo(reader, largest, 'num_ref_idx_l0_active_minus1', '7.4.3');
    l1 = type === SLICE_TYPE.B ? ueUpTo(reader, largest, 'num_ref_idx_l1_active_minus1', '7.4.3') : l1;
  } else if (l0 > largest || (type === SLICE_TYPE.B && l1 > largest)) {
    const message = `The PPS has more active references by default than a ${field_pic_flag ? 'field' : 'frame'} may.`;
    throw new BitstreamError('forbidden-value', '7.4.3', reader.position, message);
  }
  return [l0 + 1, type === SLICE_TYPE.B ? l1 + 1 : 0];
}

/** Reads slice_header() from the start of a slice's RBSP; the reader is left at the slice data. */
export function parseSliceHeader(reader: BitReader, context: SliceContext): SliceHeader {
  const { nal, sps, pps } = context;
  const clause = '7.4.3';
  const first_mb_in_slice = ueUpTo(reader, 139263, 'first_mb_in_slice', clause);
  const slice_type = ueUpTo(reader, 9, 'slice_type', clause);
  const type = slice_type % 5;
  const pic_parameter_set_id = ueUpTo(reader, 255, 'pic_parameter_set_id', clause);
  const colour_plane_id = sps.separate_colour_plane_flag ? reader.bits(2) : 0;
  const frame_num = reader.bits(sps.log2_max_frame_num_minus4 + 4);
  const field_pic_flag = sps.frame_mbs_only_flag ? false : reader.flag();
  const bottom_field_flag = field_pic_flag ? reader.flag() : false;
  const isIdr = nal.nal_unit_type === 5;
  const idr_pic_id = isIdr ? ueUpTo(reader, 65535, 'idr_pic_id', clause) : 0;
  const order = parseOrder(reader, context, field_pic_flag);
  const direct_spatial_mv_pred_flag = type === SLICE_TYPE.B ? reader.flag() : false;
  const isIntra = type === SLICE_TYPE.I || type === SLICE_TYPE.SI;
  const num_ref_idx_active = isIntra ? ([0, 0] as const) : parseActiveCounts(reader, pps, type, field_pic_flag);
  const ref_pic_list_modification = [
    isIntra ? [] : parseListModification(reader),
    type === SLICE_TYPE.B ? parseListModification(reader) : [],
  ] as const;
  const isWeighted =
    (pps.weighted_pred_flag && (type === SLICE_TYPE.P || type === SLICE_TYPE.SP)) ||
    (pps.weighted_bipred_idc === 1 && type === SLICE_TYPE.B);
  const pred_weight_table = isWeighted
    ? parsePredWeightTable(reader, num_ref_idx_active, chromaArrayTypeOf(sps) !== 0)
    : null;
  const dec_ref_pic_marking = nal.nal_ref_idc !== 0 ? parseMarking(reader, isIdr) : null;
  const cabac_init_idc = pps.entropy_coding_mode_flag && !isIntra ? ueUpTo(reader, 2, 'cabac_init_idc', clause) : 0;
  const slice_qp_delta = parseSliceQpDelta(reader, context);
  const sp_for_switch_flag = type === SLICE_TYPE.SP ? reader.flag() : false;
  const slice_qs_delta =
    type === SLICE_TYPE.SP || type === SLICE_TYPE.SI ? seWithin(reader, [-51, 51], 'slice_qs_delta', clause) : 0;
  const deblocking = parseDeblocking(reader, pps);
  return {
    first_mb_in_slice,
    slice_type,
    pic_parameter_set_id,
    colour_plane_id,
    frame_num,
    field_pic_flag,
    bottom_field_flag,
    idr_pic_id,
    ...order,
    direct_spatial_mv_pred_flag,
    num_ref_idx_active,
    ref_pic_list_modification,
    pred_weight_table,
    dec_ref_pic_marking,
    cabac_init_idc,
    slice_qp_delta,
    sp_for_switch_flag,
    slice_qs_delta,
    ...deblocking,
    slice_group_change_cycle: reader.bits(sliceGroupChangeCycleBits(context)),
  };
}

function parseSliceQpDelta(reader: BitReader, { sps, pps }: SliceContext): number {
  const start = reader.position;
  const slice_qp_delta = reader.se();
  const SliceQPY = 26 + pps.pic_init_qp_minus26 + slice_qp_delta;
  if (SliceQPY < -6 * sps.bit_depth_luma_minus8 || SliceQPY > 51) {
    throw new BitstreamError('forbidden-value', '7.4.3', start, `SliceQPY is ${SliceQPY}.`);
  }
  return slice_qp_delta;
}

type Deblocking = Pick<
  SliceHeader,
  'disable_deblocking_filter_idc' | 'slice_alpha_c0_offset_div2' | 'slice_beta_offset_div2'
>;

function parseDeblocking(reader: BitReader, pps: PictureParameterSet): Deblocking {
  const none = { disable_deblocking_filter_idc: 0, slice_alpha_c0_offset_div2: 0, slice_beta_offset_div2: 0 };
  if (!pps.deblocking_filter_control_present_flag) {
    return none;
  }
  const disable_deblocking_filter_idc = ueUpTo(reader, 2, 'disable_deblocking_filter_idc', '7.4.3');
  if (disable_deblocking_filter_idc === 1) {
    return { ...none, disable_deblocking_filter_idc };
  }
  return {
    disable_deblocking_filter_idc,
    slice_alpha_c0_offset_div2: seWithin(reader, [-6, 6], 'slice_alpha_c0_offset_div2', '7.4.3'),
    slice_beta_offset_div2: seWithin(reader, [-6, 6], 'slice_beta_offset_div2', '7.4.3'),
  };
}

function writeOrder(writer: BitWriter, header: SliceHeader, { sps, pps }: SliceContext): void {
  const hasBottom = pps.bottom_field_pic_order_in_frame_present_flag && !header.field_pic_flag;
  if (sps.pic_order_cnt_type === 0) {
    writer.bits(header.pic_order_cnt_lsb, sps.log2_max_pic_order_cnt_lsb_minus4 + 4);
    if (hasBottom) {
      writer.se(header.delta_pic_order_cnt_bottom);
    }
  } else if (sps.pic_order_cnt_type === 1 && !sps.delta_pic_order_always_zero_flag) {
    writer.se(header.delta_pic_order_cnt[0]);
    if (hasBottom) {
      writer.se(header.delta_pic_order_cnt[1]);
    }
  }
  if (pps.redundant_pic_cnt_present_flag) {
    writer.ue(header.redundant_pic_cnt);
  }
}

function writeReferences(writer: BitWriter, header: SliceHeader, { pps }: SliceContext, type: number): void {
  const [l0, l1] = header.num_ref_idx_active;
  const isB = type === SLICE_TYPE.B;
  if (isB) {
    writer.flag(header.direct_spatial_mv_pred_flag);
  }
  const isOverridden =
    l0 !== pps.num_ref_idx_l0_default_active_minus1 + 1 || (isB && l1 !== pps.num_ref_idx_l1_default_active_minus1 + 1);
  writer.flag(isOverridden);
  if (isOverridden) {
    writer.ue(l0 - 1);
    if (isB) {
      writer.ue(l1 - 1);
    }
  }
  writeListModification(writer, header.ref_pic_list_modification[0]);
  if (isB) {
    writeListModification(writer, header.ref_pic_list_modification[1]);
  }
}

/** Writes slice_header(); the slice data follows in the same writer. */
export function writeSliceHeader(writer: BitWriter, header: SliceHeader, context: SliceContext): void {
  const { nal, sps, pps } = context;
  const type = header.slice_type % 5;
  const isIntra = type === SLICE_TYPE.I || type === SLICE_TYPE.SI;
  const isIdr = nal.nal_unit_type === 5;
  writer.ue(header.first_mb_in_slice);
  writer.ue(header.slice_type);
  writer.ue(header.pic_parameter_set_id);
  if (sps.separate_colour_plane_flag) {
    writer.bits(header.colour_plane_id, 2);
  }
  writer.bits(header.frame_num, sps.log2_max_frame_num_minus4 + 4);
  if (!sps.frame_mbs_only_flag) {
    writer.flag(header.field_pic_flag);
    if (header.field_pic_flag) {
      writer.flag(header.bottom_field_flag);
    }
  }
  if (isIdr) {
    writer.ue(header.idr_pic_id);
  }
  writeOrder(writer, header, context);
  if (!isIntra) {
    writeReferences(writer, header, context, type);
  }
  if (header.pred_weight_table !== null) {
    writePredWeightTable(writer, header.pred_weight_table, chromaArrayTypeOf(sps) !== 0);
  }
  if (header.dec_ref_pic_marking !== null) {
    writeMarking(writer, header.dec_ref_pic_marking, isIdr);
  }
  if (pps.entropy_coding_mode_flag && !isIntra) {
    writer.ue(header.cabac_init_idc);
  }
  writer.se(header.slice_qp_delta);
  if (type === SLICE_TYPE.SP) {
    writer.flag(header.sp_for_switch_flag);
  }
  if (type === SLICE_TYPE.SP || type === SLICE_TYPE.SI) {
    writer.se(header.slice_qs_delta);
  }
  if (pps.deblocking_filter_control_present_flag) {
    writer.ue(header.disable_deblocking_filter_idc);
    if (header.disable_deblocking_filter_idc !== 1) {
      writer.se(header.slice_alpha_c0_offset_div2);
      writer.se(header.slice_beta_offset_div2);
    }
  }
  writer.bits(header.slice_group_change_cycle, sliceGroupChangeCycleBits(context));
}
