// The taps of one axis of the scaler: for each output sample where its inputs start and how they are weighted. Going down every
// input sample counts by the area that it covers; going up the four nearest are weighted by a cubic (Keys, a = -1/2).
// Weights are whole numbers that sum to exactly 16384, so a flat picture stays flat.

const { abs, ceil, floor, max, min, round } = Math;

/** Sum of the weights of one output sample. */
export const FILTER_ONE = 16384;

export type ScalingFilter = {
  /** Weights per output sample. */
  readonly taps: number;
  /** First input sample of each output sample. */
  readonly starts: Int32Array;
  /** `taps` weights for each output sample. */
  readonly weights: Int16Array;
};

export type ScalingAxis = {
  readonly inputSize: number;
  readonly outputSize: number;
  /** Taps are filled up with zeros to a multiple of this; then they may reach past the last input sample. */
  readonly tapMultiple: number;
  /** The samples sit at the left of the pixel pair that they belong to (chroma of H.264, E.2.1), not in its middle. */
  readonly isCosited: boolean;
};

/** Keys' cubic with a = -1/2. */
function cubic(distance: number): number {
  const d = abs(distance);
  if (d < 1) {
    return (1.5 * d - 2.5) * d * d + 1;
  }
  return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}

/** Weight of the input sample `offset` away from the output sample's centre; `ratio` is input size / output size. */
function weightAt(offset: number, ratio: number): number {
  if (ratio <= 1) {
    return cubic(offset);
  }
  const covered = min(offset + 0.5, ratio / 2) - max(offset - 0.5, -ratio / 2);
  return max(0, covered);
}

/** Whole weights in proportion to `exact`, summing to FILTER_ONE: what rounding leaves over goes to the greatest. */
function wholeWeights(exact: readonly number[]): number[] {
  const total = exact.reduce((sum, weight) => sum + weight, 0);
  const whole = exact.map((weight) => round((weight * FILTER_ONE) / total));
  const rest = FILTER_ONE - whole.reduce((sum, weight) => sum + weight, 0);
  const greatest = whole.indexOf(max(...whole));
  whole[greatest] = whole[greatest] + rest;
  return whole;
}

/** The filter of one axis. Samples beyond the edges are the edge samples repeated. */
export function createScalingFilter(axis: ScalingAxis): ScalingFilter {
  const { inputSize, outputSize, tapMultiple, isCosited } = axis;
  const ratio = inputSize / outputSize;
  const shift = isCosited ? -0.25 * (ratio - 1) : 0;
  const reach = ratio <= 1 ? 2 : ratio / 2 + 0.5;
  const perOutput: { readonly start: number; readonly weights: readonly number[] }[] = [];
  for (let i = 0; i < outputSize; i++) {
    const centre = (i + 0.5) * ratio - 0.5 + shift;
    const byInput = new Map<number, number>();
    for (let k = ceil(centre - reach); k <= floor(centre + reach); k++) {
      const weight = weightAt(k - centre, ratio);
      if (abs(weight) > 1e-9) {
        const inside = min(max(k, 0), inputSize - 1);
        byInput.set(inside, (byInput.get(inside) ?? 0) + weight);
      }
    }
    const start = min(...byInput.keys());
    const end = max(...byInput.keys());
    const exact = Array.from({ length: end - start + 1 }, (_, t) => byInput.get(start + t) ?? 0);
    perOutput.push({ start, weights: wholeWeights(exact) });
  }
  const needed = perOutput.reduce((most, { weights }) => max(most, weights.length), 1);
  const taps = ceil(needed / tapMultiple) * tapMultiple;
  const starts = new Int32Array(outputSize);
  const weights = new Int16Array(outputSize * taps);
  perOutput.forEach((each, i) => {
    // keep start + needed within the input, so that only the zeros of tapMultiple can reach past it
    const start = min(each.start, inputSize - needed);
    starts[i] = start;
    weights.set(each.weights, i * taps + each.start - start);
  });
  return { taps, starts, weights };
}
