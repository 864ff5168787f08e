// Short clips as publishers send them: pictures through our encoder, sound through ffmpeg. Each begins with a key unit and can be played
// round and round.

import type { AudioTrackConfig, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import { UNSPECIFIED_COLOUR } from '../../shared/media/colour.ts';
import { i420ByteLength, packedI420, type I420Frame } from '../../shared/media/frame.ts';
import { microseconds } from '../../shared/media/time.ts';
import { RAW_CODEC } from '../../shared/protocol/track-message.ts';
import { encodeClip, packFrame } from './encode-clip.ts';
import { ffmpeg } from './ffmpeg-clips.ts';
import type { Clip } from './health-scene.ts';
import { movingPicture } from './moving-picture.ts';

const SIZE = { width: 320, height: 180 } as const;
const FPS = 30;

/** What the picture does. */
export type PictureKind = 'moving' | 'frozen' | 'black';

function frameOf(kind: PictureKind): (index: number) => I420Frame {
  const moving = movingPicture({ ...SIZE, seed: 5, noise: 2, fps: FPS });
  if (kind === 'black') {
    const bytes = new Uint8Array(i420ByteLength(SIZE.width, SIZE.height)).fill(128);
    bytes.fill(16, 0, SIZE.width * SIZE.height);
    return (index) => packedI420(bytes, SIZE, { timestamp: timeOf(index), colour: UNSPECIFIED_COLOUR });
  }
  return kind === 'moving' ? moving : (index) => ({ ...moving(0), timestamp: timeOf(index) });
}

const timeOf = (index: number) => microseconds(Math.round((index * 1_000_000) / FPS));

/** Four seconds of H.264 with a key picture every two. */
export function codedPictures(kind: PictureKind, kbps: number): Clip {
  const frames = 4 * FPS;
  const { chunks, metadata } = encodeClip(
    {
      ...SIZE,
      framerate: { numerator: FPS, denominator: 1 },
      rateControl: { kind: 'bitrate', kbps, bufferMs: 1000 },
      preset: 'ultrafast',
      keyint: 2 * FPS,
      format: 'avc',
      colour: UNSPECIFIED_COLOUR,
    },
    frameOf(kind),
    frames,
  );
  const description = metadata.find((each) => each.description !== undefined)!.description!;
  const config: VideoTrackConfig = {
    kind: 'video',
    codec: `avc1.${Buffer.from(description.subarray(1, 4)).toString('hex')}`,
    description,
    ...SIZE,
    sampleAspect: [1, 1],
    colour: UNSPECIFIED_COLOUR,
    fps: FPS,
  };
  const units = chunks.map(({ type, data }) => ({ isKey: type === 'key', data }));
  return { config, unitMs: 1000 / FPS, units };
}

/** A second of packed I420 pictures, each a key. */
export function rawPictures(kind: PictureKind): Clip {
  const frame = frameOf(kind);
  const config: VideoTrackConfig = {
    kind: 'video',
    codec: RAW_CODEC,
    ...SIZE,
    sampleAspect: [1, 1],
    colour: UNSPECIFIED_COLOUR,
    fps: FPS,
  };
  const units = Array.from({ length: FPS }, (_, i) => ({ isKey: true, data: packFrame(frame(i)) }));
  return { config, unitMs: 1000 / FPS, units };
}

/** Frames of an ADTS stream (ISO/IEC 13818-7, 6.2) without their headers. */
export function adtsFrames(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at + 7 <= bytes.length;) {
    const length = ((bytes[at + 3]! & 3) << 11) | (bytes[at + 4]! << 3) | (bytes[at + 5]! >> 5);
    const header = (bytes[at + 1]! & 1) === 1 ? 7 : 9;
    frames.push(bytes.subarray(at + header, at + length));
    at += length;
  }
  return frames;
}

/** Two seconds of AAC made of an ffmpeg source, for example `sine=frequency=440` or `anullsrc`. */
export function codedSound(source: string): Clip {
  const adts = ffmpeg([
    '-f',
    'lavfi',
    '-i',
    source,
    '-t',
    '2',
    '-ac',
    '2',
    '-ar',
    '48000',
    '-c:a',
    'aac',
    '-f',
    'adts',
    '-',
  ]);
  const config: AudioTrackConfig = {
    kind: 'audio',
    codec: 'mp4a.40.2',
    description: Uint8Array.of(0x11, 0x90),
    sampleRate: 48_000,
    channels: 2,
  };
  const units = adtsFrames(adts).map((data) => ({ isKey: true, data }));
  return { config, unitMs: 1024 / 48, units };
}

/** Share of the clip's samples at full scale once decoded, 0..1: what a player measures. */
export function clippedShareOf(clip: Clip, fullScale: number): number {
  const adts = Buffer.concat(clip.units.map(({ data }) => Buffer.concat([adtsHeader(data.length), data])));
  const decoded = ffmpeg(['-f', 'aac', '-i', '-', '-f', 'f32le', '-'], adts);
  let clipped = 0;
  for (let at = 0; at + 4 <= decoded.length; at += 4) {
    clipped += Math.abs(decoded.readFloatLE(at)) >= fullScale ? 1 : 0;
  }
  return clipped / (decoded.length / 4);
}

/** Header of an ADTS frame of AAC-LC, 48 kHz, two channels (ISO/IEC 13818-7, 6.2). */
function adtsHeader(payloadBytes: number): Uint8Array {
  const length = payloadBytes + 7;
  return Uint8Array.of(0xff, 0xf1, 0x4c, 0x80 | (length >> 11), (length >> 3) & 0xff, ((length & 7) << 5) | 0x1f, 0xfc);
}
