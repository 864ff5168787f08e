// Writes macroblocks with CAVLC: macroblock_layer (7.3.5), residual_block_cavlc (7.3.5.3.2, 9.2) as the inverse of the parsing process.
// Levels come in scan order with a bit mask of the non-zero ones, so runs are found without looking at zeros.
// Called by encoder/slice-encoder.ts.

import type { BitWriter } from '../../../bitstream/bit-writer.ts';
import {
  I_16X16,
  I_4X4,
  I_8X8,
  LEVELS_LUMA,
  LEVELS_LUMA_DC,
  LEVELS_U,
  LEVELS_U_DC,
  LEVELS_V,
  LEVELS_V_DC,
  MASK_LUMA,
  MASK_LUMA_DC,
  MASK_U,
  MASK_U_DC,
  MASK_V,
  MASK_V_DC,
  type MacroblockState,
  P_16X16,
  P_8X8,
  P_INTER,
  SENTINEL,
} from '../macroblock/coding-state.ts';
import {
  TABLE_9_10_RUN_BEFORE,
  TABLE_9_4_INTER_420,
  TABLE_9_4_INTRA_420,
  TABLE_9_5_COEFF_TOKEN_0,
  TABLE_9_5_COEFF_TOKEN_2,
  TABLE_9_5_COEFF_TOKEN_4,
  TABLE_9_5_COEFF_TOKEN_8,
  TABLE_9_5_COEFF_TOKEN_CHROMA_DC_420,
  TABLE_9_7_TOTAL_ZEROS_4X4,
  TABLE_9_9_TOTAL_ZEROS_CHROMA_DC_420,
} from '../tables/cavlc.generated.ts';
import { BLOCK_X_4X4, BLOCK_Y_4X4 } from '../tables/transform.generated.ts';
import type { EntropySlice, SliceEntropy } from './slice-entropy.ts';
import { SliceWriter } from './slice-writer.ts';

const { clz32, imul } = Math;

/** coeff_token codes: index ((table * 17) + TotalCoeff) * 4 + TrailingOnes, value length << 16 | bits. Table 4 is chroma DC. */
const COEFF_TOKEN = new Int32Array(5 * 17 * 4);
for (const [table, triples] of [
  TABLE_9_5_COEFF_TOKEN_0,
  TABLE_9_5_COEFF_TOKEN_2,
  TABLE_9_5_COEFF_TOKEN_4,
  TABLE_9_5_COEFF_TOKEN_8,
  TABLE_9_5_COEFF_TOKEN_CHROMA_DC_420,
].entries()) {
  for (let i = 0; i < triples.length; i += 3) {
    COEFF_TOKEN[table * 68 + triples[i + 2]] = (triples[i] << 16) | triples[i + 1];
  }
}

/** Codes by value of a row of length, bits, value triples: index row * 16 + value. */
function codesOf(rows: readonly (readonly number[])[]): Int32Array {
  const codes = new Int32Array(rows.length * 16);
  for (const [row, triples] of rows.entries()) {
    for (let i = 0; i < triples.length; i += 3) {
      codes[row * 16 + triples[i + 2]] = (triples[i] << 16) | triples[i + 1];
    }
  }
  return codes;
}

const TOTAL_ZEROS = codesOf(TABLE_9_7_TOTAL_ZEROS_4X4);
const TOTAL_ZEROS_CHROMA_DC = codesOf(TABLE_9_9_TOTAL_ZEROS_CHROMA_DC_420);
const RUN_BEFORE = codesOf(TABLE_9_10_RUN_BEFORE);

/** codeNum of a coded_block_pattern (Table 9-4 read backwards). */
function inverted(table: Uint8Array): Uint8Array {
  const codes = new Uint8Array(48);
  for (const [codeNum, pattern] of table.entries()) {
    codes[pattern] = codeNum;
  }
  return codes;
}
const CBP_INTRA = inverted(TABLE_9_4_INTRA_420);
const CBP_INTER = inverted(TABLE_9_4_INTER_420);

/** coeff_token table of nC 0..16. */
const TABLE_OF_NC = Uint8Array.of(0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3);
const CHROMA_DC = 4;
/** mb_type of I_PCM in I slices (Table 7-11). */
const MB_TYPE_I_PCM = 25;

/** Bytes that one macroblock can take at most: 384 levels of 28 bits and their tokens, and the header. */
const MACROBLOCK_BYTES = 2400;

/** Bits set in a 32-bit word. */
function bitCount(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Writes the macroblocks of one slice. */
export class CavlcEncoder implements SliceEntropy {
  private readonly state: MacroblockState;
  private readonly writer: SliceWriter;
  private readonly words: Int16Array;
  private readonly longs: Int32Array;
  private skipRun = 0;
  /** skipRun before the last macroblock, for takeBack(). */
  private markedSkipRun = 0;
  private isIntraSlice = true;
  /** num_ref_idx_l0_active_minus1 + 1. */
  private references = 1;
  private readonly positions = new Int32Array(16);
  private readonly values = new Int32Array(16);
  /** total_coeff per 4x4 cell: the state's, or with 8x8 transforms, of whose blocks the state only knows whether they are coded, an own grid. */
  private readonly count: Uint8Array;
  /** transform_8x8_mode_flag of the picture parameter set. */
  readonly transform8x8Mode: boolean;

  constructor(state: MacroblockState, options: { readonly capacity: number; readonly transform8x8Mode: boolean }) {
    this.state = state;
    this.writer = new SliceWriter(options.capacity);
    this.words = state.words;
    this.longs = state.longs;
    this.transform8x8Mode = options.transform8x8Mode;
    this.count = options.transform8x8Mode ? new Uint8Array(state.count) : state.count;
  }

  get position(): number {
    return this.writer.position;
  }

  start(header: BitWriter, slice: EntropySlice): void {
    const tailLength = header.position & 7;
    header.align(0);
    const bytes = header.view();
    if (tailLength === 0) {
      this.writer.start(bytes, 0, 0);
    } else {
      const last = bytes.length - 1;
      this.writer.start(bytes.subarray(0, last), bytes[last] >> (8 - tailLength), tailLength);
    }
    this.isIntraSlice = slice.isIntra;
    this.references = slice.references;
    this.skipRun = 0;
  }

  /** P_Skip is counted and written with the next macroblock. */
  writeSkip(): void {
    this.skipRun++;
    if (this.transform8x8Mode) {
      this.takeCounts();
    }
  }

  /** Brings the own grid up to date with the current macroblock. */
  private takeCounts(): void {
    const { state, count, longs } = this;
    const { cell, stride } = state;
    for (let k = 0; k < 16; k++) {
      const at = cell + BLOCK_Y_4X4[k] * stride + BLOCK_X_4X4[k];
      count[at] = state.count[at];
      if (state.hasTransform8x8 && count[at] !== 0) {
        // Block i of an 8x8 block has the levels i, i + 4, i + 8 ... of its scan (7.3.5.3.2).
        const mask = (state.masks >> 2) + MASK_LUMA + (k & 12);
        const places = 0x11111111 << (k & 3);
        count[at] = bitCount(longs[mask] & places) + bitCount(longs[mask + 1] & places);
      }
    }
  }

  endMacroblock(): void {
    // CAVLC marks the end of a slice by its trailing bits.
  }

  finish(): Uint8Array {
    if (this.skipRun > 0) {
      this.writer.reserve(8);
      this.writer.ue(this.skipRun);
      this.skipRun = 0;
    }
    return this.writer.finish();
  }

  /** macroblock_layer() of the current macroblock. */
  writeMacroblock(): void {
    const { state, writer } = this;
    writer.mark();
    this.markedSkipRun = this.skipRun;
    this.beginMacroblock();
    const { mbKind, codedBlockPattern } = state;
    const luma = codedBlockPattern & 15;
    const chroma = codedBlockPattern >> 4;
    const base = this.isIntraSlice ? 0 : 5;
    if (mbKind === P_INTER) {
      writer.ue(state.partition);
      this.writeMotion();
    } else if (mbKind === I_16X16) {
      writer.ue(base + 1 + state.intra16x16Mode + 4 * chroma + (luma !== 0 ? 12 : 0));
      writer.ue(state.intraChromaMode);
    } else {
      writer.ue(base);
      if (this.transform8x8Mode) {
        writer.put(mbKind === I_8X8 ? 1 : 0, 1);
      }
      this.writeIntraModes(mbKind === I_4X4 ? 16 : 4);
      writer.ue(state.intraChromaMode);
    }
    if (mbKind !== I_16X16) {
      writer.ue((mbKind === P_INTER ? CBP_INTER : CBP_INTRA)[codedBlockPattern]);
      if (luma !== 0 && this.transform8x8Mode && mbKind === P_INTER) {
        writer.put(state.hasTransform8x8 ? 1 : 0, 1);
      }
      if (codedBlockPattern === 0) {
        return;
      }
    }
    writer.se(state.QPY - state.previousQPY);
    this.writeResidual(mbKind === I_16X16, luma, chroma);
  }

  takeBack(): void {
    this.writer.takeBack();
    this.skipRun = this.markedSkipRun;
  }

  writePcm(samples: Uint8Array): void {
    this.beginMacroblock();
    this.writer.ue((this.isIntraSlice ? 0 : 5) + MB_TYPE_I_PCM);
    this.writer.append(samples);
  }

  /** mb_skip_run before a macroblock that is not skipped. */
  private beginMacroblock(): void {
    const { writer } = this;
    writer.reserve(MACROBLOCK_BYTES);
    if (!this.isIntraSlice) {
      writer.ue(this.skipRun);
      this.skipRun = 0;
    }
    if (this.transform8x8Mode) {
      this.takeCounts();
    }
  }

  private writeMotion(): void {
    const { state, writer, references } = this;
    const { partition } = state;
    const parts = partition === P_16X16 ? 1 : partition === P_8X8 ? 4 : 2;
    if (partition === P_8X8) {
      writer.put(15, 4); // four times sub_mb_type P_L0_8x8
    }
    if (references > 1) {
      for (let i = 0; i < parts; i++) {
        // te(v): one inverted bit when there are two references.
        if (references === 2) {
          writer.put(state.partRef[i] === 0 ? 1 : 0, 1);
        } else {
          writer.ue(state.partRef[i]);
        }
      }
    }
    for (let i = 0; i < parts; i++) {
      writer.se(state.mvdX[i]);
      writer.se(state.mvdY[i]);
    }
  }

  private writeIntraModes(blocks: number): void {
    const { state, writer } = this;
    for (let k = 0; k < blocks; k++) {
      const rem = state.remIntraMode[k];
      if (rem < 0) {
        writer.put(1, 1);
      } else {
        writer.put(rem, 4);
      }
    }
  }

  private writeResidual(isIntra16x16: boolean, luma: number, chroma: number): void {
    const { state, longs, count } = this;
    const { cell, stride } = state;
    const levels = state.levels >> 1;
    const masks = state.masks >> 2;
    if (isIntra16x16) {
      const nC = this.lumaContext(cell, 0);
      this.writeBlock(levels + (LEVELS_LUMA_DC >> 1), longs[masks + MASK_LUMA_DC], TABLE_OF_NC[nC], 16);
    }
    if (luma !== 0) {
      const longest = isIntra16x16 ? 15 : 16;
      for (let k = 0; k < 16; k++) {
        if ((luma >> (k >> 2)) & 1) {
          const y = BLOCK_Y_4X4[k];
          const at = cell + y * stride + BLOCK_X_4X4[k];
          const left = count[at - 1];
          const top = count[y === 0 && !state.hasTop ? SENTINEL : at - stride];
          let nC = left + top;
          nC = nC < 0x80 ? (nC + 1) >> 1 : nC & 0x7f;
          if (state.hasTransform8x8) {
            this.writeInterleaved(k, TABLE_OF_NC[nC]);
            continue;
          }
          this.writeBlock(levels + (LEVELS_LUMA >> 1) + 16 * k, longs[masks + MASK_LUMA + k], TABLE_OF_NC[nC], longest);
        }
      }
    }
    if (chroma === 0) {
      return;
    }
    this.writeBlock(levels + (LEVELS_U_DC >> 1), longs[masks + MASK_U_DC], CHROMA_DC, 4);
    this.writeBlock(levels + (LEVELS_V_DC >> 1), longs[masks + MASK_V_DC], CHROMA_DC, 4);
    if (chroma === 2) {
      this.writeChromaAc(state.countU, levels + (LEVELS_U >> 1), masks + MASK_U);
      this.writeChromaAc(state.countV, levels + (LEVELS_V >> 1), masks + MASK_V);
    }
  }

  /** The levels of 4x4 block k of an 8x8 transform, gathered where the DC levels of Intra_16x16 would be. */
  private writeInterleaved(k: number, table: number): void {
    const { state, words, longs } = this;
    const from = (state.levels >> 1) + (LEVELS_LUMA >> 1) + 64 * (k >> 2);
    const to = (state.levels >> 1) + (LEVELS_LUMA_DC >> 1);
    const masks = (state.masks >> 2) + MASK_LUMA + (k & 12);
    let mask = 0;
    for (let i = 0; i < 16; i++) {
      const place = 4 * i + (k & 3);
      if (((longs[masks + (place >> 5)] >>> (place & 31)) & 1) !== 0) {
        words[to + i] = words[from + place];
        mask |= 1 << i;
      }
    }
    this.writeBlock(to, mask, table, 16);
  }

  private lumaContext(at: number, y: number): number {
    const { state, count } = this;
    const nC = count[at - 1] + count[y === 0 && !state.hasTop ? SENTINEL : at - state.stride];
    return nC < 0x80 ? (nC + 1) >> 1 : nC & 0x7f;
  }

  private writeChromaAc(counts: Uint8Array, levels: number, masks: number): void {
    const { state } = this;
    for (let k = 0; k < 4; k++) {
      const at = state.chromaCell + (k >> 1) * state.chromaStride + (k & 1);
      const top = k < 2 && !state.hasTop ? SENTINEL : at - state.chromaStride;
      let nC = counts[at - 1] + counts[top];
      nC = nC < 0x80 ? (nC + 1) >> 1 : nC & 0x7f;
      this.writeBlock(levels + 16 * k, this.longs[masks + k], TABLE_OF_NC[nC], 15);
    }
  }

  /** residual_block_cavlc(): levels at index `levels` of the words, `table` the coeff_token table, `maxNumCoeff` 4, 15 or 16. */
  private writeBlock(levels: number, mask: number, table: number, maxNumCoeff: number): void {
    const { writer, words, positions, values } = this;
    let rest = mask & 0xffff;
    if (rest === 0) {
      const code = COEFF_TOKEN[table * 68];
      writer.put(code & 0xffff, code >> 16);
      return;
    }
    // From the highest frequency down.
    let total = 0;
    let ones = 0;
    let signs = 0;
    let isTrailing = true;
    while (rest !== 0) {
      const position = 31 - clz32(rest);
      rest ^= 1 << position;
      const value = words[levels + position];
      positions[total] = position;
      values[total] = value;
      if (isTrailing) {
        if (ones < 3 && (value === 1 || value === -1)) {
          ones++;
          signs = (signs << 1) | (value < 0 ? 1 : 0);
        } else {
          isTrailing = false;
        }
      }
      total++;
    }
    const token = COEFF_TOKEN[table * 68 + 4 * total + ones];
    writer.put(token & 0xffff, token >> 16);
    if (ones > 0) {
      writer.put(signs, ones);
    }
    if (ones < total) {
      this.writeLevels(total, ones);
    }
    let zerosLeft = positions[0] + 1 - total;
    if (total < maxNumCoeff) {
      const code =
        table === CHROMA_DC
          ? TOTAL_ZEROS_CHROMA_DC[(total - 1) * 16 + zerosLeft]
          : TOTAL_ZEROS[(total - 1) * 16 + zerosLeft];
      writer.put(code & 0xffff, code >> 16);
    }
    for (let i = 0; i + 1 < total && zerosLeft > 0; i++) {
      const run = positions[i] - positions[i + 1] - 1;
      const code = RUN_BEFORE[((zerosLeft > 6 ? 7 : zerosLeft) - 1) * 16 + run];
      writer.put(code & 0xffff, code >> 16);
      zerosLeft -= run;
    }
  }

  /** level_prefix and level_suffix of the levels after the trailing ones (9.2.2.1 backwards). */
  private writeLevels(total: number, ones: number): void {
    const { writer, values } = this;
    let suffixLength = total > 10 && ones < 3 ? 1 : 0;
    for (let i = ones; i < total; i++) {
      const value = values[i];
      const magnitude = value < 0 ? -value : value;
      let levelCode = 2 * magnitude - (value < 0 ? 1 : 2);
      if (i === ones && ones < 3) {
        levelCode -= 2;
      }
      if (suffixLength === 0) {
        if (levelCode < 14) {
          writer.put(1, levelCode + 1);
        } else if (levelCode < 30) {
          writer.put(1, 15);
          writer.put(levelCode - 14, 4);
        } else {
          writer.put(1, 16);
          writer.put(levelCode - 30, 12);
        }
      } else {
        const escape = 15 << suffixLength;
        if (levelCode < escape) {
          const prefix = levelCode >> suffixLength;
          writer.put((1 << suffixLength) | (levelCode & ((1 << suffixLength) - 1)), prefix + 1 + suffixLength);
        } else {
          writer.put(1, 16);
          writer.put(levelCode - escape, 12);
        }
      }
      if (suffixLength === 0) {
        suffixLength = 1;
      }
      if (suffixLength < 6 && magnitude > 3 << (suffixLength - 1)) {
        suffixLength++;
      }
    }
  }
}
