// Clips for integration tests, made by ffmpeg in a temporary folder, and what ffmpeg makes of ours: raw pictures.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is gone after the suite: call `remove` in afterAll. */
export function temporaryFolder(name: string): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `tessera-${name}-`));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Runs ffmpeg to its end and returns stdout. Throws with its last words when it fails. */
export function ffmpeg(args: readonly string[], input?: Uint8Array): Buffer {
  const result = spawnSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args], {
    maxBuffer: 1 << 30,
    ...(input === undefined ? {} : { input }),
  });
  if (result.status !== 0) {
    throw new Error(`ffmpeg ${args.join(' ')} failed: ${result.stderr.toString().trim()}`);
  }
  return result.stdout;
}

/** Moving test picture of ffmpeg as an input: detailed, with a counter. */
export function testPicture(size: string, seconds: number, fps = 30): string[] {
  return ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${fps}:duration=${seconds}`];
}

/** Every picture of a file (or of bytes with `-f` options before) as packed I420, in order of presentation. */
export function decodeToI420(inputArgs: readonly string[], input?: Uint8Array): Buffer {
  return ffmpeg([...inputArgs, '-fps_mode', 'passthrough', '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-'], input);
}
