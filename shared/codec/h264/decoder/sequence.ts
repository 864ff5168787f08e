// Everything that is sized by an active SPS: the memory, the frame stores, the macroblock store and the slice state on it.

import { bufferLimitsOf } from '../dpb/decoded-picture-buffer.ts';
import { Picture } from '../dpb/picture.ts';
import { BitstreamError } from '../../../errors.ts';
import { CodecMemory } from '../kernels/codec-memory.ts';
import type { Pointer, ReconstructionKernels } from '../kernels/kernels.ts';
import type { AwaitRows, SliceKernels } from '../kernels/slice-kernels.ts';
import { MacroblockStore, MB_STORE_BYTES } from '../macroblock/mb-store.ts';
import { PROGRESS_COMPLETE } from '../threads/picture-progress.ts';
import { pictureSizeOf, type PictureSize, type SequenceParameterSet } from '../syntax/sps.ts';
import { SliceState, sliceStateBytes } from './slice-state.ts';

/** Frame stores beyond the buffer's capacity: the current frame, and frames that the receiver of output has not closed yet. */
const SPARE_PICTURES = 4;

/** Pictures that can be under way at a time with a second thread, and slices of each of them. */
const PIPELINE_LANES = 4;
const PIPELINE_SLICES = 8;

/** Bytes around planes that kernels may read beyond them. */
const GUARD_BYTES = 64;

/** Bytes of motion per macroblock: two lists of 16 vectors, 4 + 4 reference bytes, and the field mark. */
const MOTION_BYTES = 2 * 64 + 16 + 1;

/** Largest memory of a decoder: 8192x4320 with the references of level 6.2 fits; a hostile SPS must not ask for more. */
const MAX_MEMORY_BYTES = 1024 * 1024 * 1024;

function allocateMemory(byteLength: number, isShared: boolean): CodecMemory {
  if (byteLength <= MAX_MEMORY_BYTES) {
    try {
      return CodecMemory.create(byteLength, { shared: isShared });
    } catch (error) {
      if (!(error instanceof RangeError)) {
        throw error;
      }
    }
  }
  const message = `The pictures of the sequence need ${byteLength} bytes.`;
  throw new BitstreamError('unsupported', 'A.3.1', 0, message);
}

/** Makes the kernels on a memory. */
export type KernelFactory = {
  readonly reconstruction: (memory: WebAssembly.Memory) => ReconstructionKernels;
  /** Null: slice data is decoded in TypeScript. */
  readonly slices: ((memory: WebAssembly.Memory, awaitRows: AwaitRows) => SliceKernels) | null;
};

/** Sizes of what is allocated for one SPS. */
type MemoryPlan = {
  readonly pictures: number;
  readonly cellBytes: number;
  readonly byteLength: number;
};

function planMemory(sps: SequenceParameterSet, isThreaded: boolean): MemoryPlan {
  const { PicWidthInMbs, FrameHeightInMbs, codedWidth, codedHeight } = pictureSizeOf(sps);
  const macroblocks = PicWidthInMbs * FrameHeightInMbs;
  const pictures = bufferLimitsOf(sps).capacity + SPARE_PICTURES + (isThreaded ? PIPELINE_LANES : 0);
  const samples = codedWidth * codedHeight;
  const perPicture = (samples * 3) / 2 + 4 * GUARD_BYTES + MOTION_BYTES * macroblocks + 16 * 12;
  const stateBytes = (slots: number): number =>
    MB_STORE_BYTES * macroblocks + sliceStateBytes(PicWidthInMbs, macroblocks, slots) + 16 * 16 + GUARD_BYTES * 8;
  const cellBytes = 4 * pictures + 64;
  const pipelineBytes = isThreaded ? PIPELINE_LANES * stateBytes(PIPELINE_SLICES) : 0;
  return {
    pictures,
    cellBytes,
    byteLength: pictures * perPicture + stateBytes(1) + pipelineBytes + cellBytes,
  };
}

/** Whether the pictures that a second thread has under way fit into a decoder's memory besides those that one thread needs. */
export function hasRoomForThread(sps: SequenceParameterSet): boolean {
  return planMemory(sps, true).byteLength <= MAX_MEMORY_BYTES;
}

/** The allocations for one SPS. */
export class Sequence {
  readonly sps: SequenceParameterSet;
  readonly size: PictureSize;
  readonly memory: CodecMemory;
  readonly pictures: readonly Picture[];
  readonly state: SliceState;
  readonly hasChroma: boolean;
  readonly sliceKernels: SliceKernels | null;
  /** Where the pictures are kept that are under way; none without a second thread. */
  readonly pipelineStates: readonly SliceState[];
  /** Cell by which caller and second thread know of each other. */
  readonly threadStatePointer: Pointer;
  /** What the kernels call to wait for a reference; set by the picture decoder. */
  awaitRows: AwaitRows = () => undefined;

  /** Throws BitstreamError `unsupported` when the sequence needs more memory than a decoder may have. */
  constructor(
    sps: SequenceParameterSet,
    createKernels: KernelFactory,
    options: { readonly isThreaded: boolean } = { isThreaded: false },
  ) {
    this.sps = sps;
    this.size = pictureSizeOf(sps);
    this.hasChroma = sps.chroma_format_idc !== 0;
    const { PicWidthInMbs, FrameHeightInMbs, codedWidth, codedHeight } = this.size;
    const macroblocks = PicWidthInMbs * FrameHeightInMbs;
    const { isThreaded } = options;
    const { pictures: count, cellBytes, byteLength } = planMemory(sps, isThreaded);
    const samples = codedWidth * codedHeight;
    this.memory = allocateMemory(byteLength, isThreaded);
    this.threadStatePointer = this.memory.allocate(cellBytes, 16);
    const progressPointer = this.threadStatePointer + 4;
    const completeCell = progressPointer + 4 * count;
    new Int32Array(this.memory.memory.buffer, progressPointer, count + 1).fill(PROGRESS_COMPLETE);
    this.pictures = Array.from({ length: count }, (_, slot) => this.allocatePicture(slot, samples, macroblocks));
    const kernels = createKernels.reconstruction(this.memory.memory);
    const createState = (sliceSlots: number): SliceState =>
      new SliceState({
        memory: this.memory,
        kernels,
        store: new MacroblockStore(this.memory, macroblocks),
        picture: this.pictures[0],
        PicWidthInMbs,
        FrameHeightInMbs,
        hasChroma: this.hasChroma,
        progressPointer,
        completeCell,
        awaitRows: (cell, rows) => this.awaitRows(cell, rows),
        sliceSlots,
      });
    this.state = createState(1);
    this.pipelineStates = Array.from({ length: isThreaded ? PIPELINE_LANES : 0 }, () => createState(PIPELINE_SLICES));
    this.sliceKernels = createKernels.slices?.(this.memory.memory, (cell, rows) => this.awaitRows(cell, rows)) ?? null;
  }

  private allocatePicture(slot: number, samples: number, macroblocks: number): Picture {
    const { memory } = this;
    const { buffer } = memory.memory;
    const plane = (bytes: number): number => memory.allocate(bytes + 2 * GUARD_BYTES, 16) + GUARD_BYTES;
    const y = plane(samples);
    const u = plane(samples / 4);
    const v = plane(samples / 4);
    memory.bytes.fill(128, u, u + samples / 4);
    memory.bytes.fill(128, v, v + samples / 4);
    const mv = (): Int32Array => new Int32Array(buffer, memory.allocate(64 * macroblocks, 16), 16 * macroblocks);
    const refs = (): Int8Array => new Int8Array(buffer, memory.allocate(4 * macroblocks, 16), 4 * macroblocks);
    const words = (bytes: Int8Array): Int32Array => new Int32Array(buffer, bytes.byteOffset, macroblocks);
    const refIdx = [refs(), refs()] as const;
    const refPic = [refs(), refs()] as const;
    return new Picture(slot, {
      y,
      u,
      v,
      mv: [mv(), mv()],
      refIdx,
      refPic,
      refIdx32: [words(refIdx[0]), words(refIdx[1])],
      refPic32: [words(refPic[0]), words(refPic[1])],
      mbField: new Uint8Array(buffer, memory.allocate(macroblocks, 16), macroblocks),
    });
  }

  /** A frame store that nobody uses, or null. */
  freePicture(): Picture | null {
    return this.pictures.find((picture) => !picture.isInUse && picture.holders === 0 && picture.users === 0) ?? null;
  }

  /** Frame stores that are not held by the receiver of output. */
  get unheld(): number {
    return this.pictures.reduce((count, picture) => count + (picture.holders === 0 ? 1 : 0), 0);
  }
}
