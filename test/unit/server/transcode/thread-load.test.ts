import { expect, test } from '@jest/globals';
import { busiestLoad, lanesFor, leastLoaded } from '../../../../server/transcode/thread-load.ts';

test('the least loaded thread is the first of equals', () => {
  expect(leastLoaded([0, 0, 0])).toBe(0);
  expect(leastLoaded([3, 1, 2, 1])).toBe(1);
});

test('the busiest thread has the largest sum after each load went where there was least', () => {
  expect(busiestLoad([], 2)).toBe(0);
  expect(busiestLoad([9, 4, 2], 1)).toBe(15);
  expect(busiestLoad([9, 4, 2], 2)).toBe(9); // 9 | 4 2
  expect(busiestLoad([2, 4, 9], 2)).toBe(11); // 2 9 | 4: loads stay where they came to first
  expect(busiestLoad([9, 4, 2], 3)).toBe(9);
});

test('a worker has a lane for each further core, two at most', () => {
  expect([1, 2, 3, 64].map(lanesFor)).toEqual([0, 1, 2, 2]);
});
