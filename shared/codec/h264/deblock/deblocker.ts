// The deblocking filter (8.7) over a finished picture. Frames and fields go row by row through the kernels, which derive boundary
// strengths (8.7.2.1) from the macroblock store and the motion; MBAFF frames in mbaff-deblocker.ts. Called by picture-decoder.ts.

import type { SliceState } from '../decoder/slice-state.ts';
import type { Pointer } from '../kernels/kernels.ts';
import { DEBLOCK_RECORD_BYTES, STRENGTH_PARAMETER_BYTES, STRENGTH_PARAMETERS } from '../kernels/row-deblock-kernels.ts';
import { MB_INTRA, MB_TRANSFORM_8X8 } from '../macroblock/mb-types.ts';
import { MbaffDeblocker } from './mbaff-deblocker.ts';
import type { SliceFilters } from './slice-filters.ts';

/** Filters pictures. */
export class Deblocker {
  /** Rows of the current picture that are filtered already, see prepareSlice. */
  filteredRows = 0;
  private readonly s: SliceState;
  private readonly filters: SliceFilters;
  private readonly mbaff: MbaffDeblocker;
  private readonly records: Pointer;
  private readonly parameters: Int32Array;
  private readonly chromaQp: Pointer;
  private readonly sliceFilters: Pointer;

  constructor(state: SliceState, filters: SliceFilters) {
    this.s = state;
    this.filters = filters;
    this.mbaff = new MbaffDeblocker(state, filters);
    this.records = state.deblockPointer;
    const parameters = this.records + DEBLOCK_RECORD_BYTES * state.PicWidthInMbs;
    this.parameters = new Int32Array(state.bytes.buffer, parameters, STRENGTH_PARAMETERS.length);
    this.chromaQp = parameters + STRENGTH_PARAMETER_BYTES;
    this.sliceFilters = this.chromaQp + 104;
  }

  /** The strength parameters of the current picture, for threads/picture-rows.ts. */
  get strengths(): Pointer {
    return this.parameters.byteOffset;
  }

  /**
   * Prepares the filter of the slice that comes next, of a frame, so that its rows can be filtered while it is decoded. False when the picture
   * has too many slices.
   */
  prepareSlice(): boolean {
    const { s, filters } = this;
    const slices = filters.idc.length;
    if (slices > s.PicWidthInMbs * s.FrameHeightInMbs) {
      return false;
    }
    this.setParameters();
    this.setSliceFilter(slices - 1);
    return true;
  }

  /** Filters the current picture (frame or field) from row filteredRows on. */
  filterPicture(): void {
    const { s, filters } = this;
    const slices = filters.idc.length;
    // a picture with more slices than macroblocks is broken; what it shows is not worth smoothing
    if (filters.idc.every((idc) => idc === 1) || slices > s.PicWidthInMbs * s.FrameHeightInMbs) {
      return;
    }
    if (s.MbaffFrameFlag) {
      this.mbaff.filterPicture();
      return;
    }
    this.setParameters();
    for (let slice = 0; slice < slices; slice++) {
      this.setSliceFilter(slice);
    }
    for (let row = this.filteredRows; row < s.PicHeightInMbs; row++) {
      this.filterRow(row);
    }
  }

  private setSliceFilter(slice: number): void {
    const { s, filters } = this;
    const at = this.sliceFilters + 4 * slice;
    s.bytes[at] = filters.idc[slice];
    s.bytes[at + 1] = filters.offsetA[slice];
    s.bytes[at + 2] = filters.offsetB[slice];
  }

  /** Everything but what differs from row to row. */
  private setParameters(): void {
    const { s, parameters } = this;
    const { store, isFieldPicture, PicWidthInMbs: width } = s;
    s.bytes.set(s.chromaQp, this.chromaQp);
    // in the order of STRENGTH_PARAMETERS
    parameters[0] = this.records;
    parameters[1] = width;
    parameters[4] = isFieldPicture ? 1 : 0;
    parameters[5] = store.kind.byteOffset;
    parameters[6] = store.qp.byteOffset;
    parameters[7] = store.nonZero.byteOffset;
    parameters[8] = store.sliceId.byteOffset;
    parameters[9] = s.mv0.byteOffset;
    parameters[10] = s.mv1.byteOffset;
    parameters[11] = s.refPic0.byteOffset;
    parameters[12] = s.refPic1.byteOffset;
    parameters[13] = this.chromaQp;
    parameters[14] = this.sliceFilters;
    parameters[15] = MB_INTRA;
    parameters[16] = MB_TRANSFORM_8X8;
  }

  private filterRow(row: number): void {
    const { s, parameters, records } = this;
    const { kernels, isFieldPicture, PicWidthInMbs: width } = s;
    const { y, u, v } = s.picture.memory;
    const parity = s.isBottomField ? 1 : 0;
    const step = isFieldPicture ? 2 : 1; // rows of the frame per row of the picture
    parameters[2] = (step * row + parity) * width;
    parameters[3] = row > 0 ? step * width : 0;
    kernels.boundaryStrengths(parameters.byteOffset);
    const offsetY = (16 * step * row + parity) * s.frameStrideY;
    const offsetC = (8 * step * row + parity) * s.frameStrideC;
    kernels.deblockRow(
      y + offsetY,
      s.hasChroma ? u + offsetC : 0,
      v + offsetC,
      step * s.frameStrideY,
      step * s.frameStrideC,
      width,
      records,
    );
  }
}
