// Residual blocks in CABAC (7.3.5.3.3, 9.3.3.1.3), the reference: from the arithmetic code of a slice straight to scaled coefficients
// (8.5.12.1). createReferenceKernels joins it with the other families; the decoder's cabac-residual.ts calls it once per block.
//
// The engine cell, CABAC_ENGINE_BYTES of Int32: codIRange, value, spare, next byte, bytes of the slice, pointer to the slice, pointer to the
// context variables, pointer to the tables, "only the first place"; places of the block are kept from byte 64 on. `value` is codIOffset
// followed by `spare` bits read ahead; a context variable is pStateIdx << 1 | valMPS.

import {
  TABLE_9_43_LAST,
  TABLE_9_43_SIGNIFICANT_FIELD,
  TABLE_9_43_SIGNIFICANT_FRAME,
  TABLE_9_44_RANGE_LPS,
  TABLE_9_45_TRANS_IDX_LPS,
  TABLE_9_45_TRANS_IDX_MPS,
} from '../tables/cabac.generated.ts';
import type { CabacResidualKernels, Pointer } from './kernels.ts';

const { clz32, min } = Math;

export const CABAC_ENGINE_BYTES = 128;
/** Where the places of a block lie in the cell. */
export const CABAC_PLACES_AT = 64;

/** Kinds of blocks: `kind` of cabacBlock. */
export const BLOCK_4X4 = 0;
export const BLOCK_8X8_FRAME = 1;
export const BLOCK_8X8_FIELD = 2;
export const BLOCK_CHROMA_DC = 3;

// Byte offsets of the tables; assembly/cabac-residual.ts has the same.
const NEXT_MPS_AT = 256;
const NEXT_LPS_AT = 384;
const SIGNIFICANT_8X8_AT = 512; // frame, then field
const LAST_8X8_AT = 640;
export const CABAC_TABLES_BYTES = 704;

/** Next context variable after the most and after the least probable symbol (Table 9-45), 128 entries each. */
export const CABAC_NEXT_MPS = new Uint8Array(128);
export const CABAC_NEXT_LPS = new Uint8Array(128);
for (let state = 0; state < 64; state++) {
  for (let mps = 0; mps < 2; mps++) {
    CABAC_NEXT_MPS[2 * state + mps] = 2 * TABLE_9_45_TRANS_IDX_MPS[state] + mps;
    CABAC_NEXT_LPS[2 * state + mps] = 2 * TABLE_9_45_TRANS_IDX_LPS[state] + (state === 0 ? 1 - mps : mps);
  }
}

/** Writes the tables to `at`. */
export function placeCabacTables(bytes: Uint8Array, at: Pointer): void {
  bytes.set(TABLE_9_44_RANGE_LPS, at);
  bytes.set(CABAC_NEXT_MPS, at + NEXT_MPS_AT);
  bytes.set(CABAC_NEXT_LPS, at + NEXT_LPS_AT);
  bytes.set(TABLE_9_43_SIGNIFICANT_FRAME, at + SIGNIFICANT_8X8_AT);
  bytes.set(TABLE_9_43_SIGNIFICANT_FIELD, at + SIGNIFICANT_8X8_AT + 64);
  bytes.set(TABLE_9_43_LAST, at + LAST_8X8_AT);
}

/** The CABAC residual kernel on typed-array views of `memory`. */
export function createReferenceCabacResidualKernels(memory: WebAssembly.Memory): CabacResidualKernels {
  const bytes = new Uint8Array(memory.buffer);
  const words = new Int16Array(memory.buffer);
  const ints = new Int32Array(memory.buffer);
  let range = 0;
  let value = 0;
  let spare = 0;
  let at = 0;
  let limit = 0;
  let data = 0;
  let contexts = 0;
  let tables = 0;

  const refill = (): void => {
    if (spare < 8) {
      value = (value << 8) | (at < limit ? bytes[data + at] : 0);
      at++;
      spare += 8;
    }
  };

  /** DecodeDecision (9.3.3.2.1). */
  const decision = (ctxIdx: number): number => {
    refill();
    const state = bytes[contexts + ctxIdx];
    const lps = bytes[tables + (((state & 126) << 1) | ((range >> 6) & 3))];
    range -= lps;
    let bit = state & 1;
    if (value < range << spare) {
      bytes[contexts + ctxIdx] = bytes[tables + NEXT_MPS_AT + state];
    } else {
      bytes[contexts + ctxIdx] = bytes[tables + NEXT_LPS_AT + state];
      bit ^= 1;
      value -= range << spare;
      range = lps;
    }
    const renorm = clz32(range) - 23;
    range <<= renorm;
    spare -= renorm;
    return bit;
  };

  /** DecodeBypass (9.3.3.2.3). */
  const bypass = (): number => {
    refill();
    spare--;
    if (value < range << spare) {
      return 0;
    }
    value -= range << spare;
    return 1;
  };

  /** The Exp-Golomb suffix of coeff_abs_level_minus1 (9.3.2.3); negative when it is longer than any level. */
  const suffix = (): number => {
    let order = 0;
    let sum = 0;
    while (bypass() === 1) {
      sum += 1 << order;
      order++;
      if (order > 24) {
        return -1;
      }
    }
    while (order > 0) {
      order--;
      sum += bypass() << order;
    }
    return sum;
  };

  return {
    cabacBlock(engine, codedBlockFlag, significant, last, levels, maxNumCoeff, kind, out, scan, scale, shift) {
      const cell = engine >> 2;
      [range, value, spare, at, limit, data, contexts, tables] = ints.subarray(cell, cell + 8);
      const keep = (): void => {
        ints.set([range, value, spare, at], cell);
      };
      if (codedBlockFlag >= 0 && decision(codedBlockFlag) === 0) {
        keep();
        return 0;
      }
      const positions = engine + 64;
      const final = maxNumCoeff - 1;
      const is8x8 = kind === BLOCK_8X8_FRAME || kind === BLOCK_8X8_FIELD;
      const increments = tables + SIGNIFICANT_8X8_AT + (kind === BLOCK_8X8_FIELD ? 64 : 0);
      let total = 0;
      let i = 0;
      for (; i < final; i++) {
        if (decision(significant + (is8x8 ? bytes[increments + i] : i)) === 1) {
          bytes[positions + total++] = i;
          if (decision(last + (is8x8 ? bytes[tables + LAST_8X8_AT + i] : i)) === 1) {
            break;
          }
        }
      }
      if (i === final) {
        bytes[positions + total++] = final;
      }
      const cap = kind === BLOCK_CHROMA_DC ? 3 : 4;
      const rounding = (1 << shift) >> 1;
      let numEq1 = 0;
      let numGt1 = 0;
      for (let k = total - 1; k >= 0; k--) {
        let magnitude = 1;
        if (decision(levels + (numGt1 !== 0 ? 0 : min(1 + numEq1, 4))) === 1) {
          const context = levels + 5 + min(numGt1, cap);
          magnitude = 2;
          while (magnitude < 15 && decision(context) === 1) {
            magnitude++;
          }
          if (magnitude === 15) {
            const more = suffix();
            if (more < 0) {
              return -1;
            }
            magnitude += more;
          }
          numGt1++;
        } else {
          numEq1++;
        }
        const level = bypass() === 1 ? -magnitude : magnitude;
        const place = bytes[positions + k];
        if (scale === 0) {
          ints[(out >> 2) + place] = level;
        } else {
          const raster = bytes[scan + place];
          words[(out >> 1) + raster] = (level * ints[(scale >> 2) + raster] + rounding) >> shift;
        }
      }
      keep();
      ints[cell + 8] = total === 1 && bytes[positions] === 0 ? 1 : 0;
      return total;
    },
  };
}
