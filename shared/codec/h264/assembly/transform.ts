// Inverse transforms (8.5.12.2, 8.5.13) with reconstruction (8.5.14): the same kernels as kernels/transform-kernels.ts in 16-bit lanes.
//
// 4x4 blocks are done in pairs: eight lanes hold one row (or column) of two horizontal neighbours A and B. A block without coefficients
// adds zero, so half-empty pairs need no case of their own.

import { Lanes } from './lanes';

class Half {
  // lo16(a, b) = a0 b0 a1 b1 a2 b2 a3 b3, hi16 the upper four of each; lo32, lo64 likewise with wider units
  // @ts-ignore: decorator
  @inline static lo16(a: v128, b: v128): v128 {
    return v128.shuffle<u16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  }
  // @ts-ignore: decorator
  @inline static hi16(a: v128, b: v128): v128 {
    return v128.shuffle<u16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  }
  // @ts-ignore: decorator
  @inline static lo32(a: v128, b: v128): v128 {
    return v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  }
  // @ts-ignore: decorator
  @inline static hi32(a: v128, b: v128): v128 {
    return v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  }
  // @ts-ignore: decorator
  @inline static lo64(a: v128, b: v128): v128 {
    return v128.shuffle<u64>(a, b, 0, 2);
  }
  // @ts-ignore: decorator
  @inline static hi64(a: v128, b: v128): v128 {
    return v128.shuffle<u64>(a, b, 1, 3);
  }

  /** dst row += (residual + 32) >> 6, clipped; `width` 4 or 8 samples. */
  // @ts-ignore: decorator
  @inline static addRow(dst: usize, residual: v128, width: i32): void {
    const r = i16x8.shr_s(i16x8.add(residual, i16x8.splat(32)), 6);
    const predicted = width == 8 ? Lanes.widen(dst) : i16x8.extend_low_i8x16_u(v128.load32_zero(dst));
    Lanes.store(dst, Lanes.clip8(i16x8.add_sat_s(predicted, r)), width);
  }
}

/** Blocks A at a and B at b, side by side at dst; with width 4 only A, and b is not read. */
// @ts-ignore: decorator
@inline
function addPair(dst: usize, stride: usize, a: usize, b: usize, width: i32): void {
  const zero = i16x8.splat(0);
  const a01 = v128.load(a); // A rows 0 and 1
  const a23 = v128.load(a, 16);
  v128.store(a, zero);
  v128.store(a, zero, 16);
  // transpose: columns of A, two per vector
  let s = Half.lo16(a01, a23); // a00 a20 a01 a21 a02 a22 a03 a23
  let t = Half.hi16(a01, a23); // a10 a30 a11 a31 a12 a32 a13 a33
  const columnsA01 = Half.lo16(s, t);
  const columnsA23 = Half.hi16(s, t);
  let columnsB01 = zero;
  let columnsB23 = zero;
  if (width == 8) {
    const b01 = v128.load(b);
    const b23 = v128.load(b, 16);
    v128.store(b, zero);
    v128.store(b, zero, 16);
    s = Half.lo16(b01, b23);
    t = Half.hi16(b01, b23);
    columnsB01 = Half.lo16(s, t);
    columnsB23 = Half.hi16(s, t);
  }
  const d0 = Half.lo64(columnsA01, columnsB01);
  const d1 = Half.hi64(columnsA01, columnsB01);
  const d2 = Half.lo64(columnsA23, columnsB23);
  const d3 = Half.hi64(columnsA23, columnsB23);
  // rows first (8-338 to 8-345)
  let e0 = i16x8.add(d0, d2);
  let e1 = i16x8.sub(d0, d2);
  let e2 = i16x8.sub(i16x8.shr_s(d1, 1), d3);
  let e3 = i16x8.add(d1, i16x8.shr_s(d3, 1));
  const f0 = i16x8.add(e0, e3); // column 0 of A's rows 0..3, then of B's
  const f1 = i16x8.add(e1, e2);
  const f2 = i16x8.sub(e1, e2);
  const f3 = i16x8.sub(e0, e3);
  // transpose back: each vector one row of A and B
  s = Half.lo16(f0, f2); // A: r00 r02 r10 r12 r20 r22 r30 r32
  t = Half.lo16(f1, f3); // A: r01 r03 r11 r13 r21 r23 r31 r33
  const rowsA01 = Half.lo16(s, t);
  const rowsA23 = Half.hi16(s, t);
  s = Half.hi16(f0, f2);
  t = Half.hi16(f1, f3);
  const rowsB01 = Half.lo16(s, t);
  const rowsB23 = Half.hi16(s, t);
  const g0 = Half.lo64(rowsA01, rowsB01);
  const g1 = Half.hi64(rowsA01, rowsB01);
  const g2 = Half.lo64(rowsA23, rowsB23);
  const g3 = Half.hi64(rowsA23, rowsB23);
  // columns (8-346 to 8-353)
  e0 = i16x8.add(g0, g2);
  e1 = i16x8.sub(g0, g2);
  e2 = i16x8.sub(i16x8.shr_s(g1, 1), g3);
  e3 = i16x8.add(g1, i16x8.shr_s(g3, 1));
  Half.addRow(dst, i16x8.add(e0, e3), width);
  Half.addRow(dst + stride, i16x8.add(e1, e2), width);
  Half.addRow(dst + 2 * stride, i16x8.sub(e1, e2), width);
  Half.addRow(dst + 3 * stride, i16x8.sub(e0, e3), width);
}

export function inverseTransform4x4Add(dst: usize, stride: usize, coefficients: usize): void {
  addPair(dst, stride, coefficients, 0, 4);
}

export function inverseTransform4x4DcAdd(dst: usize, stride: usize, coefficients: usize): void {
  const dc = v128.load16_splat(coefficients);
  store<u16>(coefficients, 0);
  for (let y = 0; y < 4; y++) {
    Half.addRow(dst, dc, 4);
    dst += stride;
  }
}

/** Two neighbours of which neither has more than a DC. */
// @ts-ignore: decorator
@inline
function addDcPair(dst: usize, stride: usize, a: usize, b: usize): void {
  const dc = Half.lo64(v128.load16_splat(a), v128.load16_splat(b));
  store<u16>(a, 0);
  store<u16>(b, 0);
  for (let y = 0; y < 4; y++) {
    Half.addRow(dst, dc, 8);
    dst += stride;
  }
}

/** Two neighbouring blocks whose coefficients lie one after the other; `has` and `dcOnly` are two bits each. */
function addMaskedPair(dst: usize, stride: usize, coefficients: usize, has: i32, dcOnly: i32): void {
  if (has == 3) {
    if (dcOnly == 3) {
      addDcPair(dst, stride, coefficients, coefficients + 32);
    } else {
      addPair(dst, stride, coefficients, coefficients + 32, 8);
    }
    return;
  }
  if (has == 0) return;
  // one block alone: the other may hold unused data, so it is left alone
  const at = has == 2 ? coefficients + 32 : coefficients;
  const to = has == 2 ? dst + 4 : dst;
  if ((has & dcOnly) != 0) {
    inverseTransform4x4DcAdd(to, stride, at);
  } else {
    inverseTransform4x4Add(to, stride, at);
  }
}

export function inverseTransformLumaAdd(
  dst: usize, stride: usize, coefficients: usize, mask: i32, dcOnlyMask: i32,
): void {
  // pair i is luma4x4BlkIdx 2i and 2i + 1 (6.4.3)
  for (let i: usize = 0; i < 8; i++) {
    const has = (mask >> (<i32>i << 1)) & 3;
    if (has != 0) {
      const x = (i & 2) << 2;
      const y = ((i & 1) << 2) | ((i & 4) << 1);
      addMaskedPair(dst + y * stride + x, stride, coefficients + 64 * i, has, (dcOnlyMask >> (<i32>i << 1)) & 3);
    }
  }
}

export function inverseTransformChromaAdd(
  dst: usize, stride: usize, coefficients: usize, mask: i32, dcOnlyMask: i32,
): void {
  addMaskedPair(dst, stride, coefficients, mask & 3, dcOnlyMask & 3);
  addMaskedPair(dst + 4 * stride, stride, coefficients + 64, (mask >> 2) & 3, (dcOnlyMask >> 2) & 3);
}

export function inverseTransform8x8DcAdd(dst: usize, stride: usize, coefficients: usize): void {
  const dc = v128.load16_splat(coefficients);
  store<u16>(coefficients, 0);
  for (let y = 0; y < 8; y++) {
    Half.addRow(dst, dc, 8);
    dst += stride;
  }
}

/** One dimension of the 8x8 transform at `at`: eight vectors 16 bytes apart, in place, then transposed. */
// @ts-ignore: decorator
@inline
function transform8(at: usize, transposed: bool, dst: usize, stride: usize): void {
  const d0 = v128.load(at);
  const d1 = v128.load(at, 16);
  const d2 = v128.load(at, 32);
  const d3 = v128.load(at, 48);
  const d4 = v128.load(at, 64);
  const d5 = v128.load(at, 80);
  const d6 = v128.load(at, 96);
  const d7 = v128.load(at, 112);
  const e0 = i16x8.add(d0, d4);
  const e1 = i16x8.sub(i16x8.sub(i16x8.sub(d5, d3), d7), i16x8.shr_s(d7, 1));
  const e2 = i16x8.sub(d0, d4);
  const e3 = i16x8.sub(i16x8.sub(i16x8.add(d1, d7), d3), i16x8.shr_s(d3, 1));
  const e4 = i16x8.sub(i16x8.shr_s(d2, 1), d6);
  const e5 = i16x8.add(i16x8.add(i16x8.sub(d7, d1), d5), i16x8.shr_s(d5, 1));
  const e6 = i16x8.add(d2, i16x8.shr_s(d6, 1));
  const e7 = i16x8.add(i16x8.add(i16x8.add(d3, d5), d1), i16x8.shr_s(d1, 1));
  const f0 = i16x8.add(e0, e6);
  const f1 = i16x8.add(e1, i16x8.shr_s(e7, 2));
  const f2 = i16x8.add(e2, e4);
  const f3 = i16x8.add(e3, i16x8.shr_s(e5, 2));
  const f4 = i16x8.sub(e2, e4);
  const f5 = i16x8.sub(i16x8.shr_s(e3, 2), e5);
  const f6 = i16x8.sub(e0, e6);
  const f7 = i16x8.sub(e7, i16x8.shr_s(e1, 2));
  const g0 = i16x8.add(f0, f7);
  const g1 = i16x8.add(f2, f5);
  const g2 = i16x8.add(f4, f3);
  const g3 = i16x8.add(f6, f1);
  const g4 = i16x8.sub(f6, f1);
  const g5 = i16x8.sub(f4, f3);
  const g6 = i16x8.sub(f2, f5);
  const g7 = i16x8.sub(f0, f7);
  if (!transposed) {
    Half.addRow(dst, g0, 8);
    Half.addRow(dst + stride, g1, 8);
    Half.addRow(dst + 2 * stride, g2, 8);
    Half.addRow(dst + 3 * stride, g3, 8);
    Half.addRow(dst + 4 * stride, g4, 8);
    Half.addRow(dst + 5 * stride, g5, 8);
    Half.addRow(dst + 6 * stride, g6, 8);
    Half.addRow(dst + 7 * stride, g7, 8);
    return;
  }
  store8x8Transposed(at, g0, g1, g2, g3, g4, g5, g6, g7);
}

/** Writes the transpose of the 8x8 matrix of rows g0..g7 to `at`, rows 16 bytes apart. */
// @ts-ignore: decorator
@inline
function store8x8Transposed(
  at: usize, g0: v128, g1: v128, g2: v128, g3: v128, g4: v128, g5: v128, g6: v128, g7: v128,
): void {
  const a0 = Half.lo16(g0, g1);
  const a1 = Half.hi16(g0, g1);
  const a2 = Half.lo16(g2, g3);
  const a3 = Half.hi16(g2, g3);
  const a4 = Half.lo16(g4, g5);
  const a5 = Half.hi16(g4, g5);
  const a6 = Half.lo16(g6, g7);
  const a7 = Half.hi16(g6, g7);
  const b0 = Half.lo32(a0, a2); // columns 0 and 1 of rows 0..3
  const b1 = Half.hi32(a0, a2);
  const b2 = Half.lo32(a1, a3);
  const b3 = Half.hi32(a1, a3);
  const b4 = Half.lo32(a4, a6); // columns 0 and 1 of rows 4..7
  const b5 = Half.hi32(a4, a6);
  const b6 = Half.lo32(a5, a7);
  const b7 = Half.hi32(a5, a7);
  v128.store(at, Half.lo64(b0, b4));
  v128.store(at, Half.hi64(b0, b4), 16);
  v128.store(at, Half.lo64(b1, b5), 32);
  v128.store(at, Half.hi64(b1, b5), 48);
  v128.store(at, Half.lo64(b2, b6), 64);
  v128.store(at, Half.hi64(b2, b6), 80);
  v128.store(at, Half.lo64(b3, b7), 96);
  v128.store(at, Half.hi64(b3, b7), 112);
}

export function inverseTransform8x8Add(dst: usize, stride: usize, coefficients: usize): void {
  store8x8Transposed(
    coefficients,
    v128.load(coefficients),
    v128.load(coefficients, 16),
    v128.load(coefficients, 32),
    v128.load(coefficients, 48),
    v128.load(coefficients, 64),
    v128.load(coefficients, 80),
    v128.load(coefficients, 96),
    v128.load(coefficients, 112),
  );
  transform8(coefficients, true, 0, 0);
  transform8(coefficients, false, dst, stride);
  memory.fill(coefficients, 0, 128);
}
