// Tracks and access units in, FLV bytes out. AVC, AAC and MP3 are written in the classic notation, everything else as
// Enhanced RTMP. Stateless functions, so that one tag can be framed once and sent to many viewers; FlvMuxer adds the order
// of a file for one reader. Used by server/delivery (HTTP-FLV, WebSocket-FLV) and the RTMP client.

import { ProtocolError } from '../../errors.ts';
import type { AccessUnit, TrackConfig } from '../../media/access-unit.ts';
import { writeAudioPayload } from './audio-payload.ts';
import type { FlvAudioCodec } from './audio-payload.ts';
import { FLV_TAG_TYPES, writeFlvFileHeader, writeFlvTag } from './flv-tag.ts';
import type { FlvTag } from './flv-tag.ts';
import { writeOnMetaData } from './on-meta-data.ts';
import { writeVideoPayload } from './video-payload.ts';
import { vp9Record } from './vp9-record.ts';
import type { FlvVideoCodec } from './video-payload.ts';

/** How FLV carries a track, or null when it cannot (raw frames, Dolby, ...). */
export function flvCodecOf(config: TrackConfig): { readonly codec: FlvVideoCodec | FlvAudioCodec } | null {
  const codec = config.kind === 'video' ? videoCodecOf(config.codec) : audioCodecOf(config.codec);
  return codec === null ? null : { codec };
}

/** The onMetaData tag for these tracks. */
export function flvMetaDataTag(tracks: readonly TrackConfig[]): FlvTag {
  return { type: FLV_TAG_TYPES.script, timestamp: 0, data: writeOnMetaData(tracks) };
}

/** The sequence header tag of a track; null for a track that has no configuration record. `timestamp` in milliseconds. */
export function flvSequenceTag(config: TrackConfig, timestamp = 0): FlvTag | null {
  if (config.kind === 'video') {
    const codec = requireCodec(videoCodecOf(config.codec), config);
    const record = config.description ?? (codec === 'vp9' ? vp9Record(config) : null);
    if (record === null) {
      return null;
    }
    const data = writeVideoPayload({ kind: 'sequence-start', notation: videoNotation(codec), codec, record });
    return { type: FLV_TAG_TYPES.video, timestamp, data };
  }
  const codec = requireCodec(audioCodecOf(config.codec), config);
  const record = config.description;
  if (record === undefined) {
    return null;
  }
  const data = writeAudioPayload({ kind: 'sequence-start', notation: audioNotation(codec), codec, record });
  return { type: FLV_TAG_TYPES.audio, timestamp, data };
}

/** The tag of one access unit or audio frame; its timestamp is the DTS on the stream's timeline in milliseconds modulo 2^32. */
export function flvUnitTag(config: TrackConfig, unit: AccessUnit): FlvTag {
  const timestamp = Math.floor(unit.dts / 1000) >>> 0;
  if (config.kind === 'video') {
    const codec = requireCodec(videoCodecOf(config.codec), config);
    const data = writeVideoPayload({
      kind: 'coded-frames',
      notation: videoNotation(codec),
      codec,
      isKeyframe: unit.priority === 'key',
      compositionTime: Math.floor(unit.pts / 1000) - Math.floor(unit.dts / 1000),
      nanosecondOffset: 0,
      data: unit.data,
    });
    return { type: FLV_TAG_TYPES.video, timestamp, data };
  }
  const codec = requireCodec(audioCodecOf(config.codec), config);
  const notation = audioNotation(codec);
  const data = writeAudioPayload({ kind: 'coded-frames', notation, codec, nanosecondOffset: 0, data: unit.data });
  return { type: FLV_TAG_TYPES.audio, timestamp, data };
}

/** Writes one FLV stream for one reader. Tracks are announced at the start and again whenever `setTrack` changes them. */
export class FlvMuxer {
  readonly #tracks = new Map<string, TrackConfig>();

  /** The file header, onMetaData and the sequence headers of the tracks that are known now. */
  start(tracks: ReadonlyMap<string, TrackConfig>): Uint8Array[] {
    const configs = [...tracks.values()];
    const has = (kind: TrackConfig['kind']): boolean => configs.some((config) => config.kind === kind);
    const bytes = [
      writeFlvFileHeader({ audio: has('audio'), video: has('video') }),
      writeFlvTag(flvMetaDataTag(configs)),
    ];
    for (const [name, config] of tracks) {
      bytes.push(...this.setTrack(name, config));
    }
    return bytes;
  }

  /** The bytes that announce a track or its change. Throws ProtocolError `unsupported-codec` when FLV cannot carry it. */
  setTrack(name: string, config: TrackConfig, timestamp = 0): Uint8Array[] {
    if (flvCodecOf(config) === null) {
      throw new ProtocolError('unsupported-codec', `FLV cannot carry ${config.codec}.`);
    }
    this.#tracks.set(name, config);
    const tag = flvSequenceTag(config, timestamp);
    return tag === null ? [] : [writeFlvTag(tag)];
  }

  /** The bytes of one unit of an announced track. */
  unit(name: string, unit: AccessUnit): Uint8Array {
    const config = this.#tracks.get(name);
    if (config === undefined) {
      throw new TypeError(`The FLV muxer knows no track "${name}".`);
    }
    return writeFlvTag(flvUnitTag(config, unit));
  }
}

function videoCodecOf(codec: string): FlvVideoCodec | null {
  switch (codec.slice(0, 4)) {
    case 'avc1':
    case 'avc3':
      return 'avc';
    case 'hvc1':
    case 'hev1':
      return 'hevc';
    case 'av01':
      return 'av1';
    case 'vp09':
      return 'vp9';
    default:
      return null;
  }
}

function audioCodecOf(codec: string): FlvAudioCodec | null {
  if (codec.startsWith('mp4a.40')) {
    return 'aac';
  }
  return codec === 'opus' || codec === 'flac' || codec === 'mp3' ? codec : null;
}

function videoNotation(codec: FlvVideoCodec): 'classic' | 'enhanced' {
  return codec === 'avc' ? 'classic' : 'enhanced';
}

function audioNotation(codec: FlvAudioCodec): 'classic' | 'enhanced' {
  return codec === 'aac' || codec === 'mp3' ? 'classic' : 'enhanced';
}

function requireCodec<Codec>(codec: Codec | null, config: TrackConfig): Codec {
  if (codec === null) {
    throw new ProtocolError('unsupported-codec', `FLV cannot carry ${config.codec}.`);
  }
  return codec;
}
