// Codes the macroblock rows of one slice: for each macroblock decide, reconstruct, write; behind it deblock the row before.
// Called by picture-encoder.ts once per slice.

import type { BitWriter } from '../../../bitstream/bit-writer.ts';
import type { SliceEntropy } from '../entropy/slice-entropy.ts';
import { type MacroblockState, P_SKIP } from '../macroblock/coding-state.ts';
import { recordShownQp } from './macroblock-record.ts';
import type { ModeDecision } from './mode-decision.ts';
import { MOST_MACROBLOCK_BITS, type PcmCoder } from './pcm-coder.ts';

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
  private readonly pcm: PcmCoder;
  private readonly entropy: SliceEntropy;
  /** Bits of the slice before the current macroblock. */
  private position = 0;

  constructor(state: MacroblockState, decision: ModeDecision, pcm: PcmCoder, entropy: SliceEntropy) {
    this.state = state;
    this.decision = decision;
    this.pcm = pcm;
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
    this.position = entropy.position;
    let rowQp = plan.QPY;
    for (let y = plan.firstRow; y < plan.endRow; y++) {
      const isLastRow = y + 1 === plan.endRow;
      for (let x = 0; x < state.mbWidth; x++) {
        state.enter(x, y);
        const qp = this.qpHere(rowQp);
        state.QPY = qp;
        if (plan.isIntra) {
          decision.codeIntra();
        } else {
          if (decision.usesRuns) {
            const room = this.equalOffsets(x);
            const skipped = decision.codeSkips(room);
            x = this.writeSkips(x, y, skipped, isLastRow, qp);
            if (skipped === room) {
              x--;
              continue;
            }
            state.QPY = qp;
          }
          decision.codeInter();
        }
        if (state.mbKind === P_SKIP) {
          entropy.writeSkip();
        } else {
          this.writeMacroblock();
        }
        state.previousQPY = state.QPY;
        this.countBits();
        entropy.endMacroblock(isLastRow && x + 1 === state.mbWidth);
      }
      rowQp = afterRow(y, entropy.position);
    }
    return entropy.finish();
  }

  /** Writes the current macroblock as it was decided, or as I_PCM where that takes too many bits. */
  private writeMacroblock(): void {
    const { entropy } = this;
    entropy.writeMacroblock();
    if (entropy.position - this.position > MOST_MACROBLOCK_BITS) {
      entropy.takeBack();
      entropy.writePcm(this.pcm.code());
    }
  }

  /** QPY of the current macroblock. */
  private qpHere(rowQp: number): number {
    const qp = rowQp + this.state.grid.qpOffsets[this.state.address];
    return qp < 0 ? 0 : qp > 51 ? 51 : qp;
  }

  /** How many macroblocks from the current one, in column x, to the end of the row have its QP offset. */
  private equalOffsets(x: number): number {
    const { state } = this;
    const offsets = state.grid.qpOffsets;
    const first = state.address;
    const end = first + state.mbWidth - x;
    let at = first + 1;
    while (at < end && offsets[at] === offsets[first]) {
      at++;
    }
    return at - first;
  }

  /** For statistics: what was written since the macroblock before is the current one's. */
  private countBits(): void {
    const { position } = this.entropy;
    this.state.bits[this.state.address] = position - this.position;
    this.position = position;
  }

  /**
   * Writes `count` macroblocks from (x, y) on that are coded as P_Skip, judged with `qp`, and enters the one behind them in the row. Returns its x.
   */
  private writeSkips(x: number, y: number, count: number, isLastRow: boolean, qp: number): number {
    const { state, entropy, decision } = this;
    const end = x + count;
    if (count === 0) {
      return end;
    }
    state.mbKind = P_SKIP;
    for (let at = x; at < end; at++) {
      state.enter(at, y);
      if (decision.tracksStill) {
        recordShownQp(state, qp);
      }
      state.QPY = state.previousQPY;
      entropy.writeSkip();
      this.countBits();
      entropy.endMacroblock(isLastRow && at + 1 === state.mbWidth);
    }
    if (end < state.mbWidth) {
      state.enter(end, y);
    }
    return end;
  }
}
