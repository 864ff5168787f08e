// Turns the reference lists of a slice into the flat arrays that prediction reads: pointers, identities, order counts, weights
// (8.4.2.3) and scale factors of temporal direct prediction (8.4.1.2.3). Called once per slice.

import { BOTTOM_FIELD, FRAME, TOP_FIELD, type Picture, type Reference } from '../dpb/picture.ts';
import type { ReferenceList } from '../dpb/reference-lists.ts';
import { NO_SCALE } from '../macroblock/direct.ts';
import type { PredWeight, PredWeightTable } from '../syntax/pred-weight-table.ts';
import type { SliceState } from './slice-state.ts';

const { abs, max, min, trunc } = Math;

/** Identity of an entry that no picture fills: legal as long as nothing refers to it. */
export const HOLE_ID = 127;

function setReference(s: SliceState, at: number, reference: Reference, currentStructure: number): void {
  const { picture, structure } = reference;
  const isBottom = structure === BOTTOM_FIELD;
  s.refPictures[at] = picture;
  s.refStructure[at] = structure;
  s.refY[at] = picture.memory.y + (isBottom ? s.frameStrideY : 0);
  s.refU[at] = picture.memory.u + (isBottom ? s.frameStrideC : 0);
  s.refV[at] = picture.memory.v + (isBottom ? s.frameStrideC : 0);
  s.refId[at] = picture.slot * 4 + structure;
  s.refIsLong[at] = (picture.longTerm & structure) !== 0 ? 1 : 0;
  s.refOrder[at] = picture.orderOf(structure);
  s.refChromaOffset[at] = structure === FRAME || structure === currentStructure ? 0 : isBottom ? -2 : 2;
}

/** Fills the reference arrays from the lists; holes get `substitute`. Returns whether there were holes. */
export function setReferences(
  s: SliceState,
  lists: readonly [ReferenceList, ReferenceList],
  structure: number,
  substitute: Picture,
): boolean {
  let hasHoles = false;
  for (let list = 0; list < 2; list++) {
    for (const [i, entry] of lists[list].entries()) {
      const isHole = entry === null || entry.picture.isNonExisting;
      const reference = entry ?? { picture: substitute, structure };
      setReference(s, 64 * list + i, reference, structure);
      if (isHole) {
        hasHoles = true;
        s.refId[64 * list + i] = HOLE_ID;
      }
      if (s.MbaffFrameFlag) {
        const { picture } = reference;
        for (let parity = 0; parity < 2; parity++) {
          const own = parity === 0 ? TOP_FIELD : BOTTOM_FIELD;
          const at = 128 * (1 + parity) + 64 * list + 2 * i;
          setReference(s, at, { picture, structure: own }, own);
          setReference(s, at + 1, { picture, structure: FRAME - own }, own);
        }
      }
    }
  }
  s.numRef0 = lists[0].length;
  s.numRef1 = lists[1].length;
  return hasHoles;
}

/** DistScaleFactor (8-197 to 8-202), or null when the references have equal order counts. */
function distScale(current: number, order0: number, order1: number): number | null {
  const td = max(-128, min(127, order1 - order0));
  if (td === 0) {
    return null;
  }
  const tb = max(-128, min(127, current - order0));
  const tx = trunc((16384 + abs(trunc(td / 2))) / td);
  return max(-1024, min(1023, (tb * tx + 32) >> 6));
}

/** Order counts of the current picture as variant 0 (frame or field), 1 and 2 (its fields, for MBAFF field macroblocks) see it. */
function currentOrder(s: SliceState, variant: number, structure: number): number {
  if (variant === 0) {
    return s.picture.orderOf(structure);
  }
  return variant === 1 ? s.picture.TopFieldOrderCnt : s.picture.BottomFieldOrderCnt;
}

/** Scale factors of temporal direct prediction. */
export function setTemporalScale(s: SliceState, structure: number): void {
  for (let variant = 0; variant < (s.MbaffFrameFlag ? 3 : 1); variant++) {
    const base = 128 * variant;
    const current = currentOrder(s, variant, structure);
    const count = variant === 0 ? s.numRef0 : 2 * s.numRef0;
    for (let i = 0; i < count; i++) {
      const factor = distScale(current, s.refOrder[base + i], s.refOrder[base + 64]);
      s.distScaleFactor[64 * variant + i] = factor === null || s.refIsLong[base + i] === 1 ? NO_SCALE : factor;
    }
  }
}

/** Implicit weights w1 (8.4.2.3.1). */
export function setImplicitWeights(s: SliceState, structure: number): void {
  for (let variant = 0; variant < (s.MbaffFrameFlag ? 3 : 1); variant++) {
    const base = 128 * variant;
    const current = currentOrder(s, variant, structure);
    const factor = variant === 0 ? 1 : 2;
    for (let i = 0; i < s.numRef0 * factor; i++) {
      for (let j = 0; j < s.numRef1 * factor; j++) {
        const isLong = (s.refIsLong[base + i] | s.refIsLong[base + 64 + j]) === 1;
        const scale = isLong ? null : distScale(current, s.refOrder[base + i], s.refOrder[base + 64 + j]);
        const w1 = scale === null ? 32 : scale >> 2;
        s.implicitWeights[(variant * 64 + i) * 64 + j] = w1 < -64 || w1 > 128 ? 32 : w1;
      }
    }
  }
}

/** Explicit weights (8.4.2.3.2) of the slice. */
export function setExplicitWeights(s: SliceState, table: PredWeightTable): void {
  s.lumaLogWD = table.luma_log2_weight_denom;
  s.chromaLogWD = table.chroma_log2_weight_denom;
  const set = (at: number, weight: PredWeight): void => {
    const luma = weight.luma ?? [1 << s.lumaLogWD, 0];
    const plain = 1 << s.chromaLogWD;
    const chroma = weight.chroma ?? [plain, 0, plain, 0];
    s.explicitWeights.set([...luma, ...chroma], at * 6);
    s.hasExplicitWeight[at] = weight.luma !== null || weight.chroma !== null ? 1 : 0;
  };
  for (const [i, weight] of table.lists[0].entries()) {
    set(i, weight);
  }
  for (const [i, weight] of table.lists[1].entries()) {
    set(64 + i, weight);
  }
}
