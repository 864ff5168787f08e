// Rate control over mixed content: an independent leaky bucket finds no violation, the rate holds, limits per picture hold, rates change
// without an IDR, scene cuts become intra pictures, and frames are dropped only where nothing fits.
import { expect, test } from '@jest/globals';
import type { EncoderConfig, RateControlConfig } from '../../shared/codec/h264/codec-types.ts';
import { H264Decoder } from '../../shared/codec/h264/decoder.ts';
import { H264Encoder } from '../../shared/codec/h264/encoder.ts';
import { QP_MIN } from '../../shared/codec/h264/encoder/rate-control.ts';
import { encodeClip, md5Of, packFrame } from '../support/encode-clip.ts';
import { runLeakyBucket } from '../support/leaky-bucket.ts';
import { CONTENT_PARTS, mixedContent } from '../support/mixed-content.ts';
import { movingPicture } from '../support/moving-picture.ts';

const isLong = process.env['TESSERA_LONG'] === '1';
const SMALL = { width: 176, height: 144 };
const TINY = { width: 128, height: 96 };

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

type Run = { readonly sizes: readonly number[]; readonly qps: readonly number[]; readonly keys: number };

/** Encodes mixed content without keeping it. */
function runMixed(config: EncoderConfig, seconds: number): Run & { readonly encoder: H264Encoder } {
  const sizes: number[] = [];
  const qps: number[] = [];
  let keys = 0;
  const encoder = new H264Encoder({
    output: (chunk, { qp }) => {
      sizes.push(8 * chunk.data.length);
      qps.push(qp);
      keys += chunk.type === 'key' ? 1 : 0;
    },
  });
  encoder.configure(config);
  const fps = config.framerate.numerator / config.framerate.denominator;
  const partFrames = (seconds * fps) / CONTENT_PARTS.length;
  const content = mixedContent({ width: config.width, height: config.height, fps, partFrames });
  for (let i = 0; i < seconds * fps; i++) {
    encoder.encode(content(i));
  }
  return { sizes, qps, keys, encoder };
}

/** The judge: no picture late, no more than 3 % above the rate, as a whole and in each part, and within 3 % where QP was free. */
function expectRateHolds(run: Run, rate: { kbps: number; maxKbps: number; bufferMs: number }, fps: number): void {
  const { sizes, qps } = run;
  const bufferBits = rate.maxKbps * rate.bufferMs;
  const bucket = { peakBitsPerSecond: 1000 * rate.maxKbps, bufferBits, seconds: 1 / fps };
  expect(runLeakyBucket(sizes, { ...bucket, initial: 0.9 }).underflows).toBe(0);
  expect((total(sizes) * fps) / sizes.length / 1000).toBeLessThan(1.03 * rate.kbps);
  const part = sizes.length / CONTENT_PARTS.length;
  for (const [i, name] of CONTENT_PARTS.entries()) {
    const share = (total(sizes.slice(i * part, (i + 1) * part)) * fps) / part / 1000 / rate.kbps;
    expect({ name, share: Math.max(1.03, share) }).toEqual({ name, share: 1.03 });
    if (Math.min(...qps.slice(i * part, (i + 1) * part)) > QP_MIN) {
      expect({ name, share: Math.min(0.97, share) }).toEqual({ name, share: 0.97 });
    }
  }
}

for (const kbps of [1500, 6000]) {
  const [size, fps, seconds] = isLong ? [{ width: 1280, height: 720 }, 25, 600] : [{ width: 640, height: 360 }, 10, 60];
  const label = `${seconds} s of mixed ${size.height}p`;
  test(`${label} at ${kbps} kbit/s keep the rate and never miss the decoder's buffer`, () => {
    const rateControl: RateControlConfig = { kind: 'bitrate', kbps };
    const config: EncoderConfig = { ...size, framerate: { numerator: fps, denominator: 1 }, rateControl };
    const { encoder, ...run } = runMixed(config, seconds);
    expectRateHolds(run, { kbps, maxKbps: kbps, bufferMs: 1000 }, fps);
    expect(encoder.counters).toMatchObject({ repeated: 0, dropped: 0 });
    expect(run.sizes.length).toBe(seconds * fps);
  });
}

for (const [kbps, maxKbps, bufferMs, rest] of [
  [120, 120, 1000, {}],
  [300, 300, 500, { layers: 3 }],
  [200, 400, 1000, { preset: 'balanced', slices: 3 }],
  [150, 150, 250, { preset: 'quality' }],
] as const) {
  const label = `${kbps} kbit/s within a buffer of ${bufferMs} ms at ${maxKbps} kbit/s`;
  test(`keeps ${label} ${JSON.stringify(rest)}`, () => {
    const rateControl: RateControlConfig = { kind: 'bitrate', kbps, maxKbps, bufferMs };
    const config: EncoderConfig = { ...TINY, framerate: { numerator: 15, denominator: 1 }, rateControl, ...rest };
    expectRateHolds(runMixed(config, 48), { kbps, maxKbps, bufferMs }, 15);
  });
}

const FRAMERATE = { numerator: 25, denominator: 1 };
const atKbps = (kbps: number, rest: object = {}): EncoderConfig => ({
  ...SMALL,
  framerate: FRAMERATE,
  rateControl: { kind: 'bitrate', kbps, ...rest },
  keyint: 'infinite',
});

test('no access unit exceeds the limit per picture, whatever comes', () => {
  const content = mixedContent({ ...SMALL, fps: 25, partFrames: 20 });
  const { chunks } = encodeClip(atKbps(400, { maxFrameBytes: 4000 }), content, 120, (i) => ({
    keyFrame: i % 40 === 0,
  }));
  expect(chunks.length).toBe(120);
  expect(Math.max(...chunks.map((chunk) => chunk.data.length))).toBeLessThanOrEqual(4000);
});

test('bit rate and frame rate change without an IDR', () => {
  const sizes: number[] = [];
  const keys: number[] = [];
  const encoder = new H264Encoder({
    output: (chunk) => {
      keys.push(chunk.type === 'key' ? 1 : 0);
      sizes.push(8 * chunk.data.length);
    },
  });
  encoder.configure(atKbps(200));
  const clip = movingPicture({ ...SMALL, seed: 4, noise: 12 });
  const steps = [
    { kbps: 200, fps: 25, frames: 150 },
    { kbps: 600, fps: 25, frames: 150 },
    { kbps: 100, fps: 25, frames: 150 },
    { kbps: 300, fps: 10, frames: 80 },
  ];
  let time = 0;
  let index = 0;
  let content = 0.9 * 200_000;
  for (const { kbps, fps, frames } of steps) {
    if (index > 0) {
      const framerate = { numerator: fps, denominator: 1 };
      encoder.adjust({ rateControl: { kind: 'bitrate', kbps }, framerate });
    }
    const first = sizes.length;
    for (let i = 0; i < frames; i++) {
      encoder.encode({ ...clip(index++), timestamp: Math.round(time * 1e6) as never });
      time += 1 / fps;
    }
    const step = sizes.slice(first);
    const bucket = { peakBitsPerSecond: 1000 * kbps, bufferBits: 1000 * kbps, seconds: 1 / fps };
    // The bucket starts a step with what the step before left in it.
    const report = runLeakyBucket(step, { ...bucket, initial: Math.min(1, content / (1000 * kbps)) });
    expect(report.underflows).toBe(0);
    content = report.content;
    const settled = step.slice(2 * fps);
    const share = (total(settled) * fps) / settled.length / 1000 / kbps;
    expect(Math.abs(share - 1)).toBeLessThan(0.03);
  }
  expect(total(keys)).toBe(1);
  expect(() => encoder.adjust({ rateControl: { kind: 'qp', qp: 30 } })).toThrow('keeps the kind of rate control');
});

test('a scene cut becomes an intra picture within the group; pans, noise and fades do not', () => {
  const slices: string[] = [];
  const partFrames = 36;
  const content = mixedContent({ ...SMALL, fps: 24, partFrames });
  const encoder = new H264Encoder({
    output: ({ type }) => slices.push(`${type} ${encoder.counters.sceneCuts}`),
  });
  encoder.configure({ ...atKbps(500), framerate: { numerator: 24, denominator: 1 } });
  for (let i = 0; i < CONTENT_PARTS.length * partFrames; i++) {
    encoder.encode(content(i));
  }
  const cutsIn = CONTENT_PARTS.map((name, part) => {
    const counts = slices.slice(part * partFrames, (part + 1) * partFrames).map((text) => Number(text.split(' ')[1]));
    return { name, cuts: counts[counts.length - 1] - counts[0] };
  });
  // The first picture of a part may be a cut of its own and is not counted here; cuts come every twelve pictures.
  expect(cutsIn).toEqual([
    { name: 'pan', cuts: 0 },
    { name: 'slides', cuts: 0 },
    { name: 'noise', cuts: 0 },
    { name: 'cuts', cuts: 2 },
    { name: 'fades', cuts: 0 },
    { name: 'talk', cuts: 0 },
  ]);
  expect(slices.filter((text) => text.startsWith('key')).length).toBe(1);
});

test('where not even the highest QP fits, pictures repeat the one before, and a key frame waits until it fits', () => {
  const noise = movingPicture({ ...SMALL, seed: 4, noise: 60 });
  const still = movingPicture({ ...SMALL, seed: 1, isStill: true });
  const decoded: Uint8Array[] = [];
  const decoder = new H264Decoder({
    output: (frame) => {
      decoded.push(packFrame(frame));
      frame.close();
    },
    error: ({ code }) => {
      throw new Error(code);
    },
  });
  decoder.configure({ format: 'annexb' });
  const reconstructions: Uint8Array[] = [];
  const keys: number[] = [];
  let index = 0;
  let limit = 700;
  const encoder = new H264Encoder({
    output: (chunk) => {
      expect(chunk.data.length).toBeLessThanOrEqual(limit);
      keys.push(...(chunk.type === 'key' ? [index] : []));
      decoder.decode(chunk);
    },
    reconstruction: (frame) => reconstructions.push(packFrame(frame)),
  });
  encoder.configure(atKbps(1000, { maxFrameBytes: limit }));
  for (; index < 30; index++) {
    // Noise comes with a limit that it cannot meet, and a key frame is asked for meanwhile.
    const isTight = index >= 10 && index < 20;
    limit = isTight ? 120 : 700;
    encoder.adjust({ rateControl: { kind: 'bitrate', kbps: 1000, maxFrameBytes: limit } });
    encoder.encode((isTight ? noise : still)(index), { keyFrame: index === 15 });
  }
  decoder.flush();
  expect(md5Of(decoded)).toBe(md5Of(reconstructions));
  const { dropped, repeated } = encoder.counters;
  expect(decoded.length + dropped).toBe(30);
  expect(dropped).toBeGreaterThanOrEqual(5); // five key frames at least
  expect(repeated).toBeGreaterThan(0);
  expect(keys).toEqual([0, 20]);
});
