// The survey text's sliding window over 1..10 with size 3: eight windows, each with mean, largest and smallest.
// Run: npx tsx examples/sliding-window/sliding-window.ts

import { opaque } from '../../shared/windows/aggregates/aggregate.ts';
import { together } from '../../shared/windows/aggregates/composite.ts';
import { maxOf, meanOf, minOf } from '../../shared/windows/aggregates/numbers.ts';
import { collectOf } from '../../shared/windows/aggregates/records.ts';
import { createWindowOperator } from '../../shared/windows/window-operator.ts';
import { count } from '../../shared/windows/window.ts';

type Row = { values: number[]; mean: number | null; max: number | null; min: number | null };

/** The windows over 1..10. */
export function slidingWindows(): Row[] {
  const rows: Row[] = [];
  const operator = createWindowOperator<number, Row>({
    window: count(3, 1),
    aggregate: opaque(together({ values: collectOf<number>(), mean: meanOf, max: maxOf, min: minOf })),
    onResult: ({ value }) => {
      if (value !== null) {
        rows.push(value);
      }
    },
  });
  for (let n = 1; n <= 10; n++) {
    operator.push('numbers', n, n);
  }
  operator.flush();
  return rows;
}

if (process.argv[1]?.endsWith('sliding-window.ts')) {
  for (const { values, mean, max, min } of slidingWindows()) {
    process.stdout.write(`[${values.join(', ')}]  mean ${mean}  max ${max}  min ${min}\n`);
  }
}
