// Streams with slice groups of every type (8.2.2), arbitrary slice order and redundant slices, of samples that are known: every macroblock
// is I_PCM or P_Skip without motion, and nothing is filtered. So no decoder has to say what the frames must be; none beside ours takes
// slice groups. Frames, field pictures and frames of an interlaced sequence (8.2.2.8). The maps are made from what the types mean, not in
// the way in which the decoder makes them.

import { joinAnnexB } from '../../../shared/bitstream/annex-b.ts';
import { BitWriter } from '../../../shared/bitstream/bit-writer.ts';
import { NAL_UNIT_TYPE, writeNalUnit } from '../../../shared/codec/h264/syntax/nal-unit.ts';
import { writePps, type PictureParameterSet, type SliceGroups } from '../../../shared/codec/h264/syntax/pps.ts';
import { SLICE_TYPE, writeSliceHeader, type SliceHeader } from '../../../shared/codec/h264/syntax/slice-header.ts';
import { writeSps, type SequenceParameterSet } from '../../../shared/codec/h264/syntax/sps.ts';
import { plainPps, plainSps } from '../plain-parameter-sets.ts';
import { Draw } from './draw.ts';
import { drawSliceGroups, groupOfUnits } from './slice-group-plan.ts';

const PCM_BYTES = 384;
const PICTURES = 5;
/** mb_type of I_PCM in I slices; in P slices 5 more (Table 7-13). */
const I_PCM = 25;
const P_TYPES = 5;

/** A stream and the frames that it must give. */
export type SliceGroupStream = {
  /** Annex B. */
  readonly stream: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** I420 without padding, in output order. */
  readonly frames: readonly Uint8Array[];
  readonly redundantSlices: number;
};

/** How the pictures of a stream are coded. */
export type SliceGroupCoding = 'progressive' | 'interlaced frames' | 'fields';

class SliceGroupSynthesizer {
  private readonly draw: Draw;
  private readonly coding: SliceGroupCoding;
  private readonly sps: SequenceParameterSet;
  private readonly pps: PictureParameterSet;
  private readonly groups: SliceGroups;
  private readonly width: number;
  private readonly heightInMbs: number;
  private readonly nalUnits: Uint8Array[] = [];
  readonly frames: Uint8Array[] = [];
  redundantSlices = 0;

  constructor(seed: number, type: number, coding: SliceGroupCoding) {
    const draw = new Draw(seed);
    this.draw = draw;
    this.coding = coding;
    const isInterlaced = coding !== 'progressive';
    this.width = draw.between(2, 7);
    const units = draw.between(2, 6);
    this.heightInMbs = isInterlaced ? 2 * units : units;
    this.groups = drawSliceGroups(draw, type, this.width, units);
    this.sps = {
      ...plainSps,
      profile_idc: isInterlaced ? 88 : 66,
      constraint_set_flags: 0,
      pic_width_in_mbs_minus1: this.width - 1,
      pic_height_in_map_units_minus1: units - 1,
      frame_mbs_only_flag: !isInterlaced,
      max_num_ref_frames: 2, // else the second field of a frame could not refer to the frame before
    };
    this.pps = {
      ...plainPps,
      slice_groups: this.groups,
      deblocking_filter_control_present_flag: true,
      redundant_pic_cnt_present_flag: true,
    };
    const header = { nal_ref_idc: 3 };
    this.nalUnits.push(
      writeNalUnit({ ...header, nal_unit_type: NAL_UNIT_TYPE.SPS, rbsp: writeSps(this.sps) }),
      writeNalUnit({ ...header, nal_unit_type: NAL_UNIT_TYPE.PPS, rbsp: writePps(this.pps) }),
    );
  }

  run(): void {
    for (let frame_num = 0; frame_num < PICTURES; frame_num++) {
      const before = this.frames.at(-1);
      const frame = before?.slice() ?? new Uint8Array(this.width * this.heightInMbs * PCM_BYTES);
      if (this.coding === 'fields') {
        this.picture(frame, frame_num, 0);
        this.picture(frame, frame_num, 1);
      } else {
        this.picture(frame, frame_num, null);
      }
      this.frames.push(frame);
    }
  }

  result(): SliceGroupStream {
    const { width, heightInMbs, frames, redundantSlices } = this;
    return {
      stream: joinAnnexB(this.nalUnits),
      width: 16 * width,
      height: 16 * heightInMbs,
      frames,
      redundantSlices,
    };
  }

  /** Codes a frame, or the field of a parity, and draws the macroblocks that change in `frame`. */
  private picture(frame: Uint8Array, frame_num: number, parity: 0 | 1 | null): void {
    const { draw, width } = this;
    const isIdr = frame_num === 0;
    // the second field of an IDR picture is no IDR picture, but it may be one of I slices
    const isIntra = isIdr;
    const count = (width * this.heightInMbs) / (parity === null ? 1 : 2);
    const slice_group_change_cycle = this.drawCycle();
    const groupOf = this.macroblockMap(slice_group_change_cycle, parity);
    const slices: Uint8Array[] = [];
    for (let group = 0; group <= this.groups.num_slice_groups_minus1; group++) {
      const own = Array.from({ length: count }, (_, mb) => mb).filter((mb) => groupOf(mb) === group);
      for (let at = 0; at < own.length;) {
        const length = draw.between(1, own.length - at);
        const macroblocks = own.slice(at, at + length);
        const pcm = new Map(
          macroblocks.filter(() => isIntra || draw.chance(40)).map((mb) => [mb, draw.bytes(PCM_BYTES)] as const),
        );
        for (const [mb, samples] of pcm) {
          this.put(frame, mb, parity, samples);
        }
        const place = { isIdr: isIdr && parity !== 1, isIntra, frame_num, parity, slice_group_change_cycle };
        slices.push(this.slice({ ...place, redundant_pic_cnt: 0 }, macroblocks, pcm));
        at += length;
        if (draw.chance(30)) {
          this.redundantSlices++;
          const other = new Map(macroblocks.map((mb) => [mb, draw.bytes(PCM_BYTES)] as const));
          slices.push(this.slice({ ...place, redundant_pic_cnt: draw.between(1, 3) }, macroblocks, other));
        }
      }
    }
    this.nalUnits.push(...this.shuffled(slices));
  }

  /** Arbitrary slice order; redundant slices follow the first primary one (7.4.1.2.5). */
  private shuffled(slices: Uint8Array[]): Uint8Array[] {
    const out = [...slices];
    for (let i = out.length - 1; i > 1; i--) {
      const j = this.draw.between(1, i);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }

  private drawCycle(): number {
    const { slice_group_map_type: type, slice_group_change_rate_minus1 } = this.groups;
    const units = this.width * (this.sps.pic_height_in_map_units_minus1 + 1);
    return type < 3 || type > 5 ? 0 : this.draw.between(0, Math.ceil(units / (slice_group_change_rate_minus1 + 1)));
  }

  /** 8.2.2.8: a map unit is a macroblock, of a field too; in frames of an interlaced sequence a pair of macroblocks, one above the other. */
  private macroblockMap(slice_group_change_cycle: number, parity: 0 | 1 | null): (mb: number) => number {
    const { width, coding } = this;
    const map = groupOfUnits(this.groups, width, this.sps.pic_height_in_map_units_minus1 + 1, slice_group_change_cycle);
    return (mb) => {
      const x = mb % width;
      const row = Math.floor(mb / width);
      return map[(parity === null && coding !== 'progressive' ? row >> 1 : row) * width + x]!;
    };
  }

  private put(frame: Uint8Array, mb: number, parity: 0 | 1 | null, samples: Uint8Array): void {
    const { width } = this;
    const x = mb % width;
    const row = Math.floor(mb / width);
    const plane = (at: number, size: number, from: number): void => {
      const stride = size * width;
      for (let y = 0; y < size; y++) {
        const line = parity === null ? size * row + y : 2 * (size * row + y) + parity;
        frame.set(samples.subarray(from + size * y, from + size * (y + 1)), at + line * stride + size * x);
      }
    };
    const luma = 256 * width * this.heightInMbs;
    plane(0, 16, 0);
    plane(luma, 8, 256);
    plane((luma * 5) / 4, 8, 320);
  }

  private slice(
    place: {
      readonly isIdr: boolean;
      readonly isIntra: boolean;
      readonly frame_num: number;
      readonly parity: 0 | 1 | null;
      readonly slice_group_change_cycle: number;
      readonly redundant_pic_cnt: number;
    },
    macroblocks: readonly number[],
    pcm: ReadonlyMap<number, Uint8Array>,
  ): Uint8Array {
    const { isIdr, isIntra, parity } = place;
    const nal = { nal_ref_idc: 2, nal_unit_type: isIdr ? NAL_UNIT_TYPE.IDR_SLICE : NAL_UNIT_TYPE.SLICE };
    const header: SliceHeader = {
      first_mb_in_slice: macroblocks[0]!,
      slice_type: isIntra ? SLICE_TYPE.I : SLICE_TYPE.P,
      pic_parameter_set_id: 0,
      colour_plane_id: 0,
      frame_num: place.frame_num,
      field_pic_flag: parity !== null,
      bottom_field_flag: parity === 1,
      idr_pic_id: 0,
      pic_order_cnt_lsb: 0,
      delta_pic_order_cnt_bottom: 0,
      delta_pic_order_cnt: [0, 0],
      redundant_pic_cnt: place.redundant_pic_cnt,
      direct_spatial_mv_pred_flag: false,
      num_ref_idx_active: isIntra ? [0, 0] : [1, 0],
      ref_pic_list_modification: [[], []],
      pred_weight_table: null,
      dec_ref_pic_marking: isIdr
        ? { kind: 'idr', no_output_of_prior_pics_flag: false, long_term_reference_flag: false }
        : { kind: 'sliding-window' },
      cabac_init_idc: 0,
      slice_qp_delta: 0,
      sp_for_switch_flag: false,
      slice_qs_delta: 0,
      disable_deblocking_filter_idc: 1,
      slice_alpha_c0_offset_div2: 0,
      slice_beta_offset_div2: 0,
      slice_group_change_cycle: place.slice_group_change_cycle,
    };
    const writer = new BitWriter(1024);
    writeSliceHeader(writer, header, { nal, sps: this.sps, pps: this.pps });
    let skipped = 0;
    for (const mb of macroblocks) {
      const samples = pcm.get(mb);
      if (samples === undefined) {
        skipped++;
        continue;
      }
      if (!isIntra) {
        writer.ue(skipped);
        skipped = 0;
      }
      writer.ue(I_PCM + (isIntra ? 0 : P_TYPES));
      writer.align(0);
      samples.forEach((sample) => writer.bits(sample, 8));
    }
    if (skipped > 0) {
      writer.ue(skipped);
    }
    writer.trailingBits();
    return writeNalUnit({ ...nal, rbsp: writer.toBytes() });
  }
}

/** Makes a stream of a seed with slice groups of a type. */
export function synthesizeSliceGroups(seed: number, type: number, coding: SliceGroupCoding): SliceGroupStream {
  const synthesizer = new SliceGroupSynthesizer(seed, type, coding);
  synthesizer.run();
  return synthesizer.result();
}
