// Detection of the first slice of a new primary coded picture (7.4.1.2.4). Called by the decoder and by whoever groups NAL units.

import type { SliceContext, SliceHeader } from './slice-header.ts';

/** A slice as the comparison sees it. */
export type SliceOfPicture = { readonly header: SliceHeader; readonly context: SliceContext };

/** `next` belongs to another picture than `last`, the slice before it. */
export function isNewPicture(last: SliceOfPicture, next: SliceOfPicture): boolean {
  const { header, context } = next;
  const { nal, sps } = context;
  const lastNal = last.context.nal;
  const isIdr = nal.nal_unit_type === 5;
  const a = last.header;
  return (
    header.frame_num !== a.frame_num ||
    header.pic_parameter_set_id !== a.pic_parameter_set_id ||
    header.field_pic_flag !== a.field_pic_flag ||
    header.bottom_field_flag !== a.bottom_field_flag ||
    (nal.nal_ref_idc === 0) !== (lastNal.nal_ref_idc === 0) ||
    isIdr !== (lastNal.nal_unit_type === 5) ||
    (isIdr && header.idr_pic_id !== a.idr_pic_id) ||
    (sps.pic_order_cnt_type === 0 &&
      (header.pic_order_cnt_lsb !== a.pic_order_cnt_lsb ||
        header.delta_pic_order_cnt_bottom !== a.delta_pic_order_cnt_bottom)) ||
    (sps.pic_order_cnt_type === 1 &&
      (header.delta_pic_order_cnt[0] !== a.delta_pic_order_cnt[0] ||
        header.delta_pic_order_cnt[1] !== a.delta_pic_order_cnt[1]))
  );
}
