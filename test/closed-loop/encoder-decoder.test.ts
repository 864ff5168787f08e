// Our decoder shows what the encoder says a decoder shows, over the presets, profiles, slices and layers.
import { expect, test } from '@jest/globals';
import type { EncoderConfig } from '../../shared/codec/h264/codec-types.ts';
import { H264Decoder } from '../../shared/codec/h264/decoder.ts';
import { encodeClip, md5Of, packFrame } from '../support/encode-clip.ts';
import { movingPicture } from '../support/moving-picture.ts';

for (const preset of ['ultrafast', 'fast', 'balanced', 'quality'] as const) {
  for (const profile of ['baseline', 'main', 'high'] as const) {
    for (const [layers, slices] of [
      [1, 1],
      [2, 3],
      [3, 2],
    ] as const) {
      test(`preset ${preset}, profile ${profile}, ${layers} layers, ${slices} slices`, () => {
        const config: EncoderConfig = {
          width: 98,
          height: 66,
          framerate: { numerator: 25, denominator: 1 },
          rateControl: { kind: 'qp', qp: 24 + 3 * layers },
          preset,
          profile,
          layers,
          slices,
          entropy: profile === 'baseline' || slices === 3 ? 'cavlc' : 'cabac',
          keyint: 5,
        };
        const clip = movingPicture({ width: 98, height: 66, seed: 6 + slices, noise: 5 });
        const { chunks, reconstructions } = encodeClip(config, clip, 9);
        const decoded: Uint8Array[] = [];
        const errors: string[] = [];
        const decoder = new H264Decoder({
          output: (frame) => {
            decoded.push(packFrame(frame));
            frame.close();
          },
          error: ({ code }) => errors.push(code),
        });
        decoder.configure({ format: 'annexb' });
        for (const chunk of chunks) {
          decoder.decode(chunk);
        }
        decoder.flush();
        expect(errors).toEqual([]);
        expect(decoded.length).toBe(reconstructions.length);
        expect(md5Of(decoded)).toBe(md5Of(reconstructions));
      });
    }
  }
}
