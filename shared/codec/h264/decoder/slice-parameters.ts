// Takes a slice header into the slice state: flags, reference lists, weights. Called once per slice by picture-decoder.ts.

import { BitstreamError } from '../../../errors.ts';
import type { Picture, Structure } from '../dpb/picture.ts';
import { buildReferenceLists } from '../dpb/reference-lists.ts';
import { SLICE_TYPE, type SliceContext, type SliceHeader } from '../syntax/slice-header.ts';
import { setExplicitWeights, setImplicitWeights, setReferences, setTemporalScale } from './slice-references.ts';
import type { SliceState } from './slice-state.ts';

/** Sets everything of a slice but its references. Throws 'unsupported' for SP and SI slices. */
export function setSliceParameters(s: SliceState, header: SliceHeader, { sps, pps }: SliceContext): void {
  const type = header.slice_type % 5;
  if (type === SLICE_TYPE.SP || type === SLICE_TYPE.SI) {
    throw new BitstreamError('unsupported', '8.6', 0, 'SP and SI slices are not supported.');
  }
  s.isB = type === SLICE_TYPE.B;
  s.isIntraSlice = type === SLICE_TYPE.I;
  s.isCabac = pps.entropy_coding_mode_flag;
  s.direct_spatial_mv_pred_flag = header.direct_spatial_mv_pred_flag;
  s.direct_8x8_inference_flag = sps.direct_8x8_inference_flag;
  s.transform_8x8_mode_flag = pps.high?.transform_8x8_mode_flag ?? false;
  s.constrained_intra_pred_flag = pps.constrained_intra_pred_flag;
  s.weightMode = 0;
  s.colocated = null;
  s.numRef0 = 0;
  s.numRef1 = 0;
}

/** Where the references of a slice come from. */
export type ReferenceSource = {
  readonly frames: readonly Picture[];
  readonly structure: Structure;
  /** Stands in for references that are not there. */
  readonly substitute: Picture;
};

/** Builds the reference lists and what follows from them. Returns whether they have holes. */
export function setSliceReferences(
  s: SliceState,
  header: SliceHeader,
  { sps, pps }: SliceContext,
  { frames, structure, substitute }: ReferenceSource,
): boolean {
  if (s.isIntraSlice) {
    return false;
  }
  const lists = buildReferenceLists({
    frames,
    header,
    structure,
    PicOrderCnt: s.picture.orderOf(structure),
    MaxFrameNum: 1 << (sps.log2_max_frame_num_minus4 + 4),
    pic_order_cnt_type: sps.pic_order_cnt_type,
  });
  const hasHoles = setReferences(s, lists, structure, substitute);
  if (s.isB) {
    s.colocated = lists[1][0] ?? { picture: substitute, structure };
    setTemporalScale(s, structure);
    s.weightMode = pps.weighted_bipred_idc;
    if (s.weightMode === 2) {
      setImplicitWeights(s, structure);
    }
  } else {
    s.weightMode = pps.weighted_pred_flag ? 1 : 0;
  }
  if (s.weightMode === 1 && header.pred_weight_table !== null) {
    setExplicitWeights(s, header.pred_weight_table);
  }
  return hasHoles;
}
