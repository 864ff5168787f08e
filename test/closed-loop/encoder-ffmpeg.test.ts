// What the encoder says a decoder shows is what ffmpeg shows, without a warning, over seeded random parameters.
import { expect, test } from '@jest/globals';
import type { EncoderConfig, EncoderPreset, EncoderProfile } from '../../shared/codec/h264/codec-types.ts';
import { encodeClip, md5Of } from '../support/encode-clip.ts';
import { decodeWithFfmpeg } from '../support/ffmpeg-decode.ts';
import { movingPicture } from '../support/moving-picture.ts';
import { seededRandom } from '../support/random.ts';
import { describeWith } from '../support/requirements.ts';

const CASES = Number(process.env['TESSERA_CLOSED_LOOP_CASES'] ?? 24);

function randomCase(seed: number): { readonly config: EncoderConfig; readonly label: string; readonly frames: number } {
  const random = seededRandom(seed * 2654435 + 17);
  const pick = <T>(values: readonly T[]): T => values[random(values.length)];
  const layers = pick([1, 1, 2, 3] as const);
  const profile = pick<EncoderProfile>(['baseline', 'main', 'high']);
  const config: EncoderConfig = {
    width: pick([16, 17, 32, 50, 64, 97, 176, 177]),
    height: pick([16, 17, 30, 48, 66, 99, 144, 145]),
    framerate: pick([
      { numerator: 30, denominator: 1 },
      { numerator: 30000, denominator: 1001 },
      { numerator: 12, denominator: 1 },
    ]),
    rateControl: random(3) === 0 ? { kind: 'bitrate', kbps: 30 + random(600) } : { kind: 'qp', qp: random(52) },
    preset: pick<EncoderPreset>(['ultrafast', 'fast', 'balanced', 'quality']),
    profile,
    entropy: profile === 'baseline' || random(4) === 0 ? 'cavlc' : 'cabac',
    tune: pick(['camera', 'screen', 'psnr'] as const),
    keyint: pick([1, 3, 7, 'infinite'] as const),
    layers,
    slices: pick([1, 1, 2, 3, 9]),
  };
  return { config, frames: 3 + random(8), label: `${seed}: ${JSON.stringify(config)}` };
}

describeWith(['ffmpeg'], 'encoder against ffmpeg', () => {
  for (let seed = 1; seed <= CASES; seed++) {
    const { config, frames, label } = randomCase(seed);
    test(`decodes to the reconstruction, case ${label}`, () => {
      const clip = movingPicture({ width: config.width, height: config.height, seed, noise: (seed % 3) * 9 });
      const keyAt = seed % 5;
      const encoded = encodeClip(config, clip, frames, (i) => ({ keyFrame: keyAt > 2 && i === keyAt }));
      expect(encoded.chunks.length).toBe(frames);
      const decoded = decodeWithFfmpeg(encoded.stream);
      expect(md5Of([decoded])).toBe(md5Of(encoded.reconstructions));
    });
  }
});
