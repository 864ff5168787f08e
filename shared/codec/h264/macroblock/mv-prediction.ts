// Motion vector prediction (8.4.1.3) on the caches of the current macroblock, and filling those caches from the neighbours.

import type { SliceState } from '../decoder/slice-state.ts';
import { CACHE_ORIGIN, CACHE_STRIDE, REF_UNAVAILABLE, REF_UNUSED } from '../decoder/slice-state.ts';
import { locateMbaffLeftAbove } from './neighbours.ts';

const { max, min } = Math;

/** Motion vector as one integer. */
export function packMv(x: number, y: number): number {
  return (x & 0xffff) | (y << 16);
}
export function mvX(mv: number): number {
  return (mv << 16) >> 16;
}
export function mvY(mv: number): number {
  return mv >> 16;
}

/** Bit w - 1 of entry 4 * row + column: C of a block w wide (1, 2, 4) at that place lies in this macroblock and is decoded already. */
const IS_C_DECODED = buildIsCDecoded();

function buildIsCDecoded(): Uint8Array {
  const order = (x: number, y: number): number => ((y & 2) << 2) | ((x & 2) << 1) | ((y & 1) << 1) | (x & 1);
  const table = new Uint8Array(16);
  for (let y = 1; y < 4; y++) {
    for (let x = 0; x < 4; x++) {
      for (const w of [1, 2, 4]) {
        if (x + w < 4 && order(x + w, y - 1) < order(x, y)) {
          table[4 * y + x] |= w;
        }
      }
    }
  }
  return table;
}

/** Loads reference indices and vectors around the macroblock into the cache of one list. */
export function fillMotionCache(s: SliceState, list: number): void {
  const refCache = list === 0 ? s.refCache0 : s.refCache1;
  const mvCache = list === 0 ? s.mvCache0 : s.mvCache1;
  const refIdx = list === 0 ? s.refIdx0 : s.refIdx1;
  const mv = list === 0 ? s.mv0 : s.mv1;
  const { mbA, mbB, mbC, mbD } = s;
  const top = CACHE_ORIGIN - CACHE_STRIDE;
  if (mbB >= 0) {
    const ref = mbB * 4 + 2;
    const from = mbB * 16 + 12;
    refCache[top] = refCache[top + 1] = refIdx[ref];
    refCache[top + 2] = refCache[top + 3] = refIdx[ref + 1];
    mvCache[top] = mv[from];
    mvCache[top + 1] = mv[from + 1];
    mvCache[top + 2] = mv[from + 2];
    mvCache[top + 3] = mv[from + 3];
  } else {
    refCache[top] = refCache[top + 1] = refCache[top + 2] = refCache[top + 3] = REF_UNAVAILABLE;
  }
  if (mbC >= 0) {
    refCache[top + 4] = refIdx[mbC * 4 + 2];
    mvCache[top + 4] = mv[mbC * 16 + 12];
  } else {
    refCache[top + 4] = REF_UNAVAILABLE;
  }
  if (mbD >= 0) {
    refCache[top - 1] = refIdx[mbD * 4 + (s.rowD & 2) + 1];
    mvCache[top - 1] = mv[mbD * 16 + s.rowD * 4 + 3];
  } else {
    refCache[top - 1] = REF_UNAVAILABLE;
  }
  const left = CACHE_ORIGIN - 1;
  if (mbA < 0) {
    refCache[left] = REF_UNAVAILABLE;
    refCache[left + CACHE_STRIDE] = REF_UNAVAILABLE;
    refCache[left + 2 * CACHE_STRIDE] = REF_UNAVAILABLE;
    refCache[left + 3 * CACHE_STRIDE] = REF_UNAVAILABLE;
  } else if (!s.MbaffFrameFlag) {
    refCache[left] = refCache[left + CACHE_STRIDE] = refIdx[mbA * 4 + 1];
    refCache[left + 2 * CACHE_STRIDE] = refCache[left + 3 * CACHE_STRIDE] = refIdx[mbA * 4 + 3];
    const from = mbA * 16 + 3;
    mvCache[left] = mv[from];
    mvCache[left + CACHE_STRIDE] = mv[from + 4];
    mvCache[left + 2 * CACHE_STRIDE] = mv[from + 8];
    mvCache[left + 3 * CACHE_STRIDE] = mv[from + 12];
  } else {
    for (let row = 0; row < 4; row++) {
      const from = s.leftMb[row];
      const fromRow = s.leftRow[row];
      refCache[left + row * CACHE_STRIDE] = refIdx[from * 4 + (fromRow & 2) + 1];
      mvCache[left + row * CACHE_STRIDE] = mv[from * 16 + fromRow * 4 + 3];
    }
  }
  if (s.MbaffFrameFlag) {
    scaleMbaffNeighbours(s, refCache, mvCache);
  }
}

/** 8.4.1.3.1: neighbours of the other kind count in the current macroblock's units. */
function scaleMbaffNeighbours(s: SliceState, refCache: Int8Array, mvCache: Int32Array): void {
  const top = CACHE_ORIGIN - CACHE_STRIDE;
  if (s.mbB >= 0) {
    for (let i = 0; i < 4; i++) {
      scaleEntry(s, s.mbB, refCache, mvCache, top + i);
    }
  }
  if (s.mbC >= 0) {
    scaleEntry(s, s.mbC, refCache, mvCache, top + 4);
  }
  if (s.mbD >= 0) {
    scaleEntry(s, s.mbD, refCache, mvCache, top - 1);
  }
  if (s.mbA >= 0) {
    for (let row = 0; row < 4; row++) {
      scaleEntry(s, s.leftMb[row], refCache, mvCache, CACHE_ORIGIN - 1 + row * CACHE_STRIDE);
    }
  }
}

function scaleEntry(s: SliceState, from: number, refCache: Int8Array, mvCache: Int32Array, at: number): void {
  const isFieldNeighbour = s.mbField[from] === 1;
  if (isFieldNeighbour === s.isFieldMb || refCache[at] < 0) {
    return;
  }
  refCache[at] = s.isFieldMb ? refCache[at] << 1 : refCache[at] >> 1;
  mvCache[at] = scaleMvToKind(mvCache[at], s.isFieldMb);
}

/** Vertical vector of a frame macroblock in field units or the reverse (8.4.1.3.1). */
function scaleMvToKind(mv: number, toField: boolean): number {
  const y = mvY(mv);
  return packMv(mvX(mv), toField ? (y / 2) | 0 : y * 2);
}

/**
 * Predicts the vector of a partition at block (x, y), `w` blocks wide, that refers to `ref`: median prediction (8.4.1.3.1), result in
 * mvpX, mvpY. `mvpIsDirectional` and the shape rules are in predictMv16x8 and predictMv8x16.
 */
export function predictMv(s: SliceState, list: number, x: number, y: number, w: number, ref: number): void {
  const refCache = list === 0 ? s.refCache0 : s.refCache1;
  const mvCache = list === 0 ? s.mvCache0 : s.mvCache1;
  const at = CACHE_ORIGIN + y * CACHE_STRIDE + x;
  const refA = refCache[at - 1];
  const refB = refCache[at - CACHE_STRIDE];
  const mvA = refA >= 0 ? mvCache[at - 1] : 0;
  const mvB = refB >= 0 ? mvCache[at - CACHE_STRIDE] : 0;
  const refC = fetchC(s, refCache, mvCache, list, x, y, w);
  const mvC = fetchedMv;
  const matches = (refA === ref ? 1 : 0) + (refB === ref ? 1 : 0) + (refC === ref ? 1 : 0);
  if (matches === 1) {
    const mv = refA === ref ? mvA : refB === ref ? mvB : mvC;
    s.mvpX = mvX(mv);
    s.mvpY = mvY(mv);
    return;
  }
  if (refB === REF_UNAVAILABLE && refC === REF_UNAVAILABLE && refA !== REF_UNAVAILABLE) {
    s.mvpX = mvX(mvA);
    s.mvpY = mvY(mvA);
    return;
  }
  s.mvpX = median(mvX(mvA), mvX(mvB), mvX(mvC));
  s.mvpY = median(mvY(mvA), mvY(mvB), mvY(mvC));
}

/** 16x8 partitions (8.4.1.3): the upper asks B first, the lower A. */
export function predictMv16x8(s: SliceState, list: number, y: number, ref: number): void {
  const refCache = list === 0 ? s.refCache0 : s.refCache1;
  const mvCache = list === 0 ? s.mvCache0 : s.mvCache1;
  const at = y === 0 ? CACHE_ORIGIN - CACHE_STRIDE : CACHE_ORIGIN + 2 * CACHE_STRIDE - 1;
  if (refCache[at] === ref) {
    s.mvpX = mvX(mvCache[at]);
    s.mvpY = mvY(mvCache[at]);
    return;
  }
  predictMv(s, list, 0, y, 4, ref);
}

/** 8x16 partitions (8.4.1.3): the left asks A first, the right C. */
export function predictMv8x16(s: SliceState, list: number, x: number, ref: number): void {
  const refCache = list === 0 ? s.refCache0 : s.refCache1;
  const mvCache = list === 0 ? s.mvCache0 : s.mvCache1;
  if (x === 0) {
    const at = CACHE_ORIGIN - 1;
    if (refCache[at] === ref) {
      s.mvpX = mvX(mvCache[at]);
      s.mvpY = mvY(mvCache[at]);
      return;
    }
  } else if (fetchC(s, refCache, mvCache, list, 2, 0, 2) === ref) {
    s.mvpX = mvX(fetchedMv);
    s.mvpY = mvY(fetchedMv);
    return;
  }
  predictMv(s, list, x, 0, 2, ref);
}

/** Vector that fetchC found. */
let fetchedMv = 0;

/** Reference index of C, or of D where C is not available; its vector is in fetchedMv. */
function fetchC(
  s: SliceState,
  refCache: Int8Array,
  mvCache: Int32Array,
  list: number,
  x: number,
  y: number,
  w: number,
): number {
  const at = CACHE_ORIGIN + y * CACHE_STRIDE + x;
  const atC = at - CACHE_STRIDE + w;
  if (y === 0 ? refCache[atC] !== REF_UNAVAILABLE : (IS_C_DECODED[4 * y + x] & w) !== 0) {
    const ref = refCache[atC];
    fetchedMv = ref >= 0 ? mvCache[atC] : 0;
    return ref;
  }
  if (s.MbaffFrameFlag && x === 0 && y > 0) {
    return fetchMbaffD(s, list, y);
  }
  const ref = refCache[at - CACHE_STRIDE - 1];
  fetchedMv = ref >= 0 ? mvCache[at - CACHE_STRIDE - 1] : 0;
  return ref;
}

function fetchMbaffD(s: SliceState, list: number, y: number): number {
  fetchedMv = 0;
  const found = locateMbaffLeftAbove(s, y);
  if (found < 0) {
    return REF_UNAVAILABLE;
  }
  const from = found >> 2;
  const row = found & 3;
  const ref = (list === 0 ? s.refIdx0 : s.refIdx1)[from * 4 + (row & 2) + 1];
  if (ref < 0) {
    return REF_UNUSED;
  }
  const mv = (list === 0 ? s.mv0 : s.mv1)[from * 16 + row * 4 + 3];
  if ((s.mbField[from] === 1) === s.isFieldMb) {
    fetchedMv = mv;
    return ref;
  }
  fetchedMv = scaleMvToKind(mv, s.isFieldMb);
  return s.isFieldMb ? ref << 1 : ref >> 1;
}

/** P_Skip (8.4.1.1): result in mvpX, mvpY. The cache of list 0 must be filled. */
export function predictSkipMv(s: SliceState): void {
  const { refCache0, mvCache0 } = s;
  const refA = refCache0[CACHE_ORIGIN - 1];
  const refB = refCache0[CACHE_ORIGIN - CACHE_STRIDE];
  if (
    refA === REF_UNAVAILABLE ||
    refB === REF_UNAVAILABLE ||
    (refA === 0 && mvCache0[CACHE_ORIGIN - 1] === 0) ||
    (refB === 0 && mvCache0[CACHE_ORIGIN - CACHE_STRIDE] === 0)
  ) {
    s.mvpX = 0;
    s.mvpY = 0;
    return;
  }
  predictMv(s, 0, 0, 0, 4, 0);
}

/** Reference index of C or D for the whole macroblock, for spatial direct prediction. */
export function referenceOfC(s: SliceState, list: number): number {
  return list === 0 ? fetchC(s, s.refCache0, s.mvCache0, 0, 0, 0, 4) : fetchC(s, s.refCache1, s.mvCache1, 1, 0, 0, 4);
}

function median(a: number, b: number, c: number): number {
  return max(min(a, b), min(max(a, b), c));
}

/** Writes a reference index into a rectangle of a list's cache. */
export function fillRef(s: SliceState, list: number, x: number, y: number, w: number, h: number, ref: number): void {
  const cache = list === 0 ? s.refCache0 : s.refCache1;
  let at = CACHE_ORIGIN + y * CACHE_STRIDE + x;
  for (let row = 0; row < h; row++) {
    for (let i = 0; i < w; i++) {
      cache[at + i] = ref;
    }
    at += CACHE_STRIDE;
  }
}

/** Writes a vector into a rectangle of a list's cache. */
export function fillMv(s: SliceState, list: number, x: number, y: number, w: number, h: number, mv: number): void {
  const cache = list === 0 ? s.mvCache0 : s.mvCache1;
  let at = CACHE_ORIGIN + y * CACHE_STRIDE + x;
  for (let row = 0; row < h; row++) {
    for (let i = 0; i < w; i++) {
      cache[at + i] = mv;
    }
    at += CACHE_STRIDE;
  }
}

/** Copies the caches of a list into the picture's motion. */
export function storeMotion(s: SliceState, list: number): void {
  const refCache = list === 0 ? s.refCache0 : s.refCache1;
  const mvCache = list === 0 ? s.mvCache0 : s.mvCache1;
  const refIdx = list === 0 ? s.refIdx0 : s.refIdx1;
  const refPic = list === 0 ? s.refPic0 : s.refPic1;
  const mv = list === 0 ? s.mv0 : s.mv1;
  const { mb, refId } = s;
  let from = CACHE_ORIGIN;
  let to = mb * 16;
  for (let row = 0; row < 4; row++) {
    mv[to] = mvCache[from];
    mv[to + 1] = mvCache[from + 1];
    mv[to + 2] = mvCache[from + 2];
    mv[to + 3] = mvCache[from + 3];
    from += CACHE_STRIDE;
    to += 4;
  }
  const base = s.refBase + 64 * list;
  for (let block = 0; block < 4; block++) {
    const ref = refCache[CACHE_ORIGIN + (block >> 1) * 2 * CACHE_STRIDE + (block & 1) * 2];
    refIdx[mb * 4 + block] = ref;
    refPic[mb * 4 + block] = ref < 0 ? -1 : refId[base + ref];
  }
}

/** Marks a list as not used by the current macroblock. */
export function storeNoMotion(s: SliceState, list: number): void {
  s.refIdx32[list][s.mb] = -1;
  s.refPic32[list][s.mb] = -1;
}

/** Gives the whole macroblock one reference (>= 0) and vector of a list, in the picture's motion only. */
export function storeUniform(s: SliceState, list: number, ref: number, packedMv: number): void {
  const { mb } = s;
  s.refIdx32[list][mb] = ref * 0x01010101;
  s.refPic32[list][mb] = s.refId[s.refBase + 64 * list + ref] * 0x01010101;
  const mv = list === 0 ? s.mv0 : s.mv1;
  const at = mb * 16;
  for (let i = at; i < at + 16; i += 4) {
    mv[i] = packedMv;
    mv[i + 1] = packedMv;
    mv[i + 2] = packedMv;
    mv[i + 3] = packedMv;
  }
}

/** P_Skip (8.4.1.1) without the cache, for pictures that are not MBAFF frames. Returns the vector. */
export function skipMvOf(s: SliceState): number {
  const { mbA, mbB, mbC, mbD, refIdx0, mv0 } = s;
  if (mbA < 0 || mbB < 0) {
    return 0;
  }
  const refA = refIdx0[mbA * 4 + 1];
  const refB = refIdx0[mbB * 4 + 2];
  const mvA = refA >= 0 ? mv0[mbA * 16 + 3] : 0;
  const mvB = refB >= 0 ? mv0[mbB * 16 + 12] : 0;
  if ((refA === 0 && mvA === 0) || (refB === 0 && mvB === 0)) {
    return 0;
  }
  let refC = REF_UNAVAILABLE;
  let mvC = 0;
  if (mbC >= 0) {
    refC = refIdx0[mbC * 4 + 2];
    mvC = refC >= 0 ? mv0[mbC * 16 + 12] : 0;
  } else if (mbD >= 0) {
    refC = refIdx0[mbD * 4 + 3];
    mvC = refC >= 0 ? mv0[mbD * 16 + 15] : 0;
  }
  const matches = (refA === 0 ? 1 : 0) + (refB === 0 ? 1 : 0) + (refC === 0 ? 1 : 0);
  if (matches === 1) {
    return refA === 0 ? mvA : refB === 0 ? mvB : mvC;
  }
  return packMv(median(mvX(mvA), mvX(mvB), mvX(mvC)), median(mvY(mvA), mvY(mvB), mvY(mvC)));
}
