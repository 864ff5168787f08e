// What is usual for a stream: a running mean and mean deviation that outliers hardly move, learned while nothing is wrong.

/** Samples before the baseline says anything. */
const WARM_UP = 8;
const RATE = 0.05;

export class Baseline {
  private mean = 0;
  private deviation = 0;
  private samples = 0;

  /** Learns one value; what lies far off counts only up to three deviations. */
  learn(value: number): void {
    this.samples++;
    const rate = Math.max(RATE, 1 / this.samples);
    const spread = Math.max(this.deviation * 3, Math.abs(this.mean) * 0.1);
    const off = value - this.mean;
    const counted = this.samples <= WARM_UP ? off : Math.min(spread, Math.max(-spread, off));
    this.mean += rate * counted;
    this.deviation += rate * (Math.abs(counted) - this.deviation);
  }

  /** The usual value; null while too little has been seen. */
  get usual(): number | null {
    return this.samples >= WARM_UP ? this.mean : null;
  }

  /** Below `share` of the usual value and further off than three deviations. */
  isLow(value: number, share: number): boolean {
    return this.usual !== null && value < this.mean * share && value < this.mean - 3 * this.deviation;
  }

  /** Above `share` times the usual value and further off than three deviations. */
  isHigh(value: number, share: number): boolean {
    return this.usual !== null && value > this.mean * share && value > this.mean + 3 * this.deviation;
  }
}

/** What is learned of one stream. */
export class StreamBaselines {
  readonly bitrate = new Baseline();
  readonly fps = new Baseline();
  /** Bytes of frames that open no group. */
  readonly deltaBytes = new Baseline();
  readonly latencyMs = new Baseline();
}
