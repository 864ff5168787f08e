// How far a coded picture is from its original: PSNR from the mean squared error over all frames, and SSIM over 8x8 windows four
// samples apart. Called by `tessera encode --psnr`, the benchmarks and the tests. Edges are compared like the rest.

import type { I420Frame, Plane } from '../media/frame.ts';

const { log10, min } = Math;

/** One figure per plane. */
export type PerPlane = { readonly y: number; readonly u: number; readonly v: number };

/** Sum of squared differences of two planes of the same size. */
function squaredError(a: Plane, b: Plane): number {
  let total = 0;
  for (let y = 0; y < a.height; y++) {
    const [aRow, bRow] = [y * a.stride, y * b.stride];
    for (let x = 0; x < a.width; x++) {
      const difference = a.data[aRow + x] - b.data[bRow + x];
      total += difference * difference;
    }
  }
  return total;
}

/** Sums over one column of four rows or one block of 4x4: samples of both, squares, products. */
const SUMS = 4;

/** Fills `sums` with (sum a, sum b, sum aa + bb, sum ab) of each 4x4 block of one row of blocks. */
function blockSums(sums: Float64Array, a: Plane, b: Plane, top: number, blocks: number): void {
  sums.fill(0);
  for (let y = top; y < top + 4; y++) {
    for (let x = 0; x < 4 * blocks; x++) {
      const p = a.data[y * a.stride + x];
      const q = b.data[y * b.stride + x];
      const at = SUMS * (x >> 2);
      sums[at] = sums[at] + p;
      sums[at + 1] = sums[at + 1] + q;
      sums[at + 2] = sums[at + 2] + p * p + q * q;
      sums[at + 3] = sums[at + 3] + p * q;
    }
  }
}

/** The constants of Wang et al. 2004 (K1 0.01, K2 0.03, L 255) in sums over 64 samples. */
const C1 = 0.01 * 0.01 * 255 * 255 * 64;
const C2 = 0.03 * 0.03 * 255 * 255 * 64 * 63;

/** SSIM of one window from its sums over 64 samples. */
function windowSsim(sumA: number, sumB: number, squares: number, products: number): number {
  const variances = 64 * squares - sumA * sumA - sumB * sumB;
  const covariance = 64 * products - sumA * sumB;
  return ((2 * sumA * sumB + C1) * (2 * covariance + C2)) / ((sumA * sumA + sumB * sumB + C1) * (variances + C2));
}

/** Mean SSIM of a plane; 1 for planes smaller than one window that are equal in every sample, else 0. */
function planeSsim(a: Plane, b: Plane): number {
  const [across, down] = [a.width >> 2, a.height >> 2];
  if (across < 2 || down < 2) {
    return squaredError(a, b) === 0 ? 1 : 0;
  }
  let above = new Float64Array(SUMS * across);
  let below = new Float64Array(SUMS * across);
  blockSums(below, a, b, 0, across);
  let total = 0;
  for (let row = 1; row < down; row++) {
    [above, below] = [below, above];
    blockSums(below, a, b, 4 * row, across);
    for (let at = 0; at < SUMS * (across - 1); at += SUMS) {
      const sum = (i: number): number => above[at + i] + above[at + SUMS + i] + below[at + i] + below[at + SUMS + i];
      total += windowSsim(sum(0), sum(1), sum(2), sum(3));
    }
  }
  return total / ((down - 1) * (across - 1));
}

/** Collects the difference of pairs of pictures of one size. */
export class QualityMeter {
  readonly #errors = { y: 0, u: 0, v: 0 };
  readonly #samples = { y: 0, u: 0, v: 0 };
  readonly #ssim = { y: 0, u: 0, v: 0 };
  readonly #wantsSsim: boolean;
  #frames = 0;

  /** SSIM costs some ten times what PSNR costs: it is counted only when asked for. */
  constructor(options: { readonly ssim?: boolean } = {}) {
    this.#wantsSsim = options.ssim === true;
  }

  get frames(): number {
    return this.#frames;
  }

  /** Adds one pair. Throws RangeError when their sizes differ. */
  add(original: I420Frame, coded: I420Frame): void {
    if (original.width !== coded.width || original.height !== coded.height) {
      throw new RangeError(
        `Pictures to compare have one size, got ${original.width}x${original.height} and ${coded.width}x${coded.height}.`,
      );
    }
    for (const plane of ['y', 'u', 'v'] as const) {
      const [a, b] = [original[plane], coded[plane]];
      this.#errors[plane] += squaredError(a, b);
      this.#samples[plane] += a.width * a.height;
      if (this.#wantsSsim) {
        this.#ssim[plane] += planeSsim(a, b);
      }
    }
    this.#frames++;
  }

  /** Decibels per plane from the mean squared error over all frames; 100 for equal pictures, as x264 and ffmpeg tools cap it. */
  psnr(): PerPlane {
    return perPlane((plane) => {
      const mean = this.#errors[plane] / this.#samples[plane];
      return mean === 0 ? 100 : min(100, 10 * log10((255 * 255) / mean));
    });
  }

  /** Mean over frames of each plane's mean SSIM, -1..1. */
  ssim(): PerPlane {
    if (!this.#wantsSsim) {
      throw new TypeError('This meter was made without { ssim: true }.');
    }
    return perPlane((plane) => this.#ssim[plane] / this.#frames);
  }
}

const perPlane = (figure: (plane: 'y' | 'u' | 'v') => number): PerPlane => ({
  y: figure('y'),
  u: figure('u'),
  v: figure('v'),
});
