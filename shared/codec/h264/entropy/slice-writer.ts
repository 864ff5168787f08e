// The bit writer of slice data: up to 31 bits per call through a 32-bit accumulator into a preallocated buffer that doubles when it is nearly
// full. Hot twin of bitstream/bit-writer.ts, which the headers use. Called by the CAVLC encoder.

/** An RBSP under construction. */
export class SliceWriter {
  bytes: Uint8Array;
  private at = 0;
  private accumulator = 0;
  /** Bits free in the accumulator, 1..32. */
  private free = 32;

  // What mark() keeps.
  private markedAt = 0;
  private markedAccumulator = 0;
  private markedFree = 32;

  constructor(capacity = 65536) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Starts again with the bits of a header: whole bytes, then `tailLength` (0..7) bits of `tail`. */
  start(header: Uint8Array, tail: number, tailLength: number): void {
    this.at = 0;
    this.reserve(header.length);
    this.bytes.set(header);
    this.at = header.length;
    this.accumulator = tail;
    this.free = 32 - tailLength;
  }

  /** Bits written since the start. */
  get position(): number {
    return this.at * 8 + 32 - this.free;
  }

  /** u(n): the low `length` bits of `value`, whose other bits are 0. length is 1..31. */
  put(value: number, length: number): void {
    if (length < this.free) {
      this.accumulator = (this.accumulator << length) | value;
      this.free -= length;
      return;
    }
    const rest = length - this.free;
    const word = this.free === 32 ? value >>> rest : (this.accumulator << this.free) | (value >>> rest);
    const { bytes, at } = this;
    bytes[at] = word >>> 24;
    bytes[at + 1] = word >>> 16;
    bytes[at + 2] = word >>> 8;
    bytes[at + 3] = word;
    this.at = at + 4;
    this.accumulator = value;
    this.free = 32 - rest;
  }

  /** ue(v), value below 2^15. */
  ue(value: number): void {
    const code = value + 1;
    const length = 32 - clz32(code);
    if (length > 16) {
      this.put(0, length - 1);
      this.put(code, length);
    } else {
      this.put(code, 2 * length - 1);
    }
  }

  /** se(v). */
  se(value: number): void {
    this.ue(value > 0 ? 2 * value - 1 : -2 * value);
  }

  /** Remembers the position for takeBack(). */
  mark(): void {
    this.markedAt = this.at;
    this.markedAccumulator = this.accumulator;
    this.markedFree = this.free;
  }

  /** Forgets what was written since mark(). */
  takeBack(): void {
    this.at = this.markedAt;
    this.accumulator = this.markedAccumulator;
    this.free = this.markedFree;
  }

  /** Zero bits up to the next byte boundary, then `bytes`. */
  append(bytes: Uint8Array): void {
    const used = (32 - this.free) & 7;
    if (used > 0) {
      this.put(0, 8 - used);
    }
    for (const byte of bytes) {
      this.put(byte, 8);
    }
  }

  /** Makes room for `extra` bytes more: called once per macroblock, so that put() need not look. */
  reserve(extra: number): void {
    if (this.at + extra + 8 > this.bytes.length) {
      const larger = new Uint8Array(2 * this.bytes.length + extra);
      larger.set(this.bytes.subarray(0, this.at));
      this.bytes = larger;
    }
  }

  /** rbsp_trailing_bits(), and the finished RBSP, valid until the next start. */
  finish(): Uint8Array {
    this.put(1, 1);
    const used = 32 - this.free;
    const word = this.free === 32 ? 0 : this.accumulator << this.free;
    for (let bit = 0; bit < used; bit += 8) {
      this.bytes[this.at++] = word >>> (24 - bit);
    }
    return this.bytes.subarray(0, this.at);
  }
}

const { clz32 } = Math;
