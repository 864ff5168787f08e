// Everything that decoding one slice works on: the stores of the current frame, the parameters of the slice, the neighbours and the
// caches of the current macroblock. One object per decoder, so that hot functions see one shape. Filled by picture-decoder.ts and
// slice-decoder.ts; read by entropy/, macroblock/, prediction/.

import { BitReader } from '../../../bitstream/bit-reader.ts';
import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { Pointer, ReconstructionKernels } from '../kernels/kernels.ts';
import { DEBLOCK_RECORD_BYTES, STRENGTH_PARAMETER_BYTES } from '../kernels/row-deblock-kernels.ts';
import { CABAC_AREA_BYTES } from '../entropy/cabac-area.ts';
import { cavlcAreaBytes } from '../entropy/cavlc-area.ts';
import type { AwaitRows } from '../kernels/slice-kernels.ts';
import type { MacroblockStore } from '../macroblock/mb-store.ts';
import type { Picture, Reference } from '../dpb/picture.ts';
import { sliceRowBytes } from './slice-slot.ts';

/** Columns of the caches: left neighbour, four blocks, above right; rows: above, four blocks. */
export const CACHE_STRIDE = 8;
/** Cache index of block (0, 0). */
export const CACHE_ORIGIN = CACHE_STRIDE + 1;
const CACHE_SIZE = 5 * CACHE_STRIDE;

/** refCache values: no motion of this list / block outside slice or picture. */
export const REF_UNUSED = -1;
export const REF_UNAVAILABLE = -2;

/** Reference lists as flat arrays: index 64 * list + refIdx; MBAFF field macroblocks use 128 * (1 + parity) + the same. */
const LIST_ENTRIES = 128 * 3;

/** Entries of the scaling tables. */
const SCALE_4X4 = 6 * 52 * 16;
const SCALE_8X8 = 2 * 52 * 64;

/** Bytes of the deblocker's scratch: records of a row, parameters, QPc by QPY, filter parameters of every slice. */
function deblockScratchBytes(PicWidthInMbs: number, macroblocks: number): number {
  return DEBLOCK_RECORD_BYTES * PicWidthInMbs + STRENGTH_PARAMETER_BYTES + 104 + 4 * macroblocks + 64;
}

/** Bytes that the state takes from the codec's memory, with room for so many slices at a time. */
export function sliceStateBytes(PicWidthInMbs: number, macroblocks: number, sliceSlots: number): number {
  const tables = 4 * (SCALE_4X4 + SCALE_8X8 + 16 + 8);
  return (
    8192 +
    104 +
    tables +
    sliceRowBytes(sliceSlots) +
    CABAC_AREA_BYTES +
    deblockScratchBytes(PicWidthInMbs, macroblocks) +
    cavlcAreaBytes(macroblocks)
  );
}

/** The state of slice decoding. */
export class SliceState {
  readonly kernels: ReconstructionKernels;
  readonly bytes: Uint8Array;
  readonly store: MacroblockStore;
  /** Coefficients of the current macroblock: 16 luma blocks (or 4 of 8x8) in block order, 4 Cb, 4 Cr; always zero between macroblocks. */
  readonly coefficients: Int16Array;
  readonly coefficientsPointer: Pointer;
  /** Two prediction blocks of 16x16 luma, stride 16, and a source window for edge emulation. */
  readonly scratchPointer: Pointer;
  readonly emulationPointer: Pointer;

  /** Scratch of the deblocker, deblockScratchBytes long. */
  readonly deblockPointer: Pointer;
  /** Tables, scans and slice bits of the CAVLC kernel, see cavlc-area.ts. */
  readonly cavlcPointer: Pointer;
  /** What the slice kernel knows of slices, laid out by slice-rows.ts, and how many it can have before they are decoded. */
  readonly sliceRowsPointer: Pointer;
  readonly sliceSlots: number;
  /** Cells of the pictures' progress by slot, then one of a picture that is always complete (threads/picture-progress.ts). */
  readonly progressPointer: Pointer;
  readonly completeCell: Pointer;
  /** Waits for rows of a picture that another thread decodes. */
  readonly awaitRows: AwaitRows;
  /** Engine cell, tables and context variables of the CABAC kernel, see cabac-area.ts. */
  readonly cabacPointer: Pointer;

  // Frame geometry.
  readonly PicWidthInMbs: number;
  readonly FrameHeightInMbs: number;
  /** Bytes from row to row of the frame. */
  readonly frameStrideY: number;
  readonly frameStrideC: number;
  readonly hasChroma: boolean;

  // Current picture.
  picture: Picture;
  /** Views of picture.memory. */
  mv0: Int32Array;
  mv1: Int32Array;
  refIdx0: Int8Array;
  refIdx1: Int8Array;
  refPic0: Int8Array;
  refPic1: Int8Array;
  refIdx32: readonly [Int32Array, Int32Array];
  refPic32: readonly [Int32Array, Int32Array];
  mbField: Uint8Array;
  isFieldPicture = false;
  isBottomField = false;
  MbaffFrameFlag = false;
  /** Macroblock rows of the current picture. */
  PicHeightInMbs = 0;
  /** Macroblocks decoded of the current picture. */
  decodedMbs = 0;

  // Current slice.
  sliceId = 0;
  isB = false;
  isIntraSlice = false;
  isCabac = false;
  direct_spatial_mv_pred_flag = false;
  direct_8x8_inference_flag = false;
  transform_8x8_mode_flag = false;
  constrained_intra_pred_flag = false;
  /** num_ref_idx_active of list 0 and 1, of frame macroblocks. */
  numRef0 = 0;
  numRef1 = 0;
  chromaQpOffset0 = 0;
  chromaQpOffset1 = 0;
  /** 0 default, 1 explicit, 2 implicit. */
  weightMode = 0;
  lumaLogWD = 0;
  chromaLogWD = 0;
  /** Explicit weights: index (64 * list + refIdx) * 6: luma weight, offset, Cb weight, offset, Cr weight, offset. */
  readonly explicitWeights = new Int16Array(128 * 6);
  /** 1: entry has weights other than the default. */
  readonly hasExplicitWeight = new Uint8Array(128);
  /** Implicit w1 of refIdx0, refIdx1: index (variant * 64 + refIdx0) * 64 + refIdx1; variant 0 frame or field picture, 1 and 2 MBAFF fields. */
  readonly implicitWeights = new Int16Array(3 * 64 * 64);

  // Reference lists as flat arrays (index: LIST_ENTRIES).
  readonly refPictures: (Picture | null)[] = new Array<Picture | null>(LIST_ENTRIES).fill(null);
  readonly refStructure = new Uint8Array(LIST_ENTRIES);
  readonly refY = new Int32Array(LIST_ENTRIES);
  readonly refU = new Int32Array(LIST_ENTRIES);
  readonly refV = new Int32Array(LIST_ENTRIES);
  readonly refId = new Int8Array(LIST_ENTRIES);
  readonly refIsLong = new Uint8Array(LIST_ENTRIES);
  readonly refOrder = new Int32Array(LIST_ENTRIES);
  /** Vertical chroma vector offset in quarter samples (Table 8-9). */
  readonly refChromaOffset = new Int8Array(LIST_ENTRIES);
  /** Temporal direct: index variant * 64 + refIdxL0, and the list 1 reference 0 it scales to. */
  readonly distScaleFactor = new Int32Array(3 * 64);
  /** List 1 entry 0 of the slice, for direct prediction. */
  colocated: Reference | null = null;

  // Dequantisation: LevelScale << (qP / 6), index (list * 52 + qP) * 16 (or 64) + raster.
  readonly scale4x4: Int32Array;
  readonly scale8x8: Int32Array;
  /** QPc of QPY, Cb then Cr: index component * 52 + QPY. */
  readonly chromaQp: Uint8Array;

  // Scans of the current macroblock (frame or field).
  scan4x4: Uint8Array = new Uint8Array(16);
  scan8x8: Uint8Array = new Uint8Array(64);

  // Current macroblock.
  mbAddr = 0;
  mbX = 0;
  /** Storage row and index. */
  mbY = 0;
  mb = 0;
  isFieldMb = false;
  /** Position of the macroblock's first sample row in its picture or field (for vectors and references). */
  lumaRow = 0;
  /** Height in luma rows of the pictures that its vectors point into. */
  refHeight = 0;
  dstY = 0;
  dstU = 0;
  dstV = 0;
  strideY = 0;
  strideC = 0;
  /** Offset into the reference arrays: 0, or 128 * (1 + parity) for MBAFF field macroblocks. */
  refBase = 0;
  kind = 0;
  mb_type = 0;
  cbp = 0;
  qp = 0;
  /** mb_qp_delta of the previous macroblock in the slice was not 0. */
  lastDeltaNotZero = false;
  intraChromaMode = 0;
  transform8x8 = false;
  isPreviousSkipped = false;

  // Neighbours: storage index or -1.
  mbA = -1;
  mbB = -1;
  mbC = -1;
  mbD = -1;
  /** 4x4 row of mbD that touches. */
  rowD = 3;
  /** Left neighbour of each 4x4 row, and its row there. */
  readonly leftMb = new Int32Array(4);
  readonly leftRow = new Uint8Array(4);

  // Caches of list 0 and 1 (index CACHE_ORIGIN + row * CACHE_STRIDE + column).
  readonly refCache0 = new Int8Array(CACHE_SIZE);
  readonly refCache1 = new Int8Array(CACHE_SIZE);
  readonly mvCache0 = new Int32Array(CACHE_SIZE);
  readonly mvCache1 = new Int32Array(CACHE_SIZE);
  /** |mvd| of the current macroblock and its neighbours: two bytes per block. */
  readonly mvdCache0 = new Uint8Array(CACHE_SIZE * 2);
  readonly mvdCache1 = new Uint8Array(CACHE_SIZE * 2);
  readonly subMbType = new Uint8Array(4);
  /** Bits 0..3: 8x8 blocks predicted in direct mode. */
  directMask = 0;
  /** The whole macroblock has the motion of cache entry CACHE_ORIGIN; the other entries are not filled then. */
  isUniform = false;
  /** Bits 0..15: 4x4 luma blocks with coefficients, of those with DC only; 16.. 4 Cb, 20.. 4 Cr. */
  codedMask = 0;
  dcOnlyMask = 0;
  readonly dc: Int32Array;
  readonly chromaDc: Int32Array;
  /** Set by the residual parsers: the block had only its first coefficient. */
  isDcOnly = false;
  /** Intra prediction modes of the current macroblock in raster order. */
  readonly intraModes = new Int8Array(16);
  /** Where vector prediction leaves its result. */
  mvpX = 0;
  mvpY = 0;

  /** The slice data. */
  reader = new BitReader(new Uint8Array(0));

  constructor(options: {
    readonly memory: CodecMemory;
    readonly kernels: ReconstructionKernels;
    readonly store: MacroblockStore;
    readonly picture: Picture;
    readonly PicWidthInMbs: number;
    readonly FrameHeightInMbs: number;
    readonly hasChroma: boolean;
    readonly progressPointer: Pointer;
    readonly completeCell: Pointer;
    readonly awaitRows: AwaitRows;
    readonly sliceSlots: number;
  }) {
    const { memory, picture } = options;
    this.kernels = options.kernels;
    this.progressPointer = options.progressPointer;
    this.completeCell = options.completeCell;
    this.awaitRows = options.awaitRows;
    this.sliceSlots = options.sliceSlots;
    this.bytes = memory.bytes;
    this.store = options.store;
    this.coefficientsPointer = memory.allocate(768, 16);
    this.coefficients = new Int16Array(memory.memory.buffer, this.coefficientsPointer, 384);
    this.coefficients.fill(0);
    this.scratchPointer = memory.allocate(1024, 16);
    this.emulationPointer = memory.allocate(32 * 32, 16);
    this.deblockPointer = memory.allocate(
      deblockScratchBytes(options.PicWidthInMbs, options.PicWidthInMbs * options.FrameHeightInMbs),
      16,
    );
    const ints = (count: number): Int32Array =>
      new Int32Array(memory.memory.buffer, memory.allocate(4 * count, 16), count).fill(0);
    this.scale4x4 = ints(SCALE_4X4);
    this.scale8x8 = ints(SCALE_8X8);
    this.dc = ints(16);
    this.chromaDc = ints(8);
    this.chromaQp = new Uint8Array(memory.memory.buffer, memory.allocate(104, 16), 104);
    this.sliceRowsPointer = memory.allocate(sliceRowBytes(options.sliceSlots), 16);
    this.cabacPointer = memory.allocate(CABAC_AREA_BYTES, 16);
    this.cavlcPointer = memory.allocate(cavlcAreaBytes(options.PicWidthInMbs * options.FrameHeightInMbs), 16);
    this.PicWidthInMbs = options.PicWidthInMbs;
    this.FrameHeightInMbs = options.FrameHeightInMbs;
    this.frameStrideY = options.PicWidthInMbs * 16;
    this.frameStrideC = options.PicWidthInMbs * 8;
    this.hasChroma = options.hasChroma;
    this.picture = picture;
    this.mv0 = picture.memory.mv[0];
    this.mv1 = picture.memory.mv[1];
    this.refIdx0 = picture.memory.refIdx[0];
    this.refIdx1 = picture.memory.refIdx[1];
    this.refPic0 = picture.memory.refPic[0];
    this.refPic1 = picture.memory.refPic[1];
    this.refIdx32 = picture.memory.refIdx32;
    this.refPic32 = picture.memory.refPic32;
    this.mbField = picture.memory.mbField;
  }

  /** The progress cell of a reference. A damaged picture may refer to itself: then there is nothing to wait for. */
  progressCellOf(reference: Picture | null): Pointer {
    return reference === null || reference === this.picture
      ? this.completeCell
      : this.progressPointer + 4 * reference.slot;
  }

  /** Makes `picture` the current one. */
  setPicture(picture: Picture): void {
    this.picture = picture;
    this.mv0 = picture.memory.mv[0];
    this.mv1 = picture.memory.mv[1];
    this.refIdx0 = picture.memory.refIdx[0];
    this.refIdx1 = picture.memory.refIdx[1];
    this.refPic0 = picture.memory.refPic[0];
    this.refPic1 = picture.memory.refPic[1];
    this.refIdx32 = picture.memory.refIdx32;
    this.refPic32 = picture.memory.refPic32;
    this.mbField = picture.memory.mbField;
  }
}
