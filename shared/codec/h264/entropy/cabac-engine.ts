// The arithmetic decoding engine of CABAC (9.3.1.2, 9.3.3.2) and its context variables (9.3.1.1).
//
// codIOffset is kept with `spare` bits read ahead: value = codIOffset << spare | the next bits, and it is compared with
// codIRange << spare, so that bits are fetched a byte at a time. A context variable is one byte: pStateIdx << 1 | valMPS.

import { BitstreamError } from '../../../errors.ts';
import { CABAC_NEXT_LPS, CABAC_NEXT_MPS } from '../kernels/cabac-residual-kernels.ts';
import {
  CABAC_CONTEXT_INIT_I,
  CABAC_CONTEXT_INIT_PB_0,
  CABAC_CONTEXT_INIT_PB_1,
  CABAC_CONTEXT_INIT_PB_2,
  TABLE_9_44_RANGE_LPS,
} from '../tables/cabac.generated.ts';

const { clz32, max, min } = Math;

const CONTEXTS = 1024;

/** rangeTabLPS by context variable and codIRange bits 6..7: index (context & ~1) * 2 + quarter. */
const RANGE_LPS = TABLE_9_44_RANGE_LPS;

/** Initial context variables of every table and SliceQPY, made when first needed: index table * 52 + SliceQPY. */
const initialContexts: (Uint8Array | undefined)[] = new Array<Uint8Array | undefined>(4 * 52).fill(undefined);

/** The context variables at the start of a slice (9.3.1.1). `table`: 0 for I, 1 + cabac_init_idc else. */
export function contextsFor(table: number, SliceQPY: number): Uint8Array {
  const qp = max(0, min(51, SliceQPY));
  const known = initialContexts[table * 52 + qp];
  if (known !== undefined) {
    return known;
  }
  const mn =
    table === 0
      ? CABAC_CONTEXT_INIT_I
      : table === 1
        ? CABAC_CONTEXT_INIT_PB_0
        : table === 2
          ? CABAC_CONTEXT_INIT_PB_1
          : CABAC_CONTEXT_INIT_PB_2;
  const contexts = new Uint8Array(CONTEXTS);
  for (let i = 0; i < CONTEXTS; i++) {
    // (9-5)
    const preCtxState = max(1, min(126, ((mn[2 * i] * qp) >> 4) + mn[2 * i + 1]));
    contexts[i] = preCtxState <= 63 ? (63 - preCtxState) << 1 : ((preCtxState - 64) << 1) | 1;
  }
  initialContexts[table * 52 + qp] = contexts;
  return contexts;
}

/** The engine; the macroblock syntax extends it so that bins need no second object. */
export class CabacEngine {
  protected readonly contexts: Uint8Array;
  protected range = 0;
  protected value = 0;
  protected spare = 0;
  protected data: Uint8Array = new Uint8Array(0);
  /** Next byte to fetch. */
  protected at = 0;
  /** Bytes of the slice; fetching far past it is an error. */
  protected limit = 0;

  /** `contexts` holds the 1024 context variables; the residual kernel uses the same ones. */
  constructor(contexts: Uint8Array) {
    this.contexts = contexts;
  }

  /** Sets the context variables for a slice (9.3.1.1). `table`: 0 for I, 1 + cabac_init_idc else. */
  protected initialiseContexts(table: number, SliceQPY: number): void {
    this.contexts.set(contextsFor(table, SliceQPY));
  }

  /** Starts decoding at a byte position (9.3.1.2). */
  protected initialiseEngine(data: Uint8Array, byteOffset: number, byteLength: number): void {
    this.data = data;
    this.limit = byteLength;
    this.range = 510;
    this.value = (data[byteOffset] << 8) | data[byteOffset + 1];
    this.spare = 7;
    this.at = byteOffset + 2;
  }

  /** Bits consumed from the start of the data. */
  get bitPosition(): number {
    return this.at * 8 - this.spare;
  }

  /** Byte position after the bits consumed so far, rounded up: where PCM samples begin. */
  protected alignedPosition(): number {
    return (this.at * 8 - this.spare + 7) >> 3;
  }

  /** DecodeDecision (9.3.3.2.1). */
  protected decision(ctxIdx: number): number {
    const context = this.contexts[ctxIdx];
    const lps = RANGE_LPS[((context & 126) << 1) | ((this.range >> 6) & 3)];
    const range = this.range - lps;
    const scaled = range << this.spare;
    if (this.value < scaled) {
      this.contexts[ctxIdx] = CABAC_NEXT_MPS[context];
      if (range >= 256) {
        this.range = range;
        return context & 1;
      }
      this.range = range << 1;
      if (this.spare === 0) {
        this.value = (this.value << 8) | this.data[this.at++];
        this.spare = 8;
      }
      this.spare--;
      return context & 1;
    }
    this.contexts[ctxIdx] = CABAC_NEXT_LPS[context];
    const shift = clz32(lps) - 23;
    this.value -= scaled;
    this.range = lps << shift;
    if (this.spare < shift) {
      this.value = (this.value << 8) | this.data[this.at++];
      this.spare += 8;
    }
    this.spare -= shift;
    return (context & 1) ^ 1;
  }

  /** DecodeBypass (9.3.3.2.3). */
  protected bypass(): number {
    if (this.spare === 0) {
      this.value = (this.value << 8) | this.data[this.at++];
      this.spare = 8;
    }
    this.spare--;
    const scaled = this.range << this.spare;
    if (this.value >= scaled) {
      this.value -= scaled;
      return 1;
    }
    return 0;
  }

  /** DecodeTerminate (9.3.3.2.2.3). */
  protected terminate(): number {
    this.range -= 2;
    if (this.value >= this.range << this.spare) {
      return 1;
    }
    if (this.range < 256) {
      this.range <<= 1;
      if (this.spare === 0) {
        this.value = (this.value << 8) | this.data[this.at++];
        this.spare = 8;
      }
      this.spare--;
    }
    return 0;
  }

  /** Throws when more bytes were fetched than the slice has (two are read ahead). */
  protected checkEnd(): void {
    if (this.at > this.limit + 3) {
      throw new BitstreamError('truncated', '9.3.1.2', this.limit * 8, 'The arithmetic code word ends too early.');
    }
  }
}
