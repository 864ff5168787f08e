// The clips and coded streams that the codec benchmarks share: made once from the reference material and kept in the cache.

import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { i420ByteLength } from '../../../shared/media/frame.ts';
import { openY4mFile } from '../y4m-file.ts';

/** Where the reference material is looked for: TESSERA_MATERIAL_DIR, else ../shared beside the project. */
export function materialDirectory(): string {
  return resolve(process.env['TESSERA_MATERIAL_DIR'] ?? '../shared');
}

/** Whether a program can be started. */
export function hasProgram(program: string, flag: string): boolean {
  return spawnSync(program, [flag], { stdio: 'ignore' }).error === undefined;
}

/** Runs a program to its end; throws one sentence with its last words when it fails. */
export function runProgram(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): string {
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    env: { ...process.env, ...environment },
  });
  if (result.status !== 0) {
    const words = (result.error?.message ?? result.stderr).trim().split('\n').slice(-2).join(' ');
    throw new Error(`${program} failed: ${words}`);
  }
  return result.stdout;
}

export type ClipName = 'bbb720' | 'foreman_cif' | 'mobile_cif';

/** The raw clip as .y4m in the cache; made with ffmpeg by the material's own script the first time. */
export function rawClip(cacheDir: string, name: ClipName): string {
  const directory = join(cacheDir, 'clips');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${name}.y4m`);
  if (!existsSync(file)) {
    runProgram(join(materialDirectory(), 'clips', 'make-clips'), [directory, name]);
  }
  return file;
}

const PASSES = 4;

/** The raw clip four times, forth and back so that nothing jumps: long enough for compiled code to be what counts. */
export function longRawClip(cacheDir: string, name: ClipName): string {
  const file = join(cacheDir, 'clips', `${name}-${PASSES}-passes.y4m`);
  if (!existsSync(file)) {
    const source = rawClip(cacheDir, name);
    const { width, height } = openY4mFile(source).header;
    const bytes = readFileSync(source);
    const start = bytes.indexOf('\n') + 1;
    const frameBytes = 'FRAME\n'.length + i420ByteLength(width, height);
    const frames = Array.from({ length: (bytes.length - start) / frameBytes }, (_, i) =>
      bytes.subarray(start + i * frameBytes, start + (i + 1) * frameBytes),
    );
    const partial = `${file}.partial`;
    writeFileSync(partial, bytes.subarray(0, start));
    for (let pass = 0; pass < PASSES; pass++) {
      for (const frame of pass % 2 === 0 ? frames : frames.toReversed()) {
        appendFileSync(partial, frame);
      }
    }
    renameSync(partial, file);
  }
  return file;
}

const X264_ARGUMENTS = {
  baseline: ['--profile', 'baseline', '--preset', 'medium'],
  high: ['--profile', 'high', '--preset', 'medium', '--bframes', '3'],
} as const;

/** The clip coded by x264 at `kbps` in one profile, Annex B; kept in the cache. */
export function codedClip(
  cacheDir: string,
  name: ClipName,
  profile: keyof typeof X264_ARGUMENTS,
  kbps: number,
): string {
  const file = join(cacheDir, 'clips', `${name}-${profile}-${kbps}.264`);
  if (!existsSync(file)) {
    const partial = `${file}.partial.264`;
    runProgram('x264', [
      ...X264_ARGUMENTS[profile],
      '--bitrate',
      String(kbps),
      '--quiet',
      '-o',
      partial,
      rawClip(cacheDir, name),
    ]);
    renameSync(partial, file);
  }
  return file;
}

/** 60 frames of the clip at 1920x1080 in High profile with four references at 6 Mbit/s, Annex B; made by ffmpeg with x264. */
export function codedFullHd(cacheDir: string): string {
  const file = join(cacheDir, 'clips', 'bbb720-1080p-ref4.264');
  if (!existsSync(file)) {
    const partial = `${file}.partial.264`;
    const filter = ['-vf', 'scale=1920:1080', '-frames:v', '60'];
    const coding = ['-c:v', 'libx264', '-profile:v', 'high', '-level', '4', '-refs', '4', '-bf', '3', '-b:v', '6M'];
    runProgram('ffmpeg', ['-v', 'error', '-y', '-i', rawClip(cacheDir, 'bbb720'), ...filter, ...coding, partial]);
    renameSync(partial, file);
  }
  return file;
}
