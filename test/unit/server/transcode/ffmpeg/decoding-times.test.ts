import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DecodingTimes } from '../../../../../server/transcode/ffmpeg/decoding-times.ts';

function times(depth: number, pts: readonly number[]): number[] {
  const assigner = new DecodingTimes(depth);
  return pts.map((ptsUs) => assigner.next(ptsUs));
}

test('equal the presentation times where nothing is reordered', () => {
  expect(times(0, [0, 40_000, 80_000])).toEqual([0, 40_000, 80_000]);
});

test('run behind the presentation by the reordering depth', () => {
  expect(times(1, [0, 120_000, 40_000, 80_000, 240_000, 160_000, 200_000])).toEqual([
    -1000, 0, 40_000, 80_000, 120_000, 160_000, 200_000,
  ]);
  expect(times(2, [0, 160_000, 80_000, 40_000, 120_000])).toEqual([-2000, -1000, 0, 40_000, 80_000]);
});

test('never go back and never pass the presentation time, whatever the order within the depth', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 40 }), (swaps) => {
      const pts = swaps.map((_, i) => i * 40_000);
      for (let i = 1; i + 1 < pts.length; i += 2) {
        if (swaps[i]) {
          [pts[i], pts[i + 1]] = [pts[i + 1], pts[i]];
        }
      }
      const dts = times(1, pts);
      dts.forEach((value, i) => {
        expect(value).toBeLessThanOrEqual(pts[i]);
        expect(i === 0 || value >= dts[i - 1]).toBe(true);
      });
    }),
  );
});
