// The encoder's public behaviour: configuration, key frames, both stream formats, metadata, capture time.
import { expect, test } from '@jest/globals';
import { splitAnnexB } from '../../../../../shared/bitstream/annex-b.ts';
import { parseAvcDecoderConfigurationRecord, splitLengthPrefixed } from '../../../../../shared/bitstream/avcc.ts';
import type { EncoderConfig } from '../../../../../shared/codec/h264/codec-types.ts';
import { H264Encoder } from '../../../../../shared/codec/h264/encoder.ts';
import { captureTimeOf } from '../../../../../shared/codec/h264/syntax/capture-time.ts';
import { NAL_UNIT_TYPE, parseNalUnit } from '../../../../../shared/codec/h264/syntax/nal-unit.ts';
import { parseSei, parseUserDataUnregistered } from '../../../../../shared/codec/h264/syntax/sei.ts';
import { colourOf, parseSps, pictureSizeOf } from '../../../../../shared/codec/h264/syntax/sps.ts';
import type { ThreadHost } from '../../../../../shared/codec/h264/threads/thread-host.ts';
import { BT709_LIMITED } from '../../../../../shared/media/colour.ts';
import { type I420Frame, packedI420, type Plane } from '../../../../../shared/media/frame.ts';
import { microseconds } from '../../../../../shared/media/time.ts';
import { encodeClip } from '../../../../support/encode-clip.ts';
import { movingPicture } from '../../../../support/moving-picture.ts';

const { floor, min } = Math;

const base: EncoderConfig = {
  width: 50,
  height: 34,
  framerate: { numerator: 30000, denominator: 1001 },
  rateControl: { kind: 'qp', qp: 30 },
};
const clip = movingPicture({ width: 50, height: 34, seed: 3 });
const nalTypes = (data: Uint8Array): number[] => splitAnnexB(data).map(({ start }) => data[start] & 31);

test('every frame comes out at once, the first as a key frame with parameter sets', () => {
  const { chunks } = encodeClip({ ...base, keyint: 'infinite' }, clip, 4);
  expect(chunks.map((chunk) => chunk.type)).toEqual(['key', 'delta', 'delta', 'delta']);
  expect(nalTypes(chunks[0].data)).toEqual([NAL_UNIT_TYPE.SPS, NAL_UNIT_TYPE.PPS, NAL_UNIT_TYPE.IDR_SLICE]);
  expect(nalTypes(chunks[1].data)).toEqual([NAL_UNIT_TYPE.SLICE]);
  expect(chunks.map((chunk) => chunk.timestamp)).toEqual([0, 1, 2, 3].map((i) => clip(i).timestamp));
});

test('a key frame is made on request and every keyint frames', () => {
  const { chunks } = encodeClip({ ...base, keyint: 3 }, clip, 8, (i) => ({ keyFrame: i === 4 }));
  expect(chunks.map((chunk) => (chunk.type === 'key' ? 1 : 0))).toEqual([1, 0, 0, 1, 1, 0, 0, 1]);
});

test('the SPS tells size, cropping, colour, rate and that nothing is reordered', () => {
  const { chunks } = encodeClip({ ...base, colour: BT709_LIMITED, sampleAspect: [4, 3] }, clip, 1);
  const [range] = splitAnnexB(chunks[0].data);
  const sps = parseSps(parseNalUnit(chunks[0].data.subarray(range.start, range.end)).rbsp);
  expect(pictureSizeOf(sps)).toMatchObject({ width: 50, height: 34, codedWidth: 64, codedHeight: 48 });
  expect(colourOf(sps)).toEqual(BT709_LIMITED);
  expect(sps.vui?.timing).toMatchObject({ num_units_in_tick: 1001, time_scale: 60000 });
  expect(sps.vui?.bitstream_restriction?.max_num_reorder_frames).toBe(0);
  expect(sps.profile_idc).toBe(66);
});

test('format avc gives length-prefixed units and one decoder configuration record', () => {
  const { chunks, metadata } = encodeClip({ ...base, format: 'avc' }, clip, 2);
  const record = parseAvcDecoderConfigurationRecord(metadata[0].description ?? new Uint8Array());
  expect(record.sequenceParameterSets.length).toBe(1);
  expect(record.pictureParameterSets.length).toBe(1);
  expect(metadata[1].description).toBeUndefined();
  const units = splitLengthPrefixed(chunks[0].data, record.lengthSize);
  expect(units.map(({ start }) => chunks[0].data[start] & 31)).toEqual([NAL_UNIT_TYPE.IDR_SLICE]);
});

test('capture time travels in an SEI message', () => {
  const time = microseconds(1_790_000_000_123_456);
  const { chunks } = encodeClip(base, clip, 2, () => ({ captureTime: time }));
  const sei = splitAnnexB(chunks[1].data)
    .map(({ start, end }) => parseNalUnit(chunks[1].data.subarray(start, end)))
    .find((nal) => nal.nal_unit_type === NAL_UNIT_TYPE.SEI);
  const [message] = parseSei(sei?.rbsp ?? new Uint8Array());
  expect(captureTimeOf(parseUserDataUnregistered(message.payload))).toBe(time);
});

test('a picture of odd size is coded as the even one that repeats its last column and row', () => {
  const odd = { width: 49, height: 33 };
  const frameAt = movingPicture({ ...odd, seed: 4, noise: 20 });
  const repeated = (plane: Plane, width: number, height: number): Uint8Array =>
    Uint8Array.from({ length: width * height }, (_, i) => {
      const [x, y] = [min(i % width, plane.width - 1), min(floor(i / width), plane.height - 1)];
      return plane.data[y * plane.stride + x];
    });
  const even = (index: number): I420Frame => {
    const { y, u, v, timestamp, colour } = frameAt(index);
    const samples = Buffer.concat([repeated(y, 50, 34), repeated(u, 25, 17), repeated(v, 25, 17)]);
    return packedI420(samples, { width: 50, height: 34 }, { timestamp, colour });
  };
  const padded = encodeClip(base, even, 3);
  const { stream, reconstructions } = encodeClip({ ...base, ...odd }, frameAt, 3);
  expect(stream).toEqual(padded.stream);
  expect(reconstructions).toEqual(padded.reconstructions);
});

test('temporal layers and references are named in the metadata', () => {
  const { metadata } = encodeClip({ ...base, layers: 3, keyint: 'infinite' }, clip, 9);
  expect(metadata.map((meta) => meta.temporalLayer)).toEqual([0, 2, 1, 2, 0, 2, 1, 2, 0]);
  expect(metadata.map((meta) => meta.isReference)).toEqual(metadata.map((meta) => meta.temporalLayer < 2));
});

test('wrong values are refused with a sentence that names them', () => {
  const encoder = new H264Encoder({ output: () => undefined });
  expect(() => encoder.configure({ ...base, width: 0 })).toThrow('width must be a whole number from 1 to 4096, got 0.');
  expect(() => encoder.configure({ ...base, rateControl: { kind: 'qp', qp: 52 } })).toThrow('rateControl.qp');
  expect(() => encoder.configure({ ...base, rateControl: { kind: 'bitrate', kbps: 500, maxKbps: 100 } })).toThrow(
    'rateControl.maxKbps must be at least',
  );
  expect(() => encoder.encode(clip(0))).toThrow('Call configure() before encode().');
  encoder.configure({ ...base, width: 64 });
  expect(() => encoder.encode(clip(0))).toThrow('got a frame of 50x34');
});

test('configure() ends the threads of the configuration before, and one that is refused leaves it open', () => {
  const ended: boolean[] = [];
  // Threads that never come up: the encoder does their share.
  const threadHost: ThreadHost = {
    parallelism: 2,
    start: () => {
      const index = ended.push(false) - 1;
      return {
        post: () => undefined,
        terminate: () => {
          ended[index] = true;
          return Promise.resolve();
        },
      };
    },
  };
  const types: string[] = [];
  const encoder = new H264Encoder({ output: (chunk) => types.push(chunk.type), threadHost });
  encoder.configure({ ...base, keyint: 'infinite', threads: 2 });
  encoder.encode(clip(0));
  expect(() => encoder.configure({ ...base, threads: 2, width: 0 })).toThrow(RangeError);
  encoder.encode(clip(1));
  expect(ended).toEqual([false]);
  encoder.configure({ ...base, keyint: 'infinite', threads: 2 });
  expect(ended).toEqual([true, false]);
  encoder.encode(clip(2));
  encoder.close();
  expect(ended).toEqual([true, true]);
  expect(types).toEqual(['key', 'delta', 'key']);
});

test('a still picture costs a few bytes per frame', () => {
  const still = movingPicture({ width: 50, height: 34, seed: 3, isStill: true });
  const { chunks } = encodeClip({ ...base, keyint: 'infinite' }, still, 12);
  expect(chunks[11].data.length).toBeLessThan(30);
});
