// CAVLC (9.1, 9.2): macroblock syntax and residual blocks from Exp-Golomb and context-adaptive codes. Coefficients are written scaled
// (8.5.12.1) straight into the codec's memory. Called by macroblock-decoder.ts.

import { BitstreamError } from '../../../errors.ts';
import type { SliceState } from '../decoder/slice-state.ts';
import {
  TABLE_9_4_INTER_420,
  TABLE_9_4_INTER_MONO,
  TABLE_9_4_INTRA_420,
  TABLE_9_4_INTRA_MONO,
} from '../tables/cavlc.generated.ts';
import { CAVLC_FAULTS } from '../kernels/residual-kernels.ts';
import { FIELD_4X4 } from '../tables/transform.generated.ts';
import { cavlcArea, SCANS_BYTES, type CavlcArea } from './cavlc-area.ts';
import type { MacroblockSyntax } from './macroblock-syntax.ts';

const { min } = Math;

function fail(position: number, message: string): never {
  throw new BitstreamError('forbidden-value', '9.2', position, message);
}

/** Reads macroblocks coded with entropy_coding_mode_flag 0. */
export class CavlcDecoder implements MacroblockSyntax {
  mvdX = 0;
  mvdY = 0;
  protected readonly s: SliceState;
  protected readonly area: CavlcArea;
  /** Bits of the slice that the kernel may read. */
  private dataBits = 0;

  constructor(state: SliceState) {
    this.s = state;
    this.area = cavlcArea(state.bytes, state.cavlcPointer, state.PicWidthInMbs * state.FrameHeightInMbs);
  }

  /** Gives the slice's bytes to the kernel. Call at the start of a slice, when the reader is set. */
  startSlice(): void {
    const { reader, bytes } = this.s;
    const byteLength = min(reader.length >> 3, this.area.capacity);
    bytes.set(reader.data.subarray(0, byteLength), this.area.data);
    bytes.fill(0, this.area.data + byteLength, this.area.data + byteLength + 8);
    this.dataBits = 8 * byteLength;
  }

  mb_type(): number {
    return this.s.reader.ue();
  }

  sub_mb_type(): number {
    return this.s.reader.ue();
  }

  transform_size_8x8_flag(): boolean {
    return this.s.reader.bits(1) === 1;
  }

  intraPredMode(): number {
    const { reader } = this.s;
    return reader.bits(1) === 1 ? -1 : reader.bits(3);
  }

  intra_chroma_pred_mode(): number {
    return this.s.reader.ue();
  }

  ref_idx(_list: number, _at: number, range: number): number {
    return this.s.reader.te(range);
  }

  mvd(): void {
    const { reader } = this.s;
    this.mvdX = reader.se();
    this.mvdY = reader.se();
  }

  coded_block_pattern(isIntra: boolean): number {
    const codeNum = this.s.reader.ue();
    if (this.s.hasChroma) {
      if (codeNum > 47) {
        fail(this.s.reader.position, `coded_block_pattern has codeNum ${codeNum}.`);
      }
      return isIntra ? TABLE_9_4_INTRA_420[codeNum] : TABLE_9_4_INTER_420[codeNum];
    }
    if (codeNum > 15) {
      fail(this.s.reader.position, `coded_block_pattern has codeNum ${codeNum}.`);
    }
    return isIntra ? TABLE_9_4_INTRA_MONO[codeNum] : TABLE_9_4_INTER_MONO[codeNum];
  }

  mb_qp_delta(): number {
    return this.s.reader.se();
  }

  dcBlock(component: number): boolean {
    const { s } = this;
    if (component === 0) {
      return this.read(this.nC(0), 16, s.dc.byteOffset, 0, 0, 0) > 0;
    }
    return this.read(-1, 4, s.chromaDc.byteOffset + 16 * (component - 1), 0, 0, 0) > 0;
  }

  block4x4(_cat: number, block: number, out: number, start: number, scaleBase: number): number {
    const { s } = this;
    const scale = s.scale4x4.byteOffset + 4 * scaleBase;
    const coefficients = s.coefficientsPointer + 2 * out;
    const total = this.read(this.nC(block), 16 - start, coefficients, this.scans() + start, scale, 4);
    s.store.totalCoeff[s.mb * 24 + block] = total;
    s.isDcOnly = start === 0 && this.area.result[1] === 1;
    return total;
  }

  block8x8(block8: number, out: number, scaleBase: number): boolean {
    const { s } = this;
    const scale = s.scale8x8.byteOffset + 4 * scaleBase;
    const coefficients = s.coefficientsPointer + 2 * out;
    const scans = this.scans() + 16;
    const firstBlock = (block8 & 2) * 4 + (block8 & 1) * 2;
    let sum = 0;
    let isDcOnly = true;
    for (let i = 0; i < 4; i++) {
      const block = firstBlock + (i >> 1) * 4 + (i & 1);
      const total = this.read(this.nC(block), 16, coefficients, scans + 16 * i, scale, 6);
      s.store.totalCoeff[s.mb * 24 + block] = total;
      sum += total;
      isDcOnly = isDcOnly && (i === 0 ? this.area.result[1] === 1 : total === 0);
    }
    s.isDcOnly = isDcOnly;
    return sum > 0;
  }

  /** Where the scans of the current macroblock's kind lie: 16 bytes for 4x4, then four times 16 for 8x8. */
  private scans(): number {
    return this.s.scan4x4 === FIELD_4X4 ? this.area.scans + SCANS_BYTES : this.area.scans;
  }

  /** Reads one block through the kernel; returns TotalCoeff. Throws BitstreamError. */
  protected read(nC: number, maxNumCoeff: number, out: number, scan: number, scale: number, shift: number): number {
    const { area } = this;
    const { reader, kernels } = this.s;
    const total = kernels.cavlcBlock(
      area.data,
      reader.position,
      this.dataBits,
      nC,
      maxNumCoeff,
      out,
      scan,
      scale,
      shift,
      area.tables,
      area.resultPointer,
    );
    if (total < 0) {
      fail(reader.position, CAVLC_FAULTS[-total - 1]);
    }
    reader.position = area.result[0];
    return total;
  }

  /** nC of a block (9.2.1): luma raster 0..15, Cb 16..19, Cr 20..23. */
  private nC(block: number): number {
    const { s } = this;
    const total = s.store.totalCoeff;
    const own = s.mb * 24;
    let nA = -1;
    let nB = -1;
    if (block < 16) {
      if ((block & 3) !== 0) {
        nA = total[own + block - 1];
      } else {
        const row = block >> 2;
        const left = s.leftMb[row];
        if (left >= 0) {
          nA = total[left * 24 + s.leftRow[row] * 4 + 3];
        }
      }
      if (block > 3) {
        nB = total[own + block - 4];
      } else if (s.mbB >= 0) {
        nB = total[s.mbB * 24 + 12 + block];
      }
    } else {
      const base = block & ~3;
      if ((block & 1) !== 0) {
        nA = total[own + block - 1];
      } else {
        const row = block & 2;
        const left = s.leftMb[row];
        if (left >= 0) {
          nA = total[left * 24 + base + (s.leftRow[row] & 2) + 1];
        }
      }
      if ((block & 2) !== 0) {
        nB = total[own + block - 2];
      } else if (s.mbB >= 0) {
        nB = total[s.mbB * 24 + base + 2 + (block & 1)];
      }
    }
    if (nA >= 0) {
      return nB >= 0 ? (nA + nB + 1) >> 1 : nA;
    }
    return nB >= 0 ? nB : 0;
  }
}
