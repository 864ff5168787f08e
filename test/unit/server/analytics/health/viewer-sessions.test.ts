// Reports of viewers are untrusted: what one of them invents must not move what is said of all.

import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../../../../shared/windows/aggregates/aggregate.ts';
import {
  sessionsOf,
  type SessionSample,
  type SessionSummary,
} from '../../../../../server/analytics/jobs/viewer-sessions.ts';

const honest = (session: string): SessionSample => ({
  session,
  intervalMs: 1000,
  stalledMs: 0,
  painted: 30,
  dropped: 0,
  decodeErrors: 0,
  latencyMs: 120,
  avSkewMs: 5,
  clippedShare: 0,
});
const liar = (session: string): SessionSample => ({
  session,
  intervalMs: 1000,
  stalledMs: 1000,
  painted: 0,
  dropped: 240,
  decodeErrors: 240,
  latencyMs: 600_000,
  avSkewMs: 10_000,
  clippedShare: 1,
});

function summary(samples: readonly SessionSample[]): SessionSummary {
  const sessions = sessionsOf.create();
  samples.forEach((sample, i) => sessionsOf.add(sessions, sample, i, i));
  return sessionsOf.result(sessions, { start: 0, end: 10_000 });
}

describe('sessions', () => {
  test.each([3, 10, 25])('one liar among %i moves nothing', (viewers) => {
    const good = Array.from({ length: viewers - 1 }, (_, i) => honest(`v${i}`));
    // The liar reports a hundred times as often as everybody else.
    const bad = Array.from({ length: 100 }, () => liar('liar'));
    const { latency, ...said } = summary([...good, ...bad]);
    expect(said).toEqual({
      sessions: viewers,
      rebufferRatio: 0,
      droppedShare: 0,
      decodeErrorShare: 0,
      avSkewMs: 5,
      clippedShare: 0,
    });
    expect(latency).toMatchObject({ count: viewers, p50: 120 });
    expect(viewers < 20 || latency!.p95 === 120).toBe(true);
  });

  test('what many see is said', () => {
    const mixed = Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? liar(`v${i}`) : honest(`v${i}`)));
    const { rebufferRatio, latency } = summary(mixed);
    expect(rebufferRatio).toBeGreaterThan(0.15);
    expect(latency!.p95).toBe(600_000);
    expect(summary([liar('only')]).rebufferRatio).toBe(1);
  });

  test('merge to the same in any order, also through a snapshot', () => {
    const samples = Array.from({ length: 60 }, (_, i) => ({
      ...honest(`v${i % 7}`),
      stalledMs: (i * 37) % 500,
      latencyMs: 100 + i / 3,
    }));
    const whole = summary(samples);
    const parts = [sessionsOf.create(), sessionsOf.create(), sessionsOf.create()];
    [...samples].reverse().forEach((sample, i) => sessionsOf.add(parts[i % 3]!, sample, i, i));
    const merged = sessionsOf.create();
    for (const part of parts) {
      sessionsOf.merge(merged, sessionsOf.load(JSON.parse(JSON.stringify(sessionsOf.save(part))) as Json));
    }
    expect(sessionsOf.result(merged, { start: 0, end: 1 })).toEqual(whole);
  });

  test('of nobody nothing is known', () => {
    expect(summary([])).toEqual({
      sessions: 0,
      latency: null,
      rebufferRatio: 0,
      droppedShare: 0,
      decodeErrorShare: 0,
      avSkewMs: null,
      clippedShare: null,
    });
  });
});
