import { describe, expect, test } from '@jest/globals';
import { DataWindowsReadModel } from '../../../../server/read-models/data-windows.ts';
import { HistoryReadModel } from '../../../../server/read-models/history.ts';

const HOUR = 3_600_000;
const T0 = 472_222 * HOUR;

describe('history', () => {
  test('has a point per ten seconds, and gaps, never zeros, where nothing was heard', () => {
    const history = new HistoryReadModel();
    history.apply('s', T0, { bitrateKbps: 3000.5, fps: 30 });
    history.apply('s', T0, { viewers: 4, latencyP50Ms: 120, latencyP95Ms: 180 });
    history.apply('s', T0 + 30_000, { bitrateKbps: 2000, fps: 25, complete: 0.99, latencyP50Ms: null });
    const { points, step } = history.query('s', { from: T0, to: T0 + 40_000, step: 10_000 });
    expect(step).toBe(10_000);
    expect(points).toHaveLength(4);
    expect(points[0]).toEqual({
      start: T0,
      end: T0 + 10_000,
      bitrateKbps: 3000.5,
      fps: 30,
      viewers: 4,
      latencyP50Ms: 120,
      latencyP95Ms: 180,
      complete: null,
    });
    expect(points[1]).toMatchObject({ bitrateKbps: null, fps: null, viewers: null, complete: null });
    expect(points[3]).toMatchObject({ bitrateKbps: 2000, latencyP50Ms: null });
    expect(points[3]!.complete).toBeCloseTo(0.99, 4);
  });

  test('joins points of a longer step: means, and the largest of viewers and of the slow end', () => {
    const history = new HistoryReadModel();
    for (let i = 0; i < 12; i++) {
      history.apply('s', T0 + i * 10_000, { bitrateKbps: 1000 + i * 100, viewers: i, latencyP95Ms: 200 - i });
    }
    const [first, second] = history.query('s', { from: T0, to: T0 + 120_000, step: 60_000 }).points;
    expect(first).toMatchObject({ bitrateKbps: 1250, viewers: 5, latencyP95Ms: 200 });
    expect(second).toMatchObject({ bitrateKbps: 1850, viewers: 11, latencyP95Ms: 194 });
    expect(history.query('s', { from: T0 + 5 * HOUR, to: T0 + 8 * HOUR, step: HOUR }).points).toHaveLength(3);
  });

  test('takes a step up to the next multiple of ten seconds', () => {
    const history = new HistoryReadModel();
    expect(history.query('s', { from: T0, to: T0 + 60_000, step: 1 }).step).toBe(10_000);
    expect(history.query('s', { from: T0, to: T0 + 60_000, step: 10_001 }).step).toBe(20_000);
  });

  test.each([
    { from: T0, to: T0, step: 10_000 },
    { from: T0 + 1, to: T0, step: 10_000 },
    { from: -1, to: T0, step: HOUR },
    { from: T0, to: T0 + HOUR, step: 0 },
    { from: T0, to: T0 + HOUR, step: -10_000 },
    { from: T0, to: T0 + HOUR, step: Number.NaN },
    { from: T0, to: Infinity, step: HOUR },
    { from: 0, to: T0, step: 10_000 },
  ])('refuses $from to $to by $step', (range) => {
    expect(() => new HistoryReadModel().query('s', range)).toThrow(RangeError);
  });

  test('forgets what is older than its age, and the oldest hours when there are too many', () => {
    const history = new HistoryReadModel({ maxAgeMs: 3 * HOUR, maxBytes: 5 * 8640 });
    for (let hour = 0; hour < 10; hour++) {
      history.apply('old', T0 + hour * HOUR, { fps: 30 });
    }
    expect(
      history.query('old', { from: T0, to: T0 + 6 * HOUR, step: HOUR }).points.every(({ fps }) => fps === null),
    ).toBe(true);
    expect(history.query('old', { from: T0 + 9 * HOUR, to: T0 + 10 * HOUR, step: HOUR }).points[0]!.fps).toBe(30);
    history.apply('old', T0, { fps: 1 }); // long past: not taken
    for (let i = 0; i < 50; i++) {
      history.apply(`s${i}`, T0 + 9 * HOUR, { fps: 30 });
    }
    expect(history.bytes).toBeLessThanOrEqual(5 * 8640);
    expect(history.has('old')).toBe(false);
    expect(history.has('s49')).toBe(true);
  });
});

describe('windows of other sources', () => {
  const key = { count: 5, mean: 20, min: 19, max: 21, last: 20, top: [], clockOffMs: null };
  const window = (start: number) => ({ start, end: start + 5000, complete: 1, job: 'data', keys: { air: key } });

  test('are kept once, in order, within a range', () => {
    const data = new DataWindowsReadModel();
    for (const at of [10_000, 5000, 10_000, 15_000]) {
      data.apply('s', window(at), 200);
    }
    expect(data.query('s', { from: 0, to: 99_000 }).windows.map(({ start }) => start)).toEqual([5000, 10_000, 15_000]);
    expect(data.query('s', { from: 10_000, to: 15_000 }).windows.map(({ start }) => start)).toEqual([10_000]);
    expect(data.query('other', { from: 0, to: 99_000 }).windows).toEqual([]);
    expect(data.query('s', { from: 5000, to: 6000 }).windows[0]!.keys['air']).toMatchObject({ mean: 20, count: 5 });
  });

  test('without keys, or that are none, are left out', () => {
    const data = new DataWindowsReadModel();
    data.apply('s', { ...window(0), keys: {} }, 10);
    data.apply('s', { start: 'x' }, 10);
    expect(data.query('s', { from: 0, to: 1e9 }).windows).toEqual([]);
    expect(() => data.query('s', { from: 5, to: 5 })).toThrow(RangeError);
  });

  test('are bounded per stream and by bytes', () => {
    const data = new DataWindowsReadModel();
    for (let i = 0; i < 500; i++) {
      data.apply('s', window(i * 5000), 200);
    }
    expect(data.query('s', { from: 0, to: 1e9 }).windows).toHaveLength(120);
    for (let i = 0; i < 50; i++) {
      data.apply(`big${i}`, window(0), 4_000_000);
    }
    expect(data.query('s', { from: 0, to: 1e9 }).windows).toEqual([]);
    expect(data.query('big49', { from: 0, to: 1e9 }).windows).toHaveLength(1);
  });
});
