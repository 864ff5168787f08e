import { expect, test } from '@jest/globals';
import { Backoff, LOST_BACKOFF } from '../../../../client/transport/reconnect.ts';

test('waits longer with each failure, up to the cap', () => {
  const backoff = new Backoff(() => 1);
  const delays = Array.from({ length: 12 }, () => backoff.next(LOST_BACKOFF));
  expect(delays[0]).toBe(LOST_BACKOFF.firstMs);
  expect(delays.every((delay, index) => index === 0 || delay >= (delays[index - 1] ?? 0))).toBe(true);
  expect(delays.at(-1)).toBe(LOST_BACKOFF.maxMs);
});

test('spreads clients over half of the delay', () => {
  expect(new Backoff(() => 0).next(LOST_BACKOFF)).toBe(LOST_BACKOFF.firstMs / 2);
});

test('starts from the first delay after a success', () => {
  const backoff = new Backoff(() => 1);
  backoff.next(LOST_BACKOFF);
  backoff.next(LOST_BACKOFF);
  backoff.succeeded();
  expect(backoff.attempts).toBe(0);
  expect(backoff.next(LOST_BACKOFF)).toBe(LOST_BACKOFF.firstMs);
});
