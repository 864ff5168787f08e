// The decoder with a second thread, on what our encoder writes: the same frames in the same order, also when no thread can be had.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { encodeClip } from '../support/encode-clip.ts';
import { decodeFrames } from '../support/decode-frames.ts';
import { movingPicture } from '../support/moving-picture.ts';
import { WarmThreadHost } from '../support/warm-thread-host.ts';

const host = new WarmThreadHost();
beforeAll(() => host.warmUp(), 180_000);
afterAll(() => host.close());

function clip(slices: number): readonly Uint8Array[] {
  const { chunks } = encodeClip(
    {
      width: 320,
      height: 192,
      framerate: { numerator: 25, denominator: 1 },
      rateControl: { kind: 'qp', qp: 26 },
      keyint: 10,
      slices,
    },
    movingPicture({ width: 320, height: 192, seed: 5, noise: 8 }),
    24,
  );
  return chunks.map(({ data }) => data);
}

for (const slices of [1, 3]) {
  test(`two threads decode pictures of ${slices} slices to the same frames as one`, () => {
    const chunks = clip(slices);
    const alone = decodeFrames(chunks);
    const before = host.jobs;
    const both = decodeFrames(chunks, { threads: 2 }, host);
    expect(both).toEqual(alone);
    expect(alone.frames).toHaveLength(24);
    expect(host.jobs - before).toBeGreaterThanOrEqual(slices);
  });
}

test('low delay, a budget, and a host without a second thread leave the decoder with one', () => {
  const chunks = clip(1);
  const alone = decodeFrames(chunks);
  const before = host.jobs;
  expect(decodeFrames(chunks, { threads: 2, lowDelay: true }, host)).toEqual(alone);
  expect(decodeFrames(chunks, { threads: 2, budgetMs: 60_000 }, host)).toEqual(alone);
  expect(decodeFrames(chunks, { threads: 2 }, { parallelism: 1, start: () => host.start() })).toEqual(alone);
  expect(decodeFrames(chunks, { threads: 2 })).toEqual(alone);
  expect(host.jobs).toBe(before);
});

test('a thread that never reports is done without', () => {
  const chunks = clip(1);
  const deaf = { post: () => undefined, terminate: () => Promise.resolve() };
  expect(decodeFrames(chunks, { threads: 2 }, { parallelism: 2, start: () => deaf })).toEqual(decodeFrames(chunks));
});
