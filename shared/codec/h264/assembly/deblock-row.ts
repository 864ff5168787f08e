// Deblocking of a whole macroblock row of a frame or field picture (8.7): boundary strengths (8.7.2.1) from the macroblocks' motion
// into records, and the edges from the records. The same kernels as kernels/row-deblock-kernels.ts, which describes both layouts.

import {
  Bytes,
  Normal,
  Strong,
  deblockLumaHorizontal,
  deblockLumaHorizontalStrong,
  deblockLumaVertical,
  deblockLumaVerticalStrong,
} from './deblock';

/** Table 8-16: alpha by indexA, then beta by indexB. */
const ALPHA = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 5, 6, 7, 8, 9, 10, 12, 13,
  15, 17, 20, 22, 25, 28, 32, 36, 40, 45, 50, 56, 63, 71, 80, 90, 101, 113, 127, 144, 162, 182, 203, 226, 255, 255,
]);
const BETA = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4,
  6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15, 16, 16, 17, 17, 18, 18,
]);
/** Table 8-17 by 4 * indexA + bS; 255 (leave alone) for bS 0. */
const TC0 = memory.data<u8>([
  255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0,
  255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0,
  255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 1,
  255, 0, 0, 1, 255, 0, 0, 1, 255, 0, 0, 1, 255, 0, 1, 1, 255, 0, 1, 1, 255, 1, 1, 1,
  255, 1, 1, 1, 255, 1, 1, 1, 255, 1, 1, 1, 255, 1, 1, 2, 255, 1, 1, 2, 255, 1, 1, 2,
  255, 1, 1, 2, 255, 1, 2, 3, 255, 1, 2, 3, 255, 2, 2, 3, 255, 2, 2, 4, 255, 2, 3, 4,
  255, 2, 3, 4, 255, 3, 3, 5, 255, 3, 4, 6, 255, 3, 4, 6, 255, 4, 5, 7, 255, 4, 5, 8,
  255, 4, 6, 9, 255, 5, 7, 10, 255, 6, 8, 11, 255, 6, 8, 13, 255, 7, 10, 14, 255, 8, 11, 16,
  255, 9, 12, 18, 255, 10, 13, 20, 255, 11, 15, 23, 255, 13, 17, 25,
]);

const RECORD_BYTES: usize = 48;
const ALL_FOUR: u32 = 0x04040404;

// @ts-ignore: decorator
@inline
function clipIndex(index: i32): usize {
  return <usize>min(max(index, 0), 51);
}

/** tC0 of four quarters: the table row picked by the bS bytes. */
// @ts-ignore: decorator
@inline
function tc0Of(indexA: usize, strengths: u32): i32 {
  const row = v128.load32_zero(TC0 + 4 * indexA);
  return i32x4.extract_lane(i8x16.swizzle(row, i32x4.splat(strengths)), 0);
}

// @ts-ignore: decorator
@inline
function lumaVertical(y: usize, stride: usize, strengths: u32, qp: i32, offsetA: i32, offsetB: i32): void {
  if (strengths == 0) return;
  const indexA = clipIndex(qp + offsetA);
  const alpha = <i32>load<u8>(ALPHA + indexA);
  const beta = <i32>load<u8>(BETA + clipIndex(qp + offsetB));
  if (alpha == 0 || beta == 0) return;
  if (strengths == ALL_FOUR) {
    deblockLumaVerticalStrong(y, stride, alpha, beta);
  } else {
    deblockLumaVertical(y, stride, alpha, beta, tc0Of(indexA, strengths));
  }
}

// @ts-ignore: decorator
@inline
function lumaHorizontal(y: usize, stride: usize, strengths: u32, qp: i32, offsetA: i32, offsetB: i32): void {
  if (strengths == 0) return;
  const indexA = clipIndex(qp + offsetA);
  const alpha = <i32>load<u8>(ALPHA + indexA);
  const beta = <i32>load<u8>(BETA + clipIndex(qp + offsetB));
  if (alpha == 0 || beta == 0) return;
  if (strengths == ALL_FOUR) {
    deblockLumaHorizontalStrong(y, stride, alpha, beta);
  } else {
    deblockLumaHorizontal(y, stride, alpha, beta, tc0Of(indexA, strengths));
  }
}

/** Both chroma planes at once: lanes 0..7 are lines of Cb, lanes 8..15 lines of Cr. */
class ChromaPair {
  /** The low half of u and the low half of v. */
  // @ts-ignore: decorator
  @inline static join(u: v128, v: v128): v128 {
    return v128.shuffle<u64>(u, v, 0, 2);
  }

  // @ts-ignore: decorator
  @inline static joinBytes(u: u8, v: u8): v128 {
    return ChromaPair.join(i8x16.splat(u), i8x16.splat(v));
  }

  /** Lanes to filter (8-460). */
  // @ts-ignore: decorator
  @inline static mask(p1: v128, p0: v128, q0: v128, q1: v128, alpha: v128, beta: v128): v128 {
    return v128.and(Bytes.near(p0, q0, alpha), v128.and(Bytes.near(p1, p0, beta), Bytes.near(q1, q0, beta)));
  }

  /** tC of 16 lines: two per quarter, Cb then Cr; 0 where bS is 0. */
  // @ts-ignore: decorator
  @inline static tC(tc0U: i32, tc0V: i32): v128 {
    const packed = i32x4.replace_lane(i32x4.splat(tc0U), 1, tc0V);
    const spread = v128.shuffle<u8>(packed, packed, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    return i8x16.add(spread, i8x16.splat(1));
  }

  /** Rows of four bytes p1 p0 q0 q1, four from p on, grouped by column. */
  // @ts-ignore: decorator
  @inline static columns(p: usize, stride: usize): v128 {
    let v = v128.load32_zero(p);
    v = v128.load_lane<u32>(p + stride, v, 1);
    v = v128.load_lane<u32>(p + 2 * stride, v, 2);
    v = v128.load_lane<u32>(p + 3 * stride, v, 3);
    return v128.shuffle<u8>(v, v, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  }

  /** Eight 16-bit lanes (p0 q0 of a row each) to the bytes at `to`. */
  // @ts-ignore: decorator
  @inline static store(to: usize, stride: usize, v: v128): void {
    v128.store_lane<u16>(to, v, 0);
    v128.store_lane<u16>(to + stride, v, 1);
    v128.store_lane<u16>(to + 2 * stride, v, 2);
    v128.store_lane<u16>(to + 3 * stride, v, 3);
    v128.store_lane<u16>(to + 4 * stride, v, 4);
    v128.store_lane<u16>(to + 5 * stride, v, 5);
    v128.store_lane<u16>(to + 6 * stride, v, 6);
    v128.store_lane<u16>(to + 7 * stride, v, 7);
  }
}

/** One chroma edge of both planes. qpU and qpV are the averages of QPc (8.7.2.2). */
function chromaEdge(
  u: usize, v: usize, stride: usize, isVertical: bool, strengths: u32,
  qpU: i32, qpV: i32, offsetA: i32, offsetB: i32,
): void {
  if (strengths == 0) return;
  const indexU = clipIndex(qpU + offsetA);
  const indexV = clipIndex(qpV + offsetA);
  const alpha = ChromaPair.joinBytes(load<u8>(ALPHA + indexU), load<u8>(ALPHA + indexV));
  const beta = ChromaPair.joinBytes(
    load<u8>(BETA + clipIndex(qpU + offsetB)),
    load<u8>(BETA + clipIndex(qpV + offsetB)),
  );
  let p1: v128, p0: v128, q0: v128, q1: v128;
  if (isVertical) {
    const u0 = ChromaPair.columns(u - 2, stride);
    const u1 = ChromaPair.columns(u - 2 + 4 * stride, stride);
    const v0 = ChromaPair.columns(v - 2, stride);
    const v1 = ChromaPair.columns(v - 2 + 4 * stride, stride);
    // p1 of rows 0..7 then p0 of rows 0..7, and q0, q1
    const pU = Bytes.lo32(u0, u1);
    const qU = Bytes.hi32(u0, u1);
    const pV = Bytes.lo32(v0, v1);
    const qV = Bytes.hi32(v0, v1);
    p1 = v128.shuffle<u64>(pU, pV, 0, 2);
    p0 = v128.shuffle<u64>(pU, pV, 1, 3);
    q0 = v128.shuffle<u64>(qU, qV, 0, 2);
    q1 = v128.shuffle<u64>(qU, qV, 1, 3);
  } else {
    p1 = ChromaPair.join(v128.load64_zero(u - 2 * stride), v128.load64_zero(v - 2 * stride));
    p0 = ChromaPair.join(v128.load64_zero(u - stride), v128.load64_zero(v - stride));
    q0 = ChromaPair.join(v128.load64_zero(u), v128.load64_zero(v));
    q1 = ChromaPair.join(v128.load64_zero(u + stride), v128.load64_zero(v + stride));
  }
  const mask = ChromaPair.mask(p1, p0, q0, q1, alpha, beta);
  if (!v128.any_true(mask)) return;
  if (strengths == ALL_FOUR) {
    const newP0 = v128.bitselect(Strong.weak0(p1, p0, q1), p0, mask);
    q0 = v128.bitselect(Strong.weak0(q1, q0, p1), q0, mask);
    p0 = newP0;
  } else {
    const tC = v128.and(ChromaPair.tC(tc0Of(indexU, strengths), tc0Of(indexV, strengths)), mask);
    const delta = Normal.delta(p1, p0, q0, q1, tC);
    p0 = Normal.add(p0, delta);
    q0 = Normal.add(q0, i8x16.neg(delta));
  }
  if (isVertical) {
    ChromaPair.store(u - 1, stride, Bytes.lo8(p0, q0));
    ChromaPair.store(v - 1, stride, Bytes.hi8(p0, q0));
  } else {
    v128.store_lane<u64>(u - stride, p0, 0);
    v128.store_lane<u64>(v - stride, p0, 1);
    v128.store_lane<u64>(u, q0, 0);
    v128.store_lane<u64>(v, q0, 1);
  }
}

export function deblockRow(
  y: usize, u: usize, v: usize, strideY: usize, strideC: usize, macroblocks: i32, records: usize,
): void {
  const hasChroma = u != 0;
  for (let x = 0; x < macroblocks; x++) {
    const a = <i32>load<i8>(records, 32);
    const b = <i32>load<i8>(records, 33);
    // vertical edges
    if (v128.any_true(v128.load(records))) {
      const own = <i32>load<u8>(records, 36);
      const left = load<u32>(records);
      const middle = load<u32>(records, 8);
      lumaVertical(y, strideY, left, load<u8>(records, 34), a, b);
      lumaVertical(y + 4, strideY, load<u32>(records, 4), own, a, b);
      lumaVertical(y + 8, strideY, middle, own, a, b);
      lumaVertical(y + 12, strideY, load<u32>(records, 12), own, a, b);
      if (hasChroma) {
        chromaEdge(u, v, strideC, true, left, load<u8>(records, 37), load<u8>(records, 40), a, b);
        chromaEdge(u + 4, v + 4, strideC, true, middle, load<u8>(records, 39), load<u8>(records, 42), a, b);
      }
    }
    // horizontal edges
    if (v128.any_true(v128.load(records, 16))) {
      const own = <i32>load<u8>(records, 36);
      const top = load<u32>(records, 16);
      const middle = load<u32>(records, 24);
      lumaHorizontal(y, strideY, top, load<u8>(records, 35), a, b);
      lumaHorizontal(y + 4 * strideY, strideY, load<u32>(records, 20), own, a, b);
      lumaHorizontal(y + 8 * strideY, strideY, middle, own, a, b);
      lumaHorizontal(y + 12 * strideY, strideY, load<u32>(records, 28), own, a, b);
      if (hasChroma) {
        const down = 4 * strideC;
        chromaEdge(u, v, strideC, false, top, load<u8>(records, 38), load<u8>(records, 41), a, b);
        chromaEdge(u + down, v + down, strideC, false, middle, load<u8>(records, 39), load<u8>(records, 42), a, b);
      }
    }
    records += RECORD_BYTES;
    y += 16;
    u += 8;
    v += 8;
  }
}

/** Comparison of motion (8.7.2.1) of four pairs of blocks, one per 32-bit lane. */
class Motion {
  /** Lanes whose vectors differ by at least `limits` (pairs of 16-bit lanes: 4 horizontally, 4 or 2 vertically). */
  // @ts-ignore: decorator
  @inline static isFar(a: v128, b: v128, limits: v128): v128 {
    // unsigned comparison also takes |-32768|, which stays 0x8000
    const distance = i16x8.abs(i16x8.sub_sat_s(a, b));
    return i32x4.ne(i16x8.ge_u(distance, limits), i32x4.splat(0));
  }

  /** Lanes with bS 1, list 1 unused on both sides. */
  // @ts-ignore: decorator
  @inline static differs0(q0: v128, p0: v128, mvQ0: v128, mvP0: v128, limits: v128): v128 {
    return v128.or(i32x4.ne(q0, p0), Motion.isFar(mvQ0, mvP0, limits));
  }

  /** Lanes with bS 1: neither the straight nor the crossed pairing of lists has the same pictures and near vectors. */
  // @ts-ignore: decorator
  @inline static differs(
    q0: v128, q1: v128, p0: v128, p1: v128,
    mvQ0: v128, mvQ1: v128, mvP0: v128, mvP1: v128, limits: v128,
  ): v128 {
    const zero = i32x4.splat(0);
    const uses0 = i32x4.ge_s(q0, zero);
    const uses1 = i32x4.ge_s(q1, zero);
    const straight = v128.andnot(
      v128.and(i32x4.eq(q0, p0), i32x4.eq(q1, p1)),
      v128.or(
        v128.and(uses0, Motion.isFar(mvQ0, mvP0, limits)),
        v128.and(uses1, Motion.isFar(mvQ1, mvP1, limits)),
      ),
    );
    const crossed = v128.andnot(
      v128.and(i32x4.eq(q0, p1), i32x4.eq(q1, p0)),
      v128.or(
        v128.and(uses0, Motion.isFar(mvQ0, mvP1, limits)),
        v128.and(uses1, Motion.isFar(mvQ1, mvP0, limits)),
      ),
    );
    return v128.not(v128.or(straight, crossed));
  }

  /** Reference identities of one row of blocks: those of two 8x8 blocks, each twice, repeated through their 32-bit lanes. */
  // @ts-ignore: decorator
  @inline static refs(ref: usize): v128 {
    const v = v128.load16_splat(ref);
    return v128.shuffle<u8>(v, v, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  }

  /** The lanes' left neighbours: lane 3 of `left`, then lanes 0..2 of `row`. */
  // @ts-ignore: decorator
  @inline static shifted(left: v128, row: v128): v128 {
    return v128.shuffle<u32>(left, row, 3, 4, 5, 6);
  }

  /** 16 bits as 16 bytes, all ones where the bit is set. */
  // @ts-ignore: decorator
  @inline static bits(mask: u32): v128 {
    const v = i32x4.splat(mask);
    const spread = v128.shuffle<u8>(v, v, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
    const bit = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
    return i8x16.eq(v128.and(spread, bit), bit);
  }

  /** bS 2, 1 or 0 of 16 edges from four masks of bS 1 and the bits of blocks with coefficients on either side. */
  // @ts-ignore: decorator
  @inline static strengths(row0: v128, row1: v128, row2: v128, row3: v128, coded: u32): v128 {
    const ones = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(row0, row1), i16x8.narrow_i32x4_s(row2, row3));
    return v128.bitselect(i8x16.splat(2), v128.and(ones, i8x16.splat(1)), Motion.bits(coded));
  }
}

/** bS 1 mask of row r of vertical edges. */
// @ts-ignore: decorator
@inline
function verticalRow(
  r: usize, mv0: usize, mv1: usize, ref0: usize, ref1: usize, mb: usize, left: usize, limits: v128, hasList1: bool,
): v128 {
  const refRow = (r >> 1) << 1;
  const m0 = v128.load(mv0 + 64 * mb + 16 * r);
  const l0 = v128.load(mv0 + 64 * left + 16 * r);
  const q0 = Motion.refs(ref0 + 4 * mb + refRow);
  const p0 = Motion.shifted(Motion.refs(ref0 + 4 * left + refRow), q0);
  if (!hasList1) return Motion.differs0(q0, p0, m0, Motion.shifted(l0, m0), limits);
  const m1 = v128.load(mv1 + 64 * mb + 16 * r);
  const l1 = v128.load(mv1 + 64 * left + 16 * r);
  const q1 = Motion.refs(ref1 + 4 * mb + refRow);
  const p1 = Motion.shifted(Motion.refs(ref1 + 4 * left + refRow), q1);
  return Motion.differs(q0, q1, p0, p1, m0, m1, Motion.shifted(l0, m0), Motion.shifted(l1, m1), limits);
}

/** bS 1 mask of the horizontal edge between row r of `mb` and row `aboveRow` of `above` (indices of macroblocks). */
// @ts-ignore: decorator
@inline
function horizontalRow(
  r: usize, aboveRow: usize, mv0: usize, mv1: usize, ref0: usize, ref1: usize,
  mb: usize, above: usize, limits: v128, hasList1: bool,
): v128 {
  const m0 = v128.load(mv0 + 64 * mb + 16 * r);
  const a0 = v128.load(mv0 + 64 * above + 16 * aboveRow);
  const q0 = Motion.refs(ref0 + 4 * mb + ((r >> 1) << 1));
  const p0 = Motion.refs(ref0 + 4 * above + ((aboveRow >> 1) << 1));
  if (!hasList1) return Motion.differs0(q0, p0, m0, a0, limits);
  const m1 = v128.load(mv1 + 64 * mb + 16 * r);
  const a1 = v128.load(mv1 + 64 * above + 16 * aboveRow);
  const q1 = Motion.refs(ref1 + 4 * mb + ((r >> 1) << 1));
  const p1 = Motion.refs(ref1 + 4 * above + ((aboveRow >> 1) << 1));
  return Motion.differs(q0, q1, p0, p1, m0, m1, a0, a1, limits);
}

const FLAG_FIELD: u32 = 1;

/** Strengths of an inter macroblock's 32 edges; those towards `left` and `above` too, as if both were inter. */
function interStrengths(params: usize, record: usize, mb: usize, left: usize, above: usize, is8x8: bool): void {
  const nonZero = <usize>load<u32>(params, 28);
  const mv0 = <usize>load<u32>(params, 36);
  const mv1 = <usize>load<u32>(params, 40);
  const ref0 = <usize>load<u32>(params, 44);
  const ref1 = <usize>load<u32>(params, 48);
  const limits = (load<u32>(params, 16) & FLAG_FIELD) != 0 ? i32x4.splat(0x00020004) : i32x4.splat(0x00040004);
  const unused: u32 = 0xffffffff;
  const hasList1 =
    (load<u32>(ref1 + 4 * mb) & load<u32>(ref1 + 4 * left) & load<u32>(ref1 + 4 * above)) != unused;
  const coded = <u32>load<u16>(nonZero + 2 * mb);
  const codedLeft = <u32>load<u16>(nonZero + 2 * left);
  const codedAbove = <u32>load<u16>(nonZero + 2 * above);

  const vertical = Motion.strengths(
    verticalRow(0, mv0, mv1, ref0, ref1, mb, left, limits, hasList1),
    verticalRow(1, mv0, mv1, ref0, ref1, mb, left, limits, hasList1),
    verticalRow(2, mv0, mv1, ref0, ref1, mb, left, limits, hasList1),
    verticalRow(3, mv0, mv1, ref0, ref1, mb, left, limits, hasList1),
    coded | ((coded << 1) & 0xeeee) | ((codedLeft >> 3) & 0x1111),
  );
  // by row and edge -> by edge and row
  v128.store(
    record,
    v128.shuffle<u8>(vertical, vertical, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
  );
  v128.store(
    record,
    Motion.strengths(
      horizontalRow(0, 3, mv0, mv1, ref0, ref1, mb, above, limits, hasList1),
      horizontalRow(1, 0, mv0, mv1, ref0, ref1, mb, mb, limits, hasList1),
      horizontalRow(2, 1, mv0, mv1, ref0, ref1, mb, mb, limits, hasList1),
      horizontalRow(3, 2, mv0, mv1, ref0, ref1, mb, mb, limits, hasList1),
      coded | (coded << 4) | (codedAbove >> 12),
    ),
    16,
  );
  if (is8x8) {
    store<u32>(record, 0, 4);
    store<u32>(record, 0, 12);
    store<u32>(record, 0, 20);
    store<u32>(record, 0, 28);
  }
}

/** Strengths inside an intra macroblock: 3, and none on edges 1 and 3 with the 8x8 transform. */
// @ts-ignore: decorator
@inline
function intraStrengths(record: usize, is8x8: bool): void {
  const inner = is8x8 ? i32x4(0x03030303, 0, 0x03030303, 0) : i32x4.splat(0x03030303);
  v128.store(record, inner);
  v128.store(record, inner, 16);
}

export function boundaryStrengths(params: usize): void {
  let record = <usize>load<u32>(params);
  const macroblocks = load<i32>(params, 4);
  const first = <usize>load<u32>(params, 8);
  const aboveDistance = <usize>load<u32>(params, 12);
  const flags = load<u32>(params, 16);
  const kinds = <usize>load<u32>(params, 20);
  const qps = <usize>load<u32>(params, 24);
  const slices = <usize>load<u32>(params, 32);
  const chromaQp = <usize>load<u32>(params, 52);
  const filters = <usize>load<u32>(params, 56);
  const intraMask = load<u32>(params, 60);
  const transform8x8Mask = load<u32>(params, 64);
  const zero = i32x4.splat(0);
  for (let x = 0; x < macroblocks; x++, record += RECORD_BYTES) {
    const mb = first + x;
    const slice = load<i32>(slices + 4 * mb);
    const filter = filters + 4 * slice;
    if (slice < 0 || load<u8>(filter) == 1) {
      v128.store(record, zero);
      v128.store(record, zero, 16);
      continue;
    }
    const isBounded = load<u8>(filter) == 2;
    const left = mb - 1;
    const above = mb - aboveDistance;
    let hasLeft = x > 0;
    if (hasLeft) {
      const other = load<i32>(slices + 4 * left);
      hasLeft = isBounded ? other == slice : other >= 0;
    }
    let hasTop = aboveDistance != 0;
    if (hasTop) {
      const other = load<i32>(slices + 4 * above);
      hasTop = isBounded ? other == slice : other >= 0;
    }
    const leftOrOwn = hasLeft ? left : mb;
    const aboveOrOwn = hasTop ? above : mb;
    const kind = <u32>load<u8>(kinds + mb);
    const isIntra = (kind & intraMask) != 0;
    const is8x8 = (kind & transform8x8Mask) != 0;
    if (isIntra) {
      intraStrengths(record, is8x8);
    } else {
      interStrengths(params, record, mb, leftOrOwn, aboveOrOwn, is8x8);
    }
    if (!hasLeft) {
      store<u32>(record, 0);
    } else if (isIntra || (<u32>load<u8>(kinds + left) & intraMask) != 0) {
      store<u32>(record, ALL_FOUR);
    }
    if (!hasTop) {
      store<u32>(record, 0, 16);
    } else if (isIntra || (<u32>load<u8>(kinds + above) & intraMask) != 0) {
      store<u32>(record, (flags & FLAG_FIELD) != 0 ? 0x03030303 : ALL_FOUR, 16);
    }
    store<u8>(record, load<u8>(filter, 1), 32);
    store<u8>(record, load<u8>(filter, 2), 33);
    const own = <usize>load<u8>(qps + mb);
    const qpLeft = <usize>load<u8>(qps + leftOrOwn);
    const qpAbove = <usize>load<u8>(qps + aboveOrOwn);
    store<u8>(record, <u8>((own + qpLeft + 1) >> 1), 34);
    store<u8>(record, <u8>((own + qpAbove + 1) >> 1), 35);
    store<u8>(record, <u8>own, 36);
    for (let plane: usize = 0; plane < 2; plane++) {
      const table = chromaQp + 52 * plane;
      const ownC = <u32>load<u8>(table + own);
      const at = record + 3 * plane;
      store<u8>(at, <u8>((ownC + <u32>load<u8>(table + qpLeft) + 1) >> 1), 37);
      store<u8>(at, <u8>((ownC + <u32>load<u8>(table + qpAbove) + 1) >> 1), 38);
      store<u8>(at, <u8>ownC, 39);
    }
  }
}
