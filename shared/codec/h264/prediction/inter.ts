// Inter prediction of a macroblock from the caches (8.4.2): sample interpolation at the picture's edges included, and weighting.

import type { SliceState } from '../decoder/slice-state.ts';
import { CACHE_ORIGIN, CACHE_STRIDE } from '../decoder/slice-state.ts';
import { MB_DIRECT } from '../macroblock/mb-types.ts';
import { P_8X8, B_8X8, partitionHeight, partitionWidth, subHeight, subWidth } from '../macroblock/mb-types.ts';

/** Predicts all partitions of the current macroblock into the picture. */
export function predictInter(s: SliceState): void {
  if (s.isUniform) {
    predictPartition(s, 0, 0, 4, 4);
    return;
  }
  if ((s.kind & MB_DIRECT) !== 0) {
    predictDirectMacroblock(s);
    return;
  }
  const { mb_type, isB } = s;
  if (mb_type === (isB ? B_8X8 : P_8X8) || (!isB && mb_type === 4)) {
    for (let block = 0; block < 4; block++) {
      const x = (block & 1) * 2;
      const y = block & 2;
      const sub = s.subMbType[block];
      if (isB && sub === 0) {
        predictDirectBlock(s, x, y);
        continue;
      }
      const w = subWidth(isB, sub);
      const h = subHeight(isB, sub);
      for (let dy = 0; dy < 2; dy += h) {
        for (let dx = 0; dx < 2; dx += w) {
          predictPartition(s, x + dx, y + dy, w, h);
        }
      }
    }
    return;
  }
  const w = partitionWidth(isB, mb_type);
  const h = partitionHeight(isB, mb_type);
  for (let y = 0; y < 4; y += h) {
    for (let x = 0; x < 4; x += w) {
      predictPartition(s, x, y, w, h);
    }
  }
}

/** Direct macroblocks often have one vector: then one prediction does. */
function predictDirectMacroblock(s: SliceState): void {
  const { refCache0, refCache1, mvCache0, mvCache1 } = s;
  const o = CACHE_ORIGIN;
  let isUniform = true;
  for (let row = 0; row < 4 && isUniform; row++) {
    const at = o + row * CACHE_STRIDE;
    for (let x = 0; x < 4; x++) {
      if (
        mvCache0[at + x] !== mvCache0[o] ||
        mvCache1[at + x] !== mvCache1[o] ||
        refCache0[at + x] !== refCache0[o] ||
        refCache1[at + x] !== refCache1[o]
      ) {
        isUniform = false;
        break;
      }
    }
  }
  if (isUniform) {
    predictPartition(s, 0, 0, 4, 4);
    return;
  }
  predictDirectBlock(s, 0, 0);
  predictDirectBlock(s, 2, 0);
  predictDirectBlock(s, 0, 2);
  predictDirectBlock(s, 2, 2);
}

function predictDirectBlock(s: SliceState, x: number, y: number): void {
  if (!s.direct_8x8_inference_flag) {
    const { mvCache0, mvCache1 } = s;
    const at = CACHE_ORIGIN + y * CACHE_STRIDE + x;
    const below = at + CACHE_STRIDE;
    const isUniform =
      mvCache0[at] === mvCache0[at + 1] &&
      mvCache0[at] === mvCache0[below] &&
      mvCache0[at] === mvCache0[below + 1] &&
      mvCache1[at] === mvCache1[at + 1] &&
      mvCache1[at] === mvCache1[below] &&
      mvCache1[at] === mvCache1[below + 1];
    if (!isUniform) {
      predictPartition(s, x, y, 1, 1);
      predictPartition(s, x + 1, y, 1, 1);
      predictPartition(s, x, y + 1, 1, 1);
      predictPartition(s, x + 1, y + 1, 1, 1);
      return;
    }
  }
  predictPartition(s, x, y, 2, 2);
}

/** Predicts w x h blocks of 4x4 at block (x, y). */
function predictPartition(s: SliceState, x: number, y: number, w: number, h: number): void {
  const at = CACHE_ORIGIN + y * CACHE_STRIDE + x;
  const ref0 = s.refCache0[at];
  const ref1 = s.refCache1[at];
  const dstY = s.dstY + 4 * (y * s.strideY + x);
  const offsetC = 2 * (y * s.strideC + x);
  const dstU = s.dstU + offsetC;
  const dstV = s.dstV + offsetC;
  const { strideY, strideC } = s;
  if (ref0 >= 0 && ref1 >= 0) {
    const scratch = s.scratchPointer;
    compensate(s, s.refBase + ref0, s.mvCache0[at], x, y, w, h, dstY, dstU, dstV, strideY, strideC);
    compensate(s, s.refBase + 64 + ref1, s.mvCache1[at], x, y, w, h, scratch, scratch + 256, scratch + 512, 16, 16);
    combine(s, ref0, ref1, w, h, dstY, dstU, dstV);
    return;
  }
  if (ref0 >= 0) {
    compensate(s, s.refBase + ref0, s.mvCache0[at], x, y, w, h, dstY, dstU, dstV, strideY, strideC);
    if (s.weightMode === 1) {
      weightOne(s, s.refBase > 0 ? ref0 >> 1 : ref0, w, h, dstY, dstU, dstV);
    }
  } else if (ref1 >= 0) {
    compensate(s, s.refBase + 64 + ref1, s.mvCache1[at], x, y, w, h, dstY, dstU, dstV, strideY, strideC);
    if (s.weightMode === 1) {
      weightOne(s, 64 + (s.refBase > 0 ? ref1 >> 1 : ref1), w, h, dstY, dstU, dstV);
    }
  }
}

function combine(
  s: SliceState,
  ref0: number,
  ref1: number,
  w: number,
  h: number,
  dstY: number,
  dstU: number,
  dstV: number,
): void {
  const { kernels, strideY, strideC, scratchPointer: scratch } = s;
  if (s.weightMode === 1) {
    const entry0 = s.refBase > 0 ? ref0 >> 1 : ref0;
    const entry1 = 64 + (s.refBase > 0 ? ref1 >> 1 : ref1);
    if (s.hasExplicitWeight[entry0] === 1 || s.hasExplicitWeight[entry1] === 1) {
      const e = s.explicitWeights;
      const a = entry0 * 6;
      const b = entry1 * 6;
      const { lumaLogWD, chromaLogWD } = s;
      const offsetY = (e[a + 1] + e[b + 1] + 1) >> 1;
      kernels.weightBlocks(dstY, strideY, dstY, strideY, scratch, 16, 4 * w, 4 * h, lumaLogWD, e[a], e[b], offsetY);
      if (s.hasChroma) {
        const offsetU = (e[a + 3] + e[b + 3] + 1) >> 1;
        const offsetV = (e[a + 5] + e[b + 5] + 1) >> 1;
        const u = scratch + 256;
        const v = scratch + 512;
        kernels.weightBlocks(
          dstU,
          strideC,
          dstU,
          strideC,
          u,
          16,
          2 * w,
          2 * h,
          chromaLogWD,
          e[a + 2],
          e[b + 2],
          offsetU,
        );
        kernels.weightBlocks(
          dstV,
          strideC,
          dstV,
          strideC,
          v,
          16,
          2 * w,
          2 * h,
          chromaLogWD,
          e[a + 4],
          e[b + 4],
          offsetV,
        );
      }
      return;
    }
  } else if (s.weightMode === 2) {
    const w1 = s.implicitWeights[((s.refBase >> 7) * 64 + ref0) * 64 + ref1];
    if (w1 !== 32) {
      const w0 = 64 - w1;
      kernels.weightBlocks(dstY, strideY, dstY, strideY, scratch, 16, 4 * w, 4 * h, 5, w0, w1, 0);
      if (s.hasChroma) {
        kernels.weightBlocks(dstU, strideC, dstU, strideC, scratch + 256, 16, 2 * w, 2 * h, 5, w0, w1, 0);
        kernels.weightBlocks(dstV, strideC, dstV, strideC, scratch + 512, 16, 2 * w, 2 * h, 5, w0, w1, 0);
      }
      return;
    }
  }
  kernels.averageBlocks(dstY, strideY, dstY, strideY, scratch, 16, 4 * w, 4 * h);
  if (s.hasChroma) {
    kernels.averageBlocks(dstU, strideC, dstU, strideC, scratch + 256, 16, 2 * w, 2 * h);
    kernels.averageBlocks(dstV, strideC, dstV, strideC, scratch + 512, 16, 2 * w, 2 * h);
  }
}

function weightOne(s: SliceState, entry: number, w: number, h: number, dstY: number, dstU: number, dstV: number): void {
  if (s.hasExplicitWeight[entry] === 0) {
    return;
  }
  const { kernels, explicitWeights: e } = s;
  const at = entry * 6;
  kernels.weightBlock(dstY, s.strideY, 4 * w, 4 * h, s.lumaLogWD, e[at], e[at + 1]);
  if (s.hasChroma) {
    kernels.weightBlock(dstU, s.strideC, 2 * w, 2 * h, s.chromaLogWD, e[at + 2], e[at + 3]);
    kernels.weightBlock(dstV, s.strideC, 2 * w, 2 * h, s.chromaLogWD, e[at + 4], e[at + 5]);
  }
}

/** One prediction from one reference (8.4.2.2). */
function compensate(
  s: SliceState,
  entry: number,
  mv: number,
  x: number,
  y: number,
  w: number,
  h: number,
  dstY: number,
  dstU: number,
  dstV: number,
  dstStrideY: number,
  dstStrideC: number,
): void {
  s.kernels.predictPartition(
    dstY,
    s.hasChroma ? dstU : 0,
    dstV,
    dstStrideY,
    dstStrideC,
    s.refY[entry],
    s.refU[entry],
    s.refV[entry],
    s.strideY,
    s.strideC,
    16 * s.PicWidthInMbs,
    s.refHeight,
    16 * s.mbX + 4 * x,
    s.lumaRow + 4 * y,
    4 * w,
    4 * h,
    mv,
    s.refChromaOffset[entry],
    s.emulationPointer,
  );
}
