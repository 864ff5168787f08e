// Real media through the RTMP ingest and out of the FLV muxer: what ffmpeg pushes, and the files of the material, byte for byte.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseRtmpAddress, RtmpClient } from '../../../../../server/cli/clients/rtmp-client.ts';
import { readFlvFile } from '../../../../../server/cli/publish/flv-source.ts';
import { RtmpIngest } from '../../../../../server/ingest/rtmp/rtmp-ingest.ts';
import { describeVideo } from '../../../../../server/ingest/video-description/video-description.ts';
import { parseAudioPayload } from '../../../../../shared/containers/flv/audio-payload.ts';
import { FlvMuxer, flvSequenceTag, flvUnitTag } from '../../../../../shared/containers/flv/flv-muxer.ts';
import { FLV_TAG_TYPES } from '../../../../../shared/containers/flv/flv-tag.ts';
import type { FlvTag } from '../../../../../shared/containers/flv/flv-tag.ts';
import { parseVideoPayload } from '../../../../../shared/containers/flv/video-payload.ts';
import type { TrackConfig } from '../../../../../shared/media/access-unit.ts';
import { concat } from '../../../../support/hex.ts';
import { eventually } from '../../../../support/eventually.ts';
import { probePackets, run } from '../../../../support/ffprobe.ts';
import { RecordingAdmission } from '../../../../support/recording-admission.ts';
import type { RecordedPublisher } from '../../../../support/recording-admission.ts';
import { conformanceDir, describeWith } from '../../../../support/requirements.ts';

const admission = new RecordingAdmission({ keys: ['k'] });
let ingest: RtmpIngest;
let port = 0;
let folder = '';

beforeAll(async () => {
  ingest = new RtmpIngest({ host: '127.0.0.1', port: 0, admission, describeVideo });
  port = await ingest.start();
  folder = await mkdtemp(join(tmpdir(), 'tessera-rtmp-'));
});

afterAll(async () => {
  await ingest.stop();
  await rm(folder, { recursive: true });
});

function lastPublisher(): RecordedPublisher {
  const publisher = admission.publishers.at(-1);
  if (publisher === undefined) {
    throw new Error('Nobody published.');
  }
  return publisher;
}

async function publishFlv(path: string, stream: string): Promise<RecordedPublisher> {
  const client = await RtmpClient.publish(parseRtmpAddress(`rtmp://127.0.0.1:${port}/live/${stream}?key=k`));
  for await (const tag of readFlvFile(path)) {
    await client.send(tag);
  }
  await client.close();
  const publisher = lastPublisher();
  await eventually('the end of the stream', () => publisher.end === 'finished');
  return publisher;
}

const profiles = [
  ['High profile with three B-frames', ['-profile:v', 'high', '-bf', '3', '-b_strategy', '0']],
  ['Constrained Baseline', ['-profile:v', 'baseline']],
] as const;

describeWith(['ffmpeg'], 'ffmpeg as publisher and reader', () => {
  test.each(profiles)(
    'passes %s and AAC on as ffprobe sees it in the file',
    async (name, flags) => {
      const path = join(folder, `${name.replaceAll(' ', '-')}.flv`);
      await run('ffmpeg', [
        ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=25', '-f', 'lavfi', '-i', 'sine=f=440:r=48000'],
        ...['-t', '4', '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', ...flags],
        ...['-c:a', 'aac', '-ac', '2', path],
      ]);
      const target = `rtmp://127.0.0.1:${port}/live/${name.replaceAll(' ', '-')}?key=k`;
      await run('ffmpeg', ['-v', 'error', '-i', path, '-c', 'copy', '-f', 'flv', target]);
      const publisher = lastPublisher();
      await eventually('the end of the stream', () => publisher.end === 'finished');
      expect(publisher.tracks).toMatchObject([
        ['video', { width: 320, height: 240, fps: 25 }],
        ['audio', { codec: 'mp4a.40.2', sampleRate: 48000, channels: 2 }],
      ]);
      const packets = await probePackets(path);
      const milliseconds = (text: string): number => Math.round(Number(text) * 1000);
      const probedOrigin = Math.min(...packets.map(({ dts_time }) => milliseconds(dts_time)));
      const origin = Math.min(...publisher.units.map(([, { dts }]) => dts / 1000));
      for (const track of ['video', 'audio'] as const) {
        expect(
          publisher.unitsOf(track).map(({ pts, dts, data, priority }) => ({
            pts: pts / 1000 - origin,
            dts: dts / 1000 - origin,
            size: data.length,
            isKey: priority === 'key',
          })),
        ).toEqual(
          packets
            .filter(({ codec_type }) => codec_type === track)
            .map(({ pts_time, dts_time, size, flags: marks }) => ({
              pts: milliseconds(pts_time) - probedOrigin,
              dts: milliseconds(dts_time) - probedOrigin,
              size: Number(size),
              isKey: marks.startsWith('K'),
            })),
        );
      }
      const hasReordering = publisher.unitsOf('video').some(({ pts, dts }) => pts - dts > 80_000);
      expect(hasReordering).toBe(name.startsWith('High'));
      expect(publisher.unitsOf('video').some(({ priority }) => priority === 'discardable')).toBe(
        name.startsWith('High'),
      );
    },
    60_000,
  );

  test('writes FLV that ffprobe reads back with the same packets and ffmpeg decodes without a warning', async () => {
    const publisher = lastPublisher();
    const muxer = new FlvMuxer();
    const bytes = concat(
      ...muxer.start(new Map<string, TrackConfig>(publisher.tracks)),
      ...publisher.units.map(([name, unit]) => muxer.unit(name, unit)),
    );
    const path = join(folder, 'muxed.flv');
    await writeFile(path, bytes);
    const packets = await probePackets(path);
    expect(packets.map(({ codec_type, size, dts_time }) => [codec_type, Number(size), Number(dts_time)])).toEqual(
      publisher.units.map(([name, { data, dts }]) => [name, data.length, Math.floor(dts / 1000) / 1000]),
    );
    await expect(run('ffmpeg', ['-v', 'warning', '-xerror', '-i', path, '-f', 'null', '-'])).resolves.toBe('');
  }, 60_000);
});

/** Media payloads of the tags, without what is no media: sequence ends, metadata, commands. */
function mediaPayloads(tags: readonly FlvTag[]): string[] {
  return tags
    .filter(({ type, data }) => {
      if (type === FLV_TAG_TYPES.script || data.length === 0) {
        return false;
      }
      const { kind } = type === FLV_TAG_TYPES.video ? parseVideoPayload(data) : parseAudioPayload(data);
      return kind === 'sequence-start' || kind === 'coded-frames';
    })
    .map(({ type, data }) => `${type} ${Buffer.from(data).toString('base64')}`);
}

describeWith(['material'], 'the realworld FLV files', () => {
  test.each([
    ['obs29_enhanced-rtmp_av1_aac.flv', 'av01.0.13M.08', 2560, 1440],
    ['enhanced-rtmp_hevc_aac.flv', 'hvc1.1.6.L153.90', 3840, 2160],
    ['ffmpeg_h264-cbp_aac_33s.flv', 'avc1.42e015', 480, 270],
  ])(
    '%s goes in by our client and comes out of the muxer with equal payloads',
    async (file, codec, width, height) => {
      const path = join(conformanceDir, 'realworld', file);
      const publisher = await publishFlv(path, file.replace(/\W/g, '-'));
      const configs = new Map(publisher.tracks);
      expect(configs.get('video')).toMatchObject({ codec, width, height });
      const original: FlvTag[] = [];
      for await (const tag of readFlvFile(path)) {
        original.push(tag);
      }
      const headers = publisher.tracks.map(([, config]) => flvSequenceTag(config));
      const units = publisher.units.map(([name, unit]) => {
        const config = configs.get(name);
        return config === undefined ? null : flvUnitTag(config, unit);
      });
      const muxed = [...headers, ...units].filter((tag) => tag !== null);
      const expected = mediaPayloads(original);
      expect(expected.length).toBeGreaterThan(200);
      expect(mediaPayloads(muxed).toSorted()).toEqual(expected.toSorted());
      // The order of each track's frames is the file's.
      const frames = (tags: readonly FlvTag[], type: number): string[] =>
        mediaPayloads(tags.filter((tag) => tag.type === type)).slice(1);
      expect(frames(muxed, FLV_TAG_TYPES.video)).toEqual(frames(original, FLV_TAG_TYPES.video));
      expect(frames(muxed, FLV_TAG_TYPES.audio)).toEqual(frames(original, FLV_TAG_TYPES.audio));
    },
    60_000,
  );

  test('a truncated file is published up to its end and reported', async () => {
    const whole = await readFile(join(conformanceDir, 'realworld', 'ffmpeg_h264-cbp_aac_33s.flv'));
    const path = join(folder, 'truncated.flv');
    await writeFile(path, whole.subarray(0, 100_000));
    await expect(publishFlv(path, 'truncated')).rejects.toThrow('The FLV data ends in the middle of a tag.');
  });
});

describe('a publisher with a damaged picture', () => {
  test('goes on: the access unit is passed as it is', async () => {
    const client = await RtmpClient.publish(parseRtmpAddress(`rtmp://127.0.0.1:${port}/live/damaged?key=k`));
    const { avcSequenceHeader, avcPicture } = await import('../../../../support/flv-synthesis.ts');
    await client.send(avcSequenceHeader());
    const broken = avcPicture(1);
    broken.data[6] = 0x7f; // a NAL length that leaves the unit
    await client.send(broken);
    await client.send(avcPicture(2));
    const publisher = lastPublisher();
    await eventually('both pictures', () => publisher.units.length === 2);
    expect(publisher.end).toBeNull();
    client.destroy();
  });
});
