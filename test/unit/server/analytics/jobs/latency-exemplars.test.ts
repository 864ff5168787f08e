// Exemplars of latency: the slowest frame of each range stands for it, with how many there are, in whatever order and shards they come.

import { expect, test } from '@jest/globals';
import { exemplarsOf, type SeenFrame } from '../../../../../server/analytics/jobs/latency-exemplars.ts';

const frame = (ms: number, ptsMs: number, session = 'a'): SeenFrame => ({ ms, ptsMs, session, rendition: 'source' });
const frames = [frame(80, 1), frame(99, 2), frame(100, 3), frame(101, 4), frame(6000, 5), frame(101, 4, 'b')];
const span = { start: 0, end: 1000 };
const expected = [
  { le: 100, count: 3, ...frame(100, 3) },
  { le: 150, count: 2, ...frame(101, 4) },
  { le: null, count: 1, ...frame(6000, 5) },
];

function gathered(seen: readonly SeenFrame[]): ReturnType<typeof exemplarsOf.create> {
  const ranges = exemplarsOf.create();
  seen.forEach((each, i) => {
    exemplarsOf.add(ranges, each, 0, i);
  });
  return ranges;
}

test('the slowest frame of each range stands for it, the last range is open', () => {
  expect(exemplarsOf.result(gathered(frames), span)).toEqual(expected);
  expect(exemplarsOf.result(gathered([...frames].reverse()), span)).toEqual(expected);
});

test('shards that were saved merge to the same', () => {
  const [left, right] = [gathered(frames.slice(0, 3)), gathered(frames.slice(3))];
  const merged = exemplarsOf.load(JSON.parse(JSON.stringify(exemplarsOf.save(right))) as never);
  exemplarsOf.merge(merged, left);
  expect(exemplarsOf.result(merged, span)).toEqual(expected);
});
