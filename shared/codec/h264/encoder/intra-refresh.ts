// Intra refresh: instead of whole intra pictures, a band of macroblock columns is coded intra in each picture and sweeps over the picture
// from left to right. What the band has passed is clean: it depends on nothing from before the sweep, because its vectors stay in what was clean in
// the picture before. A decoder that joins at the recovery point (D.2.8) shows every sample right once the sweep is complete.
// Called by H264Encoder; obeyed by mode-decision.ts.
//
//   picture k:   clean | band | not yet          the band overlaps the clean part by one column, whose
//                ......|IIIIII|......            right samples were deblocked against dirty ones

const { floor, min } = Math;

/** Samples left of the border of the clean part that deblocking may have changed. */
const DEBLOCKED = 4;

/** What one picture of a sweep does, in macroblock columns. */
export type RefreshBand = {
  /** Columns first <= x < end are coded intra, columns below `first` are clean. */
  readonly first: number;
  readonly end: number;
  /** Samples of the reference left of this luma column are clean. */
  readonly cleanWidth: number;
  /** recovery_frame_cnt when the sweep begins with this picture, else null. */
  readonly recovery_frame_cnt: number | null;
};

/** Plans the sweeps of one stream. */
export class IntraRefresh {
  private readonly mbWidth: number;
  private readonly pictures: number;
  private next = 0;

  /** `pictures`: how many a sweep takes; at most one per column. */
  constructor(mbWidth: number, pictures: number) {
    this.mbWidth = mbWidth;
    this.pictures = min(mbWidth, pictures);
  }

  /** The band of the next picture. */
  plan(): RefreshBand {
    const { next, pictures, mbWidth } = this;
    const clean = floor((next * mbWidth) / pictures);
    return {
      first: next === 0 ? 0 : clean - 1,
      end: floor(((next + 1) * mbWidth) / pictures),
      cleanWidth: 16 * clean - DEBLOCKED,
      recovery_frame_cnt: next === 0 ? pictures - 1 : null,
    };
  }

  /** The planned picture has been coded. */
  advance(): void {
    this.next = (this.next + 1) % this.pictures;
  }

  /** The picture did not follow the plan: a new sweep begins with the next one. */
  restart(): void {
    this.next = 0;
  }
}
