// A run of P_Skip macroblocks (8.4.1.1) in one call. Twin of kernels/grid-kernels.ts, which describes parameters and results.

import { sad } from './difference';
import { predictChroma, predictLuma } from './inter';
import { quantizeChroma, quantizeLuma } from './quantize';

const REF_UNAVAILABLE: i8 = -2;
const WORTH_KEEPING: i32 = 9;
const MIN_WORTH_8X8: i32 = 4;
const MIN_WORTH_LUMA: i32 = 6;
const MIN_WORTH_CHROMA: i32 = 7;
const LONE_LEVEL_WORTH = memory.data<u8>([3, 2, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

function worthOf(mask: u32): i32 {
  if (mask >>> 16 != 0) return WORTH_KEEPING;
  let worth: i32 = 0;
  let rest = mask;
  while (rest != 0) {
    const position = 31 - <i32>clz(rest);
    rest ^= <u32>1 << position;
    const zeros = rest == 0 ? position : position - 32 + <i32>clz(rest);
    worth += load<u8>(LONE_LEVEL_WORTH + <usize>zeros);
  }
  return worth;
}

function lumaWorthCoding(coded: i32, masks: usize): i32 {
  let kept = coded;
  let total: i32 = 0;
  for (let q = 0; q < 4; q++) {
    if (((coded >> (4 * q)) & 15) == 0) continue;
    let worth: i32 = 0;
    const first = masks + 16 * q;
    for (let k = first; k < first + 16 && worth < WORTH_KEEPING; k += 4) {
      worth += worthOf(load<u32>(k));
    }
    if (worth < MIN_WORTH_8X8) kept &= ~(15 << (4 * q));
    total += worth;
  }
  return total < MIN_WORTH_LUMA ? 0 : kept;
}

// @ts-ignore: decorator
@inline
function median(a: i32, b: i32, c: i32): i32 {
  return max(min(a, b), min(max(a, b), c));
}

// @ts-ignore: decorator
@inline
function vectorX(mv: i32): i32 {
  return (mv << 16) >> 16;
}

/** The vector of P_Skip at `cell`; there are neighbours A and B. */
// @ts-ignore: decorator
@inline
function skipVector(mv: usize, ref: usize, cell: usize, stride: usize): i32 {
  const a = cell - 1;
  const b = cell - stride;
  const refA = load<i8>(ref + a);
  const refB = load<i8>(ref + b);
  const va = load<i32>(mv + 4 * a);
  const vb = load<i32>(mv + 4 * b);
  if ((refA == 0 && va == 0) || (refB == 0 && vb == 0)) return 0;
  let c = b + 4;
  if (load<i8>(ref + c) == REF_UNAVAILABLE) c = b - 1;
  const refC = load<i8>(ref + c);
  const vc = load<i32>(mv + 4 * c);
  const matches = i32(refA == 0) + i32(refB == 0) + i32(refC == 0);
  if (matches == 1) return refA == 0 ? va : refB == 0 ? vb : vc;
  return (
    (median(vectorX(va), vectorX(vb), vectorX(vc)) & 0xffff) | (median(va >> 16, vb >> 16, vc >> 16) << 16)
  );
}

/** Predicts one chroma plane; whether it has levels worth coding. */
function hasChroma(
  source: usize, sourceStride: usize, target: usize, reference: usize, stride: usize,
  xFrac: i32, yFrac: i32, quantiser: usize, levels: usize, coefficients: usize, masks: usize,
): bool {
  predictChroma(target, stride, reference, stride, 8, 8, xFrac, yFrac);
  const coded = quantizeChroma(source, sourceStride, target, stride, quantiser, levels, coefficients, masks);
  if ((coded & 16) != 0) return true;
  if (coded == 0) return false;
  return (
    worthOf(load<u32>(masks, 4)) +
      worthOf(load<u32>(masks, 8)) +
      worthOf(load<u32>(masks, 12)) +
      worthOf(load<u32>(masks, 16)) >=
    MIN_WORTH_CHROMA
  );
}

export function skipRun(params: usize): i32 {
  const limit = load<i32>(params);
  let x = load<i32>(params, 4);
  const y = load<i32>(params, 8);
  const hasTop = load<i32>(params, 12) != 0;
  let cell = <usize>load<u32>(params, 16);
  let chromaCell = <usize>load<u32>(params, 20);
  let address = <usize>load<u32>(params, 24);
  const stride = <usize>load<u32>(params, 28);
  const chromaStride = <usize>load<u32>(params, 32);
  const mvs = <usize>load<u32>(params, 36);
  const refs = <usize>load<u32>(params, 40);
  const sourceStrideY = <usize>load<u32>(params, 100);
  const sourceStrideC = <usize>load<u32>(params, 104);
  const strideY = <usize>load<u32>(params, 132);
  const strideC = <usize>load<u32>(params, 136);
  const verticalLimit = load<i32>(params, 156);
  const levels = <usize>load<u32>(params, 172);
  const coefficients = <usize>load<u32>(params, 176);
  const masks = <usize>load<u32>(params, 180);
  const QPY = load<u32>(params, 184);
  const lumaRow = <usize>(16 * y) * strideY;
  const chromaRow = <usize>(8 * y) * strideC;
  const sourceRow = <usize>load<u32>(params, 88) + <usize>(16 * y) * sourceStrideY;
  const sourceChromaRow = <usize>(8 * y) * sourceStrideC;
  for (let i = 0; i < limit; i++) {
    const mv = x > 0 && hasTop ? skipVector(mvs, refs, cell, stride) : 0;
    store<i32>(params, mv, 192);
    store<i32>(params, -1, 196);
    const mvx = vectorX(mv);
    const mvy = mv >> 16;
    const left = 16 * x + (mvx >> 2);
    const top = 16 * y + (mvy >> 2);
    if (
      left < load<i32>(params, 140) || left > load<i32>(params, 144) ||
      top < load<i32>(params, 148) || top > load<i32>(params, 152) ||
      mvy < -verticalLimit || mvy >= verticalLimit
    ) {
      return i;
    }
    const target = <usize>load<u32>(params, 108) + lumaRow + <usize>(16 * x);
    const source = sourceRow + <usize>(16 * x);
    const from = <usize>(<i32>load<u32>(params, 120) + top * <i32>strideY + left);
    predictLuma(target, strideY, from, strideY, 16, 16, mvx & 3, mvy & 3);
    if (sad(16, 16, source, sourceStrideY, target, strideY) > load<i32>(params, 160)) return i;
    let coded = quantizeLuma(
      source, sourceStrideY, target, strideY, <usize>load<u32>(params, 164), levels, coefficients, masks,
    );
    if (coded != 0) coded = lumaWorthCoding(coded, masks);
    store<i32>(params, coded, 196);
    if (coded != 0) return i;
    const chromaAt = chromaRow + <usize>(8 * x);
    const chromaShift = <i32>chromaAt + (mvy >> 3) * <i32>strideC + (mvx >> 3);
    const sourceAt = sourceChromaRow + <usize>(8 * x);
    const quantiser = <usize>load<u32>(params, 168);
    if (
      hasChroma(
        <usize>load<u32>(params, 92) + sourceAt, sourceStrideC, <usize>load<u32>(params, 112) + chromaAt,
        <usize>(<i32>load<u32>(params, 124) + chromaShift), strideC, mvx & 7, mvy & 7, quantiser,
        levels + 512, coefficients + 512, masks + 64,
      ) ||
      hasChroma(
        <usize>load<u32>(params, 96) + sourceAt, sourceStrideC, <usize>load<u32>(params, 116) + chromaAt,
        <usize>(<i32>load<u32>(params, 128) + chromaShift), strideC, mvx & 7, mvy & 7, quantiser,
        levels + 512, coefficients + 512, masks + 64,
      )
    ) {
      return i;
    }
    const vectors = i32x4.splat(mv);
    const counts = <usize>load<u32>(params, 44);
    const modes = <usize>load<u32>(params, 48);
    for (let row: usize = 0; row < 4; row++) {
      const at = cell + row * stride;
      v128.store(mvs + 4 * at, vectors);
      store<u32>(refs + at, 0);
      store<u32>(counts + at, 0);
      store<u32>(modes + at, 0x02020202);
    }
    const countU = <usize>load<u32>(params, 52) + chromaCell;
    const countV = <usize>load<u32>(params, 56) + chromaCell;
    store<u16>(countU, 0);
    store<u16>(countU + chromaStride, 0);
    store<u16>(countV, 0);
    store<u16>(countV + chromaStride, 0);
    store<u8>(<usize>load<u32>(params, 60) + address, 0);
    store<u8>(<usize>load<u32>(params, 64) + address, <u8>QPY);
    store<u16>(<usize>load<u32>(params, 68) + 2 * address, 0);
    store<u8>(<usize>load<u32>(params, 72) + address, 0);
    store<u8>(<usize>load<u32>(params, 76) + address, 0);
    store<u8>(<usize>load<u32>(params, 80) + address, 0);
    store<u16>(<usize>load<u32>(params, 84) + 2 * address, <u16>load<u32>(params, 188));
    x++;
    cell += 4;
    chromaCell += 2;
    address++;
  }
  return limit;
}
