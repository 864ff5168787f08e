// The whole path with the real server: `tessera publish` in, `tessera watch`, ffprobe and the FLV address out.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { publishFile } from '../../../../server/cli/publish.ts';
import { readFlvFile } from '../../../../server/cli/publish/flv-source.ts';
import { H264Source } from '../../../../server/cli/publish/h264-source.ts';
import { watchStream } from '../../../../server/cli/watch.ts';
import type { WatchSummary } from '../../../../server/cli/watch/viewer-statistics.ts';
import { watchFlv } from '../../../../server/cli/clients/flv-subscriber.ts';
import { splitAnnexB } from '../../../../shared/bitstream/annex-b.ts';
import { parseVideoPayload } from '../../../../shared/containers/flv/video-payload.ts';
import { eventually } from '../../../support/eventually.ts';
import { run } from '../../../support/ffprobe.ts';
import { conformanceDir, describeWith } from '../../../support/requirements.ts';
import { startServe } from '../../../support/serve-process.ts';
import type { ServeProcess } from '../../../support/serve-process.ts';
import { tessera } from '../../../support/tessera-cli.ts';

const realworld = (file: string): string => join(conformanceDir, 'realworld', file);

let server: ServeProcess;
let folder = '';
const publishing: Promise<unknown>[] = [];

beforeAll(async () => {
  server = await startServe();
  folder = await mkdtemp(join(tmpdir(), 'tessera-cli-'));
}, 90_000);

afterEach(async () => {
  await Promise.allSettled(publishing.splice(0));
}, 30_000);

afterAll(async () => {
  const code = await server.stop();
  await rm(folder, { recursive: true });
  expect(code).toBe(0);
}, 30_000);

type Health = { readonly streams: readonly { readonly id: string; readonly state: string }[] };

/** Publishes in the background and resolves when the stream is live with video. */
async function publishInBackground(file: string, url: string, seconds: number, more: object = {}): Promise<void> {
  const stream = new URL(url).pathname.split('/').at(-1) ?? '';
  const done = publishFile(file, url, { seconds, loop: true, ...more });
  publishing.push(done);
  const failed = done.then(
    () => false,
    (error: unknown) => {
      throw error;
    },
  );
  const live = eventually('the stream to be live', async () => {
    const { streams } = (await (await fetch(`${server.http}/api/v1/streams`)).json()) as Health;
    return streams.some(({ id, state }) => id === stream && state === 'live');
  });
  await Promise.race([live, failed]);
}

/** `tessera watch` in a process of its own, so that what it measures is not this process at work. */
async function watchInProcess(...args: readonly string[]): Promise<WatchSummary> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const command = ['--import', tsx, resolve('server/main.ts'), 'watch', '--json', ...args];
  return JSON.parse(await run(process.execPath, command)) as WatchSummary;
}

describeWith(['material'], 'a published file', () => {
  const file = realworld('ffmpeg_h264-cbp_aac_33s.flv');

  test.each([
    ['RTMP', (name: string) => `${server.rtmp}/${name}?key=${server.key}`, 'ingest'],
    ['WebSocket', (name: string) => `${server.ws}/publish/${name}?key=${server.key}`, 'glass'],
  ])(
    'over %s is seen with the right rate, bitrate and latency kind, and no drop',
    async (protocol, address, kind) => {
      const name = `whole-${protocol}`;
      await publishInBackground(file, address(name), 12);
      const output = join(folder, `${name}.264`);
      const url = `${server.ws}/subscribe/${name}?rendition=source`;
      const summary = await watchInProcess(url, '--seconds', '5', '-o', output, '--decode');
      expect(summary).toMatchObject({ drops: 0, decodeErrors: 0, latencyMs: { kind } });
      expect(summary.fps).toBeGreaterThan(30 * 0.98);
      expect(summary.fps).toBeLessThan(30 * 1.02);
      expect(summary.joinMs).toBeLessThan(2000);
      expect(summary.latencyMs.p50).toBeGreaterThanOrEqual(-20);
      expect(summary.latencyMs.p50).toBeLessThan(1000); // a figure for a busy machine; benches measure it
      // The pictures are the file's, byte for byte.
      const sent = await pictureHashes(await fileAsAnnexB(file));
      const seen = await pictureHashes(await readFile(output));
      expect(seen.length).toBe(summary.frames);
      const start = sent.indexOf(seen[0] ?? '');
      expect(start).toBeGreaterThanOrEqual(0);
      expect(seen).toEqual(sent.slice(start, start + seen.length));
    },
    60_000,
  );

  test('ends for its viewers when the publisher says goodbye', async () => {
    await publishInBackground(file, `${server.ws}/publish/ending?key=${server.key}`, 2);
    const started = performance.now();
    const summary = await watchStream(`${server.http}/watch/ending?rendition=source`, { seconds: 30 });
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(summary.frames).toBeGreaterThan(20);
  }, 60_000);
});

describeWith(['material', 'ffmpeg'], 'the FLV address', () => {
  test('is read by ffprobe and by our viewer', async () => {
    const file = realworld('android13_720p30_h264_aac.mp4');
    await publishInBackground(file, `${server.rtmp}/flv?key=${server.key}`, 12);
    const url = `${server.http}/live/flv.flv`;
    const summary = await watchStream(url, { seconds: 3 });
    expect(summary.fps).toBeGreaterThan(29.97 * 0.97);
    expect(summary.fps).toBeLessThan(29.97 * 1.03);
    const overWebSocket = await watchStream(`${server.ws}/live/flv.flv`, { seconds: 2 });
    expect(overWebSocket.frames).toBeGreaterThan(20);
    const probed = await run('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'stream=codec_name,width',
      '-of',
      'csv=p=0',
      url,
    ]);
    expect(probed.trim().split('\n')).toEqual(['h264,1280', 'aac']);
  }, 60_000);

  test.each([['obs29_enhanced-rtmp_av1_aac.flv'], ['enhanced-rtmp_hevc_aac.flv']])(
    'gives %s back with equal payloads',
    async (file) => {
      const path = realworld(file);
      const name = file.replace(/\W/g, '-');
      await publishInBackground(path, `${server.rtmp}/${name}?key=${server.key}`, 8);
      const seen: string[] = [];
      const abort = new AbortController();
      const onUnit = (track: string, { data }: { data: Uint8Array }): void => {
        if (track === 'video') {
          seen.push(Buffer.from(data).toString('base64'));
        }
      };
      const watching = watchFlv(`${server.http}/live/${name}.flv`, { onTrack: () => undefined, onUnit }, abort.signal);
      await eventually('a hundred pictures', () => seen.length >= 100, 20_000);
      abort.abort();
      await watching;
      const sent: string[] = [];
      for await (const tag of readFlvFile(path)) {
        const payload = tag.type === 9 ? parseVideoPayload(tag.data) : null;
        if (payload?.kind === 'coded-frames') {
          sent.push(Buffer.from(payload.data).toString('base64'));
        }
      }
      const looped = [...sent, ...sent, ...sent, ...sent];
      const start = looped.indexOf(seen[0] ?? '');
      expect(start).toBeGreaterThanOrEqual(0);
      expect(seen.slice(0, 100)).toEqual(looped.slice(start, start + 100));
    },
    60_000,
  );
});

/** NAL units of each picture of a byte stream, as text; without parameter sets. */
async function pictureHashes(bytes: Uint8Array): Promise<string[]> {
  const path = join(folder, 'pictures.264');
  await writeFile(path, bytes);
  const pictures: string[] = [];
  for await (const event of new H264Source(path).events()) {
    if (event.kind === 'unit') {
      pictures.push(Buffer.from(event.unit.data).toString('base64'));
    }
  }
  return pictures;
}

/** The video of an FLV file as a byte stream, by ffmpeg-free means: our own writer with the file's parameter sets. */
async function fileAsAnnexB(path: string): Promise<Uint8Array> {
  const { AnnexBFile } = await import('../../../../server/cli/watch/annex-b-file.ts');
  const { FlvUnitSource } = await import('../../../../server/cli/publish/flv-source.ts');
  const output = join(folder, 'file.264');
  const file = new AnnexBFile(output);
  for await (const event of new FlvUnitSource(path).events()) {
    if (event.kind === 'track') {
      if (event.name === 'video') {
        file.configure(event.config);
      }
    } else if (event.kind === 'unit' && event.name === 'video') {
      file.write({ isKey: event.unit.priority === 'key', data: event.unit.data });
    }
  }
  await file.close();
  const bytes = await readFile(output);
  expect(splitAnnexB(bytes).length).toBeGreaterThan(100);
  return bytes;
}

describeWith(['material'], 'what goes wrong', () => {
  const file = realworld('ffmpeg_h264-cbp_aac_33s.flv');

  test.each([
    ['a wrong key over WebSocket', () => ['publish', file, `${server.ws}/publish/x?key=nope`], 1, 'wrong-key'],
    ['a wrong key over RTMP', () => ['publish', file, `${server.rtmp}/x?key=nope`], 1, 'wrong-key'],
    [
      'an unknown host',
      () => ['publish', file, 'rtmp://no-such-host.invalid/live/x'],
      1,
      'Cannot connect to no-such-host.invalid',
    ],
    ['a port where nobody listens', () => ['publish', file, 'ws://127.0.0.1:1/publish/x'], 1, 'ECONNREFUSED'],
    [
      'a file that is not there',
      () => ['publish', join(folder, 'none.flv'), `${server.ws}/publish/x`],
      1,
      'there is no such file',
    ],
    ['a file that is no media', () => ['publish', 'package.json', `${server.ws}/publish/x`], 1, 'package.json'],
    [
      'an address of another kind',
      () => ['publish', file, 'ftp://host/x'],
      2,
      'must start with ws://, wss:// or rtmp://',
    ],
    ['an RTMP address without a stream', () => ['publish', file, 'rtmp://host/live'], 2, 'looks like rtmp://'],
    ['raw pictures over RTMP', () => ['publish', file, `${server.rtmp}/x`, '--raw'], 2, 'RTMP carries no raw pictures'],
    [
      'both ways at once',
      () => ['publish', file, `${server.ws}/publish/x`, '--raw', '--encode'],
      2,
      '--raw or --encode',
    ],
    ['a number that is none', () => ['publish', file, `${server.ws}/publish/x`, '--seconds', 'x'], 2, 'Give a number'],
    ['an unknown stream', () => ['watch', `${server.ws}/subscribe/nobody`], 1, 'nobody'],
    ['an unknown FLV stream', () => ['watch', `${server.http}/live/nobody.flv`], 1, 'nobody'],
    ['a page that is no watch page', () => ['watch', `${server.http}/console`], 2, '/watch/STREAM'],
  ])(
    '%s is one sentence and the right exit code',
    async (_name, args, code, sentence) => {
      const result = await tessera(...args());
      const [first, ...others] = result.stderr.trim().split('\n');
      expect(first).toContain(sentence);
      expect(others).toEqual(
        code === 1 ? [] : others.filter((line) => line === '(tessera COMMAND --help lists the flags)'),
      );
      expect(result).toMatchObject({ code, stdout: '' });
    },
    30_000,
  );

  test('a truncated file is sent up to its end and reported', async () => {
    const path = join(folder, 'truncated.flv');
    await writeFile(path, (await readFile(file)).subarray(0, 60_000));
    const result = await tessera('publish', path, `${server.rtmp}/truncated?key=${server.key}`);
    expect(result).toMatchObject({ code: 1, stderr: 'tessera: The FLV data ends in the middle of a tag.\n' });
  }, 30_000);

  test('a stream that somebody else publishes is busy for another key holder', async () => {
    await publishInBackground(file, `${server.rtmp}/taken?key=${server.key}`, 4);
    const result = await tessera('publish', file, `${server.ws}/publish/taken?key=${server.key}`);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('(busy)');
  }, 30_000);

  test('prints one JSON document', async () => {
    const result = await tessera(
      'publish',
      file,
      `${server.ws}/publish/json?key=${server.key}`,
      '--seconds',
      '1',
      '--json',
    );
    expect(JSON.parse(result.stdout)).toMatchObject({ seconds: expect.any(Number), units: expect.any(Number) });
    expect(result).toMatchObject({ code: 0, stderr: '' });
  }, 30_000);
});
