// Explicit weighted prediction for fades (8.4.2.3.2): when a picture is the one before times a weight plus an offset, as the means of its macroblocks
// tell, prediction applies them, and the fade costs few bits. Weights are of luma by least squares; chroma gets the same weight about its middle
// when that fits it better than none. Called by picture-analysis.ts.

import type { AnalysisKernels } from '../kernels/analysis-kernels.ts';
import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { Pointer } from '../kernels/kernels.ts';
import type { CodedSize, EncoderPicture } from './picture-store.ts';

const { abs, max, min, round } = Math;

/** log2 of the weights' denominator, luma and chroma. */
export const LOG2_WEIGHT_DENOM = 6;
const DENOMINATOR = 1 << LOG2_WEIGHT_DENOM;
/** A fade changes the means by more than this on average ... */
const MIN_CHANGE = 0.7;
/** ... of which weight and offset leave less than this share. */
const MAX_REST = 0.4;

/** Weight and offset of the luma and of the chroma of the first reference; null: as it is. */
export type Fade = {
  readonly luma: readonly [weight: number, offset: number];
  readonly chroma: readonly [weight: number, offset: number] | null;
};

/** Mean absolute difference of `current` and weight * before + offset. */
function restOf(current: Float32Array, before: Float32Array, weight: number, offset: number): number {
  let sum = 0;
  for (let i = 0; i < current.length; i++) {
    sum += abs(current[i] - weight * before[i] - offset);
  }
  return sum / current.length;
}

/** Weight in 1/64 and offset that map `before` to `current` best; null when that is no fade. */
function fitOf(current: Float32Array, before: Float32Array): readonly [number, number] | null {
  let [sumX, sumY, sumXX, sumXY] = [0, 0, 0, 0];
  const n = current.length;
  for (let i = 0; i < n; i++) {
    sumX += before[i];
    sumY += current[i];
    sumXX += before[i] * before[i];
    sumXY += before[i] * current[i];
  }
  const spread = sumXX - (sumX * sumX) / n;
  const slope = spread > n ? (sumXY - (sumX * sumY) / n) / spread : 1;
  const weight = max(1, min(127, round(slope * DENOMINATOR)));
  const offset = max(-128, min(127, round((sumY - (weight / DENOMINATOR) * sumX) / n)));
  const change = restOf(current, before, 1, 0);
  const isFade = change > MIN_CHANGE && restOf(current, before, weight / DENOMINATOR, offset) < MAX_REST * change;
  return isFade && (weight !== DENOMINATOR || offset !== 0) ? [weight, offset] : null;
}

/** Detects fades from picture to picture of one stream. */
export class FadeDetection {
  private readonly kernels: AnalysisKernels;
  private readonly columns: number;
  private readonly rows: number;
  private readonly out: Pointer;
  private readonly longs: Int32Array;
  private chroma: Float32Array;
  private previousChroma: Float32Array;

  /** Bytes that a detection takes from a codec memory. */
  static bytes(size: CodedSize): number {
    return 8 * ((size.width * size.height) >> 10) + 16;
  }

  constructor(kernels: AnalysisKernels, memory: CodecMemory, size: CodedSize) {
    this.kernels = kernels;
    this.columns = size.width >> 5;
    this.rows = size.height >> 5;
    const blocks = this.columns * this.rows;
    this.out = memory.allocate(8 * blocks, 16);
    this.longs = new Int32Array(memory.memory.buffer);
    this.chroma = new Float32Array(2 * blocks);
    this.previousChroma = new Float32Array(2 * blocks);
  }

  /** Looks at the next picture; `means` and `before` are the luma means of its macroblocks and of those of the picture before. */
  detect(source: EncoderPicture, means: Float32Array, before: Float32Array): Fade | null {
    const last = this.previousChroma;
    this.previousChroma = this.chroma;
    this.chroma = last;
    const blocks = this.columns * this.rows;
    this.readChroma(source.u, source.chromaStride, 0);
    this.readChroma(source.v, source.chromaStride, blocks);
    const luma = fitOf(means, before);
    if (luma === null) {
      return null;
    }
    const weight = luma[0] / DENOMINATOR;
    const offset = max(-128, min(127, round(128 - 128 * weight)));
    const isBetter =
      blocks > 0 &&
      restOf(this.chroma, this.previousChroma, weight, offset) < restOf(this.chroma, this.previousChroma, 1, 0);
    return { luma, chroma: isBetter ? [luma[0], offset] : null };
  }

  private readChroma(plane: Pointer, stride: number, to: number): void {
    const { kernels, columns, rows, longs, out, chroma } = this;
    kernels.macroblockActivity(plane, stride, columns, rows, out);
    for (let i = 0; i < columns * rows; i++) {
      chroma[to + i] = longs[(out >> 2) + 2 * i] / 256;
    }
  }
}
