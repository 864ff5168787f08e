// Properties of the window engine over generated streams: order within the bound, merged shards, panes against one state per
// window, snapshots at any point, and the bound of percentiles against exact values and hdr-histogram-js.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as hdr from 'hdr-histogram-js';
import { opaque, type AnyAggregate, type Json } from '../../../../shared/windows/aggregates/aggregate.ts';
import { together } from '../../../../shared/windows/aggregates/composite.ts';
import { addExact, mergeExact, newExactSum, roundExact } from '../../../../shared/windows/aggregates/exact-sum.ts';
import {
  addValue,
  loadHistogram,
  mergeHistogram,
  newHistogram,
  quantile,
  saveHistogram,
} from '../../../../shared/windows/aggregates/histogram.ts';
import { countOf, maxOf, meanOf, minOf, rateOf, sumOf } from '../../../../shared/windows/aggregates/numbers.ts';
import { percentileOf, percentilesOf } from '../../../../shared/windows/aggregates/percentiles.ts';
import { collectOf, firstOf, lastOf } from '../../../../shared/windows/aggregates/records.ts';
import { topKOf } from '../../../../shared/windows/aggregates/top-k.ts';
import { createWindowOperator, type WindowOperatorOptions } from '../../../../shared/windows/window-operator.ts';
import { count, hopping, session, sliding, tumbling, type WindowSpec } from '../../../../shared/windows/window.ts';

type Sample = { key: string; value: number; ts: number };

const everything = opaque(
  together({
    count: countOf,
    sum: sumOf,
    mean: meanOf,
    min: minOf,
    max: maxOf,
    rate: rateOf,
    p50: percentileOf(50),
    p99: percentileOf(99),
    both: percentilesOf({ p50: 50, p99: 99 }),
    top: topKOf(3),
    first: firstOf<number>(),
    last: lastOf<number>(),
    all: collectOf<number>(),
  }),
) as AnyAggregate<number, unknown>;

const value = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }),
  fc.double({ min: -1e6, max: 1e6, noNaN: true, noDefaultInfinity: true }),
);
/** Records with distinct times, so that first and last have one answer. */
const stream = fc
  .uniqueArray(fc.record({ key: fc.constantFrom('a', 'b', 'c'), value, ts: fc.integer({ min: 0, max: 400 }) }), {
    selector: (record) => record.ts,
    maxLength: 120,
  })
  .map((records) => [...records].sort((a, b) => a.ts - b.ts));
const alignedWindow: fc.Arbitrary<WindowSpec> = fc.oneof(
  fc.integer({ min: 1, max: 60 }).map((size) => tumbling(size)),
  fc
    .record({ advance: fc.integer({ min: 1, max: 30 }), more: fc.integer({ min: 0, max: 60 }), offset: fc.nat(20) })
    .map(({ advance, more, offset }) => hopping(advance + more, advance, offset)),
);
const anyWindow: fc.Arbitrary<WindowSpec> = fc.oneof(
  alignedWindow,
  fc.integer({ min: 1, max: 30 }).map(session),
  fc.integer({ min: 0, max: 30 }).map(sliding),
);

function run(records: readonly Sample[], options: Partial<WindowOperatorOptions<number, unknown>>): object[] {
  const out: object[] = [];
  const operator = createWindowOperator<number, unknown>({
    window: tumbling(10),
    aggregate: everything,
    onResult: (result) => out.push(result),
    onLate: (late) => out.push({ late: true, ...late }),
    ...options,
  });
  records.forEach(({ key, value: v, ts }) => operator.push(key, v, ts));
  operator.flush();
  return out;
}

const sorted = (rows: object[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

/** The records in another order that is nowhere more than `bound` ms late. */
function shuffledWithin(records: readonly Sample[], bound: number, jitter: readonly number[]): Sample[] {
  return records
    .map((record, i) => ({
      record,
      at: record.ts + (jitter.length === 0 ? 0 : jitter[i % jitter.length] % (bound + 1)),
    }))
    .sort((a, b) => a.at - b.at)
    .map(({ record }) => record);
}

describe('the window engine', () => {
  test('gives the same results in any order within the grace', () => {
    fc.assert(
      fc.property(stream, anyWindow, fc.nat(50), fc.array(fc.nat(1000)), (records, window, grace, jitter) => {
        const inOrder = run(records, { window, grace });
        const shuffled = run(shuffledWithin(records, grace, jitter), { window, grace });
        expect(sorted(shuffled)).toEqual(sorted(inOrder));
      }),
    );
  });

  test('gives the same results in any order within the bound of per-key clocks', () => {
    const bound = 40;
    const clock = { kind: 'per-key', boundMs: bound, aheadMs: 1000, idleMs: 1e9 } as const;
    fc.assert(
      fc.property(stream, anyWindow, fc.array(fc.nat(1000)), (records, window, jitter) => {
        const inOrder = run(records, { window, clock });
        expect(sorted(run(shuffledWithin(records, bound, jitter), { window, clock }))).toEqual(sorted(inOrder));
      }),
    );
  });

  test('shares panes and still gives what one state per window gives, late records included', () => {
    const arrivals = fc.array(fc.record({ key: fc.constantFrom('a', 'b'), value, ts: fc.nat(300) }), {
      maxLength: 150,
    });
    fc.assert(
      fc.property(arrivals, alignedWindow, fc.nat(80), (records, window, grace) => {
        const panes = run(records, { window, grace });
        // Updates keep one state per window; the last update of each window is what it closes with.
        const states = new Map<string, object>();
        const late: object[] = [];
        for (const row of run(records, { window, grace, emit: 'update' }) as Record<string, unknown>[]) {
          if (row['late'] === true) {
            late.push(row);
          } else {
            states.set(`${String(row['key'])} ${String(row['start'])}`, { ...row, final: true });
          }
        }
        expect(sorted(panes)).toEqual(sorted([...states.values(), ...late]));
      }),
    );
  });

  test('gives the same output when it is stopped and restored after any record', () => {
    const specs = fc.oneof(
      anyWindow,
      fc.integer({ min: 1, max: 7 }).map((size) => count(size)),
    );
    const semantics = fc.constantFrom('kafka', 'flink', 'beam');
    fc.assert(
      fc.property(stream, specs, semantics, fc.nat(120), (records, window, engine, cut) => {
        fc.pre(window.kind !== 'sliding' || engine === 'kafka');
        const options = { window, semantics: engine, ...(engine === 'kafka' ? { grace: 5 } : { lateness: 5 }) };
        const play = (restartAt: number): object[] => {
          const out: object[] = [];
          const make = () =>
            createWindowOperator({ ...options, aggregate: everything, onResult: (result) => out.push(result) });
          let operator = make();
          records.forEach(({ key, value: v, ts }, i) => {
            if (i === restartAt) {
              const saved = JSON.parse(JSON.stringify(operator.snapshot())) as Json;
              operator = make();
              operator.restore(saved);
            }
            operator.push(key, v, ts);
            if (engine !== 'kafka' && i % 5 === 4) {
              operator.advance(ts - 3);
            }
          });
          operator.flush();
          return out;
        };
        expect(play(cut)).toEqual(play(-1));
      }),
    );
  });

  test('merges the accumulators of shards to what one shard gives', () => {
    const aggregate = everything;
    fc.assert(
      fc.property(stream, fc.array(fc.nat(3), { minLength: 1 }), (records, shards) => {
        const whole = aggregate.create();
        const parts = [0, 1, 2, 3].map(() => aggregate.create());
        records.forEach((record, i) => {
          aggregate.add(whole, record.value, record.ts, i);
          aggregate.add(parts[shards[i % shards.length]], record.value, record.ts, i);
        });
        const merged = aggregate.create();
        [...parts].reverse().forEach((part) => aggregate.merge(merged, part));
        const span = { start: 0, end: 1000 };
        expect(JSON.stringify(aggregate.result(merged, span))).toBe(JSON.stringify(aggregate.result(whole, span)));
      }),
    );
  });
});

describe('exact sums', () => {
  test('do not depend on the order or grouping of their terms', () => {
    const terms = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(terms, fc.nat(40), (numbers, cut) => {
        const forward = newExactSum();
        numbers.forEach((term) => addExact(forward, term));
        const [left, right] = [newExactSum(), newExactSum()];
        [...numbers].reverse().forEach((term, i) => addExact(i < cut ? left : right, term));
        mergeExact(left, right);
        expect(Object.is(roundExact(left) + 0, roundExact(forward) + 0)).toBe(true);
      }),
    );
  });

  test('keep what plain addition loses', () => {
    const sum = newExactSum();
    [1e16, 1, -1e16, 0.1, 0.2, -0.3].forEach((term) => addExact(sum, term));
    expect(roundExact(sum)).toBeCloseTo(1, 15);
    const tenths = newExactSum();
    Array.from({ length: 10 }).forEach(() => addExact(tenths, 0.1));
    expect(roundExact(tenths)).toBe(1);
  });
});

describe('percentiles', () => {
  const exactAt = (numbers: number[], fraction: number): number =>
    [...numbers].sort((a, b) => a - b)[Math.max(0, Math.ceil(fraction * numbers.length - 1e-9) - 1)];

  test('lie within 1 % of the exact nearest-rank value', () => {
    const numbers = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(numbers, fc.double({ min: 0, max: 1, noNaN: true }), (samples, fraction) => {
        const histogram = newHistogram();
        samples.forEach((sample) => addValue(histogram, sample));
        const exact = exactAt(samples, fraction);
        expect(Math.abs(quantile(histogram, fraction)! - exact)).toBeLessThanOrEqual(Math.abs(exact) * 0.01 + 1e-9);
      }),
    );
  });

  test('agree with hdr-histogram-js over a long-tailed million-to-one range', () => {
    const ours = newHistogram();
    const theirs = hdr.build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: 1e9,
      numberOfSignificantValueDigits: 3,
    });
    let seed = 42;
    for (let i = 0; i < 50_000; i++) {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      const sample = Math.round(1000 * Math.exp((seed / 2147483648) * 10));
      addValue(ours, sample);
      theirs.recordValue(sample);
    }
    for (const percent of [50, 90, 95, 99, 99.9]) {
      const reference = theirs.getValueAtPercentile(percent);
      expect(Math.abs(quantile(ours, percent / 100)! - reference) / reference).toBeLessThan(0.011);
    }
  });

  test('survive saving, and merge in any order to the same bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true })), fc.nat(50), (samples, cut) => {
        const [a, b, all] = [newHistogram(), newHistogram(), newHistogram()];
        samples.forEach((sample, i) => {
          addValue(all, sample);
          addValue(i < cut ? a : b, sample);
        });
        mergeHistogram(b, loadHistogram(JSON.parse(JSON.stringify(saveHistogram(a))) as Json));
        expect(JSON.stringify(saveHistogram(b))).toBe(JSON.stringify(saveHistogram(all)));
      }),
    );
  });
});

test('a histogram says the same of few and of many values, however they were merged and whenever it was asked', () => {
  const pieces = fc.array(fc.array(fc.double({ min: -1e3, max: 1e6, noNaN: true }), { maxLength: 300 }), {
    maxLength: 4,
    size: 'max',
  });
  fc.assert(
    fc.property(pieces, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), (lists, fraction, isAsked) => {
      const merged = newHistogram();
      const all = newHistogram();
      for (const list of lists) {
        const one = newHistogram();
        list.forEach((sample) => {
          addValue(one, sample);
          addValue(all, sample);
        });
        const before = JSON.stringify(saveHistogram(one));
        mergeHistogram(merged, one);
        if (isAsked) {
          quantile(merged, fraction);
          quantile(one, fraction);
        }
        expect(JSON.stringify(saveHistogram(one))).toBe(before); // neither merging nor asking alters it
      }
      expect(JSON.stringify(saveHistogram(merged))).toBe(JSON.stringify(saveHistogram(all)));
      expect(quantile(merged, fraction)).toBe(quantile(all, fraction));
    }),
  );
});

test('several percentiles of one histogram are those of one histogram each', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 200 }), (values) => {
      const all = percentilesOf({ p5: 5, p50: 50, p95: 95 });
      const accumulator = all.create();
      values.forEach((one) => {
        all.add(accumulator, one, 0, 0);
      });
      const span = { start: 0, end: 1 };
      expect(all.result(accumulator, span)).toEqual({
        p5: percentileOf(5).result(accumulator, span),
        p50: percentileOf(50).result(accumulator, span),
        p95: percentileOf(95).result(accumulator, span),
      });
    }),
  );
  expect(() => percentilesOf({ p101: 101 })).toThrow(RangeError);
});
