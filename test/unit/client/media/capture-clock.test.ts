import { expect, test } from '@jest/globals';
import { CaptureClock } from '../../../../client/media/capture-clock.ts';

test('takes the shortest delay for the capture itself', () => {
  const clock = new CaptureClock();
  clock.captureTimeMs(0, 1_000_020);
  clock.captureTimeMs(33_000, 1_000_040);
  expect(clock.captureTimeMs(66_000, 1_000_200)).toBeCloseTo(1_000_073, 6);
});

test('never goes back', () => {
  const clock = new CaptureClock();
  const times = [50, 45, 60, 30, 52].map((delay, index) =>
    clock.captureTimeMs(index * 10_000, 1000 + index * 10 + delay),
  );
  expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))).toBe(true);
});

test('starts over when the device counts anew', () => {
  const clock = new CaptureClock();
  clock.captureTimeMs(900_000_000, 1_000_000);
  expect(clock.captureTimeMs(0, 1_000_033)).toBeCloseTo(1_000_033, 6);
});
