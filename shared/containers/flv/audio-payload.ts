// The payload of audio tags and RTMP audio messages, read and written: classic AAC and MP3 (Adobe FLV 10.1, E.4.2) and
// Enhanced RTMP v2 (Veovera) with FourCC mp4a, Opus, fLaC, .mp3. Dolby, multitrack and old speech codecs are refused by name.

import { ContainerError } from '../../errors.ts';
import { fourCcBytes, joinPayload, PayloadReader, readModEx, unsupported, writeExHeaderStart } from './mod-ex.ts';
import type { FlvNotation } from './video-payload.ts';
import { printable } from './video-payload.ts';

/** Codecs that audio tags may carry. */
export type FlvAudioCodec = 'aac' | 'mp3' | 'opus' | 'flac';

export type AudioPayload =
  | {
      readonly kind: 'sequence-start';
      readonly notation: FlvNotation;
      readonly codec: FlvAudioCodec;
      /** AudioSpecificConfig, OpusHead or FLAC's marker with STREAMINFO. */
      readonly record: Uint8Array;
    }
  | {
      readonly kind: 'coded-frames';
      readonly notation: FlvNotation;
      readonly codec: FlvAudioCodec;
      /** Added to the presentation time, 0..999 999 ns. Always 0 in classic notation. */
      readonly nanosecondOffset: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'sequence-end'; readonly codec: FlvAudioCodec }
  /** Channel orders and other facts that nothing here needs. */
  | { readonly kind: 'nothing' };

const FOUR_CC_OF: Readonly<Record<FlvAudioCodec, string>> = { aac: 'mp4a', mp3: '.mp3', opus: 'Opus', flac: 'fLaC' };
const CODEC_OF_FOUR_CC: ReadonlyMap<string, FlvAudioCodec> = new Map([
  ['mp4a', 'aac'],
  ['.mp3', 'mp3'],
  ['Opus', 'opus'],
  ['fLaC', 'flac'],
]);
const FOUR_CC_NAMES: ReadonlyMap<string, string> = new Map([
  ['ac-3', 'AC-3 audio'],
  ['ec-3', 'E-AC-3 audio'],
]);

const SOUND_FORMAT = { mp3: 2, enhanced: 9, aac: 10, mp3At8kHz: 14 } as const;
const SOUND_FORMAT_NAMES: Readonly<Record<number, string>> = {
  0: 'PCM audio',
  1: 'ADPCM audio',
  3: 'PCM audio',
  4: 'Nellymoser audio',
  5: 'Nellymoser audio',
  6: 'Nellymoser audio',
  7: 'G.711 A-law audio',
  8: 'G.711 mu-law audio',
  11: 'Speex audio',
};
/** 44.1 kHz, 16 bits, stereo: what AAC tags say whatever the stream is (E.4.2.1). */
const CLASSIC_SOUND_BITS = 0x0f;
const AAC_PACKET = { sequenceHeader: 0, raw: 1 } as const;
const PACKET = { sequenceStart: 0, codedFrames: 1, sequenceEnd: 2, multichannelConfig: 4, multitrack: 5 } as const;

/** Reads one audio payload. Throws ContainerError when it is malformed, ProtocolError `unsupported-codec` when its codec is refused. */
export function parseAudioPayload(data: Uint8Array): AudioPayload {
  const reader = new PayloadReader(data);
  const first = reader.u8();
  const format = first >> 4;
  switch (format) {
    case SOUND_FORMAT.enhanced:
      return parseEnhanced(reader, first & 0x0f);
    case SOUND_FORMAT.aac:
      return parseClassicAac(reader);
    case SOUND_FORMAT.mp3:
    case SOUND_FORMAT.mp3At8kHz:
      return { kind: 'coded-frames', notation: 'classic', codec: 'mp3', nanosecondOffset: 0, data: reader.rest() };
    default:
      throw unsupported(SOUND_FORMAT_NAMES[format] ?? `The FLV audio format ${format}`);
  }
}

function parseClassicAac(reader: PayloadReader): AudioPayload {
  const packetType = reader.u8();
  const common = { notation: 'classic', codec: 'aac' } as const;
  switch (packetType) {
    case AAC_PACKET.sequenceHeader:
      return { ...common, kind: 'sequence-start', record: reader.rest() };
    case AAC_PACKET.raw:
      return { ...common, kind: 'coded-frames', nanosecondOffset: 0, data: reader.rest() };
    default:
      throw new ContainerError(`The AAC packet type ${packetType} does not exist.`, 1);
  }
}

function parseEnhanced(reader: PayloadReader, firstPacketType: number): AudioPayload {
  const { packetType, nanosecondOffset } = readModEx(reader, firstPacketType);
  if (packetType === PACKET.multitrack) {
    throw unsupported('Multitrack audio (Enhanced RTMP v2)');
  }
  const fourCc = reader.fourCc();
  const codec = CODEC_OF_FOUR_CC.get(fourCc);
  if (codec === undefined) {
    throw unsupported(FOUR_CC_NAMES.get(fourCc) ?? `The audio codec ${printable(fourCc)}`);
  }
  switch (packetType) {
    case PACKET.sequenceStart:
      return { kind: 'sequence-start', notation: 'enhanced', codec, record: reader.rest() };
    case PACKET.codedFrames:
      return { kind: 'coded-frames', notation: 'enhanced', codec, nanosecondOffset, data: reader.rest() };
    case PACKET.sequenceEnd:
      return { kind: 'sequence-end', codec };
    case PACKET.multichannelConfig:
      return { kind: 'nothing' };
    default:
      throw new ContainerError(`The audio packet type ${packetType} does not exist.`, 0);
  }
}

/** Writes one audio payload: twin of parseAudioPayload. Classic notation exists for AAC and MP3. */
export function writeAudioPayload(payload: Exclude<AudioPayload, { readonly kind: 'nothing' }>): Uint8Array {
  if (payload.kind === 'sequence-end') {
    return Uint8Array.from(enhancedHeader(payload.codec, PACKET.sequenceEnd, 0));
  }
  const body = payload.kind === 'sequence-start' ? payload.record : payload.data;
  if (payload.notation === 'classic') {
    return joinPayload(classicHeader(payload), body);
  }
  const nanoseconds = payload.kind === 'coded-frames' ? payload.nanosecondOffset : 0;
  const packetType = payload.kind === 'coded-frames' ? PACKET.codedFrames : PACKET.sequenceStart;
  return joinPayload(enhancedHeader(payload.codec, packetType, nanoseconds), body);
}

function classicHeader({ kind, codec }: Extract<AudioPayload, { readonly notation: FlvNotation }>): number[] {
  switch (codec) {
    case 'aac':
      return [
        (SOUND_FORMAT.aac << 4) | CLASSIC_SOUND_BITS,
        kind === 'sequence-start' ? AAC_PACKET.sequenceHeader : AAC_PACKET.raw,
      ];
    case 'mp3':
      return [(SOUND_FORMAT.mp3 << 4) | CLASSIC_SOUND_BITS];
    case 'opus':
    case 'flac':
      throw new TypeError(`${codec} has no classic notation in FLV.`);
  }
}

function enhancedHeader(codec: FlvAudioCodec, packetType: number, nanoseconds: number): number[] {
  return [...writeExHeaderStart(SOUND_FORMAT.enhanced, packetType, nanoseconds), ...fourCcBytes(FOUR_CC_OF[codec])];
}
