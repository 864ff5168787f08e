// Chooses how each macroblock is coded and leaves its levels and reconstruction ready: early P_Skip, motion search, partitions, intra
// modes, by SATD + lambda * bits. Order of trials: what is cheap and likely first, each later trial only while it can still win.
// Called by slice-encoder.ts once per macroblock.

import type { EncoderKernels } from '../kernels/encoder-kernels.ts';
import type { CodecMemory } from '../kernels/codec-memory.ts';
import {
  type MacroblockState,
  mvX,
  mvY,
  P_16X16,
  P_16X8,
  P_8X16,
  P_8X8,
  P_INTER,
  P_SKIP,
  packMv,
} from '../macroblock/coding-state.ts';
import { IntraDecision } from './intra-decision.ts';
import type { RefreshBand } from './intra-refresh.ts';
import { LAMBDA_16 } from './lambda.ts';
import type { MacroblockEncoder } from './macroblock-encoder.ts';
import { recordMacroblock, recordShownQp } from './macroblock-record.ts';
import { MotionPredictor } from './motion-prediction.ts';
import type { MotionSearch } from './motion-search.ts';
import type { EncoderPicture } from './picture-store.ts';
import type { Tools } from './presets.ts';
import type { SkipRun } from './skip-run.ts';

/** Offsets of partitions in samples and their sizes, by partition type. */
const PART_X = [[0], [0, 0], [0, 8], [0, 8, 0, 8]];
const PART_Y = [[0], [0, 8], [0, 0], [0, 0, 8, 8]];
const PART_WIDTH = [16, 16, 8, 8];
const PART_HEIGHT = [16, 8, 16, 8];

const UNKNOWN = -1;
const NO_LIMIT = 0x7fffffff;
/** A difference above lambda times this many bits is not tried as P_Skip. */
const SKIP_BITS = 240;

/** Decides for the macroblocks of one slice at a time. */
export class ModeDecision {
  /** Reference list 0 of the slice. */
  references: readonly EncoderPicture[] = [];
  /** The same pictures as vectors are searched in: the first one weighted in a fade. */
  searchReferences: readonly EncoderPicture[] = [];
  /** Every macroblock becomes P_Skip whatever the source shows. */
  isRepetition = false;
  /** The columns that intra refresh codes in this picture. */
  band: RefreshBand | null = null;
  /** How well macroblocks are shown is recorded, so that still ones need not be coded again (screen tune). */
  tracksStill = false;
  private readonly kernels: EncoderKernels;
  private readonly state: MacroblockState;
  private readonly coder: MacroblockEncoder;
  private readonly search: MotionSearch;
  private readonly skips: SkipRun;
  private readonly predictor: MotionPredictor;
  private readonly tools: Tools;
  private readonly intra: IntraDecision;
  private lambda16 = 16;
  /** Luma blocks worth coding with the vector of P_Skip, when prediction and levels of that trial are still in place. */
  private skipCoded = UNKNOWN;

  // Best vectors found so far: of the whole macroblock, of halves, of quarters.
  private readonly partMv = [new Int32Array(1), new Int32Array(2), new Int32Array(2), new Int32Array(4)];
  private readonly partRef = [new Uint8Array(1), new Uint8Array(2), new Uint8Array(2), new Uint8Array(4)];

  constructor(
    kernels: EncoderKernels,
    memory: CodecMemory,
    state: MacroblockState,
    coder: MacroblockEncoder,
    search: MotionSearch,
    skips: SkipRun,
    tools: Tools,
  ) {
    this.kernels = kernels;
    this.state = state;
    this.coder = coder;
    this.search = search;
    this.skips = skips;
    this.predictor = new MotionPredictor(state);
    this.tools = tools;
    this.intra = new IntraDecision(kernels, memory, state, coder, tools);
  }

  /** Codes the current macroblock of an I slice. */
  codeIntra(): void {
    this.useLambda();
    this.intra.code();
    this.finish();
  }

  /** Codes up to `limit` macroblocks of a P slice from the current one on as P_Skip, all with its QPY. Returns how many. */
  codeSkips(limit: number): number {
    this.useLambda();
    return this.skips.run(limit, this.bits(SKIP_BITS));
  }

  /** Whether runs of P_Skip are tried by codeSkips: not where each macroblock needs a look of its own. */
  get usesRuns(): boolean {
    return !this.isRepetition && this.band === null && this.coder.fade === null;
  }

  /** Codes the current macroblock of a P slice; with usesRuns it is one at which codeSkips has just stopped. */
  codeInter(): void {
    const { state, skips } = this;
    if (!this.usesRuns && this.codeAlone()) {
      return;
    }
    const skipMv = this.usesRuns ? skips.skipMv : this.aloneSkipMv;
    if (this.usesRuns) {
      this.skipCoded = skips.coded;
    }
    if (this.tracksStill && state.previousShownQp[state.address] <= state.QPY && this.coder.isStill()) {
      this.codeStill(skipMv);
      return;
    }
    const { partition, cost } = this.searchInter(skipMv);
    if (cost > this.intraTrialCost()) {
      this.skipCoded = UNKNOWN;
      if (this.intra.codeWhenCheaper(cost)) {
        this.finish();
        return;
      }
    }
    if (partition !== P_16X16 || this.partMv[0][0] !== skipMv || this.partRef[0][0] !== 0) {
      this.skipCoded = UNKNOWN;
    }
    this.codePartition(partition);
    this.codeInterResidual();
    if (state.codedBlockPattern === 0 && partition === P_16X16 && state.partRef[0] === 0) {
      if (state.mv[state.cell] === skipMv) {
        state.mbKind = P_SKIP;
      }
    }
    this.finish();
  }

  /** Codes the macroblock intra when it lies in the band; else keeps vectors of clean columns within the clean part. */
  private refresh(band: RefreshBand): boolean {
    const { state, search, intra } = this;
    const isClean = state.x < band.first;
    search.rightLimit = isClean ? band.cleanWidth : NO_LIMIT;
    if (isClean || state.x >= band.end) {
      return false;
    }
    // Samples above right of the last column are not clean.
    intra.avoidsTopRight = state.x + 1 === band.end && band.end < state.mbWidth;
    intra.code();
    intra.avoidsTopRight = false;
    this.finish();
    return true;
  }

  private useLambda(): void {
    this.lambda16 = LAMBDA_16[this.state.QPY];
    this.intra.lambda16 = this.lambda16;
    this.search.lambda16 = this.lambda16;
  }

  private bits(count: number): number {
    return (this.lambda16 * count) >> 4;
  }

  /** Inter costs up to this are taken without looking at intra. */
  private intraTrialCost(): number {
    return this.bits(48);
  }

  // P_Skip ---------------------------------------------------------------------------------------------------------------------

  /** The vector of P_Skip of the macroblock that codeAlone looked at. */
  private aloneSkipMv = 0;

  /** What a run does otherwise, and what only pictures without runs do: repetition, intra refresh, weighted P_Skip. */
  private codeAlone(): boolean {
    this.useLambda();
    this.predictor.predictSkip();
    this.aloneSkipMv = this.predictor.packed;
    if (this.isRepetition) {
      this.codeSkip(this.aloneSkipMv);
      return true;
    }
    return (this.band !== null && this.refresh(this.band)) || this.tryEarlySkip(this.aloneSkipMv);
  }

  /** Codes the macroblock as P_Skip when its prediction is close and nothing of the residual is worth a level. */
  private tryEarlySkip(skipMv: number): boolean {
    const { state, coder, kernels } = this;
    const x = 16 * state.x;
    const y = 16 * state.y;
    const mvx = mvX(skipMv);
    const mvy = mvY(skipMv);
    this.skipCoded = UNKNOWN;
    if (!this.search.isAllowed(x, y, mvx, mvy)) {
      return false;
    }
    const reference = this.references[0];
    coder.predictLuma(reference, x, y, 16, 16, mvx, mvy);
    const sad = kernels.sad(
      16,
      16,
      coder.lumaSource,
      coder.source.lumaStride,
      coder.lumaTarget,
      coder.target.lumaStride,
    );
    if (sad > this.bits(SKIP_BITS)) {
      return false;
    }
    this.skipCoded = coder.quantizeInterLuma();
    if (this.skipCoded !== 0) {
      return false;
    }
    coder.predictChroma(reference, x, y, 16, 16, mvx, mvy);
    if (coder.quantizeChroma(0) !== 0) {
      return false;
    }
    this.finishSkip(skipMv);
    return true;
  }

  /** P_Skip without a look at the source; with P_Skip all around, the vector is 0. */
  private codeSkip(skipMv: number): void {
    const { coder, references, state } = this;
    coder.predictLuma(references[0], 16 * state.x, 16 * state.y, 16, 16, mvX(skipMv), mvY(skipMv));
    coder.predictChroma(references[0], 16 * state.x, 16 * state.y, 16, 16, mvX(skipMv), mvY(skipMv));
    this.finishSkip(skipMv);
  }

  /** The macroblock shows what it showed before, well enough: vector 0, no residual. */
  private codeStill(skipMv: number): void {
    if (skipMv === 0) {
      this.codeSkip(0);
      return;
    }
    this.skipCoded = UNKNOWN;
    this.partMv[0][0] = 0;
    this.partRef[0][0] = 0;
    this.codePartition(P_16X16);
    this.state.clearCounts();
    this.state.codedBlockPattern = 0;
    this.finish();
  }

  /** The prediction of P_Skip stands in the reconstruction and is all there is. */
  private finishSkip(skipMv: number): void {
    const { state } = this;
    state.mbKind = P_SKIP;
    state.partition = P_16X16;
    state.codedBlockPattern = 0;
    state.fillMotion(state.cell, 4, 4, skipMv, 0);
    state.clearCounts();
    state.clearIntraModes();
    this.finish();
  }

  // Inter ----------------------------------------------------------------------------------------------------------------------

  private readonly choice = { partition: P_16X16, cost: 0 };

  /** Best partition and its cost; vectors are in partMv and partRef. */
  private searchInter(skipMv: number): { readonly partition: number; readonly cost: number } {
    const { choice, tools } = this;
    choice.partition = P_16X16;
    choice.cost = this.searchWhole(skipMv) + this.bits(1);
    if (!tools.partitions || choice.cost < this.bits(96)) {
      return choice;
    }
    const quarters = this.searchParts(P_8X8, choice.cost) + this.bits(9);
    if (quarters < choice.cost) {
      choice.partition = P_8X8;
      choice.cost = quarters;
    }
    if (quarters < choice.cost + this.bits(24)) {
      this.tryHalves(P_16X8);
      this.tryHalves(P_8X16);
    }
    return choice;
  }

  private tryHalves(partition: number): void {
    const { choice } = this;
    const cost = this.searchParts(partition, choice.cost) + this.bits(3);
    if (cost < choice.cost) {
      choice.partition = partition;
      choice.cost = cost;
    }
  }

  private searchWhole(skipMv: number): number {
    const { state, search, predictor, references } = this;
    const { cell, stride, mv, previousMv } = state;
    let best = 0x7fffffff;
    for (let ref = 0; ref < references.length; ref++) {
      predictor.predict(P_16X16, 0, ref);
      search.clearCandidates();
      search.addCandidate(skipMv);
      search.addCandidate(0);
      if (ref > 0) {
        search.addCandidate(this.partMv[0][0]);
      }
      if (state.hasLeft) {
        search.addCandidate(mv[cell - 1]);
      }
      if (state.hasTop) {
        search.addCandidate(mv[cell - stride]);
        if (state.hasTopRight) {
          search.addCandidate(mv[cell - stride + 4]);
        }
      }
      search.addCandidate(previousMv[cell + stride + 1]);
      if (state.y + 1 < state.mbHeight) {
        search.addCandidate(previousMv[cell + 4 * stride]);
      }
      search.search(
        this.coder.source,
        this.searchReferences[ref],
        16 * state.x,
        16 * state.y,
        16,
        16,
        predictor.x,
        predictor.y,
        this.tools.search16x16,
      );
      const cost = search.bestCost + this.refCost(ref);
      if (cost < best) {
        best = cost;
        this.partMv[0][0] = packMv(search.bestX, search.bestY);
        this.partRef[0][0] = ref;
      }
    }
    return best;
  }

  private refCost(ref: number): number {
    if (this.references.length === 1) {
      return 0;
    }
    return this.bits(ref === 0 ? 1 : this.references.length === 2 ? 1 : ref < 3 ? 3 : 5);
  }

  /** Searches all partitions of a type, each from the vectors known around it; stops above `limit`. Returns the sum of costs. */
  private searchParts(partition: number, limit: number): number {
    const { state, search, predictor } = this;
    const ref = this.partRef[0][0];
    const xs = PART_X[partition];
    const ys = PART_Y[partition];
    const width = PART_WIDTH[partition];
    const height = PART_HEIGHT[partition];
    const mvs = this.partMv[partition];
    const quarters = this.partMv[P_8X8];
    let sum = 0;
    for (let i = 0; i < xs.length; i++) {
      predictor.predict(partition, i, ref);
      search.clearCandidates();
      search.addCandidate(this.partMv[0][0]);
      if (partition !== P_8X8) {
        const first = partition === P_16X8 ? 2 * i : i;
        search.addCandidate(quarters[first]);
        search.addCandidate(quarters[first + (partition === P_16X8 ? 1 : 2)]);
      } else if (i > 0) {
        search.addCandidate(quarters[i - 1]);
      }
      const x = xs[i];
      const y = ys[i];
      search.search(
        this.coder.source,
        this.searchReferences[ref],
        16 * state.x + x,
        16 * state.y + y,
        width,
        height,
        predictor.x,
        predictor.y,
        this.tools.searchParts,
      );
      sum += search.bestCost + this.refCost(ref);
      if (sum >= limit) {
        return sum;
      }
      mvs[i] = packMv(search.bestX, search.bestY);
      this.partRef[partition][i] = ref;
      state.fillMotion(state.cell + (y >> 2) * state.stride + (x >> 2), width >> 2, height >> 2, mvs[i], ref);
    }
    return sum;
  }

  /** Makes the vectors of a partition type the macroblock's: grid, differences, prediction samples. */
  private codePartition(partition: number): void {
    const { state, predictor, coder } = this;
    const xs = PART_X[partition];
    const ys = PART_Y[partition];
    const width = PART_WIDTH[partition];
    const height = PART_HEIGHT[partition];
    state.mbKind = P_INTER;
    state.partition = partition;
    for (let i = 0; i < xs.length; i++) {
      const mv = this.partMv[partition][i];
      const ref = this.partRef[partition][i];
      const mvx = mvX(mv);
      const mvy = mvY(mv);
      const x = xs[i];
      const y = ys[i];
      predictor.predict(partition, i, ref);
      state.mvdX[i] = mvx - predictor.x;
      state.mvdY[i] = mvy - predictor.y;
      state.partRef[i] = ref;
      state.fillMotion(state.cell + (y >> 2) * state.stride + (x >> 2), width >> 2, height >> 2, mv, ref);
      const reference = this.references[ref];
      if (this.skipCoded === UNKNOWN) {
        coder.predictLuma(reference, 16 * state.x + x, 16 * state.y + y, width, height, mvx, mvy);
      }
      coder.predictChroma(reference, 16 * state.x + x, 16 * state.y + y, width, height, mvx, mvy);
    }
    state.clearIntraModes();
  }

  private codeInterResidual(): void {
    const { state, coder } = this;
    state.clearCounts();
    const luma = this.codeInterLuma();
    const chroma = coder.quantizeChroma(0);
    if (chroma !== 0) {
      coder.reconstructChroma();
    }
    state.codedBlockPattern = luma | (chroma << 4);
  }

  /** Codes the luma residual with the better transform; returns CodedBlockPatternLuma. */
  private codeInterLuma(): number {
    const { state, coder } = this;
    if (this.tools.transform8x8 && this.skipCoded !== 0 && coder.prefersTransform8x8()) {
      const luma = coder.codeInterLuma8x8();
      state.hasTransform8x8 = luma !== 0;
      return luma;
    }
    return coder.reconstructInterLuma(this.skipCoded === UNKNOWN ? coder.quantizeInterLuma() : this.skipCoded);
  }

  /** Records the macroblock for its neighbours, the entropy coder and the deblocking filter. */
  private finish(): void {
    if (this.tracksStill) {
      recordShownQp(this.state, this.state.QPY);
    }
    recordMacroblock(this.state);
  }
}
