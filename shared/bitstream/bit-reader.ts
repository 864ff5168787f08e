// Reads bits, most significant first, from an RBSP (emulation prevention bytes already removed). Clause 7.2.
// Called by the syntax parsers and by the CAVLC slice data decoder. Reading past the end throws BitstreamError 'truncated'.

import { BitstreamError } from '../errors.ts';

const { clz32 } = Math;

/** A cursor over the bits of one RBSP. */
export class BitReader {
  readonly data: Uint8Array;
  /** Bits consumed from the start of `data`. */
  position: number;
  /** Number of bits in `data`. */
  readonly length: number;

  /** Position of the last 1 bit, the rbsp_stop_one_bit. */
  readonly lastOne: number;

  /** Reads the first `byteLength` bytes of `data`, which may be longer (fast reading looks up to 4 bytes ahead). */
  constructor(data: Uint8Array, position = 0, byteLength = data.length) {
    this.data = data;
    this.position = position;
    this.length = byteLength * 8;
    this.lastOne = lastOneBit(data, byteLength);
  }

  /** Bits that are left. */
  get remaining(): number {
    return this.length - this.position;
  }

  /** The next 32 bits without consuming them, as an Int32; zeros after the end. */
  peek32(): number {
    const { data, position } = this;
    const byte = position >>> 3;
    const shift = position & 7;
    const word = (data[byte] << 24) | (data[byte + 1] << 16) | (data[byte + 2] << 8) | data[byte + 3];
    return shift === 0 ? word : (word << shift) | (data[byte + 4] >>> (8 - shift));
  }

  /** u(n), n = 0..32. */
  bits(count: number): number {
    if (count === 0) {
      return 0;
    }
    const position = this.position;
    if (position + count > this.length) {
      throw new BitstreamError('truncated', '7.2', position, `The data ends within a field of ${count} bits.`);
    }
    const value = this.peek32() >>> (32 - count);
    this.position = position + count;
    return value;
  }

  /** u(1) as a claim. */
  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** ue(v), 0..2^32-2 (9.1). */
  ue(): number {
    const word = this.peek32();
    const zeros = word === 0 ? 32 : clz32(word);
    if (zeros > 31) {
      return this.longUe();
    }
    if (zeros <= 15) {
      const position = this.position + 2 * zeros + 1;
      if (position > this.length) {
        throw new BitstreamError('truncated', '9.1', this.position, 'The data ends within an Exp-Golomb code.');
      }
      this.position = position;
      return (word >>> (31 - 2 * zeros)) - 1;
    }
    this.skip(zeros + 1);
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** se(v), -(2^31-1)..2^31-1 (9.1.1). */
  se(): number {
    const codeNum = this.ue();
    // 0 - x instead of -x: no negative zero.
    return (codeNum & 1) === 1 ? (codeNum + 1) / 2 : 0 - codeNum / 2;
  }

  /** te(v) with the largest value `range` >= 1 (9.1). */
  te(range: number): number {
    return range > 1 ? this.ue() : 1 - this.bits(1);
  }

  /** Consumes `count` bits. */
  skip(count: number): void {
    if (this.position + count > this.length) {
      throw new BitstreamError('truncated', '7.2', this.position, `The data ends ${count} bits too early.`);
    }
    this.position += count;
  }

  /** Moves to the next byte boundary. */
  align(): void {
    this.position = (this.position + 7) & ~7;
  }

  get isAligned(): boolean {
    return (this.position & 7) === 0;
  }

  /** more_rbsp_data() (7.2): there is something before the last 1 bit. */
  moreRbspData(): boolean {
    return this.position < this.lastOne;
  }

  private longUe(): number {
    if (this.remaining < 33) {
      throw new BitstreamError('truncated', '9.1', this.position, 'The data ends within an Exp-Golomb code.');
    }
    throw new BitstreamError('forbidden-value', '9.1', this.position, 'An Exp-Golomb code has more than 31 zeros.');
  }
}

/** Bit position of the last 1 bit of an RBSP, its rbsp_stop_one_bit; 0 when there is none. */
function lastOneBit(data: Uint8Array, byteLength = data.length): number {
  let last = byteLength - 1;
  while (last >= 0 && data[last] === 0) {
    last--;
  }
  if (last < 0) {
    return 0;
  }
  const byte = data[last];
  return last * 8 + 7 - (31 - clz32(byte & -byte));
}
