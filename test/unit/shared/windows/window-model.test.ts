// The engine against a second, naive model of it (test/support/window-model.ts), over generated arrivals in any order with watermarks,
// restarts in the middle, late records, negative times and every semantics; and every aggregate against plain arithmetic.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { opaque, type Json } from '../../../../shared/windows/aggregates/aggregate.ts';
import { aggregateNamed } from '../../../../shared/windows/aggregates/named.ts';
import { concatOf } from '../../../../shared/windows/aggregates/records.ts';
import {
  createWindowOperator,
  type WindowOperator,
  type WindowOperatorOptions,
} from '../../../../shared/windows/window-operator.ts';
import { count, hopping, session, sliding, tumbling, type WindowSpec } from '../../../../shared/windows/window.ts';
import {
  countsByDefinition,
  modelRows,
  slidingByDefinition,
  type ModelRecord,
  type ModelRow,
  type ModelStep,
} from '../../../support/window-model.ts';

const runs = process.env['TESSERA_LONG'] === '1' ? 5000 : 200;

const numbered = (records: { key: string; ts: number }[]): ModelRecord[] =>
  records.map((record, value) => ({ ...record, value }));

const valuesOf = (joined: unknown): number[] => (joined as string).split('+').map(Number);

/** Plays steps through the engine; at the steps in `restarts` it is saved as text, dropped and restored. */
function engineRows(
  steps: readonly ModelStep[],
  options: Omit<WindowOperatorOptions<number, unknown>, 'aggregate' | 'onResult'>,
  restarts: readonly number[],
  isFlushed: boolean,
): ModelRow[] {
  const rows: ModelRow[] = [];
  const make = (): WindowOperator<number> =>
    createWindowOperator<number, unknown>({
      ...options,
      aggregate: opaque(concatOf()) as WindowOperatorOptions<number, unknown>['aggregate'],
      onResult: ({ key, start, end, value }) => rows.push({ key, start, end, values: valuesOf(value) }),
      onLate: (late) => rows.push({ late: true, ...late }),
    });
  let operator = make();
  steps.forEach((step, i) => {
    if (restarts.includes(i)) {
      const saved = JSON.parse(JSON.stringify(operator.snapshot())) as Json;
      operator = make();
      operator.restore(saved);
    }
    if ('watermark' in step) {
      operator.advance(step.watermark);
    } else {
      operator.push(step.key, step.value, step.ts);
    }
  });
  if (isFlushed) {
    operator.flush();
  }
  return rows;
}

const time = fc.integer({ min: -40, max: 160 });
const key = fc.constantFrom('a', 'b', 'c');
const record = fc.record({ key, ts: time });
const alignedWindow: fc.Arbitrary<WindowSpec> = fc
  .record({
    size: fc.integer({ min: 1, max: 40 }),
    advance: fc.integer({ min: 1, max: 40 }),
    offset: fc.integer({ min: -30, max: 30 }),
  })
  .map(({ size, advance, offset }) => (advance >= size ? tumbling(size, offset) : hopping(size, advance, offset)));
const gappedWindow = fc
  .record({ size: fc.integer({ min: 1, max: 10 }), more: fc.integer({ min: 1, max: 20 }), offset: fc.nat(9) })
  .map(({ size, more, offset }) => hopping(size, size + more, offset));
const sessionWindow = fc.integer({ min: 1, max: 25 }).map(session);
const restarts = fc.array(fc.nat(60), { maxLength: 3 });

describe('the engine gives what the naive model gives', () => {
  test('with the semantics of Kafka: stream time of all keys, grace, late shares per window', () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 60 }),
        fc.oneof(alignedWindow, sessionWindow),
        fc.nat(50),
        restarts,
        fc.boolean(),
        (records, window, grace, cuts, isFlushed) => {
          const steps = numbered(records);
          const setup = { window, semantics: 'kafka', grace, lateness: 0, trigger: 'accumulating' } as const;
          const expected = modelRows(steps, setup, isFlushed);
          expect(engineRows(steps, { window, grace }, cuts, isFlushed)).toEqual(expected);
        },
      ),
      { numRuns: runs },
    );
  });

  test.each(['flink', 'beam'] as const)(
    'with the semantics of %s: explicit watermarks, lateness, accumulating and purging triggers',
    (semantics) => {
      const step = fc.oneof({ weight: 4, arbitrary: record }, { weight: 1, arbitrary: fc.record({ watermark: time }) });
      fc.assert(
        fc.property(
          fc.array(step, { maxLength: 60 }),
          fc.oneof(alignedWindow, gappedWindow, sessionWindow),
          fc.oneof(fc.constant(0), fc.nat(60)),
          fc.constantFrom('accumulating', 'purging'),
          restarts,
          fc.boolean(),
          (mixed, window, lateness, trigger, cuts, isFlushed) => {
            const steps = mixed.map((each, value): ModelStep => ('watermark' in each ? each : { ...each, value }));
            const setup = { window, semantics, grace: 0, lateness, trigger } as const;
            const expected = modelRows(steps, setup, isFlushed);
            const options = { window, semantics, lateness, trigger } as const;
            expect(engineRows(steps, options, cuts, isFlushed)).toEqual(expected);
          },
        ),
        { numRuns: runs },
      );
    },
  );

  test('for sliding windows in any order, by their definition', () => {
    const records = fc.array(fc.record({ key, ts: fc.nat(120) }), { maxLength: 50 });
    fc.assert(
      fc.property(records, fc.nat(30), restarts, (arrivals, size, cuts) => {
        const steps = numbered(arrivals);
        const rows = engineRows(steps, { window: sliding(size), grace: 1000 }, cuts, true);
        const found = new Map(
          (rows as unknown as { key: string; start: number; values: number[] }[]).map((row) => [
            `${row.key} ${row.start}`,
            row.values,
          ]),
        );
        expect(found.size).toBe(rows.length);
        expect(found).toEqual(slidingByDefinition(steps, size));
      }),
      { numRuns: runs },
    );
  });

  test('for count windows with any advance, by their definition', () => {
    const sizes = fc.record({ size: fc.integer({ min: 1, max: 9 }), advance: fc.integer({ min: 1, max: 9 }) });
    fc.assert(
      fc.property(
        fc.array(fc.record({ key, ts: time }), { maxLength: 50 }),
        sizes,
        restarts,
        (arrivals, spec, cuts) => {
          const steps = numbered(arrivals);
          const rows: { key: string; start: number; end: number; values: number[]; isPartial: boolean }[] = [];
          const make = () =>
            createWindowOperator<number, string>({
              window: count(spec.size, spec.advance),
              aggregate: opaque(concatOf()) as WindowOperatorOptions<number, string>['aggregate'],
              onResult: ({ key: of, start, end, value, partial }) =>
                rows.push({ key: of, start, end, values: valuesOf(value), isPartial: partial === true }),
            });
          let operator = make();
          steps.forEach((step, i) => {
            if (cuts.includes(i)) {
              const saved = JSON.parse(JSON.stringify(operator.snapshot())) as Json;
              operator = make();
              operator.restore(saved);
            }
            operator.push(step.key, step.value, step.ts);
          });
          operator.flush();
          for (const name of ['a', 'b', 'c']) {
            const values = steps.filter((step) => step.key === name).map(({ value }) => value);
            const own = rows
              .filter((row) => row.key === name)
              .map(({ start, end, values: inside, isPartial }) => ({ start, end, values: inside, isPartial }));
            expect(own).toEqual(countsByDefinition(values, spec.size, spec.advance));
          }
        },
      ),
      { numRuns: runs },
    );
  });
});

describe('every named aggregate gives what plain arithmetic gives', () => {
  const numbers = fc.array(fc.record({ value: fc.integer({ min: -1000, max: 1000 }), ts: fc.nat(99) }), {
    minLength: 1,
    maxLength: 60,
  });
  type Sample = { readonly value: number; readonly ts: number };
  const sum = (samples: readonly Sample[]): number => samples.reduce((total, { value }) => total + value, 0);
  const byTime = (samples: readonly Sample[]): number[] =>
    [...samples].sort((a, b) => a.ts - b.ts).map(({ value }) => value);
  const frequencies = (samples: readonly Sample[]): { value: number; count: number }[] => {
    const counts = new Map<number, number>();
    samples.forEach(({ value }) => counts.set(value, (counts.get(value) ?? 0) + 1));
    return [...counts]
      .map(([value, n]) => ({ value, count: n }))
      .sort((a, b) => b.count - a.count || (String(a.value) < String(b.value) ? -1 : 1));
  };
  const plain: readonly [string, (samples: readonly Sample[]) => unknown][] = [
    ['count', (samples) => samples.length],
    ['sum', sum],
    ['mean', (samples) => sum(samples) / samples.length],
    ['min', (samples) => Math.min(...samples.map(({ value }) => value))],
    ['max', (samples) => Math.max(...samples.map(({ value }) => value))],
    ['first', (samples) => byTime(samples).at(0)],
    ['last', (samples) => byTime(samples).at(-1)],
    ['rate', (samples) => (sum(samples) * 1000) / 100],
    ['collect', byTime],
    ['concat', (samples) => samples.map(({ value }) => value).join('+')],
    ['concat:0', (samples) => ['0', ...samples.map(({ value }) => value)].join('+')],
    ['concat:', (samples) => ['', ...samples.map(({ value }) => value)].join('+')],
    ['topk:3', (samples) => frequencies(samples).slice(0, 3)],
  ];

  test.each(plain)('%s', (name, expectedOf) => {
    fc.assert(
      fc.property(numbers, (samples) => {
        const results: unknown[] = [];
        const operator = createWindowOperator<Json, unknown>({
          window: tumbling(100),
          aggregate: aggregateNamed(name).aggregate,
          onResult: ({ value }) => results.push(value),
        });
        samples.forEach(({ value, ts }) => operator.push('k', value, ts));
        operator.flush();
        expect(results).toEqual([expectedOf(samples)]);
      }),
    );
  });

  test.each([0, 1, 50, 95, 99, 99.9, 100])('p%s, within 1 %%', (percent) => {
    fc.assert(
      fc.property(numbers, (samples) => {
        const results: number[] = [];
        const operator = createWindowOperator<Json, unknown>({
          window: hopping(100, 10),
          aggregate: aggregateNamed(`p${percent}`).aggregate,
          onResult: ({ start, value }) => start === 0 && results.push(value as number),
        });
        samples.forEach(({ value }) => operator.push('k', value, 50));
        operator.flush();
        const sorted = samples.map(({ value }) => value).sort((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length - 1e-9) - 1)];
        expect(Math.abs(results[0] - exact)).toBeLessThanOrEqual(Math.abs(exact) * 0.01 + 1e-9);
      }),
    );
  });
});

describe('times', () => {
  test('as far from 1970 as a Date reaches keep exact bounds', () => {
    for (const ts of [8.64e15, 8.64e15 - 7, -8.64e15, -8.64e15 + 3]) {
      const rows: [number, number][] = [];
      const operator = createWindowOperator<Json, unknown>({
        window: hopping(10, 5),
        semantics: 'flink',
        aggregate: aggregateNamed('count').aggregate,
        onResult: ({ start, end }) => rows.push([start, end]),
      });
      operator.push('k', 1, ts);
      operator.flush();
      const newest = Math.floor(ts / 5) * 5;
      expect(rows).toEqual([
        [newest - 5, newest + 5],
        [newest, newest + 10],
      ]);
    }
  });

  test.each([Number.NaN, Infinity, -Infinity, 1e300])('%s is refused with a sentence', (ts) => {
    const operator = createWindowOperator<Json, unknown>({
      window: session(10),
      aggregate: aggregateNamed('count').aggregate,
      onResult: () => undefined,
    });
    expect(() => operator.push('k', 1, ts)).toThrow(/time of a record/);
    expect(() => operator.advance(Number.NaN)).toThrow(/watermark/);
    expect(operator.counters().keys).toBe(0);
  });
});
