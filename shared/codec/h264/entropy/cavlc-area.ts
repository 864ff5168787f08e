// Where the CAVLC kernel finds its tables, scans and the bits of the slice in the codec's memory. Allocated by SliceState, laid out
// here, used by cavlc-decoder.ts.

import type { Pointer } from '../kernels/kernels.ts';
import { CAVLC_RESULT_BYTES, CAVLC_TABLES_BYTES, placeCavlcTables } from '../kernels/residual-kernels.ts';
import { FIELD_4X4, FIELD_8X8, ZIGZAG_4X4, ZIGZAG_8X8 } from '../tables/transform.generated.ts';

/** Bytes of the scans of one kind of macroblock: 4x4, then the four interleaved ones of 8x8. */
export const SCANS_BYTES = 80;

/**
 * A macroblock has at most 3200 bits (A.3.1), but some encoders do not keep to it: noise of black and white samples takes them up to
 * 774 bytes at QP 1. Slice headers and stuffing are small beside a picture.
 */
const BYTES_PER_MACROBLOCK = 900;
const SPARE_BYTES = 4096;

/** Bytes behind the bits of a slice, more than a damaged macroblock can read past the end of its slice before that is noticed. */
export const SLICE_READ_AHEAD_BYTES = 8192;

/** Bytes to allocate for a picture of so many macroblocks. */
export function cavlcAreaBytes(macroblocks: number): number {
  return (
    CAVLC_TABLES_BYTES +
    CAVLC_RESULT_BYTES +
    2 * SCANS_BYTES +
    BYTES_PER_MACROBLOCK * macroblocks +
    SPARE_BYTES +
    SLICE_READ_AHEAD_BYTES
  );
}

export type CavlcArea = {
  readonly tables: Pointer;
  readonly resultPointer: Pointer;
  /** New bit position, then 1 when only the first place has a coefficient. */
  readonly result: Int32Array;
  /** Scans of frame macroblocks, then of field macroblocks. */
  readonly scans: Pointer;
  readonly data: Pointer;
  /** Bytes of a slice that fit. */
  readonly capacity: number;
};

/** Four interleaved scans of 16 out of one of 64 (7.3.5.3.1). */
function interleave(scan: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: 64 }, (_, i) => scan[4 * (i & 15) + (i >> 4)]);
}

/** Where the bits of the slice lie in the area, and how many bytes fit. The CABAC kernel reads them there too. */
export function sliceData(area: Pointer, macroblocks: number): { readonly data: Pointer; readonly capacity: number } {
  return {
    data: area + CAVLC_TABLES_BYTES + CAVLC_RESULT_BYTES + 2 * SCANS_BYTES,
    capacity: BYTES_PER_MACROBLOCK * macroblocks + SPARE_BYTES,
  };
}

/** Lays out the area at `tables`, cavlcAreaBytes long, and fills in tables and scans. */
export function cavlcArea(bytes: Uint8Array, tables: Pointer, macroblocks: number): CavlcArea {
  const resultPointer = tables + CAVLC_TABLES_BYTES;
  const scans = resultPointer + CAVLC_RESULT_BYTES;
  placeCavlcTables(bytes, tables);
  bytes.set(ZIGZAG_4X4, scans);
  bytes.set(interleave(ZIGZAG_8X8), scans + 16);
  bytes.set(FIELD_4X4, scans + SCANS_BYTES);
  bytes.set(interleave(FIELD_8X8), scans + SCANS_BYTES + 16);
  return {
    tables,
    resultPointer,
    result: new Int32Array(bytes.buffer, resultPointer, 2),
    scans,
    ...sliceData(tables, macroblocks),
  };
}
