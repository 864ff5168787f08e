// Motion search of one block: start vectors from the neighbourhood, then the search kernel (kernels/motion-kernels.ts): a small diamond or
// hexagon on SAD until nothing improves, half and quarter samples on SATD around the winner. Called by mode-decision.ts.

import { HALF_BYTES } from '../kernels/analysis-kernels.ts';
import type { CodecMemory } from '../kernels/codec-memory.ts';
import {
  MAX_CANDIDATES,
  type MotionKernels,
  SEARCH_BYTES,
  SEARCH_CANDIDATES_AT,
  searchIndex,
} from '../kernels/motion-kernels.ts';
import { mvX, mvY, packMv } from '../macroblock/coding-state.ts';
import type { CodedSize, EncoderPicture } from './picture-store.ts';

const { max, min } = Math;

/** Longest vector component in full samples. */
const REACH = 511;
/** Samples that a block may lie outside the picture. */
const OUTSIDE = 24;
/** Samples right of a block that interpolation reads. */
const TAPS = 3;
const EFFORT_AT = searchIndex('rounds');
const CANDIDATES_AT = searchIndex('candidates');
const BEST_AT = searchIndex('bestX');

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

/** Full-sample places that the top left sample of a macroblock may take, and the limit of vertical vectors in quarter samples. */
export type SearchWindow = {
  readonly minX: number;
  readonly maxX: number;
  readonly minY: number;
  readonly maxY: number;
  readonly verticalLimit: number;
};

/** How hard to search, as the kernel's parameters. */
const effortParameters = (effort: SearchEffort): readonly number[] => [
  effort.rounds,
  effort.pattern,
  effort.halfRounds,
  effort.quarterRounds,
  effort.quarterPoints,
  effort.settledBits,
];

/** Searches blocks of one source picture; keeps its parameters and scratch in kernel memory. */
export class MotionSearch {
  /** Result of the last search: vector in quarter samples and its cost (SATD + lambda * bits; SAD without refinement). */
  bestX = 0;
  bestY = 0;
  bestCost = 0;
  /** Lambda in sixteenths. */
  lambda16 = 16;
  /** Samples of the reference at and right of this column must not be used (intra refresh). */
  rightLimit = 0x7fffffff;

  /** Where a macroblock may lie in the reference and what the level allows. */
  readonly window: SearchWindow;
  private readonly kernels: MotionKernels;
  private readonly size: CodedSize;
  private readonly parameters: Int32Array;
  private candidates = 0;
  private readonly verticalLimit: number;
  private effort: SearchEffort | null = null;

  /** Bytes that a search takes from a codec memory. */
  static readonly BYTES = HALF_BYTES + SEARCH_BYTES + 16 + 48;

  constructor(kernels: MotionKernels, memory: CodecMemory, size: CodedSize, verticalLimit: number) {
    this.kernels = kernels;
    this.size = size;
    this.verticalLimit = verticalLimit;
    this.window = {
      minX: -OUTSIDE,
      maxX: size.width + OUTSIDE - 16,
      minY: -OUTSIDE,
      maxY: size.height + OUTSIDE - 16,
      verticalLimit,
    };
    const at = memory.allocate(SEARCH_BYTES, 16);
    this.parameters = new Int32Array(memory.memory.buffer, at, SEARCH_BYTES >> 2);
    this.parameters[searchIndex('out')] = memory.allocate(16, 16);
    this.parameters[searchIndex('half')] = memory.allocate(HALF_BYTES, 16);
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
    const { parameters } = this;
    const vector = packMv(x, y);
    const end = SEARCH_CANDIDATES_AT + this.candidates;
    for (let i = SEARCH_CANDIDATES_AT; i < end; i++) {
      if (parameters[i] === vector) {
        return;
      }
    }
    if (this.candidates < MAX_CANDIDATES) {
      parameters[end] = vector;
      this.candidates++;
    }
  }

  /** Whether a vector keeps the macroblock at (x, y) within that window and left of `rightLimit`. */
  isAllowed(x: number, y: number, vectorX: number, vectorY: number): boolean {
    const { minX, maxX, minY, maxY, verticalLimit } = this.window;
    const left = x + (vectorX >> 2);
    const top = y + (vectorY >> 2);
    return (
      left >= minX &&
      left <= min(maxX, this.rightLimit - TAPS - 16) &&
      top >= minY &&
      top <= maxY &&
      vectorY >= -verticalLimit &&
      vectorY < verticalLimit
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
    const { parameters, size } = this;
    const limit = min(REACH, (this.verticalLimit >> 2) - 1);
    this.addFullSample((predictedX + 2) >> 2, (predictedY + 2) >> 2);
    // in the order of SEARCH_PARAMETERS
    parameters[0] = source.y + y * source.lumaStride + x;
    parameters[1] = source.lumaStride;
    parameters[2] = reference.y + y * reference.lumaStride + x;
    parameters[3] = reference.lumaStride;
    parameters[4] = width;
    parameters[5] = height;
    parameters[6] = predictedX;
    parameters[7] = predictedY;
    parameters[8] = this.lambda16;
    parameters[9] = max(-OUTSIDE - x, -REACH);
    parameters[10] = min(size.width + OUTSIDE - 16 - x, this.rightLimit - TAPS - width - x, REACH);
    parameters[11] = -min(OUTSIDE + y, limit);
    parameters[12] = min(size.height + OUTSIDE - 16 - y, limit);
    if (this.effort !== effort) {
      this.effort = effort;
      parameters.set(effortParameters(effort), EFFORT_AT);
    }
    parameters[CANDIDATES_AT] = this.candidates;
    this.kernels.searchMotion(parameters.byteOffset);
    this.bestX = parameters[BEST_AT];
    this.bestY = parameters[BEST_AT + 1];
    this.bestCost = parameters[BEST_AT + 2];
  }
}
