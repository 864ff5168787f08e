// What was coded, per picture and per macroblock, cheap enough to be always on: counts of kinds from the coding state, and a sample of the
// picture's quality, one macroblock in sixteen. Called by H264Encoder after each picture; the report per macroblock is a view on the state.

import type { MacroblockReport, PictureStatistics } from '../codec-types.ts';
import type { AnalysisKernels } from '../kernels/analysis-kernels.ts';
import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { Pointer } from '../kernels/kernels.ts';
import { I_16X16, I_4X4, I_8X8, I_PCM, type MacroblockState, P_INTER, P_SKIP } from '../macroblock/coding-state.ts';
import type { EncoderPicture } from './picture-store.ts';

const { log10, max, min } = Math;

/** One macroblock of so many is looked at, another one in each picture. */
const SAMPLE = 16;
/** Constants of SSIM for 8-bit samples: (0.01 * 255)^2 and (0.03 * 255)^2. */
const C1 = 6.5025;
const C2 = 58.5225;

/** How long the stages of one picture took; nothing without a clock. */
export class StageTimes {
  private readonly now: (() => number) | null;
  private last: number;
  private readonly spent = { analyse: 0, code: 0, pack: 0 };

  constructor(now?: () => number) {
    this.now = now ?? null;
    this.last = this.now?.() ?? 0;
  }

  /** A stage ends here and the next one begins. */
  mark(stage: 'analyse' | 'code' | 'pack'): void {
    if (this.now !== null) {
      const time = this.now();
      this.spent[stage] += time - this.last;
      this.last = time;
    }
  }

  report(filter: number): PictureStatistics['ms'] {
    return this.now === null ? null : { ...this.spent, filter };
  }
}

/** Collects the figures of one encoder's pictures. */
export class StatisticsMeter {
  private readonly kernels: AnalysisKernels;
  private readonly state: MacroblockState;
  private readonly out: Pointer;
  private readonly longs: Int32Array;
  private readonly kinds = new Uint32Array(I_PCM + 1);
  private phase = 0;

  /** Bytes that a meter takes from a codec memory. */
  static readonly BYTES = 32;

  constructor(kernels: AnalysisKernels, memory: CodecMemory, state: MacroblockState) {
    this.kernels = kernels;
    this.state = state;
    this.out = memory.allocate(StatisticsMeter.BYTES, 16);
    this.longs = new Int32Array(memory.memory.buffer);
  }

  /** The figures of the picture just coded, without times. */
  take(source: EncoderPicture, target: EncoderPicture, isIntra: boolean): Omit<PictureStatistics, 'ms'> {
    const { kinds, state } = this;
    const { kind, qp, transform8x8 } = state;
    kinds.fill(0);
    let transforms = 0;
    let qpSum = 0;
    for (let i = 0; i < kind.length; i++) {
      kinds[kind[i]]++;
      transforms += transform8x8[i];
      qpSum += qp[i];
    }
    return {
      sliceType: isIntra ? 'I' : 'P',
      meanQp: qpSum / kind.length,
      skipped: kinds[P_SKIP],
      inter: kinds[P_INTER],
      intra16x16: kinds[I_16X16],
      intra8x8: kinds[I_8X8],
      intra4x4: kinds[I_4X4],
      pcm: kinds[I_PCM],
      transform8x8: transforms,
      ...this.sampleQuality(source, target),
    };
  }

  private sampleQuality(source: EncoderPicture, target: EncoderPicture): { psnrY: number; ssimY: number } {
    const { kernels, state, longs, out } = this;
    const { mbWidth, kind } = state;
    const step = min(SAMPLE, kind.length);
    this.phase = (this.phase + 5) % step;
    let count = 0;
    let squares = 0;
    let ssim = 0;
    const at = out >> 2;
    for (let i = this.phase; i < kind.length; i += step) {
      const x = i % mbWidth;
      const y = (i - x) / mbWidth;
      const a = source.y + 16 * (y * source.lumaStride + x);
      const b = target.y + 16 * (y * target.lumaStride + x);
      const error = kernels.ssd(16, 16, a, source.lumaStride, b, target.lumaStride);
      kernels.macroblockActivity(a, source.lumaStride, 1, 1, out);
      kernels.macroblockActivity(b, target.lumaStride, 1, 1, out + 8);
      const [meanA, varianceA] = [longs[at] / 256, longs[at + 1] / 256];
      const [meanB, varianceB] = [longs[at + 2] / 256, longs[at + 3] / 256];
      // error / 256 = var(a) + var(b) - 2 cov(a, b) + (mean a - mean b)^2
      const covariance = (varianceA + varianceB + (meanA - meanB) ** 2 - error / 256) / 2;
      ssim +=
        ((2 * meanA * meanB + C1) * (2 * covariance + C2)) /
        ((meanA ** 2 + meanB ** 2 + C1) * (varianceA + varianceB + C2));
      squares += error;
      count++;
    }
    return { psnrY: min(100, 10 * log10((255 * 255 * 256 * count) / max(1e-9, squares))), ssimY: ssim / count };
  }

  /** Views on what is known of each macroblock of the picture just coded. */
  report(): MacroblockReport {
    const { state } = this;
    const { mbWidth, mbHeight, kind, partitions, qp, bits, transform8x8, stride } = state;
    return {
      mbWidth,
      mbHeight,
      kind,
      partition: partitions,
      qp,
      bits,
      transform8x8,
      mv: state.mv,
      mvStride: stride,
      mvOrigin: stride + 4,
    };
  }
}
