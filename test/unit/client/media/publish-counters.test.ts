import { expect, test } from '@jest/globals';
import { PublishCounters } from '../../../../client/media/publish-counters.ts';

test('counts the pictures of the camera that never arrived', () => {
  const counters = new PublishCounters(30);
  [0, 33, 67, 200, 233].forEach((at) => {
    counters.captured(at);
    counters.encoded(at, 8);
  });
  expect(counters.snapshot(233).dropped).toBe(3);
});

test('does not take a camera that was switched off for drops', () => {
  const counters = new PublishCounters(30);
  counters.captured(0);
  counters.encoded(0, 8);
  counters.captured(60_000);
  expect(counters.snapshot(60_000).dropped).toBe(0);
});

test('measures rate, bitrate and encoding time', () => {
  const counters = new PublishCounters(30);
  for (let index = 0; index < 60; index += 1) {
    counters.encoded(index * 33.33, 10);
    counters.sent(index * 33.33, 8333);
  }
  const { fps, bitrateKbps, encodeMs } = counters.snapshot(1970);
  expect(fps).toBeCloseTo(30, 1);
  expect(bitrateKbps).toBeGreaterThan(1900);
  expect(bitrateKbps).toBeLessThan(2100);
  expect(encodeMs).toBeCloseTo(10, 6);
});
