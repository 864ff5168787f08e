// Writes macroblocks with CABAC: binarisation (9.3.2) and context selection (9.3.3.1) of the syntax elements of I and P slices of
// progressive pictures. Neighbours come from the coding state's grids. Called by encoder/slice-encoder.ts.

import type { BitWriter } from '../../../bitstream/bit-writer.ts';
import {
  I_16X16,
  I_4X4,
  I_8X8,
  I_PCM,
  type MacroblockState,
  P_16X16,
  P_16X8,
  P_8X16,
  P_8X8,
  P_INTER,
  P_SKIP,
  SENTINEL,
} from '../macroblock/coding-state.ts';
import { CabacEngine } from './cabac-encoding-engine.ts';
import { CabacResidualEncoder } from './cabac-residual-encoder.ts';
import type { EntropySlice, SliceEntropy } from './slice-entropy.ts';

/** First ctxIdx of the syntax elements (Table 9-34). */
const CTX_MB_TYPE_I = 3;
const CTX_MB_SKIP_FLAG_P = 11;
const CTX_MB_TYPE_P = 14;
const CTX_MB_TYPE_P_INTRA = 17;
const CTX_SUB_MB_TYPE_P = 21;
const CTX_MVD_X = 40;
const CTX_MVD_Y = 47;
const CTX_REF_IDX = 54;
const CTX_MB_QP_DELTA = 60;
const CTX_INTRA_CHROMA_PRED_MODE = 64;
const CTX_PREV_INTRA_PRED_MODE_FLAG = 68;
const CTX_REM_INTRA_PRED_MODE = 69;
const CTX_CODED_BLOCK_PATTERN_LUMA = 73;
const CTX_CODED_BLOCK_PATTERN_CHROMA = 77;
const CTX_TRANSFORM_SIZE_8X8_FLAG = 399;

/** Bytes that one macroblock can take at most. */
const MACROBLOCK_BYTES = 4096;
/** Vector differences matter for contexts up to this magnitude. */
const MVD_CAP = 66;

const isIntraNxN = (kind: number): boolean => kind === I_4X4 || kind === I_8X8;

/** Writes the macroblocks of one slice. */
export class CabacEncoder implements SliceEntropy {
  private readonly state: MacroblockState;
  private readonly engine: CabacEngine;
  private readonly residual: CabacResidualEncoder;
  /** transform_8x8_mode_flag of the picture parameter set. */
  private readonly transform8x8Mode: boolean;
  private isIntraSlice = true;
  private references = 1;
  /** The macroblock before had mb_qp_delta != 0. */
  private lastDeltaNonZero = 0;
  /** |mvd| per 4x4 cell, capped. */
  private readonly mvdX: Uint8Array;
  private readonly mvdY: Uint8Array;

  constructor(state: MacroblockState, options: { readonly capacity: number; readonly transform8x8Mode: boolean }) {
    this.state = state;
    this.engine = new CabacEngine(options.capacity);
    this.residual = new CabacResidualEncoder(state, this.engine);
    this.transform8x8Mode = options.transform8x8Mode;
    this.mvdX = new Uint8Array(state.ref.length);
    this.mvdY = new Uint8Array(state.ref.length);
  }

  get position(): number {
    return this.engine.position;
  }

  start(header: BitWriter, slice: EntropySlice): void {
    header.align(1); // cabac_alignment_one_bit
    this.engine.start(header.view(), slice.isIntra, slice.QPY);
    this.isIntraSlice = slice.isIntra;
    this.references = slice.references;
    this.lastDeltaNonZero = 0;
  }

  writeSkip(): void {
    this.engine.reserve(64);
    this.writeSkipFlag(1);
    this.clearMvd();
    this.lastDeltaNonZero = 0;
  }

  endMacroblock(isLast: boolean): void {
    this.engine.terminate(isLast ? 1 : 0);
  }

  finish(): Uint8Array {
    return this.engine.finish();
  }

  writeMacroblock(): void {
    const { state, engine } = this;
    engine.reserve(MACROBLOCK_BYTES);
    engine.mark();
    if (!this.isIntraSlice) {
      this.writeSkipFlag(0);
    }
    const { mbKind, codedBlockPattern } = state;
    const luma = codedBlockPattern & 15;
    if (mbKind === P_INTER) {
      this.writePartition();
      this.writeMotion();
    } else {
      this.clearMvd();
      this.writeIntraType();
      if (mbKind !== I_16X16) {
        if (this.transform8x8Mode) {
          this.writeTransformSize(mbKind === I_8X8 ? 1 : 0);
        }
        this.writeIntraModes(mbKind === I_4X4 ? 16 : 4);
      }
      this.writeChromaMode();
    }
    if (mbKind !== I_16X16) {
      this.writeCodedBlockPattern();
      if (mbKind === P_INTER && luma !== 0 && this.transform8x8Mode) {
        this.writeTransformSize(state.hasTransform8x8 ? 1 : 0);
      }
      if (codedBlockPattern === 0) {
        this.lastDeltaNonZero = 0;
        return;
      }
    }
    this.writeQpDelta();
    this.residual.write();
  }

  takeBack(): void {
    this.engine.takeBack();
  }

  writePcm(samples: Uint8Array): void {
    const { engine } = this;
    engine.reserve(MACROBLOCK_BYTES);
    if (!this.isIntraSlice) {
      this.writeSkipFlag(0);
    }
    this.clearMvd();
    this.writeIntraType();
    engine.append(samples);
    this.lastDeltaNonZero = 0;
  }

  // Types ------------------------------------------------------------------------------------------------------------------------

  private writeSkipFlag(bin: number): void {
    const { state } = this;
    const { kind, address, mbWidth } = state;
    const a = state.hasLeft && kind[address - 1] !== P_SKIP ? 1 : 0;
    const b = state.hasTop && kind[address - mbWidth] !== P_SKIP ? 1 : 0;
    this.engine.encode(CTX_MB_SKIP_FLAG_P + a + b, bin);
  }

  private writePartition(): void {
    const { engine } = this;
    const { partition } = this.state;
    engine.encode(CTX_MB_TYPE_P, 0);
    if (partition === P_16X16 || partition === P_8X8) {
      engine.encode(CTX_MB_TYPE_P + 1, 0);
      engine.encode(CTX_MB_TYPE_P + 2, partition === P_8X8 ? 1 : 0);
    } else {
      engine.encode(CTX_MB_TYPE_P + 1, 1);
      engine.encode(CTX_MB_TYPE_P + 3, partition === P_16X8 ? 1 : 0);
    }
    if (partition === P_8X8) {
      for (let i = 0; i < 4; i++) {
        engine.encode(CTX_SUB_MB_TYPE_P, 1); // P_L0_8x8
      }
    }
  }

  /** mb_type of an intra macroblock (Tables 9-36, 9-37). */
  private writeIntraType(): void {
    const { engine, state } = this;
    const { mbKind, kind, address, mbWidth } = state;
    let base = CTX_MB_TYPE_P_INTRA;
    let first = base;
    let second = base + 1;
    if (this.isIntraSlice) {
      base = CTX_MB_TYPE_I;
      const a = state.hasLeft && !isIntraNxN(kind[address - 1]) ? 1 : 0;
      const b = state.hasTop && !isIntraNxN(kind[address - mbWidth]) ? 1 : 0;
      first = base + a + b;
      second = base + 3;
    } else {
      engine.encode(CTX_MB_TYPE_P, 1);
    }
    if (isIntraNxN(mbKind)) {
      engine.encode(first, 0);
      return;
    }
    const chroma = state.codedBlockPattern >> 4;
    const mode = state.intra16x16Mode;
    engine.encode(first, 1);
    engine.terminate(mbKind === I_PCM ? 1 : 0);
    if (mbKind === I_PCM) {
      return;
    }
    engine.encode(second, (state.codedBlockPattern & 15) !== 0 ? 1 : 0);
    engine.encode(second + 1, chroma !== 0 ? 1 : 0);
    if (this.isIntraSlice) {
      if (chroma !== 0) {
        engine.encode(second + 2, chroma >> 1);
      }
      engine.encode(second + 3, mode >> 1);
      engine.encode(second + 4, mode & 1);
    } else {
      if (chroma !== 0) {
        engine.encode(second + 1, chroma >> 1);
      }
      engine.encode(second + 2, mode >> 1);
      engine.encode(second + 2, mode & 1);
    }
  }

  private writeTransformSize(bin: number): void {
    const { state } = this;
    const { transform8x8, address, mbWidth } = state;
    const a = state.hasLeft ? transform8x8[address - 1] : 0;
    const b = state.hasTop ? transform8x8[address - mbWidth] : 0;
    this.engine.encode(CTX_TRANSFORM_SIZE_8X8_FLAG + a + b, bin);
  }

  private writeIntraModes(blocks: number): void {
    const { engine } = this;
    const { remIntraMode } = this.state;
    for (let k = 0; k < blocks; k++) {
      const rem = remIntraMode[k];
      if (rem < 0) {
        engine.encode(CTX_PREV_INTRA_PRED_MODE_FLAG, 1);
      } else {
        engine.encode(CTX_PREV_INTRA_PRED_MODE_FLAG, 0);
        engine.encode(CTX_REM_INTRA_PRED_MODE, rem & 1);
        engine.encode(CTX_REM_INTRA_PRED_MODE, (rem >> 1) & 1);
        engine.encode(CTX_REM_INTRA_PRED_MODE, rem >> 2);
      }
    }
  }

  private writeChromaMode(): void {
    const { engine, state } = this;
    const { chromaMode, address, mbWidth, intraChromaMode } = state;
    const a = state.hasLeft && chromaMode[address - 1] !== 0 ? 1 : 0;
    const b = state.hasTop && chromaMode[address - mbWidth] !== 0 ? 1 : 0;
    engine.encode(CTX_INTRA_CHROMA_PRED_MODE + a + b, intraChromaMode > 0 ? 1 : 0);
    if (intraChromaMode > 0) {
      engine.encode(CTX_INTRA_CHROMA_PRED_MODE + 3, intraChromaMode > 1 ? 1 : 0);
      if (intraChromaMode > 1) {
        engine.encode(CTX_INTRA_CHROMA_PRED_MODE + 3, intraChromaMode > 2 ? 1 : 0);
      }
    }
  }

  // Motion -----------------------------------------------------------------------------------------------------------------------

  private writeMotion(): void {
    const { state } = this;
    const { partition, cell, stride } = state;
    const width = partition === P_8X16 || partition === P_8X8 ? 2 : 4;
    const height = partition === P_16X8 || partition === P_8X8 ? 2 : 4;
    const parts = partition === P_16X16 ? 1 : partition === P_8X8 ? 4 : 2;
    if (this.references > 1) {
      for (let i = 0; i < parts; i++) {
        this.writeRefIdx(this.partCell(i, partition, cell, stride), state.partRef[i]);
      }
    }
    for (let i = 0; i < parts; i++) {
      const at = this.partCell(i, partition, cell, stride);
      const x = state.mvdX[i];
      const y = state.mvdY[i];
      const top = at < cell + stride && !state.hasTop ? SENTINEL : at - stride;
      this.writeMvd(CTX_MVD_X, x, this.mvdX[at - 1] + this.mvdX[top]);
      this.writeMvd(CTX_MVD_Y, y, this.mvdY[at - 1] + this.mvdY[top]);
      this.fillMvd(at, width, height, x < 0 ? -x : x, y < 0 ? -y : y);
    }
  }

  private partCell(i: number, partition: number, cell: number, stride: number): number {
    if (partition === P_16X8) {
      return cell + 2 * i * stride;
    }
    return partition === P_8X16 ? cell + 2 * i : cell + 2 * (i & 1) + 2 * (i >> 1) * stride;
  }

  private writeRefIdx(at: number, refIdx: number): void {
    const { state, engine } = this;
    const { ref, stride, cell } = state;
    const top = at < cell + stride && !state.hasTop ? SENTINEL : at - stride;
    let ctx = (ref[at - 1] > 0 ? 1 : 0) + (ref[top] > 0 ? 2 : 0);
    for (let i = 0; i < refIdx; i++) {
      engine.encode(CTX_REF_IDX + ctx, 1);
      ctx = ctx < 4 ? 4 : 5;
    }
    engine.encode(CTX_REF_IDX + ctx, 0);
  }

  /** UEG3 with uCoff 9 and sign (9.3.2.3). */
  private writeMvd(base: number, value: number, neighbours: number): void {
    const { engine } = this;
    const magnitude = value < 0 ? -value : value;
    let ctx = base + (neighbours < 3 ? 0 : neighbours > 32 ? 2 : 1);
    const prefix = magnitude < 9 ? magnitude : 9;
    for (let i = 0; i < prefix; i++) {
      engine.encode(ctx, 1);
      ctx = i === 0 ? base + 3 : i < 4 ? base + 3 + i : base + 6;
    }
    if (prefix < 9) {
      engine.encode(ctx, 0);
    } else {
      engine.expGolomb(magnitude - 9, 3);
    }
    if (magnitude !== 0) {
      engine.bypass(value < 0 ? 1 : 0);
    }
  }

  private fillMvd(at: number, width: number, height: number, x: number, y: number): void {
    const { stride } = this.state;
    const cappedX = x > MVD_CAP ? MVD_CAP : x;
    const cappedY = y > MVD_CAP ? MVD_CAP : y;
    for (let row = 0; row < height; row++) {
      const first = at + row * stride;
      for (let i = first; i < first + width; i++) {
        this.mvdX[i] = cappedX;
        this.mvdY[i] = cappedY;
      }
    }
  }

  private clearMvd(): void {
    if (!this.isIntraSlice) {
      this.fillMvd(this.state.cell, 4, 4, 0, 0);
    }
  }

  // Coded block pattern, QP --------------------------------------------------------------------------------------------------------

  private writeCodedBlockPattern(): void {
    const { engine, state } = this;
    const { cbp, address, mbWidth, codedBlockPattern } = state;
    // Neighbours that are not available count as coded.
    const left = state.hasLeft ? cbp[address - 1] : 15;
    const top = state.hasTop ? cbp[address - mbWidth] : 15;
    const own = codedBlockPattern;
    this.writeLumaBit(own & 1, (left >> 1) & 1, (top >> 2) & 1);
    this.writeLumaBit((own >> 1) & 1, own & 1, (top >> 3) & 1);
    this.writeLumaBit((own >> 2) & 1, (left >> 3) & 1, own & 1);
    this.writeLumaBit((own >> 3) & 1, (own >> 2) & 1, (own >> 1) & 1);
    const chroma = (own >> 4) & 3;
    const chromaLeft = state.hasLeft ? (left >> 4) & 3 : 0;
    const chromaTop = state.hasTop ? (top >> 4) & 3 : 0;
    const ctx = (chromaLeft !== 0 ? 1 : 0) + (chromaTop !== 0 ? 2 : 0);
    engine.encode(CTX_CODED_BLOCK_PATTERN_CHROMA + ctx, chroma !== 0 ? 1 : 0);
    if (chroma !== 0) {
      const ctx2 = 4 + (chromaLeft === 2 ? 1 : 0) + (chromaTop === 2 ? 2 : 0);
      engine.encode(CTX_CODED_BLOCK_PATTERN_CHROMA + ctx2, chroma >> 1);
    }
  }

  private writeLumaBit(bin: number, left: number, top: number): void {
    this.engine.encode(CTX_CODED_BLOCK_PATTERN_LUMA + (1 - left) + 2 * (1 - top), bin);
  }

  private writeQpDelta(): void {
    const { engine, state } = this;
    const delta = state.QPY - state.previousQPY;
    let rest = delta > 0 ? 2 * delta - 1 : -2 * delta;
    let ctx = CTX_MB_QP_DELTA + this.lastDeltaNonZero;
    this.lastDeltaNonZero = delta !== 0 ? 1 : 0;
    while (rest > 0) {
      engine.encode(ctx, 1);
      ctx = ctx < CTX_MB_QP_DELTA + 2 ? CTX_MB_QP_DELTA + 2 : CTX_MB_QP_DELTA + 3;
      rest--;
    }
    engine.encode(ctx, 0);
  }
}
