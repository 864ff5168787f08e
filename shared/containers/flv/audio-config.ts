// Audio track descriptions from and to the configuration records that FLV carries: AudioSpecificConfig of AAC
// (ISO/IEC 14496-3, 1.6.2.1), OpusHead (RFC 7845, 5.1), FLAC's STREAMINFO (RFC 9639, 8.2). Used by the demuxer.

import { ContainerError } from '../../errors.ts';
import type { AudioTrackConfig } from '../../media/access-unit.ts';
import type { FlvAudioCodec } from './audio-payload.ts';

const SAMPLING_FREQUENCIES = [
  96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
] as const;
const CHANNELS_OF_CONFIGURATION = [0, 1, 2, 3, 4, 5, 6, 8] as const;
const AOT_SBR = 5;
const AOT_PS = 29;
const AOT_ESCAPE = 31;
const FREQUENCY_ESCAPE = 15;

/** The track that a sequence start describes. Throws ContainerError when the record is malformed. */
export function audioTrackConfig(codec: Exclude<FlvAudioCodec, 'mp3'>, record: Uint8Array): AudioTrackConfig {
  switch (codec) {
    case 'aac':
      return aacConfig(record);
    case 'opus':
      return opusConfig(record);
    case 'flac':
      return flacConfig(record);
  }
}

function aacConfig(record: Uint8Array): AudioTrackConfig {
  const bits = new RecordBits(record);
  const objectType = readObjectType(bits);
  let sampleRate = readSamplingFrequency(bits);
  const channelConfiguration = bits.read(4);
  // Explicit signalling of SBR: the first rate is the core's, the second is what comes out.
  if (objectType === AOT_SBR || objectType === AOT_PS) {
    sampleRate = readSamplingFrequency(bits);
  }
  const channels = objectType === AOT_PS ? 2 : (CHANNELS_OF_CONFIGURATION.at(channelConfiguration) ?? 0);
  if (sampleRate === 0) {
    throw new ContainerError('An AudioSpecificConfig names no valid sampling frequency.', 0);
  }
  return {
    kind: 'audio',
    codec: `mp4a.40.${objectType}`,
    description: record,
    sampleRate,
    channels: channels === 0 ? 2 : channels, // 0: a program config element says it; stereo is the usual case
  };
}

function readObjectType(bits: RecordBits): number {
  const objectType = bits.read(5);
  return objectType === AOT_ESCAPE ? 32 + bits.read(6) : objectType;
}

function readSamplingFrequency(bits: RecordBits): number {
  const index = bits.read(4);
  return index === FREQUENCY_ESCAPE ? bits.read(24) : (SAMPLING_FREQUENCIES.at(index) ?? 0);
}

function opusConfig(record: Uint8Array): AudioTrackConfig {
  const channels = record.at(9) ?? 0;
  if (record.length < 19 || String.fromCharCode(...record.subarray(0, 8)) !== 'OpusHead' || channels === 0) {
    throw new ContainerError('An Opus sequence start holds no OpusHead.', 0);
  }
  return { kind: 'audio', codec: 'opus', description: record, sampleRate: 48000, channels };
}

function flacConfig(record: Uint8Array): AudioTrackConfig {
  if (record.length < 42 || String.fromCharCode(...record.subarray(0, 4)) !== 'fLaC') {
    throw new ContainerError('A FLAC sequence start holds no STREAMINFO.', 0);
  }
  const bits = new RecordBits(record.subarray(18));
  const sampleRate = bits.read(20);
  const channels = bits.read(3) + 1;
  return { kind: 'audio', codec: 'flac', description: record, sampleRate, channels };
}

/** The track of MP3 frames, from the first frame's header (ISO/IEC 11172-3, 2.4.2.3). Null when the bytes hold no header. */
export function mp3TrackConfig(frame: Uint8Array): AudioTrackConfig | null {
  const [sync = 0, second = 0, third = 0, fourth = 0] = frame;
  const version = (second >> 3) & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const rate = [44100, 48000, 32000].at((third >> 2) & 3);
  if (sync !== 0xff || second >> 5 !== 7 || version === 1 || rate === undefined) {
    return null;
  }
  const sampleRate = version === 3 ? rate : version === 2 ? rate / 2 : rate / 4;
  return { kind: 'audio', codec: 'mp3', sampleRate, channels: fourth >> 6 === 3 ? 1 : 2 };
}

class RecordBits {
  readonly #data: Uint8Array;
  #position = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  read(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const byte = this.#data.at(this.#position >> 3);
      if (byte === undefined) {
        throw new ContainerError('An audio configuration record ends too early.', this.#position >> 3);
      }
      value = value * 2 + ((byte >> (7 - (this.#position & 7))) & 1);
      this.#position += 1;
    }
    return value;
  }
}
