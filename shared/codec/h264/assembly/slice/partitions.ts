// mb_pred() and sub_mb_pred() of inter macroblocks (7.3.5.1, 7.3.5.2): the same as decoder/motion-syntax.ts for frames.

import { Bits } from './bits';
import { CabacSyntax } from './cabac-syntax';
import { CACHE_ORIGIN, CACHE_STRIDE, Cache, FAULT_REF_IDX, FAULT_SUB_MB_TYPE, Mb, REF_UNUSED, Slice } from './context';
import { Direct } from './direct';
import { Differences, Motion, mvX, mvY, packMv } from './motion';
import { PRED_L0, PRED_L1, partitionHeight, partitionPrediction, partitionWidth } from './types';
import { subHeight, subPrediction, subWidth } from './types';

/** ref_idx of the partition at block (x, y); `range` is the largest value. */
function readRef(list: i32, x: i32, y: i32, range: i32): i32 {
  if (range == 0) return 0;
  const at = CACHE_ORIGIN + y * CACHE_STRIDE + x;
  const ref = Slice.isCabac ? <u32>CabacSyntax.ref_idx(list, at) : Bits.te(range);
  if (ref > <u32>range) {
    Slice.fail(FAULT_REF_IDX);
    return 0;
  }
  return <i32>ref;
}

// @ts-ignore: decorator
@inline
function rangeOf(list: i32): i32 {
  return (list == 0 ? Slice.numRef0 : Slice.numRef1) - 1;
}

/** mvd of a partition, added to its prediction; |mvd| goes to its cache. Returns the vector. */
function readMv(list: i32, x: i32, y: i32, w: i32, h: i32, predicted: i32): i32 {
  let dx: i32;
  let dy: i32;
  if (Slice.isCabac) {
    const at = CACHE_ORIGIN + y * CACHE_STRIDE + x;
    dx = CabacSyntax.mvd(list, at, 0);
    dy = CabacSyntax.mvd(list, at, 1);
    Differences.set(list, x, y, w, h, dx, dy);
  } else {
    dx = Bits.se();
    dy = Bits.se();
  }
  return packMv(mvX(predicted) + dx, mvY(predicted) + dy);
}

function setUnused(list: i32, x: i32, y: i32, w: i32, h: i32): void {
  Motion.fillMv(list, x, y, w, h, 0);
  if (Slice.isCabac) Differences.set(list, x, y, w, h, 0, 0);
}

/** One list of a 16x16 partition: leaves its motion at cache place CACHE_ORIGIN. */
function wholeList(list: i32, ref: i32): void {
  store<u8>((list == 0 ? Cache.ref0 : Cache.ref1) + CACHE_ORIGIN, <u8>ref);
  if (ref >= 0) {
    const mv = readMv(list, 0, 0, 4, 4, Motion.predict(list, 0, 0, 4, ref));
    store<i32>((list == 0 ? Cache.mv0 : Cache.mv1) + 4 * CACHE_ORIGIN, mv);
  } else if (Slice.isCabac) {
    Differences.set(list, 0, 0, 4, 4, 0, 0);
  }
}

/** 16x16; sets Mb.isUniform. */
export function parseWhole(): void {
  const prediction = Slice.isB ? partitionPrediction(true, Mb.type, 0) : PRED_L0;
  const ref0 = (prediction & PRED_L0) != 0 ? readRef(0, 0, 0, rangeOf(0)) : REF_UNUSED;
  const ref1 = (prediction & PRED_L1) != 0 ? readRef(1, 0, 0, rangeOf(1)) : REF_UNUSED;
  Mb.isUniform = true;
  wholeList(0, ref0);
  wholeList(1, ref1);
}

/** 16x8 and 8x16. */
export function parsePartitions(): void {
  const isB = Slice.isB;
  const type = Mb.type;
  const w = partitionWidth(isB, type);
  const h = partitionHeight(isB, type);
  const lists = isB ? 2 : 1;
  for (let list = 0; list < lists; list++) {
    const range = rangeOf(list);
    for (let part = 0; part < 2; part++) {
      const x = part * (4 - w);
      const y = part * (4 - h);
      const isUsed = (partitionPrediction(isB, type, part) & (PRED_L0 << list)) != 0;
      Motion.fillRef(list, x, y, w, h, isUsed ? readRef(list, x, y, range) : REF_UNUSED);
    }
  }
  if (!isB) Motion.fillRef(1, 0, 0, 4, 4, REF_UNUSED);
  for (let list = 0; list < lists; list++) {
    const refs = list == 0 ? Cache.ref0 : Cache.ref1;
    for (let part = 0; part < 2; part++) {
      const x = part * (4 - w);
      const y = part * (4 - h);
      const ref = <i32>load<i8>(refs + CACHE_ORIGIN + y * CACHE_STRIDE + x);
      if (ref < 0) {
        setUnused(list, x, y, w, h);
        continue;
      }
      const predicted = w == 4 ? Motion.predict16x8(list, y, ref) : Motion.predict8x16(list, x, ref);
      Motion.fillMv(list, x, y, w, h, readMv(list, x, y, w, h, predicted));
    }
  }
}

/** sub_mb_pred(). Returns noSubMbPartSizeLessThan8x8Flag. */
export function parseSubMacroblocks(): bool {
  const isB = Slice.isB;
  let canTransform8x8 = true;
  for (let block = 0; block < 4; block++) {
    const sub = Slice.isCabac ? CabacSyntax.sub_mb_type() : <i32>Bits.ue();
    if (<u32>sub > <u32>(isB ? 12 : 3)) {
      Slice.fail(FAULT_SUB_MB_TYPE);
      return false;
    }
    store<u8>(Cache.sub + block, <u8>sub);
    if (isB && sub == 0) {
      Mb.directMask |= <u32>1 << block;
      canTransform8x8 = canTransform8x8 && Slice.hasInference8x8;
    } else if (subWidth(isB, sub) + subHeight(isB, sub) < 4) {
      canTransform8x8 = false;
    }
  }
  if (Mb.directMask != 0) {
    Direct.predict(Mb.directMask);
    if (Slice.isCabac) Differences.markDirect();
  }
  const lists = isB ? 2 : 1;
  for (let list = 0; list < lists; list++) {
    // P_8x8ref0 has no ref_idx
    const range = !isB && Mb.type == 4 ? 0 : rangeOf(list);
    for (let block = 0; block < 4; block++) {
      if (((Mb.directMask >> block) & 1) != 0) continue;
      const x = (block & 1) * 2;
      const y = block & 2;
      const isUsed = (subPrediction(isB, <i32>load<u8>(Cache.sub + block)) & (PRED_L0 << list)) != 0;
      Motion.fillRef(list, x, y, 2, 2, isUsed ? readRef(list, x, y, range) : REF_UNUSED);
    }
  }
  if (!isB) Motion.fillRef(1, 0, 0, 4, 4, REF_UNUSED);
  for (let list = 0; list < lists; list++) {
    for (let block = 0; block < 4; block++) subVectors(list, block);
  }
  return canTransform8x8;
}

/** The vectors of one 8x8 block and list. */
function subVectors(list: i32, block: i32): void {
  const x = (block & 1) * 2;
  const y = block & 2;
  if (((Mb.directMask >> block) & 1) != 0) {
    if (Slice.isCabac) Differences.set(list, x, y, 2, 2, 0, 0);
    return;
  }
  const ref = <i32>load<i8>((list == 0 ? Cache.ref0 : Cache.ref1) + CACHE_ORIGIN + y * CACHE_STRIDE + x);
  if (ref < 0) {
    setUnused(list, x, y, 2, 2);
    return;
  }
  const sub = <i32>load<u8>(Cache.sub + block);
  const w = subWidth(Slice.isB, sub);
  const h = subHeight(Slice.isB, sub);
  for (let dy = 0; dy < 2; dy += h) {
    for (let dx = 0; dx < 2; dx += w) {
      const predicted = Motion.predict(list, x + dx, y + dy, w, ref);
      Motion.fillMv(list, x + dx, y + dy, w, h, readMv(list, x + dx, y + dy, w, h, predicted));
    }
  }
}
