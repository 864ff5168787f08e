// Writes transform coefficient levels with CABAC: residual() (7.3.5.3), residual_block_cabac (7.3.5.3.3), context selection of coded_block_flag,
// the significance map and the levels (9.3.3.1.1.9, 9.3.3.1.3). Called by cabac-encoder.ts.

import {
  I_16X16,
  I_4X4,
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
  SENTINEL,
} from '../macroblock/coding-state.ts';
import {
  CTX_BASE_CODED_BLOCK_FLAG,
  CTX_BASE_COEFF_ABS_LEVEL_MINUS1,
  CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FRAME,
  CTX_BASE_SIGNIFICANT_COEFF_FLAG_FRAME,
  TABLE_9_43_LAST,
  TABLE_9_43_SIGNIFICANT_FRAME,
} from '../tables/cabac.generated.ts';
import { BLOCK_X_4X4, BLOCK_Y_4X4 } from '../tables/transform.generated.ts';
import type { CabacEngine } from './cabac-encoding-engine.ts';

const { clz32 } = Math;

/** ctxBlockCat (Table 9-42). */
const CAT_LUMA_DC = 0;
const CAT_LUMA_AC = 1;
const CAT_LUMA = 2;
const CAT_CHROMA_DC = 3;
const CAT_CHROMA_AC = 4;
const CAT_LUMA_8X8 = 5;

/** Writes the residual of macroblocks into one engine. */
export class CabacResidualEncoder {
  private readonly state: MacroblockState;
  private readonly engine: CabacEngine;
  private readonly words: Int16Array;
  private readonly longs: Int32Array;
  private readonly positions = new Int32Array(64);

  constructor(state: MacroblockState, engine: CabacEngine) {
    this.state = state;
    this.engine = engine;
    this.words = state.words;
    this.longs = state.longs;
  }

  /** residual() (7.3.5.3) of the current macroblock. */
  write(): void {
    const { state, longs } = this;
    const levels = state.levels >> 1;
    const masks = state.masks >> 2;
    const { mbKind, codedBlockPattern, cbp, address, mbWidth } = state;
    const isIntra = mbKind >= I_4X4 ? 1 : 0;
    const left = state.hasLeft ? cbp[address - 1] : isIntra * 0x700;
    const top = state.hasTop ? cbp[address - mbWidth] : isIntra * 0x700;
    if (mbKind === I_16X16) {
      const mask = longs[masks + MASK_LUMA_DC];
      this.writeBlock(CAT_LUMA_DC, ((left >> 8) & 1) + 2 * ((top >> 8) & 1), levels + (LEVELS_LUMA_DC >> 1), mask, 16);
    }
    if (state.hasTransform8x8) {
      this.writeLuma8x8(levels + (LEVELS_LUMA >> 1), masks + MASK_LUMA);
    } else {
      this.writeLuma(isIntra, levels + (LEVELS_LUMA >> 1), masks + MASK_LUMA);
    }
    const chroma = codedBlockPattern >> 4;
    if (chroma === 0) {
      return;
    }
    const maskU = longs[masks + MASK_U_DC];
    const maskV = longs[masks + MASK_V_DC];
    this.writeBlock(CAT_CHROMA_DC, ((left >> 9) & 1) + 2 * ((top >> 9) & 1), levels + (LEVELS_U_DC >> 1), maskU, 4);
    this.writeBlock(CAT_CHROMA_DC, ((left >> 10) & 1) + 2 * ((top >> 10) & 1), levels + (LEVELS_V_DC >> 1), maskV, 4);
    if (chroma === 2) {
      this.writeChromaAc(isIntra, state.countU, levels + (LEVELS_U >> 1), masks + MASK_U);
      this.writeChromaAc(isIntra, state.countV, levels + (LEVELS_V >> 1), masks + MASK_V);
    }
  }

  private writeLuma(isIntra: number, levels: number, masks: number): void {
    const { state, longs } = this;
    const { cell, stride, count, codedBlockPattern, mbKind } = state;
    const cat = mbKind === I_16X16 ? CAT_LUMA_AC : CAT_LUMA;
    const longest = mbKind === I_16X16 ? 15 : 16;
    for (let k = 0; k < 16; k++) {
      if ((codedBlockPattern >> (k >> 2)) & 1) {
        const y = BLOCK_Y_4X4[k];
        const at = cell + y * stride + BLOCK_X_4X4[k];
        const a = codedFlag(count[at - 1], isIntra);
        const b = codedFlag(count[y === 0 && !state.hasTop ? SENTINEL : at - stride], isIntra);
        this.writeBlock(cat, a + 2 * b, levels + 16 * k, longs[masks + k], longest);
      }
    }
  }

  /** The coded 8x8 blocks; their coded_block_flag is inferred (7.4.5.3.3). */
  private writeLuma8x8(levels: number, masks: number): void {
    const { longs, engine, positions } = this;
    const significant = CTX_BASE_SIGNIFICANT_COEFF_FLAG_FRAME[CAT_LUMA_8X8];
    const last = CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FRAME[CAT_LUMA_8X8];
    for (let q = 0; q < 4; q++) {
      if (((this.state.codedBlockPattern >> q) & 1) === 0) {
        continue;
      }
      const low = longs[masks + 4 * q];
      const high = longs[masks + 4 * q + 1];
      const lastPosition = high !== 0 ? 63 - clz32(high) : 31 - clz32(low);
      let count = 0;
      for (let i = 0; i < 63 && i <= lastPosition; i++) {
        if (((i < 32 ? low >>> i : high >>> (i - 32)) & 1) !== 0) {
          engine.encode(significant + TABLE_9_43_SIGNIFICANT_FRAME[i], 1);
          engine.encode(last + TABLE_9_43_LAST[i], i === lastPosition ? 1 : 0);
          positions[count++] = i;
        } else {
          engine.encode(significant + TABLE_9_43_SIGNIFICANT_FRAME[i], 0);
        }
      }
      if (lastPosition === 63) {
        positions[count++] = 63;
      }
      this.writeLevels(CAT_LUMA_8X8, levels + 64 * q, count);
    }
  }

  private writeChromaAc(isIntra: number, counts: Uint8Array, levels: number, masks: number): void {
    const { state } = this;
    for (let k = 0; k < 4; k++) {
      const at = state.chromaCell + (k >> 1) * state.chromaStride + (k & 1);
      const a = codedFlag(counts[at - 1], isIntra);
      const b = codedFlag(counts[k < 2 && !state.hasTop ? SENTINEL : at - state.chromaStride], isIntra);
      this.writeBlock(CAT_CHROMA_AC, a + 2 * b, levels + 16 * k, this.longs[masks + k], 15);
    }
  }

  /** residual_block_cabac() (7.3.5.3.3) of up to 16 levels whose non-zero ones `mask` names. */
  private writeBlock(cat: number, ctxInc: number, levels: number, mask: number, maxNumCoeff: number): void {
    const { engine, positions } = this;
    const coded = mask & 0xffff;
    engine.encode(CTX_BASE_CODED_BLOCK_FLAG[cat] + ctxInc, coded !== 0 ? 1 : 0);
    if (coded === 0) {
      return;
    }
    const significant = CTX_BASE_SIGNIFICANT_COEFF_FLAG_FRAME[cat];
    const last = CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FRAME[cat];
    const lastPosition = 31 - clz32(coded);
    const end = maxNumCoeff - 1;
    let count = 0;
    for (let i = 0; i < end && i <= lastPosition; i++) {
      const inc = cat === CAT_CHROMA_DC && i > 2 ? 2 : i;
      if ((coded >> i) & 1) {
        engine.encode(significant + inc, 1);
        engine.encode(last + inc, i === lastPosition ? 1 : 0);
        positions[count++] = i;
      } else {
        engine.encode(significant + inc, 0);
      }
    }
    if (lastPosition === end) {
      positions[count++] = end;
    }
    this.writeLevels(cat, levels, count);
  }

  /** Levels of `positions`, highest frequency first. */
  private writeLevels(cat: number, levels: number, count: number): void {
    const { engine, words, positions } = this;
    const base = CTX_BASE_COEFF_ABS_LEVEL_MINUS1[cat];
    const mostGreater = cat === CAT_CHROMA_DC ? 3 : 4;
    let equalOne = 0;
    let greaterOne = 0;
    for (let i = count - 1; i >= 0; i--) {
      const level = words[levels + positions[i]];
      const magnitude = level < 0 ? -level : level;
      const first = base + (greaterOne !== 0 ? 0 : equalOne < 3 ? 1 + equalOne : 4);
      if (magnitude === 1) {
        engine.encode(first, 0);
        equalOne++;
      } else {
        engine.encode(first, 1);
        const others = base + 5 + (greaterOne < mostGreater ? greaterOne : mostGreater);
        const prefix = magnitude - 1 < 14 ? magnitude - 1 : 14;
        for (let bin = 1; bin < prefix; bin++) {
          engine.encode(others, 1);
        }
        if (prefix < 14) {
          engine.encode(others, 0);
        } else {
          engine.expGolomb(magnitude - 15, 0);
        }
        greaterOne++;
      }
      engine.bypass(level < 0 ? 1 : 0);
    }
  }
}

/** coded_block_flag of a neighbouring block from its count; not available: 1 for intra macroblocks (9.3.3.1.1.9). */
function codedFlag(count: number, isIntra: number): number {
  return (count & 0x80) !== 0 ? isIntra : count !== 0 ? 1 : 0;
}
