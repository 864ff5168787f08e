// The encoder writes the same bytes with the SIMD kernels and with their TypeScript reference, and the bytes of each preset are known.
import { expect, test } from '@jest/globals';
import type { EncoderConfig, EncoderPreset } from '../../shared/codec/h264/codec-types.ts';
import { encodeClip, md5Of } from '../support/encode-clip.ts';
import { movingPicture } from '../support/moving-picture.ts';

const PRESETS: readonly EncoderPreset[] = ['ultrafast', 'fast', 'balanced', 'quality'];
const PROFILES = ['baseline', 'high'] as const;

/** md5 of each stream. A change of the encoder's decisions changes them: take the new ones from the failing test, knowingly. */
const GOLDEN: Readonly<Record<string, string>> = {
  'ultrafast baseline': 'ffd6837095ea8d126481bc9f615cb743',
  'ultrafast high': 'bd0825560972c4b1576c22d4f7506f8b',
  'fast baseline': 'ffd6837095ea8d126481bc9f615cb743',
  'fast high': 'bd0825560972c4b1576c22d4f7506f8b',
  'balanced baseline': '79afdc2a4c58d9ce2c2c39d6d5b56ace',
  'balanced high': '301043ee3cd52b693f3dd656748039e4',
  'quality baseline': '2b20dd19bd8f5afd474c329d00d80b65',
  'quality high': '351b3a71aa1e40b9619431e1f82794d8',
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
