import { describe, expect, test } from '@jest/globals';
import { DataHealth, type DataRule } from '../../../../../server/analytics/health/data-health.ts';
import type { DataWindow, KeyWindow } from '../../../../../server/analytics/jobs/data-job.ts';

const EVERY_MS = 5000;
const seen = (last: number, more: Partial<KeyWindow> = {}): KeyWindow => ({
  count: 5,
  mean: last,
  min: last,
  max: last,
  last,
  top: [],
  clockOffMs: null,
  ...more,
});

class Devices {
  end = 0;
  private readonly health: DataHealth;

  constructor(rules: readonly DataRule[] = []) {
    this.health = new DataHealth('city', rules);
  }

  /** The next window with these keys; what is over, as `type subject`. */
  next(keys: DataWindow['keys']): string[] {
    this.end += EVERY_MS;
    return this.health
      .take({ keys, complete: 1 }, this.end)
      .judged.filter(({ finding }) => finding?.isOver === true)
      .map(({ terms }) => `${terms.type} ${terms.subject}`);
  }

  learn(windows: number, key = 'air'): void {
    for (let i = 0; i < windows; i++) {
      expect(this.next({ [key]: seen(20) })).toEqual([]);
    }
  }
}

describe('a device', () => {
  test('that stops is silent after twice its usual gap, and well again with its next event', () => {
    const devices = new Devices();
    devices.learn(5);
    expect(devices.next({})).toEqual([]);
    expect(devices.next({})).toEqual(['device-silent air']);
    expect(devices.next({ air: seen(20) })).toEqual([]);
  });

  test('that reports rarely is given its own time', () => {
    const devices = new Devices();
    for (let i = 0; i < 24; i++) {
      expect(devices.next(i % 6 === 0 ? { rain: seen(1) } : {})).toEqual([]);
    }
    const silent = Array.from({ length: 12 }, () => devices.next({}).length);
    expect(silent.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(silent.at(-1)).toBe(1);
  });

  test('that came once or twice is missed by nobody', () => {
    const devices = new Devices();
    devices.next({ visitor: seen(1) });
    devices.next({ visitor: seen(1) });
    for (let i = 0; i < 20; i++) {
      expect(devices.next({})).toEqual([]);
    }
  });

  test('that is gone for good is forgotten', () => {
    const health = new DataHealth('city', []);
    for (let i = 1; i <= 5; i++) {
      health.take({ keys: { air: seen(20) }, complete: 1 }, i * EVERY_MS);
    }
    expect(health.take({ keys: {}, complete: 1 }, 5 * EVERY_MS + 600_000).forgotten).toEqual(['air']);
    expect(health.take({ keys: {}, complete: 1 }, 6 * EVERY_MS + 600_000)).toEqual({ judged: [], forgotten: [] });
  });

  test('with a clock an hour off is told so', () => {
    const devices = new Devices();
    expect(devices.next({ air: seen(20, { count: 0, clockOffMs: -3_600_000 }) })).toEqual(['clock-wrong air']);
  });

  test('outside the limits of the operator is told so, on the streams that the rule names', () => {
    const rules: DataRule[] = [
      { stream: 'city', key: 'air', statistic: 'mean', above: 35 },
      { stream: '*', key: 'air', statistic: 'min', below: -10 },
      { stream: 'other', key: 'air', statistic: 'max', above: 0 },
    ];
    const devices = new Devices(rules);
    expect(devices.next({ air: seen(20) })).toEqual([]);
    expect(devices.next({ air: seen(36) })).toEqual(['data-out-of-range air mean']);
    expect(devices.next({ air: seen(-11) })).toEqual(['data-out-of-range air min']);
  });
});
