// onMetaData, the script tag that says what an FLV stream holds (Adobe FLV 10.1, E.5). Its numbers are hints of the
// publisher: sizes and rates in the codec's own headers win. Read by the demuxer, written by the muxer.

import type { TrackConfig } from '../../media/access-unit.ts';
import { amf0EcmaArray, isAmf0Object, readAmf0, writeAmf0 } from './amf0.ts';
import type { Amf0Value } from './amf0.ts';

/** The numbers of onMetaData that something here reads; absent when missing, not finite or not positive. */
export type FlvMetaData = {
  readonly width?: number;
  readonly height?: number;
  readonly framerate?: number;
  readonly audiosamplerate?: number;
  /** Seconds. */
  readonly duration?: number;
  /** Kilobits per second. */
  readonly videodatarate?: number;
  readonly audiodatarate?: number;
};

const FIELDS = [
  'width',
  'height',
  'framerate',
  'audiosamplerate',
  'duration',
  'videodatarate',
  'audiodatarate',
] as const satisfies readonly (keyof FlvMetaData)[];

/** Reads a script tag or RTMP data message. Null when it is another script. Throws ContainerError when it is malformed. */
export function parseOnMetaData(data: Uint8Array): FlvMetaData | null {
  const values = readAmf0(data);
  const start = values[0] === '@setDataFrame' ? 1 : 0;
  const properties = values[start + 1];
  if (values[start] !== 'onMetaData' || properties === undefined || !isAmf0Object(properties)) {
    return null;
  }
  const found: { -readonly [Field in keyof FlvMetaData]: number } = {};
  for (const field of FIELDS) {
    const value = properties.properties.get(field);
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) {
      found[field] = value;
    }
  }
  return found;
}

/** Writes the script tag's data for these tracks: twin of parseOnMetaData. */
export function writeOnMetaData(tracks: readonly TrackConfig[]): Uint8Array {
  const entries: Record<string, Amf0Value> = {};
  for (const track of tracks) {
    if (track.kind === 'video') {
      entries.width = track.width;
      entries.height = track.height;
      if (track.fps !== undefined) {
        entries.framerate = track.fps;
      }
      entries.videocodecid = videoCodecId(track.codec);
    } else {
      entries.audiosamplerate = track.sampleRate;
      entries.audiosamplesize = 16;
      entries.stereo = track.channels > 1;
      entries.audiocodecid = audioCodecId(track.codec);
    }
  }
  entries.encoder = 'Tessera';
  return writeAmf0(['onMetaData', amf0EcmaArray(entries)]);
}

/** 7 for AVC; the FourCC as a number else, as Enhanced RTMP defines it. */
function videoCodecId(codec: string): number {
  return codec.startsWith('avc1') ? 7 : fourCcNumber(codec.slice(0, 4).replace('hev1', 'hvc1'));
}

function audioCodecId(codec: string): number {
  switch (codec) {
    case 'mp3':
      return 2;
    case 'opus':
      return fourCcNumber('Opus');
    case 'flac':
      return fourCcNumber('fLaC');
    default:
      return 10;
  }
}

function fourCcNumber(fourCc: string): number {
  return [0, 1, 2, 3].reduce((number, i) => number * 256 + fourCc.charCodeAt(i), 0);
}
