// Streaming MapReduce: the text's example, the map side combining, shards and a shuffle giving the same as one place.

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MapSide, ReduceSide, runJob, RunningJob, type Job } from '../../../../shared/jobs/job.ts';
import { together } from '../../../../shared/windows/aggregates/composite.ts';
import type { Json } from '../../../../shared/windows/aggregates/aggregate.ts';
import { countOf, meanOf, sumOf } from '../../../../shared/windows/aggregates/numbers.ts';
import { percentileOf } from '../../../../shared/windows/aggregates/percentiles.ts';
import { lastOf } from '../../../../shared/windows/aggregates/records.ts';
import { count, hopping, tumbling } from '../../../../shared/windows/window.ts';
import { topKOf } from '../../../../shared/windows/aggregates/top-k.ts';

const doubledAndTripled: Job<number, number, unknown, number> = {
  name: 'the example of the text',
  map: (d, emit) => {
    emit('all', 2 * d, d);
    emit('all', 3 * d, d);
  },
  window: count(3),
  reduce: sumOf,
};

test('1..10 in groups of three, d -> [2d, 3d], summed, gives 30, 75, 120 and the marked tail 50', () => {
  const results = runJob(doubledAndTripled, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(results.map(({ value, partial }) => [value, partial ?? false])).toEqual([
    [30, false],
    [75, false],
    [120, false],
    [50, true],
  ]);
});

test('counts words per minute of a chat', () => {
  const words: Job<{ text: string; ts: number }, string, unknown, unknown> = {
    name: 'words',
    map: ({ text, ts }, emit) => text.split(' ').forEach((word) => emit('chat', word, ts)),
    window: tumbling(60_000),
    reduce: topKOf(2),
  };
  const results = runJob(words, [
    { text: 'goal goal what a goal', ts: 1000 },
    { text: 'what now', ts: 61_000 },
  ]);
  expect(results.map(({ start, value }) => [start, value])).toEqual([
    [
      0,
      [
        { value: 'goal', count: 3 },
        { value: 'a', count: 1 },
      ],
    ],
    [
      60_000,
      [
        { value: 'now', count: 1 },
        { value: 'what', count: 1 },
      ],
    ],
  ]);
});

type Reading = { sensor: string; value: number; ts: number };
const sensorMeans: Job<Reading, number, unknown, unknown> = {
  name: 'sensor means',
  map: ({ sensor, value, ts }, emit) => emit(sensor, value, ts),
  window: hopping(30, 10),
  reduce: together({ n: countOf, mean: meanOf, p90: percentileOf(90) }),
  clock: { kind: 'per-key', boundMs: 1000, aheadMs: 1e6, idleMs: 1e9 },
};
const readings = fc.array(
  fc.record({
    sensor: fc.constantFrom('a', 'b', 'c'),
    value: fc.double({ min: -50, max: 50, noNaN: true }),
    ts: fc.nat(500),
  }),
  { maxLength: 100 },
);

test('gives the same bytes however the input is cut into batches, shards and a shuffle', () => {
  fc.assert(
    fc.property(readings, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 20 }), (input, shards, batch) => {
      const expected = runJob(sensorMeans, input);
      const results: object[] = [];
      const reduce = new ReduceSide(sensorMeans, { onResult: (result) => results.push(result) });
      const maps = Array.from({ length: shards }, () => new MapSide(sensorMeans));
      for (let i = 0; i < input.length; i += batch) {
        const map = maps[(i / batch) % shards];
        const travelling = map
          .process(input.slice(i, i + batch))
          .map((partial) => JSON.stringify(reduce.encode(partial)));
        reduce.process(travelling.map((text) => reduce.decode(JSON.parse(text) as Json)));
      }
      reduce.flush();
      expect(JSON.stringify(results)).toBe(JSON.stringify(expected));
    }),
  );
});

test('combines on the map side: one partial per key and pane, whatever the number of records', () => {
  const map = new MapSide(sensorMeans);
  const many = Array.from({ length: 1000 }, (_, i) => ({ sensor: 'a', value: i, ts: i % 20 }));
  expect(map.process(many)).toHaveLength(2);
});

test('goes on after a restart with the same results', () => {
  const results: object[] = [];
  const make = () => new RunningJob(sensorMeans, { onResult: (result) => results.push(result) });
  const input = Array.from({ length: 60 }, (_, i) => ({ sensor: 'a', value: i / 3, ts: i * 5 }));
  let job = make();
  job.take(input.slice(0, 31));
  const saved = JSON.parse(JSON.stringify(job.snapshot())) as Json;
  job = make();
  job.restore(saved);
  job.take(input.slice(31));
  job.flush();
  expect(JSON.stringify(results)).toBe(JSON.stringify(runJob(sensorMeans, input)));
});

test('event time goes on without records, and a key can end', () => {
  const results: { start: number }[] = [];
  const job = new RunningJob(sensorMeans, { onResult: (result) => results.push(result) });
  job.take([{ sensor: 'a', value: 1, ts: 5 }]);
  job.observe('a', 2000, 2000);
  expect(results.map(({ start }) => start)).toEqual([0]);
  job.take([{ sensor: 'a', value: 1, ts: 2001 }]);
  job.endKey('a');
  expect(results.map(({ start }) => start)).toEqual([0, 1980, 1990, 2000]);
});

test('records of the same time keep their order of arrival across a snapshot', () => {
  const newest: Job<number, number, unknown, number | undefined> = {
    name: 'newest',
    map: (value, emit) => emit('all', value, 5),
    window: tumbling(10),
    reduce: lastOf<number>() as never,
  };
  const results: unknown[] = [];
  const begin = () => new RunningJob(newest, { onResult: ({ value }) => results.push(value) });
  const before = begin();
  before.take([1, 2, 3]);
  const after = begin();
  after.restore(JSON.parse(JSON.stringify(before.snapshot())) as Json);
  after.take([4]);
  after.flush();
  expect(results).toEqual([4]);
});
