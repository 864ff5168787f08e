// The public surface of the decoder, on streams written with the twins.

import { expect, test } from '@jest/globals';
import { joinAnnexB } from '../../../../../../shared/bitstream/annex-b.ts';
import { BitWriter } from '../../../../../../shared/bitstream/bit-writer.ts';
import type { DecodeErrorReport } from '../../../../../../shared/codec/h264/codec-types.ts';
import { H264Decoder } from '../../../../../../shared/codec/h264/decoder.ts';
import { writeNalUnit } from '../../../../../../shared/codec/h264/syntax/nal-unit.ts';
import { writePps } from '../../../../../../shared/codec/h264/syntax/pps.ts';
import { writeSliceHeader, type SliceHeader } from '../../../../../../shared/codec/h264/syntax/slice-header.ts';
import { writeSps, type SequenceParameterSet } from '../../../../../../shared/codec/h264/syntax/sps.ts';
import type { I420Frame } from '../../../../../../shared/media/frame.ts';
import type { ThreadHost } from '../../../../../../shared/codec/h264/threads/thread-host.ts';
import { microseconds } from '../../../../../../shared/media/time.ts';
import { plainPps as pps, plainSps } from '../../../../../support/plain-parameter-sets.ts';

const idr: SliceHeader = {
  first_mb_in_slice: 0,
  slice_type: 7,
  pic_parameter_set_id: 0,
  colour_plane_id: 0,
  frame_num: 0,
  field_pic_flag: false,
  bottom_field_flag: false,
  idr_pic_id: 0,
  pic_order_cnt_lsb: 0,
  delta_pic_order_cnt_bottom: 0,
  delta_pic_order_cnt: [0, 0],
  redundant_pic_cnt: 0,
  direct_spatial_mv_pred_flag: false,
  num_ref_idx_active: [0, 0],
  ref_pic_list_modification: [[], []],
  pred_weight_table: null,
  dec_ref_pic_marking: { kind: 'idr', no_output_of_prior_pics_flag: false, long_term_reference_flag: false },
  cabac_init_idc: 0,
  slice_qp_delta: 0,
  sp_for_switch_flag: false,
  slice_qs_delta: 0,
  disable_deblocking_filter_idc: 0,
  slice_alpha_c0_offset_div2: 0,
  slice_beta_offset_div2: 0,
  slice_group_change_cycle: 0,
};

/** An IDR picture of I_PCM macroblocks, every sample `value`. */
function pcmPicture(value: number, idr_pic_id: number, sps: SequenceParameterSet = plainSps): Uint8Array {
  const writer = new BitWriter();
  const nal = { nal_ref_idc: 3, nal_unit_type: 5 };
  writeSliceHeader(writer, { ...idr, idr_pic_id }, { nal, sps, pps });
  for (let mb = 0; mb < 16; mb++) {
    writer.ue(25);
    writer.align(0);
    writer.append(new Uint8Array(384).fill(value));
  }
  writer.trailingBits();
  return writeNalUnit({ ...nal, rbsp: writer.toBytes() });
}

const parameterSets = (sps: SequenceParameterSet = plainSps): Uint8Array[] => [
  writeNalUnit({ nal_ref_idc: 3, nal_unit_type: 7, rbsp: writeSps(sps) }),
  writeNalUnit({ nal_ref_idc: 3, nal_unit_type: 8, rbsp: writePps(pps) }),
];

function setUp(): { decoder: H264Decoder; frames: I420Frame[]; errors: DecodeErrorReport[] } {
  const frames: I420Frame[] = [];
  const errors: DecodeErrorReport[] = [];
  const decoder = new H264Decoder({ output: (frame) => frames.push(frame), error: (report) => errors.push(report) });
  decoder.configure({ format: 'annexb' });
  return { decoder, frames, errors };
}

const chunk = (nalUnits: readonly Uint8Array[], timestamp: number) =>
  ({ type: 'key', timestamp: microseconds(timestamp), data: joinAnnexB(nalUnits) }) as const;

test('gives a picture within the call that brought its access unit, with its timestamp', () => {
  const { decoder, frames, errors } = setUp();
  decoder.decode(chunk([...parameterSets(), pcmPicture(77, 0)], 1234));
  expect(errors).toEqual([]);
  expect(frames).toHaveLength(1);
  const [frame] = frames;
  expect([frame!.width, frame!.height, frame!.timestamp]).toEqual([64, 64, 1234]);
  expect(frame!.y.data[64 * 63 + 63]).toBe(77);
  expect(frame!.v.data[0]).toBe(77);
});

test('frames that the receiver keeps open stay what they are, however many', () => {
  const { decoder, frames } = setUp();
  for (let i = 0; i < 20; i++) {
    decoder.decode(chunk([...parameterSets(), pcmPicture(10 + i, i)], i));
  }
  decoder.flush();
  expect(frames.map((frame) => frame.y.data[0])).toEqual(Array.from({ length: 20 }, (_, i) => 10 + i));
  frames.forEach((frame) => frame.close());
  frames.forEach((frame) => frame.close());
});

test('a crop rectangle is applied at output', () => {
  const sps = {
    ...plainSps,
    frame_cropping: {
      frame_crop_left_offset: 1,
      frame_crop_right_offset: 2,
      frame_crop_top_offset: 3,
      frame_crop_bottom_offset: 0,
    },
  };
  const { decoder, frames } = setUp();
  decoder.decode(chunk([...parameterSets(sps), pcmPicture(5, 0, sps)], 0));
  expect([frames[0]!.width, frames[0]!.height, frames[0]!.u.width, frames[0]!.u.height]).toEqual([58, 58, 29, 29]);
});

test('a slice without its parameter sets is reported, not thrown', () => {
  const { decoder, frames, errors } = setUp();
  decoder.decode(chunk([pcmPicture(5, 0)], 0));
  expect(frames).toEqual([]);
  expect(errors).toEqual([expect.objectContaining({ code: 'missing-parameter-set', accessUnit: 0, nal: 0 })]);
});

test('a sequence that asks for more memory than any level is refused as unsupported', () => {
  const sps = {
    ...plainSps,
    level_idc: 62,
    max_num_ref_frames: 16,
    pic_width_in_mbs_minus1: 371,
    pic_height_in_map_units_minus1: 371,
  };
  const { decoder, errors } = setUp();
  decoder.decode(chunk([...parameterSets(sps), pcmPicture(5, 0, sps)], 0));
  expect(errors.map((report) => report.code)).toEqual(['unsupported']);
});

test('a sequence that is refused leaves the one before as it is: its pictures still wait for their turn', () => {
  const sps = { ...plainSps, pic_order_cnt_type: 0 };
  const huge = {
    ...sps,
    level_idc: 62,
    max_num_ref_frames: 16,
    pic_width_in_mbs_minus1: 371,
    pic_height_in_map_units_minus1: 371,
  };
  const { decoder, frames, errors } = setUp();
  decoder.decode(chunk([...parameterSets(sps), pcmPicture(5, 0, sps)], 0));
  decoder.decode(chunk([...parameterSets(huge), pcmPicture(6, 1, huge)], 1));
  expect(errors.map((report) => report.code)).toEqual(['unsupported']);
  expect(frames).toHaveLength(0);
  decoder.flush();
  expect(frames.map((frame) => frame.y.data[0])).toEqual([5]);
});

/** Sequences that a decoder lends to the second thread it asked for, when it comes to the slice of the stream. */
function lentSequences(sps: SequenceParameterSet): { lent: number; errors: DecodeErrorReport[] } {
  let lent = 0;
  const errors: DecodeErrorReport[] = [];
  const threadHost: ThreadHost = {
    parallelism: 2,
    start: () => ({ post: () => lent++, terminate: () => Promise.resolve() }),
  };
  const decoder = new H264Decoder({ output: () => undefined, error: (report) => errors.push(report), threadHost });
  decoder.configure({ format: 'annexb', threads: 2 });
  decoder.decode(chunk([...parameterSets(sps), pcmPicture(5, 0, sps)], 0));
  decoder.close();
  return { lent, errors };
}

test('pictures so big that a second thread would not fit beside them are decoded by one', () => {
  const sps = {
    ...plainSps,
    level_idc: 62,
    max_num_ref_frames: 4,
    pic_width_in_mbs_minus1: 8192 / 16 - 1,
    pic_height_in_map_units_minus1: 4320 / 16 - 1,
  };
  expect(lentSequences(plainSps).lent).toBe(1);
  const { lent, errors } = lentSequences(sps);
  expect(lent).toBe(0);
  expect(errors.map((report) => report.code)).not.toContain('unsupported');
});

test('misuse is a TypeError in a full sentence', () => {
  const decoder = new H264Decoder({ output: () => undefined, error: () => undefined });
  expect(() => decoder.decode(chunk([], 0))).toThrow(new TypeError('Call configure() before decode().'));
  decoder.close();
  decoder.close();
  expect(() => decoder.flush()).toThrow(new TypeError('The decoder is closed.'));
});
