// Forward transform, quantisation and scaling of whole macroblocks, and intra 4x4 costs. Twins of kernels/analysis-kernels.ts.
//
// Two 4x4 blocks side by side fill eight lanes: row i is [A i0..i3 | B i0..i3]. After the vertical pass and a transposition of both
// halves the horizontal pass leaves column vectors, so each block comes out column by column: index t = 4 * column + row. Multipliers
// and factors are symmetric (8.5.9), so they apply to that order as they are; the shuffles at the end put scan and raster order right.

class Quant {
  /** One dimension of the forward core transform; result rows in the globals below. */
  // @ts-ignore: decorator
  @inline static forward(d0: v128, d1: v128, d2: v128, d3: v128, row: i32): v128 {
    if (row == 0) return i16x8.add(i16x8.add(d0, d3), i16x8.add(d1, d2));
    if (row == 1) return i16x8.add(i16x8.shl(i16x8.sub(d0, d3), 1), i16x8.sub(d1, d2));
    if (row == 2) return i16x8.sub(i16x8.add(d0, d3), i16x8.add(d1, d2));
    return i16x8.sub(i16x8.sub(d0, d3), i16x8.shl(i16x8.sub(d1, d2), 1));
  }

  /** (|c| * MF + f) >> shift with the sign of c, at most MAX_LEVEL, on eight lanes. */
  // @ts-ignore: decorator
  @inline static level(c: v128, multipliers: v128, offset: v128, shift: i32): v128 {
    const magnitude = i16x8.abs(c);
    const low = i32x4.shr_u(i32x4.add(i32x4.extmul_low_i16x8_u(magnitude, multipliers), offset), shift);
    const high = i32x4.shr_u(i32x4.add(i32x4.extmul_high_i16x8_u(magnitude, multipliers), offset), shift);
    const level = i16x8.min_s(i16x8.narrow_i32x4_s(low, high), i16x8.splat(2063));
    const sign = i16x8.shr_s(c, 15);
    return i16x8.sub(v128.xor(level, sign), sign);
  }

  /** Bit i: level i of the two vectors is not 0; bit 16 + i: its magnitude is above 1. */
  // @ts-ignore: decorator
  @inline static mask(low: v128, high: v128): u32 {
    const one = i16x8.splat(1);
    const zero = i16x8.splat(0);
    const any = i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.ne(low, zero), i16x8.ne(high, zero)));
    if (any == 0) return 0;
    const big = i8x16.bitmask(
      i8x16.narrow_i16x8_s(i16x8.gt_s(i16x8.abs(low), one), i16x8.gt_s(i16x8.abs(high), one)),
    );
    return any | (big << 16);
  }

  // @ts-ignore: decorator
  @inline static scanLow(a: v128, b: v128): v128 {
    return v128.shuffle<i16>(a, b, 0, 4, 1, 2, 5, 8, 12, 9);
  }

  // @ts-ignore: decorator
  @inline static scanHigh(a: v128, b: v128): v128 {
    return v128.shuffle<i16>(a, b, 6, 3, 7, 10, 13, 14, 11, 15);
  }

  // @ts-ignore: decorator
  @inline static rasterLow(a: v128, b: v128): v128 {
    return v128.shuffle<i16>(a, b, 0, 4, 8, 12, 1, 5, 9, 13);
  }

  // @ts-ignore: decorator
  @inline static rasterHigh(a: v128, b: v128): v128 {
    return v128.shuffle<i16>(a, b, 2, 6, 10, 14, 3, 7, 11, 15);
  }

  /** Whether any coefficient is above its threshold. */
  // @ts-ignore: decorator
  @inline static anyLevel(a: v128, b: v128, quantiser: usize): bool {
    return v128.any_true(
      v128.or(
        i16x8.gt_s(i16x8.abs(a), v128.load(quantiser + 80)),
        i16x8.gt_s(i16x8.abs(b), v128.load(quantiser + 96)),
      ),
    );
  }

  /** One block with 16 levels. Nothing is written when there are none. Returns the mask. */
  // @ts-ignore: decorator
  @inline static block(a: v128, b: v128, quantiser: usize, levels: usize, coefficients: usize): u32 {
    if (!Quant.anyLevel(a, b, quantiser)) return 0;
    const offset = v128.load_splat<u32>(quantiser + 64);
    const shift = load<i32>(quantiser + 68);
    const la = Quant.level(a, v128.load(quantiser), offset, shift);
    const lb = Quant.level(b, v128.load(quantiser + 16), offset, shift);
    const low = Quant.scanLow(la, lb);
    const high = Quant.scanHigh(la, lb);
    v128.store(levels, low);
    v128.store(levels + 16, high);
    const sa = i16x8.mul(la, v128.load(quantiser + 32));
    const sb = i16x8.mul(lb, v128.load(quantiser + 48));
    v128.store(coefficients, Quant.rasterLow(sa, sb));
    v128.store(coefficients + 16, Quant.rasterHigh(sa, sb));
    return Quant.mask(low, high);
  }

  /** One block with 15 AC levels; its DC coefficient is written as it is. Returns the mask. */
  // @ts-ignore: decorator
  @inline static blockAc(a: v128, b: v128, quantiser: usize, levels: usize, coefficients: usize): u32 {
    if (!Quant.anyLevel(i16x8.replace_lane(a, 0, 0), b, quantiser)) {
      const zero = i16x8.splat(0);
      v128.store(levels, zero);
      v128.store(levels + 16, zero);
      v128.store(coefficients, zero);
      v128.store(coefficients + 16, zero);
      store<i16>(coefficients, i16x8.extract_lane_s(a, 0));
      return 0;
    }
    const offset = v128.load_splat<u32>(quantiser + 64);
    const shift = load<i32>(quantiser + 68);
    const la = i16x8.replace_lane(Quant.level(a, v128.load(quantiser), offset, shift), 0, 0);
    const lb = Quant.level(b, v128.load(quantiser + 16), offset, shift);
    const low = v128.shuffle<i16>(la, lb, 4, 1, 2, 5, 8, 12, 9, 6);
    const high = v128.shuffle<i16>(la, lb, 3, 7, 10, 13, 14, 11, 15, 0);
    v128.store(levels, low);
    v128.store(levels + 16, high);
    const sa = i16x8.mul(la, v128.load(quantiser + 32));
    const sb = i16x8.mul(lb, v128.load(quantiser + 48));
    v128.store(coefficients, Quant.rasterLow(sa, sb));
    v128.store(coefficients + 16, Quant.rasterHigh(sa, sb));
    store<i16>(coefficients, i16x8.extract_lane_s(a, 0));
    return Quant.mask(low, high);
  }

  /** In place level of DC values in four 32-bit lanes. */
  // @ts-ignore: decorator
  @inline static dcLevel(c: v128, multiplier: v128, offset: v128, shift: i32): v128 {
    const product = i32x4.add(i32x4.mul(i32x4.abs(c), multiplier), offset);
    const level = i32x4.min_s(i32x4.shr_u(product, shift), i32x4.splat(2063));
    const sign = i32x4.shr_s(c, 31);
    return i32x4.sub(v128.xor(level, sign), sign);
  }

  /** Four DC coefficients of blocks i, j, k, l. */
  // @ts-ignore: decorator
  @inline static dcRow(coefficients: usize, i: i32, j: i32, k: i32, l: i32): v128 {
    let v = i32x4.splat(load<i16>(coefficients + 32 * i));
    v = i32x4.replace_lane(v, 1, load<i16>(coefficients + 32 * j));
    v = i32x4.replace_lane(v, 2, load<i16>(coefficients + 32 * k));
    return i32x4.replace_lane(v, 3, load<i16>(coefficients + 32 * l));
  }

  // @ts-ignore: decorator
  @inline static hadamard(a: v128, b: v128, c: v128, d: v128, row: i32): v128 {
    if (row == 0) return i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
    if (row == 1) return i32x4.sub(i32x4.add(a, b), i32x4.add(c, d));
    if (row == 2) return i32x4.sub(i32x4.sub(a, b), i32x4.sub(c, d));
    return i32x4.add(i32x4.sub(a, b), i32x4.sub(c, d));
  }

  /** Column i of four rows. */
  // @ts-ignore: decorator
  @inline static column(a: v128, b: v128, c: v128, d: v128, i: i32): v128 {
    if (i == 0) {
      const low = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      return v128.shuffle<i64>(low, v128.shuffle<i32>(c, d, 0, 4, 1, 5), 0, 2);
    }
    if (i == 1) {
      const low = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      return v128.shuffle<i64>(low, v128.shuffle<i32>(c, d, 0, 4, 1, 5), 1, 3);
    }
    if (i == 2) {
      const high = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      return v128.shuffle<i64>(high, v128.shuffle<i32>(c, d, 2, 6, 3, 7), 0, 2);
    }
    const high = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
    return v128.shuffle<i64>(high, v128.shuffle<i32>(c, d, 2, 6, 3, 7), 1, 3);
  }

  /** Stores 4x4 DC coefficient row values to blocks i, j, k, l. */
  // @ts-ignore: decorator
  @inline static storeDc(v: v128, coefficients: usize, i: i32, j: i32, k: i32, l: i32): void {
    store<i16>(coefficients + 32 * i, i32x4.extract_lane(v, 0));
    store<i16>(coefficients + 32 * j, i32x4.extract_lane(v, 1));
    store<i16>(coefficients + 32 * k, i32x4.extract_lane(v, 2));
    store<i16>(coefficients + 32 * l, i32x4.extract_lane(v, 3));
  }
}

/** Columns 0 and 1, then 2 and 3, of the blocks A and B of the last transformPair. It returns false, without a transform, when no absolute
 * sum of a block is above `limit` (none when negative). */
let a01: v128 = i16x8.splat(0);
let a23: v128 = i16x8.splat(0);
let b01: v128 = i16x8.splat(0);
let b23: v128 = i16x8.splat(0);

// @ts-ignore: decorator
@inline
function transformPair(src: usize, ss: usize, prediction: usize, ps: usize, limit: i32): bool {
  const d0 = i16x8.sub(v128.load_ext<u8>(src), v128.load_ext<u8>(prediction));
  const d1 = i16x8.sub(v128.load_ext<u8>(src + ss), v128.load_ext<u8>(prediction + ps));
  const d2 = i16x8.sub(v128.load_ext<u8>(src + 2 * ss), v128.load_ext<u8>(prediction + 2 * ps));
  const d3 = i16x8.sub(v128.load_ext<u8>(src + 3 * ss), v128.load_ext<u8>(prediction + 3 * ps));
  if (limit >= 0) {
    const sums = i16x8.add(i16x8.add(i16x8.abs(d0), i16x8.abs(d1)), i16x8.add(i16x8.abs(d2), i16x8.abs(d3)));
    const pairs = i32x4.extadd_pairwise_i16x8_s(sums);
    const totals = i32x4.add(pairs, v128.shuffle<i32>(pairs, pairs, 1, 0, 3, 2));
    if (!v128.any_true(i32x4.gt_s(totals, i32x4.splat(limit)))) return false;
  }
  const r0 = Quant.forward(d0, d1, d2, d3, 0);
  const r1 = Quant.forward(d0, d1, d2, d3, 1);
  const r2 = Quant.forward(d0, d1, d2, d3, 2);
  const r3 = Quant.forward(d0, d1, d2, d3, 3);
  // [r0 0, r1 0, r0 1, r1 1 | B the same], [.. 2, .. 3], then pairs of rows side by side.
  const u0 = v128.shuffle<i16>(r0, r1, 0, 8, 1, 9, 4, 12, 5, 13);
  const u1 = v128.shuffle<i16>(r0, r1, 2, 10, 3, 11, 6, 14, 7, 15);
  const v0 = v128.shuffle<i16>(r2, r3, 0, 8, 1, 9, 4, 12, 5, 13);
  const v1 = v128.shuffle<i16>(r2, r3, 2, 10, 3, 11, 6, 14, 7, 15);
  const c0 = v128.shuffle<i32>(u0, v0, 0, 4, 2, 6);
  const c1 = v128.shuffle<i32>(u0, v0, 1, 5, 3, 7);
  const c2 = v128.shuffle<i32>(u1, v1, 0, 4, 2, 6);
  const c3 = v128.shuffle<i32>(u1, v1, 1, 5, 3, 7);
  const w0 = Quant.forward(c0, c1, c2, c3, 0);
  const w1 = Quant.forward(c0, c1, c2, c3, 1);
  const w2 = Quant.forward(c0, c1, c2, c3, 2);
  const w3 = Quant.forward(c0, c1, c2, c3, 3);
  a01 = v128.shuffle<i64>(w0, w1, 0, 2);
  a23 = v128.shuffle<i64>(w2, w3, 0, 2);
  b01 = v128.shuffle<i64>(w0, w1, 1, 3);
  b23 = v128.shuffle<i64>(w2, w3, 1, 3);
  return true;
}

export function quantizeLuma(
  src: usize, srcStride: usize, prediction: usize, predictionStride: usize,
  quantiser: usize, levels: usize, coefficients: usize, masks: usize,
): i32 {
  let coded: i32 = 0;
  // No basis function weighs a sample by more than 4, and those that do have the threshold at raster index 5.
  const limit = i32(load<i16>(quantiser + 90)) >> 2;
  for (let k = 0; k < 16; k += 2) {
    const x = (k & 4) << 1;
    const y = ((k & 2) << 1) | (k & 8);
    const isWorth = transformPair(
      src + y * srcStride + x, srcStride, prediction + y * predictionStride + x, predictionStride, limit,
    );
    if (!isWorth) {
      store<u64>(masks + 4 * k, 0);
      continue;
    }
    const first = Quant.block(a01, a23, quantiser, levels + 32 * k, coefficients + 32 * k);
    const second = Quant.block(b01, b23, quantiser, levels + 32 * k + 32, coefficients + 32 * k + 32);
    store<u32>(masks + 4 * k, first);
    store<u32>(masks + 4 * k, second, 4);
    coded |= (i32(first != 0) << k) | (i32(second != 0) << (k + 1));
  }
  return coded;
}

export function quantizeBlock(
  src: usize, srcStride: usize, prediction: usize, predictionStride: usize,
  quantiser: usize, levels: usize, coefficients: usize,
): i32 {
  transformPair(src, srcStride, prediction, predictionStride, -1);
  return Quant.block(a01, a23, quantiser, levels, coefficients);
}

export function quantizeIntra16x16(
  src: usize, srcStride: usize, prediction: usize, predictionStride: usize,
  quantiser: usize, levels: usize, coefficients: usize, masks: usize,
): i32 {
  let coded: i32 = 0;
  for (let k = 0; k < 16; k += 2) {
    const x = (k & 4) << 1;
    const y = ((k & 2) << 1) | (k & 8);
    transformPair(src + y * srcStride + x, srcStride, prediction + y * predictionStride + x, predictionStride, -1);
    const first = Quant.blockAc(a01, a23, quantiser, levels + 32 * k + 32, coefficients + 32 * k);
    const second = Quant.blockAc(b01, b23, quantiser, levels + 32 * k + 64, coefficients + 32 * k + 32);
    store<u32>(masks + 4 * k, first, 4);
    store<u32>(masks + 4 * k, second, 8);
    coded |= (i32(first != 0) << k) | (i32(second != 0) << (k + 1));
  }
  // DC: vertical pass, transposition, vertical pass; the result is transposed, as the scan shuffles expect.
  let r0 = Quant.dcRow(coefficients, 0, 1, 4, 5);
  let r1 = Quant.dcRow(coefficients, 2, 3, 6, 7);
  let r2 = Quant.dcRow(coefficients, 8, 9, 12, 13);
  let r3 = Quant.dcRow(coefficients, 10, 11, 14, 15);
  let h0 = Quant.hadamard(r0, r1, r2, r3, 0);
  let h1 = Quant.hadamard(r0, r1, r2, r3, 1);
  let h2 = Quant.hadamard(r0, r1, r2, r3, 2);
  let h3 = Quant.hadamard(r0, r1, r2, r3, 3);
  r0 = Quant.column(h0, h1, h2, h3, 0);
  r1 = Quant.column(h0, h1, h2, h3, 1);
  r2 = Quant.column(h0, h1, h2, h3, 2);
  r3 = Quant.column(h0, h1, h2, h3, 3);
  const one = i32x4.splat(1);
  const multiplier = i32x4.splat(load<u16>(quantiser));
  const offset = v128.load_splat<u32>(quantiser + 72);
  const shift = load<i32>(quantiser + 68) + 1;
  h0 = Quant.dcLevel(i32x4.shr_s(i32x4.add(Quant.hadamard(r0, r1, r2, r3, 0), one), 1), multiplier, offset, shift);
  h1 = Quant.dcLevel(i32x4.shr_s(i32x4.add(Quant.hadamard(r0, r1, r2, r3, 1), one), 1), multiplier, offset, shift);
  h2 = Quant.dcLevel(i32x4.shr_s(i32x4.add(Quant.hadamard(r0, r1, r2, r3, 2), one), 1), multiplier, offset, shift);
  h3 = Quant.dcLevel(i32x4.shr_s(i32x4.add(Quant.hadamard(r0, r1, r2, r3, 3), one), 1), multiplier, offset, shift);
  const la = i16x8.narrow_i32x4_s(h0, h1);
  const lb = i16x8.narrow_i32x4_s(h2, h3);
  const low = Quant.scanLow(la, lb);
  const high = Quant.scanHigh(la, lb);
  v128.store(levels, low);
  v128.store(levels + 16, high);
  const dcMask = Quant.mask(low, high);
  store<u32>(masks, dcMask);
  // Inverse transform of the transposed levels; the second pass puts it upright again.
  r0 = Quant.hadamard(h0, h1, h2, h3, 0);
  r1 = Quant.hadamard(h0, h1, h2, h3, 1);
  r2 = Quant.hadamard(h0, h1, h2, h3, 2);
  r3 = Quant.hadamard(h0, h1, h2, h3, 3);
  h0 = Quant.column(r0, r1, r2, r3, 0);
  h1 = Quant.column(r0, r1, r2, r3, 1);
  h2 = Quant.column(r0, r1, r2, r3, 2);
  h3 = Quant.column(r0, r1, r2, r3, 3);
  const scale = i32x4.splat(load<i16>(quantiser + 32));
  const two = i32x4.splat(2);
  r0 = i32x4.shr_s(i32x4.add(i32x4.mul(Quant.hadamard(h0, h1, h2, h3, 0), scale), two), 2);
  r1 = i32x4.shr_s(i32x4.add(i32x4.mul(Quant.hadamard(h0, h1, h2, h3, 1), scale), two), 2);
  r2 = i32x4.shr_s(i32x4.add(i32x4.mul(Quant.hadamard(h0, h1, h2, h3, 2), scale), two), 2);
  r3 = i32x4.shr_s(i32x4.add(i32x4.mul(Quant.hadamard(h0, h1, h2, h3, 3), scale), two), 2);
  Quant.storeDc(r0, coefficients, 0, 1, 4, 5);
  Quant.storeDc(r1, coefficients, 2, 3, 6, 7);
  Quant.storeDc(r2, coefficients, 8, 9, 12, 13);
  Quant.storeDc(r3, coefficients, 10, 11, 14, 15);
  return dcMask != 0 ? coded | 0x10000 : coded;
}

/** Whether an 8x8 block is so close to its prediction that all levels of its four blocks and of their DC are 0. */
// @ts-ignore: decorator
@inline
function isChromaClose(src: usize, ss: usize, prediction: usize, ps: usize, quantiser: usize): bool {
  let upper = i16x8.splat(0);
  let lower = i16x8.splat(0);
  for (let y: usize = 0; y < 4; y++) {
    const a = v128.load_ext<u8>(src + y * ss);
    upper = i16x8.add(upper, i16x8.abs(i16x8.sub(a, v128.load_ext<u8>(prediction + y * ps))));
    const b = v128.load_ext<u8>(src + (y + 4) * ss);
    lower = i16x8.add(lower, i16x8.abs(i16x8.sub(b, v128.load_ext<u8>(prediction + (y + 4) * ps))));
  }
  // [upper left 2, upper right 2, lower left 2, lower right 2] sums of two columns each, then of blocks
  const pairs = i16x8.narrow_i32x4_s(i32x4.extadd_pairwise_i16x8_s(upper), i32x4.extadd_pairwise_i16x8_s(lower));
  const blocks = i32x4.extadd_pairwise_i16x8_s(pairs);
  const limit = i32(load<i16>(quantiser + 90)) >> 2;
  if (v128.any_true(i32x4.gt_s(blocks, i32x4.splat(limit)))) return false;
  const total =
    i32x4.extract_lane(blocks, 0) +
    i32x4.extract_lane(blocks, 1) +
    i32x4.extract_lane(blocks, 2) +
    i32x4.extract_lane(blocks, 3);
  return total <= 2 * i32(load<i16>(quantiser + 80));
}

export function quantizeChroma(
  src: usize, srcStride: usize, prediction: usize, predictionStride: usize,
  quantiser: usize, levels: usize, coefficients: usize, masks: usize,
): i32 {
  if (isChromaClose(src, srcStride, prediction, predictionStride, quantiser)) {
    // What the transforms would give: nothing.
    const zero = i32x4.splat(0);
    v128.store_lane<u64>(levels, zero, 0);
    for (let i: usize = 0; i < 128; i += 16) {
      v128.store(levels + i, zero, 32);
      v128.store(coefficients + i, zero);
    }
    v128.store(masks, zero);
    store<u32>(masks, 0, 16);
    return 0;
  }
  let coded: i32 = 0;
  for (let k = 0; k < 4; k += 2) {
    transformPair(src + 2 * k * srcStride, srcStride, prediction + 2 * k * predictionStride, predictionStride, -1);
    const first = Quant.blockAc(a01, a23, quantiser, levels + 32 * k + 32, coefficients + 32 * k);
    const second = Quant.blockAc(b01, b23, quantiser, levels + 32 * k + 64, coefficients + 32 * k + 32);
    store<u32>(masks + 4 * k, first, 4);
    store<u32>(masks + 4 * k, second, 8);
    coded |= (i32(first != 0) << k) | (i32(second != 0) << (k + 1));
  }
  const c0 = i32(load<i16>(coefficients));
  const c1 = i32(load<i16>(coefficients + 32));
  const c2 = i32(load<i16>(coefficients + 64));
  const c3 = i32(load<i16>(coefficients + 96));
  let v = i32x4.splat(c0 + c1 + c2 + c3);
  v = i32x4.replace_lane(v, 1, c0 - c1 + c2 - c3);
  v = i32x4.replace_lane(v, 2, c0 + c1 - c2 - c3);
  v = i32x4.replace_lane(v, 3, c0 - c1 - c2 + c3);
  v = Quant.dcLevel(
    v,
    i32x4.splat(load<u16>(quantiser)),
    v128.load_splat<u32>(quantiser + 72),
    load<i32>(quantiser + 68) + 1,
  );
  const zero = i32x4.splat(0);
  const packed = i16x8.narrow_i32x4_s(v, zero);
  v128.store_lane<u64>(levels, packed, 0);
  const dcMask = Quant.mask(packed, zero);
  store<u32>(masks, dcMask);
  const l0 = i32x4.extract_lane(v, 0);
  const l1 = i32x4.extract_lane(v, 1);
  const l2 = i32x4.extract_lane(v, 2);
  const l3 = i32x4.extract_lane(v, 3);
  const scale = i32(load<i16>(quantiser + 32));
  store<i16>(coefficients, ((l0 + l1 + l2 + l3) * scale) >> 1);
  store<i16>(coefficients, ((l0 - l1 + l2 - l3) * scale) >> 1, 32);
  store<i16>(coefficients, ((l0 + l1 - l2 - l3) * scale) >> 1, 64);
  store<i16>(coefficients, ((l0 - l1 - l2 + l3) * scale) >> 1, 96);
  return dcMask != 0 ? coded | 16 : coded;
}
