// Where the CABAC kernel finds its engine cell, tables, context variables and scans in the codec's memory. Allocated by SliceState,
// laid out here, used by cabac-residual.ts.

import { CABAC_ENGINE_BYTES, CABAC_TABLES_BYTES, placeCabacTables } from '../kernels/cabac-residual-kernels.ts';
import type { Pointer } from '../kernels/kernels.ts';
import { FIELD_4X4, FIELD_8X8, ZIGZAG_4X4, ZIGZAG_8X8 } from '../tables/transform.generated.ts';

const CONTEXTS = 1024;

/** Bytes of the scans of one kind of macroblock: 4x4, then 8x8. */
export const CABAC_SCANS_BYTES = 80;

/** Bytes to allocate. */
export const CABAC_AREA_BYTES = CABAC_ENGINE_BYTES + CABAC_TABLES_BYTES + CONTEXTS + 2 * CABAC_SCANS_BYTES;

export type CabacArea = {
  readonly engine: Pointer;
  readonly tables: Pointer;
  /** The engine cell (cabac-residual-kernels.ts). */
  readonly cell: Int32Array;
  readonly contexts: Uint8Array;
  /** Scans of frame macroblocks, then of field macroblocks. */
  readonly scans: Pointer;
};

/** Lays out the area at `engine` and fills in tables and scans. */
export function cabacArea(bytes: Uint8Array, engine: Pointer): CabacArea {
  const tables = engine + CABAC_ENGINE_BYTES;
  const contexts = tables + CABAC_TABLES_BYTES;
  const scans = contexts + CONTEXTS;
  placeCabacTables(bytes, tables);
  bytes.set(ZIGZAG_4X4, scans);
  bytes.set(ZIGZAG_8X8, scans + 16);
  bytes.set(FIELD_4X4, scans + CABAC_SCANS_BYTES);
  bytes.set(FIELD_8X8, scans + CABAC_SCANS_BYTES + 16);
  const cell = new Int32Array(bytes.buffer, engine, 9);
  cell[6] = contexts;
  cell[7] = tables;
  return { engine, tables, cell, contexts: new Uint8Array(bytes.buffer, contexts, CONTEXTS), scans };
}
