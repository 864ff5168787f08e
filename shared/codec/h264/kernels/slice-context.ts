// The slice context: what decodeMacroblockRow (assembly/slices.ts) reads of a slice and keeps from row to row, in the codec's memory.
// The plain TypeScript twin of that kernel is decoder/slice-data.ts with what it calls; slice-rows.ts of decoder/ fills the context.
//
// Int32 words in the order of SLICE_CONTEXT_WORDS, then in bytes:
//    252  pointer: places of the coefficients of a CABAC block
//    256  references, 16 bytes each: Y, U, V, identity; 32 of list 0, then 32 of list 1
//   1280  explicit weights, 8 Int16 each in the same order: luma weight, offset, Cb, offset, Cr, offset, 1 when not the default, 0
//   2304  implicit weights w1: Int16 at 32 * refIdxL0 + refIdxL1
//   4352  DistScaleFactor: Int32 by refIdxL0
//   4480  caches of the current macroblock
//   5256  arithmetic decoding engine: value (64 bits), range, spare, next byte (0: not started)
//   5312  pointers to the progress cells of the references, in their order; read by the shared-memory build

import type { BitstreamErrorCode } from '../../../errors.ts';

/** The words; "in/out" ones change from call to call. */
export const SLICE_CONTEXT_WORDS = [
  'mbAddr', // in/out: the next macroblock
  'PicSizeInMbs',
  'PicWidthInMbs',
  'flags', // SLICE_FLAGS
  'sliceId',
  'QPY', // in/out
  'lastDeltaNotZero', // in/out
  'mb_skip_run', // in/out, CAVLC: macroblocks still to skip; -1: to be read
  'position', // in/out: bit position in the data
  'length', // bits of the data
  'stop', // position of the rbsp_stop_one_bit
  'data',
  'decodedMbs', // in/out
  'FrameHeightInMbs',
  'strideY',
  'strideC',
  'y',
  'u',
  'v',
  'mv0', // motion of the current picture (dpb/picture.ts)
  'mv1',
  'refIdx0',
  'refIdx1',
  'refPic0',
  'refPic1',
  'mbField',
  'sliceIds', // the macroblock store (macroblock/mb-store.ts)
  'kind',
  'qp',
  'cbp',
  'totalCoeff',
  'nonZero',
  'intraMode',
  'intraChromaMode',
  'direct',
  'mbType',
  'mvd',
  'coefficients', // zero between macroblocks, like the DC levels
  'dc',
  'chromaDc',
  'scale4x4',
  'scale8x8',
  'chromaQp', // Uint8 x 104: QPc by QPY for Cb, then for Cr
  'cavlcTables',
  'cavlcResult',
  'cavlcScans',
  'cabacContexts',
  'cabacTables',
  'cabacScans',
  'numRef0',
  'numRef1',
  'weightMode',
  'lumaLogWD',
  'chromaLogWD',
  'colMv0', // motion of the co-located picture
  'colMv1',
  'colRefIdx0',
  'colRefIdx1',
  'colRefPic0',
  'colRefPic1',
  'scratch',
  'window',
  'mvdList1', // bytes from the vector differences of list 0 to those of list 1
  'places',
] as const;

export const REFERENCES_AT = 256;
export const EXPLICIT_WEIGHTS_AT = 1280;
export const IMPLICIT_WEIGHTS_AT = 2304;
export const DIST_SCALE_AT = 4352;
export const CACHES_AT = 4480;
export const CACHES_BYTES = 772;
export const CABAC_NEXT_BYTE_AT = 5272;
/** Cells of the references' progress (threads/decoder-thread.ts), for a decoder with threads. */
export const PROGRESS_CELLS_AT = 5312;
export const SLICE_CONTEXT_BYTES = 5568;

/** Entries per list that the tables hold. */
export const SLICE_CONTEXT_REFERENCES = 32;

/** Bits of the word `flags`. */
export const SLICE_FLAGS = {
  isB: 1,
  isIntra: 2,
  isCabac: 4,
  direct_spatial_mv_pred_flag: 8,
  direct_8x8_inference_flag: 16,
  transform_8x8_mode_flag: 32,
  constrained_intra_pred_flag: 64,
  hasColocated: 128,
  isColocatedShortTerm: 256,
} as const;

/** Results of decodeMacroblockRow: 0 when the row ended, or one of these; FIRST_FAULT + i is SLICE_FAULTS[i]. */
export const SLICE_ENDED = 1;
export const FIRST_FAULT = 2;

/** What faults mean, in the order of FAULT_OUTSIDE and on in assembly/slice/context.ts; those of CAVLC_FAULTS follow. */
export const SLICE_FAULTS: readonly (readonly [BitstreamErrorCode, string, string])[] = [
  ['forbidden-value', '7.4.4', 'The slice runs past its picture.'],
  ['truncated', '7.3.5', 'The data ends within a macroblock.'],
  ['forbidden-value', '9.1', 'An Exp-Golomb code has more than 31 zeros.'],
  ['forbidden-value', '7.4.5', 'mb_type is too large.'],
  ['forbidden-value', '7.4.5', 'sub_mb_type is too large.'],
  ['forbidden-value', '7.4.5', 'ref_idx is larger than its list.'],
  ['forbidden-value', '7.4.5', 'intra_chroma_pred_mode is above 3.'],
  ['forbidden-value', '8.3.1.2', 'An intra prediction mode needs samples that are not available.'],
  ['forbidden-value', '9.2', 'coded_block_pattern has a codeNum above 47.'],
  ['forbidden-value', '7.4.5', 'mb_qp_delta is out of range.'],
  ['forbidden-value', '9.3', 'An mvd is too large.'],
  ['forbidden-value', '9.3.2.3', 'A coefficient level is too large.'],
];
