// The survey text's streaming MapReduce over 1..10: pieces of three, map d -> [2d, 3d], reduce = sum: 30, 75, 120, and the tail 50, which
// the text's program loses. Run: npx tsx examples/streaming-mapreduce/streaming-mapreduce.ts

import { runJob, type Job } from '../../shared/jobs/job.ts';
import type { ExactSum } from '../../shared/windows/aggregates/exact-sum.ts';
import { sumOf } from '../../shared/windows/aggregates/numbers.ts';
import { count } from '../../shared/windows/window.ts';

const job: Job<number, number, ExactSum, number> = {
  name: 'doubled and tripled',
  map: (d, emit) => {
    emit('all', 2 * d, d);
    emit('all', 3 * d, d);
  },
  window: count(3),
  reduce: sumOf,
};

/** The sums of the pieces, the last one marked where it is not full. */
export function sums(): { sum: number | null; isPartial: boolean }[] {
  const numbers = Array.from({ length: 10 }, (_, i) => i + 1);
  return runJob(job, numbers).map(({ value, partial }) => ({ sum: value, isPartial: partial === true }));
}

if (process.argv[1]?.endsWith('streaming-mapreduce.ts')) {
  for (const { sum, isPartial } of sums()) {
    process.stdout.write(`${sum}${isPartial ? ' (the input ended here)' : ''}\n`);
  }
}
