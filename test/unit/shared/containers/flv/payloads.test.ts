import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAudioPayload, writeAudioPayload } from '../../../../../shared/containers/flv/audio-payload.ts';
import type { AudioPayload } from '../../../../../shared/containers/flv/audio-payload.ts';
import { parseVideoPayload, writeVideoPayload } from '../../../../../shared/containers/flv/video-payload.ts';
import type { VideoPayload } from '../../../../../shared/containers/flv/video-payload.ts';
import { ContainerError, ProtocolError } from '../../../../../shared/errors.ts';
import { hex } from '../../../../support/hex.ts';

test('reads a negative composition time of a classic AVC frame as signed 24 bits', () => {
  // -40 ms
  expect(parseVideoPayload(hex('27 01 ffffd8 00000002 4101'))).toMatchObject({
    kind: 'coded-frames',
    codec: 'avc',
    isKeyframe: false,
    compositionTime: -40,
    data: hex('00000002 4101'),
  });
});

test.each([
  ['a classic AVC sequence header', '17 00 000000 0142c01e', { kind: 'sequence-start', codec: 'avc' }],
  ['an Enhanced RTMP HEVC sequence start', '90 68766331 0101', { kind: 'sequence-start', codec: 'hevc' }],
  [
    'HEVC frames with a composition time',
    'a1 68766331 000028 0011',
    { kind: 'coded-frames', codec: 'hevc', isKeyframe: false, compositionTime: 40, data: hex('0011') },
  ],
  [
    'HEVC frames without a composition time',
    '93 68766331 0011',
    { kind: 'coded-frames', codec: 'hevc', isKeyframe: true, compositionTime: 0, data: hex('0011') },
  ],
  [
    'AV1 frames, which have no composition time in either packet type',
    '91 61763031 0011',
    { kind: 'coded-frames', codec: 'av1', compositionTime: 0, data: hex('0011') },
  ],
  [
    'avc1 of Enhanced RTMP v2 with a signed composition time',
    'a1 61766331 ffffd8 0011',
    { kind: 'coded-frames', notation: 'enhanced', codec: 'avc', compositionTime: -40 },
  ],
  ['VP9 at its end', '92 76703039', { kind: 'sequence-end', codec: 'vp9' }],
  [
    'a nanosecond offset in a ModEx block',
    '97 02 0003e8 01 61763031 0011',
    { kind: 'coded-frames', codec: 'av1', nanosecondOffset: 1000, data: hex('0011') },
  ],
  [
    'a long ModEx block of an unknown type',
    `97 ff 0001 aabb 11 61763031 0011`,
    { kind: 'coded-frames', codec: 'av1', nanosecondOffset: 0 },
  ],
  ['a classic seek command', '57 00', { kind: 'nothing' }],
  ['an enhanced seek command, which has no FourCC', 'd1 00', { kind: 'nothing' }],
])('reads %s', (_name, bytes, expected) => {
  expect(parseVideoPayload(hex(bytes))).toMatchObject(expected);
});

test.each([
  ['multitrack video', '96 00 61763031', 'Multitrack video (Enhanced RTMP v2)'],
  ['Sorenson H.263', '12 00', 'Sorenson H.263'],
  ['HEVC as codec id 12', '1c 00 000000', 'HEVC in the notation of codec id 12'],
  ['an unknown FourCC', '90 78787878 00', 'The video codec "xxxx"'],
  ['VVC', '90 76766331 00', 'The video codec "vvc1"'],
])('refuses %s by name', (_name, bytes, sentence) => {
  const parse = (): VideoPayload => parseVideoPayload(hex(bytes));
  expect(parse).toThrow(ProtocolError);
  expect(parse).toThrow(sentence);
});

test.each([['17'], ['1701'], ['17010000'], ['1703000000'], ['90'], ['907663'], ['97'], ['97ff'], ['9702aa']])(
  'refuses the truncated or impossible video payload %s',
  (bytes) => {
    expect(() => parseVideoPayload(hex(bytes))).toThrow(ContainerError);
  },
);

const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 });

test('reads back every video payload that it writes', () => {
  const codec = fc.constantFrom('avc' as const, 'hevc' as const, 'av1' as const, 'vp9' as const);
  const payload = fc.oneof(
    codec.chain((name) =>
      fc.record({
        kind: fc.constant('sequence-start' as const),
        notation: fc.constant(name === 'avc' ? ('classic' as const) : ('enhanced' as const)),
        codec: fc.constant(name),
        record: bytes,
      }),
    ),
    codec.chain((name) =>
      fc.record({
        kind: fc.constant('coded-frames' as const),
        notation: fc.constant('enhanced' as const),
        codec: fc.constant(name),
        isKeyframe: fc.boolean(),
        compositionTime:
          name === 'avc' || name === 'hevc' ? fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 }) : fc.constant(0),
        nanosecondOffset: fc.nat(999_999),
        data: bytes,
      }),
    ),
    fc.record({
      kind: fc.constant('coded-frames' as const),
      notation: fc.constant('classic' as const),
      codec: fc.constant('avc' as const),
      isKeyframe: fc.boolean(),
      compositionTime: fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 }),
      nanosecondOffset: fc.constant(0),
      data: bytes,
    }),
    codec.map((name) => ({ kind: 'sequence-end' as const, notation: 'enhanced' as const, codec: name })),
  );
  fc.assert(
    fc.property(payload, (value) => {
      expect(parseVideoPayload(writeVideoPayload(value))).toEqual(value);
    }),
    { numRuns: 500 },
  );
});

test('writes classic AVC and AAC payloads byte for byte as they were', () => {
  for (const text of [
    '17 00 000000 0142c01e',
    '17 01 000050 00000001 65',
    '27 01 ffffd8 00000001 41',
    '17 02 000000',
  ]) {
    const value = parseVideoPayload(hex(text));
    expect(value.kind === 'nothing' ? null : writeVideoPayload(value)).toEqual(hex(text));
  }
  for (const text of ['af 00 1190', 'af 01 21001049']) {
    const value = parseAudioPayload(hex(text));
    expect(value.kind === 'nothing' ? null : writeAudioPayload(value)).toEqual(hex(text));
  }
});

test.each([
  ['an AAC sequence header', 'af 00 1190', { kind: 'sequence-start', codec: 'aac', record: hex('1190') }],
  ['an AAC frame', 'af 01 2100', { kind: 'coded-frames', codec: 'aac', data: hex('2100') }],
  ['MP3 at 8 kHz', 'e2 fffb', { kind: 'coded-frames', codec: 'mp3', data: hex('fffb') }],
  ['an Opus frame', '91 4f707573 fc', { kind: 'coded-frames', codec: 'opus', data: hex('fc') }],
  ['a FLAC sequence start', '90 664c6143 664c6143', { kind: 'sequence-start', codec: 'flac' }],
  ['an Opus frame behind a ModEx block', '97 02 0003e8 01 4f707573 fc', { codec: 'opus', nanosecondOffset: 1000 }],
  ['a channel order', '94 4f707573 00', { kind: 'nothing' }],
])('reads %s', (_name, text, expected) => {
  expect(parseAudioPayload(hex(text))).toMatchObject(expected);
});

test.each([
  ['AC-3', '90 61632d33', 'AC-3 audio is not supported'],
  ['E-AC-3', '90 65632d33', 'E-AC-3 audio is not supported'],
  ['Speex', 'b2 00', 'Speex audio is not supported'],
  ['multitrack audio', '95 00 4f707573', 'Multitrack audio'],
])('refuses %s by name', (_name, text, sentence) => {
  expect(() => parseAudioPayload(hex(text))).toThrow(ProtocolError);
  expect(() => parseAudioPayload(hex(text))).toThrow(sentence);
});

test('reads back every audio payload that it writes', () => {
  const codec = fc.constantFrom('aac' as const, 'mp3' as const, 'opus' as const, 'flac' as const);
  const payload: fc.Arbitrary<Exclude<AudioPayload, { readonly kind: 'nothing' }>> = fc.oneof(
    fc.record({
      kind: fc.constant('coded-frames' as const),
      notation: fc.constant('enhanced' as const),
      codec,
      nanosecondOffset: fc.nat(999_999),
      data: bytes,
    }),
    fc.record({
      kind: fc.constant('sequence-start' as const),
      notation: fc.constant('enhanced' as const),
      codec,
      record: bytes,
    }),
    fc.record({ kind: fc.constant('sequence-end' as const), codec }),
  );
  fc.assert(
    fc.property(payload, (value) => {
      expect(parseAudioPayload(writeAudioPayload(value))).toEqual(value);
    }),
    { numRuns: 300 },
  );
});

test('never throws anything but coded errors on random payloads', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
      for (const parse of [parseVideoPayload, parseAudioPayload]) {
        try {
          parse(data);
        } catch (error) {
          expect(error instanceof ContainerError || error instanceof ProtocolError).toBe(true);
        }
      }
    }),
    { numRuns: 2000, seed: 3 },
  );
});
