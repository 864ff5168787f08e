// The examples of the survey text give what the text says.

import { expect, test } from '@jest/globals';
import { slidingWindows } from '../../../../examples/sliding-window/sliding-window.ts';
import { sums, sumsInParallel } from '../../../../examples/streaming-mapreduce/streaming-mapreduce.ts';

test('the sliding window over 1..10 has eight windows with their mean, largest and smallest', () => {
  const rows = slidingWindows();
  expect(rows).toHaveLength(8);
  expect(rows[0]).toEqual({ values: [1, 2, 3], mean: 2, max: 3, min: 1 });
  expect(rows[7]).toEqual({ values: [8, 9, 10], mean: 9, max: 10, min: 8 });
});

test('the streaming MapReduce gives 30, 75, 120 and the marked tail 50', () => {
  expect(sums()).toEqual([
    { sum: 30, isPartial: false },
    { sum: 75, isPartial: false },
    { sum: 120, isPartial: false },
    { sum: 50, isPartial: true },
  ]);
});

test.each([1, 2, 3, 5])('and the same with %s map sides that share the pieces', (mapSides) => {
  expect(sumsInParallel(mapSides)).toEqual(sums());
});
