// Records the macroblock that was decided for its neighbours, the entropy coder, the deblocking filter and the statistics.
// Called by mode-decision.ts.

import {
  I_16X16,
  I_4X4,
  MASK_LUMA_DC,
  MASK_U_DC,
  MASK_V_DC,
  type MacroblockState,
  P_16X16,
  P_INTER,
  P_SKIP,
} from '../macroblock/coding-state.ts';

/** Bits 8..10 of the coding state's cbp: which DC blocks have levels. */
function dcFlags(state: MacroblockState): number {
  const { longs, masks, mbKind, codedBlockPattern } = state;
  const first = masks >> 2;
  let flags = 0;
  if (mbKind === I_16X16 && longs[first + MASK_LUMA_DC] !== 0) {
    flags = 0x100;
  }
  if (codedBlockPattern > 15) {
    flags |= (longs[first + MASK_U_DC] !== 0 ? 0x200 : 0) | (longs[first + MASK_V_DC] !== 0 ? 0x400 : 0);
  }
  return flags;
}

/** A macroblock judged with `qp` that was not worth levels shows its reference, or something as good as that QP. */
export function recordShownQp(state: MacroblockState, qp: number): void {
  const { address, shownQp } = state;
  const before = state.previousShownQp[address];
  const hasNoLevels = state.mbKind === P_SKIP || (state.mbKind === P_INTER && state.codedBlockPattern === 0);
  shownQp[address] = hasNoLevels && before < qp && state.mv[state.cell] === 0 ? before : qp;
}

/** Writes the current macroblock of `state` to its grid. */
export function recordMacroblock(state: MacroblockState): void {
  const { address } = state;
  if (state.codedBlockPattern === 0 && state.mbKind !== I_16X16) {
    state.QPY = state.previousQPY; // no mb_qp_delta is sent (7.4.5)
  }
  state.kind[address] = state.mbKind;
  state.partitions[address] = state.partition;
  state.qp[address] = state.QPY;
  state.cbp[address] = state.codedBlockPattern | dcFlags(state);
  state.transform8x8[address] = state.hasTransform8x8 ? 1 : 0;
  state.chromaMode[address] = state.mbKind >= I_4X4 ? state.intraChromaMode : 0;
  state.slice[address] = state.sliceIndex;
  state.hasInnerEdges[address] =
    state.mbKind >= I_4X4 || state.partition !== P_16X16 || (state.codedBlockPattern & 15) !== 0 ? 1 : 0;
}
