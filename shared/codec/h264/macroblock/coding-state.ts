// What the encoder knows about the macroblocks of the picture being coded, as structure of arrays on a grid of 4x4 blocks with a
// border, so that neighbours (6.4.9, 6.4.11) are plain index arithmetic. One cell left of each row and cell 0 (SENTINEL) stand for
// what is not available. Also the decision about the current macroblock. Shared by all stages of encoder/ and entropy/.

import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { Pointer } from '../kernels/kernels.ts';

/** Kinds of macroblocks (mbKind). */
export const P_SKIP = 0;
export const P_INTER = 1;
export const I_4X4 = 2;
export const I_16X16 = 3;
export const I_8X8 = 4;

/** Partitions of P macroblocks: mb_type of Table 7-13. */
export const P_16X16 = 0;
export const P_16X8 = 1;
export const P_8X16 = 2;
export const P_8X8 = 3;

/** ref_idx of cells without a reference. */
export const REF_INTRA = -1;
export const REF_UNAVAILABLE = -2;
/** total_coeff of blocks that are not available, see CavlcEncoder. */
export const COUNT_UNAVAILABLE = 0x80;
/** The cell that is never available. */
export const SENTINEL = 0;

/** Packs a vector in quarter samples; |x| and |y| are below 2^15. */
export const packMv = (x: number, y: number): number => (x & 0xffff) | (y << 16);
export const mvX = (mv: number): number => (mv << 16) >> 16;
export const mvY = (mv: number): number => mv >> 16;

/** Byte offsets in the level area: every block has 16 Int16. */
export const LEVELS_LUMA_DC = 0;
export const LEVELS_LUMA = 32;
export const LEVELS_U_DC = 544;
export const LEVELS_U = 576;
export const LEVELS_V_DC = 704;
export const LEVELS_V = 736;
const LEVELS_BYTES = 864;
/** Indices in the mask area (Uint32 each). */
export const MASK_LUMA_DC = 0;
export const MASK_LUMA = 1;
export const MASK_U_DC = 17;
export const MASK_U = 18;
export const MASK_V_DC = 22;
export const MASK_V = 23;
const MASKS = 27;

/** Grid and current macroblock of one encoder (or one slice thread). */
export class MacroblockState {
  readonly mbWidth: number;
  readonly mbHeight: number;
  /** Cells per grid row; cell of 4x4 block (x, y) of the picture is (y + 1) * stride + x + 4. */
  readonly stride: number;
  /** Per 4x4 cell: packed motion vector, 0 when intra. */
  mv: Int32Array;
  /** Vectors of the previous coded picture. */
  previousMv: Int32Array;
  /** Per 4x4 cell: ref_idx_l0, REF_INTRA or REF_UNAVAILABLE. */
  readonly ref: Int8Array;
  /** Per 4x4 cell: total_coeff of the luma block. */
  readonly count: Uint8Array;
  /** Per 4x4 cell: Intra4x4PredMode, 2 for other macroblocks, -1 when not available. */
  readonly intraMode: Int8Array;
  /** Chroma blocks: cells per row; cell of chroma block (x, y) is (y + 1) * chromaStride + x + 2. */
  readonly chromaStride: number;
  readonly countU: Uint8Array;
  readonly countV: Uint8Array;
  /** The same bytes, a macroblock's row of four (two) at a time: rows of cells begin at multiples of four (two). */
  private readonly ref4: Uint32Array;
  private readonly count4: Uint32Array;
  private readonly intraMode4: Uint32Array;
  private readonly countU2: Uint16Array;
  private readonly countV2: Uint16Array;
  /** Per macroblock. */
  readonly kind: Uint8Array;
  readonly qp: Uint8Array;
  /** CodedBlockPatternLuma | CodedBlockPatternChroma << 4, bit 8: luma DC, bit 9: U DC, bit 10: V DC coded. */
  readonly cbp: Uint16Array;
  readonly transform8x8: Uint8Array;
  readonly chromaMode: Uint8Array;
  /** 1 when edges inside the macroblock may need deblocking. */
  readonly hasInnerEdges: Uint8Array;
  /** Number of the slice that coded it. */
  readonly slice: Uint16Array;

  // The current macroblock.
  x = 0;
  y = 0;
  address = 0;
  /** Its first cell, and its first chroma cell. */
  cell = 0;
  chromaCell = 0;
  hasLeft = false;
  hasTop = false;
  hasTopRight = false;
  /** AVAILABLE_* bits for whole macroblock intra prediction. */
  available = 0;
  /** First macroblock row of the current slice. */
  sliceFirstRow = 0;
  sliceIndex = 0;
  mbKind = P_SKIP;
  partition = P_16X16;
  /** Per partition: vector difference and reference index, in coding order. */
  readonly mvdX = new Int16Array(4);
  readonly mvdY = new Int16Array(4);
  readonly partRef = new Uint8Array(4);
  intra16x16Mode = 2;
  intraChromaMode = 0;
  /** Per 4x4 block in luma4x4BlkIdx order: -1 when the mode is the predicted one, else rem_intra4x4_pred_mode. */
  readonly remIntraMode = new Int8Array(16);
  codedBlockPattern = 0;
  hasTransform8x8 = false;
  /** QPY of this macroblock and of the one before it in the slice. */
  QPY = 0;
  previousQPY = 0;

  /** Levels and masks of the current macroblock in kernel memory. */
  readonly levels: Pointer;
  readonly masks: Pointer;
  /** Scaled coefficients: luma 16 blocks, then U and V 4 blocks each. */
  readonly coefficients: Pointer;
  readonly words: Int16Array;
  readonly longs: Int32Array;

  constructor(memory: CodecMemory, mbWidth: number, mbHeight: number) {
    this.mbWidth = mbWidth;
    this.mbHeight = mbHeight;
    this.stride = mbWidth * 4 + 8;
    this.chromaStride = mbWidth * 2 + 4;
    const cells = this.stride * (mbHeight * 4 + 2);
    const chromaCells = this.chromaStride * (mbHeight * 2 + 2);
    const macroblocks = mbWidth * mbHeight;
    this.mv = new Int32Array(cells);
    this.previousMv = new Int32Array(cells);
    this.ref = new Int8Array(cells).fill(REF_UNAVAILABLE);
    this.count = new Uint8Array(cells).fill(COUNT_UNAVAILABLE);
    this.intraMode = new Int8Array(cells).fill(-1);
    this.countU = new Uint8Array(chromaCells).fill(COUNT_UNAVAILABLE);
    this.countV = new Uint8Array(chromaCells).fill(COUNT_UNAVAILABLE);
    this.ref4 = new Uint32Array(this.ref.buffer);
    this.count4 = new Uint32Array(this.count.buffer);
    this.intraMode4 = new Uint32Array(this.intraMode.buffer);
    this.countU2 = new Uint16Array(this.countU.buffer);
    this.countV2 = new Uint16Array(this.countV.buffer);
    this.kind = new Uint8Array(macroblocks);
    this.qp = new Uint8Array(macroblocks);
    this.cbp = new Uint16Array(macroblocks);
    this.transform8x8 = new Uint8Array(macroblocks);
    this.chromaMode = new Uint8Array(macroblocks);
    this.hasInnerEdges = new Uint8Array(macroblocks);
    this.slice = new Uint16Array(macroblocks);
    this.levels = memory.allocate(LEVELS_BYTES, 16);
    this.masks = memory.allocate(4 * MASKS, 16);
    this.coefficients = memory.allocate(32 * 24, 16);
    this.words = memory.words;
    this.longs = new Int32Array(memory.memory.buffer);
  }

  /** Bytes that a state takes from a codec memory. */
  static readonly BYTES = LEVELS_BYTES + 4 * MASKS + 32 * 24 + 48;

  /** Makes the vectors of the picture just coded the previous ones. */
  swapVectors(): void {
    const { mv } = this;
    this.mv = this.previousMv;
    this.previousMv = mv;
  }

  /** Moves to a macroblock (x, y in macroblocks). */
  enter(x: number, y: number): void {
    this.x = x;
    this.y = y;
    this.address = y * this.mbWidth + x;
    this.cell = (4 * y + 1) * this.stride + 4 * x + 4;
    this.chromaCell = (2 * y + 1) * this.chromaStride + 2 * x + 2;
    this.hasLeft = x > 0;
    this.hasTop = y > this.sliceFirstRow;
    this.hasTopRight = this.hasTop && x + 1 < this.mbWidth;
    this.available =
      (this.hasLeft ? 1 : 0) |
      (this.hasTop ? 2 : 0) |
      (this.hasTopRight ? 4 : 0) |
      (this.hasLeft && this.hasTop ? 8 : 0);
    this.hasTransform8x8 = false;
  }

  /** Sets vector and reference of a rectangle of cells. */
  fillMotion(cell: number, width: number, height: number, mv: number, ref: number): void {
    const { stride } = this;
    const vectors = this.mv;
    if (width === 4) {
      const refs = (ref & 0xff) * 0x01010101;
      for (let row = cell; row < cell + height * stride; row += stride) {
        vectors[row] = mv;
        vectors[row + 1] = mv;
        vectors[row + 2] = mv;
        vectors[row + 3] = mv;
        this.ref4[row >> 2] = refs;
      }
      return;
    }
    for (let row = cell; row < cell + height * stride; row += stride) {
      vectors[row] = mv;
      vectors[row + 1] = mv;
      this.ref[row] = ref;
      this.ref[row + 1] = ref;
    }
  }

  /** Sets the luma and chroma counts of the current macroblock to 0. */
  clearCounts(): void {
    const { cell, stride, count4, chromaCell, chromaStride, countU2, countV2 } = this;
    const step = stride >> 2;
    const first = cell >> 2;
    count4[first] = 0;
    count4[first + step] = 0;
    count4[first + 2 * step] = 0;
    count4[first + 3 * step] = 0;
    const upper = chromaCell >> 1;
    const lower = (chromaCell + chromaStride) >> 1;
    countU2[upper] = 0;
    countU2[lower] = 0;
    countV2[upper] = 0;
    countV2[lower] = 0;
  }

  /** Marks the current macroblock's cells as not Intra_4x4 (mode 2 as neighbour, 8.3.1.1). */
  clearIntraModes(): void {
    const { cell, stride, intraMode4 } = this;
    const step = stride >> 2;
    const first = cell >> 2;
    intraMode4[first] = 0x02020202;
    intraMode4[first + step] = 0x02020202;
    intraMode4[first + 2 * step] = 0x02020202;
    intraMode4[first + 3 * step] = 0x02020202;
  }
}
