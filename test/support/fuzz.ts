// Seeded fuzzing: how many cases, how inputs are damaged, a histogram of what came out, and two bounds that hold for every fuzzer:
// no case hangs (processor time, so that a busy machine does not matter), and what is alive afterwards does not grow with the cases.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { seededRandom } from './random.ts';

/** Cases per fuzzer: 2 000, or 20 000 in the long run. */
export const FUZZ_CASES = process.env['TESSERA_LONG'] === '1' ? 20_000 : 2000;

/** Processor time that one case may take: the slowest honest ones take a few ms; a loop without an end takes for ever. */
const MAX_CASE_MS = 5000;
/** Growth of what is alive after a collection, over all cases: caches of the engine and of libraries, and what lingers for seconds. */
const MAX_GROWTH_BYTES = 96 * 1024 * 1024;

export type Random = ReturnType<typeof seededRandom>;

type Tally = { readonly outcomes: Map<string, number>; readonly liveBytes: number; slowestMs: number };

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that are alive in this process after a collection, inside and outside of the heap. */
export function liveBytes(): number {
  collect();
  collect(); // what only the finalisers of the first one let go: memories of WebAssembly
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function measured(tally: Tally, from: NodeJS.CpuUsage, outcome: string, index: number): void {
  const used = process.cpuUsage(from);
  const tookMs = (used.user + used.system) / 1000;
  tally.slowestMs = Math.max(tally.slowestMs, tookMs);
  if (tookMs > MAX_CASE_MS) {
    throw new Error(`Case ${index} took ${Math.round(tookMs)} ms of processor time (${outcome}).`);
  }
  tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
}

function told(
  name: string,
  seed: number,
  cases: number,
  { outcomes, liveBytes: before, slowestMs }: Tally,
): Map<string, number> {
  const grown = liveBytes() - before;
  const lines = [...outcomes].toSorted((a, b) => b[1] - a[1]).map(([outcome, count]) => `${count} ${outcome}`);
  process.stderr.write(
    `fuzz ${name}: ${cases} cases, seed ${seed}, slowest ${slowestMs.toFixed(0)} ms CPU, ${(grown / 1_048_576).toFixed(1)} MB more alive: ` +
      `${lines.join('; ')}\n`,
  );
  if (grown > MAX_GROWTH_BYTES) {
    throw new Error(`${Math.round(grown / 1_048_576)} MB more are alive after ${cases} cases.`);
  }
  return outcomes;
}

/** Runs `cases` cases and counts their outcomes. The histogram goes to stderr, so that a change of behaviour is seen. */
export function fuzz(
  name: string,
  seed: number,
  runCase: (random: Random, index: number) => string,
  cases = FUZZ_CASES,
): Map<string, number> {
  const random = seededRandom(seed);
  const tally: Tally = { outcomes: new Map(), liveBytes: liveBytes(), slowestMs: 0 };
  for (let index = 0; index < cases; index++) {
    const from = process.cpuUsage();
    measured(tally, from, runCase(random, index), index);
  }
  return told(name, seed, cases, tally);
}

/** The same for cases that need turns of the event loop. */
export async function fuzzAsync(
  name: string,
  seed: number,
  runCase: (random: Random, index: number) => Promise<string>,
  cases = FUZZ_CASES,
): Promise<Map<string, number>> {
  const random = seededRandom(seed);
  const tally: Tally = { outcomes: new Map(), liveBytes: liveBytes(), slowestMs: 0 };
  for (let index = 0; index < cases; index++) {
    const from = process.cpuUsage();
    measured(tally, from, await runCase(random, index), index);
  }
  return told(name, seed, cases, tally);
}

/** A damaged copy: bytes changed, cut out, repeated, or the end cut off. */
export function mutate(random: Random, original: Uint8Array): Uint8Array {
  let bytes = Uint8Array.from(original);
  for (let changes = 1 + random(6); changes > 0 && bytes.length > 0; changes--) {
    const at = random(bytes.length);
    switch (random(6)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
        break;
      case 2:
        bytes[at] = [0, 0x7f, 0x80, 0xff][random(4)] ?? 0;
        break;
      case 3: {
        const length = 1 + random(20);
        bytes = Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + length));
        break;
      }
      case 4: {
        const piece = bytes.subarray(at, at + 1 + random(20));
        bytes = Uint8Array.of(...bytes.subarray(0, at), ...piece, ...bytes.subarray(at));
        break;
      }
      default:
        bytes = bytes.slice(0, at);
    }
  }
  return bytes;
}
