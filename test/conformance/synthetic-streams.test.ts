// Streams of the synthesizer: what x264 never makes (fields, MBAFF with every tool, slices of mixed types, long-term references, list
// modifications, explicit weights, order count types 1 and 2), judged by ffmpeg's decoder frame by frame. 60 streams, 400 in the long run.

import { expect, test } from '@jest/globals';
import { decodeFrames } from '../support/decode-frames.ts';
import { ffmpegFrameMd5 } from '../support/reference-frames.ts';
import { describeWith } from '../support/requirements.ts';
import { synthesizeStream } from '../support/stream-synthesizer/stream-synthesizer.ts';

const STREAMS = process.env['TESSERA_LONG'] === '1' ? 400 : 60;
const PER_TEST = 20;
const FIRST_SEED = 100;

const seeds = Array.from({ length: STREAMS }, (_, i) => FIRST_SEED + i);

describeWith(['ffmpeg'], 'synthetic streams', () => {
  const codings = new Set<string>();
  for (let first = 0; first < STREAMS; first += PER_TEST) {
    const some = seeds.slice(first, first + PER_TEST);
    test(`streams ${some[0]} to ${some[some.length - 1]} equal ffmpeg's decode, frame by frame`, () => {
      for (const seed of some) {
        const made = synthesizeStream(seed);
        codings.add(made.plan.coding);
        const { frames, errors } = decodeFrames([made.stream]);
        const label = { seed, coding: made.plan.coding, log: made.log };
        expect({ ...label, errors, frames }).toEqual({
          ...label,
          errors: [],
          frames: ffmpegFrameMd5(made.stream, made),
        });
      }
    }, 300_000);
  }

  test('every way to code a frame was among them', () => {
    expect([...codings].sort()).toEqual(['fields', 'mbaff', 'mixed', 'progressive']);
  });
});
