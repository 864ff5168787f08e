// Makes legal H.264 streams of a seed, with every tool of Main and High in every mixture: frames, fields and MBAFF frames side by side,
// slices of different types in one picture, long-term references, list modifications, all order count types. The decoder itself runs
// over drawn syntax elements (cabac-generator, cavlc-generator), so that a stream costs no encoder; the headers come from the write twins.
// What the frames must be is for an independent decoder to say.

import { joinAnnexB } from '../../../shared/bitstream/annex-b.ts';
import { BitReader } from '../../../shared/bitstream/bit-reader.ts';
import { BitWriter } from '../../../shared/bitstream/bit-writer.ts';
import { microseconds } from '../../../shared/media/time.ts';
import type { MacroblockDecoder } from '../../../shared/codec/h264/decoder/macroblock-decoder.ts';
import { PictureDecoder } from '../../../shared/codec/h264/decoder/picture-decoder.ts';
import { Sequence } from '../../../shared/codec/h264/decoder/sequence.ts';
import type { SliceState } from '../../../shared/codec/h264/decoder/slice-state.ts';
import { deriveOrderCount } from '../../../shared/codec/h264/dpb/picture-order-count.ts';
import {
  BOTTOM_FIELD,
  FRAME,
  TOP_FIELD,
  type Picture,
  type Structure,
} from '../../../shared/codec/h264/dpb/picture.ts';
import { createWasmKernels } from '../../../shared/codec/h264/kernels/wasm-kernels.ts';
import type { DecRefPicMarking } from '../../../shared/codec/h264/syntax/marking-syntax.ts';
import { NAL_UNIT_TYPE, writeNalUnit } from '../../../shared/codec/h264/syntax/nal-unit.ts';
import { writePps, type PictureParameterSet } from '../../../shared/codec/h264/syntax/pps.ts';
import { SLICE_TYPE, writeSliceHeader, type SliceHeader } from '../../../shared/codec/h264/syntax/slice-header.ts';
import { pictureSizeOf, writeSps } from '../../../shared/codec/h264/syntax/sps.ts';
import { CabacGenerator } from './cabac-generator.ts';
import { CavlcGenerator } from './cavlc-generator.ts';
import { Draw } from './draw.ts';
import { RetryingMacroblocks } from './retrying-macroblocks.ts';
import { Legality } from './legality.ts';
import { drawList, drawMarking, drawWeights, referencesOf } from './reference-plan.ts';
import { drawSequence, type SequencePlan } from './sequence-plan.ts';

/** A stream and what it is made of. */
export type SyntheticStream = {
  readonly seed: number;
  /** Annex B. */
  readonly stream: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly isMonochrome: boolean;
  readonly plan: SequencePlan;
  /** One line per picture, for failures. */
  readonly log: readonly string[];
};

/** Distances in display order within a group, in decoding order, for groups of 1, 2 and 4 frames. */
const GROUPS: readonly (readonly number[])[] = [[1], [1], [2, 1], [4, 2, 1, 3], [3, 1, 2]];

/** Order counts between frames: fields and jitter fit between. */
const ORDER_STEP = 4;

/** Operation 5 sets the upper part of the order count to 0: below this the lower part says it all. */
const MAX_ORDER_OF_RESET = 16;

/** One frame to make. */
type FramePlan = { readonly isIdr: boolean; readonly isReference: boolean; readonly order: number };

type DrawnLists = readonly [ReturnType<typeof drawList>, ReturnType<typeof drawList>];

/** The lists that all slices of a picture share. */
type SharedLists = { lists: DrawnLists | undefined };

/** What the generating parts need of the slice decoder: it is made with reading ones. */
type Exchangeable = { cavlc: CavlcGenerator; cabac: CabacGenerator; macroblocks: RetryingMacroblocks };

class StreamSynthesizer {
  private readonly draw: Draw;
  private readonly plan: SequencePlan;
  private readonly pictures: PictureDecoder;
  private readonly s: SliceState;
  private readonly cabac: CabacGenerator;
  private readonly cavlc: CavlcGenerator;
  private readonly macroblocks: RetryingMacroblocks;
  private readonly nalUnits: Uint8Array[] = [];
  readonly log: string[] = [];
  private readonly MaxFrameNum: number;
  private frame_num = 0;
  private idrs = 0;
  /** Order count of the last group's end, and where the counting begins. */
  private displayed = 0;
  private wasReset = false;
  private isAfterReset = false;
  /** At most one non-reference picture in a row with order count type 2. */
  private lastWasReference = true;
  /** Per frame (its number): the frames that its motion refers to, and the numbers given so far. */
  private readonly referredBy = new Map<number, Set<number>>();
  private serial = 0;
  /** Frames whose slices have different lists: ffmpeg takes them wrongly as co-located pictures in temporal direct prediction. */
  private readonly hasManyLists = new Set<number>();

  constructor(seed: number) {
    this.draw = new Draw(seed);
    this.plan = drawSequence(this.draw);
    const { sps, ppss } = this.plan;
    const sequence = new Sequence(sps, { reconstruction: createWasmKernels, slices: null });
    this.pictures = new PictureDecoder(sequence, false, {
      output: () => undefined,
      error: (code) => {
        throw new Error(`The synthesizer made a stream that its decoder does not take: ${code}.`);
      },
      decoded: () => undefined,
    });
    this.s = sequence.state;
    const { draw } = this;
    const legality = new Legality(this.s, {
      minQp: draw.pick([0, 10, 22]),
      maxQp: draw.pick([26, 36, 44]),
      maxMv: draw.pick([12, 60, 400]),
      skip: draw.pick([0, 20, 60]),
      pcm: draw.pick([0, 1, 4]),
      intraInInter: draw.pick([2, 15, 40]),
    });
    this.cabac = new CabacGenerator(this.s, draw, legality);
    this.cavlc = new CavlcGenerator(this.s, draw, legality);
    const parts = this.pictures.sliceData as unknown as Exchangeable;
    this.macroblocks = new RetryingMacroblocks(parts.macroblocks as unknown as MacroblockDecoder, this.s);
    parts.cabac = this.cabac;
    parts.cavlc = this.cavlc;
    parts.macroblocks = this.macroblocks;
    this.pictures.sliceData.onMacroblock = () => this.cavlc.macroblockDone();
    this.MaxFrameNum = 1 << (sps.log2_max_frame_num_minus4 + 4);
    this.nalUnits.push(writeNalUnit({ nal_ref_idc: 3, nal_unit_type: NAL_UNIT_TYPE.SPS, rbsp: writeSps(sps) }));
    for (const pps of ppss) {
      this.nalUnits.push(writeNalUnit({ nal_ref_idc: 3, nal_unit_type: NAL_UNIT_TYPE.PPS, rbsp: writePps(pps) }));
    }
  }

  run(groups: number): void {
    const { draw, plan } = this;
    this.frame({ isIdr: true, isReference: true, order: 0 });
    for (let group = 0; group < groups; group++) {
      if (draw.chance(8)) {
        this.displayed = 0;
        this.frame({ isIdr: true, isReference: true, order: 0 });
        continue;
      }
      const order = plan.reorder === 0 ? [1] : draw.pick(GROUPS);
      const base = this.displayed;
      for (const [i, distance] of order.entries()) {
        const mustRefer = i === 0 && order.length > 1;
        const mayRest = plan.sps.pic_order_cnt_type !== 2 || this.lastWasReference;
        const isReference = mustRefer || !mayRest || draw.chance(order.length > 1 ? 45 : 85);
        this.frame({ isIdr: false, isReference, order: base + distance * ORDER_STEP }, order.length === 1);
      }
      this.displayed = base + order.length * ORDER_STEP;
      this.wasReset = false;
    }
    this.pictures.flush();
  }

  result(seed: number): SyntheticStream {
    const { width, height } = pictureSizeOf(this.plan.sps);
    const isMonochrome = this.plan.sps.chroma_format_idc === 0;
    return { seed, stream: joinAnnexB(this.nalUnits), width, height, isMonochrome, plan: this.plan, log: this.log };
  }

  private frame(frame: FramePlan, mayReset = false): void {
    const { draw, plan } = this;
    this.frame_num = frame.isIdr ? 0 : (this.prevRefFrameNum() + 1) % this.MaxFrameNum;
    this.serial++;
    const isFieldPair = plan.coding === 'fields' || (plan.coding === 'mixed' && draw.chance(50));
    if (!isFieldPair) {
      this.picture(frame, FRAME, null, mayReset && plan.coding === 'progressive' && frame.order < MAX_ORDER_OF_RESET);
    } else {
      const first = draw.chance(70) ? TOP_FIELD : BOTTOM_FIELD;
      this.picture(frame, first, null, false);
      const stored = this.pictures.buffer.frames.find((candidate) => candidate.decoded === first) ?? null;
      this.picture({ ...frame, isIdr: false }, FRAME - first, stored, false);
    }
    this.lastWasReference = frame.isReference;
  }

  private prevRefFrameNum(): number {
    return (this.pictures as unknown as { PrevRefFrameNum: number }).PrevRefFrameNum;
  }

  /** Codes a frame or a field with random slices. */
  private picture(frame: FramePlan, structure: Structure, firstField: Picture | null, mayReset: boolean): void {
    const { draw, plan, pictures } = this;
    const pps = draw.pick(plan.ppss);
    const isIdr = frame.isIdr;
    const { MaxLongTermFrameIdx } = pictures as unknown as { MaxLongTermFrameIdx: number };
    let marking: DecRefPicMarking | null = null;
    if (frame.isReference && isIdr) {
      const long_term_reference_flag = draw.chance(structure === FRAME ? 20 : 0);
      marking = { kind: 'idr', no_output_of_prior_pics_flag: false, long_term_reference_flag };
    } else if (frame.isReference) {
      marking = drawMarking(draw, {
        frames: pictures.buffer.frames,
        firstField,
        structure,
        frame_num: this.frame_num,
        MaxFrameNum: this.MaxFrameNum,
        max_num_ref_frames: plan.sps.max_num_ref_frames,
        MaxLongTermFrameIdx,
        mayReset,
      });
      this.wasReset ||= marking.kind === 'adaptive' && marking.operations.some(({ operation }) => operation === 5);
    }
    const nal = {
      nal_ref_idc: frame.isReference ? draw.between(1, 3) : 0,
      nal_unit_type: isIdr ? NAL_UNIT_TYPE.IDR_SLICE : NAL_UNIT_TYPE.SLICE,
    };
    // ffmpeg mistakes the first field of a frame as co-located picture of the second, and the order of what follows operation 5.
    const interTypes =
      (firstField !== null && frame.isReference) || this.isAfterReset ? [SLICE_TYPE.P] : [SLICE_TYPE.P, SLICE_TYPE.B];
    const inter = draw.pick(interTypes); // P and B slices in one picture: ffmpeg filters edges between them wrongly
    const shared: SharedLists | null = draw.chance(70) ? { lists: undefined } : null;
    if (shared === null) {
      this.hasManyLists.add(this.serial);
    }
    const common = {
      shared,
      inter,
      ...this.orderElements(frame, structure, pps),
      marking,
      structure,
      isIdr,
      pps,
      nal,
    };
    const unit = structure === FRAME && plan.sps.mb_adaptive_frame_field_flag ? 2 : 1;
    const { PicWidthInMbs, FrameHeightInMbs } = pictureSizeOf(plan.sps);
    const units = (PicWidthInMbs * FrameHeightInMbs) / (structure === FRAME ? 1 : 2) / unit;
    const types: string[] = [];
    for (let first = 0; first < units;) {
      const last = draw.chance(50) ? units - 1 : draw.between(first, units - 1);
      types.push(this.slice(common, first, last, unit));
      first = last + 1;
    }
    this.log.push(
      `${isIdr ? 'IDR ' : ''}${['', 'top', 'bottom', unit === 2 ? 'mbaff' : 'frame'][structure]} frame_num ${this.frame_num} order ${frame.order} ` +
        `ref ${nal.nal_ref_idc} pps ${pps.pic_parameter_set_id} ${pps.entropy_coding_mode_flag ? 'cabac' : 'cavlc'} ${JSON.stringify(marking)} ${types.join(' ')}`,
    );
    pictures.finishPicture();
    this.noteReferences();
    this.isAfterReset = !isIdr && (this.isAfterReset || this.wasReset);
    if (isIdr) {
      this.idrs++;
    }
  }

  /** Keeps which frames the motion of the picture just made refers to. */
  private noteReferences(): void {
    const { picture, refPic0, refPic1 } = this.s;
    const set = this.referredBy.get(picture.accessUnit) ?? new Set();
    for (const id of [...refPic0, ...refPic1]) {
      if (id >= 0) {
        set.add(this.pictures.sequence.pictures[id >> 2].accessUnit);
      }
    }
    this.referredBy.set(picture.accessUnit, set);
  }

  /** Temporal direct prediction needs what any co-located picture refers to in list 0 (8.4.1.2.3). */
  private canBeTemporal(): boolean {
    const marked = this.pictures.buffer.frames.filter((frame) => frame.isMarked);
    const whole = new Set(
      marked.filter((frame) => (frame.shortTerm | frame.longTerm) === FRAME).map(({ accessUnit }) => accessUnit),
    );
    return marked.every(
      ({ accessUnit }) =>
        !this.hasManyLists.has(accessUnit) &&
        [...(this.referredBy.get(accessUnit) ?? [])].every((number) => whole.has(number)),
    );
  }

  /** Order count elements that give the picture the order that is planned. */
  private orderElements(
    { order, isIdr, isReference }: FramePlan,
    structure: Structure,
    pps: PictureParameterSet,
  ): Pick<SliceHeader, 'pic_order_cnt_lsb' | 'delta_pic_order_cnt_bottom' | 'delta_pic_order_cnt'> {
    const { draw, plan, pictures } = this;
    const { sps } = plan;
    const hasBottom = pps.bottom_field_pic_order_in_frame_present_flag && structure === FRAME;
    const wanted = order + (structure === BOTTOM_FIELD ? 1 : 0);
    const none = { pic_order_cnt_lsb: 0, delta_pic_order_cnt_bottom: 0, delta_pic_order_cnt: [0, 0] as const };
    const delta = hasBottom ? draw.between(isIdr ? 0 : -1, 1) : 0;
    if (sps.pic_order_cnt_type === 0) {
      const MaxLsb = 1 << (sps.log2_max_pic_order_cnt_lsb_minus4 + 4);
      return { ...none, pic_order_cnt_lsb: wanted & (MaxLsb - 1), delta_pic_order_cnt_bottom: delta };
    }
    if (sps.pic_order_cnt_type === 2) {
      return none;
    }
    const { orderState } = pictures as unknown as { orderState: Parameters<typeof deriveOrderCount>[1] };
    const expected = deriveOrderCount(sps, orderState, {
      ...none,
      frame_num: this.frame_num,
      field_pic_flag: structure !== FRAME,
      bottom_field_flag: structure === BOTTOM_FIELD,
      isIdr,
      isReference,
    });
    const base = structure === BOTTOM_FIELD ? expected.BottomFieldOrderCnt : expected.TopFieldOrderCnt;
    const second = hasBottom ? wanted + delta - (wanted + sps.offset_for_top_to_bottom_field) : 0;
    return { ...none, delta_pic_order_cnt: [wanted - base, second] };
  }

  private slice(
    picture: ReturnType<StreamSynthesizer['orderElements']> & {
      readonly marking: DecRefPicMarking | null;
      readonly structure: Structure;
      readonly isIdr: boolean;
      readonly pps: PictureParameterSet;
      readonly nal: { readonly nal_ref_idc: number; readonly nal_unit_type: number };
      readonly shared: SharedLists | null;
      readonly inter: number;
    },
    first: number,
    last: number,
    unit: number,
  ): string {
    const { draw, plan, pictures, s } = this;
    const { structure, isIdr, pps, nal, marking } = picture;
    const at = { structure, frame_num: this.frame_num, MaxFrameNum: this.MaxFrameNum };
    const references = referencesOf(pictures.buffer.frames, structure, this.frame_num, this.MaxFrameNum);
    const canRefer = !isIdr && references.length > 0;
    const type = canRefer && !draw.chance(15) ? picture.inter : SLICE_TYPE.I;
    const isTemporal =
      type === SLICE_TYPE.B && draw.chance(50) && this.canBeTemporal() && picture.shared?.lists === undefined;
    const whole = { count: references.length, modification: [] };
    const drawn = (): DrawnLists => [
      isTemporal ? whole : drawList(draw, references, at),
      drawList(draw, references, at),
    ];
    const both = type === SLICE_TYPE.I ? null : (picture.shared?.lists ?? drawn());
    if (picture.shared !== null && both !== null) {
      picture.shared.lists = both;
    }
    const lists = [both?.[0] ?? null, type === SLICE_TYPE.B ? (both?.[1] ?? null) : null];
    const counts = [lists[0]?.count ?? 0, lists[1]?.count ?? 0] as const;
    const isWeighted =
      (type === SLICE_TYPE.P && pps.weighted_pred_flag) || (type === SLICE_TYPE.B && pps.weighted_bipred_idc === 1);
    const hasChroma = plan.sps.chroma_format_idc !== 0;
    // ffmpeg predicts from a filtered corner sample in field pictures whose slices are filtered on their own (2).
    const filters = structure === FRAME ? [0, 0, 1, 2] : [0, 0, 1];
    const filter = pps.deblocking_filter_control_present_flag ? draw.pick(filters) : 0;
    const offset = (): number => (pps.deblocking_filter_control_present_flag && filter !== 1 ? draw.between(-6, 6) : 0);
    const header: SliceHeader = {
      first_mb_in_slice: first,
      slice_type: type,
      pic_parameter_set_id: pps.pic_parameter_set_id,
      colour_plane_id: 0,
      frame_num: this.frame_num,
      field_pic_flag: structure !== FRAME,
      bottom_field_flag: structure === BOTTOM_FIELD,
      idr_pic_id: isIdr ? this.idrs & 1 : 0,
      pic_order_cnt_lsb: picture.pic_order_cnt_lsb,
      delta_pic_order_cnt_bottom: picture.delta_pic_order_cnt_bottom,
      delta_pic_order_cnt: picture.delta_pic_order_cnt,
      redundant_pic_cnt: 0,
      direct_spatial_mv_pred_flag: type === SLICE_TYPE.B && !isTemporal,
      num_ref_idx_active: counts,
      ref_pic_list_modification: [lists[0]?.modification ?? [], lists[1]?.modification ?? []],
      pred_weight_table: isWeighted ? drawWeights(draw, counts, hasChroma) : null,
      dec_ref_pic_marking: marking,
      cabac_init_idc: pps.entropy_coding_mode_flag && type !== SLICE_TYPE.I ? draw.below(3) : 0,
      slice_qp_delta: draw.between(this.cabacLimits().minQp, this.cabacLimits().maxQp) - 26 - pps.pic_init_qp_minus26,
      sp_for_switch_flag: false,
      slice_qs_delta: 0,
      disable_deblocking_filter_idc: filter,
      slice_alpha_c0_offset_div2: offset(),
      slice_beta_offset_div2: offset(),
      slice_group_change_cycle: 0,
    };
    const context = { nal, sps: plan.sps, pps };
    const order = Array.from({ length: (last - first + 1) * unit }, (_, i) => first * unit + i);
    const generator = pps.entropy_coding_mode_flag ? this.cabac : this.cavlc;
    generator.plan(order);
    this.macroblocks.generator = generator;
    const pcm = draw.bytes(384);
    const reader = pps.entropy_coding_mode_flag ? new BitReader(pcm) : this.cavlc.reader(pcm);
    pictures.decodeSlice(reader, header, context, microseconds(0), this.serial);
    s.reader = reader;
    const writer = new BitWriter(1024);
    writeSliceHeader(writer, header, context);
    let rbsp: Uint8Array;
    if (pps.entropy_coding_mode_flag) {
      writer.align(1);
      rbsp = this.cabac.write(writer.toBytes());
    } else {
      const { position } = writer;
      writer.align(0);
      const bytes = writer.toBytes();
      const whole = position >> 3;
      const tailLength = position & 7;
      rbsp = this.cavlc.write(
        bytes.subarray(0, whole),
        tailLength === 0 ? 0 : bytes[whole] >> (8 - tailLength),
        tailLength,
      );
    }
    this.nalUnits.push(writeNalUnit({ ...nal, rbsp }));
    return `${'PBI'.charAt(type)}${first}-${last}`;
  }

  private cabacLimits(): { readonly minQp: number; readonly maxQp: number } {
    return (this.cabac as unknown as { legality: Legality }).legality.limits;
  }
}

/** Makes the stream of a seed. */
export function synthesizeStream(seed: number, groups = 4): SyntheticStream {
  const synthesizer = new StreamSynthesizer(seed);
  synthesizer.run(groups);
  return synthesizer.result(seed);
}
