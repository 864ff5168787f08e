// What a second core of this machine is worth to work that shares nothing: two such processes at once against one alone. A virtual
// machine's cores are often the two threads of one, and no codec can gain more from a second thread than that. Quoted by the benches
// that measure threads.

import { spawn } from 'node:child_process';
import { median } from './bench-result.ts';
import { ownScript } from './own-script.ts';

const ROUNDS = 3;

async function spinMs(): Promise<number> {
  const [program, ...args] = ownScript('./spin-process');
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const printed: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) {
    throw new Error(`A process that was to compute ended with ${String(status)}.`);
  }
  return (JSON.parse(Buffer.concat(printed).toString()) as { readonly ms: number }).ms;
}

/** Throughput of two independent processes as a multiple of one's, 1..2. */
async function worthOfTwoCores(): Promise<number> {
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const alone = await spinMs();
    const together = await Promise.all([spinMs(), spinMs()]);
    ratios.push((2 * alone) / Math.max(...together));
  }
  return median(ratios);
}

/** A sentence for the notes of a benchmark; takes about fifteen seconds. */
export async function twoCoresNote(): Promise<string> {
  const worth = await worthOfTwoCores();
  return `Two cores of this machine: two processes that share nothing do ${worth.toFixed(2)} times the work of one.`;
}
