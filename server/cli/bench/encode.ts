// `tessera bench encode`: our encoder beside native x264 and the encoders of npm (scripts/bench-peers fetches them) in the same run.
// Speed: bbb720 at QP 27, frames per CPU second, in turn, medians. Quality: BD-rate of PSNR-Y against x264 superfast, mean of the clips.

import { join } from 'node:path';
import { type BenchOptions, type BenchResult, type BenchRow, median } from './bench-result.ts';
import { hasProgram, longRawClip, rawClip } from './clips.ts';
import { type ChartPoint, drawEncoderChart } from './encoder-chart.ts';
import { type BdRates, meanRate, peerRates, presetRates, recordedRates } from './encoder-quality.ts';
import { idleMemoryMb, runOwn, type OwnRun, runPeer, x264CpuMs, x264WallMs } from './encoder-runs.ts';
import { findPeer, missingPeer, type PeerName } from './peers.ts';
import { twoCoresNote } from './two-cores.ts';

const FRAMES = 150;
const MAX_MEMORY_MB = 120;
const THREADS_TARGET = { speed: 1.7, bits: 2 } as const;

/** Presets with their targets: speed against x264 superfast-baseline, BD-rate against x264 superfast in per cent. */
const PRESETS = [
  { preset: 'ultrafast', speed: null, bd: null },
  { preset: 'fast', speed: 0.55, bd: 17 },
  { preset: 'balanced', speed: 0.25, bd: 0 },
  { preset: 'quality', speed: 0.15, bd: -8 },
] as const;

/** Native x264 with the name of its recorded points; the first is what speeds are compared with. */
const X264 = [
  { row: 'x264 superfast, baseline', anchor: 'x264-superfast-baseline', flags: ['superfast', '--profile', 'baseline'] },
  { row: 'x264 superfast', anchor: 'x264-superfast', flags: ['superfast'] },
  { row: 'x264 veryfast', anchor: 'x264-veryfast', flags: ['veryfast'] },
  { row: 'x264 medium', anchor: 'x264-medium', flags: ['medium'] },
] as const;

/** Encoders of npm; `anchor` has the recorded points of the same encoder, which a short run takes instead of measuring. */
const NPM_ENCODERS: readonly { readonly row: string; readonly name: PeerName; readonly anchor: string }[] = [
  { row: 'ffmpeg.wasm, x264 superfast', name: '@ffmpeg/core', anchor: 'x264-superfast' },
  { row: 'h264-mp4-encoder, speed 5', name: 'h264-mp4-encoder', anchor: 'minih264-wasm-simd-sp5' },
];

type Speed = { readonly cpuMs: number; readonly rssMb: number };

/** Collects runs per row; medians at the end. */
class Samples {
  readonly #all = new Map<string, Speed[]>();

  add(row: string, cpuMs: number, rssMb = NaN): void {
    this.#all.set(row, [...(this.#all.get(row) ?? []), { cpuMs, rssMb }]);
  }

  medians(): Map<string, Speed> {
    const middle = (all: readonly Speed[], key: keyof Speed): number => median(all.map((one) => one[key]));
    return new Map(
      [...this.#all].map(([row, all]) => [row, { cpuMs: middle(all, 'cpuMs'), rssMb: middle(all, 'rssMb') }]),
    );
  }
}

/** The encoders of npm that are there; `notes` names the others. */
function npmEncoders(
  cacheDir: string,
  notes: string[],
): ((typeof NPM_ENCODERS)[number] & { readonly folder: string })[] {
  return NPM_ENCODERS.flatMap((encoder) => {
    const { name } = encoder;
    const folder = findPeer(cacheDir, name);
    if (folder === null) {
      notes.push(missingPeer(name));
      return [];
    }
    return [{ ...encoder, folder }];
  });
}

type Bench = {
  readonly options: BenchOptions;
  /** The clip that speeds are measured on. */
  readonly clip: string;
  readonly output: string;
  readonly npm: ReturnType<typeof npmEncoders>;
  readonly hasX264: boolean;
  readonly notes: string[];
};

/** Every encoder in turn, `rounds` times; those of npm, which are slow, in the first rounds only. */
function speeds({ options, clip, output, npm, hasX264 }: Bench): Map<string, Speed> {
  const rounds = options.isLong ? 7 : 3;
  const samples = new Samples();
  for (let round = 0; round < rounds; round++) {
    options.progress(`speed, round ${round + 1} of ${rounds}`);
    for (const { preset } of PRESETS) {
      const { cpuMs, peakRssMb } = runOwn(clip, output, ['--preset', preset, '--qp', '27']);
      samples.add(`tessera ${preset}`, cpuMs, peakRssMb);
    }
    for (const { row, flags } of hasX264 ? X264 : []) {
      samples.add(row, x264CpuMs(clip, ['--tune', 'zerolatency', '--preset', ...flags]));
    }
    for (const { row, name, folder } of round < rounds / 3 ? npm : []) {
      const { cpuMs, peakRssMb } = runPeer(folder, name, clip, 27, `${output}.mp4`);
      samples.add(row, cpuMs, peakRssMb);
    }
  }
  return samples.medians();
}

/** BD-rates by row. */
function qualities({ options, output, npm, notes, hasX264 }: Bench): Map<string, BdRates> {
  const rates = new Map<string, BdRates>();
  for (const { preset } of PRESETS) {
    options.progress(`quality of ${preset}`);
    rates.set(`tessera ${preset}`, presetRates(options.cacheDir, preset, output));
  }
  for (const { row, anchor } of hasX264 ? X264 : []) {
    rates.set(row, recordedRates(anchor));
  }
  const isMeasured = options.isLong && hasProgram('ffmpeg', '-version');
  if (npm.length > 0 && !isMeasured) {
    notes.push(
      'The BD-rates of encoders from npm are those recorded of x264 and minih264; --long measures them, with ffmpeg.',
    );
  }
  for (const { row, name, folder, anchor } of npm) {
    if (!isMeasured) {
      rates.set(row, recordedRates(anchor));
      continue;
    }
    options.progress(`quality of ${row}`);
    rates.set(row, peerRates(options.cacheDir, folder, name, `${output}.mp4`));
  }
  return rates;
}

/** Wall-clock time of one thread against two, in turn, beside x264's and what the machine allows; it must have nothing else to do. */
async function threadNotes({ options, output, hasX264 }: Bench): Promise<string[]> {
  options.progress('two threads');
  const clip = longRawClip(options.cacheDir, 'bbb720');
  const runs: Record<'1' | '2', OwnRun[]> = { 1: [], 2: [] };
  const peer: Record<'1' | '2', number[]> = { 1: [], 2: [] };
  for (let round = 0; round < (options.isLong ? 5 : 3); round++) {
    for (const threads of ['1', '2'] as const) {
      runs[threads].push(runOwn(clip, output, ['--preset', 'fast', '--qp', '27', '--threads', threads]));
      if (hasX264) {
        peer[threads].push(x264WallMs(clip, Number(threads)));
      }
    }
  }
  const fps = (all: readonly OwnRun[]): number => median(all.map((one) => one.fps));
  const speed = fps(runs[2]) / fps(runs[1]);
  const bits = 100 * ((runs[2][0]?.bytes ?? NaN) / (runs[1][0]?.bytes ?? NaN) - 1);
  const isMet = speed >= THREADS_TARGET.speed && bits <= THREADS_TARGET.bits;
  const ours =
    `fast, two threads: ${speed.toFixed(2)}x of one by the wall clock at ${bits.toFixed(2)} % more bits; ` +
    `target ${THREADS_TARGET.speed}x at ${THREADS_TARGET.bits} % ${isMet ? 'met' : 'missed'}.`;
  const ratio = median(peer[1]) / median(peer[2]);
  const theirs = `x264 superfast, two threads with slices: ${ratio.toFixed(2)}x of one.`;
  return [ours, ...(hasX264 ? [theirs] : []), await twoCoresNote()];
}

function verdict(name: string, value: number, target: number, isMet: boolean, unit: string): string {
  return `${name}: ${value.toFixed(2)}${unit}; target ${target}${unit} ${isMet ? 'met' : 'missed'}.`;
}

/** What a preset reached, against its targets. */
function presetNotes(preset: (typeof PRESETS)[number], speed: number, bd: number, memoryMb: number): string[] {
  const name = preset.preset;
  const notes: string[] = [];
  if (preset.speed !== null && !Number.isNaN(speed)) {
    notes.push(verdict(`${name}, speed`, speed, preset.speed, speed >= preset.speed, 'x'));
  }
  if (preset.bd !== null) {
    notes.push(verdict(`${name}, BD-rate`, bd, preset.bd, bd <= preset.bd, ' %'));
  }
  return [...notes, verdict(`${name}, memory over idle`, memoryMb, MAX_MEMORY_MB, memoryMb <= MAX_MEMORY_MB, ' MB')];
}

function familyOf(row: string): ChartPoint['family'] {
  if (row.startsWith('tessera')) {
    return 'tessera';
  }
  return row.startsWith('x264') ? 'native' : 'wasm';
}

/** Speed and BD-rate of every encoder, and their chart. */
export async function benchEncode(options: BenchOptions): Promise<BenchResult> {
  const notes: string[] = [];
  const output = join(options.cacheDir, 'bench-encode.264');
  const npm = npmEncoders(options.cacheDir, notes);
  const hasX264 = hasProgram('x264', '--version');
  const bench: Bench = { options, clip: rawClip(options.cacheDir, 'bbb720'), output, npm, hasX264, notes };
  if (!hasX264) {
    notes.push('x264 was not found: no ratios in this run.');
  }
  const measured = speeds(bench);
  const rates = qualities(bench);
  const idleMb = idleMemoryMb(join(options.cacheDir, 'clips'));
  const referenceMs = measured.get(X264[0].row)?.cpuMs ?? NaN;
  const rows: BenchRow[] = [];
  const points: ChartPoint[] = [];
  for (const [encoder, { cpuMs, rssMb }] of measured) {
    const speed = referenceMs / cpuMs;
    const ratesOfClips = rates.get(encoder) ?? new Map<never, number>();
    const bd = ratesOfClips.size === 0 ? NaN : meanRate(ratesOfClips);
    rows.push({
      encoder,
      fps: (1000 * FRAMES) / cpuMs,
      'x of superfast-baseline': speed,
      ...(Number.isNaN(rssMb) ? {} : { 'peak MB': rssMb }),
      ...Object.fromEntries([...ratesOfClips].map(([clip, rate]) => [`BD % ${clip}`, rate])),
      ...(Number.isNaN(bd) ? {} : { 'BD % mean': bd }),
    });
    if (!Number.isNaN(speed) && !Number.isNaN(bd)) {
      points.push({ name: encoder, family: familyOf(encoder), speed, bdRate: bd });
    }
    const preset = PRESETS.find((each) => encoder === `tessera ${each.preset}`);
    if (preset !== undefined) {
      notes.push(...presetNotes(preset, speed, bd, rssMb - idleMb));
    }
  }
  notes.push(...(await threadNotes(bench)));
  return {
    name: 'encode: 1280x720 QP 27, frames per CPU second; BD-rate against x264 superfast',
    rows,
    notes,
    ...(points.length === 0 ? {} : { chart: drawEncoderChart(points) }),
  };
}
