// Inter prediction of a macroblock from its caches (8.4.2): the same as prediction/inter.ts, for frames.

import { averageBlocks, predictPartition, weightBlock, weightBlocks } from '../inter';
import { CACHE_ORIGIN, CACHE_STRIDE, Cache, Mb, MB_DIRECT, Slice } from './context';
import { B_8X8, P_8X8, partitionHeight, partitionWidth, subHeight, subWidth } from './types';

// Only in the shared-memory build: sleeps until a reference that another thread decodes has the rows.
// @ts-ignore: decorator
@external("env", "awaitRows")
declare function awaitRows(cell: usize, rows: i32): void;

export class Inter {
  /** Predicts all partitions of the current macroblock into the picture. */
  static predict(): void {
    if (Mb.isUniform) {
      Inter.partition(0, 0, 4, 4);
      return;
    }
    if ((Mb.kind & MB_DIRECT) != 0) {
      Inter.directMacroblock();
      return;
    }
    const isB = Slice.isB;
    const type = Mb.type;
    if (type == (isB ? B_8X8 : P_8X8) || (!isB && type == 4)) {
      for (let block = 0; block < 4; block++) {
        const x = (block & 1) * 2;
        const y = block & 2;
        const sub = <i32>load<u8>(Cache.sub + block);
        if (isB && sub == 0) {
          Inter.directBlock(x, y);
          continue;
        }
        const w = subWidth(isB, sub);
        const h = subHeight(isB, sub);
        for (let dy = 0; dy < 2; dy += h) {
          for (let dx = 0; dx < 2; dx += w) Inter.partition(x + dx, y + dy, w, h);
        }
      }
      return;
    }
    const w = partitionWidth(isB, type);
    const h = partitionHeight(isB, type);
    for (let y = 0; y < 4; y += h) {
      for (let x = 0; x < 4; x += w) Inter.partition(x, y, w, h);
    }
  }

  /** All 16 places of a vector cache hold the same. */
  static isSame(mvs: usize): bool {
    const first = mvs + 4 * CACHE_ORIGIN;
    const all = v128.load32_splat(first);
    const differences = v128.or(
      v128.or(v128.xor(v128.load(first), all), v128.xor(v128.load(first, 32), all)),
      v128.or(v128.xor(v128.load(first, 64), all), v128.xor(v128.load(first, 96), all)),
    );
    return !v128.any_true(differences);
  }

  /** The four 8x8 blocks of a reference cache hold the same. */
  static isSameRef(refs: usize): bool {
    const first = refs + CACHE_ORIGIN;
    const ref = load<u8>(first);
    return ref == load<u8>(first, 2) && ref == load<u8>(first, 16) && ref == load<u8>(first, 18);
  }

  /** Direct macroblocks often have one vector: then one prediction does. */
  static directMacroblock(): void {
    if (
      Inter.isSame(Cache.mv0) && Inter.isSame(Cache.mv1) && Inter.isSameRef(Cache.ref0) && Inter.isSameRef(Cache.ref1)
    ) {
      Inter.partition(0, 0, 4, 4);
      return;
    }
    Inter.directBlock(0, 0);
    Inter.directBlock(2, 0);
    Inter.directBlock(0, 2);
    Inter.directBlock(2, 2);
  }

  static directBlock(x: i32, y: i32): void {
    if (Slice.hasInference8x8) {
      Inter.partition(x, y, 2, 2);
      return;
    }
    Inter.partition(x, y, 1, 1);
    Inter.partition(x + 1, y, 1, 1);
    Inter.partition(x, y + 1, 1, 1);
    Inter.partition(x + 1, y + 1, 1, 1);
  }

  /** Predicts w x h blocks of 4x4 at block (x, y). */
  static partition(x: i32, y: i32, w: i32, h: i32): void {
    const at = CACHE_ORIGIN + y * CACHE_STRIDE + x;
    const ref0 = <i32>load<i8>(Cache.ref0 + at);
    const ref1 = <i32>load<i8>(Cache.ref1 + at);
    const dstY = Mb.dstY + 4 * (<usize>y * Slice.strideY + <usize>x);
    const offsetC = 2 * (<usize>y * Slice.strideC + <usize>x);
    const dstU = Mb.dstU + offsetC;
    const dstV = Mb.dstV + offsetC;
    if (ref0 >= 0) {
      const mv0 = load<i32>(Cache.mv0 + 4 * at);
      Inter.compensate(ref0, mv0, x, y, w, h, dstY, dstU, dstV, Slice.strideY, Slice.strideC);
      if (ref1 >= 0) {
        const scratch = Slice.scratch;
        const mv1 = load<i32>(Cache.mv1 + 4 * at);
        Inter.compensate(32 + ref1, mv1, x, y, w, h, scratch, scratch + 256, scratch + 512, 16, 16);
        Inter.combine(ref0, ref1, w, h, dstY, dstU, dstV);
      } else if (Slice.weightMode == 1) {
        Inter.weightOne(ref0, w, h, dstY, dstU, dstV);
      }
    } else if (ref1 >= 0) {
      const mv1 = load<i32>(Cache.mv1 + 4 * at);
      Inter.compensate(32 + ref1, mv1, x, y, w, h, dstY, dstU, dstV, Slice.strideY, Slice.strideC);
      if (Slice.weightMode == 1) Inter.weightOne(32 + ref1, w, h, dstY, dstU, dstV);
    }
  }

  /** One prediction from one reference (8.4.2.2): `entry` is 32 * list + refIdx. */
  static compensate(
    entry: i32, mv: i32, x: i32, y: i32, w: i32, h: i32,
    dstY: usize, dstU: usize, dstV: usize, dstStrideY: usize, dstStrideC: usize,
  ): void {
    const reference = Slice.references + 16 * entry;
    if (ASC_FEATURE_THREADS) {
      const cell = load<usize>(Slice.progressCells + 4 * entry);
      // the six tap filter reaches three rows below the block
      const below = 16 * Mb.row + 4 * (y + h) + (mv >> 18) + 3;
      const rows = max(1, min(below, 16 * Slice.height));
      if (atomic.load<i32>(cell) < rows) awaitRows(cell, rows);
    }
    predictPartition(
      dstY, dstU, dstV, dstStrideY, dstStrideC,
      load<usize>(reference), load<usize>(reference, 4), load<usize>(reference, 8),
      Slice.strideY, Slice.strideC, 16 * Slice.width, 16 * Slice.height,
      16 * Mb.x + 4 * x, 16 * Mb.row + 4 * y, 4 * w, 4 * h, mv, 0, Slice.window,
    );
  }

  /** The mean of two predictions, weighted where the slice says so (8.4.2.3). */
  static combine(ref0: i32, ref1: i32, w: i32, h: i32, dstY: usize, dstU: usize, dstV: usize): void {
    const scratch = Slice.scratch;
    const strideY = Slice.strideY;
    const strideC = Slice.strideC;
    const u = scratch + 256;
    const v = scratch + 512;
    if (Slice.weightMode == 1) {
      const a = Slice.explicitWeights + 16 * ref0;
      const b = Slice.explicitWeights + 16 * (32 + ref1);
      if (load<i16>(a, 12) != 0 || load<i16>(b, 12) != 0) {
        const offsetY = (load<i16>(a, 2) + load<i16>(b, 2) + 1) >> 1;
        const offsetU = (load<i16>(a, 6) + load<i16>(b, 6) + 1) >> 1;
        const offsetV = (load<i16>(a, 10) + load<i16>(b, 10) + 1) >> 1;
        const logWD = Slice.chromaLogWD;
        weightBlocks(
          dstY, strideY, dstY, strideY, scratch, 16, 4 * w, 4 * h,
          Slice.lumaLogWD, load<i16>(a), load<i16>(b), offsetY,
        );
        weightBlocks(
          dstU, strideC, dstU, strideC, u, 16, 2 * w, 2 * h, logWD, load<i16>(a, 4), load<i16>(b, 4), offsetU,
        );
        weightBlocks(
          dstV, strideC, dstV, strideC, v, 16, 2 * w, 2 * h, logWD, load<i16>(a, 8), load<i16>(b, 8), offsetV,
        );
        return;
      }
    } else if (Slice.weightMode == 2) {
      const w1 = <i32>load<i16>(Slice.implicitWeights + 2 * (32 * ref0 + ref1));
      if (w1 != 32) {
        const w0 = 64 - w1;
        weightBlocks(dstY, strideY, dstY, strideY, scratch, 16, 4 * w, 4 * h, 5, w0, w1, 0);
        weightBlocks(dstU, strideC, dstU, strideC, u, 16, 2 * w, 2 * h, 5, w0, w1, 0);
        weightBlocks(dstV, strideC, dstV, strideC, v, 16, 2 * w, 2 * h, 5, w0, w1, 0);
        return;
      }
    }
    averageBlocks(dstY, strideY, dstY, strideY, scratch, 16, 4 * w, 4 * h);
    averageBlocks(dstU, strideC, dstU, strideC, u, 16, 2 * w, 2 * h);
    averageBlocks(dstV, strideC, dstV, strideC, v, 16, 2 * w, 2 * h);
  }

  /** Explicit weighting of one prediction (8-298). */
  static weightOne(entry: i32, w: i32, h: i32, dstY: usize, dstU: usize, dstV: usize): void {
    const at = Slice.explicitWeights + 16 * entry;
    if (load<i16>(at, 12) == 0) return;
    weightBlock(dstY, Slice.strideY, 4 * w, 4 * h, Slice.lumaLogWD, load<i16>(at), load<i16>(at, 2));
    weightBlock(dstU, Slice.strideC, 2 * w, 2 * h, Slice.chromaLogWD, load<i16>(at, 4), load<i16>(at, 6));
    weightBlock(dstV, Slice.strideC, 2 * w, 2 * h, Slice.chromaLogWD, load<i16>(at, 8), load<i16>(at, 10));
  }
}
