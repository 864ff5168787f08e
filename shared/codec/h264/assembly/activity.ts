// What a picture's macroblocks hold, for adaptive quantisation and scene cuts: the twin of macroblockActivity in kernels/analysis-kernels.ts.

/** Four lanes added. */
// @ts-ignore: decorator
@inline
function total(v: v128): i32 {
  const pairs = i32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}

export function macroblockActivity(plane: usize, stride: usize, mbWidth: i32, mbHeight: i32, out: usize): void {
  for (let y = 0; y < mbHeight; y++) {
    for (let x = 0; x < mbWidth; x++) {
      let a = plane + 16 * usize(x);
      let sums = i16x8.splat(0);
      let squares = i32x4.splat(0);
      for (let row = 0; row < 16; row++) {
        const samples = v128.load(a);
        const low = i16x8.extend_low_i8x16_u(samples);
        const high = i16x8.extend_high_i8x16_u(samples);
        sums = i16x8.add(sums, i16x8.add(low, high));
        squares = i32x4.add(squares, i32x4.add(i32x4.dot_i16x8_s(low, low), i32x4.dot_i16x8_s(high, high)));
        a += stride;
      }
      const sum = total(i32x4.extadd_pairwise_i16x8_u(sums));
      store<i32>(out, sum);
      store<i32>(out, total(squares) - i32((u32(sum) * u32(sum)) >>> 8), 4);
      out += 8;
    }
    plane += 16 * stride;
  }
}

export function equalNeighbours(plane: usize, stride: usize, mbWidth: i32, mbHeight: i32, out: usize): void {
  for (let y = 0; y < mbHeight; y++) {
    for (let x = 0; x < mbWidth; x++) {
      let a = plane + 16 * usize(x);
      let counts = i8x16.splat(0);
      for (let row = 0; row < 16; row++) {
        counts = i8x16.sub(counts, i8x16.eq(v128.load(a), v128.load(a + 1)));
        a += stride;
      }
      store<i32>(out, total(i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(counts))));
      out += 4;
    }
    plane += 16 * stride;
  }
}
