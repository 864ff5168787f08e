// Deblocking parameters of the slices of a picture (7.4.3), kept until the picture is filtered.

/** Filter parameters of the slices of a frame, by slice id. */
export class SliceFilters {
  /** disable_deblocking_filter_idc. */
  readonly idc: number[] = [];
  readonly offsetA: number[] = [];
  readonly offsetB: number[] = [];

  clear(): void {
    this.idc.length = 0;
    this.offsetA.length = 0;
    this.offsetB.length = 0;
  }
}
