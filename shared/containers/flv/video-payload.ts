// The payload of video tags and RTMP video messages, read and written: classic AVC (Adobe FLV 10.1, E.4.3) and
// Enhanced RTMP v1 and v2 (Veovera) with FourCC avc1, hvc1, av01, vp09. Multitrack and other codecs are refused by name.

import { ContainerError } from '../../errors.ts';
import { fourCcBytes, joinPayload, PayloadReader, readModEx, unsupported, writeExHeaderStart } from './mod-ex.ts';

/** Codecs that video tags may carry. */
export type FlvVideoCodec = 'avc' | 'hevc' | 'av1' | 'vp9';

/** `classic`: codec id 7 of the Adobe specification; `enhanced`: FourCC. */
export type FlvNotation = 'classic' | 'enhanced';

export type VideoPayload =
  | {
      readonly kind: 'sequence-start';
      readonly notation: FlvNotation;
      readonly codec: FlvVideoCodec;
      /** avcC, hvcC, av1C or vpcC record. */
      readonly record: Uint8Array;
    }
  | {
      readonly kind: 'coded-frames';
      readonly notation: FlvNotation;
      readonly codec: FlvVideoCodec;
      readonly isKeyframe: boolean;
      /** PTS minus DTS in milliseconds, -2^23..2^23-1. Always 0 for AV1 and VP9. */
      readonly compositionTime: number;
      /** Added to the presentation time, 0..999 999 ns. Always 0 in classic notation. */
      readonly nanosecondOffset: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'sequence-end'; readonly notation: FlvNotation; readonly codec: FlvVideoCodec }
  /** Colour and HDR facts as AMF0 values. */
  | { readonly kind: 'metadata'; readonly codec: FlvVideoCodec; readonly data: Uint8Array }
  /** Seek commands and other frames without a picture. */
  | { readonly kind: 'nothing' };

const FOUR_CC_OF: Readonly<Record<FlvVideoCodec, string>> = { avc: 'avc1', hevc: 'hvc1', av1: 'av01', vp9: 'vp09' };
const CODEC_OF_FOUR_CC: ReadonlyMap<string, FlvVideoCodec> = new Map([
  ['avc1', 'avc'],
  ['hvc1', 'hevc'],
  ['av01', 'av1'],
  ['vp09', 'vp9'],
]);
const CLASSIC_AVC = 7;
const CLASSIC_NAMES: Readonly<Record<number, string>> = {
  2: 'Sorenson H.263',
  3: 'Screen video',
  4: 'VP6',
  5: 'VP6 with alpha',
  6: 'Screen video 2',
  12: 'HEVC in the notation of codec id 12 (use Enhanced RTMP)',
};
const FRAME_TYPE = { key: 1, inter: 2, command: 5 } as const;
const CLASSIC_PACKET = { sequenceHeader: 0, nalUnits: 1, endOfSequence: 2 } as const;
const PACKET = {
  sequenceStart: 0,
  codedFrames: 1,
  sequenceEnd: 2,
  codedFramesX: 3,
  metadata: 4,
  mpeg2TsSequenceStart: 5,
  multitrack: 6,
} as const;

/** Reads one video payload. Throws ContainerError when it is malformed, ProtocolError `unsupported-codec` when its codec is refused. */
export function parseVideoPayload(data: Uint8Array): VideoPayload {
  const reader = new PayloadReader(data);
  const first = reader.u8();
  const frameType = (first >> 4) & 7;
  return (first & 0x80) === 0
    ? parseClassic(reader, frameType, first & 0x0f)
    : parseEnhanced(reader, frameType, first & 0x0f);
}

function parseClassic(reader: PayloadReader, frameType: number, codecId: number): VideoPayload {
  if (frameType === FRAME_TYPE.command) {
    return { kind: 'nothing' };
  }
  if (codecId !== CLASSIC_AVC) {
    throw unsupported(CLASSIC_NAMES[codecId] ?? `The FLV video codec ${codecId}`);
  }
  const packetType = reader.u8();
  const compositionTime = reader.s24();
  const common = { notation: 'classic', codec: 'avc' } as const;
  switch (packetType) {
    case CLASSIC_PACKET.sequenceHeader:
      return { ...common, kind: 'sequence-start', record: reader.rest() };
    case CLASSIC_PACKET.nalUnits:
      return {
        ...common,
        kind: 'coded-frames',
        isKeyframe: frameType === FRAME_TYPE.key,
        compositionTime,
        nanosecondOffset: 0,
        data: reader.rest(),
      };
    case CLASSIC_PACKET.endOfSequence:
      return { ...common, kind: 'sequence-end' };
    default:
      throw new ContainerError(`The AVC packet type ${packetType} does not exist.`, 1);
  }
}

function parseEnhanced(reader: PayloadReader, frameType: number, firstPacketType: number): VideoPayload {
  const { packetType, nanosecondOffset } = readModEx(reader, firstPacketType);
  if (packetType !== PACKET.metadata && frameType === FRAME_TYPE.command) {
    return { kind: 'nothing' };
  }
  if (packetType === PACKET.multitrack) {
    throw unsupported('Multitrack video (Enhanced RTMP v2)');
  }
  const codec = codecOf(reader.fourCc());
  const common = { notation: 'enhanced', codec } as const;
  switch (packetType) {
    case PACKET.sequenceStart:
      return { ...common, kind: 'sequence-start', record: reader.rest() };
    case PACKET.codedFrames:
    case PACKET.codedFramesX:
      return {
        ...common,
        kind: 'coded-frames',
        isKeyframe: frameType === FRAME_TYPE.key,
        compositionTime: packetType === PACKET.codedFrames && hasCompositionTime(codec) ? reader.s24() : 0,
        nanosecondOffset,
        data: reader.rest(),
      };
    case PACKET.sequenceEnd:
      return { ...common, kind: 'sequence-end' };
    case PACKET.metadata:
      return { kind: 'metadata', codec, data: reader.rest() };
    case PACKET.mpeg2TsSequenceStart:
      throw unsupported('An AV1 sequence start in MPEG-2 TS notation');
    default:
      throw new ContainerError(`The video packet type ${packetType} does not exist.`, 0);
  }
}

function codecOf(fourCc: string): FlvVideoCodec {
  const codec = CODEC_OF_FOUR_CC.get(fourCc);
  if (codec === undefined) {
    throw unsupported(`The video codec ${printable(fourCc)}`);
  }
  return codec;
}

/** A FourCC made safe for a message. */
export function printable(fourCc: string): string {
  return JSON.stringify(fourCc.replace(/[^\x20-\x7e]/g, '?'));
}

function hasCompositionTime(codec: FlvVideoCodec): boolean {
  return codec === 'avc' || codec === 'hevc';
}

/** Writes one video payload: twin of parseVideoPayload. Coded frames without a composition time use the shorter packet type. */
export function writeVideoPayload(payload: Exclude<VideoPayload, { readonly kind: 'nothing' }>): Uint8Array {
  return 'notation' in payload && payload.notation === 'classic' ? writeClassic(payload) : writeEnhanced(payload);
}

type Writable = Exclude<VideoPayload, { readonly kind: 'nothing' }>;

function writeClassic(payload: Writable): Uint8Array {
  const header = (frameType: number, packetType: number, compositionTime: number): number[] => [
    (frameType << 4) | CLASSIC_AVC,
    packetType,
    ...s24Bytes(compositionTime),
  ];
  switch (payload.kind) {
    case 'sequence-start':
      return joinPayload(header(FRAME_TYPE.key, CLASSIC_PACKET.sequenceHeader, 0), payload.record);
    case 'coded-frames': {
      const frameType = payload.isKeyframe ? FRAME_TYPE.key : FRAME_TYPE.inter;
      return joinPayload(header(frameType, CLASSIC_PACKET.nalUnits, payload.compositionTime), payload.data);
    }
    case 'sequence-end':
      return Uint8Array.from(header(FRAME_TYPE.key, CLASSIC_PACKET.endOfSequence, 0));
    case 'metadata':
      throw new TypeError('Classic video tags carry no metadata.');
  }
}

function writeEnhanced(payload: Writable): Uint8Array {
  const header = (isKeyframe: boolean, packetType: number, nanoseconds = 0): number[] => [
    ...writeExHeaderStart(8 | (isKeyframe ? FRAME_TYPE.key : FRAME_TYPE.inter), packetType, nanoseconds),
    ...fourCcBytes(FOUR_CC_OF[payload.codec]),
  ];
  switch (payload.kind) {
    case 'sequence-start':
      return joinPayload(header(true, PACKET.sequenceStart), payload.record);
    case 'coded-frames': {
      const { isKeyframe, compositionTime, nanosecondOffset, data } = payload;
      if (!hasCompositionTime(payload.codec)) {
        return joinPayload(header(isKeyframe, PACKET.codedFrames, nanosecondOffset), data);
      }
      if (compositionTime === 0) {
        return joinPayload(header(isKeyframe, PACKET.codedFramesX, nanosecondOffset), data);
      }
      const start = header(isKeyframe, PACKET.codedFrames, nanosecondOffset);
      return joinPayload([...start, ...s24Bytes(compositionTime)], data);
    }
    case 'sequence-end':
      return Uint8Array.from(header(true, PACKET.sequenceEnd));
    case 'metadata':
      return joinPayload(header(true, PACKET.metadata), payload.data);
  }
}

function s24Bytes(value: number): number[] {
  return [(value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff];
}
