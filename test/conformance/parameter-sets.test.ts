// Parameter sets in mid-stream (7.4.1.2.1): repeated before every picture they change nothing, and a picture parameter set may come with
// new content under the same id between two pictures. With one thread and with two, which then has pictures of both contents under way.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { joinAnnexB, splitAnnexB } from '../../shared/bitstream/annex-b.ts';
import { BitReader } from '../../shared/bitstream/bit-reader.ts';
import { BitWriter } from '../../shared/bitstream/bit-writer.ts';
import { parseNalUnit, writeNalUnit, type NalUnit } from '../../shared/codec/h264/syntax/nal-unit.ts';
import { parsePps, writePps, type PictureParameterSet } from '../../shared/codec/h264/syntax/pps.ts';
import {
  findSliceContext,
  parseSliceHeader,
  writeSliceHeader,
  type SliceContext,
} from '../../shared/codec/h264/syntax/slice-header.ts';
import { parseSps, type SequenceParameterSet } from '../../shared/codec/h264/syntax/sps.ts';
import { conformanceStreams, expectedFrames, streamBytes } from '../support/conformance-streams.ts';
import { decodeFrames } from '../support/decode-frames.ts';
import { describeWith } from '../support/requirements.ts';
import { WarmThreadHost } from '../support/warm-thread-host.ts';

/** CAVLC and CABAC, scaling matrices, fields, several slices per picture. */
const STREAMS = ['FRExt3_Panasonic_E', 'HCAFF1_HHI_B', 'SL1_SVA_B', 'CABASTBR3_Sony_B', 'test_scalinglist_jm'];

const isSlice = ({ nal_unit_type }: NalUnit): boolean => nal_unit_type === 1 || nal_unit_type === 5;
const beginsPicture = (nal: NalUnit): boolean => isSlice(nal) && new BitReader(nal.rbsp).ue() === 0;

function nalUnitsOf(name: string): NalUnit[] {
  const bytes = streamBytes(conformanceStreams.find((stream) => stream.name === name)!);
  return splitAnnexB(bytes).map(({ start, end }) => parseNalUnit(bytes.subarray(start, end)));
}

/** The stream with all parameter sets so far again before every picture. */
function withRepetitions(nalUnits: readonly NalUnit[]): NalUnit[] {
  const sets = new Map<string, NalUnit>();
  return nalUnits.flatMap((nal) => {
    if (nal.nal_unit_type === 7 || nal.nal_unit_type === 8) {
      sets.set(`${nal.nal_unit_type} ${new BitReader(nal.rbsp, nal.nal_unit_type === 7 ? 24 : 0).ue()}`, nal);
    }
    return beginsPicture(nal) ? [...sets.values(), nal] : [nal];
  });
}

/** The slice for another picture parameter set: its header is written anew, its data copied bit by bit. */
function sliceFor(pps: PictureParameterSet, nal: NalUnit, context: SliceContext): NalUnit {
  const reader = new BitReader(nal.rbsp);
  const header = parseSliceHeader(reader, context);
  const slice_qp_delta = header.slice_qp_delta + context.pps.pic_init_qp_minus26 - pps.pic_init_qp_minus26;
  const writer = new BitWriter();
  writeSliceHeader(writer, { ...header, slice_qp_delta }, { ...context, pps });
  if (pps.entropy_coding_mode_flag) {
    reader.align();
    writer.align(1);
  }
  while (reader.position < reader.lastOne) {
    writer.bits(reader.bits(1), 1);
  }
  writer.trailingBits();
  return { ...nal, rbsp: writer.toBytes() };
}

/** The same stream with other QPs and numbers of references in the picture parameter set of each picture, and slice headers that fit. */
function withChangingContent(nalUnits: readonly NalUnit[]): NalUnit[] {
  const spsById = new Map<number, SequenceParameterSet>();
  const ppsById = new Map<number, PictureParameterSet>();
  const lookup = { sps: (id: number) => spsById.get(id), pps: (id: number) => ppsById.get(id) };
  const result: NalUnit[] = [];
  let pictures = 0;
  for (const nal of nalUnits) {
    if (nal.nal_unit_type === 8) {
      const pps = parsePps(nal.rbsp);
      ppsById.set(pps.pic_parameter_set_id, pps);
    } else if (nal.nal_unit_type === 7) {
      const sps = parseSps(nal.rbsp);
      spsById.set(sps.seq_parameter_set_id, sps);
    }
    if (!isSlice(nal)) {
      result.push(nal);
      continue;
    }
    const context = findSliceContext(nal.rbsp, nal, lookup);
    pictures += beginsPicture(nal) ? 1 : 0;
    const pps = {
      ...context.pps,
      pic_init_qp_minus26: -(pictures % 7),
      num_ref_idx_l0_default_active_minus1: pictures % 3,
    };
    if (beginsPicture(nal)) {
      result.push({ nal_ref_idc: 3, nal_unit_type: 8, rbsp: writePps(pps) });
    }
    result.push(sliceFor(pps, nal, context));
  }
  return result;
}

describeWith(['material'], 'parameter sets in mid-stream', () => {
  const host = new WarmThreadHost();

  beforeAll(() => host.warmUp(), 180_000);
  afterAll(() => host.close());

  function expectFramesOf(name: string, nalUnits: readonly NalUnit[]): void {
    const chunks = nalUnits.map((nal) => joinAnnexB([writeNalUnit(nal)]));
    for (const config of [{}, { threads: 2 }, { kernels: 'reference' as const }]) {
      const { frames, errors } = decodeFrames(chunks, config, host);
      expect(errors).toEqual([]);
      expect(frames).toEqual(expectedFrames(name));
    }
  }

  for (const name of STREAMS) {
    test(`${name} is the same with its parameter sets before every picture`, () => {
      const nalUnits = nalUnitsOf(name);
      const repeated = withRepetitions(nalUnits);
      expect(repeated.length).toBeGreaterThanOrEqual(nalUnits.length + 2 * nalUnits.filter(beginsPicture).length);
      expectFramesOf(name, repeated);
    }, 60_000);

    test(`${name} is the same when the content of its picture parameter set changes from picture to picture`, () => {
      expectFramesOf(name, withChangingContent(nalUnitsOf(name)));
    }, 60_000);
  }

  test('the second thread decoded pictures', () => {
    expect(host.jobs).toBeGreaterThan(0);
  });
});
