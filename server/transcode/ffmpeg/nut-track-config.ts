// From a NUT stream header to a track of ours: codec string (RFC 6381 and the codec bindings), configuration record, shape.
// Called by import-file.ts.

import type { TrackConfig } from '../../../shared/media/access-unit.ts';
import { UNSPECIFIED_COLOUR } from '../../../shared/media/colour.ts';
import type { NutStreamHeader } from './nut-reader.ts';

/** Throws one sentence that names the file when the codec is not one that we stream. */
export function trackConfigOf(header: NutStreamHeader, path: string): TrackConfig {
  const codec = codecStringOf(header);
  if (codec === null) {
    const what = header.fourcc.replace(/[^\x20-\x7e]/g, '?');
    throw new Error(`${path} has ${header.kind} of type "${what}", which cannot be published without transcoding.`);
  }
  const description = header.description.length === 0 ? {} : { description: header.description };
  if (header.kind === 'audio') {
    return { kind: 'audio', codec, sampleRate: header.sampleRate, channels: header.channels, ...description };
  }
  const { width, height, sampleAspect } = header;
  return { kind: 'video', codec, width, height, sampleAspect, colour: UNSPECIFIED_COLOUR, ...description };
}

function codecStringOf({ fourcc, description }: NutStreamHeader): string | null {
  const tag = fourcc.replaceAll('\0', '').trim().toLowerCase();
  switch (tag) {
    case 'h264':
    case 'avc1':
      return description[0] === 1 ? `avc1.${hex(description.subarray(1, 4))}` : null;
    case 'hevc':
    case 'hvc1':
    case 'hev1':
      return hevcString(description);
    case 'av01':
      return av1String(description);
    case 'vp90':
    case 'vp09':
      return 'vp09.00.10.08';
    case 'opus':
      return 'opus';
    default:
      return isAac(fourcc) ? aacString(description) : null;
  }
}

/** ffmpeg writes AAC as `mp4a` or as the WAVE format tag 0x00ff. */
function isAac(fourcc: string): boolean {
  return fourcc === 'mp4a' || fourcc === '\xff\0' || fourcc === '\xff\0\0\0';
}

/** The audio object type is the first five bits of the AudioSpecificConfig. */
function aacString(description: Uint8Array): string {
  return `mp4a.40.${(description[0] ?? 0x10) >> 3}`;
}

/** ISO/IEC 14496-15, E.3, from the HEVCDecoderConfigurationRecord. */
function hevcString(d: Uint8Array): string | null {
  if (d.length < 13 || d[0] !== 1) {
    return null;
  }
  const space = ['', 'A', 'B', 'C'][(d[1] ?? 0) >> 6] ?? '';
  const tier = (d[1] ?? 0) & 0x20 ? 'H' : 'L';
  let compatibility = 0;
  for (let bit = 0; bit < 32; bit++) {
    const byte = d[2 + (bit >> 3)] ?? 0;
    compatibility += ((byte >> (7 - (bit & 7))) & 1) * 2 ** bit; // in reverse bit order
  }
  const constraints = [...d.subarray(6, 12)];
  while (constraints.length > 0 && constraints.at(-1) === 0) {
    constraints.pop();
  }
  const parts = [`${space}${(d[1] ?? 0) & 0x1f}`, compatibility.toString(16), `${tier}${d[12] ?? 0}`];
  return ['hvc1', ...parts, ...constraints.map((byte) => byte.toString(16))].join('.');
}

/** AV1 in ISO base media, section 5, from the first bytes of av1C. */
function av1String(d: Uint8Array): string {
  const second = d[1] ?? 0;
  const third = d[2] ?? 0;
  const tier = third & 0x80 ? 'H' : 'M';
  const depth = third & 0x40 ? (third & 0x20 ? '12' : '10') : '08';
  return `av01.${second >> 5}.${String(second & 0x1f).padStart(2, '0')}${tier}.${depth}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
