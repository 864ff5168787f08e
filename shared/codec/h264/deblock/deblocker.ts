// The deblocking filter (8.7) over a finished picture: boundary strengths (8.7.2.1) from the macroblock store and the motion, then the
// edges through the kernels. Frames and fields here; MBAFF frames in mbaff-deblocker.ts. Called by picture-decoder.ts.

import type { SliceState } from '../decoder/slice-state.ts';
import { MB_INTRA, MB_TRANSFORM_8X8 } from '../macroblock/mb-types.ts';
import { TABLE_8_16_ALPHA, TABLE_8_16_BETA, TABLE_8_17_TC0 } from '../tables/deblock.generated.ts';
import { motionDiffers } from './boundary-strength.ts';
import type { SliceFilters } from './slice-filters.ts';
import { MbaffDeblocker } from './mbaff-deblocker.ts';

const { max, min } = Math;

/** Filters pictures. */
export class Deblocker {
  private readonly s: SliceState;
  private readonly filters: SliceFilters;
  private readonly mbaff: MbaffDeblocker;
  /** Boundary strengths of four edges of one direction: bS of quarter q of edge e at 4 * e + q. */
  private readonly bS = new Uint8Array(16);

  constructor(state: SliceState, filters: SliceFilters) {
    this.s = state;
    this.filters = filters;
    this.mbaff = new MbaffDeblocker(state, filters);
  }

  /** Filters the current picture (frame or field). */
  filterPicture(): void {
    const { s, filters } = this;
    if (filters.idc.every((idc) => idc === 1)) {
      return;
    }
    if (s.MbaffFrameFlag) {
      this.mbaff.filterPicture();
      return;
    }
    const rows = s.PicHeightInMbs;
    for (let row = 0; row < rows; row++) {
      for (let x = 0; x < s.PicWidthInMbs; x++) {
        this.filterMacroblock(x, row);
      }
    }
  }

  private filterMacroblock(x: number, row: number): void {
    const { s, filters, bS } = this;
    const { store, PicWidthInMbs: width } = s;
    const isField = s.isFieldPicture;
    const parity = s.isBottomField ? 1 : 0;
    const mb = (isField ? 2 * row + parity : row) * width + x;
    const slice = store.sliceId[mb];
    if (slice < 0 || filters.idc[slice] === 1) {
      return;
    }
    const isBounded = filters.idc[slice] === 2;
    const above = isField ? mb - 2 * width : mb - width;
    const hasLeft = x > 0 && (isBounded ? store.sliceId[mb - 1] === slice : store.sliceId[mb - 1] >= 0);
    const hasTop = row > 0 && (isBounded ? store.sliceId[above] === slice : store.sliceId[above] >= 0);
    const strideY = isField ? 2 * s.frameStrideY : s.frameStrideY;
    const strideC = isField ? 2 * s.frameStrideC : s.frameStrideC;
    const { memory } = s.picture;
    const y0 = memory.y + (isField ? parity * s.frameStrideY : 0) + 16 * row * strideY + 16 * x;
    const offsetC = (isField ? parity * s.frameStrideC : 0) + 8 * row * strideC + 8 * x;
    const u0 = memory.u + offsetC;
    const v0 = memory.v + offsetC;
    const offsetA = filters.offsetA[slice];
    const offsetB = filters.offsetB[slice];
    const qp = store.qp[mb];
    const isIntra = (store.kind[mb] & MB_INTRA) !== 0;
    const step = (store.kind[mb] & MB_TRANSFORM_8X8) !== 0 ? 2 : 1;

    // Vertical edges.
    if (hasLeft) {
      const left = mb - 1;
      if (isIntra || (store.kind[left] & MB_INTRA) !== 0) {
        this.strongVertical(y0, u0, v0, strideY, strideC, qp, store.qp[left], offsetA, offsetB);
      } else if (this.strengthsBetween(mb, left, 0, 3, 4, 0)) {
        this.edgeVertical(y0, u0, v0, strideY, strideC, qp, store.qp[left], offsetA, offsetB, 0, true);
      }
    }
    if (isIntra) {
      bS.fill(3);
    }
    for (let edge = step; edge < 4; edge += step) {
      if (isIntra || this.strengthsInside(mb, edge, 1, 4, edge)) {
        const hasChroma = edge === 2;
        this.edgeVertical(
          y0 + 4 * edge,
          u0 + 2 * edge,
          v0 + 2 * edge,
          strideY,
          strideC,
          qp,
          qp,
          offsetA,
          offsetB,
          edge,
          hasChroma,
        );
      }
    }
    // Horizontal edges.
    if (hasTop) {
      if (isIntra || (store.kind[above] & MB_INTRA) !== 0) {
        if (isField) {
          bS[0] = bS[1] = bS[2] = bS[3] = 3;
          this.edgeHorizontal(y0, u0, v0, strideY, strideC, qp, store.qp[above], offsetA, offsetB, 0, true);
        } else {
          this.strongHorizontal(y0, u0, v0, strideY, strideC, qp, store.qp[above], offsetA, offsetB);
        }
      } else if (this.strengthsBetween(mb, above, 0, 12, 1, 0)) {
        this.edgeHorizontal(y0, u0, v0, strideY, strideC, qp, store.qp[above], offsetA, offsetB, 0, true);
      }
    }
    if (isIntra) {
      bS.fill(3);
    }
    for (let edge = step; edge < 4; edge += step) {
      if (isIntra || this.strengthsInside(mb, edge * 4, 4, 1, edge)) {
        this.edgeHorizontal(
          y0 + 4 * edge * strideY,
          u0 + 2 * edge * strideC,
          v0 + 2 * edge * strideC,
          strideY,
          strideC,
          qp,
          qp,
          offsetA,
          offsetB,
          edge,
          edge === 2,
        );
      }
    }
  }

  /** Strengths of an edge between two inter macroblocks: blocks q0 + i * step of `mb` against p0 + i * step of `other`. */
  private strengthsBetween(mb: number, other: number, q0: number, p0: number, step: number, edge: number): boolean {
    const { s, bS } = this;
    const { nonZero } = s.store;
    const q = nonZero[mb];
    const p = nonZero[other];
    let any = 0;
    for (let i = 0; i < 4; i++) {
      const blockQ = q0 + i * step;
      const blockP = p0 + i * step;
      const strength =
        ((q >> blockQ) & 1) !== 0 || ((p >> blockP) & 1) !== 0 ? 2 : motionDiffers(s, mb, blockQ, other, blockP);
      bS[4 * edge + i] = strength;
      any |= strength;
    }
    return any !== 0;
  }

  /** Strengths of an inner edge: blocks first + i * step against those `back` before. */
  private strengthsInside(mb: number, first: number, back: number, step: number, edge: number): boolean {
    const { s, bS } = this;
    const q = s.store.nonZero[mb];
    let any = 0;
    for (let i = 0; i < 4; i++) {
      const blockQ = first + i * step;
      const strength =
        ((q >> blockQ) & 1) !== 0 || ((q >> (blockQ - back)) & 1) !== 0
          ? 2
          : motionDiffers(s, mb, blockQ, mb, blockQ - back);
      bS[4 * edge + i] = strength;
      any |= strength;
    }
    return any !== 0;
  }

  private edgeVertical(
    y: number,
    u: number,
    v: number,
    strideY: number,
    strideC: number,
    qpQ: number,
    qpP: number,
    offsetA: number,
    offsetB: number,
    edge: number,
    hasChroma: boolean,
  ): void {
    const { kernels, chromaQp } = this.s;
    const qp = (qpQ + qpP + 1) >> 1;
    const indexA = clipIndex(qp + offsetA);
    const beta = TABLE_8_16_BETA[clipIndex(qp + offsetB)];
    const alpha = TABLE_8_16_ALPHA[indexA];
    if (alpha !== 0 && beta !== 0) {
      kernels.deblockLumaVertical(y, strideY, alpha, beta, this.packTc0(indexA, edge));
    }
    if (hasChroma && this.s.hasChroma) {
      for (let c = 0; c < 2; c++) {
        const qpC = (chromaQp[52 * c + qpQ] + chromaQp[52 * c + qpP] + 1) >> 1;
        const indexAC = clipIndex(qpC + offsetA);
        const betaC = TABLE_8_16_BETA[clipIndex(qpC + offsetB)];
        const alphaC = TABLE_8_16_ALPHA[indexAC];
        if (alphaC !== 0 && betaC !== 0) {
          kernels.deblockChromaVertical(c === 0 ? u : v, strideC, alphaC, betaC, this.packTc0(indexAC, edge));
        }
      }
    }
  }

  private edgeHorizontal(
    y: number,
    u: number,
    v: number,
    strideY: number,
    strideC: number,
    qpQ: number,
    qpP: number,
    offsetA: number,
    offsetB: number,
    edge: number,
    hasChroma: boolean,
  ): void {
    const { kernels, chromaQp } = this.s;
    const qp = (qpQ + qpP + 1) >> 1;
    const indexA = clipIndex(qp + offsetA);
    const beta = TABLE_8_16_BETA[clipIndex(qp + offsetB)];
    const alpha = TABLE_8_16_ALPHA[indexA];
    if (alpha !== 0 && beta !== 0) {
      kernels.deblockLumaHorizontal(y, strideY, alpha, beta, this.packTc0(indexA, edge));
    }
    if (hasChroma && this.s.hasChroma) {
      for (let c = 0; c < 2; c++) {
        const qpC = (chromaQp[52 * c + qpQ] + chromaQp[52 * c + qpP] + 1) >> 1;
        const indexAC = clipIndex(qpC + offsetA);
        const betaC = TABLE_8_16_BETA[clipIndex(qpC + offsetB)];
        const alphaC = TABLE_8_16_ALPHA[indexAC];
        if (alphaC !== 0 && betaC !== 0) {
          kernels.deblockChromaHorizontal(c === 0 ? u : v, strideC, alphaC, betaC, this.packTc0(indexAC, edge));
        }
      }
    }
  }

  private strongVertical(
    y: number,
    u: number,
    v: number,
    strideY: number,
    strideC: number,
    qpQ: number,
    qpP: number,
    offsetA: number,
    offsetB: number,
  ): void {
    const { kernels, chromaQp } = this.s;
    const qp = (qpQ + qpP + 1) >> 1;
    const alpha = TABLE_8_16_ALPHA[clipIndex(qp + offsetA)];
    const beta = TABLE_8_16_BETA[clipIndex(qp + offsetB)];
    if (alpha !== 0 && beta !== 0) {
      kernels.deblockLumaVerticalStrong(y, strideY, alpha, beta);
    }
    if (this.s.hasChroma) {
      for (let c = 0; c < 2; c++) {
        const qpC = (chromaQp[52 * c + qpQ] + chromaQp[52 * c + qpP] + 1) >> 1;
        const alphaC = TABLE_8_16_ALPHA[clipIndex(qpC + offsetA)];
        const betaC = TABLE_8_16_BETA[clipIndex(qpC + offsetB)];
        if (alphaC !== 0 && betaC !== 0) {
          kernels.deblockChromaVerticalStrong(c === 0 ? u : v, strideC, alphaC, betaC);
        }
      }
    }
  }

  private strongHorizontal(
    y: number,
    u: number,
    v: number,
    strideY: number,
    strideC: number,
    qpQ: number,
    qpP: number,
    offsetA: number,
    offsetB: number,
  ): void {
    const { kernels, chromaQp } = this.s;
    const qp = (qpQ + qpP + 1) >> 1;
    const alpha = TABLE_8_16_ALPHA[clipIndex(qp + offsetA)];
    const beta = TABLE_8_16_BETA[clipIndex(qp + offsetB)];
    if (alpha !== 0 && beta !== 0) {
      kernels.deblockLumaHorizontalStrong(y, strideY, alpha, beta);
    }
    if (this.s.hasChroma) {
      for (let c = 0; c < 2; c++) {
        const qpC = (chromaQp[52 * c + qpQ] + chromaQp[52 * c + qpP] + 1) >> 1;
        const alphaC = TABLE_8_16_ALPHA[clipIndex(qpC + offsetA)];
        const betaC = TABLE_8_16_BETA[clipIndex(qpC + offsetB)];
        if (alphaC !== 0 && betaC !== 0) {
          kernels.deblockChromaHorizontalStrong(c === 0 ? u : v, strideC, alphaC, betaC);
        }
      }
    }
  }

  /** tC0 of the four quarters of an edge, lowest byte first; -1 for bS 0. */
  private packTc0(indexA: number, edge: number): number {
    const { bS } = this;
    const row = indexA * 3 - 1;
    let packed = 0;
    for (let i = 0; i < 4; i++) {
      const strength = bS[4 * edge + i];
      packed |= (strength === 0 ? 255 : TABLE_8_17_TC0[row + strength]) << (8 * i);
    }
    return packed;
  }
}

function clipIndex(index: number): number {
  return max(0, min(51, index));
}
