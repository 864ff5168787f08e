// Kernels on uncompressed pictures: the same as the reference in shared/pixels/pixel-kernels.ts (scaling, RGBA and NV12 conversion).

import { Lanes } from './lanes';

/** One output row's worth of vertical mixing: taps rows of bytes into 16-bit samples times 64. */
// @ts-ignore: decorator
@inline
function mixRows(row: usize, src: usize, stride: usize, width: i32, weights: usize, taps: i32): void {
  const rounding = i32x4.splat(128);
  for (let x = 0; x < width; x += 8) {
    let low = rounding;
    let high = rounding;
    let p = src + x;
    let w = weights;
    let t = 0;
    for (; t + 1 < taps; t += 2) {
      // a0 b0 a1 b1 ... of two rows, one dot product per pair with (weight a, weight b)
      const pairs = v128.shuffle<u8>(
        v128.load64_zero(p), v128.load64_zero(p + stride),
        0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
      );
      const weight = v128.load32_splat(w);
      low = i32x4.add(low, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(pairs), weight));
      high = i32x4.add(high, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(pairs), weight));
      p += 2 * stride;
      w += 4;
    }
    if (t < taps) {
      const a = Lanes.widen(p);
      const weight = v128.load16_splat(w);
      low = i32x4.add(low, i32x4.extmul_low_i16x8_s(a, weight));
      high = i32x4.add(high, i32x4.extmul_high_i16x8_s(a, weight));
    }
    v128.store(row + 2 * x, i16x8.narrow_i32x4_s(i32x4.shr_s(low, 8), i32x4.shr_s(high, 8)));
  }
}

/** Sums of lanes (0, 1) and (2, 3) of a, then of b. */
// @ts-ignore: decorator
@inline
function addPairs(a: v128, b: v128): v128 {
  return i32x4.add(v128.shuffle<u32>(a, b, 0, 2, 4, 6), v128.shuffle<u32>(a, b, 1, 3, 5, 7));
}

// @ts-ignore: decorator
@inline
function store4(dst: usize, sums: v128): void {
  const v = i32x4.shr_s(i32x4.add(sums, i32x4.splat(1 << 19)), 20);
  v128.store_lane<u32>(dst, Lanes.clip8(i16x8.narrow_i32x4_s(v, v)), 0);
}

/** Four taps per output: two outputs per vector. */
function mixColumns4(dst: usize, row: usize, width: i32, starts: usize, weights: usize): void {
  for (let x = 0; x < width; x += 4) {
    const a = v128.load64_lane(row + 2 * load<u32>(starts, 4), v128.load64_zero(row + 2 * load<u32>(starts)), 1);
    const b = v128.load64_lane(row + 2 * load<u32>(starts, 12), v128.load64_zero(row + 2 * load<u32>(starts, 8)), 1);
    store4(
      dst,
      addPairs(i32x4.dot_i16x8_s(a, v128.load(weights)), i32x4.dot_i16x8_s(b, v128.load(weights, 16))),
    );
    dst += 4;
    starts += 16;
    weights += 32;
  }
}

/** Dot product of `taps` (a multiple of 8) samples and weights, in four lanes yet to be summed. */
// @ts-ignore: decorator
@inline
function dotTaps(p: usize, weights: usize, taps: i32): v128 {
  let sum = i32x4.dot_i16x8_s(v128.load(p), v128.load(weights));
  for (let t = 8; t < taps; t += 8) {
    sum = i32x4.add(sum, i32x4.dot_i16x8_s(v128.load(p + 2 * t), v128.load(weights + 2 * t)));
  }
  return sum;
}

function mixColumns(dst: usize, row: usize, width: i32, starts: usize, weights: usize, taps: i32): void {
  const pitch: usize = 2 * taps;
  for (let x = 0; x < width; x += 4) {
    const a = dotTaps(row + 2 * load<u32>(starts), weights, taps);
    const b = dotTaps(row + 2 * load<u32>(starts, 4), weights + pitch, taps);
    const c = dotTaps(row + 2 * load<u32>(starts, 8), weights + 2 * pitch, taps);
    const d = dotTaps(row + 2 * load<u32>(starts, 12), weights + 3 * pitch, taps);
    store4(dst, addPairs(addPairs(a, b), addPairs(c, d)));
    dst += 4;
    starts += 16;
    weights += 4 * pitch;
  }
}

export function scalePlane(
  dst: usize, dstStride: usize, dstWidth: i32, dstHeight: i32,
  src: usize, srcStride: usize, srcWidth: i32, row: usize,
  verticalStarts: usize, verticalWeights: usize, verticalTaps: i32,
  horizontalStarts: usize, horizontalWeights: usize, horizontalTaps: i32,
): void {
  for (let y = 0; y < dstHeight; y++) {
    mixRows(row, src + load<u32>(verticalStarts) * srcStride, srcStride, srcWidth, verticalWeights, verticalTaps);
    if (horizontalTaps == 4) {
      mixColumns4(dst, row, dstWidth, horizontalStarts, horizontalWeights);
    } else {
      mixColumns(dst, row, dstWidth, horizontalStarts, horizontalWeights, horizontalTaps);
    }
    dst += dstStride;
    verticalStarts += 4;
    verticalWeights += 2 * verticalTaps;
  }
}

/** (luma + factor * chroma) >> 13 of eight pixels, as 16-bit lanes; lumaLow and lumaHigh are 32-bit. */
// @ts-ignore: decorator
@inline
function channel(lumaLow: v128, lumaHigh: v128, chroma: v128, factor: v128): v128 {
  return i16x8.narrow_i32x4_s(
    i32x4.shr_s(i32x4.add(lumaLow, i32x4.extmul_low_i16x8_s(chroma, factor)), 13),
    i32x4.shr_s(i32x4.add(lumaHigh, i32x4.extmul_high_i16x8_s(chroma, factor)), 13),
  );
}

/** Four chroma samples at p, each twice, minus 128. */
// @ts-ignore: decorator
@inline
function chromaTwice(p: usize): v128 {
  const c = v128.load32_zero(p);
  const twice = v128.shuffle<u8>(c, c, 0, 0, 1, 1, 2, 2, 3, 3, 0, 0, 1, 1, 2, 2, 3, 3);
  return i16x8.sub(i16x8.extend_low_i8x16_u(twice), i16x8.splat(128));
}

export function i420RowToRgba(dst: usize, y: usize, u: usize, v: usize, width: i32, matrix: usize): void {
  const factorY = v128.load16_splat(matrix);
  const crToR = v128.load16_splat(matrix, 2);
  const cbToG = v128.load16_splat(matrix, 4);
  const crToG = v128.load16_splat(matrix, 6);
  const cbToB = v128.load16_splat(matrix, 8);
  const offset = v128.load16_splat(matrix, 10);
  const rounding = i32x4.splat(4096);
  const opaque = i16x8.splat(255);
  for (let x = 0; x < width; x += 8) {
    const luma = i16x8.sub(Lanes.widen(y), offset);
    const low = i32x4.add(i32x4.extmul_low_i16x8_s(luma, factorY), rounding);
    const high = i32x4.add(i32x4.extmul_high_i16x8_s(luma, factorY), rounding);
    const cb = chromaTwice(u);
    const cr = chromaTwice(v);
    const r = channel(low, high, cr, crToR);
    const g = channel(
      i32x4.add(low, i32x4.extmul_low_i16x8_s(cb, cbToG)),
      i32x4.add(high, i32x4.extmul_high_i16x8_s(cb, cbToG)),
      cr,
      crToG,
    );
    const b = channel(low, high, cb, cbToB);
    // r0..r7 b0..b7 and g0..g7 a0..a7, then r g pairs and b a pairs, then pixels
    const rb = i8x16.narrow_i16x8_u(r, b);
    const ga = i8x16.narrow_i16x8_u(g, opaque);
    const rg = v128.shuffle<u8>(rb, ga, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const ba = v128.shuffle<u8>(rb, ga, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    v128.store(dst, v128.shuffle<u16>(rg, ba, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(dst, v128.shuffle<u16>(rg, ba, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    dst += 32;
    y += 8;
    u += 4;
    v += 4;
  }
}

/** Weighted sums of two pixels' R, G, B (alpha has weight 0): 32-bit lanes r + g and b + a of each. */
// @ts-ignore: decorator
@inline
function lumaOf4(pixels: v128, weights: v128): v128 {
  return addPairs(
    i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(pixels), weights),
    i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(pixels), weights),
  );
}

/** R, G, B, 0 twice, from three 16-bit values. */
// @ts-ignore: decorator
@inline
function rgbWeights(matrix: usize): v128 {
  return i64x2.splat((load<u32>(matrix) | (<u64>load<u16>(matrix, 4) << 32)));
}

export function rgbaRowToLuma(dst: usize, src: usize, width: i32, matrix: usize): void {
  const weights = rgbWeights(matrix);
  const offset = i32x4.splat((<i32>load<i16>(matrix, 6) << 15) + 16384);
  for (let x = 0; x < width; x += 8) {
    const low = i32x4.shr_s(i32x4.add(lumaOf4(v128.load(src), weights), offset), 15);
    const high = i32x4.shr_s(i32x4.add(lumaOf4(v128.load(src, 16), weights), offset), 15);
    v128.store_lane<u64>(dst, Lanes.clip8(i16x8.narrow_i32x4_s(low, high)), 0);
    src += 32;
    dst += 8;
  }
}

/** Sums of 2x2 pixels as 16-bit R G B A, for two neighbouring squares. */
// @ts-ignore: decorator
@inline
function squares(upper: usize, lower: usize): v128 {
  const a = v128.load(upper);
  const b = v128.load(lower);
  const left = i16x8.add(i16x8.extend_low_i8x16_u(a), i16x8.extend_low_i8x16_u(b)); // pixels 0 and 1
  const right = i16x8.add(i16x8.extend_high_i8x16_u(a), i16x8.extend_high_i8x16_u(b)); // pixels 2 and 3
  return i16x8.add(v128.shuffle<u64>(left, right, 0, 2), v128.shuffle<u64>(left, right, 1, 3));
}

// @ts-ignore: decorator
@inline
function storeChroma(dst: usize, first: v128, second: v128, weights: v128, offset: v128): void {
  const sums = addPairs(i32x4.dot_i16x8_s(first, weights), i32x4.dot_i16x8_s(second, weights));
  const v = i32x4.shr_s(i32x4.add(sums, offset), 17);
  v128.store_lane<u32>(dst, Lanes.clip8(i16x8.narrow_i32x4_s(v, v)), 0);
}

export function rgbaRowsToChroma(
  u: usize, v: usize, upper: usize, lower: usize, width: i32, matrix: usize,
): void {
  const toCb = rgbWeights(matrix);
  const toCr = rgbWeights(matrix + 6);
  const offset = i32x4.splat((128 << 17) + 65536);
  for (let x = 0; x < width; x += 4) {
    const first = squares(upper, lower);
    const second = squares(upper + 16, lower + 16);
    storeChroma(u, first, second, toCb, offset);
    storeChroma(v, first, second, toCr, offset);
    upper += 32;
    lower += 32;
    u += 4;
    v += 4;
  }
}

export function splitPairs(u: usize, v: usize, pairs: usize, width: i32): void {
  for (let x = 0; x < width; x += 16) {
    const a = v128.load(pairs);
    const b = v128.load(pairs, 16);
    v128.store(u, v128.shuffle<u8>(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30));
    v128.store(v, v128.shuffle<u8>(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31));
    pairs += 32;
    u += 16;
    v += 16;
  }
}

export function joinPairs(pairs: usize, u: usize, v: usize, width: i32): void {
  for (let x = 0; x < width; x += 16) {
    const a = v128.load(u);
    const b = v128.load(v);
    v128.store(pairs, v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    v128.store(pairs, v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
    pairs += 32;
    u += 16;
    v += 16;
  }
}
