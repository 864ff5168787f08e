// What decoding one picture at a time needs besides the sequence: slice state, filter parameters, deblocker, slice decoders. A decoder with
// a second thread has more lanes, so that several pictures can be under way. Used by picture-decoder.ts.

import { Deblocker } from '../deblock/deblocker.ts';
import { SliceFilters } from '../deblock/slice-filters.ts';
import type { SliceKernels } from '../kernels/slice-kernels.ts';
import { prepareScaling } from '../residual/dequantise.ts';
import type { PictureParameterSet } from '../syntax/pps.ts';
import type { SliceHeader } from '../syntax/slice-header.ts';
import type { SequenceParameterSet } from '../syntax/sps.ts';
import { SliceDataDecoder } from './slice-data.ts';
import type { SliceState } from './slice-state.ts';

export class PictureLane {
  readonly state: SliceState;
  readonly filters = new SliceFilters();
  readonly deblocker: Deblocker;
  readonly sliceData: SliceDataDecoder;
  private scalingOf: PictureParameterSet | null = null;

  constructor(state: SliceState, sliceKernels: SliceKernels | null) {
    this.state = state;
    this.deblocker = new Deblocker(state, this.filters);
    this.sliceData = new SliceDataDecoder(state, this.deblocker, sliceKernels);
  }

  /** After damage: coefficients are zero between macroblocks. */
  clearCoefficients(): void {
    this.state.coefficients.fill(0);
    this.state.dc.fill(0);
    this.state.chromaDc.fill(0);
  }

  /** Forgets the frame before. */
  startFrame(): void {
    this.filters.clear();
    this.state.store.sliceId.fill(-1);
  }

  /** Begins a frame or a field. */
  startPicture(): void {
    this.deblocker.filteredRows = 0;
    this.sliceData.startPicture();
  }

  /** The scaling tables are those of the PPS: a slice of it leaves them as they are. */
  isScaledFor(pps: PictureParameterSet): boolean {
    return this.scalingOf === pps;
  }

  /** Begins a slice: scaling tables, then the parameters that `setParameters` sets and may refuse, its number and filter parameters. */
  startSlice(
    sps: SequenceParameterSet,
    pps: PictureParameterSet,
    header: SliceHeader,
    setParameters: () => void,
  ): void {
    const { state, filters } = this;
    if (this.scalingOf !== pps) {
      prepareScaling(state, sps, pps);
      this.scalingOf = pps;
    }
    setParameters();
    state.sliceId = filters.idc.length;
    filters.idc.push(header.disable_deblocking_filter_idc);
    filters.offsetA.push(2 * header.slice_alpha_c0_offset_div2);
    filters.offsetB.push(2 * header.slice_beta_offset_div2);
  }
}
