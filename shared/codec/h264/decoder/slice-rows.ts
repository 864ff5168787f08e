// Slice data of frames by the slice kernel, a macroblock row per call (7.3.4): fills the slice context from the slice state, and turns
// faults into errors. Slices that the kernel does not know (fields, MBAFF, slice groups, 4:0:0) go through slice-data.ts, which is also the
// kernel's reference and what the trace listens to. Called by slice-data.ts.

import { BitstreamError } from '../../../errors.ts';
import { cabacArea, type CabacArea } from '../entropy/cabac-area.ts';
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
  SLICE_CONTEXT_REFERENCES,
  SLICE_CONTEXT_WORDS,
  SLICE_ENDED,
  SLICE_FAULTS,
  SLICE_FLAGS,
} from '../kernels/slice-context.ts';
import type { Deblocker } from '../deblock/deblocker.ts';
import type { SliceKernels } from '../kernels/slice-kernels.ts';
import { PICTURE_WORDS, PICTURE_WORDS_BYTES, PictureRows, ROW_JOB } from '../threads/picture-rows.ts';
import { SliceSlot } from './slice-slot.ts';
import type { SliceState } from './slice-state.ts';

const { max, min } = Math;

const POSITION = SLICE_CONTEXT_WORDS.indexOf('position');

/** Decodes slices row by row. */
export class SliceRowDecoder {
  private readonly s: SliceState;
  private readonly deblocker: Deblocker;
  private readonly rows: PictureRows;
  private readonly picture: Int32Array;
  private readonly slots: readonly SliceSlot[];
  private readonly cavlc: CavlcArea;
  /** Slices that are prepared, and where the bits of the next one go. */
  private prepared = 0;
  private dataAt: Pointer;

  constructor(state: SliceState, deblocker: Deblocker, kernels: SliceKernels) {
    this.s = state;
    this.deblocker = deblocker;
    this.rows = new PictureRows(kernels.memory, kernels, (cell, rows) => state.awaitRows(cell, rows));
    const { buffer } = state.bytes;
    this.picture = new Int32Array(buffer, state.sliceRowsPointer, PICTURE_WORDS_BYTES / 4);
    this.picture[PICTURE_WORDS.strengths] = deblocker.strengths;
    const macroblocks = state.PicWidthInMbs * state.FrameHeightInMbs;
    this.cavlc = cavlcArea(state.bytes, state.cavlcPointer, macroblocks);
    this.dataAt = this.cavlc.data;
    const cabac = cabacArea(state.bytes, state.cabacPointer);
    this.slots = Array.from({ length: state.sliceSlots }, (_, i) => {
      const slot = new SliceSlot(buffer, state.sliceRowsPointer, i);
      this.fillFixed(slot, macroblocks, cabac);
      return slot;
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
    this.clear();
    this.picture[PICTURE_WORDS.contiguous] = 0;
    this.picture[PICTURE_WORDS.filteredRows] = 0;
    this.picture[PICTURE_WORDS.decodedMbs] = 0;
  }

  /**
   * Decodes from macroblock address `first`. `cabacTable` is 0 for I slices and 1 + cabac_init_idc else; `onRow` is called after each row
   * that is complete or has the slice's end, and may throw.
   */
  decode(first: number, cabacTable: number, SliceQPY: number, onRow: () => void): void {
    this.clear();
    this.picture[PICTURE_WORDS.decodedMbs] = this.s.decodedMbs;
    const job = this.prepare(first, cabacTable, SliceQPY);
    try {
      this.run(job, onRow);
    } catch (error) {
      this.takePictureWords();
      throw error;
    }
    this.takeResults(job);
  }

  /** Whether another slice of so many bytes can be prepared before the results of those before are taken. */
  hasRoom(byteLength: number): boolean {
    const { cavlc, dataAt, prepared, slots } = this;
    return prepared < slots.length && dataAt - cavlc.data + byteLength + SLICE_READ_AHEAD_BYTES <= cavlc.capacity;
  }

  /** Fills context and job; the job may then run in any thread that shares the memory, after those of the slices before. */
  prepare(first: number, cabacTable: number, SliceQPY: number): Pointer {
    const { deblocker, slots, s } = this;
    const slot = slots[this.prepared++];
    this.start(slot, first, cabacTable, SliceQPY);
    const { jobWords } = slot;
    jobWords[ROW_JOB.mayFilter] = deblocker.prepareSlice() ? 1 : 0;
    jobWords[ROW_JOB.colocated] = s.isB && s.colocated !== null ? s.progressCellOf(s.colocated.picture) : 0;
    jobWords[ROW_JOB.result] = FIRST_FAULT;
    return slot.job;
  }

  /** Runs a job in this thread. `onRow` gets the rows of the picture that are filtered; it may throw. */
  run(job: Pointer, onRow: (filteredRows: number) => void): void {
    this.rows.run(job, onRow);
  }

  /** All of the picture is decoded and filtered by the end of the job. */
  isPictureFinal(job: Pointer): boolean {
    return this.rows.isPictureFinal(job);
  }

  /** Takes the results of a job that has run. Throws BitstreamError when the slice is damaged. */
  takeResults(job: Pointer): void {
    this.takePictureWords();
    const slot = this.slots.find((one) => one.job === job);
    const result = slot?.jobWords[ROW_JOB.result] ?? FIRST_FAULT;
    if (result !== SLICE_ENDED) {
      this.fail(max(0, result - FIRST_FAULT), slot?.words[POSITION] ?? 0);
    }
  }

  /** The results of all prepared slices are taken: there is room again. */
  clear(): void {
    this.prepared = 0;
    this.dataAt = this.cavlc.data;
  }

  private takePictureWords(): void {
    this.s.decodedMbs = this.picture[PICTURE_WORDS.decodedMbs];
    this.deblocker.filteredRows = this.picture[PICTURE_WORDS.filteredRows];
  }

  private fail(fault: number, position: number): never {
    if (fault < SLICE_FAULTS.length) {
      const [code, clause, message] = SLICE_FAULTS[fault];
      throw new BitstreamError(code, clause, position, message);
    }
    throw new BitstreamError('forbidden-value', '9.2', position, CAVLC_FAULTS[fault - SLICE_FAULTS.length]);
  }

  /** Fills what is the same for all slices. */
  private fillFixed(slot: SliceSlot, macroblocks: number, cabac: CabacArea): void {
    const { s, cavlc } = this;
    const { store } = s;
    slot.jobWords[ROW_JOB.context] = slot.context;
    slot.jobWords[ROW_JOB.picture] = this.picture.byteOffset;
    slot.set({
      PicSizeInMbs: macroblocks,
      PicWidthInMbs: s.PicWidthInMbs,
      FrameHeightInMbs: s.FrameHeightInMbs,
      strideY: s.frameStrideY,
      strideC: s.frameStrideC,
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
      coefficients: s.coefficientsPointer,
      dc: s.dc.byteOffset,
      chromaDc: s.chromaDc.byteOffset,
      scale4x4: s.scale4x4.byteOffset,
      scale8x8: s.scale8x8.byteOffset,
      chromaQp: s.chromaQp.byteOffset,
      cavlcTables: cavlc.tables,
      cavlcResult: cavlc.resultPointer,
      cavlcScans: cavlc.scans,
      cabacContexts: slot.cabacContexts.byteOffset,
      cabacTables: cabac.tables,
      cabacScans: cabac.scans,
      scratch: s.scratchPointer,
      window: s.emulationPointer,
      places: cabac.engine + CABAC_PLACES_AT,
    });
  }

  /** Fills what belongs to the slice, and its data. */
  private start(slot: SliceSlot, first: number, cabacTable: number, SliceQPY: number): void {
    const { s, cavlc, dataAt } = this;
    const { reader, bytes, picture } = s;
    const byteLength = min(reader.length >> 3, cavlc.capacity - (dataAt - cavlc.data));
    bytes.set(reader.data.subarray(0, byteLength), dataAt);
    bytes.fill(0, dataAt + byteLength, dataAt + byteLength + SLICE_READ_AHEAD_BYTES);
    this.dataAt = dataAt + byteLength + SLICE_READ_AHEAD_BYTES;
    if (s.isCabac) {
      reader.align();
      slot.cabacContexts.set(contextsFor(cabacTable, SliceQPY));
      slot.words[CABAC_NEXT_BYTE_AT / 4] = 0;
    }
    bytes.fill(0, slot.context + CACHES_AT, slot.context + CACHES_AT + CACHES_BYTES);
    const { memory } = picture;
    slot.set({
      data: dataAt,
      mbAddr: first,
      flags: this.flags(),
      sliceId: s.sliceId,
      QPY: SliceQPY,
      lastDeltaNotZero: 0,
      mb_skip_run: -1,
      position: reader.position,
      length: 8 * byteLength,
      stop: reader.lastOne,
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
      this.setReferences(slot);
    }
    if (s.isB) {
      this.setColocated(slot);
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

  private setReferences({ words, halves }: SliceSlot): void {
    const { s } = this;
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
        words[PROGRESS_CELLS_AT / 4 + entry] = s.progressCellOf(s.refPictures[from]);
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

  private setColocated(slot: SliceSlot): void {
    const { s } = this;
    slot.words.set(s.distScaleFactor.subarray(0, s.numRef0), DIST_SCALE_AT / 4);
    const memory = s.colocated?.picture.memory;
    if (memory !== undefined) {
      slot.set({
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
