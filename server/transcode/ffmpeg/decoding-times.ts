// Decoding times for units that come in decoding order with presentation times only: with a reordering depth of d, the n-th unit is
// decoded when the (n - d)-th picture is shown. Pure; used by import-file.ts.

/** Before the first picture is shown, units are decoded this far apart. */
const LEAD_US = 1000;

export class DecodingTimes {
  private readonly depth: number;
  private readonly shown: number[] = [];
  private count = 0;
  private last = -Infinity;

  /** `depth`: pictures that may be decoded before the first is shown. */
  constructor(depth: number) {
    this.depth = depth;
  }

  /** The DTS of the next unit in decoding order: never after its PTS where the depth is true, never before the DTS of the last unit. */
  next(ptsUs: number): number {
    this.shown.push(ptsUs);
    this.shown.sort((a, b) => a - b);
    const lead = Math.max(0, this.depth - this.count);
    const first = lead > 0 ? (this.shown[0] ?? ptsUs) - lead * LEAD_US : (this.shown.shift() ?? ptsUs);
    this.count++;
    this.last = Math.max(this.last, Math.min(first, ptsUs));
    return this.last;
  }
}
