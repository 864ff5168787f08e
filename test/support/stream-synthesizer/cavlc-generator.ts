// A CAVLC "decoder" that draws syntax elements instead of reading them and keeps their code words on a tape.

import { BitReader } from '../../../shared/bitstream/bit-reader.ts';
import { BitWriter } from '../../../shared/bitstream/bit-writer.ts';
import type { SliceState } from '../../../shared/codec/h264/decoder/slice-state.ts';
import { CavlcDecoder } from '../../../shared/codec/h264/entropy/cavlc-decoder.ts';
import {
  TABLE_9_10_RUN_BEFORE,
  TABLE_9_4_INTER_420,
  TABLE_9_4_INTER_MONO,
  TABLE_9_4_INTRA_420,
  TABLE_9_4_INTRA_MONO,
  TABLE_9_5_COEFF_TOKEN_0,
  TABLE_9_5_COEFF_TOKEN_2,
  TABLE_9_5_COEFF_TOKEN_4,
  TABLE_9_5_COEFF_TOKEN_8,
  TABLE_9_5_COEFF_TOKEN_CHROMA_DC_420,
  TABLE_9_7_TOTAL_ZEROS_4X4,
  TABLE_9_9_TOTAL_ZEROS_CHROMA_DC_420,
} from '../../../shared/codec/h264/tables/cavlc.generated.ts';
import { storeLevels } from './cabac-generator.ts';
import type { Draw } from './draw.ts';
import type { GeneratedSlice } from './generated-slice.ts';
import type { Legality } from './legality.ts';

const { abs, min } = Math;

/** One thing on the tape. */
type Entry =
  | { readonly kind: 'bits'; readonly value: number; readonly length: number }
  | { readonly kind: 'ue'; readonly value: number }
  | { readonly kind: 'se'; readonly value: number }
  | { readonly kind: 'pcm'; readonly bytes: Uint8Array };

const MAX_TRIES = 60;

/** Code length and bits of a symbol in a table of triples. */
function codeOf(table: ArrayLike<number>, symbol: number): readonly [length: number, bits: number] {
  for (let i = 0; i < table.length; i += 3) {
    if (table[i + 2] === symbol) {
      return [table[i], table[i + 1]];
    }
  }
  throw new RangeError(`The table has no symbol ${symbol}.`);
}

/** The reader that slice_data() is read with: mb_skip_run, mb_field_decoding_flag and PCM samples are drawn by the generator. */
class GeneratingReader extends BitReader {
  private readonly owner: CavlcGenerator;

  constructor(owner: CavlcGenerator, pcm: Uint8Array) {
    super(pcm);
    this.owner = owner;
  }

  override ue(): number {
    return this.owner.drawSkipRun();
  }

  override bits(): number {
    return this.owner.drawFieldFlag();
  }

  override peek32(): number {
    return this.owner.peekFieldFlag() === 1 ? -1 : 0;
  }

  override moreRbspData(): boolean {
    return this.owner.hasMore();
  }

  override align(): void {
    this.position = 0;
    this.owner.putPcm(this.data);
  }
}

/** Generates slices coded with entropy_coding_mode_flag 0. */
export class CavlcGenerator extends CavlcDecoder implements GeneratedSlice {
  private readonly draw: Draw;
  private readonly legality: Legality;
  private tape: Entry[] = [];
  private total = 0;
  /** Macroblocks done, and where the last skip run ends. */
  private done = 0;
  private runEnd = 0;
  private peeked = -1;
  private isPcmForced = false;

  constructor(state: SliceState, draw: Draw, legality: Legality) {
    super(state);
    this.draw = draw;
    this.legality = legality;
  }

  plan(order: readonly number[]): void {
    this.total = order.length;
    this.done = 0;
    this.runEnd = 0;
    this.peeked = -1;
    this.tape = [];
    this.isPcmForced = false;
  }

  /** The reader to give to the slice decoder. */
  reader(pcm: Uint8Array): BitReader {
    return new GeneratingReader(this, pcm);
  }

  macroblockDone(): void {
    this.done++;
  }

  mark(): number {
    return this.tape.length;
  }

  rewind(mark: number): void {
    this.tape.length = mark;
    this.isPcmForced = false;
  }

  forcePcm(): void {
    this.isPcmForced = true;
  }

  write(header: Uint8Array, tail: number, tailLength: number): Uint8Array {
    const writer = new BitWriter(1 << 16);
    writer.append(header);
    writer.bits(tail, tailLength);
    for (const entry of this.tape) {
      if (entry.kind === 'bits') {
        writer.bits(entry.value, entry.length);
      } else if (entry.kind === 'ue') {
        writer.ue(entry.value);
      } else if (entry.kind === 'se') {
        writer.se(entry.value);
      } else {
        writer.align(0);
        writer.append(entry.bytes);
      }
    }
    writer.trailingBits();
    return writer.toBytes();
  }

  private bits(value: number, length: number): number {
    this.tape.push({ kind: 'bits', value, length });
    return value;
  }

  private ueOf(value: number): number {
    this.tape.push({ kind: 'ue', value });
    return value;
  }

  drawSkipRun(): number {
    const left = this.total - this.done;
    const { skip } = this.legality.limits;
    let run = 0;
    while (run < left && this.draw.chance(skip)) {
      run++;
    }
    this.runEnd = this.done + run;
    return this.ueOf(run);
  }

  peekFieldFlag(): number {
    if (this.peeked < 0) {
      this.peeked = this.draw.below(2);
    }
    return this.peeked;
  }

  drawFieldFlag(): number {
    const flag = this.peekFieldFlag();
    this.peeked = -1;
    return this.bits(flag, 1);
  }

  hasMore(): boolean {
    return (this.done > this.runEnd ? this.done : this.runEnd) < this.total;
  }

  putPcm(bytes: Uint8Array): void {
    this.tape.push({ kind: 'pcm', bytes: bytes.slice(0, this.s.hasChroma ? 384 : 256) });
  }

  override startSlice(): void {
    // everything is drawn: there are no bits to place
  }

  /** Draws until legal. */
  private legal(draw: () => number, isLegal: (value: number) => boolean): number {
    let value = draw();
    for (let tries = 0; !isLegal(value) && tries < MAX_TRIES; tries++) {
      value = draw();
    }
    return value;
  }

  override mb_type(): number {
    const { s, draw, legality } = this;
    legality.startMacroblock();
    const first = s.isIntraSlice ? 0 : s.isB ? 23 : 5;
    const { pcm, intraInInter } = legality.limits;
    const type = this.legal(
      () => {
        if (this.isPcmForced || draw.chance(pcm)) {
          return first + 25;
        }
        return first > 0 && !draw.chance(intraInInter)
          ? draw.below(first)
          : first + (draw.chance(50) ? 0 : draw.between(1, 24));
      },
      (value) => value < first || legality.isIntraType(value - first),
    );
    return this.ueOf(type);
  }

  override sub_mb_type(): number {
    return this.ueOf(this.draw.below(this.s.isB ? 13 : 4));
  }

  override transform_size_8x8_flag(): boolean {
    return this.bits(this.draw.below(2), 1) === 1;
  }

  override intraPredMode(): number {
    const rem = this.legal(
      () => this.draw.between(-1, 7),
      (value) => this.legality.takeIntraMode(value),
    );
    if (rem < 0) {
      this.bits(1, 1);
    } else {
      this.bits(rem, 4);
    }
    return rem;
  }

  override intra_chroma_pred_mode(): number {
    return this.ueOf(
      this.legal(
        () => this.draw.below(4),
        (mode) => this.legality.isChromaMode(mode),
      ),
    );
  }

  override ref_idx(_list: number, _at: number, range: number): number {
    const ref = this.draw.between(0, range);
    if (range === 1) {
      this.bits(1 - ref, 1);
    } else {
      this.ueOf(ref);
    }
    return ref;
  }

  override mvd(): void {
    const { draw, legality } = this;
    const size = draw.pick([1, 4, 30, 200]);
    this.legal(
      () => {
        this.mvdX = draw.between(-size, size);
        this.mvdY = draw.between(-size, size);
        return 0;
      },
      () => legality.isMv(this.mvdX, this.mvdY),
    );
    this.tape.push({ kind: 'se', value: this.mvdX }, { kind: 'se', value: this.mvdY });
  }

  override coded_block_pattern(isIntra: boolean): number {
    const { hasChroma } = this.s;
    const codeNum = this.ueOf(this.draw.below(hasChroma ? 48 : 16));
    if (hasChroma) {
      return (isIntra ? TABLE_9_4_INTRA_420 : TABLE_9_4_INTER_420)[codeNum];
    }
    return (isIntra ? TABLE_9_4_INTRA_MONO : TABLE_9_4_INTER_MONO)[codeNum];
  }

  override mb_qp_delta(): number {
    const { draw, legality } = this;
    const value = this.legal(
      () => (draw.chance(60) ? 0 : draw.between(-26, 25)),
      (delta) => legality.isQpDelta(delta),
    );
    this.tape.push({ kind: 'se', value });
    return value;
  }

  protected override read(
    nC: number,
    maxNumCoeff: number,
    out: number,
    scan: number,
    scale: number,
    shift: number,
  ): number {
    const { s } = this;
    const levels = this.legality.drawLevels(this.draw, { count: maxNumCoeff, scan, scale, shift }, false);
    const places = levels.flatMap((level, place) => (level === 0 ? [] : [place]));
    this.putBlock(nC, maxNumCoeff, levels, places);
    storeLevels(s, levels, { out, scan, scale, shift });
    this.area.result[1] = places.length === 1 && places[0] === 0 ? 1 : 0;
    return places.length;
  }

  /** residual_block_cavlc() (7.3.5.3.2). */
  private putBlock(nC: number, maxNumCoeff: number, levels: readonly number[], places: readonly number[]): void {
    const ordered = places.toReversed().map((place) => levels[place]);
    const total = ordered.length;
    let ones = 0;
    while (ones < 3 && ones < total && abs(ordered[ones]) === 1) {
      ones++;
    }
    const table =
      nC < 0
        ? TABLE_9_5_COEFF_TOKEN_CHROMA_DC_420
        : nC < 2
          ? TABLE_9_5_COEFF_TOKEN_0
          : nC < 4
            ? TABLE_9_5_COEFF_TOKEN_2
            : nC < 8
              ? TABLE_9_5_COEFF_TOKEN_4
              : TABLE_9_5_COEFF_TOKEN_8;
    const [length, bits] = codeOf(table, total * 4 + ones);
    this.bits(bits, length);
    if (total === 0) {
      return;
    }
    for (let i = 0; i < ones; i++) {
      this.bits(ordered[i] < 0 ? 1 : 0, 1);
    }
    this.putLevels(ordered, ones);
    let zerosLeft = places[places.length - 1] + 1 - total;
    if (total < maxNumCoeff) {
      const zeros = maxNumCoeff === 4 ? TABLE_9_9_TOTAL_ZEROS_CHROMA_DC_420 : TABLE_9_7_TOTAL_ZEROS_4X4;
      const [zerosLength, zerosBits] = codeOf(zeros[total - 1], zerosLeft);
      this.bits(zerosBits, zerosLength);
    }
    for (let i = places.length - 1; i > 0 && zerosLeft > 0; i--) {
      const run = places[i] - places[i - 1] - 1;
      const [runLength, runBits] = codeOf(TABLE_9_10_RUN_BEFORE[min(zerosLeft, 7) - 1], run);
      this.bits(runBits, runLength);
      zerosLeft -= run;
    }
  }

  /** level_prefix and level_suffix (9.2.2.1). */
  private putLevels(ordered: readonly number[], ones: number): void {
    let suffixLength = ordered.length > 10 && ones < 3 ? 1 : 0;
    for (let i = ones; i < ordered.length; i++) {
      const level = ordered[i];
      let levelCode = level > 0 ? 2 * level - 2 : -2 * level - 1;
      if (i === ones && ones < 3) {
        levelCode -= 2;
      }
      if (suffixLength === 0 && levelCode < 14) {
        this.bits(1, levelCode + 1);
      } else if (suffixLength === 0 && levelCode < 30) {
        this.bits(1, 15);
        this.bits(levelCode - 14, 4);
      } else if (suffixLength > 0 && levelCode < 15 << suffixLength) {
        this.bits(1, (levelCode >> suffixLength) + 1);
        this.bits(levelCode & ((1 << suffixLength) - 1), suffixLength);
      } else {
        const escape = suffixLength === 0 ? 30 : 15 << suffixLength;
        this.putEscape(levelCode - escape);
      }
      if (suffixLength === 0) {
        suffixLength = 1;
      }
      if (abs(level) > 3 << (suffixLength - 1) && suffixLength < 6) {
        suffixLength++;
      }
    }
  }

  /** level_prefix 15 with 12 bits of suffix, or longer (9.2.2.1). */
  private putEscape(rest: number): void {
    let prefix = 15;
    let base = 0;
    while (rest - base >= 1 << (prefix - 3)) {
      base += 1 << (prefix - 3);
      prefix++;
    }
    this.bits(1, prefix + 1);
    this.bits(rest - base, prefix - 3);
  }
}
