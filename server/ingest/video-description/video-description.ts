// What a configuration record (avcC, hvcC, av1C, vpcC) says about the pictures: codec string (RFC 6381), size after cropping, sample
// aspect, colour. Given to the FLV demuxer by RTMP ingest and the CLI, because containers know no codec.

import { parseAvcDecoderConfigurationRecord } from '../../../shared/bitstream/avcc.ts';
import { parseNalUnit } from '../../../shared/codec/h264/syntax/nal-unit.ts';
import { codecStringOf, colourOf, parseSps, pictureSizeOf } from '../../../shared/codec/h264/syntax/sps.ts';
import { sampleAspectOf } from '../../../shared/codec/h264/syntax/vui.ts';
import type { VideoDescriber, VideoFacts } from '../../../shared/containers/flv/flv-demuxer.ts';
import type { FlvMetaData } from '../../../shared/containers/flv/on-meta-data.ts';
import { ContainerError, ProtocolError } from '../../../shared/errors.ts';
import type { ColourDescription } from '../../../shared/media/colour.ts';
import { UNSPECIFIED_COLOUR } from '../../../shared/media/colour.ts';
import { describeAv1Record } from './av1-record.ts';
import { describeHevcRecord } from './hevc-record.ts';

/** Larger claims are nonsense. */
const MAX_SIDE = 16_384;

/** Reads the record. Throws ContainerError, BitstreamError or ProtocolError `unsupported-codec` when it cannot be used. */
export const describeVideo: VideoDescriber = (codec, record, hint) => {
  switch (codec) {
    case 'avc':
      return checkSize(describeAvcRecord(record));
    case 'hevc':
      return checkSize({ ...describeHevcRecord(record), ...plain });
    case 'av1':
      return checkSize(describeAv1(record, hint));
    case 'vp9':
      return checkSize({ ...describeVp9Record(record), ...hintedSize(hint) });
  }
};

const plain = { sampleAspect: [1, 1], colour: UNSPECIFIED_COLOUR } as const;

function describeAvcRecord(record: Uint8Array): VideoFacts {
  const [first] = parseAvcDecoderConfigurationRecord(record).sequenceParameterSets;
  if (first === undefined) {
    throw new ContainerError('The avcC record holds no sequence parameter set.', 5);
  }
  const sps = parseSps(parseNalUnit(first).rbsp);
  const { width, height } = pictureSizeOf(sps);
  return { codec: codecStringOf(sps), width, height, sampleAspect: sampleAspectOf(sps.vui), colour: colourOf(sps) };
}

function describeAv1(record: Uint8Array, hint: FlvMetaData): VideoFacts {
  const { codec, size } = describeAv1Record(record);
  return { ...plain, codec, ...(size ?? hintedSize(hint)) };
}

/** VPCodecConfigurationRecord (VP9 in ISO BMFF, 2.2); some writers put the box's version and flags before it. It names no size. */
function describeVp9Record(record: Uint8Array): Omit<VideoFacts, 'width' | 'height'> {
  const start = record.length >= 12 && record[0] === 1 && record[1] === 0 && record[2] === 0 && record[3] === 0 ? 4 : 0;
  const [profile, level, depths, primaries, transfer, matrix] = record.subarray(start);
  if (profile === undefined || level === undefined || depths === undefined) {
    throw new ContainerError('The VP9 configuration record is too short.', 0);
  }
  const two = (value: number): string => String(value).padStart(2, '0');
  const colour: ColourDescription = {
    colour_primaries: primaries ?? 2,
    transfer_characteristics: transfer ?? 2,
    matrix_coefficients: matrix ?? 2,
    video_full_range_flag: (depths & 1) !== 0,
  };
  return { codec: `vp09.${two(profile)}.${two(level)}.${two(depths >> 4)}`, sampleAspect: [1, 1], colour };
}

type Size = Pick<VideoFacts, 'width' | 'height'>;

/** What onMetaData said about the size, for records that do not. */
function hintedSize(hint: FlvMetaData): Size {
  const { width, height } = hint;
  if (width === undefined || height === undefined) {
    throw new ProtocolError('unsupported-codec', 'The publisher does not say how big its pictures are.');
  }
  return { width: Math.round(width), height: Math.round(height) };
}

function checkSize(facts: VideoFacts): VideoFacts {
  const { width, height } = facts;
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE) {
    throw new ContainerError(`Pictures of ${width}x${height} are not possible.`, 0);
  }
  return facts;
}
