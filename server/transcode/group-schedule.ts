// When the renditions of a source start a new group: at every key picture of the source, all at the same picture, so that a viewer
// can change rendition there; and in between where the source's own groups are too long to join. Pure; used by source-pipeline.ts.

/** Longest group that we make when the source's groups are longer or unknown. */
const OWN_GROUP_US = 2_000_000;
/** Source groups up to this length are kept as they are. */
const LONGEST_SOURCE_GROUP_US = 4_000_000;
/** Timestamps wander by a fraction of a frame. */
const TOLERANCE_US = 10_000;

export class GroupSchedule {
  private lastGroupStart: number | null = null;
  private lastSourceKey: number | null = null;
  private sourceGroupUs = Infinity;

  /** Takes every key picture of the source, encoded or not. */
  onSourceKey(ptsUs: number): void {
    if (this.lastSourceKey !== null && ptsUs > this.lastSourceKey) {
      this.sourceGroupUs = ptsUs - this.lastSourceKey;
    }
    this.lastSourceKey = ptsUs;
  }

  /** Whether the picture about to be encoded opens a group in every rendition. `isDue`: a source key picture came since the last one. */
  startsGroup(ptsUs: number, isDue: boolean): boolean {
    const limit = this.sourceGroupUs <= LONGEST_SOURCE_GROUP_US ? LONGEST_SOURCE_GROUP_US : OWN_GROUP_US;
    const starts =
      isDue ||
      this.lastGroupStart === null ||
      ptsUs < this.lastGroupStart ||
      ptsUs - this.lastGroupStart >= limit - TOLERANCE_US;
    if (starts) {
      this.lastGroupStart = ptsUs;
    }
    return starts;
  }
}
