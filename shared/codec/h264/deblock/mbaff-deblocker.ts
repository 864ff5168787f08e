// Deblocking of MBAFF frames (8.7): frame and field macroblocks side by side, up to eight strengths on a left edge, top edges filtered
// per field. Sample by sample in TypeScript: correctness first, MBAFF is rare.

import type { SliceState } from '../decoder/slice-state.ts';
import { MB_INTRA, MB_TRANSFORM_8X8 } from '../macroblock/mb-types.ts';
import { TABLE_8_16_ALPHA, TABLE_8_16_BETA, TABLE_8_17_TC0 } from '../tables/deblock.generated.ts';
import { motionDiffers } from './boundary-strength.ts';
import type { SliceFilters } from './slice-filters.ts';

const { abs, max, min } = Math;

/** Filters MBAFF frames. */
export class MbaffDeblocker {
  private readonly s: SliceState;
  private readonly filters: SliceFilters;
  private offsetA = 0;
  private offsetB = 0;

  constructor(state: SliceState, filters: SliceFilters) {
    this.s = state;
    this.filters = filters;
  }

  /** Filters the current frame, macroblock pair by pair. */
  filterPicture(): void {
    const { s } = this;
    for (let pairRow = 0; pairRow < s.FrameHeightInMbs; pairRow += 2) {
      for (let x = 0; x < s.PicWidthInMbs; x++) {
        this.filterMacroblock(x, pairRow);
        this.filterMacroblock(x, pairRow + 1);
      }
    }
  }

  private filterMacroblock(x: number, row: number): void {
    const { s, filters } = this;
    const { store, PicWidthInMbs: width, mbField } = s;
    const mb = row * width + x;
    const slice = store.sliceId[mb];
    if (slice < 0 || filters.idc[slice] === 1) {
      return;
    }
    this.offsetA = filters.offsetA[slice];
    this.offsetB = filters.offsetB[slice];
    const isBounded = filters.idc[slice] === 2;
    const topRow = row & ~1;
    const isField = mbField[mb] === 1;
    const isBottom = (row & 1) === 1;
    const isAvailable = (other: number): boolean =>
      isBounded ? store.sliceId[other] === slice : store.sliceId[other] >= 0;
    const firstRow = isField ? 16 * topRow + (row & 1) : 16 * row;
    const step = isField ? 2 : 1;
    const isTransform8x8 = (store.kind[mb] & MB_TRANSFORM_8X8) !== 0;
    if (x > 0 && isAvailable(topRow * width + x - 1)) {
      this.leftEdge(mb, x, topRow, isField, firstRow, step, isBottom);
    }
    for (let edge = 1; edge < 4; edge++) {
      if (isTransform8x8 && (edge & 1) === 1) {
        continue;
      }
      for (let y = 0; y < 16; y++) {
        const block = (y >> 2) * 4 + edge;
        const bS = this.strength(mb, block, mb, block - 1, true, false);
        this.sample(16 * x + 4 * edge, firstRow + y * step, 1, bS, mb, mb, 0);
        if (edge === 2 && s.hasChroma && (y & 1) === 0) {
          this.chroma(
            8 * x + 4,
            this.chromaRow(firstRow, isField, y >> 1),
            1,
            this.chromaStrength(mb, edge, y >> 1, true),
            mb,
            mb,
          );
        }
      }
    }
    this.topEdge(mb, x, row, topRow, isField, isAvailable);
    for (let edge = 1; edge < 4; edge++) {
      if (isTransform8x8 && (edge & 1) === 1) {
        continue;
      }
      const verticalStep = step * s.frameStrideY;
      for (let i = 0; i < 16; i++) {
        const block = edge * 4 + (i >> 2);
        const bS = this.strength(mb, block, mb, block - 4, false, false);
        this.sampleAt(
          s.picture.memory.y + (firstRow + 4 * edge * step) * s.frameStrideY + 16 * x + i,
          verticalStep,
          bS,
          mb,
          mb,
          0,
        );
      }
      if (edge === 2 && s.hasChroma) {
        const chromaStep = step * s.frameStrideC;
        const line = this.chromaRow(firstRow, isField, 4) * s.frameStrideC + 8 * x;
        for (let i = 0; i < 8; i++) {
          const block = 8 + (i >> 1);
          const bS = this.strength(mb, block, mb, block - 4, false, false);
          this.sampleAt(s.picture.memory.u + line + i, chromaStep, bS, mb, mb, 1);
          this.sampleAt(s.picture.memory.v + line + i, chromaStep, bS, mb, mb, 2);
        }
      }
    }
  }

  /** Chroma row in the frame of row `y` (0..7) of a macroblock whose first luma row is `firstRow`. */
  private chromaRow(firstRow: number, isField: boolean, y: number): number {
    return isField ? ((firstRow & ~31) >> 1) + (firstRow & 1) + 2 * y : (firstRow >> 1) + y;
  }

  private chromaStrength(mb: number, edge: number, y: number, isVertical: boolean): number {
    const block = (y >> 1) * 4 + edge;
    return this.strength(mb, block, mb, block - 1, isVertical, false);
  }

  private chroma(x: number, row: number, step: number, bS: number, mbQ: number, mbP: number): void {
    const { s } = this;
    const at = row * s.frameStrideC + x;
    this.sampleAt(s.picture.memory.u + at, step, bS, mbQ, mbP, 1);
    this.sampleAt(s.picture.memory.v + at, step, bS, mbQ, mbP, 2);
  }

  private sample(x: number, row: number, step: number, bS: number, mbQ: number, mbP: number, component: number): void {
    const { s } = this;
    this.sampleAt(s.picture.memory.y + row * s.frameStrideY + x, step, bS, mbQ, mbP, component);
  }

  /** The left macroblock edge: p samples lie on the same picture row, whatever macroblock of the left pair holds them. */
  private leftEdge(
    mb: number,
    x: number,
    topRow: number,
    isField: boolean,
    firstRow: number,
    step: number,
    isBottom: boolean,
  ): void {
    const { s } = this;
    const width = s.PicWidthInMbs;
    const leftTop = topRow * width + x - 1;
    const isLeftField = s.mbField[leftTop] === 1;
    const isMixed = isLeftField !== isField;
    for (let y = 0; y < 16; y++) {
      let left: number;
      let leftY: number;
      if (!isMixed) {
        left = isBottom ? leftTop + width : leftTop;
        leftY = y;
      } else if (isField) {
        const r = 2 * y + (isBottom ? 1 : 0);
        left = r < 16 ? leftTop : leftTop + width;
        leftY = r & 15;
      } else {
        const r = y + (isBottom ? 16 : 0);
        left = (r & 1) === 0 ? leftTop : leftTop + width;
        leftY = r >> 1;
      }
      const bS = this.strength(mb, (y >> 2) * 4, left, (leftY >> 2) * 4 + 3, true, isMixed);
      this.sample(16 * x, firstRow + y * step, 1, bS, mb, left, 0);
    }
    if (!s.hasChroma) {
      return;
    }
    for (let y = 0; y < 8; y++) {
      let left: number;
      let leftY: number;
      if (!isMixed) {
        left = isBottom ? leftTop + width : leftTop;
        leftY = y;
      } else if (isField) {
        const r = 2 * y + (isBottom ? 1 : 0);
        left = r < 8 ? leftTop : leftTop + width;
        leftY = r & 7;
      } else {
        const r = y + (isBottom ? 8 : 0);
        left = (r & 1) === 0 ? leftTop : leftTop + width;
        leftY = r >> 1;
      }
      const bS = this.strength(mb, (y >> 1) * 4, left, (leftY >> 1) * 4 + 3, true, isMixed);
      this.chroma(8 * x, this.chromaRow(firstRow, isField, y), 1, bS, mb, left);
    }
  }

  private topEdge(
    mb: number,
    x: number,
    row: number,
    topRow: number,
    isField: boolean,
    isAvailable: (other: number) => boolean,
  ): void {
    const { s } = this;
    const width = s.PicWidthInMbs;
    const isBottom = (row & 1) === 1;
    if (!isField && isBottom) {
      this.horizontalEdge(mb, mb - width, x, 16 * row, 1, false);
      return;
    }
    if (topRow === 0) {
      return;
    }
    const aboveTop = (topRow - 2) * width + x;
    if (!isAvailable(aboveTop)) {
      return;
    }
    const isAboveField = s.mbField[aboveTop] === 1;
    if (!isField) {
      if (!isAboveField) {
        this.horizontalEdge(mb, aboveTop + width, x, 16 * row, 1, false);
      } else {
        // Frame macroblock below a field pair: its rows of each parity against the field macroblock of that parity.
        this.horizontalEdge(mb, aboveTop, x, 16 * row, 2, true);
        this.horizontalEdge(mb, aboveTop + width, x, 16 * row + 1, 2, true);
      }
      return;
    }
    const above = isAboveField ? (isBottom ? aboveTop + width : aboveTop) : aboveTop + width;
    this.horizontalEdge(mb, above, x, 16 * topRow + (isBottom ? 1 : 0), 2, !isAboveField);
  }

  /** A top macroblock edge with q0 in luma row `row` and neighbouring samples `step` rows apart. */
  private horizontalEdge(mb: number, above: number, x: number, row: number, step: number, isMixed: boolean): void {
    const { s } = this;
    const isFieldFiltering = step === 2;
    for (let i = 0; i < 16; i++) {
      const bS = this.topStrength(mb, i >> 2, above, isMixed, isFieldFiltering);
      this.sampleAt(s.picture.memory.y + row * s.frameStrideY + 16 * x + i, step * s.frameStrideY, bS, mb, above, 0);
    }
    if (!s.hasChroma) {
      return;
    }
    const rowC = step === 2 ? ((row & ~1) >> 1) + (row & 1) : row >> 1;
    for (let i = 0; i < 8; i++) {
      const bS = this.topStrength(mb, i >> 1, above, isMixed, isFieldFiltering);
      const at = rowC * s.frameStrideC + 8 * x + i;
      this.sampleAt(s.picture.memory.u + at, step * s.frameStrideC, bS, mb, above, 1);
      this.sampleAt(s.picture.memory.v + at, step * s.frameStrideC, bS, mb, above, 2);
    }
  }

  private topStrength(mb: number, column: number, above: number, isMixed: boolean, isFieldFiltering: boolean): number {
    const { store } = this.s;
    if (((store.kind[mb] | store.kind[above]) & MB_INTRA) !== 0) {
      return isFieldFiltering ? 3 : 4;
    }
    return this.strength(mb, column, above, 12 + column, false, isMixed);
  }

  /** bS (8.7.2.1) of two blocks; macroblock edges between intra macroblocks on vertical edges get 4, all inner ones 3. */
  private strength(
    mbQ: number,
    blockQ: number,
    mbP: number,
    blockP: number,
    isVertical: boolean,
    isMixed: boolean,
  ): number {
    const { s } = this;
    const { store } = s;
    if (((store.kind[mbQ] | store.kind[mbP]) & MB_INTRA) !== 0) {
      return mbQ !== mbP && isVertical ? 4 : 3;
    }
    if (((store.nonZero[mbQ] >> blockQ) & 1) !== 0 || ((store.nonZero[mbP] >> blockP) & 1) !== 0) {
      return 2;
    }
    return isMixed ? 1 : motionDiffers(s, mbQ, blockQ, mbP, blockP);
  }

  /** Filters the eight samples across an edge; `step` leads from p to q. */
  private sampleAt(q0At: number, step: number, bS: number, mbQ: number, mbP: number, component: number): void {
    if (bS === 0) {
      return;
    }
    const { s } = this;
    const { bytes } = s;
    let qpQ: number = s.store.qp[mbQ];
    let qpP: number = s.store.qp[mbP];
    if (component > 0) {
      const base = 52 * (component - 1);
      qpQ = s.chromaQp[base + qpQ];
      qpP = s.chromaQp[base + qpP];
    }
    const qp = (qpQ + qpP + 1) >> 1;
    const indexA = max(0, min(51, qp + this.offsetA));
    const alpha = TABLE_8_16_ALPHA[indexA];
    const beta = TABLE_8_16_BETA[max(0, min(51, qp + this.offsetB))];
    const q0 = bytes[q0At];
    const q1 = bytes[q0At + step];
    const p0 = bytes[q0At - step];
    const p1 = bytes[q0At - 2 * step];
    if (abs(p0 - q0) >= alpha || abs(p1 - p0) >= beta || abs(q1 - q0) >= beta) {
      return;
    }
    if (component > 0) {
      if (bS === 4) {
        bytes[q0At - step] = (2 * p1 + p0 + q1 + 2) >> 2;
        bytes[q0At] = (2 * q1 + q0 + p1 + 2) >> 2;
        return;
      }
      const tC = TABLE_8_17_TC0[indexA * 3 + bS - 1] + 1;
      const delta = max(-tC, min(tC, ((q0 - p0) * 4 + (p1 - q1) + 4) >> 3));
      bytes[q0At - step] = max(0, min(255, p0 + delta));
      bytes[q0At] = max(0, min(255, q0 - delta));
      return;
    }
    const q2 = bytes[q0At + 2 * step];
    const p2 = bytes[q0At - 3 * step];
    const ap = abs(p2 - p0);
    const aq = abs(q2 - q0);
    if (bS === 4) {
      const isFlat = abs(p0 - q0) < (alpha >> 2) + 2;
      if (isFlat && ap < beta) {
        const p3 = bytes[q0At - 4 * step];
        bytes[q0At - step] = (p2 + 2 * p1 + 2 * p0 + 2 * q0 + q1 + 4) >> 3;
        bytes[q0At - 2 * step] = (p2 + p1 + p0 + q0 + 2) >> 2;
        bytes[q0At - 3 * step] = (2 * p3 + 3 * p2 + p1 + p0 + q0 + 4) >> 3;
      } else {
        bytes[q0At - step] = (2 * p1 + p0 + q1 + 2) >> 2;
      }
      if (isFlat && aq < beta) {
        const q3 = bytes[q0At + 3 * step];
        bytes[q0At] = (p1 + 2 * p0 + 2 * q0 + 2 * q1 + q2 + 4) >> 3;
        bytes[q0At + step] = (p0 + q0 + q1 + q2 + 2) >> 2;
        bytes[q0At + 2 * step] = (2 * q3 + 3 * q2 + q1 + q0 + p0 + 4) >> 3;
      } else {
        bytes[q0At] = (2 * q1 + q0 + p1 + 2) >> 2;
      }
      return;
    }
    const tC0 = TABLE_8_17_TC0[indexA * 3 + bS - 1];
    const tC = tC0 + (ap < beta ? 1 : 0) + (aq < beta ? 1 : 0);
    const delta = max(-tC, min(tC, ((q0 - p0) * 4 + (p1 - q1) + 4) >> 3));
    bytes[q0At - step] = max(0, min(255, p0 + delta));
    bytes[q0At] = max(0, min(255, q0 - delta));
    if (ap < beta) {
      bytes[q0At - 2 * step] = p1 + max(-tC0, min(tC0, (p2 + ((p0 + q0 + 1) >> 1) - 2 * p1) >> 1));
    }
    if (aq < beta) {
      bytes[q0At + step] = q1 + max(-tC0, min(tC0, (q2 + ((p0 + q0 + 1) >> 1) - 2 * q1) >> 1));
    }
  }
}
