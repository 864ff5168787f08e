// mb_pred() and sub_mb_pred() of inter macroblocks (7.3.5.1, 7.3.5.2): reference indices, vector differences and the vectors that they
// make with their predictions, into the caches. Called by macroblock-decoder.ts.

import { BitstreamError } from '../../../errors.ts';
import type { CabacDecoder } from '../entropy/cabac-decoder.ts';
import type { MacroblockSyntax } from '../entropy/macroblock-syntax.ts';
import { predictDirect } from '../macroblock/direct.ts';
import {
  PRED_L0,
  PRED_L1,
  partitionHeight,
  partitionPrediction,
  partitionWidth,
  subHeight,
  subPrediction,
  subWidth,
} from '../macroblock/mb-types.ts';
import { fillMv, fillRef, packMv, predictMv, predictMv16x8, predictMv8x16 } from '../macroblock/mv-prediction.ts';
import { fillMvd } from './mvd-cache.ts';
import { CACHE_ORIGIN, CACHE_STRIDE, REF_UNUSED, type SliceState } from './slice-state.ts';

const { abs, min } = Math;

function fail(s: SliceState, message: string): never {
  throw new BitstreamError('forbidden-value', '7.4.5', s.reader.position, message);
}

/** Largest ref_idx of a list, for the current macroblock. */
function refRange(s: SliceState, list: number): number {
  const count = list === 0 ? s.numRef0 : s.numRef1;
  return s.refBase > 0 ? 2 * count - 1 : count - 1;
}

function readRef(s: SliceState, syntax: MacroblockSyntax, list: number, x: number, y: number, range: number): number {
  if (range === 0) {
    return 0;
  }
  const ref = syntax.ref_idx(list, CACHE_ORIGIN + y * CACHE_STRIDE + x, range);
  if (ref > range) {
    fail(s, `ref_idx is ${ref}, the list has ${range + 1} entries.`);
  }
  return ref;
}

/** 16x16, 16x8, 8x16 partitions (7.3.5.1). */
export function parsePartitions(s: SliceState, syntax: MacroblockSyntax): void {
  const { isB, mb_type } = s;
  const w = partitionWidth(isB, mb_type);
  const h = partitionHeight(isB, mb_type);
  const count = w === 4 && h === 4 ? 1 : 2;
  const lists = isB ? 2 : 1;
  for (let list = 0; list < lists; list++) {
    const range = refRange(s, list);
    for (let part = 0; part < count; part++) {
      const x = part * (4 - w);
      const y = part * (4 - h);
      const isUsed = (partitionPrediction(isB, mb_type, part) & (PRED_L0 << list)) !== 0;
      fillRef(s, list, x, y, w, h, isUsed ? readRef(s, syntax, list, x, y, range) : REF_UNUSED);
    }
  }
  if (!isB) {
    fillRef(s, 1, 0, 0, 4, 4, REF_UNUSED);
  }
  for (let list = 0; list < lists; list++) {
    const refCache = list === 0 ? s.refCache0 : s.refCache1;
    for (let part = 0; part < count; part++) {
      const x = part * (4 - w);
      const y = part * (4 - h);
      const at = CACHE_ORIGIN + y * CACHE_STRIDE + x;
      const ref = refCache[at];
      if (ref < 0) {
        fillMv(s, list, x, y, w, h, 0);
        fillMvd(s, list, x, y, w, h, 0, 0);
        continue;
      }
      if (count === 1) {
        predictMv(s, list, 0, 0, 4, ref);
      } else if (w === 4) {
        predictMv16x8(s, list, y, ref);
      } else {
        predictMv8x16(s, list, x, ref);
      }
      readMv(s, syntax, list, x, y, w, h);
    }
  }
}

/** One partition of 16x16 (7.3.5.1): leaves its motion in cache entry CACHE_ORIGIN and sets isUniform. */
export function parseWhole(s: SliceState, syntax: MacroblockSyntax): void {
  const prediction = s.isB ? partitionPrediction(true, s.mb_type, 0) : PRED_L0;
  const ref0 = (prediction & PRED_L0) !== 0 ? readRef(s, syntax, 0, 0, 0, refRange(s, 0)) : REF_UNUSED;
  const ref1 = (prediction & PRED_L1) !== 0 ? readRef(s, syntax, 1, 0, 0, refRange(s, 1)) : REF_UNUSED;
  s.isUniform = true;
  if (ref0 >= 0) {
    s.mvCache0[CACHE_ORIGIN] = readWholeMv(s, syntax, 0, ref0);
  } else if (s.isCabac) {
    fillMvd(s, 0, 0, 0, 4, 4, 0, 0);
  }
  if (ref1 >= 0) {
    s.mvCache1[CACHE_ORIGIN] = readWholeMv(s, syntax, 1, ref1);
  } else if (s.isCabac) {
    fillMvd(s, 1, 0, 0, 4, 4, 0, 0);
  }
  s.refCache0[CACHE_ORIGIN] = ref0;
  s.refCache1[CACHE_ORIGIN] = ref1;
}

function readWholeMv(s: SliceState, syntax: MacroblockSyntax, list: number, ref: number): number {
  predictMv(s, list, 0, 0, 4, ref);
  const { mvpX, mvpY } = s;
  syntax.mvd(list, CACHE_ORIGIN);
  if (s.isCabac) {
    fillMvd(s, list, 0, 0, 4, 4, min(255, abs(syntax.mvdX)), min(255, abs(syntax.mvdY)));
  }
  return packMv(mvpX + syntax.mvdX, mvpY + syntax.mvdY);
}

/** Reads an mvd, adds the prediction in mvpX, mvpY, and writes both caches. */
function readMv(
  s: SliceState,
  syntax: MacroblockSyntax,
  list: number,
  x: number,
  y: number,
  w: number,
  h: number,
): void {
  const { mvpX, mvpY } = s;
  syntax.mvd(list, CACHE_ORIGIN + y * CACHE_STRIDE + x);
  fillMv(s, list, x, y, w, h, packMv(mvpX + syntax.mvdX, mvpY + syntax.mvdY));
  if (s.isCabac) {
    fillMvd(s, list, x, y, w, h, min(255, abs(syntax.mvdX)), min(255, abs(syntax.mvdY)));
  }
}

/** sub_mb_pred() (7.3.5.2). Returns noSubMbPartSizeLessThan8x8Flag. */
export function parseSubMacroblocks(s: SliceState, syntax: MacroblockSyntax, cabac: CabacDecoder | null): boolean {
  const { isB, subMbType } = s;
  let canTransform8x8 = true;
  for (let block = 0; block < 4; block++) {
    const sub = syntax.sub_mb_type();
    if (sub > (isB ? 12 : 3)) {
      fail(s, `sub_mb_type is ${sub}.`);
    }
    subMbType[block] = sub;
    if (isB && sub === 0) {
      s.directMask |= 1 << block;
      canTransform8x8 = canTransform8x8 && s.direct_8x8_inference_flag;
    } else if (subWidth(isB, sub) + subHeight(isB, sub) < 4) {
      canTransform8x8 = false;
    }
  }
  if (s.directMask !== 0) {
    predictDirect(s, s.directMask);
    if (cabac !== null) {
      markDirect(s, cabac);
    }
  }
  const lists = isB ? 2 : 1;
  for (let list = 0; list < lists; list++) {
    const range = !isB && s.mb_type === 4 ? 0 : refRange(s, list);
    for (let block = 0; block < 4; block++) {
      if (((s.directMask >> block) & 1) === 1) {
        continue;
      }
      const x = (block & 1) * 2;
      const y = block & 2;
      const isUsed = (subPrediction(isB, subMbType[block]) & (PRED_L0 << list)) !== 0;
      fillRef(s, list, x, y, 2, 2, isUsed ? readRef(s, syntax, list, x, y, range) : REF_UNUSED);
    }
  }
  if (!isB) {
    fillRef(s, 1, 0, 0, 4, 4, REF_UNUSED);
  }
  for (let list = 0; list < lists; list++) {
    const refCache = list === 0 ? s.refCache0 : s.refCache1;
    for (let block = 0; block < 4; block++) {
      const x = (block & 1) * 2;
      const y = block & 2;
      const ref = refCache[CACHE_ORIGIN + y * CACHE_STRIDE + x];
      if (((s.directMask >> block) & 1) === 1) {
        fillMvd(s, list, x, y, 2, 2, 0, 0);
        continue;
      }
      if (ref < 0) {
        fillMv(s, list, x, y, 2, 2, 0);
        fillMvd(s, list, x, y, 2, 2, 0, 0);
        continue;
      }
      const w = subWidth(isB, subMbType[block]);
      const h = subHeight(isB, subMbType[block]);
      for (let dy = 0; dy < 2; dy += h) {
        for (let dx = 0; dx < 2; dx += w) {
          predictMv(s, list, x + dx, y + dy, w, ref);
          readMv(s, syntax, list, x + dx, y + dy, w, h);
        }
      }
    }
  }
  return canTransform8x8;
}

/** Marks the direct 8x8 blocks of the macroblock for the contexts of ref_idx. */
function markDirect(s: SliceState, cabac: CabacDecoder): void {
  const { directMask } = s;
  for (let block = 0; block < 4; block++) {
    const value = (directMask >> block) & 1;
    const at = CACHE_ORIGIN + (block & 2) * CACHE_STRIDE + (block & 1) * 2;
    cabac.directCache[at] = cabac.directCache[at + 1] = value;
    cabac.directCache[at + CACHE_STRIDE] = cabac.directCache[at + CACHE_STRIDE + 1] = value;
  }
}
