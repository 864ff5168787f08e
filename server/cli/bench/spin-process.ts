// The child process that computes for a second or two and prints how long it took: two of them at once tell what a second core is worth.

import { performance } from 'node:perf_hooks';

/** Reads and writes within the nearest cache, as a codec's kernels mostly do. */
function spin(rounds: number): number {
  const cells = new Int32Array(4096);
  let sum = 0;
  for (let i = 0; i < rounds; i++) {
    cells[i & 4095] = ((cells[(i * 7) & 4095] ?? 0) + i * 3) ^ (i >> 2);
    sum += (cells[i & 4095] ?? 0) & 3;
  }
  return sum;
}

const ROUNDS = 300_000_000;

spin(ROUNDS / 50); // compiled before the clock runs
const startedAt = performance.now();
const sum = spin(ROUNDS);
process.stdout.write(`${JSON.stringify({ ms: performance.now() - startedAt, sum })}\n`);
