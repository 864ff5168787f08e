// Files that ffmpeg remuxes for `tessera publish`: what comes out is what ffprobe finds in the file.

import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { importFile, type ImportEvent } from '../../../server/transcode/ffmpeg/import-file.ts';
import { ffmpeg, temporaryFolder, testPicture } from '../../support/ffmpeg-clips.ts';
import { describeWith } from '../../support/requirements.ts';

async function all(path: string): Promise<ImportEvent[]> {
  const events: ImportEvent[] = [];
  for await (const event of importFile(path)) {
    events.push(event);
  }
  return events;
}

/** Sizes of the packets of one stream, as ffprobe lists them. */
function packetSizes(path: string, stream: 'v' | 'a'): number[] {
  const args = ['-v', 'error', '-select_streams', stream, '-show_entries', 'packet=size', '-of', 'compact', path];
  const list = spawnSync('ffprobe', args).stdout.toString();
  return [...list.matchAll(/^packet\|size=(\d+)/gm)].map((match) => Number(match[1]));
}

/** Other things run on the machine: what is waited for comes, but late. */
jest.setTimeout(180_000);

describeWith(['ffmpeg'], 'importFile', () => {
  const folder = temporaryFolder('import');
  afterAll(() => {
    folder.remove();
  });
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=1'];
  const make = (name: string, codecs: readonly string[]): string => {
    const path = join(folder.path, name);
    ffmpeg([...testPicture('320x180', 1), ...sound, ...codecs, path]);
    return path;
  };

  test.each([
    ['clip.mkv', ['-c:v', 'libx264', '-bf', '3', '-c:a', 'libopus'], /^avc1\.64/, 'opus'],
    ['clip.mov', ['-c:v', 'libx265', '-x265-params', 'log-level=none', '-c:a', 'aac'], /^hvc1\.1\.6\.L/, 'mp4a.40.2'],
    ['clip.webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-c:a', 'libopus'], /^vp09/, 'opus'],
  ])('gives every packet of %s with growing decoding times', async (name, codecs, video, audio) => {
    const path = make(name, codecs);
    const events = await all(path);
    const tracks = events.flatMap((event) => (event.kind === 'track' ? [event.config] : []));
    expect(tracks.map(({ kind }) => kind)).toEqual(['video', 'audio']);
    expect(tracks[0].codec).toMatch(video);
    expect(tracks[0]).toMatchObject({ width: 320, height: 180 });
    expect(tracks[1].codec).toBe(audio);
    for (const [track, letter] of [
      ['video', 'v'],
      ['audio', 'a'],
    ] as const) {
      const units = events.flatMap((event) => (event.kind === 'unit' && event.name === track ? [event.unit] : []));
      expect(units.map(({ data }) => data.length)).toEqual(packetSizes(path, letter));
      expect(units[0].priority).toBe('key');
      units.forEach((unit, i) => {
        expect(unit.dts).toBeLessThanOrEqual(unit.pts);
        expect(i === 0 || unit.dts >= units[i - 1].dts).toBe(true);
      });
    }
  });

  test('stops the child when the reader has enough', async () => {
    const path = make('long.mkv', ['-c:v', 'libx264', '-c:a', 'libopus']);
    for await (const event of importFile(path)) {
      if (event.kind === 'unit') {
        break;
      }
    }
    expect(spawnSync('pgrep', ['-f', path]).stdout.toString()).toBe('');
  });

  test('says in one sentence what is wrong with a file', async () => {
    const good = make('good.mkv', ['-c:v', 'libx264', '-c:a', 'libopus']);
    const cut = join(folder.path, 'cut.mkv');
    writeFileSync(cut, readFileSync(good));
    truncateSync(cut, 20_000);
    const text = join(folder.path, 'text.mkv');
    writeFileSync(text, 'no video here');
    const old = make('old.avi', ['-c:v', 'mpeg4', '-c:a', 'aac']);
    await expect(all(cut)).rejects.toThrow(/cut\.mkv is damaged or ends early: File ended prematurely/);
    await expect(all(text)).rejects.toThrow(/text\.mkv cannot be read: .*Invalid data/s);
    await expect(all(old)).rejects.toThrow(/^\S*old\.avi has video of type "FMP4"/);
    await expect(all(join(folder.path, 'none.mkv'))).rejects.toThrow(/none\.mkv does not exist/);
  });

  test('names ffmpeg when it is missing', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nowhere';
    try {
      await expect(all('any.mkv')).rejects.toThrow('Reading any.mkv needs ffmpeg, and ffmpeg is not on the PATH');
    } finally {
      process.env['PATH'] = path;
    }
  });
});
