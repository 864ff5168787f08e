// Explicit weighted prediction: a fade takes fewer bits at the same quality, and decodes exactly.
import { expect, test } from '@jest/globals';
import type { EncoderConfig } from '../../shared/codec/h264/codec-types.ts';
import { H264Encoder } from '../../shared/codec/h264/encoder.ts';
import { QualityMeter } from '../../shared/pixels/quality.ts';
import { encodeClip, md5Of } from '../support/encode-clip.ts';
import { decodeWithFfmpeg } from '../support/ffmpeg-decode.ts';
import { fadingPicture } from '../support/moving-picture.ts';
import { describeWith } from '../support/requirements.ts';

const SIZE = { width: 192, height: 128 };
const FRAMES = 24;
/** To black and back within a second. */
const fadingClip = fadingPicture({ ...SIZE, seed: 30, noise: 2 }, FRAMES);

const configOf = (rest: Partial<EncoderConfig>): EncoderConfig => ({
  ...SIZE,
  framerate: { numerator: FRAMES, denominator: 1 },
  rateControl: { kind: 'qp', qp: 28 },
  tune: 'psnr',
  keyint: 'infinite',
  ...rest,
});

function figuresOf(config: EncoderConfig): { readonly bits: number; readonly psnr: number } {
  const meter = new QualityMeter();
  let bits = 0;
  let index = 0;
  const encoder = new H264Encoder({
    output: (chunk) => {
      bits += 8 * chunk.data.length;
    },
    reconstruction: (frame) => meter.add(fadingClip(index), frame),
  });
  encoder.configure(config);
  for (; index < FRAMES; index++) {
    encoder.encode(fadingClip(index));
  }
  return { bits, psnr: meter.psnr().y };
}

for (const [preset, profile] of [
  ['fast', 'main'],
  ['balanced', 'high'],
] as const) {
  test(`weights save at least a tenth of the bits of a fade over a moving scene, preset ${preset}`, () => {
    const plain = figuresOf(configOf({ preset, profile, weightedPrediction: false }));
    const weighted = figuresOf(configOf({ preset, profile, weightedPrediction: true }));
    expect(weighted.bits).toBeLessThan(0.9 * plain.bits);
    // Weighting rounds once more: a third of a decibel is worth some four per cent of bits.
    expect(weighted.psnr).toBeGreaterThan(plain.psnr - 0.33);
  });
}

test('weights are refused in baseline', () => {
  const encoder = new H264Encoder({ output: () => undefined });
  expect(() => encoder.configure(configOf({ weightedPrediction: true }))).toThrow('needs profile main or high');
});

describeWith(['ffmpeg'], 'fades against ffmpeg', () => {
  for (const rest of [
    { preset: 'fast', profile: 'main', weightedPrediction: true },
    { preset: 'quality', slices: 2 },
    { preset: 'balanced', layers: 3, entropy: 'cavlc', tune: 'screen' },
    { preset: 'balanced', intraRefresh: 7, weightedPrediction: true },
  ] as const) {
    test(`decode exactly with ${JSON.stringify(rest)}`, () => {
      const { stream, reconstructions } = encodeClip(configOf({ tune: 'camera', ...rest }), fadingClip, FRAMES);
      expect(md5Of([decodeWithFfmpeg(stream)])).toBe(md5Of(reconstructions));
    });
  }
});
