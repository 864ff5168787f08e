// What `tessera publish` reads from files, beside what ffprobe reads and what the conformance manifest says.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DecodingSource } from '../../../../server/cli/publish/decoding-source.ts';
import { H264Source } from '../../../../server/cli/publish/h264-source.ts';
import type { MediaSource } from '../../../../server/cli/publish/media-source.ts';
import { Mp4Source } from '../../../../server/cli/publish/mp4-source.ts';
import { kindOfFile, openSource } from '../../../../server/cli/publish/open-source.ts';
import type { AccessUnit, TrackConfig } from '../../../../shared/media/access-unit.ts';
import { probePackets, run } from '../../../support/ffprobe.ts';
import { conformanceDir, describeWith } from '../../../support/requirements.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tessera-sources-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function readAll(
  source: MediaSource,
): Promise<{ tracks: Map<string, TrackConfig>; units: Map<string, AccessUnit[]> }> {
  const tracks = new Map<string, TrackConfig>();
  const units = new Map<string, AccessUnit[]>();
  for await (const event of source.events()) {
    if (event.kind === 'track') {
      tracks.set(event.name, event.config);
    } else if (event.kind === 'unit') {
      units.set(event.name, [...(units.get(event.name) ?? []), event.unit]);
    }
  }
  return { tracks, units };
}

const placesOf = (times: readonly number[]): number[] => {
  const sorted = times.toSorted((a, b) => a - b);
  return times.map((time) => sorted.indexOf(time));
};

describeWith(['ffmpeg'], 'files of ffmpeg', () => {
  const make = async (name: string, ...flags: readonly string[]): Promise<string> => {
    const path = join(folder, name);
    await run('ffmpeg', [
      ...['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=s=192x144:r=25', '-f', 'lavfi', '-i', 'sine=r=48000'],
      ...['-t', '3', '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-bf', '3', '-g', '25', ...flags, path],
    ]);
    return path;
  };

  test.each([['a.mp4'], ['a.mov'], ['a.mkv']])(
    '%s with B-frames gives the packets that ffprobe sees',
    async (name) => {
      const path = await make(name, '-c:a', 'aac');
      expect(await kindOfFile(path)).toBe('mp4');
      const { tracks, units } = await readAll(new Mp4Source(path));
      expect(tracks.get('video')).toMatchObject({ width: 192, height: 144, fps: 25 });
      const packets = await probePackets(path);
      for (const track of ['video', 'audio'] as const) {
        const found = units.get(track) ?? [];
        const probed = packets.filter(({ codec_type }) => codec_type === track);
        expect(found.map(({ data }) => data.length)).toEqual(probed.map(({ size }) => Number(size)));
        expect(placesOf(found.map(({ pts }) => pts))).toEqual(placesOf(probed.map(({ pts_time }) => Number(pts_time))));
        expect(found.every(({ pts, dts }) => pts >= dts)).toBe(true);
        const dts = found.map((unit) => unit.dts);
        expect(dts).toEqual(dts.toSorted((a, b) => a - b));
      }
    },
    60_000,
  );

  test('an elementary stream with B-frames is shown in the order of the file that it came from', async () => {
    const mp4 = await make('b.mp4', '-an');
    const path = join(folder, 'b.264');
    await run('ffmpeg', ['-v', 'error', '-y', '-i', mp4, '-c', 'copy', '-bsf:v', 'h264_mp4toannexb', path]);
    expect(await kindOfFile(path)).toBe('h264');
    const fromMp4 = (await readAll(new Mp4Source(mp4))).units.get('video') ?? [];
    const { units, tracks } = await readAll(new H264Source(path));
    const video = units.get('video') ?? [];
    expect(tracks.get('video')).toMatchObject({ fps: 25 });
    expect(placesOf(video.map(({ pts }) => pts))).toEqual(placesOf(fromMp4.map(({ pts }) => pts)));
    expect(video.map(({ pts, dts }) => pts - dts)).toEqual(fromMp4.map(({ pts, dts }) => pts - dts));
    expect(video.some(({ priority }) => priority === 'discardable')).toBe(true);
  }, 60_000);

  test('a decoded file gives its pictures in the order of showing', async () => {
    const path = await make('c.mp4', '-an');
    const times: number[] = [];
    for await (const event of new DecodingSource(new Mp4Source(path)).events()) {
      if (event.kind === 'frame') {
        expect([event.frame.width, event.frame.height]).toEqual([192, 144]);
        times.push(event.frame.timestamp);
        event.frame.close();
      }
    }
    expect(times).toHaveLength(75);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  }, 60_000);

  test('what only ffmpeg can open is refused by a sentence when it is no media', async () => {
    const events = openSource('package.json', await kindOfFile('package.json'), { asTags: false }).events();
    await expect(events[Symbol.asyncIterator]().next()).rejects.toThrow('package.json');
  }, 60_000);
});

describeWith(['material'], 'the conformance streams as elementary streams', () => {
  test('give as many pictures as the manifest says, none shown before it is decoded', async () => {
    const folderOfStreams = join(conformanceDir, 'dev');
    const manifest = JSON.parse(await readFile(join(folderOfStreams, 'manifest.json'), 'utf8')) as readonly {
      readonly file: string;
      readonly frames: number | null;
    }[];
    const counted = manifest.filter(({ frames }) => frames !== null);
    expect(counted.length).toBeGreaterThan(90);
    const wrong: string[] = [];
    for (const { file, frames } of counted) {
      const { units } = await readAll(new H264Source(join(folderOfStreams, file)));
      const video = units.get('video') ?? [];
      const isOrdered =
        video.every(({ pts, dts }) => pts >= dts) && new Set(video.map(({ pts }) => pts)).size === video.length;
      if (video.length !== frames || !isOrdered) {
        wrong.push(`${file}: ${video.length} of ${frames}`);
      }
    }
    expect(wrong).toEqual([]);
  }, 240_000);
});
