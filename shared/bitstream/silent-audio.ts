// Whether one coded audio frame holds digital silence, told from its first bits without decoding it: AAC by its section data (ISO/IEC
// 14496-3, 4.4.2.7: every band in the zero codebook), Opus by the silence flag of CELT (RFC 6716, 4.3) or by a packet that says nothing.
// Called by server/streams/frame-batcher.ts for every frame of an audio track, so it reads a few bytes and gives up at what is unusual.

import { BitReader } from './bit-reader.ts';

/** id_syn_ele of 4.5.2.1. */
const ELEMENT = { single: 0, pair: 1, lowFrequency: 3, dataStream: 4, fill: 6, end: 7 } as const;
const EIGHT_SHORT_SEQUENCE = 2;
const SHORT_WINDOWS = 8;

/** What ics_info (4.4.2.1, table 4.6) says of the bands that follow. */
type WindowInfo = { readonly isShort: boolean; readonly maxSfb: number; readonly groups: number };

/** True: silence. False: sound, or a frame of which the first bits do not tell. Null: a codec that is not looked into. */
export function isSilentAudio(codec: string, frame: Uint8Array): boolean | null {
  if (codec.startsWith('mp4a.40')) {
    return isSilentAac(frame);
  }
  return codec === 'opus' ? isSilentOpus(frame) : null;
}

function isSilentAac(frame: Uint8Array): boolean {
  try {
    return readRawDataBlock(new BitReader(frame));
  } catch {
    return false; // cut off or damaged: the decoder's matter
  }
}

/** raw_data_block() up to the first element that is not silent. */
function readRawDataBlock(bits: BitReader): boolean {
  let channels = 0;
  for (;;) {
    const element = bits.bits(3);
    switch (element) {
      case ELEMENT.single:
      case ELEMENT.lowFrequency:
        bits.bits(4); // element_instance_tag
        if (!isSilentChannel(bits, null)) {
          return false;
        }
        channels++;
        break;
      case ELEMENT.pair:
        if (!isSilentPair(bits)) {
          return false;
        }
        channels += 2;
        break;
      case ELEMENT.dataStream:
        skipDataStream(bits);
        break;
      case ELEMENT.fill:
        skipFill(bits);
        break;
      case ELEMENT.end:
        return channels > 0;
      default:
        return false; // coupling channels and program configurations
    }
  }
}

function isSilentPair(bits: BitReader): boolean {
  bits.bits(4); // element_instance_tag
  let common: WindowInfo | null = null;
  if (bits.flag()) {
    common = readWindowInfo(bits);
    if (common === null) {
      return false;
    }
    if (bits.bits(2) === 1) {
      for (let i = 0; i < common.maxSfb * common.groups; i++) {
        bits.bits(1); // ms_used
      }
    }
  }
  return isSilentChannel(bits, common) && isSilentChannel(bits, common);
}

/** individual_channel_stream(): no spectral data, and none of the tools that would make sound of nothing. */
function isSilentChannel(bits: BitReader, common: WindowInfo | null): boolean {
  bits.bits(8); // global_gain
  const info = common ?? readWindowInfo(bits);
  if (info === null || !hasOnlyZeroBands(bits, info)) {
    return false;
  }
  return bits.bits(3) === 0; // pulse_data_present, tns_data_present, gain_control_data_present
}

/** Null: prediction is in use, which is not read further. */
function readWindowInfo(bits: BitReader): WindowInfo | null {
  bits.bits(1); // ics_reserved_bit
  const isShort = bits.bits(2) === EIGHT_SHORT_SEQUENCE;
  bits.bits(1); // window_shape
  if (!isShort) {
    const maxSfb = bits.bits(6);
    return bits.flag() ? null : { isShort, maxSfb, groups: 1 };
  }
  const maxSfb = bits.bits(4);
  const grouping = bits.bits(SHORT_WINDOWS - 1); // bit set: the window belongs to the group before it
  let groups = 1;
  for (let i = 0; i < SHORT_WINDOWS - 1; i++) {
    groups += ((grouping >> i) & 1) === 0 ? 1 : 0;
  }
  return { isShort, maxSfb, groups };
}

/** section_data(): sect_cb is ZERO_HCB throughout. */
function hasOnlyZeroBands(bits: BitReader, { isShort, maxSfb, groups }: WindowInfo): boolean {
  const lengthBits = isShort ? 3 : 5;
  const escape = (1 << lengthBits) - 1;
  for (let group = 0; group < groups; group++) {
    for (let band = 0; band < maxSfb;) {
      if (bits.bits(4) !== 0) {
        return false;
      }
      let length = 0;
      let increment = bits.bits(lengthBits);
      while (increment === escape) {
        length += increment;
        increment = bits.bits(lengthBits);
      }
      length += increment;
      if (length === 0) {
        return false; // would never end
      }
      band += length;
    }
  }
  return true;
}

function skipFill(bits: BitReader): void {
  const count = bits.bits(4);
  skipBytes(bits, count === 15 ? count + bits.bits(8) - 1 : count);
}

function skipDataStream(bits: BitReader): void {
  bits.bits(4); // element_instance_tag
  const isAligned = bits.flag();
  const count = bits.bits(8);
  const bytes = count === 255 ? count + bits.bits(8) : count;
  if (isAligned) {
    bits.bits((8 - (bits.position & 7)) & 7);
  }
  skipBytes(bits, bytes);
}

function skipBytes(bits: BitReader, bytes: number): void {
  for (let i = 0; i < bytes; i++) {
    bits.bits(8);
  }
}

/** Configurations below this are SILK or hybrid (RFC 6716, table 2). */
const FIRST_CELT_CONFIG = 16;
/** A packet of at most this many bytes carries no coded frame (RFC 6716, 3.4 and discontinuous transmission). */
const EMPTY_PACKET_BYTES = 2;

function isSilentOpus(packet: Uint8Array): boolean {
  if (packet.length <= EMPTY_PACKET_BYTES) {
    return packet.length > 0;
  }
  const config = packet[0] >> 3;
  const start = firstFrame(packet);
  // The flag is the first symbol, with a probability of 2^-15: set where the first 15 bits are ones (4.1.2).
  return config >= FIRST_CELT_CONFIG && packet[start] === 0xff && (packet[start + 1] & 0xfe) === 0xfe;
}

/** Where the first frame of the packet begins (3.2). */
function firstFrame(packet: Uint8Array): number {
  const code = packet[0] & 3;
  if (code <= 1) {
    return 1;
  }
  if (code === 2) {
    return packet[1] >= 252 ? 3 : 2;
  }
  const isVariable = (packet[1] & 0x80) !== 0;
  const hasPadding = (packet[1] & 0x40) !== 0;
  const frames = packet[1] & 0x3f;
  let at = 2;
  if (hasPadding) {
    while (packet[at] === 255) {
      at++;
    }
    at++;
  }
  if (isVariable) {
    for (let i = 1; i < frames; i++) {
      at += packet[at] >= 252 ? 2 : 1;
    }
  }
  return at;
}
