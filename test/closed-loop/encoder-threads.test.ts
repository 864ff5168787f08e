// Slices on several threads: the bytes depend on the number of threads asked for, not on who codes what, and a decoder shows the
// reconstruction.
import { expect, test } from '@jest/globals';
import { encoderThreadHost } from '../../server/platform/node-thread-host.ts';
import type { EncoderConfig } from '../../shared/codec/h264/codec-types.ts';
import { H264Encoder } from '../../shared/codec/h264/encoder.ts';
import type { ThreadHost } from '../../shared/codec/h264/threads/thread-host.ts';
import { decodeFrames } from '../support/decode-frames.ts';
import { encodeClip, md5Of, packFrame } from '../support/encode-clip.ts';
import { eventually } from '../support/eventually.ts';
import { movingPicture } from '../support/moving-picture.ts';

const SIZE = { width: 176, height: 144 };
const BASE = { ...SIZE, framerate: { numerator: 30, denominator: 1 }, keyint: 9 } as const;
const CASES: readonly [string, EncoderConfig][] = [
  ['fast, constant QP', { ...BASE, rateControl: { kind: 'qp', qp: 27 }, preset: 'fast' }],
  ['balanced, CABAC, a bit rate', { ...BASE, rateControl: { kind: 'bitrate', kbps: 300 }, preset: 'balanced' }],
  ['quality, layers', { ...BASE, rateControl: { kind: 'qp', qp: 33 }, preset: 'quality', layers: 2, profile: 'main' }],
];
/** A slow machine may take long to bring a thread up. */
const THREAD_PATIENCE_MS = 60_000;

for (const [name, config] of CASES) {
  for (const threads of config.preset === 'fast' ? [2, 3] : [2]) {
    test(`${threads} threads write what one writes for them: ${name}`, async () => {
      const clip = movingPicture({ ...SIZE, seed: threads, noise: 6, cutEvery: 20 });
      const together: Uint8Array[] = [];
      const shown: Uint8Array[] = [];
      const encoder = new H264Encoder({
        output: (chunk) => together.push(chunk.data),
        reconstruction: (frame) => shown.push(packFrame(frame)),
        threadHost: encoderThreadHost(threads),
      });
      encoder.configure({ ...config, threads });
      let frames = 0;
      await eventually(
        'a lent thread that codes slices',
        () => {
          encoder.encode(clip(frames++));
          return encoder.lentSlices > 4 && frames >= 20;
        },
        THREAD_PATIENCE_MS,
        1,
      );
      encoder.close();
      const alone = encodeClip({ ...config, threads }, clip, frames);
      expect(md5Of(together)).toBe(md5Of([alone.stream]));
      expect(md5Of(shown)).toBe(md5Of(alone.reconstructions));
      const { frames: decoded, errors } = decodeFrames(alone.chunks.map((chunk) => chunk.data));
      expect(errors).toEqual([]);
      expect(decoded).toEqual(alone.reconstructions.map((frame) => md5Of([frame])));
    }, 120_000);
  }
}

test('threads that never come up do not keep a picture waiting', () => {
  const host: ThreadHost = {
    parallelism: 4,
    start: ({ onFailure }) => {
      onFailure('out of threads');
      return { post: () => undefined, terminate: () => Promise.resolve() };
    },
  };
  const clip = movingPicture({ ...SIZE, seed: 5 });
  const chunks: Uint8Array[] = [];
  const encoder = new H264Encoder({ output: (chunk) => chunks.push(chunk.data), threadHost: host });
  encoder.configure({ ...BASE, rateControl: { kind: 'qp', qp: 30 }, threads: 4 });
  for (let i = 0; i < 4; i++) {
    encoder.encode(clip(i));
  }
  expect(chunks.length).toBe(4);
  expect(encoder.lentSlices).toBe(0);
  encoder.close();
  expect(() => encoder.encode(clip(5))).toThrow(TypeError);
});
