// The survey text's streaming MapReduce over 1..10: pieces of three, map d -> [2d, 3d], reduce = sum: 30, 75, 120, and the tail 50, which
// the text's program loses. In one place, and with two map sides that take the pieces in turn and send their partial sums as text, as
// they would from another thread or through a topic (docs/analytics/jobs.md). Run: npx tsx examples/streaming-mapreduce/streaming-mapreduce.ts

import { MapSide, ReduceSide, runJob, type Job } from '../../shared/jobs/job.ts';
import type { Json } from '../../shared/windows/aggregates/aggregate.ts';
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

/** The same with the pieces shared among map sides: their partials travel, and the reduce side takes them in order of the pieces. */
export function sumsInParallel(mapSides = 2): { sum: number | null; isPartial: boolean }[] {
  const found: { sum: number | null; isPartial: boolean }[] = [];
  const reduce = new ReduceSide(job, {
    onResult: ({ value, partial }) => found.push({ sum: value, isPartial: partial === true }),
  });
  const sides = Array.from({ length: mapSides }, () => new MapSide(job));
  for (let piece = 0; piece * 3 < 10; piece++) {
    const numbers = [1, 2, 3].map((n) => piece * 3 + n).filter((n) => n <= 10);
    const partials = sides[piece % mapSides]?.process(numbers) ?? [];
    const travelling = JSON.stringify(partials.map((partial) => reduce.encode(partial)));
    reduce.process((JSON.parse(travelling) as Json[]).map((partial) => reduce.decode(partial)));
  }
  reduce.flush();
  return found;
}

if (process.argv[1]?.endsWith('streaming-mapreduce.ts')) {
  for (const { sum, isPartial } of sums()) {
    process.stdout.write(`${sum}${isPartial ? ' (the input ended here)' : ''}\n`);
  }
}
