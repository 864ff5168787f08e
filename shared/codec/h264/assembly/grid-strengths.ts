// Boundary strengths (8.7.2.1) of one macroblock row of the encoder's grid. Twin of kernels/grid-kernels.ts, which describes parameters;
// records as in kernels/row-deblock-kernels.ts.

const RECORD_BYTES: usize = 48;
const FIRST_INTRA_KIND: u8 = 2;

class Grid {
  /** Lanes whose vectors differ by 4 quarter samples in a component. */
  // @ts-ignore: decorator
  @inline static isFar(a: v128, b: v128): v128 {
    const distance = i16x8.abs(i16x8.sub_sat_s(a, b));
    return i32x4.ne(i16x8.ge_u(distance, i16x8.splat(4)), i32x4.splat(0));
  }

  /** Four bytes at each of four rows. */
  // @ts-ignore: decorator
  @inline static quads(at: usize, stride: usize): v128 {
    let v = v128.load32_zero(at);
    v = v128.load32_lane(at + stride, v, 1);
    v = v128.load32_lane(at + 2 * stride, v, 2);
    return v128.load32_lane(at + 3 * stride, v, 3);
  }

  /** bS 0..2 of the 16 blocks at byte offset `q` of the arrays against those at `p`; rows of four. */
  // @ts-ignore: decorator
  @inline static strengths(mv: usize, ref: usize, count: usize, stride: usize, q: usize, p: usize): v128 {
    const far0 = Grid.isFar(v128.load(mv + 4 * q), v128.load(mv + 4 * p));
    const far1 = Grid.isFar(v128.load(mv + 4 * (q + stride)), v128.load(mv + 4 * (p + stride)));
    const far2 = Grid.isFar(v128.load(mv + 4 * (q + 2 * stride)), v128.load(mv + 4 * (p + 2 * stride)));
    const far3 = Grid.isFar(v128.load(mv + 4 * (q + 3 * stride)), v128.load(mv + 4 * (p + 3 * stride)));
    const far = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(far0, far1), i16x8.narrow_i32x4_s(far2, far3));
    const others = i8x16.ne(Grid.quads(ref + q, stride), Grid.quads(ref + p, stride));
    const coded = i8x16.ne(v128.or(Grid.quads(count + q, stride), Grid.quads(count + p, stride)), i8x16.splat(0));
    return v128.bitselect(i8x16.splat(2), v128.and(v128.or(far, others), i8x16.splat(1)), coded);
  }

  /** bS of an edge between macroblocks with one vector each and no levels, four times. */
  // @ts-ignore: decorator
  @inline static simple(mv: usize, ref: usize, q: usize, p: usize): u32 {
    if (load<i8>(ref + q) != load<i8>(ref + p)) return 0x01010101;
    const a = load<i32>(mv + 4 * q);
    const b = load<i32>(mv + 4 * p);
    if (a == b) return 0;
    const dx = ((a << 16) >> 16) - ((b << 16) >> 16);
    const dy = (a >> 16) - (b >> 16);
    return dx >= 4 || dx <= -4 || dy >= 4 || dy <= -4 ? 0x01010101 : 0;
  }
}

export function gridStrengths(params: usize): void {
  let record = <usize>load<u32>(params);
  const macroblocks = load<i32>(params, 4);
  const row = load<i32>(params, 8);
  const stride = <usize>load<u32>(params, 12);
  const mv = <usize>load<u32>(params, 16);
  const ref = <usize>load<u32>(params, 20);
  const count = <usize>load<u32>(params, 24);
  const chromaQp = <usize>load<u32>(params, 44);
  const first = <usize>(row * macroblocks);
  let kind = <usize>load<u32>(params, 28) + first;
  let qp = <usize>load<u32>(params, 32) + first;
  let transform8x8 = <usize>load<u32>(params, 36) + first;
  let inner = <usize>load<u32>(params, 40) + first;
  const offsets = <u16>((load<u32>(params, 48) & 0xff) | (load<u32>(params, 52) << 8));
  let cell = <usize>(4 * row + 1) * stride + 4;
  const above = <usize>macroblocks;
  const hasTop = row > 0;
  for (let x = 0; x < macroblocks; x++) {
    const hasLeft = x > 0;
    const isIntra = load<u8>(kind) >= FIRST_INTRA_KIND;
    if (isIntra) {
      v128.store(record, i8x16.splat(3));
      v128.store(record, i8x16.splat(3), 16);
    } else {
      const hasInner = load<u8>(inner);
      if ((hasInner | (hasLeft ? load<u8>(inner - 1) : 0)) == 0) {
        v128.store(record, i32x4(hasLeft ? Grid.simple(mv, ref, cell, cell - 1) : 0, 0, 0, 0));
      } else {
        const rows = Grid.strengths(mv, ref, count, stride, cell, cell - 1);
        v128.store(record, v128.shuffle<u8>(rows, rows, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
      }
      if ((hasInner | (hasTop ? load<u8>(inner - above) : 0)) == 0) {
        v128.store(record, i32x4(hasTop ? Grid.simple(mv, ref, cell, cell - stride) : 0, 0, 0, 0), 16);
      } else {
        v128.store(record, Grid.strengths(mv, ref, count, stride, cell, cell - stride), 16);
      }
    }
    if (!hasLeft) {
      store<u32>(record, 0);
    } else if (isIntra || load<u8>(kind - 1) >= FIRST_INTRA_KIND) {
      store<u32>(record, 0x04040404);
    }
    if (!hasTop) {
      store<u32>(record, 0, 16);
    } else if (isIntra || load<u8>(kind - above) >= FIRST_INTRA_KIND) {
      store<u32>(record, 0x04040404, 16);
    }
    if (load<u8>(transform8x8) != 0) {
      store<u32>(record, 0, 4);
      store<u32>(record, 0, 12);
      store<u32>(record, 0, 20);
      store<u32>(record, 0, 28);
    }
    store<u16>(record, offsets, 32);
    const own = <u32>load<u8>(qp);
    const qpLeft = hasLeft ? <u32>load<u8>(qp - 1) : own;
    const qpAbove = hasTop ? <u32>load<u8>(qp - above) : own;
    const ownC = <u32>load<u8>(chromaQp + own);
    const leftC = (ownC + <u32>load<u8>(chromaQp + qpLeft) + 1) >> 1;
    const aboveC = (ownC + <u32>load<u8>(chromaQp + qpAbove) + 1) >> 1;
    store<u8>(record, <u8>((own + qpLeft + 1) >> 1), 34);
    store<u8>(record, <u8>((own + qpAbove + 1) >> 1), 35);
    store<u8>(record, <u8>own, 36);
    store<u8>(record, <u8>leftC, 37);
    store<u8>(record, <u8>aboveC, 38);
    store<u8>(record, <u8>ownC, 39);
    store<u8>(record, <u8>leftC, 40);
    store<u8>(record, <u8>aboveC, 41);
    store<u8>(record, <u8>ownC, 42);
    record += RECORD_BYTES;
    kind++;
    qp++;
    transform8x8++;
    inner++;
    cell += 4;
  }
}
