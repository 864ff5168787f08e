import { expect, test } from '@jest/globals';
import { meterShare } from '../../../../client/studio/loudness.ts';

test('silence is nothing, full scale is all, and half the level is six decibels less', () => {
  expect(meterShare(new Float32Array(512))).toBe(0);
  expect(meterShare(new Float32Array(512).fill(1))).toBe(1);
  expect(meterShare(new Float32Array(512).fill(-0.5))).toBeCloseTo(1 - 6.02 / 60, 3);
  expect(meterShare(new Float32Array(0))).toBe(0);
});
