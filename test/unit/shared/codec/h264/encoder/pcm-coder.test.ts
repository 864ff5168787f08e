// Macroblocks whose levels would take more bits than their samples become I_PCM, beside macroblocks of all other kinds: our decoder shows the
// reconstruction, and no macroblock has more bits than A.3.1 allows.
import { expect, test } from '@jest/globals';
import type { EncoderConfig } from '../../../../../../shared/codec/h264/codec-types.ts';
import { H264Encoder } from '../../../../../../shared/codec/h264/encoder.ts';
import type { I420Frame } from '../../../../../../shared/media/frame.ts';
import { decodeFrames } from '../../../../../support/decode-frames.ts';
import { encodeClip, md5Of } from '../../../../../support/encode-clip.ts';
import { movingPicture, noisePicture } from '../../../../../support/moving-picture.ts';

const size = { width: 96, height: 80 };
const moving = movingPicture({ ...size, seed: 5 });
const noise = noisePicture({ ...size, seed: 6 });
const NOISY_BLOCK = 16;
/** The largest macroblock_layer() of 8-bit 4:2:0 (A.3.1: 128 + RawMbBits). */
const MOST_BITS = 3200;

/** A moving picture, each second macroblock of which is noise. */
function chequered(index: number): I420Frame {
  const frame = moving(index);
  const grain = noise(index);
  for (const [plane, from, side] of [
    [frame.y, grain.y, NOISY_BLOCK],
    [frame.u, grain.u, NOISY_BLOCK / 2],
    [frame.v, grain.v, NOISY_BLOCK / 2],
  ] as const) {
    for (let y = 0; y < plane.height; y++) {
      for (let x = 0; x < plane.width; x++) {
        if ((Math.floor(x / side) + Math.floor(y / side)) % 2 === 0) {
          plane.data[y * plane.stride + x] = from.data[y * from.stride + x];
        }
      }
    }
  }
  return frame;
}

const base: EncoderConfig = {
  ...size,
  framerate: { numerator: 25, denominator: 1 },
  rateControl: { kind: 'qp', qp: 0 },
};

for (const [name, tools] of [
  ['CAVLC', { profile: 'baseline' }],
  ['CAVLC with the 8x8 transform', { profile: 'high', entropy: 'cavlc', preset: 'quality' }],
  ['CABAC', { profile: 'main', entropy: 'cabac', preset: 'quality' }],
  ['CABAC with the 8x8 transform', { profile: 'high', entropy: 'cabac', preset: 'balanced', slices: 2 }],
] as const) {
  test(`noise at low QP is sent as samples beside other macroblocks, ${name}`, () => {
    let samplesSent = 0;
    let others = 0;
    for (const qp of [0, 3, 6, 9]) {
      const config: EncoderConfig = { ...base, ...tools, rateControl: { kind: 'qp', qp } };
      const { chunks, metadata, reconstructions } = encodeClip(config, chequered, 4);
      const { errors, frames } = decodeFrames(chunks.map(({ data }) => data));
      expect([qp, errors]).toEqual([qp, []]);
      expect(frames).toEqual(reconstructions.map((frame) => md5Of([frame])));
      for (const { statistics } of metadata) {
        samplesSent += statistics?.pcm ?? 0;
        others += (statistics?.inter ?? 0) + (statistics?.skipped ?? 0);
      }
    }
    expect(samplesSent).toBeGreaterThan(0);
    expect(others).toBeGreaterThan(0);
  });

  test(`no macroblock takes more bits than the standard allows, ${name}`, () => {
    const encoder = new H264Encoder({ output: () => undefined });
    encoder.configure({ ...base, ...tools });
    for (let i = 0; i < 3; i++) {
      encoder.encode(noise(i));
      expect(Math.max(...encoder.macroblocks.bits)).toBeLessThanOrEqual(MOST_BITS);
    }
    encoder.close();
  });
}
