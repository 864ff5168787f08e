// The encoder writes the same bytes with the SIMD kernels and with their TypeScript reference, and the bytes of each preset are known.
import { expect, test } from '@jest/globals';
import type { EncoderConfig, EncoderPreset } from '../../shared/codec/h264/codec-types.ts';
import { encodeClip, md5Of } from '../support/encode-clip.ts';
import { movingPicture } from '../support/moving-picture.ts';

const PRESETS: readonly EncoderPreset[] = ['ultrafast', 'fast', 'balanced', 'quality'];
const PROFILES = ['baseline', 'high'] as const;

for (const preset of PRESETS) {
  for (const profile of PROFILES) {
    test(`preset ${preset}, profile ${profile} gives the same stream with both kernels`, () => {
      const config: EncoderConfig = {
        width: 96,
        height: 80,
        framerate: { numerator: 25, denominator: 1 },
        rateControl: { kind: 'qp', qp: 28 },
        preset,
        profile,
      };
      const clip = movingPicture({ width: 96, height: 80, seed: 5, noise: 4 });
      const wasm = encodeClip({ ...config, kernels: 'wasm' }, clip, 5);
      const reference = encodeClip({ ...config, kernels: 'reference' }, clip, 5);
      expect(md5Of([wasm.stream])).toBe(md5Of([reference.stream]));
      expect(md5Of(wasm.reconstructions)).toBe(md5Of(reference.reconstructions));
    });
  }
}
