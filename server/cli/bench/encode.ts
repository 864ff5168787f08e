// `tessera bench encode`: our encoder beside x264 in the same run. Speed: bbb720 at QP 27, frames per CPU second, in turn, medians.
// Quality: BD-rate of PSNR-Y over QP 22 27 32 37 against the recorded points of x264 superfast, per clip and mean.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchOptions, BenchResult, BenchRow } from './bench-result.ts';
import { bdRate, type RatePoint } from './bd-rate.ts';
import { type ClipName, hasProgram, materialDirectory, rawClip, runProgram } from './clips.ts';

const CLIPS: readonly ClipName[] = ['bbb720', 'foreman_cif', 'mobile_cif'];
const QPS = [22, 27, 32, 37] as const;
const FRAMES = 150;

/** Presets with their targets: speed against x264 superfast-baseline, BD-rate against x264 superfast in per cent. */
const PRESETS = [
  { preset: 'ultrafast', speed: null, bd: null },
  { preset: 'fast', speed: 0.55, bd: 17 },
  { preset: 'balanced', speed: 0.25, bd: 0 },
  { preset: 'quality', speed: 0.15, bd: -8 },
] as const;

type Encoded = { readonly kbps: number; readonly psnrY?: number; readonly cpuMs: number; readonly peakRssMb: number };

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/** Our own command in its own process. */
function encode(clip: string, output: string, flags: readonly string[]): Encoded {
  const isSource = import.meta.url.endsWith('.ts');
  const main = fileURLToPath(new URL(isSource ? '../../main.ts' : '../../main.js', import.meta.url));
  const loader = isSource ? ['--import', 'tsx'] : [];
  const base = ['encode', clip, '-o', output, '--tune', 'psnr', '--keyint', 'infinite', '--json'];
  return JSON.parse(runProgram(process.execPath, [...loader, main, ...base, ...flags])) as Encoded;
}

/** CPU milliseconds of x264 as a user would run it for the same job. */
function measureX264(clip: string, flags: readonly string[]): number {
  const before = process.resourceUsage();
  const args = ['--qp', '27', '--keyint', 'infinite', '--tune', 'psnr', '--threads', '1', '--bframes', '0', '--quiet'];
  const script = `x264 "$@"; times >&2`;
  const { stderr, status } = spawnSync(
    'bash',
    ['-c', script, 'x264', ...flags, ...args, '--rc-lookahead', '0', '--sync-lookahead', '0', '-o', '/dev/null', clip],
    { encoding: 'utf8' },
  );
  const times = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(stderr.trim());
  if (status !== 0 || times === null) {
    throw new Error(`x264 failed: ${stderr.trim().split('\n').slice(-1)[0] ?? ''} (${before.userCPUTime})`);
  }
  const seconds = (minutes: string | undefined, rest: string | undefined): number =>
    60 * Number(minutes) + Number(rest);
  return 1000 * (seconds(times[1], times[2]) + seconds(times[3], times[4]));
}

/** Recorded points of an encoder on a clip: [qp, kbit/s, PSNR-Y, SSIM] rows. */
function anchor(clip: ClipName, encoder: string): readonly RatePoint[] {
  const file = join(materialDirectory(), 'clips', 'rd-anchors.json');
  const document = JSON.parse(readFileSync(file, 'utf8')) as {
    clips: Record<string, Record<string, readonly (readonly number[])[]>>;
  };
  const rows = document.clips[clip]?.[encoder];
  if (rows === undefined) {
    throw new Error(`rd-anchors.json has no points of ${encoder} on ${clip}.`);
  }
  return rows.map((row) => ({ kbps: row[1] ?? NaN, psnr: row[2] ?? NaN }));
}

/** BD-rates of one preset per clip, in per cent. */
function quality(options: BenchOptions, preset: string, output: string): Map<ClipName, number> {
  const rates = new Map<ClipName, number>();
  for (const clip of CLIPS) {
    options.progress(`${preset}: rate-distortion points on ${clip}`);
    const points = QPS.map((qp) => {
      const { kbps, psnrY } = encode(rawClip(options.cacheDir, clip), output, [
        '--preset',
        preset,
        '--qp',
        String(qp),
        '--psnr',
      ]);
      return { kbps, psnr: psnrY ?? NaN };
    });
    rates.set(clip, bdRate(anchor(clip, 'x264-superfast'), points));
  }
  return rates;
}

type Speeds = Map<string, { readonly cpuMs: number; readonly rssMb: number }>;

/** Every encoder in turn, `rounds` times; medians. */
function speeds(options: BenchOptions, output: string, rounds: number): Speeds {
  const clip = rawClip(options.cacheDir, 'bbb720');
  const samples = new Map<string, { readonly cpuMs: number; readonly rssMb: number }[]>();
  const add = (name: string, cpuMs: number, rssMb: number): void =>
    void samples.set(name, [...(samples.get(name) ?? []), { cpuMs, rssMb }]);
  for (let round = 0; round < rounds; round++) {
    options.progress(`speed, round ${round + 1} of ${rounds}`);
    for (const { preset } of PRESETS) {
      const { cpuMs, peakRssMb } = encode(clip, output, ['--preset', preset, '--qp', '27']);
      add(`tessera ${preset}`, cpuMs, peakRssMb);
    }
    if (hasProgram('x264', '--version')) {
      add(
        'x264 superfast, baseline',
        measureX264(clip, ['--preset', 'superfast', '--profile', 'baseline', '--tune', 'zerolatency']),
        NaN,
      );
      add('x264 superfast', measureX264(clip, ['--preset', 'superfast', '--tune', 'zerolatency']), NaN);
    }
  }
  return new Map(
    [...samples].map(([name, all]) => [
      name,
      { cpuMs: median(all.map((one) => one.cpuMs)), rssMb: median(all.map((one) => one.rssMb)) },
    ]),
  );
}

function verdict(name: string, value: number, target: number, isMet: boolean, unit: string): string {
  return `${name}: ${value.toFixed(2)}${unit}; target ${target}${unit} ${isMet ? 'met' : 'missed'}.`;
}

/** Speed and BD-rate of every preset. */
export function benchEncode(options: BenchOptions): Promise<BenchResult> {
  const output = join(options.cacheDir, 'bench-encode.264');
  const measured = speeds(options, output, options.isLong ? 7 : 3);
  const peer = measured.get('x264 superfast, baseline');
  const rows: BenchRow[] = [];
  const notes: string[] = peer === undefined ? ['x264 was not found: no peer in this run.'] : [];
  for (const [encoder, { cpuMs, rssMb }] of measured) {
    const target = PRESETS.find(({ preset }) => encoder === `tessera ${preset}`);
    const speed = peer === undefined ? NaN : peer.cpuMs / cpuMs;
    const row: Record<string, string | number> = {
      encoder,
      fps: (1000 * FRAMES) / cpuMs,
      'x of superfast-baseline': speed,
    };
    if (target !== undefined) {
      const rates = quality(options, target.preset, output);
      const mean = [...rates.values()].reduce((sum, rate) => sum + rate, 0) / rates.size;
      row['peak MB'] = rssMb;
      for (const [clip, rate] of rates) {
        row[`BD % ${clip}`] = rate;
      }
      row['BD % mean'] = mean;
      if (target.speed !== null && peer !== undefined) {
        notes.push(verdict(`${target.preset}, speed`, speed, target.speed, speed >= target.speed, 'x'));
      }
      if (target.bd !== null) {
        notes.push(verdict(`${target.preset}, BD-rate`, mean, target.bd, mean <= target.bd, ' %'));
      }
    }
    rows.push(row);
  }
  return Promise.resolve({
    name: 'encode: 1280x720 QP 27, frames per CPU second; BD-rate against x264 superfast',
    rows,
    notes,
  });
}
