// The macroblock being coded: its place, the decision about it, its levels and coefficients, and the grid of all macroblocks around it
// (coding-grid.ts). Shared by all stages of encoder/ and entropy/; one per thread.

import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { Pointer } from '../kernels/kernels.ts';
import type { CodingGrid } from './coding-grid.ts';

export { REF_INTRA, REF_UNAVAILABLE, SENTINEL } from './coding-grid.ts';

/** Kinds of macroblocks (mbKind). */
export const P_SKIP = 0;
export const P_INTER = 1;
export const I_4X4 = 2;
export const I_16X16 = 3;
export const I_8X8 = 4;
export const I_PCM = 5;

/** Partitions of P macroblocks: mb_type of Table 7-13. */
export const P_16X16 = 0;
export const P_16X8 = 1;
export const P_8X16 = 2;
export const P_8X8 = 3;

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

/** Current macroblock and grid of one encoder (or one slice thread). */
export class MacroblockState {
  readonly grid: CodingGrid;
  readonly mbWidth: number;
  readonly mbHeight: number;
  /** The grid's arrays and strides, see CodingGrid. */
  readonly stride: number;
  readonly chromaStride: number;
  readonly ref: Int8Array;
  readonly count: Uint8Array;
  readonly intraMode: Int8Array;
  readonly countU: Uint8Array;
  readonly countV: Uint8Array;
  readonly kind: Uint8Array;
  readonly qp: Uint8Array;
  readonly cbp: Uint16Array;
  readonly transform8x8: Uint8Array;
  readonly chromaMode: Uint8Array;
  readonly hasInnerEdges: Uint8Array;
  readonly slice: Uint16Array;
  readonly partitions: Uint8Array;
  readonly bits: Uint16Array;
  /** Vectors of this picture and of the coded picture before it, per 4x4 cell. */
  mv: Int32Array;
  previousMv: Int32Array;
  /** How well each macroblock is shown, and was in the coded picture before. */
  shownQp: Uint8Array;
  previousShownQp: Uint8Array;
  /** The same bytes, a macroblock's row of four (two) at a time: rows of cells begin at multiples of four (two). */
  private readonly ref4: Uint32Array;
  private readonly count4: Uint32Array;
  private readonly intraMode4: Uint32Array;
  private readonly countU2: Uint16Array;
  private readonly countV2: Uint16Array;

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

  constructor(memory: CodecMemory, grid: CodingGrid) {
    this.grid = grid;
    this.mbWidth = grid.mbWidth;
    this.mbHeight = grid.mbHeight;
    this.stride = grid.stride;
    this.chromaStride = grid.chromaStride;
    this.ref = grid.ref;
    this.count = grid.count;
    this.intraMode = grid.intraMode;
    this.countU = grid.countU;
    this.countV = grid.countV;
    this.kind = grid.kind;
    this.qp = grid.qp;
    this.cbp = grid.cbp;
    this.transform8x8 = grid.transform8x8;
    this.chromaMode = grid.chromaMode;
    this.hasInnerEdges = grid.hasInnerEdges;
    this.slice = grid.slice;
    this.partitions = grid.partitions;
    this.bits = grid.bits;
    [this.shownQp, this.previousShownQp] = grid.shownQp;
    [this.mv, this.previousMv] = grid.vectors;
    const { buffer } = memory.memory;
    const quads = (cells: Int8Array | Uint8Array) => new Uint32Array(buffer, cells.byteOffset, cells.length >> 2);
    const pairs = (cells: Uint8Array) => new Uint16Array(buffer, cells.byteOffset, cells.length >> 1);
    this.ref4 = quads(grid.ref);
    this.count4 = quads(grid.count);
    this.intraMode4 = quads(grid.intraMode);
    this.countU2 = pairs(grid.countU);
    this.countV2 = pairs(grid.countV);
    this.levels = memory.allocate(LEVELS_BYTES, 16);
    this.masks = memory.allocate(4 * MASKS, 16);
    this.coefficients = memory.allocate(32 * 24, 16);
    this.words = memory.words;
    this.longs = new Int32Array(memory.memory.buffer);
  }

  /** Bytes that a state takes from a codec memory. */
  static readonly BYTES = LEVELS_BYTES + 4 * MASKS + 32 * 24 + 48;

  /** Begins a picture: what is kept of it goes to the arrays of its parity, that of the coded picture before it is in the other ones. */
  useParity(parity: 0 | 1): void {
    this.mv = this.grid.vectors[parity];
    this.previousMv = this.grid.vectors[1 - parity];
    this.shownQp = this.grid.shownQp[parity];
    this.previousShownQp = this.grid.shownQp[1 - parity];
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
