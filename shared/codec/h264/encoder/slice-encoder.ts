// Codes the macroblock rows of one slice: for each macroblock decide, reconstruct, write; behind it deblock the row before.
// Called by picture-encoder.ts once per slice.

import type { CavlcEncoder } from '../entropy/cavlc-encoder.ts';
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
  private readonly entropy: CavlcEncoder;

  constructor(state: MacroblockState, decision: ModeDecision, entropy: CavlcEncoder) {
    this.state = state;
    this.decision = decision;
    this.entropy = entropy;
  }

  /**
   * Codes slice_data() after the header that the writer holds. `afterRow` is called when a row is complete; its result is the QP
   * of the next row.
   */
  code(plan: SlicePlan, references: number, afterRow: (row: number) => number): void {
    const { state, decision, entropy } = this;
    state.sliceFirstRow = plan.firstRow;
    state.sliceIndex = plan.index;
    state.previousQPY = plan.QPY;
    entropy.startSlice(plan.isIntra, references);
    let rowQp = plan.QPY;
    for (let y = plan.firstRow; y < plan.endRow; y++) {
      for (let x = 0; x < state.mbWidth; x++) {
        state.enter(x, y);
        state.QPY = rowQp;
        if (plan.isIntra) {
          decision.codeIntra();
        } else {
          decision.codeInter();
        }
        if (state.mbKind === P_SKIP) {
          entropy.writeSkip();
        } else {
          entropy.writeMacroblock();
        }
        state.previousQPY = state.QPY;
      }
      rowQp = afterRow(y);
    }
    entropy.finishSlice();
  }
}
