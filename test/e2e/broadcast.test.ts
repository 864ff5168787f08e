// The whole product on real input: ffmpeg and our own publisher push clips into `tessera serve`, Chromium plays what our encoder made
// and what the publisher sent, with either decoder, and the numbers that operators see are held against the clips' own.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { readPictureClock } from '../../shared/media/picture-clock.ts';
import { launchBrowser, openPage, type WatchedPage } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { ensurePages } from '../support/pages.ts';
import { fetchFrame, waitForStats, waitUntil, type FetchedFrame } from '../support/player-page.ts';
import { describeWith, materialDir } from '../support/requirements.ts';
import { startServe, type ServeProcess } from '../support/serve-process.ts';

const WIDTH = 1280;
const HEIGHT = 720;
const FRAME_BYTES = (WIDTH * HEIGHT * 3) / 2;
const CLIP = join(materialDir, 'clips', 'bbb720.mp4');
const WITHOUT_WEBCODECS = 'delete window.VideoDecoder; delete window.VideoEncoder;';
/** Every clock that a page can read, five seconds ahead. */
const FIVE_SECONDS_AHEAD = `{
  const now = Date.now;
  Date.now = () => now() + 5000;
  Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + 5000 });
}`;

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

function psnrY(a: Uint8Array, b: Uint8Array, samples: number): number {
  let sum = 0;
  for (let i = 0; i < samples; i++) {
    const difference = a[i] - b[i];
    sum += difference * difference;
  }
  return sum === 0 ? Infinity : 10 * Math.log10((255 * 255 * samples) / sum);
}

/** ffmpeg's decode of a file, scaled where asked: all pictures, one after the other. */
function decodeClip(file: string, filter: readonly string[] = []): Uint8Array {
  const args = [
    '-v',
    'error',
    '-i',
    file,
    ...filter,
    '-map',
    '0:v:0',
    '-fps_mode',
    'passthrough',
    '-f',
    'rawvideo',
    '-',
  ];
  const { stdout, status } = spawnSync('ffmpeg', args, { maxBuffer: 1 << 30 });
  expect(status).toBe(0);
  return stdout;
}

function picturesOf(raw: Uint8Array, bytes: number): readonly Uint8Array[] {
  return Array.from({ length: Math.floor(raw.length / bytes) }, (_, i) => raw.subarray(i * bytes, (i + 1) * bytes));
}

/** Best PSNR-Y of a picture against all pictures of the clip, looked for on a coarse grid first. */
function bestPsnr(frame: FetchedFrame, pictures: readonly Uint8Array[]): number {
  const samples = frame.width * frame.height;
  const coarse = pictures.map((picture, index) => {
    let sum = 0;
    for (let i = 0; i < samples; i += 97) {
      sum += (picture[i] - frame.samples[i]) ** 2;
    }
    return { index, sum };
  });
  coarse.sort((a, b) => a.sum - b.sum);
  return Math.max(...coarse.slice(0, 3).map(({ index }) => psnrY(frame.samples, pictures[index], samples)));
}

type TimedPicture = {
  /** Epoch ms by the decode worker's clock, which is this machine's. */
  readonly paintedAtMs: number;
  readonly latencyMs: number;
  readonly width: number;
  readonly height: number;
  readonly luma: string;
};

/** The next painted picture with its luma, when it was painted, and the latency that the page states for it. */
const NEXT_PICTURE = `new Promise((resolve) => {
  const stop = window.tessera.onPainted(({ paintedAtMs, latencyMs }) => {
    stop();
    const { y, width, height } = window.tessera.frame();
    let binary = '';
    for (let i = 0; i < y.length; i += 32768) {
      binary += String.fromCharCode(...y.subarray(i, i + 32768));
    }
    resolve({ paintedAtMs, latencyMs, width, height, luma: btoa(binary) });
  });
})`;

describeWith(['material', 'ffmpeg', 'chromium'], 'a broadcast from publisher to page', () => {
  let browser: Browser;
  let server: ServeProcess;
  let folder: string;
  let truth: ReadonlySet<string>;
  const opened: WatchedPage[] = [];
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    ensurePages();
    folder = await mkdtemp(join(tmpdir(), 'tessera-broadcast-'));
    browser = await launchBrowser();
    server = await startServe();
    truth = new Set(picturesOf(decodeClip(CLIP), FRAME_BYTES).map(md5));
  }, 120_000);

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((watched) => watched.close()));
    for (const child of children.splice(0)) {
      child.kill('SIGKILL');
    }
  });

  afterAll(async () => {
    await browser.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** ffmpeg pushes a file over RTMP, again and again, without touching its pictures. */
  function push(file: string, stream: string, to: ServeProcess = server): void {
    const url = `${to.rtmp}/${stream}?key=${to.key}`;
    const args = ['-v', 'error', '-re', '-stream_loop', '-1', '-i', file, '-c', 'copy', '-f', 'flv', url];
    children.push(spawn('ffmpeg', args, { stdio: 'ignore' }));
  }

  async function watch(address: string, initScript?: string): Promise<WatchedPage> {
    const watched = await openPage(browser);
    opened.push(watched);
    if (initScript !== undefined) {
      await watched.page.addInitScript({ content: initScript });
    }
    await watched.page.goto(address);
    return watched;
  }

  async function isLive(stream: string, at: ServeProcess = server): Promise<void> {
    await eventually(
      `${stream} to be live`,
      async () => {
        const { streams } = (await (await fetch(`${at.http}/api/v1/streams`)).json()) as {
          streams: { id: string; state: string; tracks: unknown[] }[];
        };
        return streams.some(({ id, state, tracks }) => id === stream && state === 'live' && tracks.length > 0);
      },
      20_000,
      250,
    );
  }

  async function expectTruePictures(watched: WatchedPage, count: number): Promise<void> {
    let lastPts = -1;
    for (let i = 0; i < count; i++) {
      await waitUntil(watched.page, `window.tessera.frame()?.ptsUs > ${lastPts}`);
      const frame = await fetchFrame(watched.page);
      lastPts = frame.ptsUs;
      expect(frame).toMatchObject({ width: WIDTH, height: HEIGHT });
      expect(truth.has(md5(frame.samples))).toBe(true);
    }
  }

  test('a High-profile RTMP feed plays as source with either decoder, equal to what ffmpeg decodes', async () => {
    push(CLIP, 'high');
    await isLive('high');
    const native = await watch(`${server.http}/watch/high?rendition=source`);
    expect(await waitForStats(native.page, 's.painted > 30', 40_000)).toMatchObject({
      decoder: 'webcodecs',
      encoder: 'publisher',
      rendition: 'source',
      width: WIDTH,
      height: HEIGHT,
      decodeErrors: 0,
    });
    await expectTruePictures(native, 4);
    await native.close();
    const ours = await watch(`${server.http}/watch/high?rendition=source&decoder=wasm`, WITHOUT_WEBCODECS);
    expect(await waitForStats(ours.page, 's.painted > 20', 40_000)).toMatchObject({ decoder: 'wasm', decodeErrors: 0 });
    await expectTruePictures(ours, 3);
  }, 120_000);

  test('by default the page plays our rendition, which is close to the source', async () => {
    push(CLIP, 'ours');
    await isLive('ours');
    const watched = await watch(`${server.http}/watch/ours`);
    const stats = await waitForStats(watched.page, "s.painted > 30 && s.encoder === 'tessera'", 60_000);
    expect(stats.decodeErrors).toBe(0);
    const frame = await fetchFrame(watched.page);
    const scaled = decodeClip(CLIP, ['-vf', `scale=${frame.width}:${frame.height}:flags=area`]);
    const quality = bestPsnr(frame, picturesOf(scaled, (frame.width * frame.height * 3) / 2));
    process.stderr.write(`our rendition ${stats.rendition}: ${quality.toFixed(1)} dB\n`);
    expect(quality).toBeGreaterThanOrEqual(30);
  }, 120_000);

  test('operators see bitrate and frame rate as they are', async () => {
    // A constant rate, so that every window of the loop holds the same.
    const steady = join(folder, 'steady.mp4');
    const rate = [
      '-b:v',
      '1500k',
      '-maxrate',
      '1500k',
      '-minrate',
      '1500k',
      '-bufsize',
      '750k',
      '-g',
      '24',
      '-x264-params',
      'nal-hrd=cbr',
    ];
    const encode = [
      '-v',
      'error',
      '-y',
      '-i',
      CLIP,
      '-an',
      '-c:v',
      'libx264',
      '-preset',
      'veryfast',
      '-tune',
      'zerolatency',
    ];
    expect(spawnSync('ffmpeg', [...encode, ...rate, steady]).status).toBe(0);
    push(steady, 'numbers');
    await isLive('numbers');
    const probe = spawnSync('ffprobe', ['-v', 'error', '-show_entries', 'packet=size', '-of', 'csv=p=0', steady], {
      encoding: 'utf8',
    });
    const bits = probe.stdout
      .trim()
      .split('\n')
      .reduce((sum, size) => sum + 8 * Number.parseInt(size, 10), 0);
    const seconds = truth.size / 24;
    const startedAt = Date.now();
    const health = await eventually(
      'a full window',
      async () => {
        const answer = (await (await fetch(`${server.http}/api/v1/streams/numbers/health`)).json()) as {
          status: string;
          bitrateKbps: number | null;
          fps: number | null;
          windowStart: number | null;
          complete: number | null;
        };
        // The first whole window: it starts after the stream did.
        return (answer.windowStart ?? 0) > startedAt && answer.complete === 1 && answer;
      },
      45_000,
      500, // the API is rate-limited
    );
    const kbps = bits / seconds / 1000;
    process.stderr.write(
      `health says ${health.bitrateKbps} kbit/s and ${health.fps} fps; the clip has ${kbps.toFixed(0)} and 24\n`,
    );
    expect(Math.abs((health.fps ?? 0) / 24 - 1)).toBeLessThanOrEqual(0.02);
    expect(Math.abs((health.bitrateKbps ?? 0) / kbps - 1)).toBeLessThanOrEqual(0.05);
  }, 90_000);

  test('glass-to-glass latency agrees with a clock in the picture, also when the page is five seconds ahead', async () => {
    const demo = await startServe(['--demo', 'true']);
    try {
      await isLive('demo', demo);
      const { page } = await watch(`${demo.http}/watch/demo`, FIVE_SECONDS_AHEAD);
      expect(await waitForStats(page, 's.painted > 60 && s.latencyMs !== null', 60_000)).toMatchObject({
        encoder: 'tessera',
        latencyKind: 'glass',
      });
      await waitForStats(page, 's.rttMs < 20', 40_000); // half of it bounds the error of the exchange
      const differences: number[] = [];
      for (let i = 0; i < 12; i++) {
        const { paintedAtMs, latencyMs, width, height, luma } = await page.evaluate<TimedPicture>(NEXT_PICTURE);
        const drawnAt = readPictureClock({ data: Buffer.from(luma, 'base64'), stride: width, width, height });
        if (drawnAt !== null) {
          differences.push(paintedAtMs - drawnAt - latencyMs);
        }
      }
      process.stderr.write(
        `measured minus stated latency, ms: ${differences.map((one) => one.toFixed(0)).join(' ')}\n`,
      );
      expect(differences.length).toBeGreaterThan(8);
      expect(Math.max(...differences.map(Math.abs))).toBeLessThanOrEqual(20);
    } finally {
      await demo.stop();
    }
  }, 120_000);

  test('without ffmpeg on its path the server still makes renditions of a Baseline feed', async () => {
    const baseline = join(folder, 'baseline.mp4');
    const encode = [
      '-v',
      'error',
      '-y',
      '-i',
      CLIP,
      '-c:v',
      'libx264',
      '-profile:v',
      'baseline',
      '-preset',
      'veryfast',
    ];
    expect(spawnSync('ffmpeg', [...encode, '-g', '48', '-b:v', '2500k', '-c:a', 'copy', baseline]).status).toBe(0);
    const emptyPath = join(folder, 'empty');
    mkdirSync(emptyPath, { recursive: true });
    const path = process.env['PATH'];
    process.env['PATH'] = emptyPath;
    const alone = await startServe().finally(() => (process.env['PATH'] = path));
    try {
      push(baseline, 'baseline', alone);
      await isLive('baseline', alone);
      const { page } = await watch(`${alone.http}/watch/baseline`);
      const stats = await waitForStats(page, "s.painted > 30 && s.encoder === 'tessera'", 60_000);
      expect(stats.decodeErrors).toBe(0);
    } finally {
      await alone.stop();
    }
  }, 120_000);

  test('our own publisher sends a file encoded and raw, and the page plays both', async () => {
    const main = resolve('server/main.ts');
    const publish = (file: string, stream: string, ...flags: string[]): void => {
      const url = `${server.ws}/publish/${stream}?key=${server.key}`;
      const args = ['--import', 'tsx', main, 'publish', file, url, '--loop', ...flags];
      children.push(spawn(process.execPath, args, { stdio: 'ignore' }));
    };
    publish(CLIP, 'sent');
    await isLive('sent');
    const encoded = await watch(`${server.http}/watch/sent?rendition=source`);
    await waitForStats(encoded.page, 's.painted > 20', 40_000);
    await expectTruePictures(encoded, 2);
    await encoded.close();

    const raw = join(folder, 'raw.y4m');
    const small = [
      '-v',
      'error',
      '-y',
      '-i',
      CLIP,
      '-vf',
      'scale=640:360:flags=area',
      '-pix_fmt',
      'yuv420p',
      '-frames:v',
      '120',
    ];
    expect(spawnSync('ffmpeg', [...small, raw]).status).toBe(0);
    publish(raw, 'raw', '--raw');
    await isLive('raw');
    const { page } = await watch(`${server.http}/watch/raw`);
    const stats = await waitForStats(page, 's.painted > 20', 60_000);
    expect(stats).toMatchObject({ encoder: 'tessera', rendition: 'source', width: 640, height: 360 });
    const frame = await fetchFrame(page);
    expect(bestPsnr(frame, picturesOf(decodeClip(raw), (640 * 360 * 3) / 2))).toBeGreaterThanOrEqual(30);
  }, 150_000);

  test('mpegts.js plays the FLV address', async () => {
    push(CLIP, 'flv');
    await isLive('flv');
    // On the server's own origin; its strict policy is set aside because this player is not ours.
    const watched = await openPage(browser, { bypassCSP: true });
    opened.push(watched);
    const { page } = watched;
    await page.goto(`${server.http}/`);
    await page.addScriptTag({ path: resolve('node_modules/mpegts.js/dist/mpegts.js') });
    await page.evaluate(`(() => {
      document.body.innerHTML = '<video id="v" muted autoplay></video>';
      const player = mpegts.createPlayer({ type: 'flv', isLive: true, url: '${server.http}/live/flv.flv' });
      player.attachMediaElement(document.getElementById('v'));
      player.load();
      void player.play();
    })()`);
    await waitUntil(
      page,
      "document.getElementById('v').currentTime > 2 && document.getElementById('v').videoWidth === 1280",
    );
  }, 90_000);
});
