// BD-rate of curves whose difference is known.
import { expect, test } from '@jest/globals';
import { bdRate } from '../../../../../server/cli/bench/bd-rate.ts';

const curve = [
  { kbps: 2000, psnr: 42 },
  { kbps: 1000, psnr: 39 },
  { kbps: 480, psnr: 36.2 },
  { kbps: 250, psnr: 33 },
];

test('a curve against itself differs by nothing', () => {
  expect(bdRate(curve, curve)).toBeCloseTo(0, 9);
});

test('half the rate at every quality is -50 %', () => {
  const half = curve.map(({ kbps, psnr }) => ({ kbps: kbps / 2, psnr }));
  expect(bdRate(curve, half)).toBeCloseTo(-50, 9);
  expect(bdRate(half, curve)).toBeCloseTo(100, 9);
});

test('only the range of quality that both curves cover counts', () => {
  const shifted = curve.map(({ kbps, psnr }) => ({ kbps: kbps * 2, psnr: psnr + 6 }));
  expect(Number.isFinite(bdRate(curve, shifted))).toBe(true);
});
