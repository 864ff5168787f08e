// The generated tables: prefix-free code words, complete permutations, and figures that can be checked by hand.

import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import * as cabac from '../../../../../../shared/codec/h264/tables/cabac.generated.ts';
import * as cavlc from '../../../../../../shared/codec/h264/tables/cavlc.generated.ts';
import * as transform from '../../../../../../shared/codec/h264/tables/transform.generated.ts';

function codeWords(codes: ArrayLike<number>): string[] {
  const words: string[] = [];
  for (let i = 0; i < codes.length; i += 3) {
    words.push(codes[i + 1].toString(2).padStart(codes[i], '0'));
  }
  return words;
}

function expectPrefixFree(codes: ArrayLike<number>): void {
  const words = codeWords(codes);
  for (const [i, a] of words.entries()) {
    for (const [j, b] of words.entries()) {
      expect(i !== j && b.startsWith(a)).toBe(false);
    }
  }
}

test('the code words of Table 9-5 are prefix-free', () => {
  expectPrefixFree(cavlc.TABLE_9_5_COEFF_TOKEN_0);
  expectPrefixFree(cavlc.TABLE_9_5_COEFF_TOKEN_2);
  expectPrefixFree(cavlc.TABLE_9_5_COEFF_TOKEN_4);
  expectPrefixFree(cavlc.TABLE_9_5_COEFF_TOKEN_8);
  expectPrefixFree(cavlc.TABLE_9_5_COEFF_TOKEN_CHROMA_DC_420);
  expectPrefixFree(cavlc.TABLE_9_5_COEFF_TOKEN_CHROMA_DC_422);
});

test('the code words of Tables 9-7 to 9-10 are prefix-free and complete (Kraft sum 1) where no code is reserved', () => {
  for (const rows of [
    cavlc.TABLE_9_7_TOTAL_ZEROS_4X4,
    cavlc.TABLE_9_9_TOTAL_ZEROS_CHROMA_DC_420,
    cavlc.TABLE_9_9_TOTAL_ZEROS_CHROMA_DC_422,
    cavlc.TABLE_9_10_RUN_BEFORE,
  ]) {
    for (const codes of rows) {
      expectPrefixFree(codes);
      const kraft = codeWords(codes).reduce((sum, word) => sum + 2 ** -word.length, 0);
      expect(kraft).toBeLessThanOrEqual(1);
      expect(kraft).toBeGreaterThan(0.99);
    }
  }
});

test('the tables of Table 9-4 are permutations', () => {
  expect([...cavlc.TABLE_9_4_INTRA_420].sort((a, b) => a - b)).toEqual(Array.from({ length: 48 }, (_, i) => i));
  expect([...cavlc.TABLE_9_4_INTER_420].sort((a, b) => a - b)).toEqual(Array.from({ length: 48 }, (_, i) => i));
  expect([...cavlc.TABLE_9_4_INTRA_MONO].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i));
});

test('the scans visit every position once', () => {
  for (const scan of [transform.ZIGZAG_4X4, transform.FIELD_4X4, transform.ZIGZAG_8X8, transform.FIELD_8X8]) {
    expect(new Set(scan).size).toBe(scan.length);
  }
});

test('the bin strings of Tables 9-36 to 9-38 are prefix-free within a slice type', () => {
  const strings = (rows: readonly (readonly [number, string, readonly number[]])[]): string[] =>
    rows.map(([, bins]) => bins);
  const check = (words: readonly string[]): void => {
    for (const [i, a] of words.entries()) {
      expect(words.some((b, j) => i !== j && b.startsWith(a))).toBe(false);
    }
  };
  check(strings(cabac.BINARIZATION_MB_TYPE_I));
  check([...strings(cabac.BINARIZATION_MB_TYPE_P_PREFIX), '1']);
  check([...strings(cabac.BINARIZATION_MB_TYPE_B_PREFIX), '111101']);
  check(strings(cabac.BINARIZATION_SUB_MB_TYPE_P));
  check(strings(cabac.BINARIZATION_SUB_MB_TYPE_B));
});

test('rangeTabLPS falls with the state and rises with the quarter', () => {
  const table = cabac.TABLE_9_44_RANGE_LPS;
  for (let state = 0; state < 63; state++) {
    for (let q = 0; q < 4; q++) {
      expect(table[state * 4 + q]).toBeGreaterThanOrEqual(table[state * 4 + 4 + q]);
      expect(q === 0 || table[state * 4 + q] >= table[state * 4 + q - 1]).toBe(true);
    }
  }
});

test('the context tables have not changed since they were compared with independent decoders', () => {
  const hash = createHash('sha256');
  for (const table of [
    cabac.CABAC_CONTEXT_INIT_I,
    cabac.CABAC_CONTEXT_INIT_PB_0,
    cabac.CABAC_CONTEXT_INIT_PB_1,
    cabac.CABAC_CONTEXT_INIT_PB_2,
    cabac.TABLE_9_44_RANGE_LPS,
    cabac.TABLE_9_45_TRANS_IDX_LPS,
  ]) {
    hash.update(Uint8Array.from(table));
  }
  expect(hash.digest('hex')).toBe('e6d91ea91bd420d1546320131a378738c982f7573ddc885aec753797f43a8dd9');
});
