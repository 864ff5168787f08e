// Digital silence told from coded frames, against what ffmpeg's encoders make of silence, of tones and of noise.

import { expect, test } from '@jest/globals';
import { isSilentAudio } from '../../../shared/bitstream/silent-audio.ts';
import { adtsFrames } from '../../support/clips-for-health.ts';
import { ffmpeg } from '../../support/ffmpeg-clips.ts';
import { describeWith } from '../../support/requirements.ts';

const SECONDS = 2;

/** Packets of an Ogg stream (RFC 3533, 6) without the two header packets. */
function oggPackets(bytes: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = [];
  let pieces: Uint8Array[] = [];
  for (let at = 0; at + 27 <= bytes.length;) {
    const segments = bytes.subarray(at + 27, at + 27 + bytes[at + 26]!);
    at += 27 + segments.length;
    for (const length of segments) {
      pieces.push(bytes.subarray(at, at + length));
      at += length;
      if (length < 255) {
        packets.push(Buffer.concat(pieces));
        pieces = [];
      }
    }
  }
  return packets.slice(2);
}

function coded(source: string, codec: 'mp4a.40.2' | 'opus', channels = 2, more: readonly string[] = []): Uint8Array[] {
  const input = ['-f', 'lavfi', '-i', source, '-t', String(SECONDS), '-ac', String(channels), '-ar', '48000'];
  return codec === 'opus'
    ? oggPackets(ffmpeg([...input, '-c:a', 'libopus', ...more, '-f', 'ogg', '-']))
    : adtsFrames(ffmpeg([...input, '-c:a', 'aac', ...more, '-f', 'adts', '-']));
}

const shareOf = (codec: string, frames: readonly Uint8Array[]): number =>
  frames.filter((frame) => isSilentAudio(codec, frame) === true).length / frames.length;

describeWith(['ffmpeg'], 'silence', () => {
  const cases = (['mp4a.40.2', 'opus'] as const).flatMap((codec) => [1, 2].map((channels) => ({ codec, channels })));

  test.each(cases)('is found in $codec with $channels channels', ({ codec, channels }) => {
    const frames = coded('anullsrc', codec, channels);
    expect(frames.length).toBeGreaterThan(50);
    expect(shareOf(codec, frames)).toBeGreaterThan(0.97); // the first frame may hold the encoder's start
  });

  test.each(cases)(
    'is not found in tones, noise or quiet hiss in $codec with $channels channels',
    ({ codec, channels }) => {
      for (const source of ['sine=frequency=440', 'anoisesrc=amplitude=0.5', 'anoisesrc=amplitude=0.01']) {
        expect(shareOf(codec, coded(source, codec, channels))).toBeLessThan(0.05);
      }
    },
  );

  test('is found in Opus at a constant bitrate, where frames are padded', () => {
    expect(shareOf('opus', coded('anullsrc', 'opus', 2, ['-b:a', '96k', '-vbr', 'off']))).toBeGreaterThan(0.97);
  });
});

test('damaged and foreign frames are no silence', () => {
  expect(isSilentAudio('mp4a.40.2', Uint8Array.of())).toBe(false);
  expect(isSilentAudio('mp4a.40.2', Uint8Array.of(0x21, 0x10))).toBe(false);
  expect(isSilentAudio('opus', Uint8Array.of())).toBe(false);
  expect(isSilentAudio('opus', Uint8Array.of(0xff, 0xff, 0xff))).toBe(false);
  expect(isSilentAudio('flac', Uint8Array.of(0))).toBeNull();
  for (let seed = 0; seed < 200; seed++) {
    const bytes = Uint8Array.from({ length: 40 }, (_, i) => (seed * 31 + i * 17 + ((seed * i) >> 2)) & 0xff);
    expect(typeof isSilentAudio('mp4a.40.2', bytes)).toBe('boolean'); // never throws, always ends
    expect(typeof isSilentAudio('opus', bytes)).toBe('boolean');
  }
});
