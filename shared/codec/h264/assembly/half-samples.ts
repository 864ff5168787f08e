// Half-sample planes around a block, for sub-sample motion search, and the padding of planes. Twins of kernels/analysis-kernels.ts.
// A plane has rows of 32 bytes; strips of eight columns start one sample left of the block (HALF_STRIDE and offsets as there).

import { Lanes } from './lanes';

class Half {
  /** j from six unclipped half samples in 16 bits: floor((A - 5B + 20C) / 16) by nested shifts; what saturates clips to the same result. */
  // @ts-ignore: decorator
  @inline static centre(a: v128, b: v128, c: v128, d: v128, e: v128, f: v128): v128 {
    const A = i16x8.add(a, f);
    const B = i16x8.add(b, e);
    const C = i16x8.add(c, d);
    const t = i16x8.sub(i16x8.shr_s(i16x8.sub(A, B), 2), B);
    const u = i16x8.add(i16x8.shr_s(i16x8.add_sat_s(t, C), 2), C);
    return Lanes.clip8(i16x8.shr_s(i16x8.add(u, i16x8.splat(32)), 6));
  }
}

export function interpolateHalfSamples(dst: usize, src: usize, srcStride: usize, width: i32, height: i32): void {
  for (let x = 0; x <= width; x += 8) {
    // Rows -3.. of the column strip that starts at sample x - 1.
    const first = src + x - 1 - 3 * srcStride;
    let to = dst + x;
    let p = first;
    let a = Lanes.rowTap6(p);
    let b = Lanes.rowTap6(p + srcStride);
    let c = Lanes.rowTap6(p + 2 * srcStride);
    let d = Lanes.rowTap6(p + 3 * srcStride);
    let e = Lanes.rowTap6(p + 4 * srcStride);
    p += 5 * srcStride;
    for (let y = -1; y < height; y++) {
      const f = Lanes.rowTap6(p);
      v128.store_lane<u64>(to, Lanes.half(c), 0);
      v128.store_lane<u64>(to + 1152, Half.centre(a, b, c, d, e, f), 0);
      a = b;
      b = c;
      c = d;
      d = e;
      e = f;
      p += srcStride;
      to += 32;
    }
    v128.store_lane<u64>(to, Lanes.half(c), 0);

    to = dst + 576 + x;
    p = first;
    a = Lanes.widen(p);
    b = Lanes.widen(p + srcStride);
    c = Lanes.widen(p + 2 * srcStride);
    d = Lanes.widen(p + 3 * srcStride);
    e = Lanes.widen(p + 4 * srcStride);
    p += 5 * srcStride;
    for (let y = -1; y < height; y++) {
      const f = Lanes.widen(p);
      v128.store_lane<u64>(to, Lanes.half(Lanes.tap6(a, b, c, d, e, f)), 0);
      a = b;
      b = c;
      c = d;
      d = e;
      e = f;
      p += srcStride;
      to += 32;
    }
  }
}

export function padPlane(plane: usize, stride: usize, width: i32, height: i32, border: i32): void {
  for (let y = 0; y < height; y++) {
    const row = plane + y * stride;
    const left = v128.load_splat<u8>(row);
    const right = v128.load_splat<u8>(row + width - 1);
    for (let x = 0; x < border; x += 16) {
      v128.store(row + x - border, left);
      v128.store(row + x + width, right);
    }
  }
  const span = width + 2 * border;
  const top = plane - border;
  const bottom = top + (height - 1) * stride;
  for (let y = 1; y <= border; y++) {
    memory.copy(top - y * stride, top, span);
    memory.copy(bottom + y * stride, bottom, span);
  }
}
