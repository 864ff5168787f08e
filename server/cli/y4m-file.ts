// A .y4m file as frames, read one by one into one buffer: what `tessera encode` uses for regular files, where streaming would copy and
// allocate every picture. Pipes go through openY4m of shared/containers.

import { closeSync, openSync, readSync } from 'node:fs';
import { parseY4mHeader, type Y4mHeader } from '../../shared/containers/y4m.ts';
import { ContainerError } from '../../shared/errors.ts';
import { UNSPECIFIED_COLOUR } from '../../shared/media/colour.ts';
import { type I420Frame, i420ByteLength, packedI420 } from '../../shared/media/frame.ts';
import { microseconds } from '../../shared/media/time.ts';

/** Header and frames of a clip, from a file or a pipe. */
export type FrameSource = {
  readonly header: Y4mHeader;
  readonly frames: AsyncIterable<I420Frame> | Iterable<I420Frame>;
};

const MAX_LINE_BYTES = 1024;

/** Reads up to the next newline; null at the end of the file. Throws ContainerError for a line that is too long. */
function readLine(file: number, position: number): { readonly text: string; readonly next: number } | null {
  const bytes = new Uint8Array(MAX_LINE_BYTES);
  const count = readSync(file, bytes, 0, MAX_LINE_BYTES, position);
  if (count === 0) {
    return null;
  }
  const end = bytes.indexOf(10);
  if (end < 0 || end >= count) {
    throw new ContainerError('The Y4M file has a line without an end where a header must be.', position);
  }
  return { text: String.fromCharCode(...bytes.subarray(0, end)), next: position + end + 1 };
}

/** Opens a regular file. A frame is valid until the next one is asked for. Throws ContainerError, or the error of the file system. */
export function openY4mFile(path: string): FrameSource {
  const file = openSync(path, 'r');
  const first = readLine(file, 0);
  if (first === null) {
    throw new ContainerError('The Y4M file is empty.', 0);
  }
  const header = parseY4mHeader(first.text);
  return { header, frames: readFrames(file, header, first.next) };
}

function* readFrames(file: number, header: Y4mHeader, start: number): Generator<I420Frame, void, undefined> {
  const planes = new Uint8Array(i420ByteLength(header.width, header.height));
  const frameMicroseconds = (1e6 * header.framerate.denominator) / header.framerate.numerator;
  const colour = { ...UNSPECIFIED_COLOUR, video_full_range_flag: header.isFullRange === true };
  let position = start;
  try {
    for (let index = 0; ; index++) {
      const line = readLine(file, position);
      if (line === null) {
        return;
      }
      if (line.text !== 'FRAME' && !line.text.startsWith('FRAME ')) {
        throw new ContainerError('The Y4M file has something else where a FRAME line must be.', position);
      }
      position = line.next;
      if (readSync(file, planes, 0, planes.length, position) < planes.length) {
        throw new ContainerError('The Y4M file ends inside a picture.', position);
      }
      position += planes.length;
      yield packedI420(planes, header, {
        timestamp: microseconds(Math.round(index * frameMicroseconds)),
        sampleAspect: header.sampleAspect,
        colour,
      });
    }
  } finally {
    closeSync(file);
  }
}
