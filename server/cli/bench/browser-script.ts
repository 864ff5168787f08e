// Runs a script that was made for browser workers inside Node, with the few globals of a worker that it looks for. Used by the child
// processes in which codecs from npm are measured.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInThisContext } from 'node:vm';

/** What the benchmarks use of an instance of @ffmpeg/core. */
export type FfmpegCore = {
  readonly FS: {
    readonly writeFile: (name: string, bytes: Uint8Array) => void;
    readonly readFile: (name: string) => Uint8Array;
  };
  readonly setLogger: (logger: (line: { readonly message: string }) => void) => void;
  readonly exec: (...args: readonly string[]) => number;
};

/** Runs the script and gives what `expression` is at its end. */
export function runBrowserScript(
  path: string,
  expression: string,
  edit: (source: string) => string = (source) => source,
): unknown {
  const worker = globalThis as Record<string, unknown>;
  worker['self'] ??= globalThis;
  worker['location'] ??= { href: 'file:///worker/' };
  worker['importScripts'] ??= () => undefined;
  worker['WorkerGlobalScope'] ??= Object;
  return runInThisContext(`(() => {${edit(readFileSync(path, 'utf8'))}\n;return ${expression};})()`, {
    filename: path,
  });
}

/** Starts @ffmpeg/core from the folder of its package; `onLine` gets each line that ffmpeg prints. */
export async function openFfmpegCore(folder: string, onLine: (line: string) => void): Promise<FfmpegCore> {
  const script = join(folder, 'dist', 'umd', 'ffmpeg-core.js');
  const create = runBrowserScript(script, 'createFFmpegCore') as (options: object) => Promise<FfmpegCore>;
  const core = await create({ wasmBinary: readFileSync(join(folder, 'dist', 'umd', 'ffmpeg-core.wasm')) });
  core.setLogger(({ message }) => {
    onLine(message);
  });
  return core;
}

/** CPU milliseconds, user and system, of this process while `run` runs. */
export function cpuMsOf(run: () => void): number {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
