// A look at the source before coding: mean and energy of each macroblock in one pass. From it come the scene cuts, the picture's
// activity (what an intra picture will roughly cost) and the QP offsets of adaptive quantisation. Called by H264Encoder once per frame.

import type { AnalysisKernels } from '../kernels/analysis-kernels.ts';
import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { Pointer } from '../kernels/kernels.ts';
import { type Fade, FadeDetection } from './fade-detection.ts';
import type { CodedSize, EncoderPicture } from './picture-store.ts';

const { abs, log2, max, min, round, sqrt } = Math;

/** QP steps per doubling of a macroblock's energy. */
const ADAPTION = 0.7;
/** Farthest that adaptive quantisation moves a macroblock's QP. */
const MAX_OFFSET = 8;
/** Energy of the faintest grain that is told from flat: below it macroblocks are flat alike. */
const FLAT_ENERGY = 256;
/** A scene cut differs from the picture before by more than this mean difference of macroblock means (0..255) ... */
const CUT_DIFFERENCE = 6;
/** ... and by more than this share of the differences between neighbours within the picture, whichever way the camera moved. */
const CUT_SHARE = 0.6;

/** Text has contrast (energy of a macroblock), and most of its samples equal the one beside; it is coded this much finer. */
const TEXT_ENERGY = 256 * 20 * 20;
const TEXT_EQUAL = 128;
const TEXT_OFFSET = -4;

/** How QP is spread over the macroblocks of a picture. */
type QpSpread = 'even' | 'by-energy' | 'text-finer';

/** What the analysis is for. */
export type AnalysisOptions = { readonly spread: QpSpread; readonly findsFades: boolean };

/** Analyses the source pictures of one stream, one after another. */
export class PictureAnalysis {
  /** Sum of the macroblocks' standard deviations: about proportional to the bits of an intra picture at a given QP. */
  activity = 0;
  /** The picture has little to do with the one before. */
  isSceneCut = false;
  /** How the picture follows from the one before when it fades; null otherwise, and when nobody asked. */
  fade: Fade | null = null;
  /** QP offset of each macroblock: mean about 0 by energy, negative for text, or all 0. */
  readonly offsets: Int8Array;
  private readonly kernels: AnalysisKernels;
  private readonly mbWidth: number;
  private readonly mbHeight: number;
  private readonly spread: QpSpread;
  private readonly out: Pointer;
  private readonly longs: Int32Array;
  private means: Float32Array;
  private previousMeans: Float32Array;
  private readonly logs: Float32Array;
  private hasPrevious = false;
  private readonly fades: FadeDetection | null;

  /** Bytes that an analysis takes from a codec memory. */
  static bytes(size: CodedSize): number {
    return 8 * ((size.width * size.height) >> 8) + 32 + FadeDetection.bytes(size);
  }

  constructor(kernels: AnalysisKernels, memory: CodecMemory, size: CodedSize, options: AnalysisOptions) {
    this.kernels = kernels;
    this.mbWidth = size.width >> 4;
    this.mbHeight = size.height >> 4;
    this.spread = options.spread;
    this.fades = options.findsFades ? new FadeDetection(kernels, memory, size) : null;
    const macroblocks = this.mbWidth * this.mbHeight;
    this.out = memory.allocate(8 * macroblocks, 16);
    this.longs = new Int32Array(memory.memory.buffer);
    this.means = new Float32Array(macroblocks);
    this.previousMeans = new Float32Array(macroblocks);
    this.logs = new Float32Array(macroblocks);
    this.offsets = new Int8Array(macroblocks);
  }

  /** Analyses the next source picture. */
  run(source: EncoderPicture): void {
    const { kernels, mbWidth, mbHeight, longs, out } = this;
    kernels.macroblockActivity(source.y, source.lumaStride, mbWidth, mbHeight, out);
    const before = this.previousMeans;
    this.previousMeans = this.means;
    this.means = before;
    let activity = 0;
    const first = out >> 2;
    for (let i = 0; i < this.means.length; i++) {
      this.means[i] = longs[first + 2 * i] / 256;
      activity += sqrt(longs[first + 2 * i + 1]);
    }
    this.activity = activity / 16;
    this.isSceneCut = this.hasPrevious && this.differsFromPrevious();
    const fade = this.fades?.detect(source, this.means, this.previousMeans) ?? null;
    this.fade = this.hasPrevious && !this.isSceneCut ? fade : null;
    this.hasPrevious = true;
    if (this.spread === 'by-energy') {
      this.adapt();
    } else if (this.spread === 'text-finer') {
      this.favourText(source);
    }
  }

  /** Flat macroblocks show errors that busy ones hide: QP offset by the logarithm of the energy against the picture's mean. */
  private adapt(): void {
    const { longs, logs, offsets } = this;
    const first = this.out >> 2;
    let sum = 0;
    for (let i = 0; i < logs.length; i++) {
      logs[i] = log2(longs[first + 2 * i + 1] + FLAT_ENERGY);
      sum += logs[i];
    }
    const mean = sum / logs.length;
    for (let i = 0; i < logs.length; i++) {
      offsets[i] = max(-MAX_OFFSET, min(MAX_OFFSET, round(ADAPTION * (logs[i] - mean))));
    }
  }

  private favourText(source: EncoderPicture): void {
    const { kernels, longs, out, offsets, mbWidth, mbHeight } = this;
    const first = out >> 2;
    for (let i = 0; i < offsets.length; i++) {
      offsets[i] = longs[first + 2 * i + 1] > TEXT_ENERGY ? TEXT_OFFSET : 0;
    }
    kernels.equalNeighbours(source.y, source.lumaStride, mbWidth, mbHeight, out);
    for (let i = 0; i < offsets.length; i++) {
      offsets[i] = longs[first + i] >= TEXT_EQUAL ? offsets[i] : 0;
    }
  }

  private differsFromPrevious(): boolean {
    const { means, previousMeans, mbWidth, mbHeight } = this;
    const still = this.shiftedDifference(0, 0);
    if (still < CUT_DIFFERENCE || means.length < 9) {
      return false;
    }
    let neighbours = 0;
    let within = 0;
    for (let y = 1; y < mbHeight; y++) {
      for (let x = 1; x < mbWidth; x++) {
        const at = y * mbWidth + x;
        within += abs(means[at] - means[at - 1]) + abs(means[at] - means[at - mbWidth]);
        within += abs(previousMeans[at] - previousMeans[at - 1]) + abs(previousMeans[at] - previousMeans[at - mbWidth]);
        neighbours += 4;
      }
    }
    const limit = max(CUT_DIFFERENCE, (CUT_SHARE * within) / max(1, neighbours));
    if (still < limit) {
      return false;
    }
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        if ((dx | dy) !== 0 && this.shiftedDifference(dx, dy) < limit) {
          return false;
        }
      }
    }
    return true;
  }

  /** Mean difference to the picture before moved by (dx, dy) macroblocks, the change of the whole picture's brightness not counted. */
  private shiftedDifference(dx: number, dy: number): number {
    const { means, previousMeans, mbWidth, mbHeight } = this;
    const [left, right] = [max(0, dx), min(mbWidth, mbWidth + dx)];
    const [top, bottom] = [max(0, dy), min(mbHeight, mbHeight + dy)];
    const back = dy * mbWidth + dx;
    const count = (right - left) * (bottom - top);
    let shift = 0;
    for (let y = top; y < bottom; y++) {
      for (let at = y * mbWidth + left; at < y * mbWidth + right; at++) {
        shift += means[at] - previousMeans[at - back];
      }
    }
    shift /= count;
    let sum = 0;
    for (let y = top; y < bottom; y++) {
      for (let at = y * mbWidth + left; at < y * mbWidth + right; at++) {
        sum += abs(means[at] - previousMeans[at - back] - shift);
      }
    }
    return sum / count;
  }
}
