// Deblocking of the encoder's own reconstruction (8.7): progressive pictures, P and I slices, filter parameters equal for the whole
// picture. Works on a macroblock row that is at least one row behind coding, so that intra prediction still sees unfiltered
// samples. Boundary strengths come straight from the coding state's grid. Called by slice-encoder.ts.

import type { DeblockKernels, Pointer } from '../kernels/kernels.ts';
import { I_4X4, type MacroblockState } from '../macroblock/coding-state.ts';
import { chromaQp } from '../residual/quantisers.ts';
import { TABLE_8_16_ALPHA, TABLE_8_16_BETA, TABLE_8_17_TC0 } from '../tables/deblock.generated.ts';
import type { EncoderPicture } from './picture-store.ts';

/** alpha, beta and tC0 of a QP average, with the slice's filter offsets, ready for the kernels. */
type Thresholds = {
  readonly alpha: Uint8Array; // by qPav
  readonly beta: Uint8Array;
  /** index qPav * 256 + packed strengths of four quarter edges, two bits each: tc0 argument of the kernels. */
  readonly tc0: Int32Array;
};

function thresholdsOf(offsetA: number, offsetB: number): Thresholds {
  const alpha = new Uint8Array(52);
  const beta = new Uint8Array(52);
  const tc0 = new Int32Array(52 * 256);
  const clip = (index: number): number => (index < 0 ? 0 : index > 51 ? 51 : index);
  for (let qp = 0; qp < 52; qp++) {
    const indexA = clip(qp + offsetA);
    alpha[qp] = TABLE_8_16_ALPHA[indexA]!;
    beta[qp] = TABLE_8_16_BETA[clip(qp + offsetB)]!;
    for (let strengths = 0; strengths < 256; strengths++) {
      let packed = 0;
      for (let i = 0; i < 4; i++) {
        const bS = (strengths >> (2 * i)) & 3;
        packed |= (bS === 0 ? 0xff : TABLE_8_17_TC0[indexA * 3 + bS - 1]) << (8 * i);
      }
      tc0[qp * 256 + strengths] = packed;
    }
  }
  return { alpha, beta, tc0 };
}

/** Four quarter edges of bS 3, and of bS 1. */
const ALL_THREE = 0b11111111;
const ALL_ONE = 0b01010101;

/** Filters the rows of one picture after another. */
export class ReconstructionFilter {
  private readonly kernels: DeblockKernels;
  private readonly state: MacroblockState;
  private readonly thresholds: Thresholds;
  private readonly chromaQps: Uint8Array;

  constructor(
    kernels: DeblockKernels,
    state: MacroblockState,
    options: { readonly offsetA: number; readonly offsetB: number; readonly chromaOffset: number },
  ) {
    this.kernels = kernels;
    this.state = state;
    this.thresholds = thresholdsOf(options.offsetA, options.offsetB);
    this.chromaQps = Uint8Array.from({ length: 52 }, (_, qp) => chromaQp(qp, options.chromaOffset));
  }

  /** Filters macroblock row `y` of `picture`: its macroblocks and their edges to the row above. */
  filterRow(picture: EncoderPicture, y: number): void {
    const { mbWidth } = this.state;
    for (let x = 0; x < mbWidth; x++) {
      this.filterMacroblock(picture, x, y);
    }
  }

  private filterMacroblock(picture: EncoderPicture, x: number, y: number): void {
    const { state, chromaQps } = this;
    const { mbWidth, stride, kind, qp } = state;
    const address = y * mbWidth + x;
    const QPY = qp[address];
    const isIntra = kind[address] >= I_4X4;
    const cell = (4 * y + 1) * stride + 4 * x + 4;
    const { lumaStride, chromaStride } = picture;
    const luma = picture.y + 16 * y * lumaStride + 16 * x;
    const chroma = 8 * y * chromaStride + 8 * x;
    const QPC = chromaQps[QPY];
    const hasInner = state.hasInnerEdges[address] === 1;
    const innerStep = state.transform8x8[address] === 1 ? 2 : 1;

    if (x > 0) {
      const qpLeft = qp[address - 1];
      const average = (QPY + qpLeft + 1) >> 1;
      const averageC = (QPC + chromaQps[qpLeft] + 1) >> 1;
      if (isIntra || kind[address - 1] >= I_4X4) {
        this.strongVertical(picture, luma, chroma, average, averageC);
      } else {
        const bS = this.outerStrengths(address, address - 1, cell, cell - 1, stride);
        if (bS !== 0) {
          this.vertical(luma, lumaStride, average, bS);
          this.chromaVertical(picture, chroma, averageC, bS);
        }
      }
    }
    if (hasInner) {
      for (let edge = innerStep; edge < 4; edge += innerStep) {
        const bS = isIntra ? ALL_THREE : this.strengths(cell + edge, cell + edge - 1, stride);
        if (bS !== 0) {
          this.vertical(luma + 4 * edge, lumaStride, QPY, bS);
          if (edge === 2) {
            this.chromaVertical(picture, chroma + 4, QPC, bS);
          }
        }
      }
    }

    if (y > 0) {
      const qpTop = qp[address - mbWidth];
      const average = (QPY + qpTop + 1) >> 1;
      const averageC = (QPC + chromaQps[qpTop] + 1) >> 1;
      if (isIntra || kind[address - mbWidth] >= I_4X4) {
        this.strongHorizontal(picture, luma, chroma, average, averageC);
      } else {
        const bS = this.outerStrengths(address, address - mbWidth, cell, cell - stride, 1);
        if (bS !== 0) {
          this.horizontal(luma, lumaStride, average, bS);
          this.chromaHorizontal(picture, chroma, averageC, bS);
        }
      }
    }
    if (hasInner) {
      for (let edge = innerStep; edge < 4; edge += innerStep) {
        const at = cell + edge * stride;
        const bS = isIntra ? ALL_THREE : this.strengths(at, at - stride, 1);
        if (bS !== 0) {
          this.horizontal(luma + 4 * edge * lumaStride, lumaStride, QPY, bS);
          if (edge === 2) {
            this.chromaHorizontal(picture, chroma + 4 * chromaStride, QPC, bS);
          }
        }
      }
    }
  }

  /** bS of the edge between two macroblocks; both without inner edges have one vector each and no luma levels. */
  private outerStrengths(address: number, other: number, q: number, p: number, step: number): number {
    const { state } = this;
    if ((state.hasInnerEdges[address] | state.hasInnerEdges[other]) !== 0) {
      return this.strengths(q, p, step);
    }
    if (state.ref[q] !== state.ref[p]) {
      return ALL_ONE;
    }
    const a = state.mv[q];
    const b = state.mv[p];
    if (a === b) {
      return 0;
    }
    const dx = ((a << 16) >> 16) - ((b << 16) >> 16);
    const dy = (a >> 16) - (b >> 16);
    return dx >= 4 || dx <= -4 || dy >= 4 || dy <= -4 ? ALL_ONE : 0;
  }

  /** bS 0..2 of four quarter edges (8.7.2.1) between cells q + i * step and p + i * step, two bits each. */
  private strengths(q: number, p: number, step: number): number {
    const { count, mv, ref } = this.state;
    let strengths = 0;
    for (let i = 0; i < 4; i++) {
      if ((count[q] | count[p]) !== 0) {
        strengths |= 2 << (2 * i);
      } else if (ref[q] !== ref[p]) {
        strengths |= 1 << (2 * i);
      } else {
        const a = mv[q];
        const b = mv[p];
        if (a !== b) {
          const dx = ((a << 16) >> 16) - ((b << 16) >> 16);
          const dy = (a >> 16) - (b >> 16);
          if (dx >= 4 || dx <= -4 || dy >= 4 || dy <= -4) {
            strengths |= 1 << (2 * i);
          }
        }
      }
      q += step;
      p += step;
    }
    return strengths;
  }

  private vertical(at: Pointer, stride: number, qp: number, bS: number): void {
    const { alpha, beta, tc0 } = this.thresholds;
    if (alpha[qp] !== 0) {
      this.kernels.deblockLumaVertical(at, stride, alpha[qp], beta[qp], tc0[qp * 256 + bS]);
    }
  }

  private horizontal(at: Pointer, stride: number, qp: number, bS: number): void {
    const { alpha, beta, tc0 } = this.thresholds;
    if (alpha[qp] !== 0) {
      this.kernels.deblockLumaHorizontal(at, stride, alpha[qp], beta[qp], tc0[qp * 256 + bS]);
    }
  }

  private chromaVertical(picture: EncoderPicture, offset: number, qp: number, bS: number): void {
    const { alpha, beta, tc0 } = this.thresholds;
    const a = alpha[qp];
    if (a !== 0) {
      const b = beta[qp];
      const t = tc0[qp * 256 + bS];
      this.kernels.deblockChromaVertical(picture.u + offset, picture.chromaStride, a, b, t);
      this.kernels.deblockChromaVertical(picture.v + offset, picture.chromaStride, a, b, t);
    }
  }

  private chromaHorizontal(picture: EncoderPicture, offset: number, qp: number, bS: number): void {
    const { alpha, beta, tc0 } = this.thresholds;
    const a = alpha[qp];
    if (a !== 0) {
      const b = beta[qp];
      const t = tc0[qp * 256 + bS];
      this.kernels.deblockChromaHorizontal(picture.u + offset, picture.chromaStride, a, b, t);
      this.kernels.deblockChromaHorizontal(picture.v + offset, picture.chromaStride, a, b, t);
    }
  }

  /** bS 4 along the left edge of a macroblock. */
  private strongVertical(picture: EncoderPicture, luma: Pointer, chroma: number, qp: number, qpC: number): void {
    const { alpha, beta } = this.thresholds;
    if (alpha[qp] !== 0) {
      this.kernels.deblockLumaVerticalStrong(luma, picture.lumaStride, alpha[qp], beta[qp]);
    }
    const a = alpha[qpC];
    if (a !== 0) {
      this.kernels.deblockChromaVerticalStrong(picture.u + chroma, picture.chromaStride, a, beta[qpC]);
      this.kernels.deblockChromaVerticalStrong(picture.v + chroma, picture.chromaStride, a, beta[qpC]);
    }
  }

  /** bS 4 along the top edge of a macroblock. */
  private strongHorizontal(picture: EncoderPicture, luma: Pointer, chroma: number, qp: number, qpC: number): void {
    const { alpha, beta } = this.thresholds;
    if (alpha[qp] !== 0) {
      this.kernels.deblockLumaHorizontalStrong(luma, picture.lumaStride, alpha[qp], beta[qp]);
    }
    const a = alpha[qpC];
    if (a !== 0) {
      this.kernels.deblockChromaHorizontalStrong(picture.u + chroma, picture.chromaStride, a, beta[qpC]);
      this.kernels.deblockChromaHorizontalStrong(picture.v + chroma, picture.chromaStride, a, beta[qpC]);
    }
  }
}
