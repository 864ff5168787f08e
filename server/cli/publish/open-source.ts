// Chooses the MediaSource for a file by its first bytes, never by its name. What none of our readers knows (MPEG-TS, AVI, ...) is given
// to ffmpeg where that is installed.

import { open } from 'node:fs/promises';
import { ContainerError } from '../../../shared/errors.ts';
import { locateFfmpeg } from '../../transcode/ffmpeg/ffmpeg-binary.ts';
import { importFile } from '../../transcode/ffmpeg/import-file.ts';
import { FlvTagSource, FlvUnitSource } from './flv-source.ts';
import { H264Source } from './h264-source.ts';
import type { MediaSource } from './media-source.ts';
import { Mp4Source } from './mp4-source.ts';
import { Y4mSource } from './y4m-source.ts';

/** `other`: whatever ffmpeg can open. */
export type FileKind = 'flv' | 'mp4' | 'y4m' | 'h264' | 'other';

const HEAD_BYTES = 16;

/**
 * What a file is. Throws Error with one sentence when it cannot be read, ContainerError when it is
 * nothing that can be published.
 */
export async function kindOfFile(path: string): Promise<FileKind> {
  if (path === '-') {
    return 'y4m';
  }
  const head = await readHead(path);
  const text = head.toString('latin1');
  if (text.startsWith('FLV')) {
    return 'flv';
  }
  if (text.startsWith('YUV4MPEG2')) {
    return 'y4m';
  }
  if (/^.{4}(ftyp|moov|mdat|wide|free|skip)/s.test(text) || text.startsWith('\x1aE\xdf\xa3')) {
    return 'mp4';
  }
  if (/^\0\0\0?\x01/.test(text)) {
    return 'h264';
  }
  if (head.length === 0 || locateFfmpeg() === null) {
    throw new ContainerError(`${path} is none of FLV, MP4, MOV, MKV, WebM, Y4M and H.264.`, 0);
  }
  return 'other';
}

async function readHead(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`Cannot read ${path}: ${code === 'ENOENT' ? 'there is no such file' : (code ?? 'unknown')}.`);
  }
}

/** Opens the file. `asTags`: FLV tags stay whole, for RTMP. */
export function openSource(
  path: string,
  kind: FileKind,
  options: { readonly asTags: boolean; readonly fps?: number },
): MediaSource {
  switch (kind) {
    case 'flv':
      return options.asTags ? new FlvTagSource(path) : new FlvUnitSource(path);
    case 'mp4':
      return new Mp4Source(path);
    case 'y4m':
      return new Y4mSource(path);
    case 'other':
      return { events: () => importFile(path) };
    case 'h264':
      return new H264Source(path, options.fps === undefined ? {} : { fps: options.fps });
  }
}
