// slice_data() (7.3.4): the loop over the macroblocks of a slice, with skipped macroblocks and MBAFF pairs, for CAVLC and CABAC.

import { BitstreamError } from '../../../errors.ts';
import { CabacDecoder } from '../entropy/cabac-decoder.ts';
import { CavlcDecoder } from '../entropy/cavlc-decoder.ts';
import type { SliceKernels } from '../kernels/slice-kernels.ts';
import { locateMacroblock, locateNeighbours } from '../macroblock/neighbours.ts';
import { FIELD_4X4, FIELD_8X8, ZIGZAG_4X4, ZIGZAG_8X8 } from '../tables/transform.generated.ts';
import { MB_INTER, MB_SKIP } from '../macroblock/mb-types.ts';
import { MacroblockDecoder } from './macroblock-decoder.ts';
import type { Deblocker } from '../deblock/deblocker.ts';
import { ObservedSyntax, type SyntaxListener } from './observed-syntax.ts';
import { SliceRowDecoder } from './slice-rows.ts';
import type { SliceState } from './slice-state.ts';

/** Next macroblock address of the slice's slice group (8.2.2), or the number of macroblocks. */
export type NextMbAddress = (mbAddr: number) => number;

/** Called after each macroblock, for the trace: bits consumed since the one before. */
export type MacroblockListener = (bits: number) => void;

/** How often the clock is looked at. */
const MACROBLOCKS_PER_BUDGET_CHECK = 64;

/** Decodes slice data. */
export class SliceDataDecoder {
  private readonly s: SliceState;
  private readonly macroblocks: MacroblockDecoder;
  private readonly cavlc: CavlcDecoder;
  private readonly cabac: CabacDecoder;
  /** The fast way for the slices that it knows; null: there is none. */
  readonly rows: SliceRowDecoder | null;
  onMacroblock: MacroblockListener | null = null;
  /** Says whether the access unit has used up its time; asked every few macroblocks. Null: no limit. */
  isOverBudget: (() => boolean) | null = null;
  private untilBudgetCheck = 0;

  /** With `sliceKernels`, slices of frames that nobody listens to are decoded by them. */
  constructor(state: SliceState, deblocker: Deblocker, sliceKernels: SliceKernels | null) {
    this.s = state;
    this.rows = sliceKernels === null ? null : new SliceRowDecoder(state, deblocker, sliceKernels);
    this.macroblocks = new MacroblockDecoder(state);
    this.cavlc = new CavlcDecoder(state);
    this.cabac = new CabacDecoder(state);
  }

  /** Tells `listener` what each syntax element of a macroblock takes. onMacroblock must be set too: then slices are decoded here. */
  observeSyntax(listener: SyntaxListener): void {
    const { s, cavlc, cabac } = this;
    const observedCavlc = new ObservedSyntax(cavlc, () => s.reader.position, listener);
    const observedCabac = new ObservedSyntax(cabac, () => cabac.bitPosition, listener);
    this.macroblocks.observe = (syntax) => (syntax === cabac ? observedCabac : observedCavlc);
  }

  /**
   * Decodes from macroblock address `first`. `next` is null without slice groups. `count` macroblocks are in the picture;
   * `cabacTable` is 0 for I slices and 1 + cabac_init_idc else.
   */
  decode(first: number, count: number, next: NextMbAddress | null, cabacTable: number, SliceQPY: number): void {
    const { s } = this;
    s.qp = SliceQPY;
    s.lastDeltaNotZero = false;
    this.useScans(s.isFieldPicture);
    if (first >= count) {
      throw new BitstreamError('forbidden-value', '7.4.3', 0, `first_mb_in_slice ${first} is outside the picture.`);
    }
    if (this.rows !== null && this.usesRows(next)) {
      this.rows.decode(first, cabacTable, SliceQPY, () => this.checkBudget());
      return;
    }
    if (s.isCabac) {
      s.reader.align();
      const { reader } = s;
      this.cabac.startSlice(reader.data, reader.position >> 3, reader.length >> 3, cabacTable, SliceQPY);
      this.cabac.directCache.fill(0);
      if (s.MbaffFrameFlag) {
        this.cabacMbaff(first, count, next);
      } else {
        this.cabacProgressive(first, count, next);
      }
    } else {
      this.cavlc.startSlice();
      if (s.MbaffFrameFlag) {
        this.cavlcMbaff(first, count, next);
      } else {
        this.cavlcProgressive(first, count, next);
      }
    }
  }

  /** A picture begins. */
  startPicture(): void {
    this.rows?.startPicture();
  }

  /** Whether the slice of the state, with macroblock order `next`, is decoded by the slice kernel. */
  usesRows(next: NextMbAddress | null): boolean {
    return this.rows !== null && next === null && this.onMacroblock === null && this.rows.canDecode();
  }

  private useScans(isField: boolean): void {
    const { s } = this;
    s.scan4x4 = isField ? FIELD_4X4 : ZIGZAG_4X4;
    s.scan8x8 = isField ? FIELD_8X8 : ZIGZAG_8X8;
  }

  private outside(): never {
    throw new BitstreamError('forbidden-value', '7.4.4', this.s.reader.position, 'The slice runs past its picture.');
  }

  private checkBudget(): void {
    if (this.isOverBudget?.() === true) {
      const { position } = this.s.reader;
      throw new BitstreamError('budget', '7.3.4', position, 'The access unit takes longer than allowed.');
    }
  }

  /** Moves to a macroblock. */
  private enter(mbAddr: number, isField: boolean): void {
    const { s } = this;
    if (this.isOverBudget !== null && this.untilBudgetCheck-- <= 0) {
      this.untilBudgetCheck = MACROBLOCKS_PER_BUDGET_CHECK;
      this.checkBudget();
    }
    locateMacroblock(s, mbAddr, isField);
    locateNeighbours(s);
  }

  private cavlcProgressive(first: number, count: number, next: NextMbAddress | null): void {
    const { s, macroblocks, cavlc, onMacroblock } = this;
    const { reader } = s;
    let mbAddr = first;
    for (;;) {
      const start = reader.position;
      if (!s.isIntraSlice) {
        let run = reader.ue();
        if (run > count) {
          this.outside();
        }
        while (run-- > 0) {
          if (mbAddr >= count) {
            this.outside();
          }
          this.enter(mbAddr, false);
          macroblocks.skip(null);
          onMacroblock?.(0);
          mbAddr = next === null ? mbAddr + 1 : next(mbAddr);
        }
        if (!reader.moreRbspData()) {
          return;
        }
      }
      if (mbAddr >= count) {
        this.outside();
      }
      this.enter(mbAddr, false);
      macroblocks.decode(cavlc, null);
      onMacroblock?.(reader.position - start);
      if (!reader.moreRbspData()) {
        return;
      }
      mbAddr = next === null ? mbAddr + 1 : next(mbAddr);
    }
  }

  private cabacProgressive(first: number, count: number, next: NextMbAddress | null): void {
    const { s, macroblocks, cabac, onMacroblock } = this;
    let mbAddr = first;
    for (;;) {
      if (mbAddr >= count) {
        this.outside();
      }
      const start = cabac.bitPosition;
      this.enter(mbAddr, false);
      if (!s.isIntraSlice && cabac.mb_skip_flag()) {
        macroblocks.skip(cabac);
      } else {
        macroblocks.decode(cabac, cabac);
      }
      onMacroblock?.(cabac.bitPosition - start);
      if (cabac.end_of_slice_flag()) {
        return;
      }
      mbAddr = next === null ? mbAddr + 1 : next(mbAddr);
    }
  }

  /** mb_field_decoding_flag where it is not sent: that of the left pair, else of the pair above, in the same slice (7.4.4). */
  private inferFieldFlag(mbAddr: number): boolean {
    const { s } = this;
    const { PicWidthInMbs: width, store, sliceId, mbField } = s;
    const pair = mbAddr >> 1;
    const x = pair % width;
    const top = ((pair - x) / width) * 2 * width + x;
    if (x > 0 && store.sliceId[top - 1] === sliceId) {
      return mbField[top - 1] === 1;
    }
    if (top >= 2 * width && store.sliceId[top - 2 * width] === sliceId) {
      return mbField[top - 2 * width] === 1;
    }
    return false;
  }

  /** ctxIdxInc of mb_field_decoding_flag (9.3.3.1.1.1). */
  private fieldFlagInc(mbAddr: number): number {
    const { s } = this;
    const { PicWidthInMbs: width, store, sliceId, mbField } = s;
    const pair = mbAddr >> 1;
    const x = pair % width;
    const top = ((pair - x) / width) * 2 * width + x;
    const left = x > 0 && store.sliceId[top - 1] === sliceId ? mbField[top - 1] : 0;
    const above = top >= 2 * width && store.sliceId[top - 2 * width] === sliceId ? mbField[top - 2 * width] : 0;
    return left + above;
  }

  private cavlcMbaff(first: number, count: number, next: NextMbAddress | null): void {
    const { s, macroblocks, cavlc, onMacroblock } = this;
    const { reader } = s;
    const following = (mbAddr: number): number => ((mbAddr & 1) === 0 || next === null ? mbAddr + 1 : next(mbAddr));
    let mbAddr = first;
    let isField = false;
    for (;;) {
      const start = reader.position;
      let prevMbSkipped = false;
      if (!s.isIntraSlice) {
        const run = reader.ue();
        if (run > count) {
          this.outside();
        }
        prevMbSkipped = run > 0;
        for (let i = 0; i < run; i++) {
          if (mbAddr >= count) {
            this.outside();
          }
          if ((mbAddr & 1) === 0) {
            isField = this.inferFieldFlag(mbAddr);
            if (i === run - 1 && reader.moreRbspData()) {
              // The bottom macroblock is not skipped: its flag, which comes next, holds for the pair.
              isField = reader.peek32() < 0;
            }
          }
          this.useScans(isField);
          this.enter(mbAddr, isField);
          macroblocks.skip(null);
          onMacroblock?.(0);
          mbAddr = following(mbAddr);
        }
        if (prevMbSkipped && !reader.moreRbspData()) {
          return;
        }
      }
      if (mbAddr >= count) {
        this.outside();
      }
      if ((mbAddr & 1) === 0 || prevMbSkipped) {
        isField = reader.bits(1) === 1;
      }
      this.useScans(isField);
      this.enter(mbAddr, isField);
      macroblocks.decode(cavlc, null);
      onMacroblock?.(reader.position - start);
      if (!reader.moreRbspData()) {
        return;
      }
      mbAddr = following(mbAddr);
    }
  }

  private cabacMbaff(first: number, count: number, next: NextMbAddress | null): void {
    const { s, cabac } = this;
    let topAddr = first;
    for (;;) {
      if (topAddr + 1 >= count) {
        this.outside();
      }
      let isField = this.inferFieldFlag(topAddr);
      let isTopSkipped = false;
      let isBottomSkipped = false;
      let isFlagKnown = false;
      if (!s.isIntraSlice) {
        this.enter(topAddr, isField);
        isTopSkipped = cabac.mb_skip_flag();
        if (isTopSkipped) {
          // The bottom macroblock's skip flag comes next: if it is not skipped, its field flag holds for both (7.3.4).
          this.markSkippedTop(isField);
          this.enter(topAddr + 1, isField);
          isBottomSkipped = cabac.mb_skip_flag();
        }
      }
      if (!(isTopSkipped && isBottomSkipped)) {
        isField = cabac.mb_field_decoding_flag(this.fieldFlagInc(topAddr));
        isFlagKnown = true;
      }
      this.pairMacroblock(topAddr, isField, isTopSkipped);
      if (!s.isIntraSlice && !isTopSkipped) {
        this.enter(topAddr + 1, isField);
        isBottomSkipped = cabac.mb_skip_flag();
      }
      this.pairMacroblock(topAddr + 1, isField, isBottomSkipped || (isTopSkipped && !isFlagKnown));
      if (cabac.end_of_slice_flag()) {
        return;
      }
      topAddr = next === null ? topAddr + 2 : next(topAddr + 1);
    }
  }

  private pairMacroblock(mbAddr: number, isField: boolean, isSkipped: boolean): void {
    const { macroblocks, cabac } = this;
    const start = cabac.bitPosition;
    this.useScans(isField);
    this.enter(mbAddr, isField);
    if (isSkipped) {
      macroblocks.skip(cabac);
    } else {
      macroblocks.decode(cabac, cabac);
    }
    this.onMacroblock?.(cabac.bitPosition - start);
  }

  /** Lets the bottom macroblock see its skipped top neighbour while its skip flag is read. */
  private markSkippedTop(isField: boolean): void {
    const { s } = this;
    s.store.kind[s.mb] = MB_SKIP | MB_INTER;
    if (s.store.sliceId[s.mb] < 0) {
      s.decodedMbs++;
    }
    s.store.sliceId[s.mb] = s.sliceId;
    s.mbField[s.mb] = isField ? 1 : 0;
  }
}
