// ffmpeg as an independent decoder: raw I420 of an Annex B stream; any warning or error on its way fails the test.
// It looks for the rate over the whole stream: with less it warns when a few large pictures fill what it reads at first.

import { spawnSync } from 'node:child_process';
import { expect } from '@jest/globals';

/** All pictures of the stream, one after the other. */
export function decodeWithFfmpeg(stream: Uint8Array): Uint8Array {
  const result = spawnSync(
    'ffmpeg',
    [
      ...['-v', 'warning', '-xerror', '-probesize', String(stream.length + 4096), '-f', 'h264', '-i', '-'],
      ...['-fps_mode', 'passthrough', '-f', 'rawvideo', '-'],
    ],
    { input: stream, maxBuffer: 1 << 28 },
  );
  expect(result.stderr.toString()).toBe('');
  expect(result.status).toBe(0);
  return result.stdout;
}
