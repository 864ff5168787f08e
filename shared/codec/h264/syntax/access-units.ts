// Groups the NAL units of a byte stream into access units (7.4.1.2.3): called by the CLI and by readers of raw .264 files.

import { BitReader } from '../../../bitstream/bit-reader.ts';
import { joinAnnexB } from '../../../bitstream/annex-b.ts';
import { BitstreamError } from '../../../errors.ts';
import { NAL_UNIT_TYPE, parseNalUnit, type NalUnit } from './nal-unit.ts';
import { isNewPicture, type SliceOfPicture } from './picture-boundary.ts';
import { parsePps, type PictureParameterSet } from './pps.ts';
import { findSliceContext, parseSliceHeader } from './slice-header.ts';
import { parseSps, type SequenceParameterSet } from './sps.ts';

/** One access unit of a byte stream. */
export type ByteStreamAccessUnit = {
  /** Annex B bytes. */
  readonly data: Uint8Array;
  /** Holds an IDR slice. */
  readonly isKey: boolean;
};

/** Slice headers lie within this many bytes (a weight table and 66 list commands of 32 references). */
const HEADER_BYTES = 2048;

/** Collects NAL units until the next access unit begins. */
export class AccessUnitAssembler {
  private readonly onAccessUnit: (unit: ByteStreamAccessUnit) => void;
  private nalUnits: Uint8Array[] = [];
  private last: SliceOfPicture | null = null;
  private hasSlice = false;
  private isKey = false;
  private readonly spsById = new Map<number, SequenceParameterSet>();
  private readonly ppsById = new Map<number, PictureParameterSet>();
  private readonly lookup = {
    sps: (id: number): SequenceParameterSet | undefined => this.spsById.get(id),
    pps: (id: number): PictureParameterSet | undefined => this.ppsById.get(id),
  };

  constructor(onAccessUnit: (unit: ByteStreamAccessUnit) => void) {
    this.onAccessUnit = onAccessUnit;
  }

  /** Takes the next NAL unit; the bytes are copied. */
  push(bytes: Uint8Array): void {
    const type = bytes[0] & 31;
    if (this.beginsAccessUnit(type, bytes)) {
      this.flush();
    }
    if (type === NAL_UNIT_TYPE.SLICE || type === NAL_UNIT_TYPE.IDR_SLICE) {
      this.hasSlice = true;
      this.isKey ||= type === NAL_UNIT_TYPE.IDR_SLICE;
    }
    this.nalUnits.push(bytes.slice());
  }

  /** Delivers what was collected. */
  flush(): void {
    if (this.nalUnits.length > 0) {
      const { isKey } = this;
      const data = joinAnnexB(this.nalUnits);
      this.nalUnits = [];
      this.hasSlice = false;
      this.isKey = false;
      this.onAccessUnit({ data, isKey });
    }
  }

  private beginsAccessUnit(type: number, bytes: Uint8Array): boolean {
    if (type >= NAL_UNIT_TYPE.SEI && type <= NAL_UNIT_TYPE.ACCESS_UNIT_DELIMITER) {
      const begins = this.hasSlice;
      this.keepParameterSet(type, bytes);
      return begins;
    }
    if (type === NAL_UNIT_TYPE.PREFIX || type === NAL_UNIT_TYPE.SUBSET_SPS || (type >= 16 && type <= 18)) {
      return this.hasSlice;
    }
    if (type !== NAL_UNIT_TYPE.SLICE && type !== NAL_UNIT_TYPE.IDR_SLICE) {
      return false;
    }
    const slice = this.readHeader(parseNalUnit(bytes.subarray(0, HEADER_BYTES)));
    if (slice === null || slice.header.redundant_pic_cnt > 0) {
      return false;
    }
    const begins = this.hasSlice && this.last !== null && isNewPicture(this.last, slice);
    this.last = slice;
    return begins;
  }

  private keepParameterSet(type: number, bytes: Uint8Array): void {
    try {
      if (type === NAL_UNIT_TYPE.SPS) {
        const sps = parseSps(parseNalUnit(bytes).rbsp);
        this.spsById.set(sps.seq_parameter_set_id, sps);
      } else if (type === NAL_UNIT_TYPE.PPS) {
        const pps = parsePps(parseNalUnit(bytes).rbsp);
        this.ppsById.set(pps.pic_parameter_set_id, pps);
      }
    } catch (error) {
      if (!(error instanceof BitstreamError)) {
        throw error; // damage is the decoder's to report
      }
    }
  }

  private readHeader(nal: NalUnit): SliceOfPicture | null {
    try {
      const context = findSliceContext(nal.rbsp, nal, this.lookup);
      return { context, header: parseSliceHeader(new BitReader(nal.rbsp), context) };
    } catch (error) {
      if (!(error instanceof BitstreamError)) {
        throw error;
      }
      return null;
    }
  }
}
