// Frames per second of a source from the decoding times of its units: the median step of the last second or two, so that a
// pause or a jitter of some frames changes nothing. Pure; used by source-pipeline.ts.

const WINDOW = 32;
const MIN_STEPS = 4;
/** Steps outside 1..240 frames per second are pauses or duplicates. */
const SHORTEST_STEP_US = 4_000;
const LONGEST_STEP_US = 1_100_000;

export class FrameRateMeter {
  private readonly steps: number[] = [];
  private last: number | null = null;

  observe(dtsUs: number): void {
    const step = this.last === null ? 0 : dtsUs - this.last;
    this.last = dtsUs;
    if (step >= SHORTEST_STEP_US && step <= LONGEST_STEP_US) {
      this.steps.push(step);
      if (this.steps.length > WINDOW) {
        this.steps.shift();
      }
    }
  }

  /** Measured rate, or null while there are too few units. */
  get fps(): number | null {
    if (this.steps.length < MIN_STEPS) {
      return null;
    }
    const sorted = [...this.steps].sort((a, b) => a - b);
    const middle = sorted[sorted.length >> 1] ?? 0;
    // The mean of the steps near the median: FLV's whole milliseconds make 33 33 34.
    const near = sorted.filter((step) => Math.abs(step - middle) <= middle * 0.1 + 1000);
    const mean = near.reduce((sum, step) => sum + step, 0) / near.length;
    return 1_000_000 / mean;
  }
}
