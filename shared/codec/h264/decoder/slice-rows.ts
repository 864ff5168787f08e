// Slice data of frames by the slice kernel, a macroblock row per call (7.3.4): fills the slice context from the slice state, and turns
// faults into errors. Slices that the kernel does not know (fields, MBAFF, slice groups, 4:0:0) go through slice-data.ts, which is also the
// kernel's reference and what the trace listens to. Called by slice-data.ts.

import { BitstreamError } from '../../../errors.ts';
import { cabacArea } from '../entropy/cabac-area.ts';
import { contextsFor } from '../entropy/cabac-engine.ts';
import { cavlcArea, SLICE_READ_AHEAD_BYTES, type CavlcArea } from '../entropy/cavlc-area.ts';
import { CABAC_PLACES_AT } from '../kernels/cabac-residual-kernels.ts';
import type { Pointer } from '../kernels/kernels.ts';
import { CAVLC_FAULTS } from '../kernels/residual-kernels.ts';
import {
  CABAC_NEXT_BYTE_AT,
  CACHES_AT,
  CACHES_BYTES,
  DIST_SCALE_AT,
  EXPLICIT_WEIGHTS_AT,
  FIRST_FAULT,
  IMPLICIT_WEIGHTS_AT,
  PROGRESS_CELLS_AT,
  REFERENCES_AT,
  SLICE_CONTEXT_BYTES,
  SLICE_CONTEXT_REFERENCES,
  SLICE_CONTEXT_WORDS,
  SLICE_ENDED,
  SLICE_FAULTS,
  SLICE_FLAGS,
} from '../kernels/slice-context.ts';
import type { Deblocker } from '../deblock/deblocker.ts';
import type { SliceKernels } from '../kernels/slice-kernels.ts';
import { finalLumaRows } from '../threads/decoder-thread.ts';
import { JOB_IDLE, PictureRows, ROW_JOB } from '../threads/picture-rows.ts';
import type { SliceState } from './slice-state.ts';

const { max, min } = Math;

const indexOf = (word: (typeof SLICE_CONTEXT_WORDS)[number]): number => SLICE_CONTEXT_WORDS.indexOf(word);
const MB_ADDR = indexOf('mbAddr');
const POSITION = indexOf('position');
const DECODED_MBS = indexOf('decodedMbs');

/** Decodes slices row by row. */
export class SliceRowDecoder {
  private readonly s: SliceState;
  private readonly deblocker: Deblocker;
  private readonly rows: PictureRows;
  private readonly context: Pointer;
  /** The job of the slice, for another thread. */
  readonly job: Pointer;
  private readonly jobWords: Int32Array;
  private readonly words: Int32Array;
  private readonly halves: Int16Array;
  private readonly cavlc: CavlcArea;
  private readonly cabacContexts: Uint8Array;

  /** Address behind the last macroblock when all before it are decoded, in the order of addresses; else -1. */
  private contiguous = 0;

  constructor(state: SliceState, deblocker: Deblocker, kernels: SliceKernels) {
    this.s = state;
    this.deblocker = deblocker;
    this.rows = new PictureRows(kernels.memory, kernels);
    this.context = state.sliceContextPointer;
    const { buffer } = state.bytes;
    this.job = state.rowJobPointer;
    this.jobWords = new Int32Array(buffer, this.job, 6);
    this.jobWords[ROW_JOB.context] = this.context;
    this.jobWords[ROW_JOB.strengths] = deblocker.strengths;
    this.jobWords[ROW_JOB.state] = JOB_IDLE;
    this.words = new Int32Array(buffer, this.context, SLICE_CONTEXT_BYTES / 4);
    this.halves = new Int16Array(buffer, this.context, DIST_SCALE_AT / 2);
    const macroblocks = state.PicWidthInMbs * state.FrameHeightInMbs;
    this.cavlc = cavlcArea(state.bytes, state.cavlcPointer, macroblocks);
    const cabac = cabacArea(state.bytes, state.cabacPointer);
    this.cabacContexts = cabac.contexts;
    const { store } = state;
    this.setWords({
      PicSizeInMbs: macroblocks,
      PicWidthInMbs: state.PicWidthInMbs,
      FrameHeightInMbs: state.FrameHeightInMbs,
      strideY: state.frameStrideY,
      strideC: state.frameStrideC,
      data: this.cavlc.data,
      sliceIds: store.sliceId.byteOffset,
      kind: store.kind.byteOffset,
      qp: store.qp.byteOffset,
      cbp: store.cbp.byteOffset,
      totalCoeff: store.totalCoeff.byteOffset,
      nonZero: store.nonZero.byteOffset,
      intraMode: store.intraMode.byteOffset,
      intraChromaMode: store.intraChromaMode.byteOffset,
      direct: store.direct.byteOffset,
      mbType: store.mbType.byteOffset,
      mvd: store.mvd.byteOffset,
      mvdList1: 16 * macroblocks,
      coefficients: state.coefficientsPointer,
      dc: state.dc.byteOffset,
      chromaDc: state.chromaDc.byteOffset,
      scale4x4: state.scale4x4.byteOffset,
      scale8x8: state.scale8x8.byteOffset,
      chromaQp: state.chromaQp.byteOffset,
      cavlcTables: this.cavlc.tables,
      cavlcResult: this.cavlc.resultPointer,
      cavlcScans: this.cavlc.scans,
      cabacContexts: cabac.contexts.byteOffset,
      cabacTables: cabac.tables,
      cabacScans: cabac.scans,
      scratch: state.scratchPointer,
      window: state.emulationPointer,
      places: cabac.engine + CABAC_PLACES_AT,
    });
  }

  /** Whether the kernel knows slices like the current one. */
  canDecode(): boolean {
    const { s } = this;
    if (s.isFieldPicture || s.MbaffFrameFlag || !s.hasChroma) {
      return false;
    }
    const col = s.colocated?.picture;
    return (
      s.numRef0 <= SLICE_CONTEXT_REFERENCES &&
      s.numRef1 <= SLICE_CONTEXT_REFERENCES &&
      (col === undefined || !(col.isFieldCoded || col.isMbaff))
    );
  }

  /** A picture begins. */
  startPicture(): void {
    this.contiguous = 0;
  }

  /**
   * Decodes from macroblock address `first`. `cabacTable` is 0 for I slices and 1 + cabac_init_idc else; `onRow` is called after each row
   * that is complete or has the slice's end, and may throw.
   */
  decode(first: number, cabacTable: number, SliceQPY: number, onRow: () => void): void {
    this.prepare(first, cabacTable, SliceQPY);
    try {
      this.awaitColocated();
      this.rows.run(this.job, () => {
        this.awaitColocated();
        onRow();
      });
    } catch (error) {
      this.takeResults();
      this.contiguous = -1;
      throw error;
    }
    this.finish();
  }

  /** Fills context and job; the job may then run in any thread that shares the memory. */
  prepare(first: number, cabacTable: number, SliceQPY: number): void {
    const { deblocker, jobWords } = this;
    this.start(first, cabacTable, SliceQPY);
    const isFiltering = deblocker.prepareSlice() && first === this.contiguous;
    jobWords[ROW_JOB.isFiltering] = isFiltering ? 1 : 0;
    jobWords[ROW_JOB.filteredRows] = deblocker.filteredRows;
    jobWords[ROW_JOB.state] = JOB_IDLE;
    this.contiguous = isFiltering ? this.contiguous : -1;
  }

  /** Takes the results of the job. Throws BitstreamError when the slice is damaged. */
  finish(): void {
    const { words, jobWords } = this;
    const result = jobWords[ROW_JOB.result];
    this.takeResults();
    if (result !== SLICE_ENDED) {
      this.contiguous = -1;
      this.fail(max(0, result - FIRST_FAULT));
    }
    this.contiguous = this.contiguous < 0 ? -1 : words[MB_ADDR];
  }

  private takeResults(): void {
    this.s.decodedMbs = this.words[DECODED_MBS];
    this.deblocker.filteredRows = this.jobWords[ROW_JOB.filteredRows];
  }

  /** Waits until the motion of the co-located macroblock row is there. */
  private awaitColocated(): void {
    const { s, words } = this;
    if (s.awaitRows !== null && s.isB && s.colocated !== null) {
      const row = (words[MB_ADDR] / s.PicWidthInMbs) | 0;
      // a row is decoded when it is filtered
      const rows = finalLumaRows(min(row + 1, s.FrameHeightInMbs - 1));
      s.awaitRows(s.progressPointer + 4 * s.colocated.picture.slot, rows);
    }
  }

  private fail(fault: number): never {
    const position = this.words[POSITION];
    if (fault < SLICE_FAULTS.length) {
      const [code, clause, message] = SLICE_FAULTS[fault];
      throw new BitstreamError(code, clause, position, message);
    }
    throw new BitstreamError('forbidden-value', '9.2', position, CAVLC_FAULTS[fault - SLICE_FAULTS.length]);
  }

  private setWords(values: Partial<Record<(typeof SLICE_CONTEXT_WORDS)[number], number>>): void {
    for (const [word, value] of Object.entries(values)) {
      this.words[indexOf(word as (typeof SLICE_CONTEXT_WORDS)[number])] = value;
    }
  }

  /** Fills what belongs to the slice, and its data. */
  private start(first: number, cabacTable: number, SliceQPY: number): void {
    const { s, cavlc } = this;
    const { reader, bytes, picture } = s;
    const byteLength = min(reader.length >> 3, cavlc.capacity);
    bytes.set(reader.data.subarray(0, byteLength), cavlc.data);
    bytes.fill(0, cavlc.data + byteLength, cavlc.data + byteLength + SLICE_READ_AHEAD_BYTES);
    if (s.isCabac) {
      reader.align();
      this.cabacContexts.set(contextsFor(cabacTable, SliceQPY));
      this.words[CABAC_NEXT_BYTE_AT / 4] = 0;
    }
    bytes.fill(0, this.context + CACHES_AT, this.context + CACHES_AT + CACHES_BYTES);
    const { memory } = picture;
    this.setWords({
      mbAddr: first,
      flags: this.flags(),
      sliceId: s.sliceId,
      QPY: SliceQPY,
      lastDeltaNotZero: 0,
      mb_skip_run: -1,
      position: reader.position,
      length: 8 * byteLength,
      stop: reader.lastOne,
      decodedMbs: s.decodedMbs,
      y: memory.y,
      u: memory.u,
      v: memory.v,
      mv0: memory.mv[0].byteOffset,
      mv1: memory.mv[1].byteOffset,
      refIdx0: memory.refIdx[0].byteOffset,
      refIdx1: memory.refIdx[1].byteOffset,
      refPic0: memory.refPic[0].byteOffset,
      refPic1: memory.refPic[1].byteOffset,
      mbField: memory.mbField.byteOffset,
      numRef0: s.numRef0,
      numRef1: s.numRef1,
      weightMode: s.weightMode,
      lumaLogWD: s.lumaLogWD,
      chromaLogWD: s.chromaLogWD,
    });
    if (!s.isIntraSlice) {
      this.setReferences();
    }
    if (s.isB) {
      this.setColocated();
    }
  }

  private flags(): number {
    const { s } = this;
    const { colocated } = s;
    const isShort = colocated !== null && (colocated.picture.longTerm & colocated.structure) === 0;
    return (
      (s.isB ? SLICE_FLAGS.isB : 0) |
      (s.isIntraSlice ? SLICE_FLAGS.isIntra : 0) |
      (s.isCabac ? SLICE_FLAGS.isCabac : 0) |
      (s.direct_spatial_mv_pred_flag ? SLICE_FLAGS.direct_spatial_mv_pred_flag : 0) |
      (s.direct_8x8_inference_flag ? SLICE_FLAGS.direct_8x8_inference_flag : 0) |
      (s.transform_8x8_mode_flag ? SLICE_FLAGS.transform_8x8_mode_flag : 0) |
      (s.constrained_intra_pred_flag ? SLICE_FLAGS.constrained_intra_pred_flag : 0) |
      (colocated !== null ? SLICE_FLAGS.hasColocated : 0) |
      (isShort ? SLICE_FLAGS.isColocatedShortTerm : 0)
    );
  }

  private setReferences(): void {
    const { s, words, halves } = this;
    for (let list = 0; list < 2; list++) {
      const count = list === 0 ? s.numRef0 : s.numRef1;
      for (let i = 0; i < count; i++) {
        const entry = SLICE_CONTEXT_REFERENCES * list + i;
        const from = 64 * list + i;
        const at = REFERENCES_AT / 4 + 4 * entry;
        words[at] = s.refY[from];
        words[at + 1] = s.refU[from];
        words[at + 2] = s.refV[from];
        words[at + 3] = s.refId[from];
        words[PROGRESS_CELLS_AT / 4 + entry] = s.progressPointer + 4 * (s.refPictures[from]?.slot ?? 0);
        if (s.weightMode === 1) {
          const weights = EXPLICIT_WEIGHTS_AT / 2 + 8 * entry;
          halves.set(s.explicitWeights.subarray(6 * from, 6 * from + 6), weights);
          halves[weights + 6] = s.hasExplicitWeight[from];
        }
      }
    }
    if (s.weightMode === 2) {
      for (let i = 0; i < s.numRef0; i++) {
        const row = s.implicitWeights.subarray(64 * i, 64 * i + s.numRef1);
        halves.set(row, IMPLICIT_WEIGHTS_AT / 2 + SLICE_CONTEXT_REFERENCES * i);
      }
    }
  }

  private setColocated(): void {
    const { s, words } = this;
    words.set(s.distScaleFactor.subarray(0, s.numRef0), DIST_SCALE_AT / 4);
    const memory = s.colocated?.picture.memory;
    if (memory !== undefined) {
      this.setWords({
        colMv0: memory.mv[0].byteOffset,
        colMv1: memory.mv[1].byteOffset,
        colRefIdx0: memory.refIdx[0].byteOffset,
        colRefIdx1: memory.refIdx[1].byteOffset,
        colRefPic0: memory.refPic[0].byteOffset,
        colRefPic1: memory.refPic[1].byteOffset,
      });
    }
  }
}
