// ffmpeg as the outside judge of the decoder: the digests of all frames of a stream, without reordering or dropping of its own.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';

/** MD5 of every frame of `size` that ffmpeg's decoder gives for an Annex B stream. Throws when it complains. */
export function ffmpegFrameMd5(
  stream: Uint8Array,
  size: { readonly width: number; readonly height: number; readonly isMonochrome: boolean },
): string[] {
  const format = size.isMonochrome ? ['-pix_fmt', 'yuv420p'] : [];
  const result = spawnSync(
    'ffmpeg',
    [
      ...['-v', 'warning', '-flags', 'unaligned', '-threads', '1', '-f', 'h264', '-i', '-', '-map', '0:v:0'],
      ...['-fps_mode', 'passthrough', '-autoscale', '0', ...format, '-f', 'rawvideo', '-'],
    ],
    { input: stream, maxBuffer: 1 << 29 },
  );
  // Only the decoder's complaints count, and not that it slides out a field which was unmarked before.
  const words = result.stderr
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('[h264') && !line.endsWith('mmco: unref short failure'))
    .join('\n');
  if (result.status !== 0 || words !== '') {
    throw new Error(`ffmpeg did not take the stream: ${words.slice(0, 500)}`);
  }
  const bytes = size.width * size.height + 2 * (((size.width + 1) >> 1) * ((size.height + 1) >> 1));
  const frames: string[] = [];
  for (let at = 0; at < result.stdout.length; at += bytes) {
    frames.push(
      createHash('md5')
        .update(result.stdout.subarray(at, at + bytes))
        .digest('hex'),
    );
  }
  return frames;
}
