// Inter prediction (8.4.2.2, 8.4.2.3): the same kernels as kernels/inter-kernels.ts, in strips of eight columns.
//
// Blocks are walked in vertical strips of eight samples held as eight 16-bit lanes; vertical filters keep the last six rows in
// locals. A strip of a 4 wide block computes eight lanes and stores four, so up to 8 bytes right of what the interface names are read.

import { Lanes } from './lanes';

class Luma {
  /** j from six unclipped half samples (8-245, 8-247): Clip1((a - 5b + 20c + ... + 512) >> 10) in 16 bits.
   * With A = a + f, B = b + e, C = c + d: ((((A - B) >> 2) - B + C) >> 2) + C is floor((A - 5B + 20C) / 16); only values far
   * outside 0..255 saturate, and those clip to the same result. */
  // @ts-ignore: decorator
  @inline static centre(a: v128, b: v128, c: v128, d: v128, e: v128, f: v128): v128 {
    const A = i16x8.add(a, f);
    const B = i16x8.add(b, e);
    const C = i16x8.add(c, d);
    const t = i16x8.sub(i16x8.shr_s(i16x8.sub(A, B), 2), B);
    const u = i16x8.add(i16x8.shr_s(i16x8.add_sat_s(t, C), 2), C);
    return Lanes.clip8(i16x8.shr_s(i16x8.add(u, i16x8.splat(32)), 6));
  }

  /** b, averaged with the full sample at column offset `with` unless that is negative. */
  // @ts-ignore: decorator
  @inline static horizontal(
    dst: usize, ds: usize, src: usize, ss: usize, width: i32, height: i32, mix: i32,
  ): void {
    if (width == 16) {
      for (let y = 0; y < height; y++) {
        const low = i16x8.shr_s(i16x8.add(Lanes.rowTap6(src), i16x8.splat(16)), 5);
        const high = i16x8.shr_s(i16x8.add(Lanes.rowTap6(src + 8), i16x8.splat(16)), 5);
        let v = i8x16.narrow_i16x8_u(low, high);
        if (mix >= 0) v = i8x16.avgr_u(v, v128.load(src + mix));
        v128.store(dst, v);
        src += ss;
        dst += ds;
      }
      return;
    }
    for (let y = 0; y < height; y++) {
      let v = Lanes.half(Lanes.rowTap6(src));
      if (mix >= 0) v = i8x16.avgr_u(v, v128.load64_zero(src + mix));
      Lanes.store(dst, v, width);
      src += ss;
      dst += ds;
    }
  }

  /** h, averaged with the full sample at row offset `mix` unless that is negative. */
  // @ts-ignore: decorator
  @inline static vertical(
    dst: usize, ds: usize, src: usize, ss: usize, width: i32, height: i32, mix: i32,
  ): void {
    for (let x = 0; x < width; x += 8) {
      let p = src + x - 2 * ss;
      let q = dst + x;
      let a = Lanes.widen(p);
      let b = Lanes.widen(p + ss);
      let c = Lanes.widen(p + 2 * ss);
      let d = Lanes.widen(p + 3 * ss);
      let e = Lanes.widen(p + 4 * ss);
      p += 5 * ss;
      for (let y = 0; y < height; y++) {
        const f = Lanes.widen(p);
        let v = Lanes.half(Lanes.tap6(a, b, c, d, e, f));
        if (mix == 0) v = i8x16.avgr_u(v, Lanes.clip8(c));
        if (mix == 1) v = i8x16.avgr_u(v, Lanes.clip8(d));
        Lanes.store(q, v, width);
        a = b;
        b = c;
        c = d;
        d = e;
        e = f;
        p += ss;
        q += ds;
      }
    }
  }

  /** j, averaged with b of row offset `mix` (0 or 1) unless that is negative. */
  // @ts-ignore: decorator
  @inline static both(dst: usize, ds: usize, src: usize, ss: usize, width: i32, height: i32, mix: i32): void {
    for (let x = 0; x < width; x += 8) {
      let p = src + x - 2 * ss;
      let q = dst + x;
      let a = Lanes.rowTap6(p);
      let b = Lanes.rowTap6(p + ss);
      let c = Lanes.rowTap6(p + 2 * ss);
      let d = Lanes.rowTap6(p + 3 * ss);
      let e = Lanes.rowTap6(p + 4 * ss);
      p += 5 * ss;
      for (let y = 0; y < height; y++) {
        const f = Lanes.rowTap6(p);
        let v = Luma.centre(a, b, c, d, e, f);
        if (mix == 0) v = i8x16.avgr_u(v, Lanes.half(c));
        if (mix == 1) v = i8x16.avgr_u(v, Lanes.half(d));
        Lanes.store(q, v, width);
        a = b;
        b = c;
        c = d;
        d = e;
        e = f;
        p += ss;
        q += ds;
      }
    }
  }

  /** j averaged with h of column offset `mix` (0 or 1). */
  // @ts-ignore: decorator
  @inline static bothWithColumn(
    dst: usize, ds: usize, src: usize, ss: usize, width: i32, height: i32, mix: i32,
  ): void {
    for (let x = 0; x < width; x += 8) {
      let p = src + x - 2 * ss;
      let q = dst + x;
      let a = Lanes.rowTap6(p);
      let b = Lanes.rowTap6(p + ss);
      let c = Lanes.rowTap6(p + 2 * ss);
      let d = Lanes.rowTap6(p + 3 * ss);
      let e = Lanes.rowTap6(p + 4 * ss);
      p += 5 * ss;
      for (let y = 0; y < height; y++) {
        const f = Lanes.rowTap6(p);
        const column = p + mix;
        const h = Lanes.tap6(
          Lanes.widen(column - 5 * ss),
          Lanes.widen(column - 4 * ss),
          Lanes.widen(column - 3 * ss),
          Lanes.widen(column - 2 * ss),
          Lanes.widen(column - ss),
          Lanes.widen(column),
        );
        Lanes.store(q, i8x16.avgr_u(Luma.centre(a, b, c, d, e, f), Lanes.half(h)), width);
        a = b;
        b = c;
        c = d;
        d = e;
        e = f;
        p += ss;
        q += ds;
      }
    }
  }

  /** b of row offset `row` averaged with h of column offset `column` (e, g, p, r of Table 8-12). */
  static diagonal(
    dst: usize, ds: usize, src: usize, ss: usize, width: i32, height: i32, row: usize, column: usize,
  ): void {
    for (let x = 0; x < width; x += 8) {
      let p = src + x + column - 2 * ss;
      let r = src + x + row * ss;
      let q = dst + x;
      let a = Lanes.widen(p);
      let b = Lanes.widen(p + ss);
      let c = Lanes.widen(p + 2 * ss);
      let d = Lanes.widen(p + 3 * ss);
      let e = Lanes.widen(p + 4 * ss);
      p += 5 * ss;
      for (let y = 0; y < height; y++) {
        const f = Lanes.widen(p);
        const v = i8x16.avgr_u(Lanes.half(Lanes.tap6(a, b, c, d, e, f)), Lanes.half(Lanes.rowTap6(r)));
        Lanes.store(q, v, width);
        a = b;
        b = c;
        c = d;
        d = e;
        e = f;
        p += ss;
        r += ss;
        q += ds;
      }
    }
  }

  /** G: a copy. */
  // @ts-ignore: decorator
  @inline static copy(dst: usize, ds: usize, src: usize, ss: usize, width: i32, height: i32): void {
    if (width == 16) {
      for (let y = 0; y < height; y++) {
        v128.store(dst, v128.load(src));
        src += ss;
        dst += ds;
      }
    } else if (width == 8) {
      for (let y = 0; y < height; y++) {
        store<u64>(dst, load<u64>(src));
        src += ss;
        dst += ds;
      }
    } else {
      for (let y = 0; y < height; y++) {
        store<u32>(dst, load<u32>(src));
        src += ss;
        dst += ds;
      }
    }
  }
}

export function predictLuma(
  dst: usize, ds: usize, src: usize, ss: usize, width: i32, height: i32, xFrac: i32, yFrac: i32,
): void {
  switch ((yFrac << 2) | xFrac) {
    case 0:
      Luma.copy(dst, ds, src, ss, width, height);
      break;
    case 1:
      Luma.horizontal(dst, ds, src, ss, width, height, 0);
      break;
    case 2:
      Luma.horizontal(dst, ds, src, ss, width, height, -1);
      break;
    case 3:
      Luma.horizontal(dst, ds, src, ss, width, height, 1);
      break;
    case 4:
      Luma.vertical(dst, ds, src, ss, width, height, 0);
      break;
    case 8:
      Luma.vertical(dst, ds, src, ss, width, height, -1);
      break;
    case 12:
      Luma.vertical(dst, ds, src, ss, width, height, 1);
      break;
    case 6:
      Luma.both(dst, ds, src, ss, width, height, 0);
      break;
    case 10:
      Luma.both(dst, ds, src, ss, width, height, -1);
      break;
    case 14:
      Luma.both(dst, ds, src, ss, width, height, 1);
      break;
    case 9:
      Luma.bothWithColumn(dst, ds, src, ss, width, height, 0);
      break;
    case 11:
      Luma.bothWithColumn(dst, ds, src, ss, width, height, 1);
      break;
    default:
      Luma.diagonal(dst, ds, src, ss, width, height, <usize>(yFrac >> 1), <usize>(xFrac >> 1));
  }
}

class Chroma {
  /** 8 * A + xFrac * (B - A): one row interpolated horizontally, 0..2040. */
  // @ts-ignore: decorator
  @inline static row(p: usize, x: v128): v128 {
    const a = Lanes.widen(p);
    return i16x8.add(i16x8.shl(a, 3), i16x8.mul(i16x8.sub(Lanes.widen(p + 1), a), x));
  }
}

export function predictChroma(
  dst: usize, ds: usize, src: usize, ss: usize, width: i32, height: i32, xFrac: i32, yFrac: i32,
): void {
  if ((xFrac | yFrac) == 0) {
    for (let y = 0; y < height; y++) {
      Lanes.store(dst, v128.load64_zero(src), width);
      src += ss;
      dst += ds;
    }
    return;
  }
  const x = i16x8.splat(<i16>xFrac);
  const y = i16x8.splat(<i16>yFrac);
  const rounding = i16x8.splat(32);
  let above = Chroma.row(src, x);
  for (let row = 0; row < height; row++) {
    src += ss;
    const below = Chroma.row(src, x);
    // 8 * above + yFrac * (below - above): 8-266 with the products grouped by row
    const v = i16x8.add(i16x8.shl(above, 3), i16x8.mul(i16x8.sub(below, above), y));
    Lanes.store(dst, Lanes.clip8(i16x8.shr_u(i16x8.add(v, rounding), 6)), width);
    above = below;
    dst += ds;
  }
}

export function averageBlocks(
  dst: usize, ds: usize, a: usize, as: usize, b: usize, bs: usize, width: i32, height: i32,
): void {
  if (width == 16) {
    for (let y = 0; y < height; y++) {
      v128.store(dst, i8x16.avgr_u(v128.load(a), v128.load(b)));
      dst += ds;
      a += as;
      b += bs;
    }
    return;
  }
  for (let y = 0; y < height; y++) {
    Lanes.store(dst, i8x16.avgr_u(v128.load64_zero(a), v128.load64_zero(b)), width);
    dst += ds;
    a += as;
    b += bs;
  }
}

/** |weight| <= 128, so a product fits 16 bits. */
export function weightBlock(
  dst: usize, ds: usize, width: i32, height: i32, logWD: i32, weight: i32, offset: i32,
): void {
  const w = i16x8.splat(<i16>weight);
  const o = i16x8.splat(<i16>offset);
  const rounding = i16x8.splat(<i16>(<i32>(<i32>1 << logWD) >> 1));
  for (let x = 0; x < width; x += 8) {
    let p = dst + x;
    for (let y = 0; y < height; y++) {
      const v = i16x8.shr_s(i16x8.add(i16x8.mul(Lanes.widen(p), w), rounding), logWD);
      Lanes.store(p, Lanes.clip8(i16x8.add_sat_s(v, o)), width);
      p += ds;
    }
  }
}

/** Sums in 32 bits: two default weights of 128 exceed 16. */
export function weightBlocks(
  dst: usize, ds: usize, a: usize, as: usize, b: usize, bs: usize,
  width: i32, height: i32, logWD: i32, w0: i32, w1: i32, offset: i32,
): void {
  const w = i32x4.splat((w0 & 0xffff) | (w1 << 16));
  const o = i16x8.splat(<i16>offset);
  const rounding = i32x4.splat(1 << logWD);
  const shift = logWD + 1;
  for (let x = 0; x < width; x += 8) {
    let p = a + x;
    let r = b + x;
    let q = dst + x;
    for (let y = 0; y < height; y++) {
      // pairs (a0 b0 a1 b1 ...) in 16-bit lanes, one dot product per pair
      const pairs = v128.shuffle<u8>(
        v128.load64_zero(p), v128.load64_zero(r),
        0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
      );
      const low = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(pairs), w);
      const high = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(pairs), w);
      const v = i16x8.narrow_i32x4_s(
        i32x4.shr_s(i32x4.add(low, rounding), shift),
        i32x4.shr_s(i32x4.add(high, rounding), shift),
      );
      Lanes.store(q, Lanes.clip8(i16x8.add_sat_s(v, o)), width);
      p += as;
      r += bs;
      q += ds;
    }
  }
}

/** Row pitch of the window into which predictPartition copies blocks that leave the picture. */
const WINDOW_STRIDE: usize = 32;

/** Copies columns x.. and rows y.. of a plane into the window, the border samples repeated outside (8-239, 8-240). */
function fillWindow(
  window: usize, plane: usize, stride: usize, width: i32, height: i32, x: i32, y: i32, columns: i32, rows: i32,
): void {
  const isInside = x >= 0 && x + columns <= width;
  for (let row = 0; row < rows; row++) {
    const line = plane + <usize>min(max(y + row, 0), height - 1) * stride;
    if (isInside) {
      v128.store(window, v128.load(line + x));
      v128.store(window, v128.load(line + x, 16), 16);
    } else {
      for (let column = 0; column < columns; column++) {
        store<u8>(window + column, load<u8>(line + <usize>min(max(x + column, 0), width - 1)));
      }
    }
    window += WINDOW_STRIDE;
  }
}

/** One chroma plane of predictPartition. */
function chromaPartition(
  dst: usize, ds: usize, plane: usize, stride: usize, width: i32, height: i32,
  x: i32, y: i32, w: i32, h: i32, xFrac: i32, yFrac: i32, window: usize,
): void {
  if (x >= 0 && y >= 0 && x + w < width && y + h < height) {
    predictChroma(dst, ds, plane + y * stride + x, stride, w, h, xFrac, yFrac);
  } else {
    fillWindow(window, plane, stride, width, height, x, y, w + 1, h + 1);
    predictChroma(dst, ds, window, WINDOW_STRIDE, w, h, xFrac, yFrac);
  }
}

export function predictPartition(
  dstY: usize, dstU: usize, dstV: usize, dstStrideY: usize, dstStrideC: usize,
  refY: usize, refU: usize, refV: usize, strideY: usize, strideC: usize, width: i32, height: i32,
  x: i32, y: i32, w: i32, h: i32, mv: i32, chromaOffset: i32, window: usize,
): void {
  const mvx = (mv << 16) >> 16;
  const mvy = mv >> 16;
  const xFrac = mvx & 3;
  const yFrac = mvy & 3;
  const xInt = x + (mvx >> 2);
  const yInt = y + (mvy >> 2);
  // fractions reach 2 samples before and 3 behind the block
  const before = xFrac != 0 ? 2 : 0;
  const behind = xFrac != 0 ? 3 : 0;
  const above = yFrac != 0 ? 2 : 0;
  const below = yFrac != 0 ? 3 : 0;
  if (xInt >= before && yInt >= above && xInt + w + behind <= width && yInt + h + below <= height) {
    predictLuma(dstY, dstStrideY, refY + yInt * strideY + xInt, strideY, w, h, xFrac, yFrac);
  } else {
    fillWindow(window, refY, strideY, width, height, xInt - 2, yInt - 2, w + 5, h + 5);
    predictLuma(dstY, dstStrideY, window + 2 * WINDOW_STRIDE + 2, WINDOW_STRIDE, w, h, xFrac, yFrac);
  }
  if (dstU == 0) return;
  const mvcy = mvy + chromaOffset;
  const xC = (x >> 1) + (mvx >> 3);
  const yC = (y >> 1) + (mvcy >> 3);
  const widthC = width >> 1;
  const heightC = height >> 1;
  const w2 = w >> 1;
  const h2 = h >> 1;
  chromaPartition(dstU, dstStrideC, refU, strideC, widthC, heightC, xC, yC, w2, h2, mvx & 7, mvcy & 7, window);
  chromaPartition(dstV, dstStrideC, refV, strideC, widthC, heightC, xC, yC, w2, h2, mvx & 7, mvcy & 7, window);
}
