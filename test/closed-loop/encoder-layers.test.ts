// Temporal layers: with the upper layers removed, what remains decodes to the encoder's reconstructions of just those pictures.
import { expect, test } from '@jest/globals';
import type { EncoderConfig } from '../../shared/codec/h264/codec-types.ts';
import { encodeClip, md5Of } from '../support/encode-clip.ts';
import { decodeWithFfmpeg } from '../support/ffmpeg-decode.ts';
import { movingPicture } from '../support/moving-picture.ts';
import { describeWith } from '../support/requirements.ts';

describeWith(['ffmpeg'], 'temporal layers', () => {
  for (const layers of [2, 3] as const) {
    for (let kept = 1; kept <= layers; kept++) {
      test(`${layers} layers decode with ${kept} of them kept`, () => {
        const config: EncoderConfig = {
          width: 80,
          height: 64,
          framerate: { numerator: 30, denominator: 1 },
          rateControl: { kind: 'qp', qp: 26 },
          layers,
          keyint: 12,
        };
        const { chunks, metadata, reconstructions } = encodeClip(
          config,
          movingPicture({ width: 80, height: 64, seed: 8, noise: 3 }),
          27,
        );
        const keeps = (i: number): boolean => metadata[i].temporalLayer < kept;
        const stream = Buffer.concat(chunks.filter((_, i) => keeps(i)).map((chunk) => chunk.data));
        const expected = reconstructions.filter((_, i) => keeps(i));
        const decoded = decodeWithFfmpeg(stream);
        expect(decoded.length).toBe(expected.length * expected[0].length);
        expect(md5Of([decoded])).toBe(md5Of(expected));
      });
    }
  }
});
