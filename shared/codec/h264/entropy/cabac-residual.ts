// Residual blocks in CABAC (7.3.5.3.3, 9.3.3.1.3): coded_block_flag, significance map and levels. Coefficients are written scaled
// (8.5.12.1) straight into the codec's memory. The macroblock syntax of cabac-decoder.ts extends this.

import { BitstreamError } from '../../../errors.ts';
import type { SliceState } from '../decoder/slice-state.ts';
import { MB_INTRA } from '../macroblock/mb-types.ts';
import {
  CTX_BASE_CODED_BLOCK_FLAG,
  CTX_BASE_COEFF_ABS_LEVEL_MINUS1,
  CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FIELD,
  CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FRAME,
  CTX_BASE_SIGNIFICANT_COEFF_FLAG_FIELD,
  CTX_BASE_SIGNIFICANT_COEFF_FLAG_FRAME,
  TABLE_9_43_LAST,
  TABLE_9_43_SIGNIFICANT_FIELD,
  TABLE_9_43_SIGNIFICANT_FRAME,
} from '../tables/cabac.generated.ts';
import { CabacEngine, NEXT_LPS, NEXT_MPS, RANGE_LPS } from './cabac-engine.ts';
import { CAT_CHROMA_DC, CAT_LUMA_8X8, CAT_LUMA_DC_16 } from './macroblock-syntax.ts';

const { clz32 } = Math;

/** ctxIdxInc of blocks other than 8x8: levelListIdx. */
const SAME = Uint8Array.from({ length: 16 }, (_, i) => i);

/** Reads residual blocks with the arithmetic decoding engine. */
export class CabacResidual extends CabacEngine {
  protected readonly s: SliceState;
  /** Levels of the block being parsed and their scan positions, in scan order. */
  private readonly levels = new Int32Array(64);
  private readonly positions = new Uint8Array(64);

  constructor(state: SliceState) {
    super();
    this.s = state;
  }

  dcBlock(component: number): boolean {
    const { s, levels, positions } = this;
    const cat = component === 0 ? CAT_LUMA_DC_16 : CAT_CHROMA_DC;
    const bit = 8 + component;
    const { cbp } = s.store;
    const none = (s.kind & MB_INTRA) !== 0 ? 1 : 0;
    const a = s.mbA >= 0 ? (cbp[s.mbA] >> bit) & 1 : none;
    const b = s.mbB >= 0 ? (cbp[s.mbB] >> bit) & 1 : none;
    if (this.decision(CTX_BASE_CODED_BLOCK_FLAG[cat] + a + 2 * b) === 0) {
      return false;
    }
    s.cbp |= 1 << bit;
    const total = this.levelsOf(cat, component === 0 ? 16 : 4);
    if (component === 0) {
      for (let i = 0; i < total; i++) {
        s.dc[positions[i]] = levels[i];
      }
    } else {
      for (let i = 0; i < total; i++) {
        s.chromaDc[(component - 1) * 4 + positions[i]] = levels[i];
      }
    }
    return true;
  }

  block4x4(cat: number, block: number, out: number, start: number, scaleBase: number): number {
    const { s, levels, positions } = this;
    const totals = s.store.totalCoeff;
    const own = s.mb * 24 + block;
    if (this.decision(CTX_BASE_CODED_BLOCK_FLAG[cat] + this.codedBlockFlagInc(block)) === 0) {
      totals[own] = 0;
      return 0;
    }
    const total = this.levelsOf(cat, 16 - start);
    totals[own] = total;
    const { coefficients, scan4x4, scale4x4 } = s;
    for (let i = 0; i < total; i++) {
      const raster = scan4x4[positions[i] + start];
      coefficients[out + raster] = (levels[i] * scale4x4[scaleBase + raster] + 8) >> 4;
    }
    s.isDcOnly = start === 0 && total === 1 && positions[0] === 0;
    return total;
  }

  block8x8(block8: number, out: number, scaleBase: number): boolean {
    const { s, levels, positions } = this;
    const total = this.levelsOf(CAT_LUMA_8X8, 64);
    const { coefficients, scan8x8, scale8x8 } = s;
    for (let i = 0; i < total; i++) {
      const raster = scan8x8[positions[i]];
      coefficients[out + raster] = (levels[i] * scale8x8[scaleBase + raster] + 32) >> 6;
    }
    const totals = s.store.totalCoeff;
    const first = s.mb * 24 + (block8 & 2) * 4 + (block8 & 1) * 2;
    totals[first] = totals[first + 1] = totals[first + 4] = totals[first + 5] = total;
    s.isDcOnly = total === 1 && positions[0] === 0;
    return true;
  }

  /** ctxIdxInc of coded_block_flag for blocks with totals (9.3.3.1.1.9). */
  private codedBlockFlagInc(block: number): number {
    const { s } = this;
    const totals = s.store.totalCoeff;
    const own = s.mb * 24;
    const none = (s.kind & MB_INTRA) !== 0 ? 1 : 0;
    let a = none;
    let b = none;
    if (block < 16) {
      if ((block & 3) !== 0) {
        a = totals[own + block - 1];
      } else {
        const left = s.leftMb[block >> 2];
        if (left >= 0) {
          a = totals[left * 24 + s.leftRow[block >> 2] * 4 + 3];
        }
      }
      if (block > 3) {
        b = totals[own + block - 4];
      } else if (s.mbB >= 0) {
        b = totals[s.mbB * 24 + 12 + block];
      }
    } else {
      const base = block & ~3;
      if ((block & 1) !== 0) {
        a = totals[own + block - 1];
      } else {
        const left = s.leftMb[block & 2];
        if (left >= 0) {
          a = totals[left * 24 + base + (s.leftRow[block & 2] & 2) + 1];
        }
      }
      if ((block & 2) !== 0) {
        b = totals[own + block - 2];
      } else if (s.mbB >= 0) {
        b = totals[s.mbB * 24 + base + 2 + (block & 1)];
      }
    }
    return (a !== 0 ? 1 : 0) + (b !== 0 ? 2 : 0);
  }

  /**
   * Significance map and levels (7.3.5.3.3, 9.3.3.1.3) into `levels` and `positions`; returns their number, at least 1. The hottest
   * loop of CABAC: DecodeDecision and DecodeBypass stand here in full, on local copies of the engine's variables.
   */
  private levelsOf(cat: number, maxNumCoeff: number): number {
    const { positions, levels, s, contexts, data } = this;
    let { range, value, spare, at } = this;
    const significant = s.isFieldMb
      ? CTX_BASE_SIGNIFICANT_COEFF_FLAG_FIELD[cat]
      : CTX_BASE_SIGNIFICANT_COEFF_FLAG_FRAME[cat];
    const last = s.isFieldMb
      ? CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FIELD[cat]
      : CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FRAME[cat];
    const is8x8 = cat === CAT_LUMA_8X8;
    const significantInc = is8x8 ? (s.isFieldMb ? TABLE_9_43_SIGNIFICANT_FIELD : TABLE_9_43_SIGNIFICANT_FRAME) : SAME;
    const lastInc = is8x8 ? TABLE_9_43_LAST : SAME;
    const final = maxNumCoeff - 1;
    let total = 0;
    let i = 0;
    for (; i < final; i++) {
      let ctx = significant + significantInc[i];
      let state = contexts[ctx];
      let lps = RANGE_LPS[((state & 126) << 1) | ((range >> 6) & 3)];
      range -= lps;
      let scaled = range << spare;
      if (value < scaled) {
        contexts[ctx] = NEXT_MPS[state];
        if (range < 256) {
          range <<= 1;
          if (spare === 0) {
            value = (value << 8) | data[at++];
            spare = 8;
          }
          spare--;
        }
      } else {
        contexts[ctx] = NEXT_LPS[state];
        state ^= 1;
        const shift = clz32(lps) - 23;
        value -= scaled;
        range = lps << shift;
        if (spare < shift) {
          value = (value << 8) | data[at++];
          spare += 8;
        }
        spare -= shift;
      }
      if ((state & 1) === 0) {
        continue;
      }
      positions[total++] = i;
      ctx = last + lastInc[i];
      state = contexts[ctx];
      lps = RANGE_LPS[((state & 126) << 1) | ((range >> 6) & 3)];
      range -= lps;
      scaled = range << spare;
      if (value < scaled) {
        contexts[ctx] = NEXT_MPS[state];
        if (range < 256) {
          range <<= 1;
          if (spare === 0) {
            value = (value << 8) | data[at++];
            spare = 8;
          }
          spare--;
        }
      } else {
        contexts[ctx] = NEXT_LPS[state];
        state ^= 1;
        const shift = clz32(lps) - 23;
        value -= scaled;
        range = lps << shift;
        if (spare < shift) {
          value = (value << 8) | data[at++];
          spare += 8;
        }
        spare -= shift;
      }
      if ((state & 1) === 1) {
        break;
      }
    }
    if (i === final) {
      positions[total++] = final;
    }
    const base = CTX_BASE_COEFF_ABS_LEVEL_MINUS1[cat];
    const cap = cat === CAT_CHROMA_DC ? 3 : 4;
    let numEq1 = 0;
    let numGt1 = 0;
    for (let k = total - 1; k >= 0; k--) {
      let ctx = base + (numGt1 !== 0 ? 0 : numEq1 < 3 ? 1 + numEq1 : 4);
      let magnitude = 1;
      for (;;) {
        let state = contexts[ctx];
        const lps = RANGE_LPS[((state & 126) << 1) | ((range >> 6) & 3)];
        range -= lps;
        const scaled = range << spare;
        if (value < scaled) {
          contexts[ctx] = NEXT_MPS[state];
          if (range < 256) {
            range <<= 1;
            if (spare === 0) {
              value = (value << 8) | data[at++];
              spare = 8;
            }
            spare--;
          }
        } else {
          contexts[ctx] = NEXT_LPS[state];
          state ^= 1;
          const shift = clz32(lps) - 23;
          value -= scaled;
          range = lps << shift;
          if (spare < shift) {
            value = (value << 8) | data[at++];
            spare += 8;
          }
          spare -= shift;
        }
        if ((state & 1) === 0) {
          break;
        }
        if (magnitude === 1) {
          ctx = base + 5 + (numGt1 < cap ? numGt1 : cap);
        }
        magnitude++;
        if (magnitude === 15) {
          break;
        }
      }
      if (magnitude === 1) {
        numEq1++;
      } else {
        numGt1++;
        if (magnitude === 15) {
          this.range = range;
          this.value = value;
          this.spare = spare;
          this.at = at;
          magnitude += this.expGolomb0();
          value = this.value;
          spare = this.spare;
          at = this.at;
        }
      }
      if (spare === 0) {
        value = (value << 8) | data[at++];
        spare = 8;
      }
      spare--;
      const scaled = range << spare;
      if (value >= scaled) {
        value -= scaled;
        levels[k] = -magnitude;
      } else {
        levels[k] = magnitude;
      }
    }
    this.range = range;
    this.value = value;
    this.spare = spare;
    this.at = at;
    return total;
  }

  private expGolomb0(): number {
    let k = 0;
    let value = 0;
    while (this.bypass() === 1) {
      value += 1 << k;
      k++;
      if (k > 24) {
        throw new BitstreamError('forbidden-value', '9.3.2.3', this.bitPosition, 'A coefficient level is too large.');
      }
    }
    while (k-- > 0) {
      value += this.bypass() << k;
    }
    return value;
  }
}
