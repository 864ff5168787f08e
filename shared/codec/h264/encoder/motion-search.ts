// Motion search for one partition in one reference: candidate vectors, then a small diamond or hexagon on SAD until nothing improves,
// then half and quarter samples on SATD around the winner, from half-sample planes interpolated once at that place.
// Costs are distortion + lambda * bits of the vector difference (Exp-Golomb lengths, 9.1). Called by mode-decision.ts.

import { seLength } from '../../../bitstream/exp-golomb.ts';
import {
  type AnalysisKernels,
  HALF_BYTES,
  HALF_CENTRE,
  HALF_HORIZONTAL,
  HALF_STRIDE,
  HALF_VERTICAL,
} from '../kernels/analysis-kernels.ts';
import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { Pointer } from '../kernels/kernels.ts';
import { mvX, mvY } from '../macroblock/coding-state.ts';
import type { CodedSize, EncoderPicture } from './picture-store.ts';

const { max, min } = Math;

/** Longest vector component in full samples. */
const REACH = 511;
/** Samples that a block may lie outside the picture. */
const OUTSIDE = 24;
/** Vector differences are tabulated within this range (quarter samples). */
const MVD_RANGE = 8192;
const MAX_CANDIDATES = 12;

const MVD_BITS = new Uint8Array(2 * MVD_RANGE + 1);
for (let i = -MVD_RANGE; i <= MVD_RANGE; i++) {
  MVD_BITS[i + MVD_RANGE] = seLength(i);
}

/** How hard to search. */
export type SearchEffort = {
  /** Rounds of the integer pattern at most. */
  readonly rounds: number;
  /** 4 (diamond) or 6 (hexagon, then diamond). */
  readonly pattern: 4 | 6;
  /** Rounds of half and quarter sample refinement: 0 stops at full samples. */
  readonly halfRounds: number;
  readonly quarterRounds: number;
  /** A full-sample cost below lambda times this many bits is not refined. */
  readonly settledBits: number;
  /** Quarter positions tried per round. */
  readonly quarterPoints: 4 | 8;
};

/** Offsets of the patterns, x then y. */
const DIAMOND = [0, -1, -1, 0, 1, 0, 0, 1];
const HEXAGON = [-2, 0, -1, -2, 1, -2, 2, 0, 1, 2, -1, 2];
const SQUARE_CORNERS = [-1, -1, 1, -1, -1, 1, 1, 1];

/** Searches blocks of one source picture; keeps its scratch in kernel memory. */
export class MotionSearch {
  /** Result of the last search: vector in quarter samples and its cost (SATD + lambda * bits; SAD without refinement). */
  bestX = 0;
  bestY = 0;
  bestCost = 0;
  /** Lambda in sixteenths. */
  lambda16 = 16;

  private readonly kernels: AnalysisKernels;
  private readonly size: CodedSize;
  private readonly longs: Int32Array;
  private readonly out: Pointer;
  private readonly half: Pointer;
  private readonly candidatesX = new Int16Array(MAX_CANDIDATES);
  private readonly candidatesY = new Int16Array(MAX_CANDIDATES);
  private candidates = 0;
  private readonly verticalLimit: number;

  // The block being searched.
  private src: Pointer = 0;
  private srcStride = 0;
  private width = 16;
  private height = 16;
  private base: Pointer = 0;
  private refStride = 0;
  private predictedX = 0;
  private predictedY = 0;
  private minX = 0;
  private maxX = 0;
  private minY = 0;
  private maxY = 0;

  /** Bytes that a search takes from a codec memory. */
  static readonly BYTES = HALF_BYTES + 16 + 32;

  constructor(kernels: AnalysisKernels, memory: CodecMemory, size: CodedSize, verticalLimit: number) {
    this.kernels = kernels;
    this.size = size;
    this.longs = new Int32Array(memory.memory.buffer);
    this.out = memory.allocate(16, 16);
    this.half = memory.allocate(HALF_BYTES, 16);
    this.verticalLimit = verticalLimit;
  }

  /** Forgets the candidate vectors of the search before. */
  clearCandidates(): void {
    this.candidates = 0;
  }

  /** Adds a start vector, packed, in quarter samples. At most 12 are kept. */
  addCandidate(mv: number): void {
    this.addFullSample((mvX(mv) + 2) >> 2, (mvY(mv) + 2) >> 2);
  }

  private addFullSample(x: number, y: number): void {
    const { candidatesX, candidatesY } = this;
    for (let i = 0; i < this.candidates; i++) {
      if (candidatesX[i] === x && candidatesY[i] === y) {
        return;
      }
    }
    if (this.candidates < MAX_CANDIDATES) {
      candidatesX[this.candidates] = x;
      candidatesY[this.candidates] = y;
      this.candidates++;
    }
  }

  /** Whether a vector keeps the macroblock at (x, y) within what may be read and what the level allows. */
  isAllowed(x: number, y: number, vectorX: number, vectorY: number): boolean {
    const left = x + (vectorX >> 2);
    const top = y + (vectorY >> 2);
    return (
      left >= -OUTSIDE &&
      left <= this.size.width + OUTSIDE - 16 &&
      top >= -OUTSIDE &&
      top <= this.size.height + OUTSIDE - 16 &&
      vectorY >= -this.verticalLimit &&
      vectorY < this.verticalLimit
    );
  }

  /** Bits of a vector against the prediction of the current search. */
  private vectorCost(x: number, y: number): number {
    return (
      (this.lambda16 * (MVD_BITS[x - this.predictedX + MVD_RANGE] + MVD_BITS[y - this.predictedY + MVD_RANGE])) >> 4
    );
  }

  /**
   * Searches the block of `source` at (x, y), width x height, in `reference`, predicted vector (predictedX, predictedY), starting
   * from the candidates given before. The predicted vector is always a candidate.
   */
  search(
    source: EncoderPicture,
    reference: EncoderPicture,
    x: number,
    y: number,
    width: number,
    height: number,
    predictedX: number,
    predictedY: number,
    effort: SearchEffort,
  ): void {
    this.src = source.y + y * source.lumaStride + x;
    this.srcStride = source.lumaStride;
    this.width = width;
    this.height = height;
    this.refStride = reference.lumaStride;
    this.base = reference.y + y * this.refStride + x;
    this.predictedX = predictedX;
    this.predictedY = predictedY;
    const limit = min(REACH, (this.verticalLimit >> 2) - 1);
    this.minX = max(-OUTSIDE - x, -REACH);
    this.maxX = min(this.size.width + OUTSIDE - 16 - x, REACH);
    this.minY = -min(OUTSIDE + y, limit);
    this.maxY = min(this.size.height + OUTSIDE - 16 - y, limit);
    this.addFullSample((predictedX + 2) >> 2, (predictedY + 2) >> 2);
    this.tryCandidates();
    if (effort.pattern === 6) {
      this.runHexagon(effort.rounds);
    }
    this.runDiamond(effort.rounds);
    this.bestX *= 4;
    this.bestY *= 4;
    if (effort.halfRounds > 0) {
      this.refine(effort);
    }
  }

  /** Best of the candidates on full samples; bestX and bestY are full samples until refinement. */
  private tryCandidates(): void {
    const { candidatesX, candidatesY, candidates, longs, out, base, refStride } = this;
    this.bestCost = 0x7fffffff;
    for (let i = 0; i < candidates; i++) {
      const x = candidatesX[i];
      const y = candidatesY[i];
      candidatesX[i] = x < this.minX ? this.minX : x > this.maxX ? this.maxX : x;
      candidatesY[i] = y < this.minY ? this.minY : y > this.maxY ? this.maxY : y;
    }
    for (let first = 0; first < candidates; first += 4) {
      const count = min(4, candidates - first);
      const b0 = base + candidatesY[first] * refStride + candidatesX[first];
      if (count === 1) {
        longs[out >> 2] = this.kernels.sad(this.width, this.height, this.src, this.srcStride, b0, refStride);
      } else {
        const b1 = base + candidatesY[first + 1] * refStride + candidatesX[first + 1];
        const b2 = count > 2 ? base + candidatesY[first + 2] * refStride + candidatesX[first + 2] : b0;
        const b3 = count > 3 ? base + candidatesY[first + 3] * refStride + candidatesX[first + 3] : b0;
        this.kernels.sad4(this.width, this.height, this.src, this.srcStride, b0, b1, b2, b3, refStride, out);
      }
      for (let i = 0; i < count; i++) {
        const x = candidatesX[first + i];
        const y = candidatesY[first + i];
        const cost = longs[(out >> 2) + i] + this.vectorCost(4 * x, 4 * y);
        if (cost < this.bestCost) {
          this.bestCost = cost;
          this.bestX = x;
          this.bestY = y;
        }
      }
    }
  }

  /** Tries four offsets around (x, y); returns whether one is better than the best so far. */
  private tryFour(x: number, y: number, offsets: readonly number[], first: number): boolean {
    const { longs, out, base, refStride } = this;
    const x0 = x + offsets[first];
    const y0 = y + offsets[first + 1];
    const x1 = x + offsets[first + 2];
    const y1 = y + offsets[first + 3];
    const x2 = x + offsets[first + 4];
    const y2 = y + offsets[first + 5];
    const x3 = x + offsets[first + 6];
    const y3 = y + offsets[first + 7];
    this.kernels.sad4(
      this.width,
      this.height,
      this.src,
      this.srcStride,
      base + y0 * refStride + x0,
      base + y1 * refStride + x1,
      base + y2 * refStride + x2,
      base + y3 * refStride + x3,
      refStride,
      out,
    );
    const at = out >> 2;
    const before = this.bestCost;
    this.offer(x0, y0, longs[at]);
    this.offer(x1, y1, longs[at + 1]);
    this.offer(x2, y2, longs[at + 2]);
    this.offer(x3, y3, longs[at + 3]);
    return this.bestCost < before;
  }

  private offer(x: number, y: number, sad: number): void {
    if (sad < this.bestCost) {
      const cost = sad + this.vectorCost(4 * x, 4 * y);
      if (cost < this.bestCost) {
        this.bestCost = cost;
        this.bestX = x;
        this.bestY = y;
      }
    }
  }

  private isInside(x: number, y: number, margin: number): boolean {
    return x - margin >= this.minX && x + margin <= this.maxX && y - margin >= this.minY && y + margin <= this.maxY;
  }

  private runDiamond(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      const x = this.bestX;
      const y = this.bestY;
      if (!this.isInside(x, y, 1) || !this.tryFour(x, y, DIAMOND, 0)) {
        return;
      }
    }
  }

  private runHexagon(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      const x = this.bestX;
      const y = this.bestY;
      if (!this.isInside(x, y, 2)) {
        return;
      }
      const first = this.tryFour(x, y, HEXAGON, 0);
      const second = this.tryFour(x, y, HEXAGON, 4);
      if (!first && !second) {
        return;
      }
    }
    if (this.isInside(this.bestX, this.bestY, 1)) {
      this.tryFour(this.bestX, this.bestY, SQUARE_CORNERS, 0);
    }
  }

  /** Half and quarter samples around the full-sample winner. */
  private refine(effort: SearchEffort): void {
    const fullX = this.bestX;
    const fullY = this.bestY;
    const centre = this.base + (fullY >> 2) * this.refStride + (fullX >> 2);
    const { kernels, src, srcStride, width, height } = this;
    this.bestCost = kernels.satd(width, height, src, srcStride, centre, this.refStride) + this.vectorCost(fullX, fullY);
    if (this.bestCost < (this.lambda16 * effort.settledBits) >> 4) {
      return;
    }
    kernels.interpolateHalfSamples(this.half, centre, this.refStride, width, height);
    let dx = 0;
    let dy = 0;
    // The predicted vector itself costs least to write: start from it when it lies within reach.
    const towardX = this.predictedX - fullX;
    const towardY = this.predictedY - fullY;
    const isNear = towardX >= -3 && towardX <= 3 && towardY >= -3 && towardY <= 3;
    if (isNear && (towardX | towardY) !== 0 && this.tryFraction(centre, fullX, fullY, towardX, towardY)) {
      dx = towardX;
      dy = towardY;
    }
    let step = 2;
    let rounds = effort.halfRounds;
    for (let pass = 0; pass < 2; pass++) {
      for (let round = 0; round < rounds; round++) {
        let bestX = dx;
        let bestY = dy;
        const points = step === 1 && effort.quarterPoints === 8 ? 8 : 4;
        for (let i = 0; i < points; i++) {
          const offsets = i < 4 ? DIAMOND : SQUARE_CORNERS;
          const x = dx + step * offsets[2 * (i & 3)];
          const y = dy + step * offsets[2 * (i & 3) + 1];
          if (x < -3 || x > 3 || y < -3 || y > 3 || (x === 0 && y === 0)) {
            continue;
          }
          if (this.tryFraction(centre, fullX, fullY, x, y)) {
            bestX = x;
            bestY = y;
          }
        }
        if (bestX === dx && bestY === dy) {
          break;
        }
        dx = bestX;
        dy = bestY;
      }
      step = 1;
      rounds = effort.quarterRounds;
    }
    this.bestX = fullX + dx;
    this.bestY = fullY + dy;
  }

  /** Cost of the vector full + (dx, dy), |dx| and |dy| <= 3; true and kept as bestCost when it is better. */
  private tryFraction(centre: Pointer, fullX: number, fullY: number, dx: number, dy: number): boolean {
    const bits = this.vectorCost(fullX + dx, fullY + dy);
    if (bits >= this.bestCost) {
      return false;
    }
    const cost = bits + this.fractionDistortion(centre, dx, dy);
    if (cost >= this.bestCost) {
      return false;
    }
    this.bestCost = cost;
    return true;
  }

  /** SATD at a quarter-sample displacement: one plane, or the average of two (Table 8-12). */
  private fractionDistortion(centre: Pointer, dx: number, dy: number): number {
    const { kernels, src, srcStride, width, height, refStride } = this;
    const x = dx >> 2;
    const y = dy >> 2;
    const planes = this.half + (y + 1) * HALF_STRIDE + x + 1;
    const full = centre + y * refStride + x;
    const horizontal = planes + HALF_HORIZONTAL;
    const vertical = planes + HALF_VERTICAL;
    const middle = planes + HALF_CENTRE;
    let a = 0;
    let b = 0;
    switch (((dy & 3) << 2) | (dx & 3)) {
      case 0:
        return kernels.satd(width, height, src, srcStride, full, refStride);
      case 1:
        return kernels.satdOfAverage(width, height, src, srcStride, full, refStride, horizontal, HALF_STRIDE);
      case 2:
        return kernels.satd(width, height, src, srcStride, horizontal, HALF_STRIDE);
      case 3:
        return kernels.satdOfAverage(width, height, src, srcStride, full + 1, refStride, horizontal, HALF_STRIDE);
      case 4:
        return kernels.satdOfAverage(width, height, src, srcStride, full, refStride, vertical, HALF_STRIDE);
      case 8:
        return kernels.satd(width, height, src, srcStride, vertical, HALF_STRIDE);
      case 10:
        return kernels.satd(width, height, src, srcStride, middle, HALF_STRIDE);
      case 12:
        return kernels.satdOfAverage(width, height, src, srcStride, full + refStride, refStride, vertical, HALF_STRIDE);
      case 5:
        a = horizontal;
        b = vertical;
        break;
      case 6:
        a = horizontal;
        b = middle;
        break;
      case 7:
        a = horizontal;
        b = vertical + 1;
        break;
      case 9:
        a = vertical;
        b = middle;
        break;
      case 11:
        a = middle;
        b = vertical + 1;
        break;
      case 13:
        a = vertical;
        b = horizontal + HALF_STRIDE;
        break;
      case 14:
        a = middle;
        b = horizontal + HALF_STRIDE;
        break;
      default:
        a = horizontal + HALF_STRIDE;
        b = vertical + 1;
    }
    return kernels.satdOfAverage(width, height, src, srcStride, a, HALF_STRIDE, b, HALF_STRIDE);
  }
}
