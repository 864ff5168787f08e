import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { audioTrackConfig, mp3TrackConfig } from '../../../../../shared/containers/flv/audio-config.ts';
import { FlvDemuxer } from '../../../../../shared/containers/flv/flv-demuxer.ts';
import type { VideoFacts } from '../../../../../shared/containers/flv/flv-demuxer.ts';
import { flvSequenceTag, flvUnitTag, FlvMuxer } from '../../../../../shared/containers/flv/flv-muxer.ts';
import { FlvTagReader } from '../../../../../shared/containers/flv/flv-tag.ts';
import type { FlvTag } from '../../../../../shared/containers/flv/flv-tag.ts';
import { parseOnMetaData, writeOnMetaData } from '../../../../../shared/containers/flv/on-meta-data.ts';
import { ContainerError, ProtocolError } from '../../../../../shared/errors.ts';
import type { AccessUnit, TrackConfig, VideoTrackConfig } from '../../../../../shared/media/access-unit.ts';
import { UNSPECIFIED_COLOUR } from '../../../../../shared/media/colour.ts';
import { microseconds } from '../../../../../shared/media/time.ts';
import { concat, hex } from '../../../../support/hex.ts';

const AVCC = hex('01 42c01e ff e1 0000 01 0000');
const IDR = hex('00000002 6588');
const REFERENCE = hex('00000002 419a');
const DISCARDABLE = hex('00000002 019a');

const facts = (record: Uint8Array): VideoFacts => ({
  codec: 'avc1.42c01e',
  width: record[3] ?? 0, // the tests' way to tell sizes apart
  height: 360,
  sampleAspect: [1, 1],
  colour: UNSPECIFIED_COLOUR,
});

function collector() {
  const tracks: (readonly [string, TrackConfig])[] = [];
  const units: (readonly [string, AccessUnit])[] = [];
  const demuxer = new FlvDemuxer({
    describeVideo: (_codec, record) => facts(record),
    onTrack: (name, config) => tracks.push([name, config]),
    onUnit: (name, unit) => units.push([name, unit]),
  });
  const push = (type: FlvTag['type'], timestamp: number, ...parts: Uint8Array[]): void =>
    demuxer.push({ type, timestamp, data: concat(...parts) }, microseconds(7));
  return { tracks, units, demuxer, push };
}

const sequenceHeader = (record: Uint8Array): Uint8Array => concat(hex('17 00 000000'), record);

test('announces a video track before its first unit and takes signed composition times', () => {
  const { tracks, units, push } = collector();
  push(9, 0, sequenceHeader(AVCC));
  push(9, 100, hex('17 01 000050'), IDR);
  push(9, 133, hex('27 01 ffffd8'), DISCARDABLE);
  push(9, 166, hex('27 01 000000'), REFERENCE);
  expect(tracks).toEqual([['video', { kind: 'video', ...facts(AVCC), description: AVCC }]]);
  expect(units.map(([, unit]) => [unit.priority, unit.dts, unit.pts, unit.arrivalTime])).toEqual([
    ['key', 100_000, 180_000, 7],
    ['discardable', 133_000, 93_000, 7],
    ['reference', 166_000, 166_000, 7],
  ]);
  expect(units[0][1].data).toEqual(IDR);
});

test('announces the track again when the sequence header changes in mid-stream, and not when it is repeated', () => {
  const { tracks, push } = collector();
  const wider = Uint8Array.from(AVCC);
  wider[3] = 77;
  push(9, 0, sequenceHeader(AVCC));
  push(9, 0, sequenceHeader(AVCC));
  push(9, 40, sequenceHeader(wider));
  expect(tracks.map(([, config]) => config.kind === 'video' && config.width)).toEqual([0x1e, 77]);
});

test('goes on in time when the 32-bit timestamp wraps', () => {
  const { units, push } = collector();
  push(9, 0, sequenceHeader(AVCC));
  push(9, 0xffffffe0, hex('17 01 000000'), IDR);
  push(9, 0x00000010, hex('27 01 000000'), REFERENCE);
  expect(units[1][1].dts - units[0][1].dts).toBe(0x30 * 1000);
});

test('goes on in time when the publisher restarts its clock', () => {
  const { units, push } = collector();
  push(9, 0, sequenceHeader(AVCC));
  push(9, 600_000, hex('17 01 000000'), IDR);
  push(9, 0, hex('17 01 000000'), IDR);
  push(9, 40, hex('27 01 000000'), REFERENCE);
  expect(units.map(([, unit]) => unit.dts / 1000)).toEqual([600_000, 600_040, 600_080]);
});

test('never lets a decoding time step back within a track', () => {
  const { units, push } = collector();
  push(9, 0, sequenceHeader(AVCC));
  for (const timestamp of [100, 60, 140]) {
    push(9, timestamp, hex('27 01 000000'), REFERENCE);
  }
  expect(units.map(([, unit]) => unit.dts / 1000)).toEqual([100, 100, 140]);
});

test('keeps audio and video of one timeline together across a wrap', () => {
  const { units, push } = collector();
  push(9, 0xfffffff0, sequenceHeader(AVCC));
  push(8, 0xfffffff0, hex('af 00 1190'));
  push(9, 0xfffffff0, hex('17 01 000000'), IDR);
  push(8, 0x00000005, hex('af 01 2100'));
  push(9, 0xfffffffa, hex('27 01 000000'), REFERENCE); // video a little behind, still before the wrap
  expect(units.map(([name, unit]) => [name, unit.dts / 1000])).toEqual([
    ['video', 0xfffffff0],
    ['audio', 0x100000005],
    ['video', 0xfffffffa],
  ]);
});

test('counts frames that come before their sequence header and drops them', () => {
  const { units, demuxer, push } = collector();
  push(9, 0, hex('17 01 000000'), IDR);
  push(8, 0, hex('af 01 2100'));
  push(8, 0);
  expect(units).toEqual([]);
  expect(demuxer.counters).toEqual({ unitsBeforeConfig: 2, ignoredTags: 1 });
});

test('takes a damaged access unit as a reference picture', () => {
  const { units, push } = collector();
  push(9, 0, sequenceHeader(AVCC));
  push(9, 0, hex('27 01 000000 7fffffff 41'));
  expect(units[0][1].priority).toBe('reference');
});

test('takes a flagged recovery point without IDR slices as a key unit', () => {
  const { units, push } = collector();
  push(9, 0, sequenceHeader(AVCC));
  push(9, 0, hex('17 01 000000 00000002 4188'));
  expect(units[0][1].priority).toBe('key');
});

test.each([
  ['AAC-LC at 48 kHz stereo', 'aac' as const, '1190', 'mp4a.40.2', 48000, 2],
  ['AAC-LC at 44.1 kHz mono', 'aac' as const, '1208', 'mp4a.40.2', 44100, 1],
  ['HE-AAC with its output rate', 'aac' as const, '2b920800', 'mp4a.40.5', 44100, 2],
  ['Opus', 'opus' as const, '4f70757348656164 01 02 3801 80bb0000 0000 00', 'opus', 48000, 2],
  [
    'FLAC',
    'flac' as const,
    `664c6143 80000022 1000 1000 000000 000000 0bb80 2f000000000${'00'.repeat(16)}`,
    'flac',
    48000,
    2,
  ],
])('describes %s', (_name, codec, record, codecString, sampleRate, channels) => {
  expect(audioTrackConfig(codec, hex(record))).toMatchObject({ codec: codecString, sampleRate, channels });
});

test('describes MP3 by its first frame header', () => {
  expect(mp3TrackConfig(hex('fffb9064'))).toEqual({ kind: 'audio', codec: 'mp3', sampleRate: 44100, channels: 2 });
  expect(mp3TrackConfig(hex('00000000'))).toBeNull();
});

test.each([['aac'], ['opus'], ['flac']] as const)('refuses an empty configuration of %s', (codec) => {
  expect(() => audioTrackConfig(codec, hex(''))).toThrow(ContainerError);
});

test('reads the numbers of onMetaData, also behind @setDataFrame, and nothing that is no number', () => {
  const config: VideoTrackConfig = { kind: 'video', ...facts(AVCC), fps: 29.97 };
  expect(parseOnMetaData(writeOnMetaData([config]))).toEqual({ width: 0x1e, height: 360, framerate: 29.97 });
  expect(parseOnMetaData(hex('02 0006 6f6e43756550', '05'))).toBeNull();
  expect(parseOnMetaData(hex('02 000a 6f6e4d65746144617461', '06'))).toBeNull();
});

const video: VideoTrackConfig = { kind: 'video', ...facts(AVCC), description: AVCC };
const audio: TrackConfig = {
  kind: 'audio',
  codec: 'mp4a.40.2',
  description: hex('1190'),
  sampleRate: 48000,
  channels: 2,
};

test('muxes units so that the demuxer finds the same tracks and units', () => {
  const unit = fc.record({
    dtsMs: fc.nat(9000),
    compositionTime: fc.integer({ min: -200, max: 200 }),
    isKey: fc.boolean(),
    isAudio: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 20 }), (plan) => {
      const sorted = plan.toSorted((a, b) => a.dtsMs - b.dtsMs);
      const expected = sorted.map(({ dtsMs, compositionTime, isKey, isAudio }) => {
        const name = isAudio ? 'audio' : 'video';
        const result: AccessUnit = {
          priority: isAudio || isKey ? 'key' : 'reference',
          dts: microseconds(dtsMs * 1000),
          pts: microseconds((dtsMs + (isAudio ? 0 : compositionTime)) * 1000),
          data: isAudio ? hex('2100') : isKey ? IDR : REFERENCE,
          arrivalTime: microseconds(7),
        };
        return [name, result] as const;
      });
      const muxer = new FlvMuxer();
      const bytes = concat(
        ...muxer.start(
          new Map<string, TrackConfig>([
            ['video', video],
            ['audio', audio],
          ]),
        ),
        ...expected.map(([name, value]) => muxer.unit(name, value)),
      );
      const { tracks, units, demuxer } = collector();
      for (const tag of new FlvTagReader().push(bytes)) {
        demuxer.push(tag, microseconds(7));
      }
      expect(tracks).toEqual([
        ['video', video],
        ['audio', audio],
      ]);
      expect(units).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});

test('writes HEVC, AV1 and Opus as Enhanced RTMP', () => {
  const unit: AccessUnit = {
    priority: 'key',
    dts: microseconds(0),
    pts: microseconds(40_000),
    data: hex('0011'),
    arrivalTime: microseconds(0),
  };
  expect(flvUnitTag({ ...video, codec: 'hvc1.1.6.L93.B0' }, unit).data).toEqual(hex('91 68766331 000028 0011'));
  expect(flvUnitTag({ ...video, codec: 'av01.0.04M.08' }, unit).data).toEqual(hex('91 61763031 0011'));
  expect(flvUnitTag({ ...audio, codec: 'opus' }, unit).data).toEqual(hex('91 4f707573 0011'));
  expect(flvSequenceTag({ ...video, codec: 'hvc1.1.6.L93.B0' })?.data).toEqual(concat(hex('90 68766331'), AVCC));
});

test('makes the record that VP9 needs where the track has none', () => {
  const rest: VideoTrackConfig = { kind: 'video', ...facts(AVCC) };
  expect(flvSequenceTag({ ...rest, codec: 'vp09.00.31.08' })?.data).toEqual(hex('90 76703039 00 1f 82 020202 0000'));
  expect(flvSequenceTag({ ...rest, codec: 'avc1.42c01e' })).toBeNull();
});

test('refuses to mux what FLV cannot carry', () => {
  const muxer = new FlvMuxer();
  expect(() => muxer.setTrack('video', { ...video, codec: 'raw/i420' })).toThrow(ProtocolError);
  expect(() => muxer.setTrack('audio', { ...audio, codec: 'ac-3' })).toThrow('FLV cannot carry ac-3');
});

test('wraps the written timestamp at 32 bits', () => {
  const unit: AccessUnit = {
    priority: 'key',
    dts: microseconds((2 ** 32 + 5) * 1000),
    pts: microseconds((2 ** 32 + 5) * 1000),
    data: IDR,
    arrivalTime: microseconds(0),
  };
  expect(flvUnitTag(video, unit).timestamp).toBe(5);
});
