// Structure of arrays with everything that later macroblocks, deblocking, concealment and the trace need to know of a macroblock of
// the current frame. Index: storage order (see dpb/picture.ts). Lives in the codec's memory; allocated when an SPS becomes active.

import type { CodecMemory } from '../kernels/codec-memory.ts';

/** Bytes per macroblock that `MacroblockStore` takes, alignment not counted. */
export const MB_STORE_BYTES = 24 + 16 + 4 + 2 + 2 + 2 + 1 + 1 + 1 + 1 + 1 + 32;

/** What is known of each macroblock of the current frame. */
export class MacroblockStore {
  /** Number of the slice within the frame; -1: not decoded. */
  readonly sliceId: Int32Array;
  /** Kind bits of mb-types.ts. */
  readonly kind: Uint8Array;
  /** QPY. */
  readonly qp: Int8Array;
  /** CodedBlockPatternLuma in bits 0..3, CodedBlockPatternChroma in 4..5, coded_block_flag of DC blocks Y, Cb, Cr in 8..10. */
  readonly cbp: Uint16Array;
  /** Non-zero coefficients per 4x4 block in raster order: 16 luma, 4 Cb, 4 Cr (CABAC: 0 or not 0). */
  readonly totalCoeff: Uint8Array;
  /** The same bytes four at a time. */
  readonly totalCoeff32: Uint32Array;
  /** Bit 4 * row + column: the 4x4 luma block (with the 8x8 transform: its 8x8 block) has coefficients; for deblocking. */
  readonly nonZero: Uint16Array;
  /** Intra4x4PredMode per 4x4 block in raster order (8x8: repeated); 2 where not intra NxN. */
  readonly intraMode: Int8Array;
  /** The same bytes four at a time. */
  readonly intraMode32: Int32Array;
  readonly intraChromaMode: Uint8Array;
  /** Bit b: 8x8 block b is predicted in direct mode. */
  readonly direct: Uint8Array;
  /** mb_type as parsed (255: skipped), for the trace. */
  readonly mbType: Uint8Array;
  /**
   * |mvd| up to 255 of the blocks that later macroblocks see: lower row (columns 0..3), then right column (rows 0..3).
   * Index ((list * macroblocks + mb) * 8 + place) * 2 + component.
   */
  readonly mvd: Uint8Array;
  /** The same bytes four at a time. */
  readonly mvd32: Int32Array;
  readonly macroblocks: number;

  constructor(memory: CodecMemory, macroblocks: number) {
    const { buffer } = memory.memory;
    const take = (bytes: number): number => memory.allocate(bytes, 16);
    this.macroblocks = macroblocks;
    this.sliceId = new Int32Array(buffer, take(4 * macroblocks), macroblocks);
    this.kind = new Uint8Array(buffer, take(macroblocks), macroblocks);
    this.qp = new Int8Array(buffer, take(macroblocks), macroblocks);
    this.cbp = new Uint16Array(buffer, take(2 * macroblocks), macroblocks);
    this.totalCoeff = new Uint8Array(buffer, take(24 * macroblocks), 24 * macroblocks);
    this.totalCoeff32 = new Uint32Array(buffer, this.totalCoeff.byteOffset, 6 * macroblocks);
    this.nonZero = new Uint16Array(buffer, take(2 * macroblocks), macroblocks);
    this.intraMode = new Int8Array(buffer, take(16 * macroblocks), 16 * macroblocks);
    this.intraMode32 = new Int32Array(buffer, this.intraMode.byteOffset, 4 * macroblocks);
    this.intraChromaMode = new Uint8Array(buffer, take(macroblocks), macroblocks);
    this.direct = new Uint8Array(buffer, take(macroblocks), macroblocks);
    this.mbType = new Uint8Array(buffer, take(macroblocks), macroblocks);
    this.mvd = new Uint8Array(buffer, take(32 * macroblocks), 32 * macroblocks);
    this.mvd32 = new Int32Array(buffer, this.mvd.byteOffset, 8 * macroblocks);
  }

  /** Marks a macroblock as not intra NxN: mode 2 for its neighbours. */
  clearIntraModes(mb: number): void {
    const { intraMode32 } = this;
    const at = 4 * mb;
    intraMode32[at] = intraMode32[at + 1] = intraMode32[at + 2] = intraMode32[at + 3] = 0x02020202;
  }

  /** Sets the vector differences of one list of a macroblock to 0. */
  clearMvd(mb: number, list: number): void {
    const { mvd32 } = this;
    const at = 4 * (list * this.macroblocks + mb);
    mvd32[at] = mvd32[at + 1] = mvd32[at + 2] = mvd32[at + 3] = 0;
  }
}
