import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Timeline } from '../../../../server/streams/timeline.ts';
import { unit } from '../../../support/stream-room.ts';

const ms = (timeline: Timeline, track: string, ...args: Parameters<typeof unit>): number =>
  timeline.map(track, unit(...args)).dts / 1000;

test("a first publisher's small timestamps are taken as they are, large ones start at 0", () => {
  expect(ms(new Timeline(), 'v', 5000)).toBe(5000);
  expect(ms(new Timeline(), 'v', 1_700_000_000_000)).toBe(0);
  expect(ms(new Timeline(), 'v', -40)).toBe(0);
});

test('a reconnect goes on behind the last unit by the time that has passed, whatever its own timestamps', () => {
  const timeline = new Timeline();
  expect(ms(timeline, 'v', 0, 'key', { arrivalMs: 1000 })).toBe(0);
  expect(ms(timeline, 'v', 40, 'key', { arrivalMs: 1040 })).toBe(40);
  timeline.startEpoch();
  expect(ms(timeline, 'v', 900_000, 'key', { arrivalMs: 4040 })).toBe(3040);
  expect(ms(timeline, 'a', 900_010, 'key', { arrivalMs: 4041 })).toBe(3050);
  expect(ms(timeline, 'v', 900_040, 'key', { arrivalMs: 4080 })).toBe(3080);
});

test("a jump of the publisher's clock is bridged once for all tracks, which stay together", () => {
  const timeline = new Timeline();
  for (let t = 0; t <= 1000; t += 40) {
    timeline.map('v', unit(t));
    timeline.map('a', unit(t + 5));
  }
  expect(ms(timeline, 'v', 90_000, 'key', { arrivalMs: 1040 })).toBe(1040);
  expect(ms(timeline, 'a', 90_005, 'key', { arrivalMs: 1041 })).toBe(1045);
  expect(ms(timeline, 'v', 20, 'key', { arrivalMs: 1080 })).toBe(1084);
  expect(ms(timeline, 'a', 25, 'key', { arrivalMs: 1081 })).toBe(1089);
  expect(timeline.jumps).toBe(2);
});

test('a pause of the feed and a feed faster than real time are no jumps', () => {
  const timeline = new Timeline();
  expect(ms(timeline, 'v', 0)).toBe(0);
  expect(ms(timeline, 'v', 8000)).toBe(8000);
  for (let t = 8040; t < 60_000; t += 40) {
    expect(ms(timeline, 'v', t, 'reference', { arrivalMs: 8000 })).toBe(t);
  }
  expect(timeline.jumps).toBe(0);
});

test('presentation times keep their distance, held within ten seconds', () => {
  const timeline = new Timeline();
  expect(timeline.map('v', unit(0, 'key', { ptsMs: 80 })).pts).toBe(80_000);
  expect(timeline.map('v', unit(40, 'reference', { ptsMs: 20 })).pts).toBe(20_000);
  expect(timeline.map('v', unit(80, 'reference', { ptsMs: 16_777_216 })).pts).toBe(10_080_000);
});

test('times come out as whole microseconds', () => {
  const { pts, dts } = new Timeline().map('v', unit(1 / 3, 'key', { ptsMs: 2 / 3 }));
  expect([dts, pts]).toEqual([333, 666]);
});

test('whatever a publisher sends, decoding times never go back on a track', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -1e9, max: 1e12 }), fc.boolean(), fc.constantFrom('v', 'a')), {
        maxLength: 40,
      }),
      (steps) => {
        const timeline = new Timeline();
        const last = new Map<string, number>();
        steps.forEach(([t, isReconnect, track], index) => {
          if (isReconnect) {
            timeline.startEpoch();
          }
          const dts = ms(timeline, track, t, 'key', { arrivalMs: index * 40 });
          expect(dts).toBeGreaterThanOrEqual(last.get(track) ?? Number.NEGATIVE_INFINITY);
          expect(Number.isSafeInteger(Math.round(dts * 1000))).toBe(true);
          last.set(track, dts);
        });
      },
    ),
    { seed: 5, numRuns: 500 },
  );
});
