// `tessera bench decode`: our decoder beside ffmpeg (native code with one thread; without its assembly) and the WASM decoders of npm
// (scripts/bench-peers fetches them) on the same streams, in turn.
// CPU time is user + system of the whole decode; frames per second are frames per CPU second, so that a busy machine harms all alike.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type BenchOptions, type BenchResult, type BenchRow, median } from './bench-result.ts';
import { codedClip, hasProgram, runProgram } from './clips.ts';
import { findPeer, missingPeer, type PeerName } from './peers.ts';

/** Names of rows that targets speak of. */
const OURS = 'tessera, 1 thread';
const NATIVE = 'ffmpeg native, 1 thread';
const FFMPEG_WASM = 'ffmpeg.wasm';

/** Targets of one thread: speed as a multiple of a peer's. */
const TARGETS = [
  { peer: NATIVE, ratio: 0.45 },
  { peer: FFMPEG_WASM, ratio: 1.5 },
] as const;

/** Decoders from npm, and the profiles that they take. */
const NPM_DECODERS: readonly { readonly row: string; readonly name: PeerName; readonly profiles: readonly string[] }[] =
  [
    { row: FFMPEG_WASM, name: '@ffmpeg/core', profiles: ['baseline', 'high'] },
    { row: 'tinyh264', name: 'tinyh264', profiles: ['baseline'] },
  ];

type Measured = { readonly frames: number; readonly cpuMs: number; readonly rssMb: number };

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

const isSource = import.meta.url.endsWith('.ts');

/** Runs one of our scripts in a process of its own, so that start-up and memory are counted as the contract says. */
function measureOwn(script: string, args: readonly string[]): Measured {
  const path = fileURLToPath(new URL(`${script}.${isSource ? 'ts' : 'js'}`, import.meta.url));
  const output = runProgram(process.execPath, [...(isSource ? ['--import', 'tsx'] : []), path, ...args]);
  const { frames, cpuMs, peakRssMb } = JSON.parse(output) as { frames: number; cpuMs: number; peakRssMb: number };
  return { frames, cpuMs, rssMb: peakRssMb };
}

const measureOurs = (file: string): Measured => measureOwn('../../main', ['decode', file, '--json']);
const measureNpm = (folder: string, name: PeerName, file: string): Measured =>
  measureOwn('./peer-decoder-process', [folder, name, file]);

type Decoders = readonly (readonly [row: string, measure: () => Measured])[];

/** The decoders of this machine for one file; `notes` names those that are not there. */
function decodersFor(cacheDir: string, profile: string, file: string, notes: Set<string>): Decoders {
  const decoders: [string, () => Measured][] = [[OURS, () => measureOurs(file)]];
  if (hasProgram('ffmpeg', '-version')) {
    const { frames } = measureOurs(file);
    decoders.push([NATIVE, () => measureFfmpeg(file, frames, [])]);
    decoders.push(['ffmpeg -cpuflags 0', () => measureFfmpeg(file, frames, ['-cpuflags', '0'])]);
  } else {
    notes.add('ffmpeg was not found: not in this run.');
  }
  for (const { row, name, profiles } of NPM_DECODERS) {
    const folder = findPeer(cacheDir, name);
    if (folder === null) {
      notes.add(missingPeer(name));
    } else if (profiles.includes(profile)) {
      decoders.push([row, () => measureNpm(folder, name, file)]);
    } else {
      notes.add(`${row} cannot decode the ${profile} stream.`);
    }
  }
  return decoders;
}

/** Runs every decoder `rounds` times in turn and takes medians. */
function compare(decoders: Decoders, rounds: number): Map<string, Measured> {
  const samples = new Map<string, Measured[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [row, measure] of decoders) {
      samples.set(row, [...(samples.get(row) ?? []), measure()]);
    }
  }
  return new Map(
    [...samples].map(([row, all]) => [
      row,
      {
        frames: all[0]?.frames ?? 0,
        cpuMs: median(all.map((one) => one.cpuMs)),
        rssMb: median(all.map((one) => one.rssMb)),
      },
    ]),
  );
}

/** Frames per second and memory of each decoder on Baseline and High streams at 1280x720, 3 Mbit/s. */
export function benchDecode(options: BenchOptions): Promise<BenchResult> {
  const rows: BenchRow[] = [];
  const notes = new Set<string>();
  for (const profile of ['baseline', 'high'] as const) {
    options.progress(`bbb720, ${profile}, 3 Mbit/s`);
    const file = codedClip(options.cacheDir, 'bbb720', profile, 3000);
    const results = compare(decodersFor(options.cacheDir, profile, file, notes), options.isLong ? 7 : 3);
    const fpsOf = ({ frames, cpuMs }: Measured): number => (frames * 1000) / cpuMs;
    const ours = fpsOf(results.get(OURS) ?? { frames: NaN, cpuMs: NaN, rssMb: NaN });
    for (const [decoder, measured] of results) {
      const ratio = ours / fpsOf(measured);
      rows.push({ stream: profile, decoder, fps: fpsOf(measured), 'tessera is x': ratio, 'peak MB': measured.rssMb });
      const target = TARGETS.find(({ peer }) => peer === decoder);
      if (target !== undefined) {
        const verdict = ratio >= target.ratio ? 'met' : 'missed';
        notes.add(`${profile}: ${ratio.toFixed(2)}x of ${decoder}; target ${target.ratio}x ${verdict}.`);
      }
    }
  }
  return Promise.resolve({ name: 'decode: 1280x720, frames per CPU second', rows, notes: [...notes] });
}
