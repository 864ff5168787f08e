// The decoder's buffer (VBV, Annex C.1.2 with one schedule, low delay off) as an independent judge of rate control: it fills at the peak
// rate up to its size, and each access unit must lie in it completely at its time.

export type BucketReport = {
  /** Access units that were not in the buffer at their time. */
  readonly underflows: number;
  /** Least content after a removal, bits. */
  readonly leastBits: number;
  /** Content after the last removal, bits. */
  readonly content: number;
};

/** Runs the buffer over the sizes (bits) of access units `seconds` apart, starting `initial` (0..1) full. */
export function runLeakyBucket(
  sizes: readonly number[],
  options: {
    readonly peakBitsPerSecond: number;
    readonly bufferBits: number;
    readonly seconds: number;
    readonly initial: number;
  },
): BucketReport {
  let content = options.initial * options.bufferBits;
  let underflows = 0;
  let leastBits = Infinity;
  for (const [i, size] of sizes.entries()) {
    if (i > 0) {
      content = Math.min(options.bufferBits, content + options.peakBitsPerSecond * options.seconds);
    }
    content -= size;
    leastBits = Math.min(leastBits, content);
    if (content < 0) {
      underflows++;
      content = 0;
    }
  }
  return { underflows, leastBits, content };
}
