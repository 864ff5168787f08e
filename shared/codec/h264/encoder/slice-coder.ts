// Everything that one thread needs to code slices of a picture: coding state, decisions, entropy coder, deblocking. All threads of an encoder
// have one, on the same memory and the same grid. Called by picture-encoder.ts and, in lent threads, by slice-thread.ts.

import { BitWriter } from '../../../bitstream/bit-writer.ts';
import { CabacEncoder } from '../entropy/cabac-encoder.ts';
import { CavlcEncoder } from '../entropy/cavlc-encoder.ts';
import type { EncoderKernels } from '../kernels/encoder-kernels.ts';
import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { CodingGrid } from '../macroblock/coding-grid.ts';
import { MacroblockState } from '../macroblock/coding-state.ts';
import { Quantisers, QUANTISERS_BYTES } from '../residual/quantisers.ts';
import type { Fade } from './fade-detection.ts';
import { IntraDecision } from './intra-decision.ts';
import type { RefreshBand } from './intra-refresh.ts';
import { MacroblockEncoder } from './macroblock-encoder.ts';
import { ModeDecision } from './mode-decision.ts';
import { MotionSearch } from './motion-search.ts';
import { PcmCoder } from './pcm-coder.ts';
import type { CodedSize, EncoderPicture } from './picture-store.ts';
import type { Tools } from './presets.ts';
import { ReconstructionFilter } from './reconstruction-filter.ts';
import { SkipRun } from './skip-run.ts';
import { SliceEncoder } from './slice-encoder.ts';

/** What does not change from picture to picture. Plain data: it travels to threads. */
export type SliceSetup = {
  readonly size: CodedSize;
  readonly tools: Tools;
  readonly chromaOffset: number;
  readonly verticalLimit: number;
  /** FilterOffsetA and FilterOffsetB of all slices. */
  readonly filterOffsets: { readonly offsetA: number; readonly offsetB: number };
};

/** The picture that slices belong to. */
export type SlicePicture = {
  readonly isIntra: boolean;
  readonly source: EncoderPicture;
  readonly target: EncoderPicture;
  readonly references: readonly EncoderPicture[];
  /** What vectors are searched in: the references, in a fade the first one weighted. */
  readonly searchReferences: readonly EncoderPicture[];
  /** The weights of the first reference. */
  readonly fade: Fade | null;
  /** The source of the first reference, when still macroblocks are to be told. */
  readonly previousSource: EncoderPicture | null;
  /** How well macroblocks are shown is recorded. */
  readonly tracksStill: boolean;
  /** Every macroblock is P_Skip. */
  readonly isRepetition: boolean;
  /** The columns that intra refresh codes. */
  readonly band: RefreshBand | null;
  /** Which arrays of the grid it uses. */
  readonly parity: 0 | 1;
};

/** One slice: its rows, its QP and its header. Plain data. */
export type SliceOrder = {
  readonly index: number;
  readonly firstRow: number;
  /** One past the last row. */
  readonly endRow: number;
  readonly QPY: number;
  /** slice_header() as whole bytes, then `tailBits` bits of `tail`. */
  readonly header: readonly number[];
  readonly tail: number;
  readonly tailBits: number;
};

/** Bytes that a SliceCoder takes from a codec memory. */
export function sliceCoderBytes(size: CodedSize): number {
  return (
    ReconstructionFilter.bytes(size.width >> 4) +
    MacroblockState.BYTES +
    QUANTISERS_BYTES +
    MotionSearch.BYTES +
    IntraDecision.BYTES +
    SkipRun.BYTES +
    256
  );
}

export class SliceCoder {
  readonly state: MacroblockState;
  private readonly coder: MacroblockEncoder;
  private readonly skips: SkipRun;
  private readonly decision: ModeDecision;
  private readonly filter: ReconstructionFilter;
  private readonly slices: SliceEncoder;
  private readonly header = new BitWriter(64);
  private picture: SlicePicture | null = null;
  /** A clock in milliseconds, and how long deblocking by this coder took by it. */
  now: (() => number) | null = null;
  filterMs = 0;

  constructor(kernels: EncoderKernels, memory: CodecMemory, grid: CodingGrid, setup: SliceSetup) {
    const { size, tools, chromaOffset, verticalLimit } = setup;
    this.state = new MacroblockState(memory, grid);
    const quantisers = new Quantisers(memory, tools.deadZones);
    this.coder = new MacroblockEncoder(kernels, this.state, quantisers, chromaOffset);
    const search = new MotionSearch(kernels, memory, size, verticalLimit);
    this.skips = new SkipRun(kernels, memory, this.state, quantisers, { window: search.window, chromaOffset });
    this.decision = new ModeDecision(kernels, memory, this.state, this.coder, search, this.skips, tools);
    this.filter = new ReconstructionFilter(kernels, memory, this.state, {
      ...setup.filterOffsets,
      chromaOffset,
    });
    const options = { capacity: size.width * size.height, transform8x8Mode: tools.transform8x8 };
    const entropy = tools.cabac ? new CabacEncoder(this.state, options) : new CavlcEncoder(this.state, options);
    const pcm = new PcmCoder(kernels, memory, this.state, this.coder);
    this.slices = new SliceEncoder(this.state, this.decision, pcm, entropy);
  }

  /** The picture of the slices that follow. */
  begin(picture: SlicePicture): void {
    const { coder, decision, state } = this;
    const { source, target, references, fade } = picture;
    this.picture = picture;
    coder.source = source;
    coder.target = target;
    coder.previousSource = picture.previousSource;
    coder.fade = fade;
    coder.weightedReference = fade === null ? null : references[0];
    decision.references = references;
    decision.searchReferences = picture.searchReferences;
    decision.isRepetition = picture.isRepetition;
    decision.band = picture.band;
    decision.tracksStill = picture.tracksStill;
    state.useParity(picture.parity);
    if (references.length > 0) {
      this.skips.usePictures(source, target, references[0]);
    }
  }

  /** Codes a slice of the picture, see SliceEncoder.code. */
  code(order: SliceOrder, afterRow: (row: number, bits: number) => number): Uint8Array {
    const { picture, header } = this;
    if (picture === null) {
      throw new Error('Broken invariant: a slice without a picture.');
    }
    header.reset();
    for (const byte of order.header) {
      header.bits(byte, 8);
    }
    if (order.tailBits > 0) {
      header.bits(order.tail, order.tailBits);
    }
    return this.slices.code({ ...order, isIntra: picture.isIntra }, header, picture.references.length, afterRow);
  }

  /** Deblocks macroblock row `row` of the picture; the row above is deblocked already. */
  filterRow(row: number): void {
    const { now, picture } = this;
    if (picture === null) {
      return;
    }
    const start = now?.() ?? 0;
    this.filter.filterRow(picture.target, row);
    this.filterMs += (now?.() ?? 0) - start;
  }
}
