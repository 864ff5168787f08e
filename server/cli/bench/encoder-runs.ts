// One run of one encoder on one clip: our command, native x264, and the encoders of npm, each in a process of its own. Called by
// encode.ts and encoder-quality.ts.

import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openY4mFile } from '../y4m-file.ts';
import { runProgram } from './clips.ts';
import { runOwnScript } from './own-script.ts';
import type { PeerName } from './peers.ts';

/** What a run of our own command tells. */
export type OwnRun = {
  readonly frames: number;
  readonly bytes: number;
  readonly kbps: number;
  readonly psnrY?: number;
  readonly cpuMs: number;
  /** Frames per second of wall-clock time. */
  readonly fps: number;
  readonly peakRssMb: number;
};

/** What a run of an encoder from npm tells. */
export type PeerRun = { readonly frames: number; readonly cpuMs: number; readonly peakRssMb: number };

/** Our own command: one IDR picture, then P pictures. */
export function runOwn(clip: string, output: string, flags: readonly string[]): OwnRun {
  const base = ['encode', clip, '-o', output, '--tune', 'psnr', '--keyint', 'infinite', '--json'];
  return runOwnScript('../../main', [...base, ...flags]) as OwnRun;
}

/** Peak memory of our command when there is next to nothing to encode, MB: what any command of ours takes. */
export function idleMemoryMb(folder: string): number {
  const clip = join(folder, 'one-macroblock.y4m');
  writeFileSync(clip, Buffer.concat([Buffer.from('YUV4MPEG2 W16 H16 F30:1 C420\nFRAME\n'), Buffer.alloc(384, 128)]));
  return runOwn(clip, join(folder, 'one-macroblock.264'), []).peakRssMb;
}

/** An encoder from npm at constant QP; writes an MP4 file. */
export function runPeer(folder: string, name: PeerName, clip: string, qp: number, output: string): PeerRun {
  return runOwnScript('./peer-encoder-process', [folder, name, clip, String(qp), output]) as PeerRun;
}

/** CPU milliseconds of x264 as a user would run it for the same job. */
export function x264CpuMs(clip: string, flags: readonly string[]): number {
  const args = ['--qp', '27', '--keyint', 'infinite', '--tune', 'psnr', '--threads', '1', '--bframes', '0', '--quiet'];
  const script = `x264 "$@"; times >&2`;
  const { stderr, status } = spawnSync(
    'bash',
    ['-c', script, 'x264', ...flags, ...args, '--rc-lookahead', '0', '--sync-lookahead', '0', '-o', '/dev/null', clip],
    { encoding: 'utf8' },
  );
  const times = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(stderr.trim());
  if (status !== 0 || times === null) {
    throw new Error(`x264 failed: ${stderr.trim().split('\n').slice(-1)[0] ?? ''}`);
  }
  const seconds = (minutes: string | undefined, rest: string | undefined): number =>
    60 * Number(minutes) + Number(rest);
  return 1000 * (seconds(times[1], times[2]) + seconds(times[3], times[4]));
}

/** Wall-clock milliseconds of x264 superfast with slices on this many threads, the structure of ours. */
export function x264WallMs(clip: string, threads: number): number {
  const flags = ['--preset', 'superfast', '--tune', 'zerolatency', '--qp', '27', '--keyint', 'infinite', '--quiet'];
  const startedAt = performance.now();
  runProgram('x264', [...flags, '--threads', String(threads), '--sliced-threads', '-o', '/dev/null', clip]);
  return performance.now() - startedAt;
}

/** PSNR-Y of a coded file against its clip, from the mean squared error, by ffmpeg. */
export function psnrByFfmpeg(coded: string, clip: string): number {
  const graph = '[0:v]settb=AVTB,setpts=N[a];[1:v]settb=AVTB,setpts=N[b];[a][b]psnr';
  const args = ['-hide_banner', '-nostats', '-i', coded, '-i', clip, '-lavfi', graph, '-f', 'null', '-'];
  const { stderr } = spawnSync('ffmpeg', args, { encoding: 'utf8' });
  const psnr = /PSNR y:([\d.]+)/.exec(stderr);
  if (psnr === null) {
    throw new Error(`ffmpeg did not tell the PSNR of ${coded}.`);
  }
  return Number(psnr[1]);
}

/** kbit/s of a coded file of `frames` pictures at the clip's own rate. */
export function kbpsOf(coded: string, clip: string, frames: number): number {
  const { numerator, denominator } = openY4mFile(clip).header.framerate;
  return (8 * statSync(coded).size * numerator) / (1000 * frames * denominator);
}
