// Residual blocks in CABAC (7.3.5.3.3, 9.3.3.1.3): coded_block_flag, significance map and levels. Coefficients are written scaled
// (8.5.12.1) straight into the codec's memory. The macroblock syntax of cabac-decoder.ts extends this.

import { BitstreamError } from '../../../errors.ts';
import type { SliceState } from '../decoder/slice-state.ts';
import { BLOCK_4X4, BLOCK_8X8_FIELD, BLOCK_8X8_FRAME, BLOCK_CHROMA_DC } from '../kernels/cabac-residual-kernels.ts';
import type { Pointer } from '../kernels/kernels.ts';
import { MB_INTRA } from '../macroblock/mb-types.ts';
import {
  CTX_BASE_CODED_BLOCK_FLAG,
  CTX_BASE_COEFF_ABS_LEVEL_MINUS1,
  CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FIELD,
  CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FRAME,
  CTX_BASE_SIGNIFICANT_COEFF_FLAG_FIELD,
  CTX_BASE_SIGNIFICANT_COEFF_FLAG_FRAME,
} from '../tables/cabac.generated.ts';
import { FIELD_4X4 } from '../tables/transform.generated.ts';
import { cabacArea, CABAC_SCANS_BYTES, type CabacArea } from './cabac-area.ts';
import { CabacEngine } from './cabac-engine.ts';
import { sliceData } from './cavlc-area.ts';
import { CAT_CHROMA_DC, CAT_LUMA_8X8, CAT_LUMA_DC_16 } from './macroblock-syntax.ts';

const { min } = Math;

/** Reads residual blocks with the arithmetic decoding engine. */
export class CabacResidual extends CabacEngine {
  protected readonly s: SliceState;
  protected readonly area: CabacArea;
  private readonly sliceData: Pointer;
  private readonly capacity: number;

  constructor(state: SliceState) {
    const area = cabacArea(state.bytes, state.cabacPointer);
    super(area.contexts);
    this.s = state;
    this.area = area;
    const { data, capacity } = sliceData(state.cavlcPointer, state.PicWidthInMbs * state.FrameHeightInMbs);
    this.sliceData = data;
    this.capacity = capacity;
  }

  /** Gives the slice's bytes to the kernel. Call at the start of a slice. */
  protected placeSlice(data: Uint8Array, byteLength: number): void {
    const length = min(byteLength, this.capacity);
    this.s.bytes.set(data.subarray(0, length), this.sliceData);
    this.area.cell[4] = length;
    this.area.cell[5] = this.sliceData;
  }

  dcBlock(component: number): boolean {
    const { s } = this;
    const cat = component === 0 ? CAT_LUMA_DC_16 : CAT_CHROMA_DC;
    const bit = 8 + component;
    const { cbp } = s.store;
    const none = (s.kind & MB_INTRA) !== 0 ? 1 : 0;
    const a = s.mbA >= 0 ? (cbp[s.mbA] >> bit) & 1 : none;
    const b = s.mbB >= 0 ? (cbp[s.mbB] >> bit) & 1 : none;
    const flag = CTX_BASE_CODED_BLOCK_FLAG[cat] + a + 2 * b;
    const total =
      component === 0
        ? this.read(flag, cat, 16, BLOCK_4X4, s.dc.byteOffset, 0, 0, 0)
        : this.read(flag, cat, 4, BLOCK_CHROMA_DC, s.chromaDc.byteOffset + 16 * (component - 1), 0, 0, 0);
    if (total === 0) {
      return false;
    }
    s.cbp |= 1 << bit;
    return true;
  }

  block4x4(cat: number, block: number, out: number, start: number, scaleBase: number): number {
    const { s } = this;
    const flag = CTX_BASE_CODED_BLOCK_FLAG[cat] + this.codedBlockFlagInc(block);
    const scale = s.scale4x4.byteOffset + 4 * scaleBase;
    const scan = this.scans() + start;
    const total = this.read(flag, cat, 16 - start, BLOCK_4X4, s.coefficientsPointer + 2 * out, scan, scale, 4);
    s.store.totalCoeff[s.mb * 24 + block] = total;
    s.isDcOnly = start === 0 && this.area.cell[8] === 1;
    return total;
  }

  block8x8(block8: number, out: number, scaleBase: number): boolean {
    const { s } = this;
    const kind = s.isFieldMb ? BLOCK_8X8_FIELD : BLOCK_8X8_FRAME;
    const scale = s.scale8x8.byteOffset + 4 * scaleBase;
    const coefficients = s.coefficientsPointer + 2 * out;
    const total = this.read(-1, CAT_LUMA_8X8, 64, kind, coefficients, this.scans() + 16, scale, 6);
    const totals = s.store.totalCoeff;
    const first = s.mb * 24 + (block8 & 2) * 4 + (block8 & 1) * 2;
    totals[first] = totals[first + 1] = totals[first + 4] = totals[first + 5] = total;
    s.isDcOnly = this.area.cell[8] === 1;
    return true;
  }

  /** Where the scans of the current macroblock's kind lie: 16 bytes for 4x4, then 64 for 8x8. */
  private scans(): number {
    return this.s.scan4x4 === FIELD_4X4 ? this.area.scans + CABAC_SCANS_BYTES : this.area.scans;
  }

  /** Reads one block through the kernel; returns its number of coefficients. Throws BitstreamError. */
  protected read(
    flag: number,
    cat: number,
    maxNumCoeff: number,
    kind: number,
    out: number,
    scan: number,
    scale: number,
    shift: number,
  ): number {
    const { cell, engine } = this.area;
    const { s } = this;
    cell[0] = this.range;
    cell[1] = this.value;
    cell[2] = this.spare;
    cell[3] = this.at;
    const isField = s.isFieldMb;
    const total = s.kernels.cabacBlock(
      engine,
      flag,
      isField ? CTX_BASE_SIGNIFICANT_COEFF_FLAG_FIELD[cat] : CTX_BASE_SIGNIFICANT_COEFF_FLAG_FRAME[cat],
      isField ? CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FIELD[cat] : CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FRAME[cat],
      CTX_BASE_COEFF_ABS_LEVEL_MINUS1[cat],
      maxNumCoeff,
      kind,
      out,
      scan,
      scale,
      shift,
    );
    if (total < 0) {
      throw new BitstreamError('forbidden-value', '9.3.2.3', this.bitPosition, 'A coefficient level is too large.');
    }
    this.range = cell[0];
    this.value = cell[1];
    this.spare = cell[2];
    this.at = cell[3];
    return total;
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
}
