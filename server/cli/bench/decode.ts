// `tessera bench decode`: our decoder beside ffmpeg (native code with one thread; without its assembly) and the WASM decoders of npm
// (scripts/bench-peers fetches them) on the same streams, in turn.
// CPU time is user + system of the whole decode; frames per second are frames per CPU second, so that a busy machine harms all alike. Only
// what a second thread gives is wall time: that row needs an idle machine with two cores. Then the memory of 1080p with four references.

import { spawnSync } from 'node:child_process';
import { type BenchOptions, type BenchResult, type BenchRow, median } from './bench-result.ts';
import { codedClip, codedFullHd, hasProgram } from './clips.ts';
import { runOwnScript } from './own-script.ts';
import { findPeer, missingPeer, type PeerName } from './peers.ts';
import { twoCoresNote } from './two-cores.ts';

/** Names of rows that targets speak of. */
const OURS = 'tessera, 1 thread';
const OURS_TWICE = 'tessera, 2 threads';
const NATIVE = 'ffmpeg native, 1 thread';
const FFMPEG_WASM = 'ffmpeg.wasm';

/** Targets of one thread: speed as a multiple of a peer's. */
const TARGETS = [
  { peer: NATIVE, ratio: 0.45 },
  { peer: FFMPEG_WASM, ratio: 1.5 },
] as const;

/** Wall-clock speed of two threads as a multiple of one thread's. */
const TARGET_OF_TWO_THREADS = 1.6;

/** Peak RSS minus that of an idle process, for 1080p with four references. */
const TARGET_MEMORY_MB = 100;

/** Decoders from npm, and the profiles that they take. */
const NPM_DECODERS: readonly { readonly row: string; readonly name: PeerName; readonly profiles: readonly string[] }[] =
  [
    { row: FFMPEG_WASM, name: '@ffmpeg/core', profiles: ['baseline', 'high'] },
    { row: 'tinyh264', name: 'tinyh264', profiles: ['baseline'] },
  ];

type Measured = {
  readonly frames: number;
  readonly cpuMs: number;
  readonly rssMb: number;
  /** Frames per second of wall time; NaN where it is not told. */
  readonly wallFps: number;
};

const NOTHING: Measured = { frames: NaN, cpuMs: NaN, rssMb: NaN, wallFps: NaN };

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
  const cpuMs = (Number(times[1]) + Number(times[2])) * 1000;
  return { frames, cpuMs, rssMb: Number(memory?.[1] ?? NaN) / 1024, wallFps: NaN };
}

function measureOwn(script: string, args: readonly string[]): Measured {
  const { frames, cpuMs, peakRssMb, fps } = runOwnScript(script, args) as {
    frames: number;
    cpuMs: number;
    peakRssMb: number;
    fps?: number;
  };
  return { frames, cpuMs, rssMb: peakRssMb, wallFps: fps ?? NaN };
}

const measureOurs = (file: string, threads = 1): Measured =>
  measureOwn('../../main', ['decode', file, '--threads', String(threads), '--json']);
const measureNpm = (folder: string, name: PeerName, file: string): Measured =>
  measureOwn('./peer-decoder-process', [folder, name, file]);

type Decoders = readonly (readonly [row: string, measure: () => Measured])[];

/** The decoders of this machine for one file; `notes` names those that are not there. */
function decodersFor(cacheDir: string, profile: string, file: string, notes: Set<string>): Decoders {
  const decoders: [string, () => Measured][] = [
    [OURS, () => measureOurs(file)],
    [OURS_TWICE, () => measureOurs(file, 2)],
  ];
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
        wallFps: median(all.map((one) => one.wallFps)),
      },
    ]),
  );
}

const verdictOf = (isMet: boolean): string => (isMet ? 'met' : 'missed');

/** One row per decoder, and what the targets say. */
function tabulate(profile: string, results: Map<string, Measured>, rows: BenchRow[], notes: Set<string>): void {
  const fpsOf = ({ frames, cpuMs }: Measured): number => (frames * 1000) / cpuMs;
  const ours = results.get(OURS) ?? NOTHING;
  for (const [decoder, measured] of results) {
    const ratio = fpsOf(ours) / fpsOf(measured);
    rows.push({
      stream: profile,
      decoder,
      fps: fpsOf(measured),
      'tessera is x': ratio,
      'peak MB': measured.rssMb,
      ...(Number.isNaN(measured.wallFps) ? {} : { 'wall fps': measured.wallFps }),
    });
    const target = TARGETS.find(({ peer }) => peer === decoder);
    if (target !== undefined) {
      const verdict = verdictOf(ratio >= target.ratio);
      notes.add(`${profile}: ${ratio.toFixed(2)}x of ${decoder}; target ${target.ratio}x ${verdict}.`);
    }
  }
  const gain = (results.get(OURS_TWICE) ?? NOTHING).wallFps / ours.wallFps;
  const verdict = verdictOf(gain >= TARGET_OF_TWO_THREADS);
  notes.add(
    `${profile}: two threads are ${gain.toFixed(2)}x of one by the clock; target ${TARGET_OF_TWO_THREADS}x ${verdict}.`,
  );
}

/** Memory of 1080p with four references, with one and two threads. */
function measureMemory(cacheDir: string, rows: BenchRow[], notes: Set<string>): void {
  const stream = '1080p, 4 references';
  const file = codedFullHd(cacheDir);
  const idleMb = measureOwn('./idle-process', []).rssMb;
  for (const threads of [1, 2]) {
    const { rssMb, frames, cpuMs, wallFps } = measureOurs(file, threads);
    const decoder = threads === 1 ? OURS : OURS_TWICE;
    rows.push({ stream, decoder, fps: (frames * 1000) / cpuMs, 'peak MB': rssMb, 'wall fps': wallFps });
    const taken = rssMb - idleMb;
    const verdict = verdictOf(taken <= TARGET_MEMORY_MB);
    notes.add(
      `${stream}: ${decoder} takes ${taken.toFixed(0)} MB more than idle; target ${TARGET_MEMORY_MB} MB ${verdict}.`,
    );
  }
}

/** Frames per second and memory of each decoder on Baseline and High streams at 1280x720, 3 Mbit/s. */
export async function benchDecode(options: BenchOptions): Promise<BenchResult> {
  const rows: BenchRow[] = [];
  const notes = new Set<string>();
  for (const profile of ['baseline', 'high'] as const) {
    options.progress(`bbb720, ${profile}, 3 Mbit/s`);
    const file = codedClip(options.cacheDir, 'bbb720', profile, 3000);
    const results = compare(decodersFor(options.cacheDir, profile, file, notes), options.isLong ? 7 : 3);
    tabulate(profile, results, rows, notes);
  }
  if (hasProgram('ffmpeg', '-version')) {
    options.progress('memory of 1080p with four references');
    measureMemory(options.cacheDir, rows, notes);
  }
  options.progress('what a second core is worth');
  notes.add(await twoCoresNote());
  return { name: 'decode: 1280x720, frames per CPU second', rows, notes: [...notes] };
}
