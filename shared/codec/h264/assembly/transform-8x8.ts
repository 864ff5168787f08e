// Forward 8x8 transform with quantisation and scaling, and the 8x8 Hadamard sum: the twins of kernels/reference-transform-8x8.ts.
//
// Eight vectors of eight lanes are the rows of a block. Each pass works down the columns, then the block is transposed; after both passes
// vector i holds column i of the coefficients. Multipliers and factors are symmetric (8.5.9), so they apply as they are.

/** The block in work. Globals belong to an instance, so slices coded by several threads do not share them. */
let r0: v128 = i16x8.splat(0);
let r1: v128 = i16x8.splat(0);
let r2: v128 = i16x8.splat(0);
let r3: v128 = i16x8.splat(0);
let r4: v128 = i16x8.splat(0);
let r5: v128 = i16x8.splat(0);
let r6: v128 = i16x8.splat(0);
let r7: v128 = i16x8.splat(0);

/** Scan place of each coefficient, by 8 * column + row (Figure 8-10). */
const SCAN_OF_TRANSPOSED = memory.data<u8>([
  0, 2, 3, 9, 10, 20, 21, 35, 1, 4, 8, 11, 19, 22, 34, 36, 5, 7, 12, 18, 23, 33, 37, 48, 6, 13, 17, 24, 32, 38, 47,
  49, 14, 16, 25, 31, 39, 46, 50, 57, 15, 26, 30, 40, 45, 51, 56, 58, 27, 29, 41, 44, 52, 55, 59, 62, 28, 42, 43, 53,
  54, 60, 61, 63,
]);

// @ts-ignore: decorator
@inline
function difference(src: usize, ss: usize, prediction: usize, ps: usize): void {
  r0 = i16x8.sub(v128.load_ext<u8>(src), v128.load_ext<u8>(prediction));
  r1 = i16x8.sub(v128.load_ext<u8>(src + ss), v128.load_ext<u8>(prediction + ps));
  r2 = i16x8.sub(v128.load_ext<u8>(src + 2 * ss), v128.load_ext<u8>(prediction + 2 * ps));
  r3 = i16x8.sub(v128.load_ext<u8>(src + 3 * ss), v128.load_ext<u8>(prediction + 3 * ps));
  r4 = i16x8.sub(v128.load_ext<u8>(src + 4 * ss), v128.load_ext<u8>(prediction + 4 * ps));
  r5 = i16x8.sub(v128.load_ext<u8>(src + 5 * ss), v128.load_ext<u8>(prediction + 5 * ps));
  r6 = i16x8.sub(v128.load_ext<u8>(src + 6 * ss), v128.load_ext<u8>(prediction + 6 * ps));
  r7 = i16x8.sub(v128.load_ext<u8>(src + 7 * ss), v128.load_ext<u8>(prediction + 7 * ps));
}

// @ts-ignore: decorator
@inline
function transpose(): void {
  const a0 = v128.shuffle<u16>(r0, r1, 0, 8, 1, 9, 2, 10, 3, 11);
  const a1 = v128.shuffle<u16>(r0, r1, 4, 12, 5, 13, 6, 14, 7, 15);
  const a2 = v128.shuffle<u16>(r2, r3, 0, 8, 1, 9, 2, 10, 3, 11);
  const a3 = v128.shuffle<u16>(r2, r3, 4, 12, 5, 13, 6, 14, 7, 15);
  const a4 = v128.shuffle<u16>(r4, r5, 0, 8, 1, 9, 2, 10, 3, 11);
  const a5 = v128.shuffle<u16>(r4, r5, 4, 12, 5, 13, 6, 14, 7, 15);
  const a6 = v128.shuffle<u16>(r6, r7, 0, 8, 1, 9, 2, 10, 3, 11);
  const a7 = v128.shuffle<u16>(r6, r7, 4, 12, 5, 13, 6, 14, 7, 15);
  const b0 = v128.shuffle<u32>(a0, a2, 0, 4, 1, 5);
  const b1 = v128.shuffle<u32>(a0, a2, 2, 6, 3, 7);
  const b2 = v128.shuffle<u32>(a1, a3, 0, 4, 1, 5);
  const b3 = v128.shuffle<u32>(a1, a3, 2, 6, 3, 7);
  const b4 = v128.shuffle<u32>(a4, a6, 0, 4, 1, 5);
  const b5 = v128.shuffle<u32>(a4, a6, 2, 6, 3, 7);
  const b6 = v128.shuffle<u32>(a5, a7, 0, 4, 1, 5);
  const b7 = v128.shuffle<u32>(a5, a7, 2, 6, 3, 7);
  r0 = v128.shuffle<u64>(b0, b4, 0, 2);
  r1 = v128.shuffle<u64>(b0, b4, 1, 3);
  r2 = v128.shuffle<u64>(b1, b5, 0, 2);
  r3 = v128.shuffle<u64>(b1, b5, 1, 3);
  r4 = v128.shuffle<u64>(b2, b6, 0, 2);
  r5 = v128.shuffle<u64>(b2, b6, 1, 3);
  r6 = v128.shuffle<u64>(b3, b7, 0, 2);
  r7 = v128.shuffle<u64>(b3, b7, 1, 3);
}

/** One dimension of the forward 8x8 transform, down the columns. */
// @ts-ignore: decorator
@inline
function forward(): void {
  const s07 = i16x8.add(r0, r7);
  const s16 = i16x8.add(r1, r6);
  const s25 = i16x8.add(r2, r5);
  const s34 = i16x8.add(r3, r4);
  const d07 = i16x8.sub(r0, r7);
  const d16 = i16x8.sub(r1, r6);
  const d25 = i16x8.sub(r2, r5);
  const d34 = i16x8.sub(r3, r4);
  const a0 = i16x8.add(s07, s34);
  const a1 = i16x8.add(s16, s25);
  const a2 = i16x8.sub(s07, s34);
  const a3 = i16x8.sub(s16, s25);
  const a4 = i16x8.add(i16x8.add(d16, d25), i16x8.add(d07, i16x8.shr_s(d07, 1)));
  const a5 = i16x8.sub(i16x8.sub(d07, d34), i16x8.add(d25, i16x8.shr_s(d25, 1)));
  const a6 = i16x8.sub(i16x8.add(d07, d34), i16x8.add(d16, i16x8.shr_s(d16, 1)));
  const a7 = i16x8.add(i16x8.sub(d16, d25), i16x8.add(d34, i16x8.shr_s(d34, 1)));
  r0 = i16x8.add(a0, a1);
  r1 = i16x8.add(a4, i16x8.shr_s(a7, 2));
  r2 = i16x8.add(a2, i16x8.shr_s(a3, 1));
  r3 = i16x8.add(a5, i16x8.shr_s(a6, 2));
  r4 = i16x8.sub(a0, a1);
  r5 = i16x8.sub(a6, i16x8.shr_s(a5, 2));
  r6 = i16x8.sub(i16x8.shr_s(a2, 1), a3);
  r7 = i16x8.sub(i16x8.shr_s(a4, 2), a7);
}

/** One dimension of the 8x8 Hadamard transform, down the columns, in any order of rows. */
// @ts-ignore: decorator
@inline
function hadamard(): void {
  const a0 = i16x8.add(r0, r4);
  const a1 = i16x8.add(r1, r5);
  const a2 = i16x8.add(r2, r6);
  const a3 = i16x8.add(r3, r7);
  const a4 = i16x8.sub(r0, r4);
  const a5 = i16x8.sub(r1, r5);
  const a6 = i16x8.sub(r2, r6);
  const a7 = i16x8.sub(r3, r7);
  const b0 = i16x8.add(a0, a2);
  const b1 = i16x8.add(a1, a3);
  const b2 = i16x8.sub(a0, a2);
  const b3 = i16x8.sub(a1, a3);
  const b4 = i16x8.add(a4, a6);
  const b5 = i16x8.add(a5, a7);
  const b6 = i16x8.sub(a4, a6);
  const b7 = i16x8.sub(a5, a7);
  r0 = i16x8.add(b0, b1);
  r1 = i16x8.sub(b0, b1);
  r2 = i16x8.add(b2, b3);
  r3 = i16x8.sub(b2, b3);
  r4 = i16x8.add(b4, b5);
  r5 = i16x8.sub(b4, b5);
  r6 = i16x8.add(b6, b7);
  r7 = i16x8.sub(b6, b7);
}

// @ts-ignore: decorator
@inline
function pairs(v: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_s(i16x8.abs(v));
}

export function satd8x8(width: i32, height: i32, a: usize, aStride: usize, b: usize, bStride: usize): i32 {
  let sum = 0;
  for (let y = 0; y < height; y += 8) {
    for (let x: usize = 0; x < usize(width); x += 8) {
      difference(a + x, aStride, b + x, bStride);
      hadamard();
      transpose();
      hadamard();
      const low = i32x4.add(i32x4.add(pairs(r0), pairs(r1)), i32x4.add(pairs(r2), pairs(r3)));
      const high = i32x4.add(i32x4.add(pairs(r4), pairs(r5)), i32x4.add(pairs(r6), pairs(r7)));
      let v = i32x4.add(low, high);
      v = i32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
      sum += (i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + 2) >> 2;
    }
    a += 8 * aStride;
    b += 8 * bStride;
  }
  return sum;
}

/** (|c| * MF + f) >> shift with the sign of c, at most MAX_LEVEL; `i` is the column. */
// @ts-ignore: decorator
@inline
function levelsOf(c: v128, quantiser: usize, i: usize, offset: v128, shift: i32): v128 {
  const magnitude = i16x8.abs(c);
  const multipliers = v128.load(quantiser + 16 * i);
  const low = i32x4.shr_u(i32x4.add(i32x4.extmul_low_i16x8_u(magnitude, multipliers), offset), shift);
  const high = i32x4.shr_u(i32x4.add(i32x4.extmul_high_i16x8_u(magnitude, multipliers), offset), shift);
  const level = i16x8.min_s(i16x8.narrow_i32x4_s(low, high), i16x8.splat(2063));
  const sign = i16x8.shr_s(c, 15);
  return i16x8.sub(v128.xor(level, sign), sign);
}

/** (level * factor + 2) >> 2. */
// @ts-ignore: decorator
@inline
function scaled(level: v128, quantiser: usize, i: usize): v128 {
  const factors = v128.load(quantiser + 128 + 16 * i);
  const two = i32x4.splat(2);
  const low = i32x4.shr_s(i32x4.add(i32x4.extmul_low_i16x8_s(level, factors), two), 2);
  const high = i32x4.shr_s(i32x4.add(i32x4.extmul_high_i16x8_s(level, factors), two), 2);
  return i16x8.narrow_i32x4_s(low, high);
}

/** Whether a level of the vector is above 1 in magnitude. */
// @ts-ignore: decorator
@inline
function isAnyBig(v: v128): bool {
  return v128.any_true(i16x8.gt_s(i16x8.abs(v), i16x8.splat(1)));
}

/** Bits of the lanes of a and b that are not 0. */
// @ts-ignore: decorator
@inline
function nonZero(a: v128, b: v128): u64 {
  const zero = i16x8.splat(0);
  return u64(u32(i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.ne(a, zero), i16x8.ne(b, zero)))));
}

export function quantizeBlock8x8(
  src: usize, srcStride: usize, prediction: usize, predictionStride: usize,
  quantiser: usize, levels: usize, coefficients: usize, masks: usize,
): i32 {
  difference(src, srcStride, prediction, predictionStride);
  forward();
  transpose();
  forward();
  const offset = v128.load_splat<u32>(quantiser + 256);
  const shift = load<i32>(quantiser + 260);
  r0 = levelsOf(r0, quantiser, 0, offset, shift);
  r1 = levelsOf(r1, quantiser, 1, offset, shift);
  r2 = levelsOf(r2, quantiser, 2, offset, shift);
  r3 = levelsOf(r3, quantiser, 3, offset, shift);
  r4 = levelsOf(r4, quantiser, 4, offset, shift);
  r5 = levelsOf(r5, quantiser, 5, offset, shift);
  r6 = levelsOf(r6, quantiser, 6, offset, shift);
  r7 = levelsOf(r7, quantiser, 7, offset, shift);
  let left = nonZero(r0, r1) | (nonZero(r2, r3) << 16) | (nonZero(r4, r5) << 32) | (nonZero(r6, r7) << 48);
  let mask: u64 = 0;
  if (left != 0) {
    const isBig = isAnyBig(r0) || isAnyBig(r1) || isAnyBig(r2) || isAnyBig(r3) || isAnyBig(r4) || isAnyBig(r5) || isAnyBig(r6) || isAnyBig(r7);
    // The levels by column, where the scaled coefficients come afterwards.
    v128.store(coefficients, r0);
    v128.store(coefficients, r1, 16);
    v128.store(coefficients, r2, 32);
    v128.store(coefficients, r3, 48);
    v128.store(coefficients, r4, 64);
    v128.store(coefficients, r5, 80);
    v128.store(coefficients, r6, 96);
    v128.store(coefficients, r7, 112);
    while (left != 0) {
      const at = usize(ctz(left));
      left &= left - 1;
      const place = usize(load<u8>(SCAN_OF_TRANSPOSED + at));
      store<i16>(levels + 2 * place, load<i16>(coefficients + 2 * at));
      mask |= u64(1) << place;
    }
    r0 = scaled(r0, quantiser, 0);
    r1 = scaled(r1, quantiser, 1);
    r2 = scaled(r2, quantiser, 2);
    r3 = scaled(r3, quantiser, 3);
    r4 = scaled(r4, quantiser, 4);
    r5 = scaled(r5, quantiser, 5);
    r6 = scaled(r6, quantiser, 6);
    r7 = scaled(r7, quantiser, 7);
    transpose();
    v128.store(coefficients, r0);
    v128.store(coefficients, r1, 16);
    v128.store(coefficients, r2, 32);
    v128.store(coefficients, r3, 48);
    v128.store(coefficients, r4, 64);
    v128.store(coefficients, r5, 80);
    v128.store(coefficients, r6, 96);
    v128.store(coefficients, r7, 112);
    store<u32>(masks, isBig ? 1 : 0, 8);
  }
  store<u64>(masks, mask);
  return mask != 0 ? 1 : 0;
}
