import { expect, test } from '@jest/globals';
import { PlaybackCounters } from '../../../../client/media/playback-counters.ts';

function paint(counters: PlaybackCounters, count: number, fps: number, startMs = 0, jitterMs = 0): number {
  let now = startMs;
  for (let index = 0; index < count; index += 1) {
    now = startMs + (index * 1000) / fps + (index % 2) * jitterMs;
    counters.painted(now, startMs + (index * 1000) / fps, 40);
  }
  return now;
}

test('measures the frame rate exactly although painting jitters', () => {
  const counters = new PlaybackCounters(0);
  const now = paint(counters, 90, 29.97, 0, 12);
  expect(counters.fps(now)).toBeCloseTo(29.97, 2);
});

test('lets the frame rate fall when painting stops', () => {
  const counters = new PlaybackCounters(0);
  const now = paint(counters, 60, 30);
  expect(counters.fps(now + 1000)).toBeLessThan(20);
  expect(counters.fps(now + 5000)).toBe(0);
});

test('counts a stall with its length, but not across an interruption', () => {
  const counters = new PlaybackCounters(0);
  counters.painted(0, 0, null);
  counters.painted(800, 800, null);
  expect(counters.totals).toMatchObject({ stalls: 1, stalledMs: 800 });
  counters.interrupted();
  counters.painted(9000, 9000, null);
  expect(counters.totals.stalls).toBe(1);
});

test('counts a picture from before the live edge, but neither as a stall nor for the frame rate', () => {
  const counters = new PlaybackCounters(0);
  counters.paintedPast();
  const now = paint(counters, 60, 30, 900);
  expect(counters.totals).toMatchObject({ painted: 61, stalls: 0 });
  expect(counters.fps(now)).toBeCloseTo(30, 2);
});

test('reports differences since the last report', () => {
  const counters = new PlaybackCounters(0);
  paint(counters, 10, 30);
  counters.dropped(2);
  expect(counters.takeInterval(1000)).toMatchObject({ intervalMs: 1000, painted: 10, dropped: 2, decodeErrors: 0 });
  counters.decodeError();
  const second = counters.takeInterval(2000);
  expect(second).toMatchObject({ painted: 0, dropped: 0, decodeErrors: 1 });
  expect(second.latencyMs).toHaveLength(0);
});

test('gives the median of recent latencies', () => {
  const counters = new PlaybackCounters(0);
  expect(counters.latencyMedianMs()).toBeNull();
  [40, 41, 900, 42, 43].forEach((latency, index) => counters.painted(index * 33, index * 33, latency));
  expect(counters.latencyMedianMs()).toBe(42);
});

test('measures the bitrate over the last two seconds', () => {
  const counters = new PlaybackCounters(0);
  for (let at = 0; at <= 4000; at += 10) {
    counters.received(at, 2500);
  }
  expect(counters.bitrateKbps(4000)).toBeGreaterThan(1900);
  expect(counters.bitrateKbps(4000)).toBeLessThan(2100);
});
