// Writes bits, most significant first, into a growing RBSP. The twin of BitReader; clause 7.2.
// Called by the write* functions of the syntax and by the entropy encoders (hot: no allocation except when the buffer doubles).

const { clz32, max } = Math;

/** An RBSP under construction. */
export class BitWriter {
  private buffer: Uint8Array;
  private bytes = 0;
  /** Bits not yet stored, right-aligned in `accumulator`; 0..7 between calls. */
  private pending = 0;
  private accumulator = 0;

  constructor(capacity = 1024) {
    this.buffer = new Uint8Array(max(16, capacity));
  }

  /** Bits written so far. */
  get position(): number {
    return this.bytes * 8 + this.pending;
  }

  get isAligned(): boolean {
    return this.pending === 0;
  }

  /** Forgets everything written; the capacity stays. */
  reset(): void {
    this.bytes = 0;
    this.pending = 0;
    this.accumulator = 0;
  }

  /** u(n), n = 0..32; `value` is taken modulo 2^n. */
  bits(value: number, count: number): void {
    if (count > 24) {
      this.bits(value >>> 16, count - 16);
      this.bits(value & 0xffff, 16);
      return;
    }
    if (count === 0) {
      return;
    }
    let pending = this.pending + count;
    const accumulator = (this.accumulator << count) | (value & ((1 << count) - 1));
    if (this.bytes + 4 > this.buffer.length) {
      this.grow(4);
    }
    while (pending >= 8) {
      pending -= 8;
      this.buffer[this.bytes++] = accumulator >>> pending;
    }
    this.pending = pending;
    this.accumulator = accumulator & ((1 << pending) - 1);
  }

  /** u(1) of a claim. */
  flag(value: boolean): void {
    this.bits(value ? 1 : 0, 1);
  }

  /** ue(v), 0..2^32-2 (9.1). */
  ue(value: number): void {
    const code = value + 1;
    if (code < 4096) {
      const length = 31 - clz32(code);
      this.bits(code, 2 * length + 1);
      return;
    }
    const length = code >= 2 ** 31 ? 31 : 31 - clz32(code);
    this.bits(0, length);
    this.bits(code >>> 0, length + 1);
  }

  /** se(v) (9.1.1). */
  se(value: number): void {
    this.ue(value > 0 ? 2 * value - 1 : -2 * value);
  }

  /** te(v) with the largest value `range` >= 1 (9.1). */
  te(value: number, range: number): void {
    if (range > 1) {
      this.ue(value);
    } else {
      this.bits(1 - value, 1);
    }
  }

  /** Appends whole bytes; the position must be aligned. */
  append(source: Uint8Array): void {
    if (this.pending !== 0) {
      throw new RangeError('Bytes can be appended at a byte boundary only.');
    }
    this.grow(source.length);
    this.buffer.set(source, this.bytes);
    this.bytes += source.length;
  }

  /** Fills with `bit` up to the next byte boundary. */
  align(bit: 0 | 1): void {
    if (this.pending > 0) {
      const count = 8 - this.pending;
      this.bits(bit === 1 ? (1 << count) - 1 : 0, count);
    }
  }

  /** rbsp_trailing_bits() (7.3.2.11). */
  trailingBits(): void {
    this.bits(1, 1);
    this.align(0);
  }

  /** A copy of the bytes written; the position must be aligned. */
  toBytes(): Uint8Array {
    return this.view().slice();
  }

  /** The bytes written, valid until the next write. */
  view(): Uint8Array {
    if (this.pending !== 0) {
      throw new RangeError('The RBSP ends within a byte: write trailing bits first.');
    }
    return this.buffer.subarray(0, this.bytes);
  }

  private grow(extra: number): void {
    const needed = this.bytes + extra + 8;
    if (needed > this.buffer.length) {
      const larger = new Uint8Array(max(needed, this.buffer.length * 2));
      larger.set(this.buffer.subarray(0, this.bytes));
      this.buffer = larger;
    }
  }
}
