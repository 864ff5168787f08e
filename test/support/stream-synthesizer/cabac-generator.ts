// A CABAC "decoder" that draws bins instead of reading them, and keeps them on a tape with the context indices that the decoder chose:
// encoding the tape gives a legal slice that exercises every context selection. The decoder's own binarization makes values of the bins.

import { CabacDecoder } from '../../../shared/codec/h264/entropy/cabac-decoder.ts';
import { CabacEngine } from '../../../shared/codec/h264/entropy/cabac-encoding-engine.ts';
import { BLOCK_8X8_FIELD, BLOCK_CHROMA_DC } from '../../../shared/codec/h264/kernels/cabac-residual-kernels.ts';
import type { SliceState } from '../../../shared/codec/h264/decoder/slice-state.ts';
import {
  CTX_BASE_COEFF_ABS_LEVEL_MINUS1,
  CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FIELD,
  CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FRAME,
  CTX_BASE_SIGNIFICANT_COEFF_FLAG_FIELD,
  CTX_BASE_SIGNIFICANT_COEFF_FLAG_FRAME,
  TABLE_9_43_LAST,
  TABLE_9_43_SIGNIFICANT_FIELD,
  TABLE_9_43_SIGNIFICANT_FRAME,
} from '../../../shared/codec/h264/tables/cabac.generated.ts';
import type { Draw } from './draw.ts';
import type { Legality } from './legality.ts';
import type { GeneratedSlice } from './generated-slice.ts';

const { min } = Math;

/** Tape entries: a decision with its ctxIdx (>= 0), or one of these. */
const BYPASS = -1;
const TERMINATE = -2;
const PCM = -3;

/** Tries for one element before anything goes. */
const MAX_TRIES = 60;

/** Contexts of mb_skip_flag, of the intra prefix of P and B macroblocks, and others that are not drawn evenly. */
const SKIP_P = 11;
const SKIP_B = 24;
const PREFIX_P = 14;

/** Generates slices coded with entropy_coding_mode_flag 1. */
export class CabacGenerator extends CabacDecoder implements GeneratedSlice {
  private readonly draw: Draw;
  private readonly legality: Legality;
  private contextsAtStart = new Uint8Array(1024);
  private tape: number[] = [];
  private bins: number[] = [];
  private pcm: Uint8Array[] = [];
  /** Bins that are not drawn: the way to I_PCM. */
  private forced: number[] = [];
  private lastAddress = 0;

  constructor(state: SliceState, draw: Draw, legality: Legality) {
    super(state);
    this.draw = draw;
    this.legality = legality;
  }

  /** The address of the slice's last macroblock. */
  plan(order: readonly number[]): void {
    this.lastAddress = order[order.length - 1];
  }

  mark(): number {
    return this.tape.length;
  }

  rewind(mark: number): void {
    while (this.tape.length > mark) {
      if (this.tape.pop() === PCM) {
        this.pcm.pop();
      }
      this.bins.pop();
    }
    this.forced = [];
  }

  forcePcm(): void {
    const { s } = this;
    this.forced = s.isIntraSlice ? [1, 1] : s.isB ? [1, 1, 1, 1, 0, 1, 1, 1] : [1, 1, 1];
  }

  /** Encodes the tape after a slice header that ends at a byte. */
  write(header: Uint8Array): Uint8Array {
    const engine = new CabacEngine(1 << 16);
    engine.start(header, true, 26);
    engine.states.set(this.contextsAtStart);
    let pcm = 0;
    for (let i = 0; i < this.tape.length; i++) {
      engine.reserve(64);
      const kind = this.tape[i];
      const bin = this.bins[i];
      if (kind >= 0) {
        engine.encode(kind, bin);
      } else if (kind === BYPASS) {
        engine.bypass(bin);
      } else if (kind === TERMINATE) {
        engine.terminate(bin);
      } else {
        const soFar = engine.finish();
        const joined = new Uint8Array(soFar.length + this.pcm[pcm].length);
        joined.set(soFar);
        joined.set(this.pcm[pcm], soFar.length);
        pcm++;
        const states = engine.states.slice();
        engine.start(joined, true, 26);
        engine.states.set(states);
      }
    }
    return engine.finish().slice();
  }

  override startSlice(
    _data: Uint8Array,
    _byteOffset: number,
    _byteLength: number,
    table: number,
    SliceQPY: number,
  ): void {
    this.initialiseContexts(table, SliceQPY);
    this.contextsAtStart = this.contexts.slice();
    this.tape = [];
    this.bins = [];
    this.pcm = [];
    this.forced = [];
  }

  override get bitPosition(): number {
    return this.tape.length;
  }

  private put(kind: number, bin: number): number {
    this.tape.push(kind);
    this.bins.push(bin);
    return bin;
  }

  private chanceOf(ctxIdx: number): number {
    if ((ctxIdx >= SKIP_P && ctxIdx < SKIP_P + 3) || (ctxIdx >= SKIP_B && ctxIdx < SKIP_B + 3)) {
      return this.legality.limits.skip;
    }
    return ctxIdx === PREFIX_P ? this.legality.limits.intraInInter : 50;
  }

  protected override decision(ctxIdx: number): number {
    return this.put(ctxIdx, this.forced.shift() ?? (this.draw.chance(this.chanceOf(ctxIdx)) ? 1 : 0));
  }

  protected override bypass(): number {
    return this.put(BYPASS, this.draw.below(2));
  }

  protected override terminate(): number {
    return this.put(TERMINATE, this.forced.shift() ?? (this.draw.chance(this.legality.limits.pcm) ? 1 : 0));
  }

  override end_of_slice_flag(): boolean {
    return this.put(TERMINATE, this.s.mbAddr === this.lastAddress ? 1 : 0) === 1;
  }

  override pcmPosition(): number {
    return 0;
  }

  override resumeAt(byteLength: number): void {
    this.pcm.push(this.s.reader.data.slice(0, byteLength));
    this.put(PCM, 0);
  }

  /** Draws an element until it is legal. */
  private legal<T>(read: () => T, isLegal: (value: T) => boolean): T {
    for (let tries = 0; ; tries++) {
      const mark = this.mark();
      const value = read();
      if (isLegal(value) || tries >= MAX_TRIES) {
        return value;
      }
      this.rewind(mark);
    }
  }

  override mb_type(): number {
    this.legality.startMacroblock();
    const first = this.s.isIntraSlice ? 0 : this.s.isB ? 23 : 5;
    return this.legal(
      () => super.mb_type(),
      (type) => type < first || this.legality.isIntraType(type - first),
    );
  }

  override intraPredMode(): number {
    return this.legal(
      () => super.intraPredMode(),
      (rem) => this.legality.takeIntraMode(rem),
    );
  }

  override intra_chroma_pred_mode(): number {
    return this.legal(
      () => super.intra_chroma_pred_mode(),
      (mode) => this.legality.isChromaMode(mode),
    );
  }

  override ref_idx(list: number, at: number, range?: number): number {
    return this.legal(
      () => super.ref_idx(list, at),
      (ref) => ref <= (range ?? 0),
    );
  }

  override mvd(list: number, at: number): void {
    this.legal(
      () => super.mvd(list, at),
      () => this.legality.isMv(this.mvdX, this.mvdY),
    );
  }

  override mb_qp_delta(): number {
    return this.legal(
      () => super.mb_qp_delta(),
      (delta) => this.legality.isQpDelta(delta),
    );
  }

  protected override read(
    flag: number,
    cat: number,
    maxNumCoeff: number,
    kind: number,
    out: number,
    scan: number,
    scale: number,
    shift: number,
  ): number {
    const { s, draw } = this;
    const block = { count: maxNumCoeff, scan, scale, shift };
    const levels = this.legality.drawLevels(draw, block, flag < 0);
    const places = levels.flatMap((level, place) => (level === 0 ? [] : [place]));
    if (flag >= 0) {
      this.put(flag, places.length > 0 ? 1 : 0);
    }
    if (places.length === 0) {
      return 0;
    }
    const isField = s.isFieldMb;
    const is8x8 = maxNumCoeff === 64;
    const significant = (isField ? CTX_BASE_SIGNIFICANT_COEFF_FLAG_FIELD : CTX_BASE_SIGNIFICANT_COEFF_FLAG_FRAME)[cat];
    const last = (isField ? CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FIELD : CTX_BASE_LAST_SIGNIFICANT_COEFF_FLAG_FRAME)[
      cat
    ];
    const increments = kind === BLOCK_8X8_FIELD ? TABLE_9_43_SIGNIFICANT_FIELD : TABLE_9_43_SIGNIFICANT_FRAME;
    const inc = (place: number, table: ArrayLike<number>): number =>
      is8x8 ? table[place] : kind === BLOCK_CHROMA_DC ? min(place, 2) : place;
    const lastPlace = places[places.length - 1];
    for (let place = 0; place < maxNumCoeff - 1 && place <= lastPlace; place++) {
      const isSignificant = levels[place] !== 0;
      this.put(significant + inc(place, increments), isSignificant ? 1 : 0);
      if (isSignificant) {
        this.put(last + inc(place, TABLE_9_43_LAST), place === lastPlace ? 1 : 0);
      }
    }
    this.putLevels(CTX_BASE_COEFF_ABS_LEVEL_MINUS1[cat], kind === BLOCK_CHROMA_DC ? 3 : 4, levels, places);
    storeLevels(s, levels, { out, scan, scale, shift });
    this.area.cell[8] = places.length === 1 && places[0] === 0 ? 1 : 0;
    return places.length;
  }

  /** coeff_abs_level_minus1 and coeff_sign_flag, highest frequency first (9.3.3.1.3, UEG0 with uCoff 14). */
  private putLevels(base: number, cap: number, levels: readonly number[], places: readonly number[]): void {
    let equalOne = 0;
    let greaterOne = 0;
    for (const place of places.toReversed()) {
      const magnitude = Math.abs(levels[place]);
      this.put(base + (greaterOne > 0 ? 0 : min(4, 1 + equalOne)), magnitude > 1 ? 1 : 0);
      if (magnitude === 1) {
        equalOne++;
      } else {
        const context = base + 5 + min(cap, greaterOne);
        for (let bin = 2; bin < magnitude && bin < 15; bin++) {
          this.put(context, 1);
        }
        if (magnitude < 15) {
          this.put(context, 0);
        } else {
          this.putExpGolomb(magnitude - 15);
        }
        greaterOne++;
      }
      this.put(BYPASS, levels[place] < 0 ? 1 : 0);
    }
  }

  private putExpGolomb(value: number): void {
    let rest = value;
    let order = 0;
    while (rest >= 1 << order) {
      this.put(BYPASS, 1);
      rest -= 1 << order;
      order++;
    }
    this.put(BYPASS, 0);
    while (order-- > 0) {
      this.put(BYPASS, (rest >> order) & 1);
    }
  }
}

/** Puts levels where the residual kernels would: DC blocks as they are, others scaled (8.5.12.1). */
export function storeLevels(
  s: SliceState,
  levels: readonly number[],
  {
    out,
    scan,
    scale,
    shift,
  }: { readonly out: number; readonly scan: number; readonly scale: number; readonly shift: number },
): void {
  const ints = new Int32Array(s.bytes.buffer);
  const words = new Int16Array(s.bytes.buffer);
  for (const [place, level] of levels.entries()) {
    if (level === 0) {
      continue;
    }
    if (scale === 0) {
      ints[(out >> 2) + place] = level;
    } else {
      const raster = s.bytes[scan + place];
      words[(out >> 1) + raster] = (level * ints[(scale >> 2) + raster] + (1 << (shift - 1))) >> shift;
    }
  }
}
