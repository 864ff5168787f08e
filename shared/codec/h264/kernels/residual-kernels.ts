// Residual blocks in CAVLC (7.3.5.3.2, 9.2), the reference: from the bits of a slice straight to scaled coefficients (8.5.12.1).
// createReferenceKernels joins it with the other families; the decoder's cavlc-decoder.ts calls it once per block.
//
// The look-up tables lie in the codec's memory, placed once per sequence by placeCavlcTables in the order of CAVLC_TABLES below.

import {
  COEFF_TOKEN_0,
  COEFF_TOKEN_2,
  COEFF_TOKEN_4,
  COEFF_TOKEN_8,
  COEFF_TOKEN_CHROMA_DC,
  RUN_BEFORE_LONG,
  RUN_BEFORE_SHORT,
  TOTAL_ZEROS_4X4,
  TOTAL_ZEROS_CHROMA_DC,
} from '../entropy/cavlc-tables.ts';
import type { Pointer, ResidualKernels } from './kernels.ts';

const { clz32 } = Math;

// Byte offsets of the tables; assembly/residual.ts has the same. The four coeff_token tables are 128 Uint16 each.
const COEFF_TOKEN_8_AT = 1024; // 64 Uint8
const TOTAL_ZEROS_CHROMA_DC_AT = 1088; // 32 Uint8
const RUN_BEFORE_SHORT_AT = 1120; // 56 Uint8
const RUN_BEFORE_LONG_AT = 1184; // 2048 Uint8
const TOTAL_ZEROS_4X4_AT = 3232; // 8192 Uint8

/** Bytes of the tables in memory. */
export const CAVLC_TABLES_BYTES = 11424;

/** Bytes of the result cell of cavlcBlock: position, isDcOnly, two unused, sixteen levels. */
export const CAVLC_RESULT_BYTES = 80;

/** What a negative result of cavlcBlock means; index: -result - 1. */
export const CAVLC_FAULTS = [
  'No coeff_token has more than 15 leading zeros.',
  'No coeff_token starts with these bits.',
  'The slice ends within a residual block.',
  'A block has more coefficients than places.',
  'A level_prefix is above 24.',
  'No total_zeros starts with these bits.',
  'total_zeros is too much for the block.',
  'run_before does not fit.',
] as const;

/** Writes the tables to `at` (2-aligned). */
export function placeCavlcTables(bytes: Uint8Array, at: Pointer): void {
  [COEFF_TOKEN_0, COEFF_TOKEN_2, COEFF_TOKEN_4, COEFF_TOKEN_CHROMA_DC].forEach((table, i) => {
    bytes.set(new Uint8Array(table.buffer, table.byteOffset, 256), at + 256 * i);
  });
  bytes.set(COEFF_TOKEN_8, at + COEFF_TOKEN_8_AT);
  bytes.set(TOTAL_ZEROS_CHROMA_DC, at + TOTAL_ZEROS_CHROMA_DC_AT);
  bytes.set(RUN_BEFORE_SHORT, at + RUN_BEFORE_SHORT_AT);
  bytes.set(RUN_BEFORE_LONG, at + RUN_BEFORE_LONG_AT);
  bytes.set(TOTAL_ZEROS_4X4, at + TOTAL_ZEROS_4X4_AT);
}

/** The residual kernels on typed-array views of `memory`. */
export function createReferenceResidualKernels(memory: WebAssembly.Memory): ResidualKernels {
  const bytes = new Uint8Array(memory.buffer);
  const words = new Int16Array(memory.buffer);
  const halves = new Uint16Array(memory.buffer);
  const ints = new Int32Array(memory.buffer);
  let data = 0;
  let position = 0;

  /** The next 32 bits. */
  const peek = (): number => {
    const at = data + (position >>> 3);
    const shift = position & 7;
    const word = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    return shift === 0 ? word : (word << shift) | (bytes[at + 4] >>> (8 - shift));
  };

  /** Table 9-5: TotalCoeff << 2 | TrailingOnes, or a fault. */
  const coeffToken = (nC: number, tables: Pointer): number => {
    const word = peek();
    if (nC >= 8) {
      position += 6;
      return bytes[tables + COEFF_TOKEN_8_AT + (word >>> 26)];
    }
    const table = nC < 0 ? 3 : nC < 2 ? 0 : nC < 4 ? 1 : 2;
    let zeros = clz32(word);
    if (zeros > 15) {
      if (nC >= 0) {
        return -1;
      }
      zeros = 15; // the all-zero code of chroma DC
    }
    const entry = halves[((tables + 256 * table) >> 1) + zeros * 8 + ((word >>> (28 - zeros)) & 7)];
    if (entry === 0) {
      return -2;
    }
    position += entry >> 8;
    return entry & 255;
  };

  /** 9.2.2.1: levels from the highest frequency down to ints[levels..]; 0 or a fault. */
  const readLevels = (total: number, trailingOnes: number, levels: number): number => {
    const signs = peek();
    position += trailingOnes;
    for (let i = 0; i < trailingOnes; i++) {
      ints[levels + i] = 1 - ((signs >>> (30 - i)) & 2);
    }
    let suffixLength = total > 10 && trailingOnes < 3 ? 1 : 0;
    for (let i = trailingOnes; i < total; i++) {
      const word = peek();
      const level_prefix = clz32(word);
      if (level_prefix > 24) {
        return -5;
      }
      position += level_prefix + 1;
      let levelCode = (level_prefix < 15 ? level_prefix : 15) << suffixLength;
      let suffixSize = suffixLength;
      if (level_prefix === 14 && suffixLength === 0) {
        suffixSize = 4;
      } else if (level_prefix >= 15) {
        suffixSize = level_prefix - 3;
        levelCode += suffixLength === 0 ? 15 : 0;
        levelCode += level_prefix >= 16 ? (1 << (level_prefix - 3)) - 4096 : 0;
      }
      if (suffixSize > 0) {
        levelCode += peek() >>> (32 - suffixSize);
        position += suffixSize;
      }
      if (i === trailingOnes && trailingOnes < 3) {
        levelCode += 2;
      }
      const level = (levelCode & 1) === 0 ? (levelCode + 2) >> 1 : (-levelCode - 1) >> 1;
      ints[levels + i] = level;
      if (suffixLength === 0) {
        suffixLength = 1;
      }
      if ((level < 0 ? -level : level) > 3 << (suffixLength - 1) && suffixLength < 6) {
        suffixLength++;
      }
    }
    return 0;
  };

  /** Table 9-7, 9-9: total_zeros or a fault. */
  const totalZeros = (total: number, maxNumCoeff: number, tables: Pointer): number => {
    const word = peek();
    const entry =
      maxNumCoeff === 4
        ? bytes[tables + TOTAL_ZEROS_CHROMA_DC_AT + total * 8 + (word >>> 29)]
        : bytes[tables + TOTAL_ZEROS_4X4_AT + total * 512 + (word >>> 23)];
    if (entry === 0) {
      return -6;
    }
    position += entry >> 4;
    return total + (entry & 15) > maxNumCoeff ? -7 : entry & 15;
  };

  return {
    cavlcBlock(dataAt, start, length, nC, maxNumCoeff, out, scan, scale, shift, tables, result) {
      data = dataAt;
      position = start;
      const token = coeffToken(nC, tables);
      if (token < 0) {
        return token;
      }
      const total = token >> 2;
      const at = result >> 2;
      ints[at + 1] = 0;
      if (total === 0) {
        ints[at] = position;
        return position > length ? -3 : 0;
      }
      if (total > maxNumCoeff) {
        return -4;
      }
      const levels = at + 4;
      const fault = readLevels(total, token & 3, levels);
      if (fault < 0) {
        return fault;
      }
      let zerosLeft = 0;
      if (total < maxNumCoeff) {
        zerosLeft = totalZeros(total, maxNumCoeff, tables);
        if (zerosLeft < 0) {
          return zerosLeft;
        }
      }
      let place = total + zerosLeft - 1;
      ints[at + 1] = total === 1 && place === 0 ? 1 : 0;
      const rounding = (1 << shift) >> 1;
      for (let i = 0; i < total; i++) {
        if (i > 0) {
          if (zerosLeft > 0) {
            const word = peek();
            const entry =
              zerosLeft < 7
                ? bytes[tables + RUN_BEFORE_SHORT_AT + zerosLeft * 8 + (word >>> 29)]
                : bytes[tables + RUN_BEFORE_LONG_AT + (word >>> 21)];
            const run = entry & 15;
            if (entry === 0 || run > zerosLeft) {
              return -8;
            }
            position += entry >> 4;
            zerosLeft -= run;
            place -= run;
          }
          place--;
        }
        if (scale === 0) {
          ints[(out >> 2) + place] = ints[levels + i];
        } else {
          const raster = bytes[scan + place];
          words[(out >> 1) + raster] = (ints[levels + i] * ints[(scale >> 2) + raster] + rounding) >> shift;
        }
      }
      ints[at] = position;
      return position > length ? -3 : total;
    },
  };
}
