// The model of the decoder's buffer (VBV; Annex C.1 with one schedule): it holds `bufferBits`, fills at the peak rate and each picture is
// taken out whole at its time. A picture larger than the content would arrive late. Called by rate-control.ts.

const { max, min } = Math;

/** The content when the stream starts, as a share of the size. */
const INITIAL_FULLNESS = 0.9;

/** Follows the content of one decoder's buffer. */
export class DecoderBuffer {
  /** Bits in the buffer now. */
  content: number;
  size: number;
  private bitsPerSecond: number;

  constructor(bitsPerSecond: number, size: number) {
    this.bitsPerSecond = bitsPerSecond;
    this.size = size;
    this.content = INITIAL_FULLNESS * size;
  }

  /** Another rate and size from now on. What is in the buffer stays, as far as it has room. */
  change(bitsPerSecond: number, size: number): void {
    this.bitsPerSecond = bitsPerSecond;
    this.size = size;
    this.content = min(this.content, size);
  }

  /** Time passes. */
  fill(seconds: number): void {
    this.content = min(this.size, this.content + this.bitsPerSecond * seconds);
  }

  /** A picture is taken out. */
  remove(bits: number): void {
    this.content = max(0, this.content - bits);
  }
}
