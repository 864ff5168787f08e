// Codes one picture: slice headers, slices, deblocking one row behind, borders of the reconstruction. Called by H264Encoder.

import { BitWriter } from '../../../bitstream/bit-writer.ts';
import { CabacEncoder } from '../entropy/cabac-encoder.ts';
import { CavlcEncoder } from '../entropy/cavlc-encoder.ts';
import type { CodecMemory } from '../kernels/codec-memory.ts';
import { CodingGrid } from '../macroblock/coding-grid.ts';
import { MacroblockState } from '../macroblock/coding-state.ts';
import { Quantisers, QUANTISERS_BYTES } from '../residual/quantisers.ts';
import { NAL_UNIT_TYPE, type NalHeader } from '../syntax/nal-unit.ts';
import { SLICE_TYPE, type SliceHeader, writeSliceHeader } from '../syntax/slice-header.ts';
import type { PicturePlan } from './gop-structure.ts';
import { IntraDecision } from './intra-decision.ts';
import { type EncoderKernels, MacroblockEncoder } from './macroblock-encoder.ts';
import { ModeDecision } from './mode-decision.ts';
import { MotionSearch } from './motion-search.ts';
import type { ParameterSets } from './parameter-sets.ts';
import { CHROMA_BORDER, type CodedSize, type EncoderPicture, LUMA_BORDER } from './picture-store.ts';
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
};

/** Owns the coding state; used for one picture at a time. */
export class PictureEncoder {
  private readonly kernels: EncoderKernels;
  private readonly size: CodedSize;
  private readonly sets: ParameterSets;
  private readonly sliceCount: number;
  private readonly state: MacroblockState;
  private readonly coder: MacroblockEncoder;
  private readonly skips: SkipRun;
  private readonly decision: ModeDecision;
  private readonly filter: ReconstructionFilter;
  private readonly slices: SliceEncoder;
  private readonly header = new BitWriter(64);
  /** Which array of vectors the picture uses. */
  private parity: 0 | 1 = 0;

  constructor(
    kernels: EncoderKernels,
    memory: CodecMemory,
    size: CodedSize,
    sets: ParameterSets,
    tools: Tools,
    sliceCount: number,
  ) {
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
    this.filter = new ReconstructionFilter(kernels, memory, this.state, { offsetA: 0, offsetB: 0, chromaOffset });
    const options = { capacity: size.width * size.height, transform8x8Mode: tools.transform8x8 };
    const entropy = tools.cabac ? new CabacEncoder(this.state, options) : new CavlcEncoder(this.state, options);
    this.slices = new SliceEncoder(this.state, this.decision, entropy);
  }

  /** Codes `source` as `plan` says. May be called again for the same picture. Returns the bits of its slices. */
  code(source: EncoderPicture, plan: PicturePlan, qp: PictureQp, sink: SliceSink): number {
    const { state, coder, decision, filter } = this;
    const { target } = plan;
    coder.source = source;
    coder.target = target;
    decision.references = plan.references;
    state.useVectors(this.parity);
    if (plan.references.length > 0) {
      this.skips.usePictures(source, target, plan.references[0]);
    }
    const isIntra = plan.isIdr;
    const nal: NalHeader = {
      nal_ref_idc: plan.isReference ? (plan.isIdr ? 3 : 2) : 0,
      nal_unit_type: plan.isIdr ? NAL_UNIT_TYPE.IDR_SLICE : NAL_UNIT_TYPE.SLICE,
    };
    let bits = 0;
    let rowQp = qp.first;
    for (let index = 0; index < this.sliceCount; index++) {
      const firstRow = floor((index * state.mbHeight) / this.sliceCount);
      const endRow = floor(((index + 1) * state.mbHeight) / this.sliceCount);
      this.writeHeader(plan, nal, firstRow * state.mbWidth, rowQp);
      const slice = { isIntra, index, firstRow, endRow, QPY: rowQp };
      const rbsp = this.slices.code(slice, this.header, plan.references.length, (row, sliceBits) => {
        if (row > 0) {
          filter.filterRow(target, row - 1);
        }
        rowQp = qp.afterRow(row, bits + sliceBits);
        return rowQp;
      });
      bits += 8 * rbsp.length;
      sink(nal, rbsp);
    }
    filter.filterRow(target, state.mbHeight - 1);
    if (plan.isReference) {
      this.padBorders(target);
    }
    return bits;
  }

  /** The picture is final: its vectors are candidates of the next. */
  commit(): void {
    this.parity = this.parity === 0 ? 1 : 0;
  }

  private padBorders(target: EncoderPicture): void {
    const { width, height } = this.size;
    this.kernels.padPlane(target.y, target.lumaStride, width, height, LUMA_BORDER);
    this.kernels.padPlane(target.u, target.chromaStride, width >> 1, height >> 1, CHROMA_BORDER);
    this.kernels.padPlane(target.v, target.chromaStride, width >> 1, height >> 1, CHROMA_BORDER);
  }

  private writeHeader(plan: PicturePlan, nal: NalHeader, first_mb_in_slice: number, QPY: number): void {
    const { header, sets } = this;
    const slice: SliceHeader = {
      first_mb_in_slice,
      slice_type: plan.isIdr ? SLICE_TYPE.I + 5 : SLICE_TYPE.P + 5,
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
      pred_weight_table: null,
      dec_ref_pic_marking: plan.isIdr
        ? { kind: 'idr', no_output_of_prior_pics_flag: false, long_term_reference_flag: false }
        : plan.isReference
          ? { kind: 'sliding-window' }
          : null,
      cabac_init_idc: 0,
      slice_qp_delta: QPY - 26,
      sp_for_switch_flag: false,
      slice_qs_delta: 0,
      disable_deblocking_filter_idc: 0,
      slice_alpha_c0_offset_div2: 0,
      slice_beta_offset_div2: 0,
      slice_group_change_cycle: 0,
    };
    header.reset();
    writeSliceHeader(header, slice, { nal, sps: sets.sps, pps: sets.pps });
  }
}
