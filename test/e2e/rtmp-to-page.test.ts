// The product's main path: ffmpeg pushes a real clip over RTMP to `tessera serve`, and a real browser plays it: the source passed
// through, equal to ffmpeg's decoding, and by default the rendition that our encoder made, close to it.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { i420ByteLength } from '../../shared/media/frame.ts';
import { launchBrowser, openPage, type WatchedPage } from '../support/browser.ts';
import { ensurePages } from '../support/pages.ts';
import { fetchFrame, statsOf, waitForStats, waitUntil, type FetchedFrame } from '../support/player-page.ts';
import { describeWith, materialDir } from '../support/requirements.ts';
import { startServe, type ServeProcess } from '../support/serve-process.ts';

const CLIP = `${materialDir}/clips/bbb720.mp4`;
const WIDTH = 1280;
const HEIGHT = 720;
const FPS = 24;
const WITHOUT_WEBCODECS = 'delete window.VideoDecoder; delete window.VideoEncoder;';

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

function psnrY(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < WIDTH * HEIGHT; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    sum += difference * difference;
  }
  return 10 * Math.log10((255 * 255 * WIDTH * HEIGHT) / Math.max(sum, 1));
}

describeWith(['material', 'ffmpeg', 'chromium'], 'from ffmpeg over RTMP to the page', () => {
  let browser: Browser;
  let server: ServeProcess;
  let publisher: ChildProcess | undefined;
  let truth: Uint8Array[];

  beforeAll(async () => {
    expect(existsSync(CLIP)).toBe(true);
    ensurePages();
    const { stdout } = spawnSync('ffmpeg', ['-v', 'error', '-i', CLIP, '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-'], {
      maxBuffer: 400_000_000,
    });
    const bytes = i420ByteLength(WIDTH, HEIGHT);
    truth = Array.from({ length: stdout.length / bytes }, (_, index) =>
      stdout.subarray(index * bytes, (index + 1) * bytes),
    );
    [server, browser] = await Promise.all([startServe(['--transcode.maxCpu', '1']), launchBrowser()]);
    publisher = spawn(
      'ffmpeg',
      [
        '-v',
        'error',
        '-re',
        '-stream_loop',
        '-1',
        '-i',
        CLIP,
        '-c',
        'copy',
        '-f',
        'flv',
        `${server.rtmp}/bbb?key=${server.key}`,
      ],
      { stdio: 'ignore' },
    );
  }, 120_000);

  afterAll(async () => {
    publisher?.kill('SIGKILL');
    await browser.close();
    await server.stop();
  }, 60_000);

  async function watch(query: string, initScript = ''): Promise<WatchedPage> {
    const watched = await openPage(browser);
    await watched.page.addInitScript({ content: initScript });
    await watched.page.goto(`${server.http}/watch/bbb${query}`);
    return watched;
  }

  // The README's picture is this test's: README_PICTURE=docs/images/watch.jpg renews it.
  async function takePicture({ page }: WatchedPage): Promise<void> {
    const path = process.env['README_PICTURE'];
    if (path !== undefined) {
      // A bright scene: the clip fades in over its first seconds.
      await waitUntil(page, '(window.tessera.frame().y[640 * 360] ?? 0) > 120');
      await page.mouse.move(400, 400);
      await page.keyboard.press('i');
      await page.locator('.statistics').waitFor();
      await page.screenshot({ path, type: 'jpeg', quality: 82 });
    }
  }

  async function nextFrames(watched: WatchedPage, count: number): Promise<FetchedFrame[]> {
    const frames: FetchedFrame[] = [];
    for (let index = 0; index < count; index += 1) {
      await waitUntil(watched.page, `window.tessera.frame()?.ptsUs > ${frames.at(-1)?.ptsUs ?? -1}`);
      frames.push(await fetchFrame(watched.page));
    }
    return frames;
  }

  for (const [name, query, initScript, decoder] of [
    ['WebCodecs', '?rendition=source', '', 'webcodecs'],
    ['our decoder, as VideoDecoder is missing', '?rendition=source&decoder=wasm', WITHOUT_WEBCODECS, 'wasm'],
  ] as const) {
    test(`the source is equal to ffmpeg's decoding, played by ${name}`, async () => {
      const watched = await watch(query, initScript);
      const stats = await waitForStats(watched.page, 's.painted > 72', 40_000);
      expect(stats).toMatchObject({ decoder, encoder: 'publisher', rendition: 'source', width: WIDTH, height: HEIGHT });
      expect(stats.latencyKind).toBe('ingest');
      const known = new Set(truth.map(md5));
      for (const frame of await nextFrames(watched, 4)) {
        expect(known.has(md5(frame.samples))).toBe(true);
      }
      const { fps } = await statsOf(watched.page);
      process.stderr.write(
        `${name}: ${fps.toFixed(2)} fps, ${stats.latencyMs?.toFixed(0)} ms from ingest, joined in ${stats.joinMs?.toFixed(0)} ms\n`,
      );
      expect(watched.problems).toEqual([]);
      await watched.close();
    }, 90_000);
  }

  test('by default the page shows the rendition that our encoder made, close to the source', async () => {
    const watched = await watch('');
    const stats = await waitForStats(watched.page, "s.encoder === 'tessera' && s.painted > 48", 90_000);
    expect(stats).toMatchObject({ width: WIDTH, height: HEIGHT, decodeErrors: 0 });
    for (const frame of await nextFrames(watched, 3)) {
      const best = Math.max(...truth.map((picture) => psnrY(picture, frame.samples)));
      process.stderr.write(`rendition ${stats.rendition}: ${best.toFixed(1)} dB\n`);
      expect(best).toBeGreaterThanOrEqual(30);
    }
    expect(await watched.page.locator('.provenance').textContent()).toContain('Encoded byTessera');
    await takePicture(watched);
    await watched.close();
  }, 150_000);

  test('the frame rate is right within 2 %', async () => {
    const watched = await watch('?rendition=source');
    await waitForStats(watched.page, `s.painted > 48 && Math.abs(s.fps / ${FPS} - 1) <= 0.02`, 60_000);
    await watched.close();
  }, 90_000);
});
