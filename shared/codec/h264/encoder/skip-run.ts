// Codes runs of P_Skip macroblocks with one kernel call and keeps what the trial of the first other macroblock found. Fills the parameters of
// kernels/grid-kernels.ts. Called by mode-decision.ts.

import type { CodecMemory } from '../kernels/codec-memory.ts';
import { type GridKernels, SKIP_RUN_BYTES, SKIP_RUN_PARAMETERS, skipRunIndex } from '../kernels/grid-kernels.ts';
import { LEVELS_LUMA, MASK_LUMA, type MacroblockState } from '../macroblock/coding-state.ts';
import type { Quantisers } from '../residual/quantisers.ts';
import { chromaQp } from '../residual/quantisers.ts';
import type { SearchWindow } from './motion-search.ts';
import type { EncoderPicture } from './picture-store.ts';

const AT = {
  limit: skipRunIndex('limit'),
  stride: skipRunIndex('stride'),
  mv: skipRunIndex('mv'),
  sourceY: skipRunIndex('sourceY'),
  minX: skipRunIndex('minX'),
  sadLimit: skipRunIndex('sadLimit'),
  levels: skipRunIndex('levels'),
  QPY: skipRunIndex('QPY'),
  skipMv: skipRunIndex('skipMv'),
  coded: skipRunIndex('coded'),
} as const;

export class SkipRun {
  private readonly kernels: GridKernels;
  private readonly state: MacroblockState;
  private readonly quantisers: Quantisers;
  private readonly chromaOffset: number;
  private readonly parameters: Int32Array;

  /** Bytes taken from the codec memory. */
  static readonly BYTES = SKIP_RUN_BYTES + 16;

  constructor(
    kernels: GridKernels,
    memory: CodecMemory,
    state: MacroblockState,
    quantisers: Quantisers,
    options: { readonly window: SearchWindow; readonly chromaOffset: number },
  ) {
    this.kernels = kernels;
    this.state = state;
    this.quantisers = quantisers;
    this.chromaOffset = options.chromaOffset;
    const at = memory.allocate(SKIP_RUN_BYTES, 16);
    this.parameters = new Int32Array(memory.memory.buffer, at, SKIP_RUN_PARAMETERS.length);
    const { window } = options;
    this.parameters.set([state.stride, state.chromaStride], AT.stride);
    const { grid } = state;
    const bytes = [grid.ref, grid.count, grid.intraMode, grid.countU, grid.countV, grid.kind, grid.qp];
    const rest = [grid.cbp, grid.transform8x8, grid.chromaMode, grid.hasInnerEdges, grid.slice];
    this.parameters.set(
      [...bytes, ...rest].map((array) => array.byteOffset),
      AT.mv + 1,
    );
    this.parameters.set([window.minX, window.maxX, window.minY, window.maxY, window.verticalLimit], AT.minX);
    this.parameters.set([state.levels + LEVELS_LUMA, state.coefficients, state.masks + 4 * MASK_LUMA], AT.levels);
  }

  /** The pictures of the slices that follow. */
  usePictures(source: EncoderPicture, target: EncoderPicture, reference: EncoderPicture): void {
    const { parameters } = this;
    parameters[AT.mv] = this.state.mv.byteOffset;
    let at = AT.sourceY;
    for (const value of [source.y, source.u, source.v, source.lumaStride, source.chromaStride]) {
      parameters[at++] = value;
    }
    for (const picture of [target, reference]) {
      parameters[at++] = picture.y;
      parameters[at++] = picture.u;
      parameters[at++] = picture.v;
    }
    parameters[at++] = target.lumaStride;
    parameters[at] = target.chromaStride;
  }

  /**
   * Codes up to `limit` macroblocks from the current one on as P_Skip, all with the current QPY, while their luma difference is at most
   * `sadLimit` and nothing is worth a level. Returns how many.
   */
  run(limit: number, sadLimit: number): number {
    const { parameters, state, quantisers } = this;
    const { QPY } = state;
    parameters[AT.limit] = limit;
    parameters[AT.limit + 1] = state.x;
    parameters[AT.limit + 2] = state.y;
    parameters[AT.limit + 3] = state.hasTop ? 1 : 0;
    parameters[AT.limit + 4] = state.cell;
    parameters[AT.limit + 5] = state.chromaCell;
    parameters[AT.limit + 6] = state.address;
    parameters[AT.sadLimit] = sadLimit;
    parameters[AT.sadLimit + 1] = quantisers.inter(QPY);
    parameters[AT.sadLimit + 2] = quantisers.inter(chromaQp(QPY, this.chromaOffset));
    parameters[AT.QPY] = state.previousQPY;
    parameters[AT.QPY + 1] = state.sliceIndex;
    return this.kernels.skipRun(parameters.byteOffset);
  }

  /** The vector of P_Skip of the macroblock that ended the last run. */
  get skipMv(): number {
    return this.parameters[AT.skipMv];
  }

  /** Its luma blocks worth coding with that vector, whose prediction and levels are in place; -1: not known. */
  get coded(): number {
    return this.parameters[AT.coded];
  }
}
