import { expect, test } from '@jest/globals';
import { ClockSync, exchangeDelayMs } from '../../../../client/transport/clock-sync.ts';

const OFFSET_MS = 5000;

// An exchange whose ways take `out` and `back` ms, started at local time `t0`, against a server that is 5 s ahead.
function exchange(t0: number, out: number, back: number) {
  const t1 = t0 + out + OFFSET_MS;
  return { t0, t1, t2: t1, t3: t0 + out + back };
}

test('finds an offset of seconds from one symmetric exchange', () => {
  const clock = new ClockSync();
  expect(clock.isSynchronised).toBe(false);
  clock.add(exchange(1000, 4, 4));
  expect(clock.isSynchronised).toBe(true);
  expect(clock.toServerMs(2000)).toBeCloseTo(2000 + OFFSET_MS, 6);
});

test('trusts the exchange with the shortest round trip, not the newest', () => {
  const clock = new ClockSync();
  clock.add(exchange(1000, 2, 2));
  clock.add(exchange(3000, 400, 3));
  expect(clock.offsetMs).toBeCloseTo(OFFSET_MS, 6);
  expect(clock.rttMs).toBeCloseTo(4, 6);
});

test('forgets an exchange after a minute, so that drift is followed', () => {
  const clock = new ClockSync();
  clock.add(exchange(0, 1, 1));
  const later = exchange(61_000, 10, 10);
  clock.add({ ...later, t1: later.t1 + 30, t2: later.t2 + 30 });
  expect(clock.offsetMs).toBeCloseTo(OFFSET_MS + 30, 6);
});

test('ignores exchanges that cannot be', () => {
  const clock = new ClockSync();
  clock.add({ t0: 100, t1: 50, t2: 90, t3: 110 });
  clock.add({ t0: Number.NaN, t1: 50, t2: 50, t3: 110 });
  expect(clock.isSynchronised).toBe(false);
  expect(clock.toServerMs(7)).toBe(7);
});

test('asks quickly at first and calmly afterwards', () => {
  expect(exchangeDelayMs(0)).toBeLessThan(100);
  expect(exchangeDelayMs(10)).toBe(2000);
});
