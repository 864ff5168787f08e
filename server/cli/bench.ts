// `tessera bench [NAME]`: runs the benchmarks one after the other and prints their tables.

import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { benchConditions, formatTable, type BenchResult, type BenchRunner } from './bench/bench-result.ts';
import { printJson, UsageError } from './command-line.ts';

/** Name -> loader of its runner; loaded only when asked for, so that `tessera --help` stays quick. */
const runners: Readonly<Record<string, () => Promise<BenchRunner>>> = {
  kernels: async () => (await import('./bench/kernels.ts')).benchKernels,
  encode: async () => (await import('./bench/encode.ts')).benchEncode,
  ladder: async () => (await import('./bench/ladder.ts')).benchLadder,
  decode: async () => (await import('./bench/decode.ts')).benchDecode,
  fanout: async () => (await import('./bench/fan-out.ts')).benchFanOut,
  latency: async () => (await import('./bench/latency.ts')).benchLatency,
  telemetry: async () => (await import('./bench/telemetry.ts')).benchTelemetry,
};

/** Downloads and clips are kept here between runs. */
function cacheDirectory(): string {
  const directory = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tessera');
  mkdirSync(directory, { recursive: true });
  return directory;
}

function print(result: BenchResult): void {
  process.stdout.write(`\n${result.name}\n${formatTable(result.rows)}\n`);
  for (const note of result.notes) {
    process.stdout.write(`  ${note}\n`);
  }
}

/** Writes what `--json` prints, and the benchmarks' charts, as files of the benchmarks' names. */
function writeFiles(folder: string, results: ReadonlyMap<string, BenchResult>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, { chart, ...result }] of results) {
    const document = { conditions: benchConditions(), results: [result] };
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(document, null, 2)}\n`);
    if (chart !== undefined) {
      writeFileSync(join(folder, `${name}.svg`), chart);
    }
  }
}

/** Registers `tessera bench`. */
export function registerBench(program: Command): void {
  program
    .command('bench')
    .description('measure, beside peers where they are found')
    .argument('[name]', `one of: ${Object.keys(runners).join(' ')}; all when left out`)
    .option('--json', 'print one JSON document on stdout')
    .option('--long', 'full figures (minutes per benchmark)')
    .option('--out <folder>', 'write a JSON document of each benchmark, and its chart where it has one, into a folder')
    .action(async (name: string | undefined, options: { json?: true; long?: true; out?: string }) => {
      const names = name === undefined ? Object.keys(runners) : [name];
      const results = new Map<string, BenchResult>();
      for (const each of names) {
        const load = runners[each];
        if (load === undefined) {
          throw new UsageError(`There is no benchmark named ${each}; known: ${Object.keys(runners).join(', ')}.`);
        }
        const run = await load();
        const progress = (sentence: string): void => void process.stderr.write(`bench ${each}: ${sentence}\n`);
        const result = await run({ cacheDir: cacheDirectory(), progress, isLong: options.long === true });
        results.set(each, result);
        if (options.json !== true) {
          print(result);
        }
      }
      if (options.out !== undefined) {
        writeFiles(options.out, results);
      }
      if (options.json === true) {
        const documents = [...results.values()].map(({ name: title, rows, notes }) => ({ name: title, rows, notes }));
        printJson({ conditions: benchConditions(), results: documents });
      }
    });
}
