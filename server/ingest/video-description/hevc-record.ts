// HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1) and as much of the HEVC sequence parameter set
// (Rec. ITU-T H.265, 7.3.2.2) as tells the size. Used by video-description.ts.

import { BitReader } from '../../../shared/bitstream/bit-reader.ts';
import { toRbsp } from '../../../shared/bitstream/emulation-prevention.ts';
import { ContainerError } from '../../../shared/errors.ts';

const SPS_NUT = 33;
const ARRAYS_AT = 22;
const NAL_HEADER_BYTES = 2;

/** Codec string and size after the conformance window. Throws ContainerError or BitstreamError for a damaged record. */
export function describeHevcRecord(record: Uint8Array): {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
} {
  if (record.length <= ARRAYS_AT) {
    throw new ContainerError('The hvcC record is too short.', 0);
  }
  return { codec: codecString(record), ...sizeOf(findSps(record)) };
}

/** `hvc1.1.6.L93.B0` (14496-15, E.3). */
function codecString(record: Uint8Array): string {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const general = view.getUint8(1);
  const space = ['', 'A', 'B', 'C'][general >> 6] ?? '';
  const tier = (general & 0x20) === 0 ? 'L' : 'H';
  const compatibility = reverseBits(view.getUint32(2)).toString(16).toUpperCase();
  const constraints = [...record.subarray(6, 12)];
  while (constraints.at(-1) === 0) {
    constraints.pop();
  }
  const constraintText = constraints.map((byte) => `.${byte.toString(16).toUpperCase()}`).join('');
  return `hvc1.${space}${general & 0x1f}.${compatibility}.${tier}${view.getUint8(12)}${constraintText}`;
}

function reverseBits(value: number): number {
  let reversed = 0;
  for (let i = 0; i < 32; i++) {
    reversed = reversed * 2 + ((value >>> i) & 1);
  }
  return reversed;
}

/** The first SPS NAL unit of the record's arrays. */
function findSps(record: Uint8Array): Uint8Array {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  let offset = ARRAYS_AT + 1;
  for (let array = 0; array < view.getUint8(ARRAYS_AT) && offset + 3 <= record.length; array++) {
    const nal_unit_type = view.getUint8(offset) & 0x3f;
    const count = view.getUint16(offset + 1);
    offset += 3;
    for (let i = 0; i < count && offset + 2 <= record.length; i++) {
      const length = view.getUint16(offset);
      if (nal_unit_type === SPS_NUT) {
        return record.subarray(offset + 2, offset + 2 + length);
      }
      offset += 2 + length;
    }
  }
  throw new ContainerError('The hvcC record holds no sequence parameter set.', ARRAYS_AT);
}

function sizeOf(sps: Uint8Array): { readonly width: number; readonly height: number } {
  const reader = new BitReader(toRbsp(sps.subarray(NAL_HEADER_BYTES)));
  reader.skip(4); // sps_video_parameter_set_id
  const sps_max_sub_layers_minus1 = reader.bits(3);
  reader.skip(1); // sps_temporal_id_nesting_flag
  skipProfileTierLevel(reader, sps_max_sub_layers_minus1);
  reader.ue(); // sps_seq_parameter_set_id
  const chroma_format_idc = reader.ue();
  if (chroma_format_idc === 3) {
    reader.skip(1); // separate_colour_plane_flag
  }
  const pic_width_in_luma_samples = reader.ue();
  const pic_height_in_luma_samples = reader.ue();
  if (!reader.flag()) {
    return { width: pic_width_in_luma_samples, height: pic_height_in_luma_samples };
  }
  const SubWidthC = chroma_format_idc === 1 || chroma_format_idc === 2 ? 2 : 1;
  const SubHeightC = chroma_format_idc === 1 ? 2 : 1;
  const horizontal = reader.ue() + reader.ue();
  const vertical = reader.ue() + reader.ue();
  return {
    width: pic_width_in_luma_samples - SubWidthC * horizontal,
    height: pic_height_in_luma_samples - SubHeightC * vertical,
  };
}

/** profile_tier_level( 1, maxNumSubLayersMinus1 ), 7.3.3. */
function skipProfileTierLevel(reader: BitReader, maxNumSubLayersMinus1: number): void {
  reader.skip(88 + 8);
  const present: { readonly profile: boolean; readonly level: boolean }[] = [];
  for (let i = 0; i < maxNumSubLayersMinus1; i++) {
    present.push({ profile: reader.flag(), level: reader.flag() });
  }
  if (maxNumSubLayersMinus1 > 0) {
    reader.skip(2 * (8 - maxNumSubLayersMinus1)); // reserved_zero_2bits
  }
  for (const { profile, level } of present) {
    reader.skip((profile ? 88 : 0) + (level ? 8 : 0));
  }
}
