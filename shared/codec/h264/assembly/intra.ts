// Intra prediction (8.3.1.2, 8.3.2.2, 8.3.3, 8.3.4): the same kernels as kernels/intra-kernels.ts.
//
// The diagonal modes of 4x4 and 8x8 blocks are windows sliding over one sequence of filtered neighbours. The neighbours of an NxN
// block are laid out from bottom left to top right, e = L(N-1) ... L1 L0 C T0 T1 ..., then
//   f2[i] = (e[i] + e[i+1] + 1) >> 1           between two neighbours
//   f3[i] = (e[i] + 2e[i+1] + e[i+2] + 2) >> 2  centred on neighbour i + 1
// and each row of the prediction is a run of these bytes, taken out of 64-bit words.

import { AVAILABLE_LEFT, AVAILABLE_TOP, AVAILABLE_TOP_LEFT, AVAILABLE_TOP_RIGHT } from './layout';

const ONES_32: u32 = 0x01010101;
const ONES_64: u64 = 0x0101010101010101;

class Edge {
  /** (a + 2b + c + 2) >> 2 of bytes: the rounded mean of b and the mean of a and c rounded down. */
  // @ts-ignore: decorator
  @inline static tap3(a: v128, b: v128, c: v128): v128 {
    const rounded = i8x16.avgr_u(a, c);
    const floor = i8x16.sub(rounded, v128.and(v128.xor(a, c), i8x16.splat(1)));
    return i8x16.avgr_u(floor, b);
  }

  /** Bytes 1..16 of the 32 bytes a, b. */
  // @ts-ignore: decorator
  @inline static next1(a: v128, b: v128): v128 {
    return v128.shuffle<u8>(a, b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
  }
  // @ts-ignore: decorator
  @inline static next2(a: v128, b: v128): v128 {
    return v128.shuffle<u8>(a, b, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17);
  }

  /** f2[0], f3[0], f2[1], f3[1], ... f3[7] */
  // @ts-ignore: decorator
  @inline static alternate(f2: v128, f3: v128): v128 {
    return v128.shuffle<u8>(f2, f3, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  }

  // @ts-ignore: decorator
  @inline static low(v: v128): u64 {
    return i64x2.extract_lane(v, 0);
  }
  // @ts-ignore: decorator
  @inline static high(v: v128): u64 {
    return i64x2.extract_lane(v, 1);
  }

  /** Bytes k..k+7 of the 16 bytes a, b; k is 0..7. */
  // @ts-ignore: decorator
  @inline static window(a: u64, b: u64, k: u64): u64 {
    return (a >> (8 * k)) | ((b << 1) << (63 - 8 * k));
  }

  /** The four samples left of the block, top one lowest. */
  // @ts-ignore: decorator
  @inline static left4(dst: usize, stride: usize): u32 {
    const p = dst - 1;
    return (
      <u32>load<u8>(p) |
      (<u32>load<u8>(p + stride) << 8) |
      (<u32>load<u8>(p + 2 * stride) << 16) |
      (<u32>load<u8>(p + 3 * stride) << 24)
    );
  }

  /** The eight samples left of the block. */
  // @ts-ignore: decorator
  @inline static left8(dst: usize, stride: usize): u64 {
    return <u64>Edge.left4(dst, stride) | (<u64>Edge.left4(dst + 4 * stride, stride) << 32);
  }

  /** Sum of the eight bytes of a word. */
  // @ts-ignore: decorator
  @inline static sum8(word: u64): u32 {
    const pairs = (word & 0x00ff00ff00ff00ff) + ((word >> 8) & 0x00ff00ff00ff00ff);
    return <u32>((pairs * 0x0001000100010001) >> 48);
  }

  // @ts-ignore: decorator
  @inline static sum4(word: u32): u32 {
    return Edge.sum8(<u64>word);
  }
}

export function predictIntra4x4(dst: usize, stride: usize, mode: i32, available: i32): void {
  const above = dst - stride;
  let row0: u32 = 0;
  let row1: u32 = 0;
  let row2: u32 = 0;
  let row3: u32 = 0;
  switch (mode) {
    case 0: {
      row0 = row1 = row2 = row3 = load<u32>(above);
      break;
    }
    case 1: {
      row0 = <u32>load<u8>(dst - 1) * ONES_32;
      row1 = <u32>load<u8>(dst + stride - 1) * ONES_32;
      row2 = <u32>load<u8>(dst + 2 * stride - 1) * ONES_32;
      row3 = <u32>load<u8>(dst + 3 * stride - 1) * ONES_32;
      break;
    }
    case 2: {
      let dc: u32 = 128;
      const hasTop = (available & AVAILABLE_TOP) != 0;
      const hasLeft = (available & AVAILABLE_LEFT) != 0;
      if (hasTop && hasLeft) {
        dc = (Edge.sum4(load<u32>(above)) + Edge.sum4(Edge.left4(dst, stride)) + 4) >> 3;
      } else if (hasLeft) {
        dc = (Edge.sum4(Edge.left4(dst, stride)) + 2) >> 2;
      } else if (hasTop) {
        dc = (Edge.sum4(load<u32>(above)) + 2) >> 2;
      }
      row0 = row1 = row2 = row3 = dc * ONES_32;
      break;
    }
    case 3:
    case 7: {
      const top = load<u32>(above);
      const right = (available & AVAILABLE_TOP_RIGHT) != 0 ? load<u32>(above + 4) : (top >> 24) * ONES_32;
      // T0..T7, then T7 again
      const e = i64x2.replace_lane(i64x2.splat((<u64>right << 32) | <u64>top), 1, <u64>(right >> 24) * ONES_64);
      const e1 = Edge.next1(e, e);
      const f3 = Edge.low(Edge.tap3(e, e1, Edge.next2(e, e)));
      if (mode == 3) {
        row0 = <u32>f3;
        row1 = <u32>(f3 >> 8);
        row2 = <u32>(f3 >> 16);
        row3 = <u32>(f3 >> 24);
      } else {
        const f2 = Edge.low(i8x16.avgr_u(e, e1));
        row0 = <u32>f2;
        row1 = <u32>f3;
        row2 = <u32>(f2 >> 8);
        row3 = <u32>(f3 >> 8);
      }
      break;
    }
    case 8: {
      const left = Edge.left4(dst, stride);
      // L0..L3, then L3 again
      const e = i64x2.splat((<u64>((left >> 24) * ONES_32) << 32) | <u64>left);
      const e1 = v128.shuffle<u8>(e, e, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7);
      const e2 = v128.shuffle<u8>(e, e, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7);
      const run = Edge.low(Edge.alternate(i8x16.avgr_u(e, e1), Edge.tap3(e, e1, e2)));
      row0 = <u32>run;
      row1 = <u32>(run >> 16);
      row2 = <u32>(run >> 32);
      row3 = (left >> 24) * ONES_32;
      break;
    }
    default: {
      // L3 L2 L1 L0 C T0 T1 T2 | T3
      const left = <u64>bswap<u32>(Edge.left4(dst, stride));
      const topAndCorner = load<u32>(above - 1);
      const e = i64x2.replace_lane(
        i64x2.splat(left | (<u64>topAndCorner << 32)),
        1,
        <u64>load<u8>(above + 3),
      );
      const e1 = Edge.next1(e, e);
      const f3 = Edge.low(Edge.tap3(e, e1, Edge.next2(e, e)));
      const f2 = Edge.low(i8x16.avgr_u(e, e1));
      if (mode == 4) {
        row0 = <u32>(f3 >> 24);
        row1 = <u32>(f3 >> 16);
        row2 = <u32>(f3 >> 8);
        row3 = <u32>f3;
      } else if (mode == 5) {
        row0 = <u32>(f2 >> 32); // from C, T0 on
        row1 = <u32>(f3 >> 24); // centred on C and on
        row2 = (row0 << 8) | (<u32>(f3 >> 16) & 255); // L0 enters
        row3 = (row1 << 8) | (<u32>(f3 >> 8) & 255); // L1 enters
      } else {
        const run = Edge.low(Edge.alternate(i64x2.splat(f2), i64x2.splat(f3))); // ends with L0 C, C
        row3 = <u32>run;
        row2 = <u32>(run >> 16);
        row1 = <u32>(run >> 32);
        row0 = <u32>(run >> 48) | (<u32>(f3 >> 32) << 16);
      }
    }
  }
  store<u32>(dst, row0);
  store<u32>(dst + stride, row1);
  store<u32>(dst + 2 * stride, row2);
  store<u32>(dst + 3 * stride, row3);
}

/** The same eight bytes in each of eight rows. */
// @ts-ignore: decorator
@inline
function fill8(dst: usize, stride: usize, word: u64): void {
  for (let y = 0; y < 8; y++) {
    store<u64>(dst, word);
    dst += stride;
  }
}

export function predictIntra8x8(dst: usize, stride: usize, mode: i32, available: i32): void {
  const hasTop = (available & AVAILABLE_TOP) != 0;
  const hasLeft = (available & AVAILABLE_LEFT) != 0;
  const hasCorner = (available & AVAILABLE_TOP_LEFT) != 0;
  const above = dst - stride;
  const c = <u64>load<u8>(above - 1);
  // reference sample filtering (8.3.2.2.1): the three tap filter, the outermost samples repeated
  let t = i64x2.splat(0); // T0..T15
  let t0: u64 = 0;
  if (hasTop) {
    const top = load<u64>(above);
    t0 = top & 255;
    const right = (available & AVAILABLE_TOP_RIGHT) != 0 ? load<u64>(above + 8) : (top >> 56) * ONES_64;
    const raw = i64x2.replace_lane(i64x2.splat(top), 1, right);
    const before = i64x2.replace_lane(
      i64x2.splat((top << 8) | (hasCorner ? c : t0)),
      1,
      (right << 8) | (top >> 56),
    );
    const after = i64x2.replace_lane(
      i64x2.splat((top >> 8) | (right << 56)),
      1,
      (right >> 8) | (right & 0xff00000000000000),
    );
    t = Edge.tap3(before, raw, after);
  }
  let l: u64 = 0; // L0..L7
  let l0: u64 = 0;
  if (hasLeft) {
    const left = Edge.left8(dst, stride);
    l0 = left & 255;
    l = Edge.low(
      Edge.tap3(
        i64x2.splat((left << 8) | (hasCorner ? c : l0)),
        i64x2.splat(left),
        i64x2.splat((left >> 8) | (left & 0xff00000000000000)),
      ),
    );
  }
  switch (mode) {
    case 0: {
      fill8(dst, stride, Edge.low(t));
      return;
    }
    case 1: {
      for (let y = 0; y < 8; y++) {
        store<u64>(dst, (l & 255) * ONES_64);
        l >>= 8;
        dst += stride;
      }
      return;
    }
    case 2: {
      let dc: u32 = 128;
      if (hasTop && hasLeft) {
        dc = (Edge.sum8(Edge.low(t)) + Edge.sum8(l) + 8) >> 4;
      } else if (hasLeft) {
        dc = (Edge.sum8(l) + 4) >> 3;
      } else if (hasTop) {
        dc = (Edge.sum8(Edge.low(t)) + 4) >> 3;
      }
      fill8(dst, stride, <u64>dc * ONES_64);
      return;
    }
    case 3:
    case 7: {
      const last = i8x16.splat(<i8>(Edge.high(t) >> 56));
      const e1 = Edge.next1(t, last);
      const f3 = Edge.tap3(t, e1, Edge.next2(t, last));
      const f3Low = Edge.low(f3);
      const f3High = Edge.high(f3);
      if (mode == 3) {
        for (let y: u64 = 0; y < 8; y++) {
          store<u64>(dst, Edge.window(f3Low, f3High, y));
          dst += stride;
        }
      } else {
        const f2 = i8x16.avgr_u(t, e1);
        const f2Low = Edge.low(f2);
        const f2High = Edge.high(f2);
        for (let y: u64 = 0; y < 4; y++) {
          store<u64>(dst, Edge.window(f2Low, f2High, y));
          store<u64>(dst + stride, Edge.window(f3Low, f3High, y));
          dst += 2 * stride;
        }
      }
      return;
    }
    case 8: {
      const last = (l >> 56) * ONES_64;
      const e = i64x2.replace_lane(i64x2.splat(l), 1, last);
      const pad = i64x2.splat(last);
      const e1 = Edge.next1(e, pad);
      const run = Edge.alternate(i8x16.avgr_u(e, e1), Edge.tap3(e, e1, Edge.next2(e, pad)));
      const low = Edge.low(run);
      const high = Edge.high(run);
      for (let y: u64 = 0; y < 4; y++) {
        store<u64>(dst, Edge.window(low, high, 2 * y));
        store<u64>(dst + 4 * stride, Edge.window(high, last, 2 * y));
        dst += stride;
      }
      return;
    }
  }
  // modes 4, 5 and 6 have all neighbours: L7 ... L0 C T0 ... T6 | T7 T8
  const corner = (t0 + 2 * c + l0 + 2) >> 2;
  const tLow = Edge.low(t);
  const e = i64x2.replace_lane(i64x2.splat(bswap<u64>(l)), 1, (tLow << 8) | corner);
  const rest = i64x2.splat(tLow >> 56);
  const e1 = Edge.next1(e, rest);
  const f2 = i8x16.avgr_u(e, e1);
  const f3 = Edge.tap3(e, e1, Edge.next2(e, rest));
  if (mode == 4) {
    const low = Edge.low(f3);
    const high = Edge.high(f3);
    for (let y: u64 = 0; y < 8; y++) {
      store<u64>(dst, Edge.window(low, high, 7 - y));
      dst += stride;
    }
  } else if (mode == 5) {
    // even rows: f3 on L4 L2 L0, then f2 from C on; odd rows: f3 on L5 L3 L1, then f3 from C on
    const even = v128.shuffle<u8>(f3, f2, 2, 4, 6, 24, 25, 26, 27, 28, 29, 30, 31, 31, 31, 31, 31, 31);
    const odd = v128.shuffle<u8>(f3, f3, 1, 3, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15, 15, 15, 15);
    for (let y: u64 = 0; y < 4; y++) {
      store<u64>(dst, Edge.window(Edge.low(even), Edge.high(even), 3 - y));
      store<u64>(dst + stride, Edge.window(Edge.low(odd), Edge.high(odd), 3 - y));
      dst += 2 * stride;
    }
  } else {
    const run = Edge.alternate(f2, f3); // ... f2 of L0 C, f3 on C; then f3 on T0 ...
    const low = Edge.low(run);
    const high = Edge.high(run);
    const beyond = Edge.high(f3);
    for (let y: u64 = 0; y < 4; y++) {
      store<u64>(dst, Edge.window(high, beyond, 6 - 2 * y));
      store<u64>(dst + 4 * stride, Edge.window(low, high, 6 - 2 * y));
      dst += stride;
    }
  }
}

/** Sum of the eight signed 32-bit products a * b in pairs. */
// @ts-ignore: decorator
@inline
function dotSum(a: v128, b: v128): i32 {
  const s = i32x4.dot_i16x8_s(a, b);
  return (
    i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1) + i32x4.extract_lane(s, 2) + i32x4.extract_lane(s, 3)
  );
}

export function predictIntra16x16(dst: usize, stride: usize, mode: i32, available: i32): void {
  const above = dst - stride;
  switch (mode) {
    case 0: {
      const top = v128.load(above);
      for (let y = 0; y < 16; y++) {
        v128.store(dst, top);
        dst += stride;
      }
      return;
    }
    case 1: {
      for (let y = 0; y < 16; y++) {
        v128.store(dst, v128.load8_splat(dst - 1));
        dst += stride;
      }
      return;
    }
    case 2: {
      const hasTop = (available & AVAILABLE_TOP) != 0;
      const hasLeft = (available & AVAILABLE_LEFT) != 0;
      let sum: u32 = 0;
      if (hasTop) sum += Edge.sum8(load<u64>(above)) + Edge.sum8(load<u64>(above + 8));
      if (hasLeft) sum += Edge.sum8(Edge.left8(dst, stride)) + Edge.sum8(Edge.left8(dst + 8 * stride, stride));
      let dc: u32 = 128;
      if (hasTop && hasLeft) {
        dc = (sum + 16) >> 5;
      } else if (hasTop || hasLeft) {
        dc = (sum + 8) >> 4;
      }
      const row = i8x16.splat(<i8>dc);
      for (let y = 0; y < 16; y++) {
        v128.store(dst, row);
        dst += stride;
      }
      return;
    }
  }
  // plane (8-118 to 8-123)
  const falling = i16x8(8, 7, 6, 5, 4, 3, 2, 1);
  const rising = i16x8(1, 2, 3, 4, 5, 6, 7, 8);
  const corner = <u64>load<u8>(above - 1);
  const upper = (Edge.left8(dst, stride) << 8) | corner; // p[-1,-1] .. p[-1,6]
  const lower = Edge.left8(dst + 8 * stride, stride); // p[-1,8] .. p[-1,15]
  const H = dotSum(v128.load_ext<u8>(above + 8), rising) - dotSum(v128.load_ext<u8>(above - 1), falling);
  const V =
    dotSum(i16x8.extend_low_i8x16_u(i64x2.splat(lower)), rising) -
    dotSum(i16x8.extend_low_i8x16_u(i64x2.splat(upper)), falling);
  const a = 16 * (<i32>(lower >> 56) + <i32>load<u8>(above + 15));
  const b = (5 * H + 32) >> 6;
  const c = (5 * V + 32) >> 6;
  // all terms fit 16 bits: 8160 + 2 * 8 * 717 + 16
  const slope = i16x8.splat(<i16>b);
  const down = i16x8.splat(<i16>c);
  let left = i16x8.add(i16x8.splat(<i16>(a - 7 * c + 16)), i16x8.mul(slope, i16x8(-7, -6, -5, -4, -3, -2, -1, 0)));
  let right = i16x8.add(left, i16x8.shl(slope, 3));
  for (let y = 0; y < 16; y++) {
    v128.store(dst, i8x16.narrow_i16x8_u(i16x8.shr_s(left, 5), i16x8.shr_s(right, 5)));
    left = i16x8.add(left, down);
    right = i16x8.add(right, down);
    dst += stride;
  }
}

/** DC of one 4x4 chroma block from its sum above and its sum at the left (8.3.4.1 to 8.3.4.3). */
// @ts-ignore: decorator
@inline
function chromaDc(hasTop: bool, hasLeft: bool, top: u32, left: u32, both: bool, preferTop: bool): u64 {
  if (!hasTop && !hasLeft) return 128;
  if (hasTop && hasLeft && both) return (top + left + 4) >> 3;
  const useTop = preferTop ? hasTop : !hasLeft;
  return ((useTop ? top : left) + 2) >> 2;
}

export function predictIntraChroma(dst: usize, stride: usize, mode: i32, available: i32): void {
  const above = dst - stride;
  switch (mode) {
    case 0: {
      const hasTop = (available & AVAILABLE_TOP) != 0;
      const hasLeft = (available & AVAILABLE_LEFT) != 0;
      const t0 = hasTop ? Edge.sum4(load<u32>(above)) : 0;
      const t1 = hasTop ? Edge.sum4(load<u32>(above + 4)) : 0;
      const l0 = hasLeft ? Edge.sum4(Edge.left4(dst, stride)) : 0;
      const l1 = hasLeft ? Edge.sum4(Edge.left4(dst + 4 * stride, stride)) : 0;
      const upper =
        chromaDc(hasTop, hasLeft, t0, l0, true, true) * <u64>ONES_32 |
        ((chromaDc(hasTop, hasLeft, t1, l0, false, true) * <u64>ONES_32) << 32);
      const lower =
        chromaDc(hasTop, hasLeft, t0, l1, false, false) * <u64>ONES_32 |
        ((chromaDc(hasTop, hasLeft, t1, l1, true, true) * <u64>ONES_32) << 32);
      for (let y = 0; y < 4; y++) {
        store<u64>(dst, upper);
        store<u64>(dst + 4 * stride, lower);
        dst += stride;
      }
      return;
    }
    case 1: {
      for (let y = 0; y < 8; y++) {
        store<u64>(dst, <u64>load<u8>(dst - 1) * ONES_64);
        dst += stride;
      }
      return;
    }
    case 2: {
      fill8(dst, stride, load<u64>(above));
      return;
    }
  }
  // plane (8-144 to 8-149) of 8x8: H from p[4..7,-1] and p[2..-1,-1]
  const corner = <u64>load<u8>(above - 1);
  const left = Edge.left8(dst, stride);
  const column = (left << 8) | corner; // p[-1,-1] .. p[-1,6]
  const weights = i16x8(-4, -3, -2, -1, 0, 1, 2, 3);
  const last = <i32>(left >> 56);
  const H = dotSum(v128.load_ext<u8>(above - 1), weights) + 4 * <i32>load<u8>(above + 7);
  const V = dotSum(i16x8.extend_low_i8x16_u(i64x2.splat(column)), weights) + 4 * last;
  const a = 16 * (last + <i32>load<u8>(above + 7));
  const b = (34 * H + 32) >> 6;
  const c = (34 * V + 32) >> 6;
  const down = i16x8.splat(<i16>c);
  let row = i16x8.add(
    i16x8.splat(<i16>(a - 3 * c + 16)),
    i16x8.mul(i16x8.splat(<i16>b), i16x8(-3, -2, -1, 0, 1, 2, 3, 4)),
  );
  for (let y = 0; y < 8; y++) {
    const v = i16x8.shr_s(row, 5);
    v128.store_lane<u64>(dst, i8x16.narrow_i16x8_u(v, v), 0);
    row = i16x8.add(row, down);
    dst += stride;
  }
}
