// Vector differences and direct marks around the current macroblock: contexts of mvd and ref_idx in CABAC (9.3.3.1.1.6, 9.3.3.1.1.7).

import { CACHE_ORIGIN, CACHE_STRIDE, type SliceState } from './slice-state.ts';

const { min } = Math;

/** Loads |mvd| of the neighbours into the cache of one list. */
export function fillMvdCache(s: SliceState, list: number): void {
  const cache = list === 0 ? s.mvdCache0 : s.mvdCache1;
  const { mvd, macroblocks } = s.store;
  const base = list * macroblocks;
  const top = (CACHE_ORIGIN - CACHE_STRIDE) * 2;
  if (s.mbB >= 0) {
    const from = (base + s.mbB) * 16;
    for (let i = 0; i < 8; i++) {
      cache[top + i] = mvd[from + i];
    }
    if (s.MbaffFrameFlag) {
      scaleVertical(s, s.mbB, cache, top + 1, 2, 4);
    }
  } else {
    for (let i = 0; i < 8; i++) {
      cache[top + i] = 0;
    }
  }
  for (let row = 0; row < 4; row++) {
    const to = (CACHE_ORIGIN - 1 + row * CACHE_STRIDE) * 2;
    const left = s.leftMb[row];
    if (left >= 0) {
      const from = (base + left) * 16 + 8 + s.leftRow[row] * 2;
      cache[to] = mvd[from];
      cache[to + 1] = mvd[from + 1];
      if (s.MbaffFrameFlag) {
        scaleVertical(s, left, cache, to + 1, 2, 1);
      }
    } else {
      cache[to] = 0;
      cache[to + 1] = 0;
    }
  }
}

/** compIdx 1 of a neighbour of the other kind counts in the current macroblock's lines. */
function scaleVertical(s: SliceState, mb: number, cache: Uint8Array, at: number, step: number, count: number): void {
  const isField = s.mbField[mb] === 1;
  if (isField === s.isFieldMb) {
    return;
  }
  for (let i = 0; i < count; i++) {
    const value = cache[at + i * step];
    cache[at + i * step] = s.isFieldMb ? value >> 1 : min(255, value * 2);
  }
}

/** Writes |mvd| of a partition into the cache. */
export function fillMvd(
  s: SliceState,
  list: number,
  x: number,
  y: number,
  w: number,
  h: number,
  absX: number,
  absY: number,
): void {
  const cache = list === 0 ? s.mvdCache0 : s.mvdCache1;
  for (let row = y; row < y + h; row++) {
    let at = (CACHE_ORIGIN + row * CACHE_STRIDE + x) * 2;
    for (let i = 0; i < w; i++) {
      cache[at] = absX;
      cache[at + 1] = absY;
      at += 2;
    }
  }
}

/** Keeps the lower row and the right column for later macroblocks. */
export function storeMvd(s: SliceState): void {
  const { mvd, macroblocks } = s.store;
  if ((s.directMask & 15) === 15) {
    s.store.clearMvd(s.mb, 0);
    s.store.clearMvd(s.mb, 1);
    return;
  }
  for (let list = 0; list < 2; list++) {
    const to = (list * macroblocks + s.mb) * 16;
    if (list === 1 && !s.isB) {
      s.store.clearMvd(s.mb, 1);
      return;
    }
    const cache = list === 0 ? s.mvdCache0 : s.mvdCache1;
    const bottom = (CACHE_ORIGIN + 3 * CACHE_STRIDE) * 2;
    for (let i = 0; i < 8; i++) {
      mvd[to + i] = cache[bottom + i];
    }
    for (let row = 0; row < 4; row++) {
      const from = (CACHE_ORIGIN + row * CACHE_STRIDE + 3) * 2;
      mvd[to + 8 + row * 2] = cache[from];
      mvd[to + 9 + row * 2] = cache[from + 1];
    }
  }
}

/** Loads the direct marks of the neighbours; the current macroblock's own are cleared. */
export function fillDirectCache(s: SliceState, cache: Uint8Array): void {
  cache.fill(0);
  const { direct } = s.store;
  if (s.mbB >= 0) {
    const top = CACHE_ORIGIN - CACHE_STRIDE;
    const bits = direct[s.mbB];
    cache[top] = cache[top + 1] = (bits >> 2) & 1;
    cache[top + 2] = cache[top + 3] = (bits >> 3) & 1;
  }
  for (let row = 0; row < 4; row++) {
    const left = s.leftMb[row];
    if (left >= 0) {
      cache[CACHE_ORIGIN - 1 + row * CACHE_STRIDE] = (direct[left] >> ((s.leftRow[row] & 2) + 1)) & 1;
    }
  }
}
