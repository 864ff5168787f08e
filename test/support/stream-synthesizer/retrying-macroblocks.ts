// Decodes drawn macroblocks, and draws again what turned out illegal. Takes the place of the slice decoder's macroblock decoder.

import { BitstreamError } from '../../../shared/errors.ts';
import type { MacroblockDecoder } from '../../../shared/codec/h264/decoder/macroblock-decoder.ts';
import type { SliceState } from '../../../shared/codec/h264/decoder/slice-state.ts';
import type { CabacDecoder } from '../../../shared/codec/h264/entropy/cabac-decoder.ts';
import type { MacroblockSyntax } from '../../../shared/codec/h264/entropy/macroblock-syntax.ts';
import type { GeneratedSlice } from './generated-slice.ts';

const MAX_TRIES_PER_MACROBLOCK = 40;

/** A macroblock decoder that draws again what turned out illegal. */
export class RetryingMacroblocks {
  readonly #inner: MacroblockDecoder;
  readonly #s: SliceState;
  generator: GeneratedSlice | null = null;

  constructor(inner: MacroblockDecoder, s: SliceState) {
    this.#inner = inner;
    this.#s = s;
  }

  skip(cabac: CabacDecoder | null): void {
    this.#inner.skip(cabac);
  }

  decode(syntax: MacroblockSyntax, cabac: CabacDecoder | null): void {
    const s = this.#s;
    const generator = this.generator!;
    const mark = generator.mark();
    const { qp, lastDeltaNotZero } = s;
    for (let tries = 0; ; tries++) {
      try {
        if (tries === MAX_TRIES_PER_MACROBLOCK) {
          generator.forcePcm();
        }
        this.#inner.decode(syntax, cabac);
        return;
      } catch (error) {
        if (!(error instanceof BitstreamError) || tries > MAX_TRIES_PER_MACROBLOCK) {
          throw error;
        }
        generator.rewind(mark);
        s.qp = qp;
        s.lastDeltaNotZero = lastDeltaNotZero;
        s.coefficients.fill(0);
        s.dc.fill(0);
        s.chromaDc.fill(0);
      }
    }
  }
}
