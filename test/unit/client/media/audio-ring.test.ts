import { expect, test } from '@jest/globals';
import { AudioRing } from '../../../../client/media/audio-ring.ts';

const RATE = 48_000;

// A chunk of `frames` samples that count up from `first`.
const ramp = (ptsUs: number, frames: number, first: number) => ({
  ptsUs,
  channels: [Float32Array.from({ length: frames }, (_, index) => first + index)],
});

function read(ring: AudioRing, frames: number, rate = 1): number[] {
  const output = new Float32Array(frames);
  ring.read([output], rate);
  return Array.from(output, (value) => Math.round(value * 100) / 100);
}

test('is silent until it is told where to start', () => {
  const ring = new AudioRing(RATE);
  ring.push(ramp(0, 480, 1));
  expect(read(ring, 4)).toEqual([0, 0, 0, 0]);
  expect(ring.positionUs).toBeNull();
});

test('plays on across chunks whose timestamps were rounded to milliseconds', () => {
  const ring = new AudioRing(RATE);
  ring.push(ramp(0, 1024, 0));
  ring.push(ramp(21_000, 1024, 1024)); // exactly 21333 us
  ring.align(0);
  const samples = [...read(ring, 1024), ...read(ring, 1024)];
  expect(samples.every((value, index) => Math.abs(value - index) < 0.05)).toBe(true);
});

test('starts in the middle of a chunk, skipping what is older', () => {
  const ring = new AudioRing(RATE);
  ring.push(ramp(0, 480, 0));
  ring.align(5000);
  expect(read(ring, 2)).toEqual([240, 241]);
});

test('plays silence until the sound that it was aligned before begins', () => {
  const ring = new AudioRing(RATE);
  ring.push(ramp(1000, 480, 7));
  ring.align(0);
  const samples = read(ring, 128);
  expect(samples.slice(0, 48).every((value) => value === 0)).toBe(true);
  expect(samples[48]).toBeCloseTo(7, 1);
});

test('counts an underrun once and says that nothing plays', () => {
  const ring = new AudioRing(RATE);
  ring.push(ramp(0, 64, 1));
  ring.align(0);
  read(ring, 128);
  read(ring, 128);
  expect(ring.underruns).toBe(1);
  expect(ring.positionUs).toBeNull();
  ring.push(ramp(50_000, 480, 9));
  ring.align(50_000);
  expect(read(ring, 1)).toEqual([9]);
});

test('runs faster and slower than real time without losing its place', () => {
  const ring = new AudioRing(RATE);
  ring.push(ramp(0, 48_000, 0));
  ring.align(0);
  read(ring, 4800, 1.01);
  expect(ring.positionUs).toBeCloseTo(101_000, 0);
});

test('holds at most three seconds and then forgets the oldest', () => {
  const ring = new AudioRing(RATE);
  for (let second = 0; second < 6; second += 1) {
    ring.push(ramp(second * 1_000_000, RATE, 0));
  }
  expect(ring.bufferedMs).toBeLessThanOrEqual(4000);
});
