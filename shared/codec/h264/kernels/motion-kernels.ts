// The motion search of one block as a kernel: start vectors, a small diamond or hexagon on SAD until nothing improves, then half and quarter
// samples on SATD around the winner. This file holds the table of parameters and the plain TypeScript reference; assembly/motion-search.ts
// is the SIMD twin. Costs are distortion + lambda * bits of the vector difference (Exp-Golomb lengths, 9.1). Called by encoder/motion-search.ts.

import { seLength } from '../../../bitstream/exp-golomb.ts';
import { type AnalysisKernels, HALF_CENTRE, HALF_HORIZONTAL, HALF_STRIDE, HALF_VERTICAL } from './analysis-kernels.ts';
import type { Pointer } from './kernels.ts';

const { min } = Math;

export const MAX_CANDIDATES = 12;

/** What searchMotion reads and, at the end, writes, as Int32 in this order; MAX_CANDIDATES packed full-sample vectors follow. */
export const SEARCH_PARAMETERS = [
  'source', // the block in the source picture
  'sourceStride',
  'reference', // the block's place in the reference
  'referenceStride',
  'width', // 16 or 8
  'height',
  'predictedX', // quarter samples
  'predictedY',
  'lambda16', // lambda in sixteenths
  'minX', // range of full-sample vectors
  'maxX',
  'minY',
  'maxY',
  'rounds', // of the integer pattern at most
  'pattern', // 4: diamond, 6: hexagon, then diamond
  'halfRounds', // 0: stop at full samples
  'quarterRounds',
  'quarterPoints', // 4 or 8 positions per round
  'settledBits', // a full-sample SATD cost below lambda times this is not refined
  'half', // scratch of HALF_BYTES
  'out', // scratch of 16 bytes
  'candidates', // number of start vectors, 1..12: x in the low, y in the high 16 bits
  'bestX', // results: vector in quarter samples, cost (SATD; SAD without refinement)
  'bestY',
  'bestCost',
] as const;
export const SEARCH_CANDIDATES_AT = SEARCH_PARAMETERS.length;
export const SEARCH_BYTES = 4 * (SEARCH_PARAMETERS.length + MAX_CANDIDATES);

/** Index of a parameter. */
export const searchIndex = (name: (typeof SEARCH_PARAMETERS)[number]): number => SEARCH_PARAMETERS.indexOf(name);

export interface MotionKernels {
  /** Searches a block; see SEARCH_PARAMETERS. */
  searchMotion(parameters: Pointer): void;
}

/** Offsets of the patterns, x then y. */
const DIAMOND = [0, -1, -1, 0, 1, 0, 0, 1];
const HEXAGON = [-2, 0, -1, -2, 1, -2, 2, 0, 1, 2, -1, 2];
const SQUARE_CORNERS = [-1, -1, 1, -1, -1, 1, 1, 1];

type Parameters = Record<(typeof SEARCH_PARAMETERS)[number], number>;

/** The motion kernel on typed-array views of `memory`, built from the other reference kernels. */
export function createReferenceMotionKernels(
  memory: WebAssembly.Memory,
  kernels: Pick<AnalysisKernels, 'sad4' | 'satd' | 'satdOfAverage' | 'interpolateHalfSamples'>,
): MotionKernels {
  const longs = new Int32Array(memory.buffer);
  let p: Parameters = {} as Parameters;
  /** Best so far: full samples, then quarter samples. */
  let bestX = 0;
  let bestY = 0;
  let bestCost = 0;

  const vectorCost = (x: number, y: number): number =>
    (p.lambda16 * (seLength(x - p.predictedX) + seLength(y - p.predictedY))) >> 4;

  const offer = (x: number, y: number, sad: number): void => {
    const cost = sad + vectorCost(4 * x, 4 * y);
    if (cost < bestCost) {
      bestCost = cost;
      bestX = x;
      bestY = y;
    }
  };

  /** Four full-sample vectors; whether one is better than the best so far. */
  const tryFour = (xs: readonly number[], ys: readonly number[]): boolean => {
    const before = bestCost;
    const [b0, b1, b2, b3] = xs.map((x, i) => p.reference + ys[i] * p.referenceStride + x);
    kernels.sad4(p.width, p.height, p.source, p.sourceStride, b0, b1, b2, b3, p.referenceStride, p.out);
    xs.forEach((x, i) => offer(x, ys[i], longs[(p.out >> 2) + i]));
    return bestCost < before;
  };

  const tryPattern = (x: number, y: number, offsets: readonly number[], first: number): boolean => {
    const at = [first, first + 2, first + 4, first + 6];
    return tryFour(
      at.map((i) => x + offsets[i]),
      at.map((i) => y + offsets[i + 1]),
    );
  };

  const tryCandidates = (first: number): void => {
    const vectors = Array.from({ length: p.candidates }, (_, i) => longs[first + i]);
    const clamp = (value: number, low: number, high: number): number => (value < low ? low : min(value, high));
    const xs = vectors.map((mv) => clamp((mv << 16) >> 16, p.minX, p.maxX));
    const ys = vectors.map((mv) => clamp(mv >> 16, p.minY, p.maxY));
    for (let i = 0; i < p.candidates; i += 4) {
      // missing ones repeat the first of the four, which changes nothing
      const four = [0, 1, 2, 3].map((j) => (i + j < p.candidates ? i + j : i));
      tryFour(
        four.map((j) => xs[j]),
        four.map((j) => ys[j]),
      );
    }
  };

  const isInside = (margin: number): boolean =>
    bestX - margin >= p.minX && bestX + margin <= p.maxX && bestY - margin >= p.minY && bestY + margin <= p.maxY;

  const runDiamond = (): void => {
    for (let round = 0; round < p.rounds && isInside(1) && tryPattern(bestX, bestY, DIAMOND, 0); round++);
  };

  const runHexagon = (): void => {
    for (let round = 0; round < p.rounds; round++) {
      const [x, y] = [bestX, bestY];
      if (!isInside(2)) {
        return;
      }
      const isBetter = tryPattern(x, y, HEXAGON, 0);
      if (!tryPattern(x, y, HEXAGON, 4) && !isBetter) {
        break;
      }
    }
    if (isInside(1)) {
      tryPattern(bestX, bestY, SQUARE_CORNERS, 0);
    }
  };

  /** SATD at a quarter-sample displacement of the full-sample winner: one plane, or the average of two (Table 8-12). */
  const fractionDistortion = (centre: Pointer, dx: number, dy: number): number => {
    const x = dx >> 2;
    const y = dy >> 2;
    const planes = p.half + (y + 1) * HALF_STRIDE + x + 1;
    const full = centre + y * p.referenceStride + x;
    const horizontal = planes + HALF_HORIZONTAL;
    const vertical = planes + HALF_VERTICAL;
    const middle = planes + HALF_CENTRE;
    const one = (plane: Pointer, stride: number): number =>
      kernels.satd(p.width, p.height, p.source, p.sourceStride, plane, stride);
    const two = (a: Pointer, aStride: number, b: Pointer): number =>
      kernels.satdOfAverage(p.width, p.height, p.source, p.sourceStride, a, aStride, b, HALF_STRIDE);
    switch (((dy & 3) << 2) | (dx & 3)) {
      case 0:
        return one(full, p.referenceStride);
      case 1:
        return two(full, p.referenceStride, horizontal);
      case 2:
        return one(horizontal, HALF_STRIDE);
      case 3:
        return two(full + 1, p.referenceStride, horizontal);
      case 4:
        return two(full, p.referenceStride, vertical);
      case 5:
        return two(horizontal, HALF_STRIDE, vertical);
      case 6:
        return two(horizontal, HALF_STRIDE, middle);
      case 7:
        return two(horizontal, HALF_STRIDE, vertical + 1);
      case 8:
        return one(vertical, HALF_STRIDE);
      case 9:
        return two(vertical, HALF_STRIDE, middle);
      case 10:
        return one(middle, HALF_STRIDE);
      case 11:
        return two(middle, HALF_STRIDE, vertical + 1);
      case 12:
        return two(full + p.referenceStride, p.referenceStride, vertical);
      case 13:
        return two(vertical, HALF_STRIDE, horizontal + HALF_STRIDE);
      case 14:
        return two(middle, HALF_STRIDE, horizontal + HALF_STRIDE);
      default:
        return two(horizontal + HALF_STRIDE, HALF_STRIDE, vertical + 1);
    }
  };

  /** Half and quarter samples around the full-sample winner. */
  const refine = (): void => {
    const [fullX, fullY] = [4 * bestX, 4 * bestY];
    const centre = p.reference + bestY * p.referenceStride + bestX;
    bestCost =
      kernels.satd(p.width, p.height, p.source, p.sourceStride, centre, p.referenceStride) + vectorCost(fullX, fullY);
    [bestX, bestY] = [fullX, fullY];
    if (bestCost < (p.lambda16 * p.settledBits) >> 4) {
      return;
    }
    kernels.interpolateHalfSamples(p.half, centre, p.referenceStride, p.width, p.height);
    let dx = 0;
    let dy = 0;
    /** Whether the vector full + (x, y), |x| and |y| <= 3, is better than all before. */
    const tryFraction = (x: number, y: number): boolean => {
      const bits = vectorCost(fullX + x, fullY + y);
      if (bits >= bestCost) {
        return false;
      }
      const cost = bits + fractionDistortion(centre, x, y);
      if (cost >= bestCost) {
        return false;
      }
      bestCost = cost;
      return true;
    };
    // The predicted vector itself costs least to write: start from it when it lies within reach.
    const towardX = p.predictedX - fullX;
    const towardY = p.predictedY - fullY;
    const isNear = towardX >= -3 && towardX <= 3 && towardY >= -3 && towardY <= 3;
    if (isNear && (towardX | towardY) !== 0 && tryFraction(towardX, towardY)) {
      [dx, dy] = [towardX, towardY];
    }
    for (const [step, rounds] of [
      [2, p.halfRounds],
      [1, p.quarterRounds],
    ]) {
      for (let round = 0; round < rounds; round++) {
        let [nextX, nextY] = [dx, dy];
        const points = step === 1 && p.quarterPoints === 8 ? 8 : 4;
        for (let i = 0; i < points; i++) {
          const offsets = i < 4 ? DIAMOND : SQUARE_CORNERS;
          const x = dx + step * offsets[2 * (i & 3)];
          const y = dy + step * offsets[2 * (i & 3) + 1];
          if (x < -3 || x > 3 || y < -3 || y > 3 || (x === 0 && y === 0)) {
            continue;
          }
          if (tryFraction(x, y)) {
            [nextX, nextY] = [x, y];
          }
        }
        if (nextX === dx && nextY === dy) {
          break;
        }
        [dx, dy] = [nextX, nextY];
      }
    }
    bestX = fullX + dx;
    bestY = fullY + dy;
  };

  return {
    searchMotion(parameters) {
      const at = parameters >> 2;
      p = Object.fromEntries(SEARCH_PARAMETERS.map((name, i) => [name, longs[at + i]])) as Parameters;
      bestCost = 0x7fffffff;
      tryCandidates(at + SEARCH_CANDIDATES_AT);
      if (p.pattern === 6) {
        runHexagon();
      }
      runDiamond();
      if (p.halfRounds > 0) {
        refine();
      } else {
        bestX *= 4;
        bestY *= 4;
      }
      longs[at + searchIndex('bestX')] = bestX;
      longs[at + searchIndex('bestY')] = bestY;
      longs[at + searchIndex('bestCost')] = bestCost;
    },
  };
}
