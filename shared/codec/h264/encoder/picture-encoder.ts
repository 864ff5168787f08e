// Codes one picture: slice headers, slices, deblocking one row behind, borders of the reconstruction. Called by H264Encoder.

import { BitWriter } from '../../../bitstream/bit-writer.ts';
import type { EncoderKernels } from '../kernels/encoder-kernels.ts';
import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { KernelKind } from '../kernels/kernels.ts';
import { CodingGrid } from '../macroblock/coding-grid.ts';
import type { MacroblockState } from '../macroblock/coding-state.ts';
import { NAL_UNIT_TYPE, type NalHeader } from '../syntax/nal-unit.ts';
import type { PredWeightTable } from '../syntax/pred-weight-table.ts';
import { SLICE_TYPE, type SliceHeader, writeSliceHeader } from '../syntax/slice-header.ts';
import type { ThreadHost } from '../threads/thread-host.ts';
import { type Fade, LOG2_WEIGHT_DENOM } from './fade-detection.ts';
import type { PicturePlan } from './gop-structure.ts';
import type { RefreshBand } from './intra-refresh.ts';
import type { ParameterSets } from './parameter-sets.ts';
import { allocatePicture, CHROMA_BORDER, type CodedSize, type EncoderPicture, LUMA_BORDER } from './picture-store.ts';
import type { Tools } from './presets.ts';
import { SliceCoder, sliceCoderBytes, type SliceOrder, type SlicePicture, type SliceSetup } from './slice-coder.ts';
import { evenCut, SliceTeam } from './slice-team.ts';

const { min } = Math;

/** Bytes that a PictureEncoder takes from a codec memory, beside pictures. */
export function pictureEncoderBytes(size: CodedSize, threads: number): number {
  const mbWidth = size.width >> 4;
  return CodingGrid.bytes(mbWidth, size.height >> 4) + sliceCoderBytes(size) + SliceTeam.bytes(size, threads) + 1024;
}

/** How a picture is cut and who codes it. */
export type PictureThreads = {
  readonly threads: number;
  readonly host: ThreadHost | null;
  readonly kernels: KernelKind;
  /** Slices per picture; null: as many as threads. */
  readonly slices: number | null;
};

/** A coded slice: its header byte's fields and its RBSP (valid until the next slice is coded). */
export type SliceSink = (nal: NalHeader, rbsp: Uint8Array) => void;

/** What rate control says about a picture. */
export type PictureQp = {
  readonly first: number;
  /** A row is complete, `bits` of the picture are written: QP of the next row. */
  readonly afterRow: (row: number, bits: number) => number;
  /** The same where the QP of the rows could not change any more. */
  readonly rowCoded: (row: number, bits: number) => void;
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
  private readonly threads: PictureThreads;
  private readonly grid: CodingGrid;
  private readonly coder: SliceCoder;
  private readonly team: SliceTeam | null;
  /** Luma of the first reference, weighted; null where fades are not weighted. */
  private readonly weighted: EncoderPicture | null;
  private readonly bytes: Uint8Array;
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
    options: { readonly threads: PictureThreads; readonly now: (() => number) | null },
  ) {
    const { threads } = options;
    this.weighted = tools.weighted ? allocatePicture(memory, size) : null;
    this.bytes = memory.bytes;
    this.kernels = kernels;
    this.size = size;
    this.sets = sets;
    this.threads = threads;
    const setup: SliceSetup = {
      size,
      tools,
      chromaOffset: sets.pps.chroma_qp_index_offset,
      verticalLimit: sets.verticalLimit,
      filterOffsets: sets.filterOffsets,
    };
    this.grid = new CodingGrid(memory, size.width >> 4, size.height >> 4);
    this.coder = new SliceCoder(kernels, memory, this.grid, setup);
    this.coder.now = options.now;
    this.team = threads.threads === 1 ? null : new SliceTeam(memory, this.grid, { ...threads, setup });
  }

  /** Codes `source` as `plan` says. May be called again for the same picture. Returns the bits of its slices. */
  code(source: EncoderPicture, plan: PicturePlan, qp: PictureQp, sink: SliceSink): number {
    const { target, references } = plan;
    const isFromLast = references.length > 0 && references[0] === this.lastTarget;
    const fade = isFromLast && !qp.isRepetition ? qp.fade : null;
    this.coder.filterMs = 0;
    this.grid.qpOffsets.set(qp.offsets);
    const picture: SlicePicture = {
      isIntra: plan.isIntra,
      source,
      target,
      references,
      searchReferences: fade === null ? references : this.weightedReferences(references, fade),
      fade,
      previousSource: isFromLast && fade === null ? qp.previousSource : null,
      tracksStill: qp.previousSource !== null,
      isRepetition: qp.isRepetition,
      band: qp.band,
      parity: this.parity,
    };
    const nal: NalHeader = {
      nal_ref_idc: plan.isReference ? (plan.isIdr ? 3 : 2) : 0,
      nal_unit_type: plan.isIdr ? NAL_UNIT_TYPE.IDR_SLICE : NAL_UNIT_TYPE.SLICE,
    };
    const bits =
      this.team === null
        ? this.codeAlone(picture, plan, nal, qp, sink)
        : this.codeTogether(this.team, picture, plan, nal, qp, sink);
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

  /** One slice after the other on this thread; QP moves from row to row. */
  private codeAlone(picture: SlicePicture, plan: PicturePlan, nal: NalHeader, qp: PictureQp, sink: SliceSink): number {
    const { coder } = this;
    const { mbHeight } = this.grid;
    coder.begin(picture);
    const starts = evenCut(min(this.threads.slices ?? 1, mbHeight), mbHeight);
    let bits = 0;
    let rowQp = qp.first;
    for (const [index, firstRow] of starts.entries()) {
      const order = this.orderOf(plan, nal, picture.fade, {
        index,
        firstRow,
        endRow: starts[index + 1] ?? mbHeight,
        QPY: rowQp,
      });
      const rbsp = coder.code(order, (row, sliceBits) => {
        if (row > 0) {
          coder.filterRow(row - 1);
        }
        rowQp = qp.afterRow(row, bits + sliceBits);
        return rowQp;
      });
      bits += 8 * rbsp.length;
      sink(nal, rbsp);
    }
    coder.filterRow(mbHeight - 1);
    return bits;
  }

  /** All slices at once with the QP of the picture; rate control hears of the rows afterwards. */
  private codeTogether(
    team: SliceTeam,
    picture: SlicePicture,
    plan: PicturePlan,
    nal: NalHeader,
    qp: PictureQp,
    sink: SliceSink,
  ): number {
    const { mbHeight } = this.grid;
    const { slices, threads } = this.threads;
    const count = min(slices ?? threads, mbHeight);
    const starts = slices === null ? team.cut(count) : evenCut(count, mbHeight);
    const orders = starts.map((firstRow, index) =>
      this.orderOf(plan, nal, picture.fade, { index, firstRow, endRow: starts[index + 1] ?? mbHeight, QPY: qp.first }),
    );
    team.code(this.coder, picture, orders);
    let bits = 0;
    for (const order of orders) {
      for (let row = order.firstRow; row < order.endRow; row++) {
        qp.rowCoded(row, bits + team.board.bitsUpTo(row));
      }
      const rbsp = team.board.rbsp(order);
      bits += 8 * rbsp.length;
      sink(nal, rbsp);
    }
    return bits;
  }

  /** The coding state, for statistics. */
  get state(): MacroblockState {
    return this.coder.state;
  }

  /** Milliseconds that deblocking of the last picture took on the caller's thread; 0 without a clock. */
  get filterMs(): number {
    return this.coder.filterMs;
  }

  /** Slices that lent threads have coded. */
  get lentSlices(): number {
    return this.team?.board.lentSlices ?? 0;
  }

  /** Pictures coded again because a lent thread failed. */
  get threadFailures(): number {
    return this.team?.failures ?? 0;
  }

  /** Ends lent threads. */
  close(): void {
    this.team?.close();
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

  /** The order of a slice with its slice_header(). */
  private orderOf(
    plan: PicturePlan,
    nal: NalHeader,
    fade: Fade | null,
    slice: Pick<SliceOrder, 'index' | 'firstRow' | 'endRow' | 'QPY'>,
  ): SliceOrder {
    const { header } = this;
    this.writeHeader(plan, nal, slice.firstRow * this.grid.mbWidth, slice.QPY, fade);
    const tailBits = header.position & 7;
    header.align(0);
    const bytes = Array.from(header.view());
    const tail = tailBits === 0 ? 0 : (bytes.pop() ?? 0) >> (8 - tailBits);
    return { ...slice, header: bytes, tail, tailBits };
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
