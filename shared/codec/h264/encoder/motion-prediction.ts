// Prediction of motion vectors from neighbouring partitions (8.4.1.1, 8.4.1.3), progressive pictures. Called by mode decision
// before each search; which neighbour C exists inside a macroblock is known from the partition's place.

import {
  type MacroblockState,
  mvX,
  mvY,
  P_16X16,
  P_16X8,
  P_8X16,
  packMv,
  REF_UNAVAILABLE,
  SENTINEL,
} from '../macroblock/coding-state.ts';

const median = (a: number, b: number, c: number): number =>
  a > b ? (b > c ? b : a > c ? c : a) : a > c ? a : b > c ? c : b;

/** Predicts vectors for the current macroblock of a state; results are left in x and y (quarter samples). */
export class MotionPredictor {
  x = 0;
  y = 0;
  private readonly state: MacroblockState;

  constructor(state: MacroblockState) {
    this.state = state;
  }

  /** mvpLX (8.4.1.3) of partition `index` of a macroblock partitioned as `partition`, referring to `ref`. */
  predict(partition: number, index: number, ref: number): void {
    const { cell, stride, hasTop } = this.state;
    if (partition === P_16X16) {
      this.median(ref, cell - 1, hasTop ? cell - stride : SENTINEL, this.cornerOf(cell, 4));
      return;
    }
    if (partition === P_16X8) {
      this.predict16x8(index, ref);
      return;
    }
    if (partition === P_8X16) {
      this.predict8x16(index, ref);
      return;
    }
    const at = cell + ((index & 1) << 1) + (index >> 1) * 2 * stride;
    if (index < 2) {
      this.median(ref, at - 1, hasTop ? at - stride : SENTINEL, this.cornerOf(at, 2));
    } else if (index === 2) {
      this.median(ref, at - 1, at - stride, at - stride + 2);
    } else {
      this.median(ref, at - 1, at - stride, at - stride - 1);
    }
  }

  /** The vector of P_Skip (8.4.1.1). */
  predictSkip(): void {
    const { cell, stride, hasTop, hasLeft, ref, mv } = this.state;
    const a = cell - 1;
    const b = cell - stride;
    if (!hasLeft || !hasTop || (ref[a] === 0 && mv[a] === 0) || (ref[b] === 0 && mv[b] === 0)) {
      this.x = 0;
      this.y = 0;
      return;
    }
    this.median(0, a, b, this.cornerOf(cell, 4));
  }

  /** Cell of neighbour C above right of a partition in the first row of its macroblock, or of D where C is not available. */
  private cornerOf(at: number, width: number): number {
    const { state } = this;
    if (!state.hasTop) {
      return SENTINEL;
    }
    const c = at - state.stride + width;
    return state.ref[c] === REF_UNAVAILABLE ? at - state.stride - 1 : c;
  }

  private predict16x8(index: number, ref: number): void {
    const { cell, stride, hasTop } = this.state;
    if (index === 0) {
      const b = hasTop ? cell - stride : SENTINEL;
      if (this.state.ref[b] === ref) {
        this.take(b);
      } else {
        this.median(ref, cell - 1, b, this.cornerOf(cell, 4));
      }
      return;
    }
    const at = cell + 2 * stride;
    if (this.state.ref[at - 1] === ref) {
      this.take(at - 1);
    } else {
      this.median(ref, at - 1, at - stride, at - stride - 1);
    }
  }

  private predict8x16(index: number, ref: number): void {
    const { cell, stride, hasTop } = this.state;
    if (index === 0) {
      if (this.state.ref[cell - 1] === ref) {
        this.take(cell - 1);
      } else {
        this.median(ref, cell - 1, hasTop ? cell - stride : SENTINEL, this.cornerOf(cell, 2));
      }
      return;
    }
    const at = cell + 2;
    const c = this.cornerOf(at, 2);
    if (this.state.ref[c] === ref) {
      this.take(c);
    } else {
      this.median(ref, at - 1, hasTop ? at - stride : SENTINEL, c);
    }
  }

  private take(at: number): void {
    const vector = this.state.mv[at];
    this.x = mvX(vector);
    this.y = mvY(vector);
  }

  /** 8.4.1.3.1 and 8.4.1.3.2 for neighbour cells a, b and c (already replaced by D where needed). */
  private median(ref: number, a: number, b: number, c: number): void {
    const refs = this.state.ref;
    const refA = refs[a];
    const refB = refs[b];
    const refC = refs[c];
    if (refB === REF_UNAVAILABLE && refC === REF_UNAVAILABLE && refA !== REF_UNAVAILABLE) {
      this.take(a);
      return;
    }
    const matches = (refA === ref ? 1 : 0) + (refB === ref ? 1 : 0) + (refC === ref ? 1 : 0);
    if (matches === 1) {
      this.take(refA === ref ? a : refB === ref ? b : c);
      return;
    }
    const { mv } = this.state;
    const va = mv[a];
    const vb = mv[b];
    const vc = mv[c];
    this.x = median(mvX(va), mvX(vb), mvX(vc));
    this.y = median(mvY(va), mvY(vb), mvY(vc));
  }

  /** The prediction as a packed vector. */
  get packed(): number {
    return packMv(this.x, this.y);
  }
}
