// Codes one picture: slice headers, slices, deblocking one row behind, borders of the reconstruction. Called by H264Encoder.

import { BitWriter } from '../../../bitstream/bit-writer.ts';
import { CabacEncoder } from '../entropy/cabac-encoder.ts';
import { CavlcEncoder } from '../entropy/cavlc-encoder.ts';
import type { CodecMemory } from '../kernels/codec-memory.ts';
import { CodingGrid } from '../macroblock/coding-grid.ts';
import { MacroblockState } from '../macroblock/coding-state.ts';
import { Quantisers, QUANTISERS_BYTES } from '../residual/quantisers.ts';
import { NAL_UNIT_TYPE, type NalHeader } from '../syntax/nal-unit.ts';
import type { PredWeightTable } from '../syntax/pred-weight-table.ts';
import { SLICE_TYPE, type SliceHeader, writeSliceHeader } from '../syntax/slice-header.ts';
import { type Fade, LOG2_WEIGHT_DENOM } from './fade-detection.ts';
import type { PicturePlan } from './gop-structure.ts';
import { IntraDecision } from './intra-decision.ts';
import type { RefreshBand } from './intra-refresh.ts';
import { type EncoderKernels, MacroblockEncoder } from './macroblock-encoder.ts';
import { ModeDecision } from './mode-decision.ts';
import { MotionSearch } from './motion-search.ts';
import type { ParameterSets } from './parameter-sets.ts';
import { allocatePicture, CHROMA_BORDER, type CodedSize, type EncoderPicture, LUMA_BORDER } from './picture-store.ts';
import type { Tools } from './presets.ts';
import { ReconstructionFilter } from './reconstruction-filter.ts';
import { SkipRun } from './skip-run.ts';
import { SliceEncoder } from './slice-encoder.ts';

const { floor } = Math;

/** Bytes that a PictureEncoder takes from a codec memory, beside pictures. */
export function pictureEncoderBytes(size: CodedSize): number {
  const mbWidth = size.width >> 4;
  return (
    CodingGrid.bytes(mbWidth, size.height >> 4) +
    ReconstructionFilter.bytes(mbWidth) +
    MacroblockState.BYTES +
    QUANTISERS_BYTES +
    MotionSearch.BYTES +
    IntraDecision.BYTES +
    SkipRun.BYTES +
    1024
  );
}

/** A coded slice: its header byte's fields and its RBSP (valid until the next slice is coded). */
export type SliceSink = (nal: NalHeader, rbsp: Uint8Array) => void;

/** What rate control says about a picture. */
export type PictureQp = {
  readonly first: number;
  readonly afterRow: (row: number, bits: number) => number;
  /** Added to each macroblock's QP, in raster order. */
  readonly offsets: Int8Array;
  /** Every macroblock is P_Skip: the picture before is shown again. */
  readonly isRepetition: boolean;
  /** How the source follows from the one before when it fades. */
  readonly fade: Fade | null;
  /** The columns that intra refresh codes; null without. */
  readonly band: RefreshBand | null;
  /** The source of the picture coded before; null when still macroblocks are not to be told. */
  readonly previousSource: EncoderPicture | null;
};

/** pred_weight_table() with a weight for the first of `references` in a fade. */
function weightTableOf(references: number, fade: Fade | null): PredWeightTable {
  const first =
    fade === null
      ? { luma: null, chroma: null }
      : { luma: fade.luma, chroma: fade.chroma === null ? null : ([...fade.chroma, ...fade.chroma] as const) };
  return {
    luma_log2_weight_denom: LOG2_WEIGHT_DENOM,
    chroma_log2_weight_denom: LOG2_WEIGHT_DENOM,
    lists: [Array.from({ length: references }, (_, i) => (i === 0 ? first : { luma: null, chroma: null })), []],
  };
}

/** Owns the coding state; used for one picture at a time. */
export class PictureEncoder {
  private readonly kernels: EncoderKernels;
  private readonly size: CodedSize;
  private readonly sets: ParameterSets;
  private readonly sliceCount: number;
  readonly state: MacroblockState;
  /** Milliseconds that the last picture's deblocking took; 0 without a clock. */
  filterMs = 0;
  private readonly now: (() => number) | null;
  /** Luma of the first reference, weighted; null where fades are not weighted. */
  private readonly weighted: EncoderPicture | null;
  private readonly bytes: Uint8Array;
  private readonly coder: MacroblockEncoder;
  private readonly skips: SkipRun;
  private readonly decision: ModeDecision;
  private readonly filter: ReconstructionFilter;
  private readonly slices: SliceEncoder;
  private readonly header = new BitWriter(64);
  /** The reconstruction of the picture coded before. */
  private lastTarget: EncoderPicture | null = null;
  /** Which arrays of the grid the picture uses. */
  private parity: 0 | 1 = 0;

  constructor(
    kernels: EncoderKernels,
    memory: CodecMemory,
    size: CodedSize,
    sets: ParameterSets,
    tools: Tools,
    sliceCount: number,
    now: (() => number) | null,
  ) {
    this.now = now;
    this.weighted = tools.weighted ? allocatePicture(memory, size) : null;
    this.bytes = memory.bytes;
    this.kernels = kernels;
    this.size = size;
    this.sets = sets;
    this.sliceCount = sliceCount;
    const chromaOffset = sets.pps.chroma_qp_index_offset;
    this.state = new MacroblockState(memory, new CodingGrid(memory, size.width >> 4, size.height >> 4));
    const quantisers = new Quantisers(memory, tools.deadZones);
    this.coder = new MacroblockEncoder(kernels, this.state, quantisers, chromaOffset);
    const search = new MotionSearch(kernels, memory, size, sets.verticalLimit);
    this.skips = new SkipRun(kernels, memory, this.state, quantisers, { window: search.window, chromaOffset });
    this.decision = new ModeDecision(kernels, memory, this.state, this.coder, search, this.skips, tools);
    const filterOptions = { ...sets.filterOffsets, chromaOffset };
    this.filter = new ReconstructionFilter(kernels, memory, this.state, filterOptions);
    const options = { capacity: size.width * size.height, transform8x8Mode: tools.transform8x8 };
    const entropy = tools.cabac ? new CabacEncoder(this.state, options) : new CavlcEncoder(this.state, options);
    this.slices = new SliceEncoder(this.state, this.decision, entropy);
  }

  /** Codes `source` as `plan` says. May be called again for the same picture. Returns the bits of its slices. */
  code(source: EncoderPicture, plan: PicturePlan, qp: PictureQp, sink: SliceSink): number {
    const { state, coder, decision } = this;
    this.filterMs = 0;
    const { target } = plan;
    coder.source = source;
    const isFromLast = plan.references.length > 0 && plan.references[0] === this.lastTarget;
    const fade = isFromLast && !qp.isRepetition ? qp.fade : null;
    coder.previousSource = isFromLast && fade === null ? qp.previousSource : null;
    coder.target = target;
    coder.fade = fade;
    coder.weightedReference = fade === null ? null : plan.references[0];
    decision.references = plan.references;
    decision.searchReferences = fade === null ? plan.references : this.weightedReferences(plan.references, fade);
    decision.isRepetition = qp.isRepetition;
    decision.band = qp.band;
    this.slices.offsets = qp.offsets;
    decision.tracksStill = qp.previousSource !== null;
    state.useParity(this.parity);
    if (plan.references.length > 0) {
      this.skips.usePictures(source, target, plan.references[0]);
    }
    const { isIntra } = plan;
    const nal: NalHeader = {
      nal_ref_idc: plan.isReference ? (plan.isIdr ? 3 : 2) : 0,
      nal_unit_type: plan.isIdr ? NAL_UNIT_TYPE.IDR_SLICE : NAL_UNIT_TYPE.SLICE,
    };
    let bits = 0;
    let rowQp = qp.first;
    for (let index = 0; index < this.sliceCount; index++) {
      const firstRow = floor((index * state.mbHeight) / this.sliceCount);
      const endRow = floor(((index + 1) * state.mbHeight) / this.sliceCount);
      this.writeHeader(plan, nal, firstRow * state.mbWidth, rowQp, fade);
      const slice = { isIntra, index, firstRow, endRow, QPY: rowQp };
      const rbsp = this.slices.code(slice, this.header, plan.references.length, (row, sliceBits) => {
        if (row > 0) {
          this.filterRow(target, row - 1);
        }
        rowQp = qp.afterRow(row, bits + sliceBits);
        return rowQp;
      });
      bits += 8 * rbsp.length;
      sink(nal, rbsp);
    }
    this.filterRow(target, state.mbHeight - 1);
    if (plan.isReference) {
      this.padBorders(target);
    }
    return bits;
  }

  /** The references with the luma of the first one weighted: what vectors are searched in. */
  private weightedReferences(references: readonly EncoderPicture[], fade: Fade): readonly EncoderPicture[] {
    const { weighted, bytes, kernels, size } = this;
    const [reference, ...others] = references;
    if (weighted === null) {
      return references;
    }
    const stride = reference.lumaStride;
    const corner = LUMA_BORDER * stride + LUMA_BORDER;
    const height = size.height + 2 * LUMA_BORDER;
    bytes.copyWithin(weighted.y - corner, reference.y - corner, reference.y - corner + height * stride);
    kernels.weightBlock(weighted.y - corner, stride, stride, height, LOG2_WEIGHT_DENOM, fade.luma[0], fade.luma[1]);
    return [weighted, ...others];
  }

  private filterRow(target: EncoderPicture, row: number): void {
    const { now, filter } = this;
    if (now === null) {
      filter.filterRow(target, row);
      return;
    }
    const start = now();
    filter.filterRow(target, row);
    this.filterMs += now() - start;
  }

  /** The picture is final: what the next one looks back at. */
  commit(target: EncoderPicture): void {
    this.parity = this.parity === 0 ? 1 : 0;
    this.lastTarget = target;
  }

  private padBorders(target: EncoderPicture): void {
    const { width, height } = this.size;
    this.kernels.padPlane(target.y, target.lumaStride, width, height, LUMA_BORDER);
    this.kernels.padPlane(target.u, target.chromaStride, width >> 1, height >> 1, CHROMA_BORDER);
    this.kernels.padPlane(target.v, target.chromaStride, width >> 1, height >> 1, CHROMA_BORDER);
  }

  private writeHeader(
    plan: PicturePlan,
    nal: NalHeader,
    first_mb_in_slice: number,
    QPY: number,
    fade: Fade | null,
  ): void {
    const { header, sets } = this;
    const slice: SliceHeader = {
      first_mb_in_slice,
      slice_type: plan.isIntra ? SLICE_TYPE.I + 5 : SLICE_TYPE.P + 5,
      pic_parameter_set_id: 0,
      colour_plane_id: 0,
      frame_num: plan.frame_num,
      field_pic_flag: false,
      bottom_field_flag: false,
      idr_pic_id: plan.idr_pic_id,
      pic_order_cnt_lsb: 0,
      delta_pic_order_cnt_bottom: 0,
      delta_pic_order_cnt: [0, 0],
      redundant_pic_cnt: 0,
      direct_spatial_mv_pred_flag: false,
      num_ref_idx_active: [plan.references.length, 0],
      ref_pic_list_modification: [plan.modification, []],
      pred_weight_table:
        plan.isIntra || !sets.pps.weighted_pred_flag ? null : weightTableOf(plan.references.length, fade),
      dec_ref_pic_marking: plan.marking,
      cabac_init_idc: 0,
      slice_qp_delta: QPY - 26,
      sp_for_switch_flag: false,
      slice_qs_delta: 0,
      disable_deblocking_filter_idc: 0,
      slice_alpha_c0_offset_div2: sets.filterOffsets.offsetA >> 1,
      slice_beta_offset_div2: sets.filterOffsets.offsetB >> 1,
      slice_group_change_cycle: 0,
    };
    header.reset();
    writeSliceHeader(header, slice, { nal, sps: sets.sps, pps: sets.pps });
  }
}
