// Codes the macroblock rows of one slice: for each macroblock decide, reconstruct, write; behind it deblock the row before.
// Called by picture-encoder.ts once per slice.

import type { BitWriter } from '../../../bitstream/bit-writer.ts';
import type { SliceEntropy } from '../entropy/slice-entropy.ts';
import { type MacroblockState, P_SKIP } from '../macroblock/coding-state.ts';
import type { ModeDecision } from './mode-decision.ts';

/** What a slice covers and how it is coded. */
export type SlicePlan = {
  readonly isIntra: boolean;
  readonly index: number;
  readonly firstRow: number;
  /** One past the last row. */
  readonly endRow: number;
  readonly QPY: number;
};

/** Entropy coder, state and decisions of one slice at a time. */
export class SliceEncoder {
  private readonly state: MacroblockState;
  private readonly decision: ModeDecision;
  private readonly entropy: SliceEntropy;

  constructor(state: MacroblockState, decision: ModeDecision, entropy: SliceEntropy) {
    this.state = state;
    this.decision = decision;
    this.entropy = entropy;
  }

  /**
   * Codes slice_data() after `header`. `afterRow` is called when a row is complete with the bits of the slice so far; its result is the
   * QP of the next row. Returns the slice's RBSP, valid until the next slice.
   */
  code(
    plan: SlicePlan,
    header: BitWriter,
    references: number,
    afterRow: (row: number, bits: number) => number,
  ): Uint8Array {
    const { state, decision, entropy } = this;
    state.sliceFirstRow = plan.firstRow;
    state.sliceIndex = plan.index;
    state.previousQPY = plan.QPY;
    entropy.start(header, { isIntra: plan.isIntra, references, QPY: plan.QPY });
    let rowQp = plan.QPY;
    for (let y = plan.firstRow; y < plan.endRow; y++) {
      const isLastRow = y + 1 === plan.endRow;
      for (let x = 0; x < state.mbWidth; x++) {
        state.enter(x, y);
        state.QPY = rowQp;
        if (plan.isIntra) {
          decision.codeIntra();
        } else {
          const skipped = decision.codeSkips(state.mbWidth - x);
          x = this.writeSkips(x, y, skipped, isLastRow);
          if (x === state.mbWidth) {
            break;
          }
          state.QPY = rowQp;
          decision.codeInter();
        }
        if (state.mbKind === P_SKIP) {
          entropy.writeSkip();
        } else {
          entropy.writeMacroblock();
        }
        state.previousQPY = state.QPY;
        entropy.endMacroblock(isLastRow && x + 1 === state.mbWidth);
      }
      rowQp = afterRow(y, entropy.position);
    }
    return entropy.finish();
  }

  /** Writes `count` macroblocks from (x, y) on that are coded as P_Skip and enters the one behind them in the row. Returns its x. */
  private writeSkips(x: number, y: number, count: number, isLastRow: boolean): number {
    const { state, entropy } = this;
    const end = x + count;
    if (count === 0) {
      return end;
    }
    state.mbKind = P_SKIP;
    state.QPY = state.previousQPY;
    for (let at = x; at < end; at++) {
      state.enter(at, y);
      entropy.writeSkip();
      entropy.endMacroblock(isLastRow && at + 1 === state.mbWidth);
    }
    if (end < state.mbWidth) {
      state.enter(end, y);
    }
    return end;
  }
}
