// Motion search of one block. Twin of kernels/motion-kernels.ts, which describes parameters and results.

import { sad4, satd, satdOfAverage } from './difference';
import { interpolateHalfSamples } from './half-samples';

const HALF_STRIDE: usize = 32;
const HALF_VERTICAL: usize = 576;
const HALF_CENTRE: usize = 1152;

/** Offsets x, y of the diamond and of the corners; then the hexagon. */
const POINTS = memory.data<i8>([0, -1, -1, 0, 1, 0, 0, 1, -1, -1, 1, -1, -1, 1, 1, 1]);
const HEXAGON = memory.data<i8>([-2, 0, -1, -2, 1, -2, 2, 0, 1, 2, -1, 2]);

// The block being searched and the best vector so far.
let source: usize = 0;
let sourceStride: usize = 0;
let reference: usize = 0;
let referenceStride: usize = 0;
let width: i32 = 0;
let height: i32 = 0;
let predictedX: i32 = 0;
let predictedY: i32 = 0;
let lambda16: i32 = 0;
let minX: i32 = 0;
let maxX: i32 = 0;
let minY: i32 = 0;
let maxY: i32 = 0;
let half: usize = 0;
let out: usize = 0;
let bestX: i32 = 0;
let bestY: i32 = 0;
let bestCost: i32 = 0;

/** Length of se(v) (9.1.1). */
// @ts-ignore: decorator
@inline
function seLength(value: i32): i32 {
  const code: u32 = value > 0 ? 2 * value : 1 - 2 * value;
  return 63 - 2 * <i32>clz(code);
}

// @ts-ignore: decorator
@inline
function vectorCost(x: i32, y: i32): i32 {
  return (lambda16 * (seLength(x - predictedX) + seLength(y - predictedY))) >> 4;
}

// @ts-ignore: decorator
@inline
function offer(x: i32, y: i32, sad: i32): void {
  if (sad < bestCost) {
    const cost = sad + vectorCost(4 * x, 4 * y);
    if (cost < bestCost) {
      bestCost = cost;
      bestX = x;
      bestY = y;
    }
  }
}

// @ts-ignore: decorator
@inline
function place(x: i32, y: i32): usize {
  return <usize>(<i32>reference + y * <i32>referenceStride + x);
}

/** Tries (x, y) plus each of the four offsets; whether one is better than the best so far. */
function tryPattern(x: i32, y: i32, offsets: usize): bool {
  const x0 = x + load<i8>(offsets);
  const y0 = y + load<i8>(offsets, 1);
  const x1 = x + load<i8>(offsets, 2);
  const y1 = y + load<i8>(offsets, 3);
  const x2 = x + load<i8>(offsets, 4);
  const y2 = y + load<i8>(offsets, 5);
  const x3 = x + load<i8>(offsets, 6);
  const y3 = y + load<i8>(offsets, 7);
  sad4(
    width, height, source, sourceStride,
    place(x0, y0), place(x1, y1), place(x2, y2), place(x3, y3), referenceStride, out,
  );
  const before = bestCost;
  offer(x0, y0, load<i32>(out));
  offer(x1, y1, load<i32>(out, 4));
  offer(x2, y2, load<i32>(out, 8));
  offer(x3, y3, load<i32>(out, 12));
  return bestCost < before;
}

// @ts-ignore: decorator
@inline
function clampedX(mv: i32): i32 {
  return min(max((mv << 16) >> 16, minX), maxX);
}

// @ts-ignore: decorator
@inline
function clampedY(mv: i32): i32 {
  return min(max(mv >> 16, minY), maxY);
}

function tryCandidates(candidates: usize, count: i32): void {
  for (let i = 0; i < count; i += 4, candidates += 16) {
    const v0 = load<i32>(candidates);
    const v1 = i + 1 < count ? load<i32>(candidates, 4) : v0;
    const v2 = i + 2 < count ? load<i32>(candidates, 8) : v0;
    const v3 = i + 3 < count ? load<i32>(candidates, 12) : v0;
    const x0 = clampedX(v0);
    const y0 = clampedY(v0);
    const x1 = clampedX(v1);
    const y1 = clampedY(v1);
    const x2 = clampedX(v2);
    const y2 = clampedY(v2);
    const x3 = clampedX(v3);
    const y3 = clampedY(v3);
    sad4(
      width, height, source, sourceStride,
      place(x0, y0), place(x1, y1), place(x2, y2), place(x3, y3), referenceStride, out,
    );
    offer(x0, y0, load<i32>(out));
    offer(x1, y1, load<i32>(out, 4));
    offer(x2, y2, load<i32>(out, 8));
    offer(x3, y3, load<i32>(out, 12));
  }
}

// @ts-ignore: decorator
@inline
function isInside(margin: i32): bool {
  return bestX - margin >= minX && bestX + margin <= maxX && bestY - margin >= minY && bestY + margin <= maxY;
}

function runHexagon(rounds: i32): void {
  for (let round = 0; round < rounds; round++) {
    const x = bestX;
    const y = bestY;
    if (!isInside(2)) return;
    const isBetter = tryPattern(x, y, HEXAGON);
    if (!tryPattern(x, y, HEXAGON + 4) && !isBetter) break;
  }
  if (isInside(1)) tryPattern(bestX, bestY, POINTS + 8);
}

// @ts-ignore: decorator
@inline
function one(plane: usize, stride: usize): i32 {
  return satd(width, height, source, sourceStride, plane, stride);
}

/** SATD at a quarter-sample displacement of the full-sample winner: one plane, or the average of two (Table 8-12). */
function fractionDistortion(centre: usize, dx: i32, dy: i32): i32 {
  const x = dx >> 2;
  const y = dy >> 2;
  const horizontal = <usize>(<i32>half + (y + 1) * 32 + x + 1);
  const full = <usize>(<i32>centre + y * <i32>referenceStride + x);
  const vertical = horizontal + HALF_VERTICAL;
  const middle = horizontal + HALF_CENTRE;
  let a = horizontal;
  let aStride = HALF_STRIDE;
  let b = vertical;
  switch (((dy & 3) << 2) | (dx & 3)) {
    case 0:
      return one(full, referenceStride);
    case 2:
      return one(horizontal, HALF_STRIDE);
    case 8:
      return one(vertical, HALF_STRIDE);
    case 10:
      return one(middle, HALF_STRIDE);
    case 1:
      a = full;
      aStride = referenceStride;
      b = horizontal;
      break;
    case 3:
      a = full + 1;
      aStride = referenceStride;
      b = horizontal;
      break;
    case 4:
      a = full;
      aStride = referenceStride;
      break;
    case 5:
      break;
    case 6:
      b = middle;
      break;
    case 7:
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
    case 12:
      a = full + referenceStride;
      aStride = referenceStride;
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
  return satdOfAverage(width, height, source, sourceStride, a, aStride, b, HALF_STRIDE);
}

/** Whether the vector full + (x, y), |x| and |y| <= 3, is better than all before. */
function tryFraction(centre: usize, fullX: i32, fullY: i32, x: i32, y: i32): bool {
  const bits = vectorCost(fullX + x, fullY + y);
  if (bits >= bestCost) return false;
  const cost = bits + fractionDistortion(centre, x, y);
  if (cost >= bestCost) return false;
  bestCost = cost;
  return true;
}

/** Half and quarter samples around the full-sample winner. */
function refine(settled: i32, halfRounds: i32, quarterRounds: i32, quarterPoints: i32): void {
  const fullX = 4 * bestX;
  const fullY = 4 * bestY;
  const centre = place(bestX, bestY);
  bestCost = one(centre, referenceStride) + vectorCost(fullX, fullY);
  bestX = fullX;
  bestY = fullY;
  if (bestCost < settled) return;
  interpolateHalfSamples(half, centre, referenceStride, width, height);
  let dx: i32 = 0;
  let dy: i32 = 0;
  const towardX = predictedX - fullX;
  const towardY = predictedY - fullY;
  const isNear = towardX >= -3 && towardX <= 3 && towardY >= -3 && towardY <= 3;
  if (isNear && (towardX | towardY) != 0 && tryFraction(centre, fullX, fullY, towardX, towardY)) {
    dx = towardX;
    dy = towardY;
  }
  for (let step = 2; step >= 1; step--) {
    const rounds = step == 2 ? halfRounds : quarterRounds;
    const points: i32 = step == 1 && quarterPoints == 8 ? 8 : 4;
    for (let round = 0; round < rounds; round++) {
      let nextX = dx;
      let nextY = dy;
      for (let i = 0; i < points; i++) {
        const x = dx + step * <i32>load<i8>(POINTS + <usize>(2 * i));
        const y = dy + step * <i32>load<i8>(POINTS + <usize>(2 * i), 1);
        if (x < -3 || x > 3 || y < -3 || y > 3 || (x | y) == 0) continue;
        if (tryFraction(centre, fullX, fullY, x, y)) {
          nextX = x;
          nextY = y;
        }
      }
      if (nextX == dx && nextY == dy) break;
      dx = nextX;
      dy = nextY;
    }
  }
  bestX = fullX + dx;
  bestY = fullY + dy;
}

export function searchMotion(params: usize): void {
  source = <usize>load<u32>(params);
  sourceStride = <usize>load<u32>(params, 4);
  reference = <usize>load<u32>(params, 8);
  referenceStride = <usize>load<u32>(params, 12);
  width = load<i32>(params, 16);
  height = load<i32>(params, 20);
  predictedX = load<i32>(params, 24);
  predictedY = load<i32>(params, 28);
  lambda16 = load<i32>(params, 32);
  minX = load<i32>(params, 36);
  maxX = load<i32>(params, 40);
  minY = load<i32>(params, 44);
  maxY = load<i32>(params, 48);
  const rounds = load<i32>(params, 52);
  const halfRounds = load<i32>(params, 60);
  half = <usize>load<u32>(params, 76);
  out = <usize>load<u32>(params, 80);
  bestCost = 0x7fffffff;
  tryCandidates(params + 100, load<i32>(params, 84));
  if (load<i32>(params, 56) == 6) runHexagon(rounds);
  for (let round = 0; round < rounds; round++) {
    if (!isInside(1) || !tryPattern(bestX, bestY, POINTS)) break;
  }
  if (halfRounds > 0) {
    const settled = (lambda16 * load<i32>(params, 72)) >> 4;
    refine(settled, halfRounds, load<i32>(params, 64), load<i32>(params, 68));
  } else {
    bestX *= 4;
    bestY *= 4;
  }
  store<i32>(params, bestX, 88);
  store<i32>(params, bestY, 92);
  store<i32>(params, bestCost, 96);
}
