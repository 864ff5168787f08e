// Recovery without an IDR: a decoder that joins at a recovery point shows the picture whole after recovery_frame_cnt pictures, and after a loss
// prediction from an acknowledged long-term reference goes on as if nothing had been lost.
import { expect, test } from '@jest/globals';
import type { EncodedChunk, EncoderConfig } from '../../shared/codec/h264/codec-types.ts';
import { H264Decoder } from '../../shared/codec/h264/decoder.ts';
import { H264Encoder } from '../../shared/codec/h264/encoder.ts';
import { encodeClip, md5Of, packFrame } from '../support/encode-clip.ts';
import { decodeWithFfmpeg } from '../support/ffmpeg-decode.ts';
import { movingPicture } from '../support/moving-picture.ts';
import { describeWith } from '../support/requirements.ts';

const SIZE = { width: 176, height: 112 };
const base: EncoderConfig = {
  ...SIZE,
  framerate: { numerator: 25, denominator: 1 },
  rateControl: { kind: 'qp', qp: 29 },
  keyint: 'infinite',
};
const clip = movingPicture({ ...SIZE, seed: 12, noise: 6 });

/** What our decoder shows; damage is concealed. */
function decodeAll(chunks: readonly EncodedChunk[]): { readonly pictures: Uint8Array[]; readonly errors: string[] } {
  const pictures: Uint8Array[] = [];
  const errors: string[] = [];
  const decoder = new H264Decoder({
    output: (frame) => {
      pictures.push(packFrame(frame));
      frame.close();
    },
    error: ({ code }) => errors.push(code),
  });
  decoder.configure({ format: 'annexb', lowDelay: true });
  for (const chunk of chunks) {
    decoder.decode(chunk);
  }
  decoder.flush();
  return { pictures, errors };
}

for (const [preset, profile, pictures] of [
  ['fast', 'baseline', 6],
  ['balanced', 'high', 11],
  ['quality', 'high', 4],
  ['ultrafast', 'main', 30],
] as const) {
  test(`a decoder that joins a ${preset} sweep of ${pictures} pictures has every sample right at its end`, () => {
    const config: EncoderConfig = { ...base, preset, profile, intraRefresh: pictures };
    const { chunks, metadata, reconstructions } = encodeClip(config, clip, 40);
    expect(chunks.filter(({ type }) => type === 'key').length).toBe(1);
    const join = metadata.findIndex(({ recoveryFrames }, i) => i > 8 && recoveryFrames !== undefined);
    const whole = join + (metadata[join].recoveryFrames ?? NaN);
    expect(whole).toBeLessThan(38);
    // The decoder has seen another stream before, so that nothing that it should not need is right by accident.
    const other = movingPicture({ ...SIZE, seed: 99, noise: 50 });
    const stale = encodeClip(base, other, 1).chunks;
    const { pictures: shown } = decodeAll([...stale, ...chunks.slice(join)]);
    const expected = reconstructions.slice(whole);
    expect(md5Of(shown.slice(-expected.length))).toBe(md5Of(expected));
    // Before the sweep is complete the picture is not right yet: the test can fail.
    const early = shown[shown.length - expected.length - 1];
    expect(md5Of([early])).not.toBe(md5Of([reconstructions[whole - 1]]));
  });
}

test('after lost pictures, prediction from an acknowledged long-term reference is exact again', () => {
  const { chunks, metadata, reconstructions } = encodeClip(
    { ...base, longTermReferences: 2, preset: 'quality' },
    clip,
    24,
    (i) => ({ keepLongTerm: i === 4 || i === 9, ...(i === 16 ? { predictFrom: 0 } : {}) }),
  );
  expect(metadata.map(({ longTermIndex }) => longTermIndex).filter((index) => index !== undefined)).toEqual([0, 1]);
  expect(chunks[16].type).toBe('delta');
  const { pictures } = decodeAll([...chunks.slice(0, 8), ...chunks.slice(16)]);
  expect(md5Of(pictures.slice(-8))).toBe(md5Of(reconstructions.slice(16)));
});

test('a long-term reference must be configured and kept before it is used', () => {
  const encoder = new H264Encoder({ output: () => undefined });
  encoder.configure(base);
  encoder.encode(clip(0));
  expect(() => encoder.encode(clip(1), { keepLongTerm: true })).toThrow('must be configured');
  expect(() => encoder.encode(clip(1), { predictFrom: 0 })).toThrow('No picture is kept as long-term reference 0.');
  expect(() => encoder.configure({ ...base, intraRefresh: 10, layers: 2 })).toThrow('intraRefresh needs layers 1');
});

describeWith(['ffmpeg'], 'recovery against ffmpeg', () => {
  for (const [preset, layers, longTermReferences] of [
    ['fast', 1, 1],
    ['quality', 1, 2],
    ['balanced', 3, 2],
    ['fast', 2, 1],
  ] as const) {
    test(`long-term references decode exactly, preset ${preset}, ${layers} layers, ${longTermReferences} kept`, () => {
      const config: EncoderConfig = { ...base, preset, layers, longTermReferences };
      const { stream, reconstructions } = encodeClip(config, clip, 40, (i) => ({
        keyFrame: i === 30,
        keepLongTerm: i === 0 || i % 7 === 3 || i === 30,
        ...(i === 12 || i === 19 || i === 20 || i === 33 ? { predictFrom: 0 } : {}),
      }));
      expect(md5Of([decodeWithFfmpeg(stream)])).toBe(md5Of(reconstructions));
    });
  }

  test('intra refresh decodes exactly', () => {
    const config: EncoderConfig = { ...base, intraRefresh: 5, preset: 'balanced', slices: 2 };
    const { stream, reconstructions } = encodeClip(config, clip, 14);
    expect(md5Of([decodeWithFfmpeg(stream)])).toBe(md5Of(reconstructions));
  });
});
