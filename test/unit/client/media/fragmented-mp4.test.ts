import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import {
  initialisationSegment,
  mediaFragment,
  soundFrameDuration,
  soundTimescale,
} from '../../../../client/media/fragmented-mp4.ts';
import type { AudioTrackConfig } from '../../../../shared/media/access-unit.ts';
import { describeWith } from '../../../support/requirements.ts';

const AAC: AudioTrackConfig = {
  kind: 'audio',
  codec: 'mp4a.40.2',
  description: Uint8Array.of(0x11, 0x90),
  sampleRate: 48_000,
  channels: 2,
};

// type and payload of each box at one level
function boxes(bytes: Uint8Array): (readonly [string, Uint8Array])[] {
  const result: (readonly [string, Uint8Array])[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += view.getUint32(at)) {
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    result.push([type, bytes.subarray(at + 8, at + view.getUint32(at))]);
  }
  return result;
}

test('boxes fill their parents exactly', () => {
  expect(boxes(initialisationSegment(AAC)).map(([type]) => type)).toEqual(['ftyp', 'moov']);
  const [, moov] = boxes(initialisationSegment(AAC))[1];
  expect(boxes(moov).map(([type]) => type)).toEqual(['mvhd', 'trak', 'mvex']);
});

test('a fragment points at the first byte of its data', () => {
  const frame = { data: Uint8Array.of(0xde, 0xad, 0xbe, 0xef), duration: 1024 };
  const fragment = mediaFragment(7, 4096, [frame, frame]);
  const [, moof] = boxes(fragment)[0];
  const [, traf] = boxes(moof)[1];
  const trun = boxes(traf).find(([type]) => type === 'trun')![1];
  const dataOffset = new DataView(trun.buffer, trun.byteOffset).getInt32(8);
  expect([...fragment.subarray(dataOffset, dataOffset + 4)]).toEqual([0xde, 0xad, 0xbe, 0xef]);
});

test('knows the length of AAC and Opus frames', () => {
  expect(soundFrameDuration(AAC, new Uint8Array(10))).toBe(1024);
  const opus: AudioTrackConfig = { ...AAC, codec: 'opus' };
  expect(soundTimescale(opus)).toBe(48_000);
  expect(soundFrameDuration(opus, Uint8Array.of(0xfc))).toBe(960); // CELT, 20 ms, one frame
  expect(soundFrameDuration(opus, Uint8Array.of(0x08))).toBe(960); // SILK, 20 ms, one frame
  expect(soundFrameDuration(opus, Uint8Array.of(0xfd))).toBe(1920); // two frames
});

describeWith(['ffmpeg'], 'fragmented MP4 read by ffmpeg', () => {
  test('ffprobe finds the track that was described', () => {
    const silence = Uint8Array.of(0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c);
    const frames = Array.from({ length: 20 }, () => ({ data: silence, duration: 1024 }));
    const file = Buffer.concat([initialisationSegment(AAC), mediaFragment(1, 0, frames)]);
    const { stdout } = spawnSync(
      'ffprobe',
      ['-v', 'error', '-show_entries', 'stream=codec_name,sample_rate,channels', '-count_packets', '-of', 'json', '-'],
      { input: file },
    );
    const [stream] = (JSON.parse(stdout.toString()) as { streams: Record<string, unknown>[] }).streams;
    expect(stream).toMatchObject({ codec_name: 'aac', sample_rate: '48000', channels: 2 });
  });
});
