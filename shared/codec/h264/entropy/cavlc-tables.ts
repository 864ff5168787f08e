// Look-up tables of the CAVLC decoder, built once from the code words of Tables 9-5, 9-7 to 9-10.

import {
  TABLE_9_10_RUN_BEFORE,
  TABLE_9_5_COEFF_TOKEN_0,
  TABLE_9_5_COEFF_TOKEN_2,
  TABLE_9_5_COEFF_TOKEN_4,
  TABLE_9_5_COEFF_TOKEN_8,
  TABLE_9_5_COEFF_TOKEN_CHROMA_DC_420,
  TABLE_9_7_TOTAL_ZEROS_4X4,
  TABLE_9_9_TOTAL_ZEROS_CHROMA_DC_420,
} from '../tables/cavlc.generated.ts';

/**
 * Codes by leading zeros: entry (zeros * 8 + the three bits after the first 1) = code length << 8 | symbol; 0: no such code. Every code
 * of Table 9-5 has at most three bits after its first 1.
 */
function byLeadingZeros(codes: ArrayLike<number>): Uint16Array {
  const table = new Uint16Array(16 * 8);
  for (let i = 0; i < codes.length; i += 3) {
    const length = codes[i];
    const bits = codes[i + 1];
    const symbol = codes[i + 2];
    if (bits === 0) {
      // The one code without a 1: whatever begins with that many zeros.
      table.fill((length << 8) | symbol, length * 8);
      continue;
    }
    const significant = bits.toString(2).length;
    const zeros = length - significant;
    const tail = significant - 1;
    const first = (bits & ((1 << tail) - 1)) << (3 - tail);
    for (let j = 0; j < 1 << (3 - tail); j++) {
      table[zeros * 8 + first + j] = (length << 8) | symbol;
    }
  }
  return table;
}

/** Codes of at most `width` bits: entry = length << 4 | value, index = the next `width` bits. */
function direct(codes: ArrayLike<number>, width: number, table: Uint8Array, offset: number): void {
  for (let i = 0; i < codes.length; i += 3) {
    const length = codes[i];
    const first = codes[i + 1] << (width - length);
    for (let j = 0; j < 1 << (width - length); j++) {
      table[offset + first + j] = (length << 4) | codes[i + 2];
    }
  }
}

/** coeff_token for nC 0..1, 2..3, 4..7 and for chroma DC: see byLeadingZeros. */
export const COEFF_TOKEN_0 = byLeadingZeros(TABLE_9_5_COEFF_TOKEN_0);
export const COEFF_TOKEN_2 = byLeadingZeros(TABLE_9_5_COEFF_TOKEN_2);
export const COEFF_TOKEN_4 = byLeadingZeros(TABLE_9_5_COEFF_TOKEN_4);
export const COEFF_TOKEN_CHROMA_DC = byLeadingZeros(TABLE_9_5_COEFF_TOKEN_CHROMA_DC_420);

/** coeff_token for nC >= 8: index the next six bits; symbol. */
export const COEFF_TOKEN_8 = buildFixed();

function buildFixed(): Uint8Array {
  const table = new Uint8Array(64);
  for (let i = 0; i < TABLE_9_5_COEFF_TOKEN_8.length; i += 3) {
    table[TABLE_9_5_COEFF_TOKEN_8[i + 1]] = TABLE_9_5_COEFF_TOKEN_8[i + 2];
  }
  return table;
}

/** total_zeros of 4x4 blocks: index tzVlcIndex * 512 + nine bits; of chroma DC: tzVlcIndex * 8 + three bits. */
export const TOTAL_ZEROS_4X4 = new Uint8Array(16 * 512);
export const TOTAL_ZEROS_CHROMA_DC = new Uint8Array(4 * 8);
/** run_before: index zerosLeft * 8 + three bits for zerosLeft 1..6. */
export const RUN_BEFORE_SHORT = new Uint8Array(7 * 8);
/** run_before for zerosLeft > 6: index eleven bits. */
export const RUN_BEFORE_LONG = new Uint8Array(2048);

for (const [row, codes] of TABLE_9_7_TOTAL_ZEROS_4X4.entries()) {
  direct(codes, 9, TOTAL_ZEROS_4X4, (row + 1) * 512);
}
for (const [row, codes] of TABLE_9_9_TOTAL_ZEROS_CHROMA_DC_420.entries()) {
  direct(codes, 3, TOTAL_ZEROS_CHROMA_DC, (row + 1) * 8);
}
for (const [row, codes] of TABLE_9_10_RUN_BEFORE.entries()) {
  if (row < 6) {
    direct(codes, 3, RUN_BEFORE_SHORT, (row + 1) * 8);
  } else {
    direct(codes, 11, RUN_BEFORE_LONG, 0);
  }
}
