// Puts the timestamps of one capture device on the local clock: devices count from where they like, so the shortest delay between a
// timestamp and its arrival is taken for the capture itself. Sound and picture of one studio meet on that clock. Pure.

const MEMORY = 200;
const STEP_MS = 500;

/** One device's clock. */
export class CaptureClock {
  #delays: number[] = [];
  #last: number | null = null;

  /** Local epoch ms at which the sample with this timestamp was captured. Never goes back. */
  captureTimeMs(timestampUs: number, arrivedAtMs: number): number {
    const delay = arrivedAtMs - timestampUs / 1000;
    const shortest = this.#delays.length === 0 ? delay : Math.min(...this.#delays);
    if (delay < shortest - STEP_MS || delay > shortest + 10 * STEP_MS) {
      this.#delays = []; // the device began to count anew
    }
    this.#delays.push(delay);
    if (this.#delays.length > MEMORY) {
      this.#delays.shift();
    }
    const time = timestampUs / 1000 + Math.min(...this.#delays);
    const monotonic = this.#last === null ? time : Math.max(time, this.#last + 0.1);
    this.#last = monotonic;
    return monotonic;
  }
}
