// Seeded fuzzing: how many cases, how inputs are damaged, and a histogram of what came out.

import { seededRandom } from './random.ts';

/** Cases per fuzzer: 2 000, or 20 000 in the long run. */
export const FUZZ_CASES = process.env['TESSERA_LONG'] === '1' ? 20_000 : 2000;

export type Random = ReturnType<typeof seededRandom>;

/** Runs `cases` cases and counts their outcomes. The histogram goes to stderr, so that a change of behaviour is seen. */
export function fuzz(
  name: string,
  seed: number,
  runCase: (random: Random, index: number) => string,
  cases = FUZZ_CASES,
): Map<string, number> {
  const random = seededRandom(seed);
  const outcomes = new Map<string, number>();
  for (let index = 0; index < cases; index++) {
    const outcome = runCase(random, index);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  const lines = [...outcomes].toSorted((a, b) => b[1] - a[1]).map(([outcome, count]) => `${count} ${outcome}`);
  process.stderr.write(`fuzz ${name}: ${cases} cases, seed ${seed}: ${lines.join('; ')}\n`);
  return outcomes;
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
