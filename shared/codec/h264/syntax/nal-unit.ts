// NAL units (7.3.1): one header byte, then the RBSP under emulation prevention. Called by decoder, encoder, probe and containers.

import { addEmulationPrevention, toRbsp } from '../../../bitstream/emulation-prevention.ts';
import { BitstreamError } from '../../../errors.ts';

/** nal_unit_type values (Table 7-1). */
export const NAL_UNIT_TYPE = {
  SLICE: 1,
  SLICE_PARTITION_A: 2,
  SLICE_PARTITION_B: 3,
  SLICE_PARTITION_C: 4,
  IDR_SLICE: 5,
  SEI: 6,
  SPS: 7,
  PPS: 8,
  ACCESS_UNIT_DELIMITER: 9,
  END_OF_SEQUENCE: 10,
  END_OF_STREAM: 11,
  FILLER: 12,
  SPS_EXTENSION: 13,
  PREFIX: 14,
  SUBSET_SPS: 15,
  AUXILIARY_SLICE: 19,
  SLICE_EXTENSION: 20,
} as const;

/** The header of a NAL unit. */
export type NalHeader = {
  readonly nal_ref_idc: number; // 0..3
  readonly nal_unit_type: number; // 0..31
};

/** A NAL unit with its payload unescaped. */
export type NalUnit = NalHeader & { readonly rbsp: Uint8Array };

/** Reads the header byte of a NAL unit. */
export function parseNalHeader(byte: number): NalHeader {
  if ((byte & 0x80) !== 0) {
    throw new BitstreamError('forbidden-value', '7.3.1', 0, 'forbidden_zero_bit is 1.');
  }
  return { nal_ref_idc: byte >> 5, nal_unit_type: byte & 31 };
}

/** Reads a NAL unit (header byte first, no start code, no length). */
export function parseNalUnit(bytes: Uint8Array): NalUnit {
  if (bytes.length === 0) {
    throw new BitstreamError('truncated', '7.3.1', 0, 'A NAL unit has at least one byte.');
  }
  return { ...parseNalHeader(bytes[0]), rbsp: toRbsp(bytes.subarray(1)) };
}

/** Writes a NAL unit: header byte and escaped RBSP. */
export function writeNalUnit(nal: NalUnit): Uint8Array {
  const bytes = addEmulationPrevention(nal.rbsp, 1);
  bytes[0] = (nal.nal_ref_idc << 5) | nal.nal_unit_type;
  return bytes;
}
