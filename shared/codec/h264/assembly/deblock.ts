// Deblocking of one edge (8.7.2.2 to 8.7.2.4): the same kernels as kernels/deblock-kernels.ts, all lines of an edge at once.
//
// Luma: a vector holds one sample (p2, p1, ... q2) of all 16 lines; for vertical edges the 16 rows are transposed first.
// Chroma: eight lines in 16-bit lanes.

export class Bytes {
  // @ts-ignore: decorator
  @inline static lo8(a: v128, b: v128): v128 {
    return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  }
  // @ts-ignore: decorator
  @inline static hi8(a: v128, b: v128): v128 {
    return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  }
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

  /** |a - b| of bytes. */
  // @ts-ignore: decorator
  @inline static distance(a: v128, b: v128): v128 {
    return v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a));
  }

  /** Lanes where |a - b| < limit. */
  // @ts-ignore: decorator
  @inline static near(a: v128, b: v128, limit: v128): v128 {
    return i8x16.lt_u(Bytes.distance(a, b), limit);
  }
}

/** Filtered samples of a luma edge with bS < 4 (8-461 to 8-471). tC0 is masked: 0 where nothing may change. */
export class Normal {
  /** Clip3(-tC, tC, ((q0 - p0) << 2) + (p1 - q1) + 4) >> 3) as signed bytes. */
  // @ts-ignore: decorator
  @inline static delta(p1: v128, p0: v128, q0: v128, q1: v128, tC: v128): v128 {
    const four = i16x8.splat(4);
    const low = i16x8.shr_s(
      i16x8.add(
        i16x8.add(
          i16x8.shl(i16x8.sub(i16x8.extend_low_i8x16_u(q0), i16x8.extend_low_i8x16_u(p0)), 2),
          i16x8.sub(i16x8.extend_low_i8x16_u(p1), i16x8.extend_low_i8x16_u(q1)),
        ),
        four,
      ),
      3,
    );
    const high = i16x8.shr_s(
      i16x8.add(
        i16x8.add(
          i16x8.shl(i16x8.sub(i16x8.extend_high_i8x16_u(q0), i16x8.extend_high_i8x16_u(p0)), 2),
          i16x8.sub(i16x8.extend_high_i8x16_u(p1), i16x8.extend_high_i8x16_u(q1)),
        ),
        four,
      ),
      3,
    );
    // tC <= 27, so saturation to -128..127 loses nothing
    return i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(low, high), i8x16.neg(tC)), tC);
  }

  /** Clip1(a + delta). */
  // @ts-ignore: decorator
  @inline static add(a: v128, delta: v128): v128 {
    const zero = i8x16.splat(0);
    return i8x16.sub_sat_u(i8x16.add_sat_u(a, i8x16.max_s(delta, zero)), i8x16.max_s(i8x16.neg(delta), zero));
  }

  /** a1 + Clip3(-tC0, tC0, (a2 + ((p0 + q0 + 1) >> 1) - (a1 << 1)) >> 1), as ((a2 + avg) >> 1) held to a1 +- tC0. */
  // @ts-ignore: decorator
  @inline static second(a2: v128, a1: v128, p0: v128, q0: v128, tC0: v128): v128 {
    const mean = i8x16.avgr_u(p0, q0);
    const rounded = i8x16.avgr_u(a2, mean);
    const floor = i8x16.sub(rounded, v128.and(v128.xor(a2, mean), i8x16.splat(1)));
    return i8x16.min_u(i8x16.max_u(floor, i8x16.sub_sat_u(a1, tC0)), i8x16.add_sat_u(a1, tC0));
  }
}

/** Filtered samples of a luma edge with bS 4 (8-474 to 8-481), for side a of the edge; b is the other side. */
export class Strong {
  /** (2 * p1 + p0 + q1 + 2) >> 2 */
  // @ts-ignore: decorator
  @inline static weak0(a1: v128, a0: v128, b1: v128): v128 {
    return Strong.narrow(
      Strong.weak16(i16x8.extend_low_i8x16_u(a1), i16x8.extend_low_i8x16_u(a0), i16x8.extend_low_i8x16_u(b1)),
      Strong.weak16(i16x8.extend_high_i8x16_u(a1), i16x8.extend_high_i8x16_u(a0), i16x8.extend_high_i8x16_u(b1)),
    );
  }
  // @ts-ignore: decorator
  @inline static weak16(a1: v128, a0: v128, b1: v128): v128 {
    return i16x8.shr_u(i16x8.add(i16x8.add(i16x8.shl(a1, 1), a0), i16x8.add(b1, i16x8.splat(2))), 2);
  }
  // @ts-ignore: decorator
  @inline static narrow(low: v128, high: v128): v128 {
    return i8x16.narrow_i16x8_u(low, high);
  }

  /** (p2 + 2 * (p1 + p0 + q0) + q1 + 4) >> 3 */
  // @ts-ignore: decorator
  @inline static first(a2: v128, a1: v128, a0: v128, b0: v128, b1: v128): v128 {
    const four = i16x8.splat(4);
    const low = i16x8.add(
      i16x8.shl(
        i16x8.add(
          i16x8.add(i16x8.extend_low_i8x16_u(a1), i16x8.extend_low_i8x16_u(a0)),
          i16x8.extend_low_i8x16_u(b0),
        ),
        1,
      ),
      i16x8.add(i16x8.add(i16x8.extend_low_i8x16_u(a2), i16x8.extend_low_i8x16_u(b1)), four),
    );
    const high = i16x8.add(
      i16x8.shl(
        i16x8.add(
          i16x8.add(i16x8.extend_high_i8x16_u(a1), i16x8.extend_high_i8x16_u(a0)),
          i16x8.extend_high_i8x16_u(b0),
        ),
        1,
      ),
      i16x8.add(i16x8.add(i16x8.extend_high_i8x16_u(a2), i16x8.extend_high_i8x16_u(b1)), four),
    );
    return Strong.narrow(i16x8.shr_u(low, 3), i16x8.shr_u(high, 3));
  }

  /** (p2 + p1 + p0 + q0 + 2) >> 2 */
  // @ts-ignore: decorator
  @inline static second(a2: v128, a1: v128, a0: v128, b0: v128): v128 {
    const two = i16x8.splat(2);
    const low = i16x8.add(
      i16x8.add(i16x8.extend_low_i8x16_u(a1), i16x8.extend_low_i8x16_u(a0)),
      i16x8.add(i16x8.add(i16x8.extend_low_i8x16_u(b0), i16x8.extend_low_i8x16_u(a2)), two),
    );
    const high = i16x8.add(
      i16x8.add(i16x8.extend_high_i8x16_u(a1), i16x8.extend_high_i8x16_u(a0)),
      i16x8.add(i16x8.add(i16x8.extend_high_i8x16_u(b0), i16x8.extend_high_i8x16_u(a2)), two),
    );
    return Strong.narrow(i16x8.shr_u(low, 2), i16x8.shr_u(high, 2));
  }

  /** (2 * p3 + 3 * p2 + p1 + p0 + q0 + 4) >> 3 */
  // @ts-ignore: decorator
  @inline static third(a3: v128, a2: v128, a1: v128, a0: v128, b0: v128): v128 {
    return Strong.narrow(
      Strong.third16(
        i16x8.extend_low_i8x16_u(a3),
        i16x8.extend_low_i8x16_u(a2),
        i16x8.add(
          i16x8.add(i16x8.extend_low_i8x16_u(a1), i16x8.extend_low_i8x16_u(a0)),
          i16x8.extend_low_i8x16_u(b0),
        ),
      ),
      Strong.third16(
        i16x8.extend_high_i8x16_u(a3),
        i16x8.extend_high_i8x16_u(a2),
        i16x8.add(
          i16x8.add(i16x8.extend_high_i8x16_u(a1), i16x8.extend_high_i8x16_u(a0)),
          i16x8.extend_high_i8x16_u(b0),
        ),
      ),
    );
  }
  // @ts-ignore: decorator
  @inline static third16(a3: v128, a2: v128, sum: v128): v128 {
    const twice = i16x8.shl(i16x8.add(a3, a2), 1);
    return i16x8.shr_u(i16x8.add(i16x8.add(twice, a2), i16x8.add(sum, i16x8.splat(4))), 3);
  }
}

/** 8-460 without bS: lanes whose samples are filtered. */
// @ts-ignore: decorator
@inline
function filterMask(p1: v128, p0: v128, q0: v128, q1: v128, alpha: i32, beta: i32): v128 {
  const b = i8x16.splat(<i8>beta);
  return v128.and(
    Bytes.near(p0, q0, i8x16.splat(<i8>alpha)),
    v128.and(Bytes.near(p1, p0, b), Bytes.near(q1, q0, b)),
  );
}

/** Lanes where the samples on one side are smooth enough for the long filter: |a2 - a0| < beta. */
// @ts-ignore: decorator
@inline
function smooth(a2: v128, a0: v128, beta: i32): v128 {
  return Bytes.near(a2, a0, i8x16.splat(<i8>beta));
}

/** tC0 of the 16 lines: byte i of tc0 for lines 4i..4i+3. */
// @ts-ignore: decorator
@inline
function spreadTc0(tc0: i32): v128 {
  const packed = i32x4.splat(tc0);
  return v128.shuffle<u8>(packed, packed, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
}

export function deblockLumaHorizontal(pixels: usize, stride: usize, alpha: i32, beta: i32, tc0: i32): void {
  const p1 = v128.load(pixels - 2 * stride);
  const p0 = v128.load(pixels - stride);
  const q0 = v128.load(pixels);
  const q1 = v128.load(pixels + stride);
  const tC0All = spreadTc0(tc0);
  const mask = v128.and(
    filterMask(p1, p0, q0, q1, alpha, beta),
    i8x16.ge_s(tC0All, i8x16.splat(0)),
  );
  if (!v128.any_true(mask)) return;
  const p2 = v128.load(pixels - 3 * stride);
  const q2 = v128.load(pixels + 2 * stride);
  const tC0 = v128.and(tC0All, mask);
  const smoothP = v128.and(smooth(p2, p0, beta), mask);
  const smoothQ = v128.and(smooth(q2, q0, beta), mask);
  const delta = Normal.delta(p1, p0, q0, q1, i8x16.sub(i8x16.sub(tC0, smoothP), smoothQ));
  v128.store(pixels - 2 * stride, Normal.second(p2, p1, p0, q0, v128.and(tC0, smoothP)));
  v128.store(pixels - stride, Normal.add(p0, delta));
  v128.store(pixels, Normal.add(q0, i8x16.neg(delta)));
  v128.store(pixels + stride, Normal.second(q2, q1, p0, q0, v128.and(tC0, smoothQ)));
}

export function deblockLumaHorizontalStrong(pixels: usize, stride: usize, alpha: i32, beta: i32): void {
  const p1 = v128.load(pixels - 2 * stride);
  const p0 = v128.load(pixels - stride);
  const q0 = v128.load(pixels);
  const q1 = v128.load(pixels + stride);
  const mask = filterMask(p1, p0, q0, q1, alpha, beta);
  if (!v128.any_true(mask)) return;
  const p3 = v128.load(pixels - 4 * stride);
  const p2 = v128.load(pixels - 3 * stride);
  const q2 = v128.load(pixels + 2 * stride);
  const q3 = v128.load(pixels + 3 * stride);
  const small = v128.and(mask, Bytes.near(p0, q0, i8x16.splat(<i8>((alpha >> 2) + 2))));
  const smoothP = v128.and(small, smooth(p2, p0, beta));
  const smoothQ = v128.and(small, smooth(q2, q0, beta));
  const newP0 = v128.bitselect(Strong.first(p2, p1, p0, q0, q1), Strong.weak0(p1, p0, q1), smoothP);
  const newQ0 = v128.bitselect(Strong.first(q2, q1, q0, p0, p1), Strong.weak0(q1, q0, p1), smoothQ);
  v128.store(pixels - 3 * stride, v128.bitselect(Strong.third(p3, p2, p1, p0, q0), p2, smoothP));
  v128.store(pixels - 2 * stride, v128.bitselect(Strong.second(p2, p1, p0, q0), p1, smoothP));
  v128.store(pixels - stride, v128.bitselect(newP0, p0, mask));
  v128.store(pixels, v128.bitselect(newQ0, q0, mask));
  v128.store(pixels + stride, v128.bitselect(Strong.second(q2, q1, q0, p0), q1, smoothQ));
  v128.store(pixels + 2 * stride, v128.bitselect(Strong.third(q3, q2, q1, q0, p0), q2, smoothQ));
}

// Transposing 16 rows of 8 bytes: interleaving row i with row i + 8, then i + 4, i + 2, i + 1 moves one bit of the row number below the
// bits of the column number each time; after four rounds vector c holds column c of rows 0..15.

/** Rows i and i + 8 interleaved: the first round. */
// @ts-ignore: decorator
@inline
function rows(p: usize, stride: usize, i: usize): v128 {
  return Bytes.lo8(v128.load64_zero(p + i * stride), v128.load64_zero(p + (i + 8) * stride));
}

/** Four rows of four bytes out of vector v to p. */
// @ts-ignore: decorator
@inline
function storeRows4(p: usize, stride: usize, v: v128): void {
  v128.store_lane<u32>(p, v, 0);
  v128.store_lane<u32>(p + stride, v, 1);
  v128.store_lane<u32>(p + 2 * stride, v, 2);
  v128.store_lane<u32>(p + 3 * stride, v, 3);
}

export function deblockLumaVertical(pixels: usize, stride: usize, alpha: i32, beta: i32, tc0: i32): void {
  const p = pixels - 4;
  const a0 = rows(p, stride, 0);
  const a1 = rows(p, stride, 1);
  const a2 = rows(p, stride, 2);
  const a3 = rows(p, stride, 3);
  const a4 = rows(p, stride, 4);
  const a5 = rows(p, stride, 5);
  const a6 = rows(p, stride, 6);
  const a7 = rows(p, stride, 7);
  const b0 = Bytes.lo8(a0, a4); // columns 0..3
  const b1 = Bytes.lo8(a1, a5);
  const b2 = Bytes.lo8(a2, a6);
  const b3 = Bytes.lo8(a3, a7);
  const b4 = Bytes.hi8(a0, a4); // columns 4..7
  const b5 = Bytes.hi8(a1, a5);
  const b6 = Bytes.hi8(a2, a6);
  const b7 = Bytes.hi8(a3, a7);
  const c0 = Bytes.lo8(b0, b2); // columns 0 1
  const c1 = Bytes.lo8(b1, b3);
  const c2 = Bytes.hi8(b0, b2); // columns 2 3
  const c3 = Bytes.hi8(b1, b3);
  const c4 = Bytes.lo8(b4, b6);
  const c5 = Bytes.lo8(b5, b7);
  const c6 = Bytes.hi8(b4, b6);
  const c7 = Bytes.hi8(b5, b7);
  const p2 = Bytes.hi8(c0, c1);
  const p1 = Bytes.lo8(c2, c3);
  const p0 = Bytes.hi8(c2, c3);
  const q0 = Bytes.lo8(c4, c5);
  const q1 = Bytes.hi8(c4, c5);
  const q2 = Bytes.lo8(c6, c7);
  const tC0All = spreadTc0(tc0);
  const mask = v128.and(
    filterMask(p1, p0, q0, q1, alpha, beta),
    i8x16.ge_s(tC0All, i8x16.splat(0)),
  );
  if (!v128.any_true(mask)) return;
  const tC0 = v128.and(tC0All, mask);
  const smoothP = v128.and(smooth(p2, p0, beta), mask);
  const smoothQ = v128.and(smooth(q2, q0, beta), mask);
  const delta = Normal.delta(p1, p0, q0, q1, i8x16.sub(i8x16.sub(tC0, smoothP), smoothQ));
  const newP1 = Normal.second(p2, p1, p0, q0, v128.and(tC0, smoothP));
  const newP0 = Normal.add(p0, delta);
  const newQ0 = Normal.add(q0, i8x16.neg(delta));
  const newQ1 = Normal.second(q2, q1, p0, q0, v128.and(tC0, smoothQ));
  const s0 = Bytes.lo8(newP1, newP0);
  const s1 = Bytes.hi8(newP1, newP0);
  const t0 = Bytes.lo8(newQ0, newQ1);
  const t1 = Bytes.hi8(newQ0, newQ1);
  const to = pixels - 2;
  storeRows4(to, stride, Bytes.lo16(s0, t0));
  storeRows4(to + 4 * stride, stride, Bytes.hi16(s0, t0));
  storeRows4(to + 8 * stride, stride, Bytes.lo16(s1, t1));
  storeRows4(to + 12 * stride, stride, Bytes.hi16(s1, t1));
}

/** Two rows of eight bytes. */
// @ts-ignore: decorator
@inline
function storeRows8(p: usize, stride: usize, v: v128): void {
  v128.store_lane<u64>(p, v, 0);
  v128.store_lane<u64>(p + stride, v, 1);
}

export function deblockLumaVerticalStrong(pixels: usize, stride: usize, alpha: i32, beta: i32): void {
  const p = pixels - 4;
  const a0 = rows(p, stride, 0);
  const a1 = rows(p, stride, 1);
  const a2 = rows(p, stride, 2);
  const a3 = rows(p, stride, 3);
  const a4 = rows(p, stride, 4);
  const a5 = rows(p, stride, 5);
  const a6 = rows(p, stride, 6);
  const a7 = rows(p, stride, 7);
  const b0 = Bytes.lo8(a0, a4);
  const b1 = Bytes.lo8(a1, a5);
  const b2 = Bytes.lo8(a2, a6);
  const b3 = Bytes.lo8(a3, a7);
  const b4 = Bytes.hi8(a0, a4);
  const b5 = Bytes.hi8(a1, a5);
  const b6 = Bytes.hi8(a2, a6);
  const b7 = Bytes.hi8(a3, a7);
  const c0 = Bytes.lo8(b0, b2);
  const c1 = Bytes.lo8(b1, b3);
  const c2 = Bytes.hi8(b0, b2);
  const c3 = Bytes.hi8(b1, b3);
  const c4 = Bytes.lo8(b4, b6);
  const c5 = Bytes.lo8(b5, b7);
  const c6 = Bytes.hi8(b4, b6);
  const c7 = Bytes.hi8(b5, b7);
  const p3 = Bytes.lo8(c0, c1);
  const p2 = Bytes.hi8(c0, c1);
  const p1 = Bytes.lo8(c2, c3);
  const p0 = Bytes.hi8(c2, c3);
  const q0 = Bytes.lo8(c4, c5);
  const q1 = Bytes.hi8(c4, c5);
  const q2 = Bytes.lo8(c6, c7);
  const q3 = Bytes.hi8(c6, c7);
  const mask = filterMask(p1, p0, q0, q1, alpha, beta);
  if (!v128.any_true(mask)) return;
  const small = v128.and(mask, Bytes.near(p0, q0, i8x16.splat(<i8>((alpha >> 2) + 2))));
  const smoothP = v128.and(small, smooth(p2, p0, beta));
  const smoothQ = v128.and(small, smooth(q2, q0, beta));
  const newP0 = v128.bitselect(
    v128.bitselect(Strong.first(p2, p1, p0, q0, q1), Strong.weak0(p1, p0, q1), smoothP), p0, mask,
  );
  const newQ0 = v128.bitselect(
    v128.bitselect(Strong.first(q2, q1, q0, p0, p1), Strong.weak0(q1, q0, p1), smoothQ), q0, mask,
  );
  const newP2 = v128.bitselect(Strong.third(p3, p2, p1, p0, q0), p2, smoothP);
  const newP1 = v128.bitselect(Strong.second(p2, p1, p0, q0), p1, smoothP);
  const newQ1 = v128.bitselect(Strong.second(q2, q1, q0, p0), q1, smoothQ);
  const newQ2 = v128.bitselect(Strong.third(q3, q2, q1, q0, p0), q2, smoothQ);
  // back to rows: pairs of columns, then fours, then eights
  const s0 = Bytes.lo8(p3, newP2);
  const s1 = Bytes.hi8(p3, newP2);
  const t0 = Bytes.lo8(newP1, newP0);
  const t1 = Bytes.hi8(newP1, newP0);
  const u0 = Bytes.lo8(newQ0, newQ1);
  const u1 = Bytes.hi8(newQ0, newQ1);
  const v0 = Bytes.lo8(newQ2, q3);
  const v1 = Bytes.hi8(newQ2, q3);
  const w0 = Bytes.lo16(s0, t0); // p side of rows 0..3
  const w1 = Bytes.hi16(s0, t0);
  const w2 = Bytes.lo16(s1, t1);
  const w3 = Bytes.hi16(s1, t1);
  const x0 = Bytes.lo16(u0, v0); // q side of rows 0..3
  const x1 = Bytes.hi16(u0, v0);
  const x2 = Bytes.lo16(u1, v1);
  const x3 = Bytes.hi16(u1, v1);
  storeRows8(p, stride, Bytes.lo32(w0, x0));
  storeRows8(p + 2 * stride, stride, Bytes.hi32(w0, x0));
  storeRows8(p + 4 * stride, stride, Bytes.lo32(w1, x1));
  storeRows8(p + 6 * stride, stride, Bytes.hi32(w1, x1));
  storeRows8(p + 8 * stride, stride, Bytes.lo32(w2, x2));
  storeRows8(p + 10 * stride, stride, Bytes.hi32(w2, x2));
  storeRows8(p + 12 * stride, stride, Bytes.lo32(w3, x3));
  storeRows8(p + 14 * stride, stride, Bytes.hi32(w3, x3));
}

/** Chroma: only p0 and q0 change, tC = tC0 + 1 (8-463). Vectors hold up to 16 lines; the caller's tC is 0 where nothing may change. */
class Chroma {
  /** tC0 + 1 of eight lines, two per quarter, 0 where tC0 is -1. */
  // @ts-ignore: decorator
  @inline static tC(tc0: i32): v128 {
    const packed = i32x4.splat(tc0);
    const all = v128.shuffle<u8>(packed, packed, 0, 0, 1, 1, 2, 2, 3, 3, 0, 0, 1, 1, 2, 2, 3, 3);
    return i8x16.add(all, i8x16.splat(1));
  }
}

export function deblockChromaHorizontal(pixels: usize, stride: usize, alpha: i32, beta: i32, tc0: i32): void {
  const p1 = v128.load64_zero(pixels - 2 * stride);
  const p0 = v128.load64_zero(pixels - stride);
  const q0 = v128.load64_zero(pixels);
  const q1 = v128.load64_zero(pixels + stride);
  const tC = v128.and(Chroma.tC(tc0), filterMask(p1, p0, q0, q1, alpha, beta));
  const delta = Normal.delta(p1, p0, q0, q1, tC);
  v128.store_lane<u64>(pixels - stride, Normal.add(p0, delta), 0);
  v128.store_lane<u64>(pixels, Normal.add(q0, i8x16.neg(delta)), 0);
}

export function deblockChromaHorizontalStrong(pixels: usize, stride: usize, alpha: i32, beta: i32): void {
  const p1 = v128.load64_zero(pixels - 2 * stride);
  const p0 = v128.load64_zero(pixels - stride);
  const q0 = v128.load64_zero(pixels);
  const q1 = v128.load64_zero(pixels + stride);
  const mask = filterMask(p1, p0, q0, q1, alpha, beta);
  v128.store_lane<u64>(pixels - stride, v128.bitselect(Strong.weak0(p1, p0, q1), p0, mask), 0);
  v128.store_lane<u64>(pixels, v128.bitselect(Strong.weak0(q1, q0, p1), q0, mask), 0);
}

/** Four rows of four bytes p1 p0 q0 q1, grouped by column: p1 of the rows, p0 of the rows, ... */
// @ts-ignore: decorator
@inline
function columns4(p: usize, stride: usize): v128 {
  let v = v128.load32_zero(p);
  v = v128.load_lane<u32>(p + stride, v, 1);
  v = v128.load_lane<u32>(p + 2 * stride, v, 2);
  v = v128.load_lane<u32>(p + 3 * stride, v, 3);
  return v128.shuffle<u8>(v, v, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

/** p0 and q0 of rows 0..7, interleaved, to the middle two bytes of each row. */
// @ts-ignore: decorator
@inline
function storeMiddle(pixels: usize, stride: usize, p0: v128, q0: v128): void {
  const v = Bytes.lo8(p0, q0);
  const to = pixels - 1;
  v128.store_lane<u16>(to, v, 0);
  v128.store_lane<u16>(to + stride, v, 1);
  v128.store_lane<u16>(to + 2 * stride, v, 2);
  v128.store_lane<u16>(to + 3 * stride, v, 3);
  v128.store_lane<u16>(to + 4 * stride, v, 4);
  v128.store_lane<u16>(to + 5 * stride, v, 5);
  v128.store_lane<u16>(to + 6 * stride, v, 6);
  v128.store_lane<u16>(to + 7 * stride, v, 7);
}

export function deblockChromaVertical(pixels: usize, stride: usize, alpha: i32, beta: i32, tc0: i32): void {
  const low = columns4(pixels - 2, stride);
  const high = columns4(pixels - 2 + 4 * stride, stride);
  const p1 = Bytes.lo32(low, high); // p1 of rows 0..7, then p0; only the low half counts
  const q0 = Bytes.hi32(low, high);
  const p0 = v128.shuffle<u64>(p1, p1, 1, 1);
  const q1 = v128.shuffle<u64>(q0, q0, 1, 1);
  const tC = v128.and(Chroma.tC(tc0), filterMask(p1, p0, q0, q1, alpha, beta));
  const delta = Normal.delta(p1, p0, q0, q1, tC);
  storeMiddle(pixels, stride, Normal.add(p0, delta), Normal.add(q0, i8x16.neg(delta)));
}

export function deblockChromaVerticalStrong(pixels: usize, stride: usize, alpha: i32, beta: i32): void {
  const low = columns4(pixels - 2, stride);
  const high = columns4(pixels - 2 + 4 * stride, stride);
  const p1 = Bytes.lo32(low, high);
  const q0 = Bytes.hi32(low, high);
  const p0 = v128.shuffle<u64>(p1, p1, 1, 1);
  const q1 = v128.shuffle<u64>(q0, q0, 1, 1);
  const mask = filterMask(p1, p0, q0, q1, alpha, beta);
  storeMiddle(
    pixels,
    stride,
    v128.bitselect(Strong.weak0(p1, p0, q1), p0, mask),
    v128.bitselect(Strong.weak0(q1, q0, p1), q0, mask),
  );
}
