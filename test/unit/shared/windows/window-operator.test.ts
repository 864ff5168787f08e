// Worked examples of the window engine: clocks, lateness, counts and text. The tables of docs/analytics/windows.md are these tests.

import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../../../shared/windows/aggregates/aggregate.ts';
import { aggregateNamed } from '../../../../shared/windows/aggregates/named.ts';
import { createWindowOperator, type WindowOperatorOptions } from '../../../../shared/windows/window-operator.ts';
import {
  count,
  hopping,
  parseDuration,
  parseWindowSpec,
  session,
  sliding,
  tumbling,
} from '../../../../shared/windows/window.ts';

type Rows = Json[][];

function operatorOf(aggregate: string, options: Partial<WindowOperatorOptions<Json, unknown>>) {
  const rows: Rows = [];
  const late: Rows = [];
  const operator = createWindowOperator<Json, unknown>({
    window: tumbling(10),
    aggregate: aggregateNamed(aggregate).aggregate,
    onResult: ({ key, start, end, value, partial }) =>
      rows.push([key, start, end, value as Json, ...(partial === true ? ['partial'] : [])]),
    onLate: ({ key, value, ts }) => late.push([key, value, ts]),
    ...options,
  });
  return { operator, rows, late };
}

const perKey = { kind: 'per-key', boundMs: 5, aheadMs: 2000, idleMs: 1000 } as const;

describe('count windows', () => {
  test('cut 1..10 into the eight windows of three', () => {
    const { operator, rows } = operatorOf('collect', { window: count(3, 1) });
    for (let n = 1; n <= 10; n++) {
      operator.push('k', n, n);
    }
    operator.flush();
    expect(rows.map((row) => row[3])).toEqual([
      [1, 2, 3],
      [2, 3, 4],
      [3, 4, 5],
      [4, 5, 6],
      [5, 6, 7],
      [6, 7, 8],
      [7, 8, 9],
      [8, 9, 10],
    ]);
    expect(rows[7]).toEqual(['k', 7, 10, [8, 9, 10]]);
  });

  test('mark the last one partial where the input ends inside it', () => {
    const { operator, rows } = operatorOf('sum', { window: count(3) });
    for (let n = 1; n <= 10; n++) {
      operator.push('k', n, 0);
    }
    operator.flush();
    expect(rows.map((row) => row.slice(1))).toEqual([
      [0, 3, 6],
      [3, 6, 15],
      [6, 9, 24],
      [9, 10, 10, 'partial'],
    ]);
  });
});

describe('clocks', () => {
  test('stream time of one key closes the windows of every key', () => {
    const { operator, rows, late } = operatorOf('count', {});
    operator.push('a', 1, 1);
    operator.push('b', 1, 30);
    operator.push('a', 1, 2);
    expect(rows).toEqual([['a', 0, 10, 1]]);
    expect(late).toEqual([['a', 1, 2]]);
  });

  test('a per-key clock harms nobody else', () => {
    const { operator, rows, late } = operatorOf('count', { clock: perKey });
    operator.push('a', 1, 1);
    operator.push('b', 1, 3_600_000, 3_600_000);
    operator.push('a', 1, 2);
    expect([rows, late]).toEqual([[], []]);
    operator.push('a', 1, 15);
    expect(rows).toEqual([['a', 0, 10, 2]]);
  });

  test('a time ahead of the receiver is cut to two seconds ahead', () => {
    const { operator, rows } = operatorOf('count', { clock: perKey });
    operator.push('a', 1, 3_600_000, 1000);
    operator.push('a', 1, 3001, 3001);
    operator.flush();
    expect(rows).toEqual([['a', 3000, 3010, 2]]);
    expect(operator.counters().clamped).toBe(1);
  });

  test('an idle key goes on with the clock of the receiver, on its own time', () => {
    const { operator, rows, late } = operatorOf('count', { clock: perKey });
    operator.push('slow', 1, 1000, 3_601_000); // an hour behind
    operator.tick(3_601_999);
    expect(rows).toEqual([]);
    operator.tick(3_602_010);
    expect(rows).toEqual([['slow', 1000, 1010, 1]]);
    operator.push('slow', 1, 2015, 3_602_015);
    expect(late).toEqual([]);
  });

  test('the end of a key closes its windows and forgets it', () => {
    const { operator, rows } = operatorOf('sum', { clock: perKey, window: session(50) });
    operator.push('a', 1, 10);
    operator.push('b', 5, 10);
    operator.push('a', 2, 20);
    operator.endKey('a');
    expect(rows).toEqual([['a', 10, 20, 3]]);
    expect(operator.counters().keys).toBe(1);
  });

  test('refuses more keys than allowed and counts them, but lets closed ones go', () => {
    const { operator, rows } = operatorOf('count', { maxKeys: 1 });
    operator.push('a', 1, 1);
    operator.push('b', 1, 1);
    expect(operator.counters().refused).toBe(1);
    operator.push('a', 1, 25);
    operator.advance(40);
    operator.push('b', 1, 45);
    operator.flush();
    expect(rows.map((row) => row[0])).toEqual(['a', 'a', 'b']);
  });
});

describe('lateness', () => {
  test('kafka judges it per window', () => {
    const { operator, rows, late } = operatorOf('count', { window: hopping(10, 5) });
    [7, 12, 5].forEach((ts) => operator.push('k', 1, ts));
    operator.flush();
    expect(late).toEqual([['k', 1, 5]]);
    expect(rows).toEqual([
      ['k', 0, 10, 1],
      ['k', 5, 15, 3],
      ['k', 10, 20, 1],
    ]);
  });

  test('flink sends a record aside only when every window is over', () => {
    const { operator, rows, late } = operatorOf('count', { window: hopping(10, 5), semantics: 'flink' });
    operator.push('k', 1, 7);
    operator.advance(9);
    operator.push('k', 1, 6);
    operator.advance(14);
    operator.push('k', 1, 4);
    expect(rows).toEqual([
      ['k', 0, 10, 1],
      ['k', 5, 15, 2],
    ]);
    expect(late).toEqual([['k', 1, 4]]);
  });

  test('an accumulating trigger fires the whole window again, a purging one the rest', () => {
    for (const [trigger, second] of [
      ['accumulating', 3],
      ['purging', 1],
    ] as const) {
      const { operator, rows } = operatorOf('sum', { semantics: 'flink', lateness: 100, trigger });
      operator.push('k', 2, 3);
      operator.advance(20);
      operator.push('k', 1, 4);
      expect(rows.map((row) => row[3])).toEqual([2, second]);
    }
  });
});

describe('text', () => {
  test.each([
    ['250', 250],
    ['10ms', 10],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1h', 3_600_000],
  ])('reads %s as a duration', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    ['tumbling:10s', tumbling(10_000)],
    ['tumbling:10s+250', tumbling(10_000, 250)],
    ['hopping:10s/1s+5ms', hopping(10_000, 1000, 5)],
    ['sliding:5', sliding(5)],
    ['session:3s', session(3000)],
    ['count:3', count(3)],
    ['count:3/1', count(3, 1)],
  ])('reads %s as a window', (text, spec) => {
    expect(parseWindowSpec(text)).toEqual(spec);
  });

  test.each([
    '',
    'tumbling',
    'tumbling:0',
    'hopping:10',
    'session:-1',
    'count:1.5',
    'rolling:5s',
    'sliding:5/2',
    'tumbling:5x',
  ])('refuses "%s" with a sentence', (text) => {
    expect(() => parseWindowSpec(text)).toThrow(/window|duration/);
  });

  test.each(['p101', 'topk:0', 'median', ''])('refuses the aggregate "%s" by naming what there is', (text) => {
    expect(() => aggregateNamed(text)).toThrow(/expected count, sum/);
  });
});

describe('options that contradict each other', () => {
  test.each([
    [{ lateness: 5 }, /lateness/i],
    [{ semantics: 'flink', grace: 5 }, /grace/i],
    [{ semantics: 'flink', window: sliding(5) }, /sliding/i],
    [{ window: hopping(5, 10) }, /advances/],
    [{ window: count(3), emit: 'assign' }, /assignment/i],
  ] as [Partial<WindowOperatorOptions<Json, unknown>>, RegExp][])('are refused: %j', (options, sentence) => {
    expect(() => operatorOf('count', options)).toThrow(sentence);
  });
});
