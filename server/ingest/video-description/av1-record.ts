// AV1CodecConfigurationRecord (AV1 in ISO BMFF, 2.3.3) and as much of the sequence header OBU (AV1 specification, 5.5) as tells the
// size. Used by video-description.ts.

import { BitReader } from '../../../shared/bitstream/bit-reader.ts';
import { ContainerError } from '../../../shared/errors.ts';

const OBU_SEQUENCE_HEADER = 1;

/** Codec string, and the size where the record carries the sequence header. Throws for a damaged record. */
export function describeAv1Record(record: Uint8Array): {
  readonly codec: string;
  readonly size: { readonly width: number; readonly height: number } | null;
} {
  const [marker, profileLevel, flags] = record;
  if (marker !== 0x81 || profileLevel === undefined || flags === undefined || record.length < 4) {
    throw new ContainerError('The av1C record is damaged.', 0);
  }
  const level = String(profileLevel & 0x1f).padStart(2, '0');
  const tier = (flags & 0x80) === 0 ? 'M' : 'H';
  const hasHighDepth = (flags & 0x40) !== 0;
  const depth = hasHighDepth ? ((flags & 0x20) === 0 ? '10' : '12') : '08';
  const codec = `av01.${profileLevel >> 5}.${level}${tier}.${depth}`;
  const header = findSequenceHeader(record.subarray(4));
  return { codec, size: header === null ? null : sizeOf(new BitReader(header)) };
}

/** The payload of the first sequence header OBU (5.3). */
function findSequenceHeader(obus: Uint8Array): Uint8Array | null {
  let offset = 0;
  while (offset < obus.length) {
    const header = obus[offset] ?? 0;
    offset += (header & 0x04) === 0 ? 1 : 2; // obu_extension_flag
    let size = obus.length - offset;
    if ((header & 0x02) !== 0) {
      const length = readLeb128(obus, offset);
      size = length.value;
      offset += length.bytes;
    }
    if (((header >> 3) & 0x0f) === OBU_SEQUENCE_HEADER) {
      return obus.subarray(offset, offset + size);
    }
    offset += size;
  }
  return null;
}

function readLeb128(data: Uint8Array, offset: number): { readonly value: number; readonly bytes: number } {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = data[offset + i] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) {
      return { value, bytes: i + 1 };
    }
  }
  throw new ContainerError('The av1C record holds an OBU of impossible size.', offset);
}

/** sequence_header_obu( ) up to max_frame_height_minus_1 (5.5.1). */
function sizeOf(reader: BitReader): { readonly width: number; readonly height: number } {
  reader.skip(3 + 1); // seq_profile, still_picture
  const reduced_still_picture_header = reader.flag();
  if (reduced_still_picture_header) {
    reader.skip(5); // seq_level_idx[ 0 ]
  } else {
    const bufferDelayLength = skipTimingInfo(reader);
    skipOperatingPoints(reader, bufferDelayLength);
  }
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  return { width: reader.bits(widthBits) + 1, height: reader.bits(heightBits) + 1 };
}

/** Returns buffer_delay_length_minus_1 + 1, or null without a decoder model (5.5.3, 5.5.4). */
function skipTimingInfo(reader: BitReader): number | null {
  if (!reader.flag()) {
    return null; // timing_info_present_flag
  }
  reader.skip(32 + 32); // num_units_in_display_tick, time_scale
  if (reader.flag()) {
    reader.ue(); // num_ticks_per_picture_minus_1, uvlc() is ue(v)
  }
  if (!reader.flag()) {
    return null; // decoder_model_info_present_flag
  }
  const bufferDelayLength = reader.bits(5) + 1;
  reader.skip(32 + 5 + 5);
  return bufferDelayLength;
}

function skipOperatingPoints(reader: BitReader, bufferDelayLength: number | null): void {
  const initial_display_delay_present_flag = reader.flag();
  const operating_points_cnt = reader.bits(5) + 1;
  for (let i = 0; i < operating_points_cnt; i++) {
    reader.skip(12); // operating_point_idc
    if (reader.bits(5) > 7) {
      reader.skip(1); // seq_tier
    }
    if (bufferDelayLength !== null && reader.flag()) {
      reader.skip(2 * bufferDelayLength + 1); // operating_parameters_info( )
    }
    if (initial_display_delay_present_flag && reader.flag()) {
      reader.skip(4);
    }
  }
}
