// What the picture synthesizer asks of a generating entropy coder, whichever it is.

export interface GeneratedSlice {
  /** Says which macroblock addresses the slice will have, in order. */
  plan(order: readonly number[]): void;
  /** Position on the tape, to come back to. */
  mark(): number;
  rewind(mark: number): void;
  /** Makes the next macroblock I_PCM, which is legal everywhere. */
  forcePcm(): void;
  /** The RBSP: slice header, then what was generated. */
  write(header: Uint8Array, tail: number, tailLength: number): Uint8Array;
}
