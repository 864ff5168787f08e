// Small synthetic clips for tests: coded by ffmpeg (x264, AAC or Opus), read back as access units, with ffmpeg's own decoding of every
// picture as the truth. Clips live in a temporary folder that the caller removes by close().

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input, type InputTrack } from 'mediabunny';
import type { AudioTrackConfig, VideoTrackConfig } from '../../shared/media/access-unit.ts';
import type { ColourDescription } from '../../shared/media/colour.ts';
import { i420ByteLength } from '../../shared/media/frame.ts';

/** One coded picture or sound frame, times in microseconds from the clip's start. */
export type ClipUnit = {
  readonly isKey: boolean;
  readonly ptsUs: number;
  readonly dtsUs: number;
  readonly data: Uint8Array;
};

/** What to make. */
export type ClipOptions = {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly seconds: number;
  /** ffmpeg arguments of the video codec, for example x264's profile. */
  readonly videoCodec: readonly string[];
  readonly audioCodec?: readonly string[];
  readonly colour?: ColourDescription;
  readonly sampleAspect?: readonly [number, number];
  /** lavfi source; `testsrc2` unless given. */
  readonly source?: string;
  readonly container?: 'mp4' | 'mkv';
};

/** A clip in memory, and its pictures as ffmpeg decodes them. */
export type Clip = {
  readonly video: { readonly config: VideoTrackConfig; readonly units: readonly ClipUnit[] };
  readonly audio: { readonly config: AudioTrackConfig; readonly units: readonly ClipUnit[] } | null;
  readonly durationUs: number;
  /** Packed I420 of the picture with this presentation time. */
  readonly picture: (ptsUs: number) => Uint8Array;
  readonly close: () => void;
};

const LIMITED_709: ColourDescription = {
  colour_primaries: 1,
  transfer_characteristics: 1,
  matrix_coefficients: 1,
  video_full_range_flag: false,
};

function run(args: readonly string[]): void {
  const { status, stderr } = spawnSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args]);
  if (status !== 0) {
    throw new Error(`ffmpeg ${args.join(' ')} failed: ${stderr.toString()}`);
  }
}

async function unitsOf(track: InputTrack): Promise<ClipUnit[]> {
  const units: ClipUnit[] = [];
  for await (const packet of new EncodedPacketSink(track).packets()) {
    const ptsUs = Math.round(packet.timestamp * 1_000_000);
    units.push({ isKey: packet.type === 'key', ptsUs, dtsUs: ptsUs, data: packet.data });
  }
  return withDecodingTimes(units);
}

// Packets come in decoding order; decoding times are the presentation times in order, moved back until none is late.
function withDecodingTimes(units: readonly ClipUnit[]): ClipUnit[] {
  const sorted = units.map((unit) => unit.ptsUs).sort((a, b) => a - b);
  const delay = Math.max(0, ...units.map((unit, index) => (sorted[index] ?? 0) - unit.ptsUs));
  return units.map((unit, index) => ({ ...unit, dtsUs: (sorted[index] ?? 0) - delay }));
}

/** Makes a clip; closed groups of pictures of one second, so that it can be looped. */
export async function makeClip(options: ClipOptions): Promise<Clip> {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-clip-'));
  const { width, height, fps, seconds } = options;
  const file = join(folder, `clip.${options.container ?? 'mp4'}`);
  const raw = join(folder, 'clip.yuv');
  const source = options.source ?? `testsrc2=size=${width}x${height}:rate=${fps}`;
  const sound =
    options.audioCodec === undefined ? [] : ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:beep_factor=4'];
  run([
    ...['-f', 'lavfi', '-i', source, ...sound, '-t', String(seconds), '-pix_fmt', 'yuv420p'],
    ...['-g', String(fps), ...options.videoCodec, ...(options.audioCodec ?? []), file],
  ]);
  run(['-i', file, '-map', '0:v', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', raw]);
  const input = new Input({ formats: ALL_FORMATS, source: new FilePathSource(file) });
  const videoTrack = await input.getPrimaryVideoTrack();
  const audioTrack = await input.getPrimaryAudioTrack();
  if (videoTrack === null) {
    throw new Error('The clip has no video.');
  }
  const units = await unitsOf(videoTrack);
  const decoderConfig = await videoTrack.getDecoderConfig();
  const audioConfig = await audioTrack?.getDecoderConfig();
  const presentation = units.map((unit) => unit.ptsUs).sort((a, b) => a - b);
  const first = presentation[0] ?? 0;
  const bytes = i420ByteLength(width, height);
  const pictures = readFileSync(raw);
  const shifted = units.map((unit) => ({ ...unit, ptsUs: unit.ptsUs - first, dtsUs: unit.dtsUs - first }));
  return {
    video: {
      units: shifted,
      config: {
        kind: 'video',
        codec: decoderConfig?.codec ?? '',
        ...(decoderConfig?.description === undefined
          ? {}
          : { description: new Uint8Array(decoderConfig.description as ArrayBuffer) }),
        width,
        height,
        sampleAspect: options.sampleAspect ?? [1, 1],
        colour: options.colour ?? LIMITED_709,
        fps,
      },
    },
    audio:
      audioTrack === null || audioConfig === null || audioConfig === undefined
        ? null
        : {
            units: (await unitsOf(audioTrack)).filter((unit) => unit.ptsUs >= 0),
            config: {
              kind: 'audio',
              codec: audioConfig.codec,
              ...(audioConfig.description === undefined
                ? {}
                : { description: new Uint8Array(audioConfig.description as ArrayBuffer) }),
              sampleRate: audioConfig.sampleRate,
              channels: audioConfig.numberOfChannels,
            },
          },
    durationUs: seconds * 1_000_000,
    picture: (ptsUs) => {
      const index = presentation.findIndex((pts) => Math.abs(pts - first - ptsUs) < 500_000 / fps);
      return pictures.subarray(index * bytes, (index + 1) * bytes);
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}
