// Small building blocks of the SIMD kernels: widening loads, saturating stores and the six tap filter on eight 16-bit lanes.
// All of them disappear by inlining. No objects, no garbage collector: a class is only a namespace here.

export class Lanes {
  /** Eight bytes at p as eight 16-bit lanes. */
  // @ts-ignore: decorator
  @inline static widen(p: usize): v128 {
    return v128.load_ext<u8>(p);
  }

  /** Eight 16-bit lanes clipped to 0..255 and packed into the low eight bytes. */
  // @ts-ignore: decorator
  @inline static clip8(a: v128): v128 {
    return i8x16.narrow_i16x8_u(a, a);
  }

  /** The lowest min(width, 8) bytes of v to p; width is 2, 4, 8 or 16. */
  // @ts-ignore: decorator
  @inline static store(p: usize, v: v128, width: i32): void {
    if (width >= 8) {
      v128.store_lane<u64>(p, v, 0);
    } else if (width == 4) {
      v128.store_lane<u32>(p, v, 0);
    } else {
      v128.store_lane<u16>(p, v, 0);
    }
  }

  /** a - 5b + 20c + 20d - 5e + f, as (a + f) + 5 * (4 * (c + d) - (b + e)). Bytes in, -2550..10710 out. */
  // @ts-ignore: decorator
  @inline static tap6(a: v128, b: v128, c: v128, d: v128, e: v128, f: v128): v128 {
    const t = i16x8.sub(i16x8.shl(i16x8.add(c, d), 2), i16x8.add(b, e));
    return i16x8.add(i16x8.add(a, f), i16x8.add(t, i16x8.shl(t, 2)));
  }

  /** b1 of the eight samples at p (8-241): the six tap filter along the row. */
  // @ts-ignore: decorator
  @inline static rowTap6(p: usize): v128 {
    return Lanes.tap6(
      Lanes.widen(p - 2),
      Lanes.widen(p - 1),
      Lanes.widen(p),
      Lanes.widen(p + 1),
      Lanes.widen(p + 2),
      Lanes.widen(p + 3),
    );
  }

  /** Clip1((v + 16) >> 5), packed: the half sample from its unclipped value. */
  // @ts-ignore: decorator
  @inline static half(v: v128): v128 {
    return Lanes.clip8(i16x8.shr_s(i16x8.add(v, i16x8.splat(16)), 5));
  }
}
