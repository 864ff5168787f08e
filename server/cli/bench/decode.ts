// `tessera bench decode`: our decoder beside ffmpeg (native code with one thread; without its assembly) on the same streams, in turn.
// CPU time is user + system of the whole decode; frames per second are frames per CPU second, so that a busy machine harms all alike.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BenchOptions, BenchResult, BenchRow } from './bench-result.ts';
import { codedClip, hasProgram, runProgram } from './clips.ts';

type Measured = { readonly frames: number; readonly cpuMs: number; readonly rssMb: number };

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/** `ffmpeg -benchmark` prints utime, stime and maxrss of itself. */
function measureFfmpeg(file: string, frames: number, flags: readonly string[]): Measured {
  const args = [
    '-hide_banner',
    '-benchmark',
    '-threads',
    '1',
    ...flags,
    '-i',
    file,
    '-fps_mode',
    'passthrough',
    '-f',
    'null',
    '-',
  ];
  const { stderr } = spawnSync('ffmpeg', args, { encoding: 'utf8' });
  const times = /utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr);
  const memory = /maxrss=(\d+)kB/i.exec(stderr);
  if (times === null) {
    throw new Error('ffmpeg printed no benchmark figures.');
  }
  return { frames, cpuMs: (Number(times[1]) + Number(times[2])) * 1000, rssMb: Number(memory?.[1] ?? NaN) / 1024 };
}

/** Our own command in its own process, so that start-up and memory are counted as the contract says. */
function measureOurs(file: string, flags: readonly string[]): Measured {
  const main = fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? '../../main.ts' : '../../main.js', import.meta.url),
  );
  const loader = main.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const output = runProgram(process.execPath, [...loader, main, 'decode', file, '--json', ...flags]);
  const json = JSON.parse(output) as { frames: number; cpuMs: number; peakRssMb: number };
  return { frames: json.frames, cpuMs: json.cpuMs, rssMb: json.peakRssMb };
}

/** Runs every decoder `rounds` times in turn and takes medians. */
function compare(file: string, rounds: number): Map<string, Measured> {
  const frames = measureOurs(file, []).frames;
  const decoders: [string, () => Measured][] = [['tessera, 1 thread', () => measureOurs(file, [])]];
  if (hasProgram('ffmpeg', '-version')) {
    decoders.push(['ffmpeg native, 1 thread', () => measureFfmpeg(file, frames, [])]);
    decoders.push(['ffmpeg -cpuflags 0', () => measureFfmpeg(file, frames, ['-cpuflags', '0'])]);
  }
  const samples = new Map<string, Measured[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, measure] of decoders) {
      samples.set(name, [...(samples.get(name) ?? []), measure()]);
    }
  }
  return new Map(
    [...samples].map(([name, all]) => [
      name,
      { frames, cpuMs: median(all.map((one) => one.cpuMs)), rssMb: median(all.map((one) => one.rssMb)) },
    ]),
  );
}

/** Frames per second and memory of each decoder on Baseline and High streams at 1280x720, 3 Mbit/s. */
export function benchDecode(options: BenchOptions): Promise<BenchResult> {
  const rows: BenchRow[] = [];
  const notes: string[] = [];
  for (const profile of ['baseline', 'high'] as const) {
    options.progress(`bbb720, ${profile}, 3 Mbit/s`);
    const results = compare(codedClip(options.cacheDir, 'bbb720', profile, 3000), options.isLong ? 7 : 3);
    const peer = results.get('ffmpeg native, 1 thread');
    for (const [decoder, { frames, cpuMs, rssMb }] of results) {
      const fps = (frames * 1000) / cpuMs;
      const ratio = peer === undefined ? NaN : peer.cpuMs / cpuMs;
      rows.push({ stream: profile, decoder, fps, 'x of ffmpeg native': ratio, 'peak MB': rssMb });
      if (decoder.startsWith('tessera') && peer !== undefined) {
        notes.push(
          `${profile}: ${ratio.toFixed(2)}x of ffmpeg native; target 0.45x ${ratio >= 0.45 ? 'met' : 'missed'}.`,
        );
      }
    }
    if (peer === undefined) {
      notes.push('ffmpeg was not found: no peer in this run.');
    }
  }
  return Promise.resolve({ name: 'decode: 1280x720, frames per CPU second', rows, notes });
}
