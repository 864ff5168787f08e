// Length-prefixed NAL units and the AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1), as FLV, MP4 and WebCodecs carry H.264.
// Bad records throw ContainerError with the byte offset.

import { ContainerError } from '../errors.ts';
import type { NalRange } from './annex-b.ts';

/** The `avcC` box content. */
export type AvcDecoderConfigurationRecord = {
  readonly AVCProfileIndication: number; // profile_idc
  readonly profile_compatibility: number; // the constraint_set byte
  readonly AVCLevelIndication: number; // level_idc
  /** Bytes of each NAL unit's length prefix: 1, 2 or 4. */
  readonly lengthSize: 1 | 2 | 4;
  /** Whole NAL units, header byte included. */
  readonly sequenceParameterSets: readonly Uint8Array[];
  readonly pictureParameterSets: readonly Uint8Array[];
  /** Present in High profiles and up when the writer sent it. */
  readonly extension?: {
    readonly chroma_format: number;
    readonly bit_depth_luma_minus8: number;
    readonly bit_depth_chroma_minus8: number;
    readonly sequenceParameterSetExtensions: readonly Uint8Array[];
  };
};

/** Profiles whose record carries the extension fields. */
function hasExtension(profile: number): boolean {
  return profile === 100 || profile === 110 || profile === 122 || profile === 144 || profile === 244;
}

/** Reads an AVCDecoderConfigurationRecord; the parameter sets are views on `data`. */
export function parseAvcDecoderConfigurationRecord(data: Uint8Array): AvcDecoderConfigurationRecord {
  if (data.length < 7) {
    throw new ContainerError('An AVCDecoderConfigurationRecord has at least 7 bytes.', 0);
  }
  if (data[0] !== 1) {
    throw new ContainerError(`The configurationVersion of avcC must be 1, got ${data[0] ?? 0}.`, 0);
  }
  const lengthSize = (data[4] & 3) + 1;
  if (lengthSize !== 1 && lengthSize !== 2 && lengthSize !== 4) {
    throw new ContainerError('The NAL length size of avcC must be 1, 2 or 4.', 4);
  }
  let offset = 5;
  const readSets = (count: number): Uint8Array[] => {
    const sets: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const length = (data[offset] << 8) | data[offset + 1];
      if (offset + 2 + length > data.length) {
        throw new ContainerError('A parameter set of avcC runs past its end.', offset);
      }
      sets.push(data.subarray(offset + 2, offset + 2 + length));
      offset += 2 + length;
    }
    return sets;
  };
  const sequenceParameterSets = readSets(data[offset++] & 31);
  if (offset >= data.length) {
    throw new ContainerError('The avcC record ends before its picture parameter sets.', offset);
  }
  const pictureParameterSets = readSets(data[offset++]);
  const record = {
    AVCProfileIndication: data[1],
    profile_compatibility: data[2],
    AVCLevelIndication: data[3],
    lengthSize,
    sequenceParameterSets,
    pictureParameterSets,
  } as const;
  if (!hasExtension(record.AVCProfileIndication) || offset + 4 > data.length) {
    return record;
  }
  const extension = {
    chroma_format: data[offset] & 3,
    bit_depth_luma_minus8: data[offset + 1] & 7,
    bit_depth_chroma_minus8: data[offset + 2] & 7,
  };
  const count = data[offset + 3];
  offset += 4;
  return { ...record, extension: { ...extension, sequenceParameterSetExtensions: readSets(count) } };
}

/** Writes an AVCDecoderConfigurationRecord. */
export function writeAvcDecoderConfigurationRecord(record: AvcDecoderConfigurationRecord): Uint8Array {
  const bytes: number[] = [
    1,
    record.AVCProfileIndication,
    record.profile_compatibility,
    record.AVCLevelIndication,
    0xfc | (record.lengthSize - 1),
    0xe0 | record.sequenceParameterSets.length,
  ];
  const pushSets = (sets: readonly Uint8Array[]): void => {
    for (const set of sets) {
      bytes.push(set.length >> 8, set.length & 255, ...set);
    }
  };
  pushSets(record.sequenceParameterSets);
  bytes.push(record.pictureParameterSets.length);
  pushSets(record.pictureParameterSets);
  const { extension } = record;
  if (extension !== undefined && hasExtension(record.AVCProfileIndication)) {
    bytes.push(
      0xfc | extension.chroma_format,
      0xf8 | extension.bit_depth_luma_minus8,
      0xf8 | extension.bit_depth_chroma_minus8,
      extension.sequenceParameterSetExtensions.length,
    );
    pushSets(extension.sequenceParameterSetExtensions);
  }
  return Uint8Array.from(bytes);
}

/** NAL units of a length-prefixed access unit. Throws ContainerError when a length runs past the end. */
export function splitLengthPrefixed(data: Uint8Array, lengthSize: 1 | 2 | 4): NalRange[] {
  const ranges: NalRange[] = [];
  let offset = 0;
  while (offset < data.length) {
    if (offset + lengthSize > data.length) {
      throw new ContainerError('An access unit ends within a NAL length.', offset);
    }
    let length = 0;
    for (let i = 0; i < lengthSize; i++) {
      length = length * 256 + data[offset + i];
    }
    const start = offset + lengthSize;
    if (start + length > data.length) {
      throw new ContainerError(`A NAL unit of ${length} bytes runs past the end of its access unit.`, offset);
    }
    if (length > 0) {
      ranges.push({ start, end: start + length });
    }
    offset = start + length;
  }
  return ranges;
}

/** NAL units joined with four-byte lengths. */
export function joinLengthPrefixed(nalUnits: readonly Uint8Array[]): Uint8Array {
  let total = 0;
  for (const nal of nalUnits) {
    total += nal.length + 4;
  }
  const joined = new Uint8Array(total);
  const view = new DataView(joined.buffer);
  let offset = 0;
  for (const nal of nalUnits) {
    view.setUint32(offset, nal.length);
    joined.set(nal, offset + 4);
    offset += nal.length + 4;
  }
  return joined;
}
