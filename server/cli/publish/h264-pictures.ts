// Groups the NAL units of a byte stream into pictures (7.4.1.2.4; the two fields of a frame are one) and derives the order in which
// they are shown (8.2.1). Used by h264-source.ts, which gives them times.

import { BitReader } from '../../../shared/bitstream/bit-reader.ts';
import {
  deriveOrderCount,
  finishOrderCount,
  initialOrderCountState,
} from '../../../shared/codec/h264/dpb/picture-order-count.ts';
import type { OrderCountInput } from '../../../shared/codec/h264/dpb/picture-order-count.ts';
import { NAL_UNIT_TYPE, parseNalUnit } from '../../../shared/codec/h264/syntax/nal-unit.ts';
import { isNewPicture } from '../../../shared/codec/h264/syntax/picture-boundary.ts';
import type { SliceOfPicture } from '../../../shared/codec/h264/syntax/picture-boundary.ts';
import { parsePps } from '../../../shared/codec/h264/syntax/pps.ts';
import type { PictureParameterSet } from '../../../shared/codec/h264/syntax/pps.ts';
import { findSliceContext, parseSliceHeader } from '../../../shared/codec/h264/syntax/slice-header.ts';
import type { SliceHeader } from '../../../shared/codec/h264/syntax/slice-header.ts';
import { chromaArrayTypeOf, parseSps } from '../../../shared/codec/h264/syntax/sps.ts';
import type { SequenceParameterSet } from '../../../shared/codec/h264/syntax/sps.ts';
import { BitstreamError } from '../../../shared/errors.ts';

/** Parameter sets in force, as NAL units. */
export type ParameterSets = {
  readonly sps: SequenceParameterSet;
  readonly spsNal: Uint8Array;
  readonly ppsNals: readonly Uint8Array[];
};

/** One picture of the stream: a frame, or its two fields. */
export type CodedPicture = {
  /** Without parameter sets, delimiters and filler. */
  readonly nals: readonly Uint8Array[];
  /** Set where the parameter sets differ from the picture before. */
  readonly newSets: ParameterSets | null;
  /** PicOrderCnt within its period. */
  readonly order: number;
  /** The order counts begin again here: all pictures of the period before are shown first. */
  readonly startsPeriod: boolean;
};

/** `order` and `startsPeriod` are changed after the first slice by memory_management_control_operation 5 only. */
type Collecting = { nals: Uint8Array[]; order: number; startsPeriod: boolean; hasReset: boolean };

/** Takes NAL units in stream order. */
export class PictureCollector {
  readonly #sps = new Map<number, { readonly parsed: SequenceParameterSet; readonly nal: Uint8Array }>();
  readonly #pps = new Map<number, { readonly parsed: PictureParameterSet; readonly nal: Uint8Array }>();
  #pictures: CodedPicture[] = [];
  /** NAL units that come before the first slice of the next picture. */
  #prefix: Uint8Array[] = [];
  #current: Collecting | null = null;
  #last: SliceOfPicture | null = null;
  #isFirstField = false;
  #orderState = initialOrderCountState();
  #pendingReset = false;
  #currentSets: ParameterSets | null = null;
  #sentSets: ParameterSets | null = null;
  /** Slices that could not be read and were left out. */
  damagedSlices = 0;

  /** The pictures that are complete. */
  take(): CodedPicture[] {
    const pictures = this.#pictures;
    this.#pictures = [];
    return pictures;
  }

  push(nal: Uint8Array): void {
    const nal_unit_type = (nal[0] ?? 0) & 0x1f;
    try {
      switch (nal_unit_type) {
        case NAL_UNIT_TYPE.SPS:
          this.#finishUnlessField();
          this.#takeSps(nal);
          break;
        case NAL_UNIT_TYPE.PPS:
          this.#finishUnlessField();
          this.#takePps(nal);
          break;
        case NAL_UNIT_TYPE.SLICE:
        case NAL_UNIT_TYPE.SLICE_PARTITION_A:
        case NAL_UNIT_TYPE.IDR_SLICE:
          this.#takeSlice(nal);
          break;
        case NAL_UNIT_TYPE.SLICE_PARTITION_B:
        case NAL_UNIT_TYPE.SLICE_PARTITION_C:
          this.#current?.nals.push(nal);
          break;
        case NAL_UNIT_TYPE.SEI:
          this.#finishUnlessField();
          this.#prefix.push(nal);
          break;
        default:
          break; // delimiters, filler, extensions
      }
    } catch (error) {
      if (!(error instanceof BitstreamError)) {
        throw error;
      }
      this.damagedSlices += 1;
    }
  }

  /** The stream has ended. */
  flush(): void {
    this.#finishPicture();
  }

  #takeSps(nal: Uint8Array): void {
    const parsed = parseSps(parseNalUnit(nal).rbsp);
    this.#sps.set(parsed.seq_parameter_set_id, { parsed, nal });
  }

  #takePps(nal: Uint8Array): void {
    const { rbsp } = parseNalUnit(nal);
    const reader = new BitReader(rbsp);
    reader.ue();
    const sps = this.#sps.get(reader.ue())?.parsed;
    const parsed = parsePps(rbsp, sps === undefined ? 1 : chromaArrayTypeOf(sps));
    this.#pps.set(parsed.pic_parameter_set_id, { parsed, nal });
  }

  #takeSlice(nal: Uint8Array): void {
    const unit = parseNalUnit(nal);
    const context = findSliceContext(unit.rbsp, unit, {
      sps: (id) => this.#sps.get(id)?.parsed,
      pps: (id) => this.#pps.get(id)?.parsed,
    });
    const slice = { header: parseSliceHeader(new BitReader(unit.rbsp), context), context };
    if (slice.header.redundant_pic_cnt > 0) {
      return;
    }
    if (this.#last !== null && this.#current !== null && !isNewPicture(this.#last, slice)) {
      this.#current.nals.push(nal);
    } else if (this.#isSecondField(slice)) {
      this.#isFirstField = false;
      this.#startField(slice, nal);
    } else {
      this.#finishPicture();
      this.#startPicture(slice, nal);
    }
    this.#last = slice;
  }

  #isSecondField({ header, context }: SliceOfPicture): boolean {
    const first = this.#last?.header;
    return (
      this.#isFirstField &&
      this.#current !== null &&
      first !== undefined &&
      header.field_pic_flag &&
      header.frame_num === first.frame_num &&
      header.bottom_field_flag !== first.bottom_field_flag &&
      context.nal.nal_unit_type !== NAL_UNIT_TYPE.IDR_SLICE
    );
  }

  #startPicture(slice: SliceOfPicture, nal: Uint8Array): void {
    const { header, context } = slice;
    const isIdr = context.nal.nal_unit_type === NAL_UNIT_TYPE.IDR_SLICE;
    this.#useSets(context.sps);
    const order = this.#derive(slice);
    const startsPeriod = isIdr || this.#pendingReset;
    this.#pendingReset = false;
    this.#current = { nals: [...this.#prefix, nal], order, startsPeriod, hasReset: hasReset(header) };
    this.#prefix = [];
    this.#isFirstField = header.field_pic_flag;
  }

  #startField(slice: SliceOfPicture, nal: Uint8Array): void {
    const current = this.#current;
    if (current !== null) {
      current.order = Math.min(current.order, this.#derive(slice));
      current.nals.push(...this.#prefix, nal);
      current.hasReset ||= hasReset(slice.header);
      this.#prefix = [];
    }
  }

  /** PicOrderCnt of the slice's picture; moves the counting on. */
  #derive({ header, context: { nal, sps } }: SliceOfPicture): number {
    const input: OrderCountInput = {
      frame_num: header.frame_num,
      field_pic_flag: header.field_pic_flag,
      bottom_field_flag: header.bottom_field_flag,
      pic_order_cnt_lsb: header.pic_order_cnt_lsb,
      delta_pic_order_cnt_bottom: header.delta_pic_order_cnt_bottom,
      delta_pic_order_cnt: header.delta_pic_order_cnt,
      isIdr: nal.nal_unit_type === NAL_UNIT_TYPE.IDR_SLICE,
      isReference: nal.nal_ref_idc !== 0,
    };
    const order = deriveOrderCount(sps, this.#orderState, input);
    finishOrderCount(this.#orderState, input, order, hasReset(header));
    if (!header.field_pic_flag) {
      return Math.min(order.TopFieldOrderCnt, order.BottomFieldOrderCnt);
    }
    return header.bottom_field_flag ? order.BottomFieldOrderCnt : order.TopFieldOrderCnt;
  }

  #useSets(sps: SequenceParameterSet): void {
    const spsNal = this.#sps.get(sps.seq_parameter_set_id)?.nal;
    if (spsNal === undefined) {
      return;
    }
    const ppsNals = [...this.#pps.values()]
      .filter(({ parsed }) => parsed.seq_parameter_set_id === sps.seq_parameter_set_id)
      .map(({ nal }) => nal);
    this.#currentSets = { sps, spsNal, ppsNals };
  }

  /** What stands between two fields belongs to the second; before anything else it begins a picture. */
  #finishUnlessField(): void {
    if (!this.#isFirstField) {
      this.#finishPicture();
    }
  }

  #finishPicture(): void {
    const current = this.#current;
    const sets = this.#currentSets;
    if (current === null || sets === null) {
      return;
    }
    this.#current = null;
    this.#isFirstField = false;
    // Operation 5 ends the period with this picture: what follows counts from 0 again (8.2.1).
    this.#pendingReset = current.hasReset;
    const isSame = this.#sentSets !== null && haveEqualBytes(this.#sentSets, sets);
    this.#sentSets = sets;
    this.#pictures.push({
      nals: current.nals,
      newSets: isSame ? null : sets,
      order: current.order,
      startsPeriod: current.startsPeriod,
    });
  }
}

function hasReset({ dec_ref_pic_marking }: SliceHeader): boolean {
  return (
    dec_ref_pic_marking?.kind === 'adaptive' && dec_ref_pic_marking.operations.some(({ operation }) => operation === 5)
  );
}

function haveEqualBytes(a: ParameterSets, b: ParameterSets): boolean {
  const bytes = ({ spsNal, ppsNals }: ParameterSets): Buffer => Buffer.concat([spsNal, ...ppsNals]);
  return a.ppsNals.length === b.ppsNals.length && bytes(a).equals(bytes(b));
}
