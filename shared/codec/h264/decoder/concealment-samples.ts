// Concealment without a reference: the samples around a macroblock are continued into it, the nearer the more; or it becomes grey. Called by
// concealment.ts.

import type { SliceState } from './slice-state.ts';

/** Fills the current macroblock from the samples at the sides that are known: left, right, above, below. */
export function continueSamples(s: SliceState, sides: readonly boolean[]): void {
  continuePlane(s.bytes, s.dstY, s.strideY, 16, sides);
  if (s.hasChroma) {
    continuePlane(s.bytes, s.dstU, s.strideC, 8, sides);
    continuePlane(s.bytes, s.dstV, s.strideC, 8, sides);
  }
}

/** Each sample is the mean of the known samples straight beside it, weighted with how near they are. */
function continuePlane(bytes: Uint8Array, at: number, stride: number, size: number, sides: readonly boolean[]): void {
  const [hasLeft, hasRight, hasAbove, hasBelow] = sides;
  for (let y = 0; y < size; y++) {
    const row = at + y * stride;
    for (let x = 0; x < size; x++) {
      let sum = 0;
      let weight = 0;
      if (hasLeft) {
        sum += (size - x) * bytes[row - 1];
        weight += size - x;
      }
      if (hasRight) {
        sum += (x + 1) * bytes[row + size];
        weight += x + 1;
      }
      if (hasAbove) {
        sum += (size - y) * bytes[at - stride + x];
        weight += size - y;
      }
      if (hasBelow) {
        sum += (y + 1) * bytes[at + size * stride + x];
        weight += y + 1;
      }
      bytes[row + x] = (sum + (weight >> 1)) / weight;
    }
  }
}

/** Fills the current macroblock with grey. */
export function fillGrey(s: SliceState): void {
  const fill = (at: number, stride: number, size: number): void => {
    for (let y = 0; y < size; y++) {
      s.bytes.fill(128, at + y * stride, at + y * stride + size);
    }
  };
  fill(s.dstY, s.strideY, 16);
  fill(s.dstU, s.strideC, 8);
  fill(s.dstV, s.strideC, 8);
}
