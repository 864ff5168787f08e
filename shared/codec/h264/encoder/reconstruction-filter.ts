// Deblocking of the encoder's own reconstruction (8.7): progressive pictures, P and I slices, filter parameters equal for the whole
// picture. Works on a macroblock row that is at least one row behind coding, so that intra prediction still sees unfiltered
// samples: one kernel call for the row's boundary strengths, one for its edges. Called by picture-encoder.ts.

import type { CodecMemory } from '../kernels/codec-memory.ts';
import { GRID_STRENGTH_BYTES, GRID_STRENGTH_PARAMETERS, type GridKernels } from '../kernels/grid-kernels.ts';
import type { RowDeblockKernels } from '../kernels/kernels.ts';
import { DEBLOCK_RECORD_BYTES } from '../kernels/row-deblock-kernels.ts';
import type { MacroblockState } from '../macroblock/coding-state.ts';
import { chromaQp } from '../residual/quantisers.ts';
import type { EncoderPicture } from './picture-store.ts';

/** Filters the rows of one picture after another. */
export class ReconstructionFilter {
  private readonly kernels: RowDeblockKernels & GridKernels;
  private readonly state: MacroblockState;
  private readonly parameters: Int32Array;

  /** Bytes taken from the codec memory for pictures of `mbWidth` macroblocks. */
  static bytes(mbWidth: number): number {
    return DEBLOCK_RECORD_BYTES * mbWidth + GRID_STRENGTH_BYTES + 64 + 48;
  }

  constructor(
    kernels: RowDeblockKernels & GridKernels,
    memory: CodecMemory,
    state: MacroblockState,
    options: { readonly offsetA: number; readonly offsetB: number; readonly chromaOffset: number },
  ) {
    this.kernels = kernels;
    this.state = state;
    const records = memory.allocate(DEBLOCK_RECORD_BYTES * state.mbWidth, 16);
    const parameters = memory.allocate(GRID_STRENGTH_BYTES, 16);
    const chromaQps = memory.allocate(52, 16);
    memory.bytes.set(
      Array.from({ length: 52 }, (_, qp) => chromaQp(qp, options.chromaOffset)),
      chromaQps,
    );
    this.parameters = new Int32Array(memory.memory.buffer, parameters, GRID_STRENGTH_PARAMETERS.length);
    const { grid } = state;
    this.parameters.set([
      ...[records, grid.mbWidth, 0, grid.stride, 0],
      ...[grid.ref, grid.count, grid.kind, grid.qp, grid.transform8x8, grid.hasInnerEdges].map((a) => a.byteOffset),
      ...[chromaQps, options.offsetA, options.offsetB],
    ]);
  }

  /** Filters macroblock row `y` of `picture`: its macroblocks and their edges to the row above. */
  filterRow(picture: EncoderPicture, y: number): void {
    const { kernels, parameters, state } = this;
    const { lumaStride, chromaStride } = picture;
    parameters[2] = y;
    parameters[4] = state.mv.byteOffset;
    kernels.gridStrengths(parameters.byteOffset);
    const chroma = 8 * y * chromaStride;
    kernels.deblockRow(
      picture.y + 16 * y * lumaStride,
      picture.u + chroma,
      picture.v + chroma,
      lumaStride,
      chromaStride,
      state.mbWidth,
      parameters[0],
    );
  }
}
