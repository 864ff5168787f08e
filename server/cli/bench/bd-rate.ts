// Bjontegaard delta rate: the mean difference in rate between two rate-distortion curves at equal quality. Each curve is the cubic
// through its four points, log rate over PSNR, integrated over the quality range that both cover. Called by the encoder benchmark.

/** One point of a curve. */
export type RatePoint = { readonly kbps: number; readonly psnr: number };

/** Coefficients c[0..n-1] of the polynomial through n points, by Newton's divided differences turned into powers of x. */
function interpolate(xs: readonly number[], ys: readonly number[]): number[] {
  const n = xs.length;
  const divided = [...ys];
  for (let order = 1; order < n; order++) {
    for (let i = n - 1; i >= order; i--) {
      divided[i] = ((divided[i] ?? 0) - (divided[i - 1] ?? 0)) / ((xs[i] ?? 0) - (xs[i - order] ?? 0));
    }
  }
  let powers: number[] = [];
  for (let i = n - 1; i >= 0; i--) {
    // p(x) * (x - xs[i]) + divided[i]
    const next = new Array<number>(powers.length + 1).fill(0);
    for (const [k, value] of powers.entries()) {
      next[k + 1] = (next[k + 1] ?? 0) + value;
      next[k] = (next[k] ?? 0) - value * (xs[i] ?? 0);
    }
    next[0] = (next[0] ?? 0) + (divided[i] ?? 0);
    powers = next;
  }
  return powers;
}

const integral = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, c, k) => sum + (c * x ** (k + 1)) / (k + 1), 0);

/** Rate of `curve` against `anchor` in per cent; negative is better. Curves of four points each, in any order. */
export function bdRate(anchor: readonly RatePoint[], curve: readonly RatePoint[]): number {
  // Centred on their mean, powers of PSNR stay small and the interpolation exact.
  const centre = anchor.reduce((sum, point) => sum + point.psnr, 0) / anchor.length;
  const fit = (points: readonly RatePoint[]): number[] =>
    interpolate(
      points.map(({ psnr }) => psnr - centre),
      points.map(({ kbps }) => Math.log(kbps)),
    );
  const range = (points: readonly RatePoint[]): readonly [number, number] => {
    const values = points.map(({ psnr }) => psnr - centre);
    return [Math.min(...values), Math.max(...values)];
  };
  const [lowA, highA] = range(anchor);
  const [lowB, highB] = range(curve);
  const low = Math.max(lowA, lowB);
  const high = Math.min(highA, highB);
  const a = fit(anchor);
  const b = fit(curve);
  const difference = integral(b, high) - integral(b, low) - (integral(a, high) - integral(a, low));
  return (Math.exp(difference / (high - low)) - 1) * 100;
}
