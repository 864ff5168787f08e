// Costs of all Intra_4x4 prediction modes of a block at once. Twin of intra4x4Costs in kernels/analysis-kernels.ts.
//
// The neighbours stand in one vector N, from the lower left to the upper right:
//   0: L3, 1: L3, 2: L2, 3: L1, 4: L0, 5: TL, 6..13: T0..T7, 14, 15: T7
// Every directional prediction (8.3.1.2.4 to 8.3.1.2.9) is a choice of 16 bytes from its two-tap averages (lane i: N[i], N[i + 1])
// and its three-tap ones (lane i: centre N[i + 1]).

class Intra {
  /** Half the Hadamard sum of the difference between two 4x4 blocks of 16 bytes in raster order. */
  // @ts-ignore: decorator
  @inline static cost(source: v128, prediction: v128): i32 {
    const low = i16x8.sub(i16x8.extend_low_i8x16_u(source), i16x8.extend_low_i8x16_u(prediction));
    const high = i16x8.sub(i16x8.extend_high_i8x16_u(source), i16x8.extend_high_i8x16_u(prediction));
    // [r0 + r2 | r1 + r3] and [r0 - r2 | r1 - r3]
    const s = i16x8.add(low, high);
    const d = i16x8.sub(low, high);
    const p = v128.shuffle<i64>(s, d, 0, 2);
    const q = v128.shuffle<i64>(s, d, 1, 3);
    const v0 = i16x8.add(p, q);
    const v1 = i16x8.sub(p, q);
    const e = v128.shuffle<i16>(v0, v1, 0, 2, 4, 6, 8, 10, 12, 14);
    const o = v128.shuffle<i16>(v0, v1, 1, 3, 5, 7, 9, 11, 13, 15);
    const a = i16x8.abs(i16x8.add(e, o));
    const b = i16x8.abs(i16x8.sub(e, o));
    const m = i16x8.max_s(
      v128.shuffle<i16>(a, b, 0, 2, 4, 6, 8, 10, 12, 14),
      v128.shuffle<i16>(a, b, 1, 3, 5, 7, 9, 11, 13, 15),
    );
    const sum = i32x4.extadd_pairwise_i16x8_u(m);
    const half = i32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
    return i32x4.extract_lane(half, 0) + i32x4.extract_lane(half, 1);
  }
}

export function intra4x4Costs(
  src: usize, srcStride: usize, dst: usize, dstStride: usize, available: i32, out: usize,
): void {
  let s = v128.load32_zero(src);
  s = v128.load_lane<u32>(src + srcStride, s, 1);
  s = v128.load_lane<u32>(src + 2 * srcStride, s, 2);
  s = v128.load_lane<u32>(src + 3 * srcStride, s, 3);

  const never = 0x7fffffff;
  const hasLeft = (available & 1) != 0;
  const hasTop = (available & 2) != 0;
  let sum: i32 = 128;
  let n = i8x16.splat(0);
  if (hasTop) {
    const above = dst - dstStride;
    let t = v128.load64_zero(above);
    if ((available & 4) == 0) {
      t = v128.shuffle<i8>(t, t, 0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3);
    }
    // T0..T7 to 6..13, T7 behind them.
    n = v128.shuffle<i8>(t, t, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 7, 7);
    sum = i32(load<u8>(above)) + load<u8>(above, 1) + load<u8>(above, 2) + load<u8>(above, 3);
  }
  if (hasLeft) {
    const l0 = load<u8>(dst - 1);
    const l1 = load<u8>(dst - 1 + dstStride);
    const l2 = load<u8>(dst - 1 + 2 * dstStride);
    const l3 = load<u8>(dst - 1 + 3 * dstStride);
    n = i8x16.replace_lane(n, 0, l3);
    n = i8x16.replace_lane(n, 1, l3);
    n = i8x16.replace_lane(n, 2, l2);
    n = i8x16.replace_lane(n, 3, l1);
    n = i8x16.replace_lane(n, 4, l0);
    const left = i32(l0) + l1 + l2 + l3;
    sum = hasTop ? (sum + left + 4) >> 3 : (left + 2) >> 2;
  } else if (hasTop) {
    sum = (sum + 2) >> 2;
  }
  store<i32>(out, Intra.cost(s, i8x16.splat(<i8>sum)), 8);

  const n1 = v128.shuffle<i8>(n, n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15);
  if (hasLeft) {
    store<i32>(out, Intra.cost(s, v128.shuffle<i8>(n, n, 4, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1)), 4);
  } else {
    store<i32>(out, never, 4);
  }
  const hasCorner = (available & 8) != 0;
  if (hasCorner) {
    n = i8x16.replace_lane(n, 5, load<u8>(dst - dstStride - 1));
  }
  const m1 = hasCorner ? v128.shuffle<i8>(n, n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15) : n1;
  const m2 = v128.shuffle<i8>(n, n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15, 15);
  const two = i8x16.avgr_u(n, m1);
  // (a + 2b + c + 2) >> 2 = average of b and the rounded-down average of a and c.
  const outer = i8x16.sub(i8x16.avgr_u(n, m2), v128.and(v128.xor(n, m2), i8x16.splat(1)));
  const three = i8x16.avgr_u(m1, outer);

  if (hasTop) {
    store<i32>(out, Intra.cost(s, v128.shuffle<i8>(n, n, 6, 7, 8, 9, 6, 7, 8, 9, 6, 7, 8, 9, 6, 7, 8, 9)), 0);
    // Diagonal down left: centre T[x + y + 1].
    store<i32>(
      out,
      Intra.cost(s, v128.shuffle<i8>(three, three, 6, 7, 8, 9, 7, 8, 9, 10, 8, 9, 10, 11, 9, 10, 11, 12)),
      12,
    );
    // Vertical left: two-tap on even rows, three-tap on odd rows.
    store<i32>(
      out,
      Intra.cost(s, v128.shuffle<i8>(two, three, 6, 7, 8, 9, 22, 23, 24, 25, 7, 8, 9, 10, 23, 24, 25, 26)),
      28,
    );
  } else {
    store<i32>(out, never, 0);
    store<i32>(out, never, 12);
    store<i32>(out, never, 28);
  }
  if (hasLeft) {
    // Horizontal up.
    store<i32>(
      out,
      Intra.cost(s, v128.shuffle<i8>(two, three, 3, 18, 2, 17, 2, 17, 1, 16, 1, 16, 0, 0, 0, 0, 0, 0)),
      32,
    );
  } else {
    store<i32>(out, never, 32);
  }
  if (hasLeft && hasTop && hasCorner) {
    // Diagonal down right: centre N[5 + x - y].
    store<i32>(
      out,
      Intra.cost(s, v128.shuffle<i8>(three, three, 4, 5, 6, 7, 3, 4, 5, 6, 2, 3, 4, 5, 1, 2, 3, 4)),
      16,
    );
    // Vertical right.
    store<i32>(
      out,
      Intra.cost(s, v128.shuffle<i8>(two, three, 5, 6, 7, 8, 20, 21, 22, 23, 19, 5, 6, 7, 18, 20, 21, 22)),
      20,
    );
    // Horizontal down.
    store<i32>(
      out,
      Intra.cost(s, v128.shuffle<i8>(two, three, 4, 20, 21, 22, 3, 19, 4, 20, 2, 18, 3, 19, 1, 17, 2, 18)),
      24,
    );
  } else {
    store<i32>(out, never, 16);
    store<i32>(out, never, 20);
    store<i32>(out, never, 24);
  }
}
