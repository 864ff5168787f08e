// Writes sound as fragmented MP4 (ISO/IEC 14496-12; esds 14496-14; dOps of the Opus mapping) for MediaSource: an initialisation
// segment per track, then one fragment per batch of frames. Pure. Used by media-source-output.ts where AudioWorklet is missing.

import type { AudioTrackConfig } from '../../shared/media/access-unit.ts';

type Part = Uint8Array | readonly number[] | string;

/** One encoded frame of a fragment, with its length in timescale units. */
export type SoundFrame = { readonly data: Uint8Array; readonly duration: number };

const OPUS_RATE = 48_000;
const UNITY_MATRIX = [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000].flatMap((value) => u32(value));

function u32(value: number): number[] {
  return [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function u16(value: number): number[] {
  return [(value >>> 8) & 255, value & 255];
}

function toBytes(part: Part): ArrayLike<number> {
  return typeof part === 'string' ? Array.from(part, (character) => character.charCodeAt(0)) : part;
}

function box(type: string, ...parts: readonly Part[]): Uint8Array {
  const contents = parts.map(toBytes);
  const length = 8 + contents.reduce((sum, content) => sum + content.length, 0);
  const bytes = new Uint8Array(length);
  bytes.set(u32(length));
  bytes.set(toBytes(type), 4);
  let offset = 8;
  for (const content of contents) {
    bytes.set(content, offset);
    offset += content.length;
  }
  return bytes;
}

/** Units per second of a track's timestamps. */
export function soundTimescale(config: AudioTrackConfig): number {
  return config.codec === 'opus' ? OPUS_RATE : config.sampleRate;
}

const OPUS_FRAME_SAMPLES = [480, 960, 1920, 2880]; // SILK; RFC 6716, table 2

function opusSamples(packet: Uint8Array): number {
  const toc = packet[0] ?? 0;
  const configuration = toc >> 3;
  const perFrame =
    configuration < 12
      ? (OPUS_FRAME_SAMPLES[configuration & 3] ?? 960)
      : configuration < 16
        ? 480 << (configuration & 1)
        : 120 << (configuration & 3);
  const code = toc & 3;
  const frames = code === 0 ? 1 : code === 3 ? (packet[1] ?? 1) & 63 : 2;
  return perFrame * Math.max(1, frames);
}

/** Length of one encoded frame in timescale units. */
export function soundFrameDuration(config: AudioTrackConfig, data: Uint8Array): number {
  return config.codec === 'opus' ? opusSamples(data) : 1024;
}

function esds(config: AudioTrackConfig): Uint8Array {
  const specific = config.description ?? new Uint8Array();
  const decoderSpecific = [0x05, specific.length, ...specific];
  const decoderConfig = [0x40, 0x15, 0, 0, 0, ...u32(0), ...u32(0), ...decoderSpecific];
  const stream = [...u16(1), 0, 0x04, decoderConfig.length, ...decoderConfig, 0x06, 1, 2];
  return box('esds', u32(0), [0x03, stream.length, ...stream]);
}

function dops(config: AudioTrackConfig): Uint8Array {
  const head = config.description;
  const preSkip = head === undefined || head.length < 12 ? 312 : (head[10] ?? 0) | ((head[11] ?? 0) << 8);
  return box('dOps', [0, config.channels], u16(preSkip), u32(config.sampleRate), u16(0), [0]);
}

function sampleEntry(config: AudioTrackConfig): Uint8Array {
  const isOpus = config.codec === 'opus';
  const common = [0, 0, 0, 0, 0, 0, ...u16(1), ...u32(0), ...u32(0), ...u16(config.channels), ...u16(16), ...u32(0)];
  const rate = u32((isOpus ? OPUS_RATE : Math.min(config.sampleRate, 65_535)) * 65_536);
  return box(isOpus ? 'Opus' : 'mp4a', common, rate, isOpus ? dops(config) : esds(config));
}

/** What MediaSource is told about the segments. */
export function soundMimeType(config: AudioTrackConfig): string {
  return `audio/mp4; codecs="${config.codec}"`;
}

/** ftyp and moov of a track. */
export function initialisationSegment(config: AudioTrackConfig): Uint8Array {
  const timescale = soundTimescale(config);
  const full = u32(0);
  const stbl = box(
    'stbl',
    box('stsd', full, u32(1), sampleEntry(config)),
    box('stts', full, u32(0)),
    box('stsc', full, u32(0)),
    box('stsz', full, u32(0), u32(0)),
    box('stco', full, u32(0)),
  );
  const minf = box(
    'minf',
    box('smhd', full, u32(0)),
    box('dinf', box('dref', full, u32(1), box('url ', u32(1)))),
    stbl,
  );
  const mdia = box(
    'mdia',
    box('mdhd', full, u32(0), u32(0), u32(timescale), u32(0), u16(0x55c4), u16(0)),
    box('hdlr', full, u32(0), 'soun', u32(0), u32(0), u32(0), [0]),
    minf,
  );
  const tkhd = box(
    'tkhd',
    u32(7),
    u32(0),
    u32(0),
    u32(1),
    u32(0),
    u32(0),
    u32(0),
    u32(0),
    u16(0),
    u16(0),
    u16(0x0100),
    u16(0),
    UNITY_MATRIX,
    u32(0),
    u32(0),
  );
  const mvhd = box(
    'mvhd',
    full,
    u32(0),
    u32(0),
    u32(timescale),
    u32(0),
    u32(0x0001_0000),
    u16(0x0100),
    u16(0),
    u32(0),
    u32(0),
    UNITY_MATRIX,
    new Uint8Array(24),
    u32(2),
  );
  const mvex = box('mvex', box('trex', full, u32(1), u32(1), u32(0), u32(0), u32(0)));
  const ftyp = box('ftyp', 'iso5', u32(1), 'iso5', 'iso6', 'mp41');
  return concatenate([ftyp, box('moov', mvhd, box('trak', tkhd, mdia), mvex)]);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** moof and mdat of a few frames. `decodeTime` in timescale units since the start of the source buffer's timeline. */
export function mediaFragment(sequence: number, decodeTime: number, frames: readonly SoundFrame[]): Uint8Array {
  const entries = frames.flatMap(({ data, duration }) => [...u32(duration), ...u32(data.length)]);
  const build = (dataOffset: number) =>
    box(
      'moof',
      box('mfhd', u32(0), u32(sequence)),
      box(
        'traf',
        box('tfhd', u32(0x02_0000), u32(1)),
        box('tfdt', u32(0x0100_0000), u32(Math.floor(decodeTime / 0x1_0000_0000)), u32(decodeTime >>> 0)),
        box('trun', u32(0x0000_0301), u32(frames.length), u32(dataOffset), entries),
      ),
    );
  const moof = build(build(0).length + 8);
  return concatenate([moof, box('mdat', concatenate(frames.map(({ data }) => data)))]);
}
