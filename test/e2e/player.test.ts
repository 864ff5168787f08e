// The player in a real browser against a stand-in server that loops a clip: pictures equal to ffmpeg's, with either decoder; true
// latency although the page's clock is wrong; sound with the picture; a clear sentence for every state.

import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { INSECURE_HOST, launchBrowser, type WatchedPage } from '../support/browser.ts';
import { makeClip, type Clip } from '../support/clip.ts';
import { ensurePages } from '../support/pages.ts';
import { fetchFrame, openPlayer, statsOf, waitForStats, waitForStatus, waitUntil } from '../support/player-page.ts';
import { describeWith } from '../support/requirements.ts';
import { StandInServer } from '../support/stand-in-server.ts';

const WITHOUT_WEBCODECS = 'delete window.VideoDecoder; delete window.VideoEncoder;';

describeWith(['ffmpeg', 'chromium'], 'the player page', () => {
  let browser: Browser;
  let clip: Clip;
  let server: StandInServer;
  const opened: WatchedPage[] = [];

  beforeAll(async () => {
    ensurePages();
    clip = await makeClip({
      width: 640,
      height: 360,
      fps: 30,
      seconds: 3,
      videoCodec: ['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-bf', '2', '-b:v', '900k'],
      audioCodec: ['-c:a', 'aac', '-b:a', '96k'],
    });
    browser = await launchBrowser(INSECURE_HOST);
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    clip.close();
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((watched) => watched.close()));
    await server.close();
  });

  async function open(
    ...args: Parameters<typeof openPlayer> extends [unknown, ...infer Rest] ? Rest : never
  ): Promise<WatchedPage> {
    const watched = await openPlayer(browser, ...args);
    opened.push(watched);
    return watched;
  }

  async function expectExactPictures(watched: WatchedPage, count: number): Promise<void> {
    let lastPts = -1;
    for (let index = 0; index < count; index += 1) {
      await waitUntil(watched.page, `window.tessera.frame()?.ptsUs > ${lastPts}`);
      const frame = await fetchFrame(watched.page);
      lastPts = frame.ptsUs;
      const truth = clip.picture(frame.ptsUs % clip.durationUs);
      expect(Buffer.compare(frame.samples, truth)).toBe(0);
    }
  }

  test('WebCodecs pictures equal those that ffmpeg decodes, B-frames included', async () => {
    server = await StandInServer.start(clip);
    const watched = await open(server.url);
    const stats = await waitForStats(watched.page, 's.painted > 60');
    expect(stats).toMatchObject({
      decoder: 'webcodecs',
      encoder: 'publisher',
      rendition: 'source',
      width: 640,
      height: 360,
    });
    await expectExactPictures(watched, 5);
    await waitForStats(watched.page, 'Math.abs(s.fps / 30 - 1) <= 0.02');
    expect(watched.problems).toEqual([]);
  }, 60_000);

  test('our decoder plays the same pictures when the page has no VideoDecoder', async () => {
    server = await StandInServer.start(clip);
    const watched = await open(server.url, { initScript: WITHOUT_WEBCODECS });
    expect(await waitForStats(watched.page, 's.painted > 60')).toMatchObject({ decoder: 'wasm', decodeErrors: 0 });
    await expectExactPictures(watched, 5);
    expect(watched.problems).toEqual([]);
  }, 60_000);

  test('the latency is right within 20 ms although the clocks are five seconds apart', async () => {
    server = await StandInServer.start(clip, { captureAgeMs: 100, clockAheadMs: 5000 });
    const { page } = await open(server.url);
    await waitForStats(page, 's.painted > 60 && s.latencyMs !== null');
    server.reports.length = 0;
    // The page tells when each new picture is there; this process knows when it was captured, and how far apart the clocks are.
    const seen = await page.evaluate<{ pts: number; at: number }[]>(`new Promise((resolve) => {
        const seen = [];
        let last = -1;
        const look = () => {
          const pts = window.tessera.frame().ptsUs;
          if (pts !== last) {
            last = pts;
            seen.push({ pts, at: performance.now() });
          }
          seen.length < 90 ? setTimeout(look, 2) : resolve(seen);
        };
        look();
      })`);
    let shortest = Number.POSITIVE_INFINITY;
    let offset = 0;
    for (let index = 0; index < 20; index += 1) {
      const before = Date.now();
      const inPage = await page.evaluate<number>('performance.now()');
      const after = Date.now();
      if (after - before < shortest) {
        shortest = after - before;
        offset = (before + after) / 2 - inPage;
      }
    }
    // The page's own thread hears of a picture late when the machine is busy, so the prompt ones are compared.
    const prompt = (values: number[]): number =>
      values.sort((a, b) => a - b)[Math.floor(values.length / 5)] ?? Number.NaN;
    const measured = prompt(seen.map(({ pts, at }) => at + offset - server.captureTimeMs(pts)));
    const stated = prompt(server.reports.flatMap((report) => report['latencyMs'] as number[]));
    expect(Math.abs(measured - stated)).toBeLessThanOrEqual(20);
    expect(stated).toBeGreaterThan(100);
    expect((await statsOf(page)).latencyKind).toBe('glass');
  }, 60_000);

  test('without capture times the latency counts from ingest, and says so', async () => {
    server = await StandInServer.start(clip, { captureAgeMs: null });
    const { page } = await open(server.url);
    const stats = await waitForStats(page, 's.latencyMs !== null');
    expect(stats.latencyKind).toBe('ingest');
    expect(await page.locator('.provenance').textContent()).toContain('Latency from the server');
  }, 60_000);

  test('starts muted; sound is within 40 ms of the picture after a tap', async () => {
    server = await StandInServer.start(clip);
    const { page, problems } = await open(server.url);
    expect((await waitForStats(page, 's.painted > 30')).audio).toMatchObject({ codec: 'mp4a.40.2', skewMs: null });
    await page.getByText('Tap for sound').click();
    await waitForStats(page, 's.audio.skewMs !== null && s.painted > 150');
    const skews: number[] = [];
    for (let index = 0; index < 10; index += 1) {
      await page.waitForTimeout(100);
      skews.push((await statsOf(page)).audio?.skewMs ?? 999);
    }
    expect(Math.max(...skews.map(Math.abs))).toBeLessThanOrEqual(40);
    expect(problems).toEqual([]);
  }, 60_000);

  test('a page that is not a secure context plays by our decoder and MediaSource', async () => {
    server = await StandInServer.start(clip);
    const { page } = await open(`http://player.test:${server.port}`);
    expect(await page.evaluate('isSecureContext')).toBe(false);
    expect(await waitForStats(page, 's.painted > 30')).toMatchObject({ decoder: 'wasm' });
    await page.getByText('Tap for sound').click();
    const stats = await waitForStats(page, 's.audio.skewMs !== null && Math.abs(s.audio.skewMs) <= 40');
    expect(stats.audio?.codec).toBe('mp4a.40.2');
  }, 60_000);

  test('plays on by itself after the connection was cut', async () => {
    server = await StandInServer.start(clip);
    const { page } = await open(server.url);
    await waitForStats(page, 's.painted > 30');
    server.cut();
    const { painted } = await statsOf(page);
    await waitForStats(page, `s.painted > ${painted + 30}`);
  }, 60_000);

  test('every state has its sentence', async () => {
    server = await StandInServer.start(clip);
    server.refuse('no-such-stream', 'There is no stream of this name.');
    const { page } = await open(server.url);
    expect(await waitForStatus(page, 'waiting')).toContain('starts here as soon as it is');
    server.refuse(null);
    await waitForStats(page, 's.painted > 20');
    server.setState('reconnecting');
    expect(await waitForStatus(page, 'reconnecting')).toContain('The streamer lost the connection');
    server.setState('live');
    await page.locator('[data-status]').waitFor({ state: 'detached' });
    server.setState('ended');
    expect(await waitForStatus(page, 'ended')).toContain('has ended');
    server.refuse('wrong-key', 'This stream needs a key.');
    expect(await waitForStatus(page, 'refused')).toContain('This stream needs a key.');
  }, 60_000);

  test('pausing stops the picture, and the live button brings back the newest', async () => {
    server = await StandInServer.start(clip);
    const { page } = await open(server.url);
    await waitForStats(page, 's.painted > 30');
    await page.keyboard.press(' ');
    await waitForStatus(page, 'paused');
    const paused = await statsOf(page);
    await page.waitForTimeout(1500);
    expect((await statsOf(page)).painted - paused.painted).toBeLessThanOrEqual(2);
    await page.getByText('Back to live').click();
    const after = await waitForStats(page, `s.painted > ${paused.painted + 30}`);
    expect(after.latencyMs).toBeLessThan(400);
    expect(after.stalls).toBe(0);
  }, 60_000);

  test('is at the live edge within two seconds after the tab was hidden', async () => {
    server = await StandInServer.start(clip);
    const { page } = await open(server.url, {
      initScript: `let state = 'visible'; window.setVisibility = (next) => { state = next; document.dispatchEvent(new Event('visibilitychange')); };
          Object.defineProperty(document, 'visibilityState', { get: () => state });`,
    });
    const before = await waitForStats(page, 's.painted > 60 && s.latencyMs !== null');
    await page.evaluate("setVisibility('hidden')");
    await page.waitForTimeout(3000);
    const hidden = await statsOf(page);
    expect(hidden.painted - before.painted).toBeLessThanOrEqual(20);
    await page.evaluate("setVisibility('visible')");
    const after = await waitForStats(page, `s.painted > ${hidden.painted + 30} && s.latencyMs !== null`, 2000 + 500);
    expect(after.latencyMs ?? 0).toBeLessThan((before.latencyMs ?? 0) + 60);
    expect(after.dropped - hidden.dropped).toBeLessThanOrEqual(3);
  }, 60_000);

  test('reports what it sees about every second', async () => {
    server = await StandInServer.start(clip);
    const { page } = await open(server.url);
    await waitForStats(page, 's.painted > 120');
    expect(server.reports.length).toBeGreaterThanOrEqual(3);
    const last = server.reports.at(-1) ?? {};
    expect(last).toMatchObject({ type: 'report', rendition: 'source', latencyKind: 'glass', decodeErrors: 0 });
    expect(last['painted']).toBeGreaterThan(20);
    expect((last['latencyMs'] as number[]).length).toBeGreaterThan(20);
  }, 60_000);
});
