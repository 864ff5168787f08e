// The player in a real browser against a stand-in server that loops a clip: pictures equal to ffmpeg's, with either decoder; true
// latency although the page's clock is wrong; sound with the picture; a clear sentence for every state.

import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { Painting } from '../../client/media/decode-messages.ts';
import { INSECURE_HOST, launchBrowser, type WatchedPage } from '../support/browser.ts';
import { makeClip, type Clip } from '../support/clip.ts';
import { eventually } from '../support/eventually.ts';
import { ensurePages } from '../support/pages.ts';
import { fetchFrame, openPlayer, statsOf, waitForStats, waitForStatus, waitUntil } from '../support/player-page.ts';
import { describeWith } from '../support/requirements.ts';
import { StandInServer } from '../support/stand-in-server.ts';

/** Figures in time are held to the product's targets only where the machine is ours alone. */
const isLong = process.env['TESSERA_LONG'] === '1';
const WITHOUT_WEBCODECS = 'delete window.VideoDecoder; delete window.VideoEncoder;';
/** Keeps every painting from the first on, which is there before a test could ask for it. */
const KEEP_PAINTINGS = `
  window.paintings = [];
  let hooks;
  Object.defineProperty(window, 'tessera', {
    get: () => hooks,
    set: (installed) => {
      hooks = installed;
      hooks.onPainted((painting) => window.paintings.push(painting));
    },
  });
`;

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

  for (const decoder of ['webcodecs', 'wasm']) {
    test(`an empty page shows the key picture of the join burst before it is at the live edge (${decoder})`, async () => {
      server = await StandInServer.start(clip);
      const watched = await open(server.url, { query: `?decoder=${decoder}`, initScript: KEEP_PAINTINGS });
      await waitUntil(watched.page, 'window.paintings.length > 10');
      const [first, ...rest] = await watched.page.evaluate<Painting[]>('window.paintings');
      const keys = clip.video.units.filter(({ isKey }) => isKey).map(({ ptsUs }) => ptsUs);
      expect(keys).toContain((first?.ptsUs ?? -1) % clip.durationUs);
      expect(first?.latencyMs).toBeNull();
      expect(rest.every(({ ptsUs }) => ptsUs > (first?.ptsUs ?? 0))).toBe(true);
      expect(watched.problems).toEqual([]);
    }, 60_000);
  }

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
    // Half of the round trip bounds the error of the exchange: a busy machine needs a few more of them.
    await waitForStats(page, 's.painted > 60 && s.latencyMs !== null && s.rttMs < 20', 40_000);
    const seen = await page.evaluate<{ ptsUs: number; paintedAtMs: number; latencyMs: number }[]>(
      `new Promise((resolve) => {
        const seen = [];
        const stop = window.tessera.onPainted((painting) => {
          seen.push(painting);
          if (seen.length === 60) {
            stop();
            resolve(seen);
          }
        });
      })`,
    );
    // The worker's clock is this machine's, as this process's is; when each picture was captured is known here.
    const errors = seen.map(
      ({ ptsUs, paintedAtMs, latencyMs }) => paintedAtMs - server.captureTimeMs(ptsUs) - latencyMs,
    );
    expect(Math.max(...errors.map(Math.abs))).toBeLessThanOrEqual(20);
    expect(Math.min(...seen.map(({ latencyMs }) => latencyMs))).toBeGreaterThan(100);
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
    // Ten readings in a row: a busy machine may need a while until it is steady.
    let inRow = 0;
    await eventually(
      'sound within 40 ms of the picture, ten times in a row',
      async () => {
        const skewMs = (await statsOf(page)).audio?.skewMs ?? 999;
        inRow = Math.abs(skewMs) <= 40 ? inRow + 1 : 0;
        return inRow === 10;
      },
      30_000,
      100,
    );
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
    expect(after.latencyMedianMs).toBeLessThan(2000);
    expect(after.stalledMs - paused.stalledMs).toBeLessThan(1500); // the pause is no stall
  }, 60_000);

  test('is at the live edge within two seconds after the tab was hidden', async () => {
    server = await StandInServer.start(clip);
    const { page } = await open(server.url, {
      initScript: `let state = 'visible'; window.setVisibility = (next) => { state = next; document.dispatchEvent(new Event('visibilitychange')); };
          Object.defineProperty(document, 'visibilityState', { get: () => state });`,
    });
    const before = await waitForStats(page, 's.painted > 60 && s.latencyMedianMs !== null');
    await page.evaluate("setVisibility('hidden')");
    await page.waitForTimeout(3000);
    const hidden = await statsOf(page);
    expect(hidden.painted - before.painted).toBeLessThanOrEqual(45); // half of what plays in that time
    await page.evaluate("setVisibility('visible')");
    const edgeMs = (before.latencyMedianMs ?? 0) + (isLong ? 60 : 400);
    const isBack = `s.painted > ${hidden.painted + 30} && s.latencyMedianMs !== null && s.latencyMedianMs < ${edgeMs}`;
    await waitForStats(page, isBack, isLong ? 2000 : 20_000);
  }, 60_000);

  test('reports what it sees about every second', async () => {
    server = await StandInServer.start(clip);
    const { page } = await open(server.url);
    await waitForStats(page, 's.painted > 120');
    expect(server.reports.length).toBeGreaterThanOrEqual(3);
    const last = server.reports.at(-1) ?? {};
    expect(last).toMatchObject({ type: 'report', rendition: 'source', latencyKind: 'glass', decodeErrors: 0 });
    expect(last['painted']).toBeGreaterThan(0);
    expect((last['latencyMs'] as number[]).length).toBeGreaterThan(0);
  }, 60_000);

  test('each painted picture is told with its own latency, and frame() is that picture', async () => {
    server = await StandInServer.start(clip, { captureAgeMs: 100, clockAheadMs: 5000 });
    const { page } = await open(server.url);
    await waitForStats(page, 's.painted > 30 && s.latencyMs !== null');
    const told = await page.evaluate<{ pts: number; framePts: number; latency: number; stated: number; sum: number }[]>(
      `new Promise((resolve) => {
        const told = [];
        const stop = window.tessera.onPainted(({ ptsUs, latencyMs, stages }) => {
          const { arrive, decode, wait, draw } = stages;
          told.push({
            pts: ptsUs,
            framePts: window.tessera.frame().ptsUs,
            latency: latencyMs,
            stated: window.tessera.stats().latencyMs,
            sum: arrive + decode + wait + draw,
          });
          if (told.length === 20) {
            stop();
            resolve(told);
          }
        });
      })`,
    );
    for (const { pts, framePts, latency, stated, sum } of told) {
      expect([framePts, stated]).toEqual([pts, latency]);
      expect(sum).toBeCloseTo(latency, 6);
      expect(latency).toBeGreaterThan(100);
    }
  }, 60_000);

  test('panels open by button and key, are named, and close by Escape', async () => {
    server = await StandInServer.start(clip);
    const { page, problems } = await open(server.url);
    await waitForStats(page, 's.painted > 10');
    await page.getByRole('button', { name: 'Share' }).click();
    const panel = page.getByRole('dialog', { name: 'Share' });
    expect(await panel.getByLabel('Address of the stream').first().inputValue()).toBe(`${server.url}/watch/clip`);
    expect(await panel.getByLabel('Code for another page').first().inputValue()).toContain('/watch/clip?embed=1');
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
    await page.keyboard.press('?');
    const keys = page.getByRole('dialog', { name: 'Keys' });
    await keys.waitFor();
    await page.keyboard.press('Escape');
    await keys.waitFor({ state: 'detached' });
    await page.mouse.move(300, 300);
    await page.getByRole('button', { name: /^Quality/ }).click();
    await page.getByRole('menuitemradio', { name: /Auto/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate('document.activeElement.textContent')).toContain('Source');
    await page.keyboard.press('Escape');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    expect(problems).toEqual([]);
  }, 60_000);

  test('in a frame of another page there is the picture with its controls and nothing else', async () => {
    server = await StandInServer.start(clip);
    const { page } = await open(server.url, { query: '?embed=1' });
    await waitForStats(page, 's.painted > 10');
    expect(await page.locator('.app-bar').count()).toBe(0);
    expect(await page.locator('.provenance').count()).toBe(0);
    expect(await page.getByRole('button', { name: /Full screen/ }).count()).toBe(1);
  }, 60_000);
});
