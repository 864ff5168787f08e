// What the slice encoder asks of an entropy coder; CAVLC and CABAC implement it. Called by encoder/slice-encoder.ts.

import type { BitWriter } from '../../../bitstream/bit-writer.ts';

/** What a slice is coded with. */
export type EntropySlice = {
  readonly isIntra: boolean;
  /** num_ref_idx_l0_active_minus1 + 1. */
  readonly references: number;
  /** SliceQPY. */
  readonly QPY: number;
};

/** Writes the slice data of one slice at a time; the macroblock is the coding state's current one. */
export interface SliceEntropy {
  /** Begins slice_data() after a slice header. */
  start(header: BitWriter, slice: EntropySlice): void;
  /** P_Skip. */
  writeSkip(): void;
  /** macroblock_layer(). */
  writeMacroblock(): void;
  /** Forgets the macroblock that writeMacroblock has just written. */
  takeBack(): void;
  /** macroblock_layer() of an I_PCM macroblock with its 384 samples. */
  writePcm(samples: Uint8Array): void;
  /** After each macroblock: whether it is the slice's last. */
  endMacroblock(isLast: boolean): void;
  /** The finished RBSP with trailing bits, valid until the next start. */
  finish(): Uint8Array;
  /** Bits written so far, header included. */
  readonly position: number;
}
