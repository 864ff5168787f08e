// The arithmetic encoder of CABAC (9.3.4.2 to 9.3.4.5) with its context variables (9.3.1.1). Bits leave the 10-bit register through a
// queue and are stored in whole bytes; a carry runs back through stored 0xff bytes. Called by cabac-encoder.ts; hot.

import {
  CABAC_CONTEXT_INIT_I,
  CABAC_CONTEXT_INIT_PB_0,
  TABLE_9_44_RANGE_LPS,
  TABLE_9_45_TRANS_IDX_LPS,
  TABLE_9_45_TRANS_IDX_MPS,
} from '../tables/cabac.generated.ts';

const { clz32 } = Math;

/** State after a bin: index (pStateIdx << 1 | valMPS) << 1 | bin. */
const NEXT_STATE = new Uint8Array(256);
for (let pStateIdx = 0; pStateIdx < 64; pStateIdx++) {
  for (let valMPS = 0; valMPS < 2; valMPS++) {
    for (let bin = 0; bin < 2; bin++) {
      const isMps = bin === valMPS;
      const next = isMps ? TABLE_9_45_TRANS_IDX_MPS[pStateIdx] : TABLE_9_45_TRANS_IDX_LPS[pStateIdx];
      const mps = !isMps && pStateIdx === 0 ? 1 - valMPS : valMPS;
      NEXT_STATE[(((pStateIdx << 1) | valMPS) << 1) | bin] = (next << 1) | mps;
    }
  }
}

/** Context states at each SliceQPY: 1024 bytes per QP, filled when first needed. */
const INITIAL_STATES = [new Array<Uint8Array | undefined>(52), new Array<Uint8Array | undefined>(52)] as const;

function initialStates(isIntra: boolean, SliceQPY: number): Uint8Array {
  const byQp = INITIAL_STATES[isIntra ? 0 : 1];
  const known = byQp[SliceQPY];
  if (known !== undefined) {
    return known;
  }
  const table = isIntra ? CABAC_CONTEXT_INIT_I : CABAC_CONTEXT_INIT_PB_0;
  const states = new Uint8Array(1024);
  for (let ctxIdx = 0; ctxIdx < 1024; ctxIdx++) {
    const sum = ((table[2 * ctxIdx] * SliceQPY) >> 4) + table[2 * ctxIdx + 1];
    const preCtxState = sum < 1 ? 1 : sum > 126 ? 126 : sum;
    states[ctxIdx] = preCtxState <= 63 ? (63 - preCtxState) << 1 : ((preCtxState - 64) << 1) | 1;
  }
  byQp[SliceQPY] = states;
  return states;
}

/** One arithmetic codeword under construction. */
export class CabacEngine {
  /** pStateIdx << 1 | valMPS of each ctxIdx. */
  readonly states = new Uint8Array(1024);
  private bytes: Uint8Array;
  private at = 0;
  /** codILow and, above its 10 bits, bits that wait for a whole byte. */
  private low = 0;
  private range = 510;
  /** Waiting bits; the very first bit is not written (9.3.4.2, firstBitFlag). */
  private waiting = -1;

  // What mark() keeps.
  private readonly markedStates = new Uint8Array(1024);
  private markedAt = 0;
  private markedByte = 0;
  private markedLow = 0;
  private markedRange = 510;
  private markedWaiting = -1;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Starts after `header`, which ends at a byte boundary. */
  start(header: Uint8Array, isIntra: boolean, SliceQPY: number): void {
    this.states.set(initialStates(isIntra, SliceQPY));
    this.at = 0;
    this.reserve(header.length);
    this.bytes.set(header);
    this.at = header.length;
    this.startCodeWord();
  }

  private startCodeWord(): void {
    this.low = 0;
    this.range = 510;
    this.waiting = -1;
  }

  /** I_PCM, after terminate(1): ends the code word, appends the samples and starts another one behind them, with the same contexts (9.3.1.2). */
  append(samples: Uint8Array): void {
    this.finish();
    this.bytes.set(samples, this.at);
    this.at += samples.length;
    this.startCodeWord();
  }

  /** Bits so far. */
  get position(): number {
    return 8 * this.at + this.waiting + 1;
  }

  /** Makes room for `extra` bytes: once per macroblock. */
  reserve(extra: number): void {
    if (this.at + extra + 8 > this.bytes.length) {
      const larger = new Uint8Array(2 * this.bytes.length + extra);
      larger.set(this.bytes.subarray(0, this.at));
      this.bytes = larger;
    }
  }

  /** Remembers all of the code word so far for takeBack(). */
  mark(): void {
    this.markedStates.set(this.states);
    this.markedAt = this.at;
    this.markedByte = this.bytes[this.at - 1];
    this.markedLow = this.low;
    this.markedRange = this.range;
    this.markedWaiting = this.waiting;
  }

  /** Forgets what was encoded since mark(), a carry into the bytes before it too. */
  takeBack(): void {
    const { bytes } = this;
    this.at = this.markedAt;
    let p = this.at - 1;
    if (bytes[p] !== this.markedByte) {
      while (bytes[p] === 0) {
        bytes[p--] = 255;
      }
      bytes[p]--;
    }
    this.states.set(this.markedStates);
    this.low = this.markedLow;
    this.range = this.markedRange;
    this.waiting = this.markedWaiting;
  }

  /** A bin with the context variable ctxIdx (9.3.4.3). */
  encode(ctxIdx: number, bin: number): void {
    const { states } = this;
    const state = states[ctxIdx];
    const rangeLps = TABLE_9_44_RANGE_LPS[((state >> 1) << 2) | ((this.range >> 6) & 3)];
    let range = this.range - rangeLps;
    if ((state & 1) !== bin) {
      this.low += range;
      range = rangeLps;
    }
    states[ctxIdx] = NEXT_STATE[(state << 1) | bin];
    if (range < 256) {
      const shift = clz32(range) - 23;
      range <<= shift;
      this.low <<= shift;
      this.waiting += shift;
      if (this.waiting >= 8) {
        this.storeByte();
      }
    }
    this.range = range;
  }

  /** A bin of equal probabilities (9.3.4.4). */
  bypass(bin: number): void {
    this.low = (this.low << 1) + (bin !== 0 ? this.range : 0);
    if (++this.waiting >= 8) {
      this.storeByte();
    }
  }

  /** `length` bypass bins, highest bit of `value` first. */
  bypassBits(value: number, length: number): void {
    for (let i = length - 1; i >= 0; i--) {
      this.bypass((value >> i) & 1);
    }
  }

  /** k-th order Exp-Golomb suffix in bypass bins (9.3.2.3). */
  expGolomb(value: number, order: number): void {
    let k = order;
    let rest = value;
    while (rest >= 1 << k) {
      this.bypass(1);
      rest -= 1 << k;
      k++;
    }
    this.bypass(0);
    this.bypassBits(rest, k);
  }

  /** A bin before termination (9.3.4.5): 0 goes on; 1 is followed by finish(). */
  terminate(bin: number): void {
    this.range -= 2;
    if (bin !== 0) {
      this.low += this.range;
      this.range = 2;
    }
    if (this.range < 256) {
      const shift = clz32(this.range) - 23;
      this.range <<= shift;
      this.low <<= shift;
      this.waiting += shift;
      if (this.waiting >= 8) {
        this.storeByte();
      }
    }
  }

  /** EncodeFlush (9.3.4.5): the last bit written is the rbsp_stop_one_bit. Returns the bytes, valid until the next start. */
  finish(): Uint8Array {
    this.low = (this.low | 0x80) << 3;
    this.waiting += 3;
    while (this.waiting >= 8) {
      this.storeByte();
    }
    if (this.waiting > 0) {
      this.low <<= 8 - this.waiting;
      this.waiting = 8;
      this.storeByte();
    }
    return this.bytes.subarray(0, this.at);
  }

  /** Stores the eight oldest waiting bits; a ninth is a carry. */
  private storeByte(): void {
    const shift = this.waiting + 2;
    const byte = this.low >>> shift;
    this.low &= (1 << shift) - 1;
    this.waiting -= 8;
    const { bytes } = this;
    if (byte > 255) {
      let p = this.at - 1;
      while (bytes[p] === 255) {
        bytes[p--] = 0;
      }
      bytes[p]++;
    }
    bytes[this.at++] = byte;
  }
}
