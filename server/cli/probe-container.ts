// FLV, MP4, MOV, MKV and WebM files for `tessera probe`: the H.264 access units of their video track go into the probe's decoder.

import type { H264Decoder } from '../../shared/codec/h264/decoder.ts';
import { ContainerError } from '../../shared/errors.ts';
import type { TrackConfig } from '../../shared/media/access-unit.ts';
import { kindOfFile, openSource } from './publish/open-source.ts';

/** Kinds of files with H.264 in them; everything else is taken for a raw stream. */
export type ContainerKind = 'flv' | 'mp4';

/** What a container tells beside its pictures. */
export type ContainerFigures = {
  /** Bytes of the video's access units. */
  readonly bytes: number;
  /** By the times of the pictures; null with less than two. */
  readonly fps: number | null;
};

/** The kind of a file by its first bytes; null: no container. Throws one sentence when the file cannot be read. */
export async function containerKind(file: string): Promise<ContainerKind | null> {
  if (file === '-') {
    return null;
  }
  try {
    const kind = await kindOfFile(file);
    return kind === 'flv' || kind === 'mp4' ? kind : null;
  } catch (error) {
    if (error instanceof ContainerError) {
      return null;
    }
    throw error;
  }
}

/** Decodes the video track; `onUnit` is called before each access unit. Throws one sentence when the track is not H.264. */
export async function decodeContainer(
  file: string,
  kind: ContainerKind,
  decoder: H264Decoder,
  onUnit: () => void,
): Promise<ContainerFigures> {
  let bytes = 0;
  let units = 0;
  let firstUs = Number.POSITIVE_INFINITY;
  let lastUs = Number.NEGATIVE_INFINITY;
  for await (const event of openSource(file, kind, { asTags: false }).events()) {
    if (event.kind === 'track' && event.name === 'video') {
      configure(file, decoder, event.config, units > 0);
    } else if (event.kind === 'unit' && event.name === 'video') {
      const { pts, data, priority } = event.unit;
      onUnit();
      units++;
      bytes += data.length;
      firstUs = Math.min(firstUs, pts);
      lastUs = Math.max(lastUs, pts);
      decoder.decode({ type: priority === 'key' ? 'key' : 'delta', timestamp: pts, data });
    }
  }
  const spanUs = lastUs - firstUs;
  return { bytes, fps: spanUs > 0 ? Math.round(((units - 1) * 1e9) / spanUs) / 1000 : null };
}

function configure(file: string, decoder: H264Decoder, config: TrackConfig, isChange: boolean): void {
  if (!config.codec.startsWith('avc1') || config.description === undefined) {
    throw new Error(`${file} has ${config.codec} video; probe shows H.264.`);
  }
  if (isChange) {
    decoder.flush();
  }
  decoder.configure({ format: 'avc', description: config.description });
}
