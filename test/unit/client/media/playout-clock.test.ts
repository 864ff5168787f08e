import { expect, test } from '@jest/globals';
import { PlayoutClock } from '../../../../client/media/playout-clock.ts';

const INTERVAL = 1000 / 30;

// Feeds pictures `from`..`to` whose readiness lags their PTS by `transit(index)` ms.
function feed(clock: PlayoutClock, from: number, to: number, transit: (index: number) => number): void {
  for (let index = from; index < to; index += 1) {
    const pts = index * INTERVAL;
    clock.observe(pts, pts + transit(index));
  }
}

const delayAt = (clock: PlayoutClock): number => clock.dueAtMs(0);

test('runs a few milliseconds behind a steady stream', () => {
  const clock = new PlayoutClock();
  feed(clock, 0, 300, () => 40);
  expect(delayAt(clock)).toBeGreaterThanOrEqual(40);
  expect(delayAt(clock)).toBeLessThan(45);
});

test('waits long enough for nearly all of a jittering stream', () => {
  const clock = new PlayoutClock();
  const transit = (index: number): number => 40 + ((index * 7919) % 30);
  feed(clock, 0, 600, transit);
  const late = Array.from({ length: 600 }, (_, index) => transit(index)).filter((value) => value > delayAt(clock));
  expect(late.length / 600).toBeLessThan(0.08);
  expect(delayAt(clock)).toBeLessThan(75);
});

test('one stall does not buy latency for ever', () => {
  const clock = new PlayoutClock();
  feed(clock, 0, 300, () => 40);
  feed(clock, 300, 330, (index) => 40 + (330 - index) * INTERVAL);
  expect(delayAt(clock)).toBeLessThan(40 + 110);
  feed(clock, 330, 600, () => 40);
  expect(delayAt(clock)).toBeLessThan(50);
});

test('is back at the live edge within two seconds when everything was late and no longer is', () => {
  const clock = new PlayoutClock();
  feed(clock, 0, 200, () => 2000);
  feed(clock, 200, 216, () => 40);
  expect(delayAt(clock)).toBeLessThan(110);
  feed(clock, 216, 260, () => 40);
  expect(delayAt(clock)).toBeLessThan(55);
});

test('follows a stream whose timeline jumps by minutes', () => {
  const clock = new PlayoutClock();
  feed(clock, 0, 100, () => 40);
  clock.observe(600_000, 100 * INTERVAL + 40);
  expect(clock.dueAtMs(600_000)).toBeCloseTo(100 * INTERVAL + 40, 3);
});

test('lets the picture wait for the sound', () => {
  const clock = new PlayoutClock();
  feed(clock, 0, 50, () => 40);
  clock.setAudioTransit(120);
  feed(clock, 50, 150, () => 40);
  expect(delayAt(clock)).toBeGreaterThan(115);
  clock.setAudioTransit(null);
  feed(clock, 150, 400, () => 40);
  expect(delayAt(clock)).toBeLessThan(50);
});

test('answers which picture is due, the inverse of when', () => {
  const clock = new PlayoutClock();
  feed(clock, 0, 50, () => 25);
  expect(clock.ptsAtMs(clock.dueAtMs(1234))).toBeCloseTo(1234, 6);
});

test('the bustle of a start is forgotten within seconds', () => {
  const clock = new PlayoutClock();
  feed(clock, 0, 25, (index) => 40 + ((index * 7919) % 100));
  feed(clock, 25, 120, () => 40);
  expect(delayAt(clock)).toBeLessThan(50);
});
