// What the encoder knows about all macroblocks of the picture being coded, as structure of arrays on a grid of 4x4 blocks with a border,
// so that neighbours (6.4.9, 6.4.11) are plain index arithmetic. One cell left of each row and cell 0 (SENTINEL) stand for what is not
// available. Lies in the codec memory: kernels work on whole rows of it, and slice threads share it. See coding-state.ts for its user.

import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { Pointer } from '../kernels/kernels.ts';

/** ref_idx of cells without a reference. */
export const REF_INTRA = -1;
export const REF_UNAVAILABLE = -2;
/** total_coeff of blocks that are not available, see CavlcEncoder. */
const COUNT_UNAVAILABLE = 0x80;
/** The cell that is never available. */
export const SENTINEL = 0;

const align16 = (bytes: number): number => (bytes + 15) & ~15;

/** Cells per grid row; cell of 4x4 block (x, y) of the picture is (y + 1) * stride + x + 4. */
const gridStride = (mbWidth: number): number => mbWidth * 4 + 8;
/** The same of chroma blocks: cell of block (x, y) is (y + 1) * stride + x + 2. */
const chromaGridStride = (mbWidth: number): number => mbWidth * 2 + 4;

/** Byte sizes of the arrays in the order of the constructor. */
function sizesOf(mbWidth: number, mbHeight: number): readonly number[] {
  const cells = gridStride(mbWidth) * (mbHeight * 4 + 2);
  const chromaCells = chromaGridStride(mbWidth) * (mbHeight * 2 + 2);
  const macroblocks = mbWidth * mbHeight;
  return [
    ...[4 * cells, 4 * cells, cells, cells, cells, chromaCells, chromaCells],
    ...[macroblocks, macroblocks, 2 * macroblocks, macroblocks, macroblocks, macroblocks, 2 * macroblocks],
    ...[macroblocks, macroblocks, macroblocks, 2 * macroblocks, macroblocks],
  ];
}

/** The arrays of one encoder. */
export class CodingGrid {
  readonly mbWidth: number;
  readonly mbHeight: number;
  readonly stride: number;
  readonly chromaStride: number;
  /** Where the arrays lie, for `at` of another thread. */
  readonly base: Pointer;
  /** Per 4x4 cell: packed motion vector, 0 when intra; one array for pictures of either parity. */
  readonly vectors: readonly [Int32Array, Int32Array];
  /** Per 4x4 cell: ref_idx_l0, REF_INTRA or REF_UNAVAILABLE. */
  readonly ref: Int8Array;
  /** Per 4x4 cell: total_coeff of the luma block. */
  readonly count: Uint8Array;
  /** Per 4x4 cell: Intra4x4PredMode, 2 for other macroblocks, -1 when not available. */
  readonly intraMode: Int8Array;
  readonly countU: Uint8Array;
  readonly countV: Uint8Array;
  /** Per macroblock: kind (coding-state.ts), QPY. */
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
  /**
   * QP as good as what is shown of it: a still macroblock need not be coded again above that; one array for pictures of either parity. 255: not
   * known.
   */
  readonly shownQp: readonly [Uint8Array, Uint8Array];
  /** For statistics: partition type of inter macroblocks, and the bits that each macroblock took. */
  readonly partitions: Uint8Array;
  readonly bits: Uint16Array;
  /** Added to the QP of each macroblock of the picture. */
  readonly qpOffsets: Int8Array;

  /** Bytes that a grid takes from a codec memory. */
  static bytes(mbWidth: number, mbHeight: number): number {
    return sizesOf(mbWidth, mbHeight).reduce((sum, size) => sum + align16(size), 16);
  }

  /** Allocates a grid where nothing is available yet; with `base` it is the one that another thread has allocated there. */
  constructor(memory: CodecMemory, mbWidth: number, mbHeight: number, base?: Pointer) {
    const sizes = sizesOf(mbWidth, mbHeight);
    this.mbWidth = mbWidth;
    this.mbHeight = mbHeight;
    this.stride = gridStride(mbWidth);
    this.chromaStride = chromaGridStride(mbWidth);
    this.base = base ?? memory.allocate(CodingGrid.bytes(mbWidth, mbHeight) - 16, 16);
    const { buffer } = memory.memory;
    const starts: Pointer[] = [];
    let next = this.base;
    for (const size of sizes) {
      starts.push(next);
      next += align16(size);
    }
    const cells = sizes[2];
    const chromaCells = sizes[5];
    const macroblocks = sizes[7];
    this.vectors = [new Int32Array(buffer, starts[0], cells), new Int32Array(buffer, starts[1], cells)];
    this.ref = new Int8Array(buffer, starts[2], cells);
    this.count = new Uint8Array(buffer, starts[3], cells);
    this.intraMode = new Int8Array(buffer, starts[4], cells);
    this.countU = new Uint8Array(buffer, starts[5], chromaCells);
    this.countV = new Uint8Array(buffer, starts[6], chromaCells);
    this.kind = new Uint8Array(buffer, starts[7], macroblocks);
    this.qp = new Uint8Array(buffer, starts[8], macroblocks);
    this.cbp = new Uint16Array(buffer, starts[9], macroblocks);
    this.transform8x8 = new Uint8Array(buffer, starts[10], macroblocks);
    this.chromaMode = new Uint8Array(buffer, starts[11], macroblocks);
    this.hasInnerEdges = new Uint8Array(buffer, starts[12], macroblocks);
    this.slice = new Uint16Array(buffer, starts[13], macroblocks);
    this.shownQp = [new Uint8Array(buffer, starts[14], macroblocks), new Uint8Array(buffer, starts[15], macroblocks)];
    this.partitions = new Uint8Array(buffer, starts[16], macroblocks);
    this.bits = new Uint16Array(buffer, starts[17], macroblocks);
    this.qpOffsets = new Int8Array(buffer, starts[18], macroblocks);
    if (base === undefined) {
      memory.bytes.fill(0, this.base, next);
      this.ref.fill(REF_UNAVAILABLE);
      this.count.fill(COUNT_UNAVAILABLE);
      this.intraMode.fill(-1);
      this.countU.fill(COUNT_UNAVAILABLE);
      this.countV.fill(COUNT_UNAVAILABLE);
      this.shownQp[0].fill(255);
      this.shownQp[1].fill(255);
    }
  }
}
