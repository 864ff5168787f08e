import { expect, test } from '@jest/globals';
import {
  formatBitrate,
  formatCount,
  formatDuration,
  formatMs,
  formatRate,
  formatSize,
} from '../../../../client/ui/format.ts';

test('numbers read as people write them, and unknown ones are a dash', () => {
  expect(formatBitrate(640)).toBe('640 kbit/s');
  expect(formatBitrate(2500)).toBe('2.50 Mbit/s');
  expect(formatBitrate(null)).toBe('–');
  expect(formatMs(48.4)).toBe('48 ms');
  expect(formatMs(1234)).toBe('1.2 s');
  expect(formatMs(undefined)).toBe('–');
  expect(formatRate(29.97)).toBe('30');
  expect(formatRate(23.976)).toBe('24');
  expect(formatRate(12.34)).toBe('12.3');
  expect(formatSize(1280, 720)).toBe('1280 × 720');
  expect(formatCount(1, 'viewer')).toBe('1 viewer');
  expect(formatCount(2, 'viewer')).toBe('2 viewers');
  expect(formatDuration(4_000)).toBe('4 s');
  expect(formatDuration(3_900_000)).toBe('1 h 05 min');
});
