// The encoder writes the same bytes with the SIMD kernels and with their TypeScript reference, and the bytes of each preset are known.
import { expect, test } from '@jest/globals';
import type { EncoderConfig, EncoderPreset } from '../../shared/codec/h264/codec-types.ts';
import { encodeClip, md5Of } from '../support/encode-clip.ts';
import { movingPicture } from '../support/moving-picture.ts';

const PRESETS: readonly EncoderPreset[] = ['ultrafast', 'fast', 'balanced', 'quality'];
const PROFILES = ['baseline', 'high'] as const;

/** md5 of each stream. A change of the encoder's decisions changes them: take the new ones from the failing test, knowingly. */
const GOLDEN: Readonly<Record<string, string>> = {
  'ultrafast baseline': '0d4a33b7aa9a62d18f03abec96bade32',
  'ultrafast high': 'e2377ab40a865fa2cd926e07e64737ec',
  'fast baseline': '0d4a33b7aa9a62d18f03abec96bade32',
  'fast high': 'e2377ab40a865fa2cd926e07e64737ec',
  'balanced baseline': 'f4b404c99955abf02056eda600d4b957',
  'balanced high': 'b0eefa7c3b782f507e697781c6d6fda7',
  'quality baseline': 'ba4269086cbf804673fc097780ddb19b',
  'quality high': 'ebff6e29000fc792e9eda872bb668af2',
};

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
      expect(md5Of([wasm.stream])).toBe(GOLDEN[`${preset} ${profile}`]);
    });
  }
}
