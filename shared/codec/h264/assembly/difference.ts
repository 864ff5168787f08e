// Block differences for the encoder's analysis: SAD, SATD, SSD, variance. Twins of kernels/analysis-kernels.ts.

/** Sums of lanes and rows of differences. A class is only a namespace here. */
class Difference {
  /** Sum of eight unsigned 16-bit lanes. */
  // @ts-ignore: decorator
  @inline static sum16(v: v128): i32 {
    return Difference.sum32(i32x4.extadd_pairwise_i16x8_u(v));
  }

  /** Sum of four 32-bit lanes. */
  // @ts-ignore: decorator
  @inline static sum32(v: v128): i32 {
    const s = i32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
    return i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1);
  }

  /** |a - b| of sixteen bytes, summed in pairs into 16-bit lanes. */
  // @ts-ignore: decorator
  @inline static absolute(a: v128, b: v128): v128 {
    return i16x8.extadd_pairwise_i8x16_u(v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a)));
  }

  /** Two rows of eight bytes. */
  // @ts-ignore: decorator
  @inline static pair(p: usize, stride: usize): v128 {
    return v128.load_lane<u64>(p + stride, v128.load64_zero(p), 1);
  }

  /** Four rows of four bytes. */
  // @ts-ignore: decorator
  @inline static quad(p: usize, stride: usize): v128 {
    let v = v128.load32_zero(p);
    v = v128.load_lane<u32>(p + stride, v, 1);
    v = v128.load_lane<u32>(p + 2 * stride, v, 2);
    return v128.load_lane<u32>(p + 3 * stride, v, 3);
  }

  /**
   * Half the absolute sum of two 4x4 Hadamard transforms side by side, rows r0..r3 of eight differences each, spread over eight lanes.
   * The last butterfly is not computed: |x + y| + |x - y| = 2 max(|x|, |y|).
   */
  // @ts-ignore: decorator
  @inline static hadamard(r0: v128, r1: v128, r2: v128, r3: v128): v128 {
    const s01 = i16x8.add(r0, r1);
    const d01 = i16x8.sub(r0, r1);
    const s23 = i16x8.add(r2, r3);
    const d23 = i16x8.sub(r2, r3);
    const m0 = i16x8.add(s01, s23);
    const m1 = i16x8.sub(s01, s23);
    const m2 = i16x8.add(d01, d23);
    const m3 = i16x8.sub(d01, d23);
    const e0 = v128.shuffle<i16>(m0, m1, 0, 2, 4, 6, 8, 10, 12, 14);
    const o0 = v128.shuffle<i16>(m0, m1, 1, 3, 5, 7, 9, 11, 13, 15);
    const e1 = v128.shuffle<i16>(m2, m3, 0, 2, 4, 6, 8, 10, 12, 14);
    const o1 = v128.shuffle<i16>(m2, m3, 1, 3, 5, 7, 9, 11, 13, 15);
    const a0 = i16x8.abs(i16x8.add(e0, o0));
    const a1 = i16x8.abs(i16x8.add(e1, o1));
    const b0 = i16x8.abs(i16x8.sub(e0, o0));
    const b1 = i16x8.abs(i16x8.sub(e1, o1));
    const maxA = i16x8.max_s(
      v128.shuffle<i16>(a0, a1, 0, 2, 4, 6, 8, 10, 12, 14),
      v128.shuffle<i16>(a0, a1, 1, 3, 5, 7, 9, 11, 13, 15),
    );
    const maxB = i16x8.max_s(
      v128.shuffle<i16>(b0, b1, 0, 2, 4, 6, 8, 10, 12, 14),
      v128.shuffle<i16>(b0, b1, 1, 3, 5, 7, 9, 11, 13, 15),
    );
    return i16x8.add(maxA, maxB);
  }

  // @ts-ignore: decorator
  @inline static row8(a: usize, b: usize): v128 {
    return i16x8.sub(v128.load_ext<u8>(a), v128.load_ext<u8>(b));
  }

  // @ts-ignore: decorator
  @inline static row4(a: usize, b: usize): v128 {
    return i16x8.sub(
      i16x8.extend_low_i8x16_u(v128.load32_zero(a)),
      i16x8.extend_low_i8x16_u(v128.load32_zero(b)),
    );
  }

  /** Difference to the rounded average of b and c. */
  // @ts-ignore: decorator
  @inline static averaged8(a: usize, b: usize, c: usize): v128 {
    const mean = i8x16.avgr_u(v128.load64_zero(b), v128.load64_zero(c));
    return i16x8.sub(v128.load_ext<u8>(a), i16x8.extend_low_i8x16_u(mean));
  }

  // @ts-ignore: decorator
  @inline static averaged4(a: usize, b: usize, c: usize): v128 {
    const mean = i8x16.avgr_u(v128.load32_zero(b), v128.load32_zero(c));
    return i16x8.sub(i16x8.extend_low_i8x16_u(v128.load32_zero(a)), i16x8.extend_low_i8x16_u(mean));
  }
}

export function sad(width: i32, height: i32, a: usize, aStride: usize, b: usize, bStride: usize): i32 {
  let sum = i16x8.splat(0);
  if (width == 16) {
    for (let y = 0; y < height; y += 2) {
      sum = i16x8.add(sum, Difference.absolute(v128.load(a), v128.load(b)));
      sum = i16x8.add(sum, Difference.absolute(v128.load(a + aStride), v128.load(b + bStride)));
      a += 2 * aStride;
      b += 2 * bStride;
    }
  } else if (width == 8) {
    for (let y = 0; y < height; y += 2) {
      sum = i16x8.add(sum, Difference.absolute(Difference.pair(a, aStride), Difference.pair(b, bStride)));
      a += 2 * aStride;
      b += 2 * bStride;
    }
  } else {
    for (let y = 0; y < height; y += 4) {
      sum = i16x8.add(sum, Difference.absolute(Difference.quad(a, aStride), Difference.quad(b, bStride)));
      a += 4 * aStride;
      b += 4 * bStride;
    }
  }
  return Difference.sum16(sum);
}

export function sad4(
  width: i32, height: i32, a: usize, aStride: usize,
  b0: usize, b1: usize, b2: usize, b3: usize, bStride: usize, out: usize,
): void {
  let s0 = i16x8.splat(0);
  let s1 = i16x8.splat(0);
  let s2 = i16x8.splat(0);
  let s3 = i16x8.splat(0);
  if (width == 16) {
    for (let y = 0; y < height; y++) {
      const row = v128.load(a);
      s0 = i16x8.add(s0, Difference.absolute(row, v128.load(b0)));
      s1 = i16x8.add(s1, Difference.absolute(row, v128.load(b1)));
      s2 = i16x8.add(s2, Difference.absolute(row, v128.load(b2)));
      s3 = i16x8.add(s3, Difference.absolute(row, v128.load(b3)));
      a += aStride;
      b0 += bStride;
      b1 += bStride;
      b2 += bStride;
      b3 += bStride;
    }
  } else if (width == 8) {
    for (let y = 0; y < height; y += 2) {
      const row = Difference.pair(a, aStride);
      s0 = i16x8.add(s0, Difference.absolute(row, Difference.pair(b0, bStride)));
      s1 = i16x8.add(s1, Difference.absolute(row, Difference.pair(b1, bStride)));
      s2 = i16x8.add(s2, Difference.absolute(row, Difference.pair(b2, bStride)));
      s3 = i16x8.add(s3, Difference.absolute(row, Difference.pair(b3, bStride)));
      a += 2 * aStride;
      b0 += 2 * bStride;
      b1 += 2 * bStride;
      b2 += 2 * bStride;
      b3 += 2 * bStride;
    }
  } else {
    for (let y = 0; y < height; y += 4) {
      const row = Difference.quad(a, aStride);
      s0 = i16x8.add(s0, Difference.absolute(row, Difference.quad(b0, bStride)));
      s1 = i16x8.add(s1, Difference.absolute(row, Difference.quad(b1, bStride)));
      s2 = i16x8.add(s2, Difference.absolute(row, Difference.quad(b2, bStride)));
      s3 = i16x8.add(s3, Difference.absolute(row, Difference.quad(b3, bStride)));
      a += 4 * aStride;
      b0 += 4 * bStride;
      b1 += 4 * bStride;
      b2 += 4 * bStride;
      b3 += 4 * bStride;
    }
  }
  store<i32>(out, Difference.sum16(s0));
  store<i32>(out, Difference.sum16(s1), 4);
  store<i32>(out, Difference.sum16(s2), 8);
  store<i32>(out, Difference.sum16(s3), 12);
}

export function satd(width: i32, height: i32, a: usize, aStride: usize, b: usize, bStride: usize): i32 {
  let sum = i16x8.splat(0);
  for (let y = 0; y < height; y += 4) {
    if (width == 4) {
      sum = i16x8.add(
        sum,
        Difference.hadamard(
          Difference.row4(a, b),
          Difference.row4(a + aStride, b + bStride),
          Difference.row4(a + 2 * aStride, b + 2 * bStride),
          Difference.row4(a + 3 * aStride, b + 3 * bStride),
        ),
      );
    } else {
      for (let x = 0; x < width; x += 8) {
        const p = a + x;
        const q = b + x;
        sum = i16x8.add(
          sum,
          Difference.hadamard(
            Difference.row8(p, q),
            Difference.row8(p + aStride, q + bStride),
            Difference.row8(p + 2 * aStride, q + 2 * bStride),
            Difference.row8(p + 3 * aStride, q + 3 * bStride),
          ),
        );
      }
    }
    a += 4 * aStride;
    b += 4 * bStride;
  }
  return Difference.sum16(sum);
}

export function satdOfAverage(
  width: i32, height: i32, a: usize, aStride: usize, b: usize, bStride: usize, c: usize, cStride: usize,
): i32 {
  let sum = i16x8.splat(0);
  for (let y = 0; y < height; y += 4) {
    if (width == 4) {
      sum = i16x8.add(
        sum,
        Difference.hadamard(
          Difference.averaged4(a, b, c),
          Difference.averaged4(a + aStride, b + bStride, c + cStride),
          Difference.averaged4(a + 2 * aStride, b + 2 * bStride, c + 2 * cStride),
          Difference.averaged4(a + 3 * aStride, b + 3 * bStride, c + 3 * cStride),
        ),
      );
    } else {
      for (let x = 0; x < width; x += 8) {
        const p = a + x;
        const q = b + x;
        const r = c + x;
        sum = i16x8.add(
          sum,
          Difference.hadamard(
            Difference.averaged8(p, q, r),
            Difference.averaged8(p + aStride, q + bStride, r + cStride),
            Difference.averaged8(p + 2 * aStride, q + 2 * bStride, r + 2 * cStride),
            Difference.averaged8(p + 3 * aStride, q + 3 * bStride, r + 3 * cStride),
          ),
        );
      }
    }
    a += 4 * aStride;
    b += 4 * bStride;
    c += 4 * cStride;
  }
  return Difference.sum16(sum);
}

export function ssd(width: i32, height: i32, a: usize, aStride: usize, b: usize, bStride: usize): i32 {
  let sum = i32x4.splat(0);
  for (let y = 0; y < height; y++) {
    if (width == 4) {
      const d = Difference.row4(a, b);
      sum = i32x4.add(sum, i32x4.dot_i16x8_s(d, d));
    } else {
      for (let x = 0; x < width; x += 8) {
        const d = Difference.row8(a + x, b + x);
        sum = i32x4.add(sum, i32x4.dot_i16x8_s(d, d));
      }
    }
    a += aStride;
    b += bStride;
  }
  return Difference.sum32(sum);
}
