// A whole broadcast in real browsers on the real server: the studio encodes a fake camera with our encoder and publishes it, a second
// page plays it with its latency from glass to glass, the front page shows it, the console counts it.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { FAKE_DEVICES, launchBrowser, openPage, type WatchedPage } from '../support/browser.ts';
import { ensurePages } from '../support/pages.ts';
import { canvasColour, statsOf, waitForStats } from '../support/player-page.ts';
import { describeWith } from '../support/requirements.ts';
import { startServe, type ServeProcess } from '../support/serve-process.ts';

describeWith(['chromium'], 'the studio', () => {
  let browser: Browser;
  let server: ServeProcess;
  let studio: WatchedPage;

  beforeAll(async () => {
    ensurePages();
    [server, browser] = await Promise.all([startServe(), launchBrowser(FAKE_DEVICES)]);
    studio = await openPage(browser);
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    await server.stop();
  }, 60_000);

  async function goLive(page: Page, key: string): Promise<void> {
    await page.goto(`${server.http}/studio`);
    await page.getByLabel('Size').selectOption('360');
    await page.getByLabel('Key').fill(key);
    await page.getByRole('button', { name: 'Turn on the camera' }).click();
    await page.getByRole('button', { name: 'Go live' }).click();
  }

  test('a wrong key is refused with one clear sentence', async () => {
    await goLive(studio.page, 'not-the-key');
    const sentence = await studio.page.getByRole('alert').textContent({ timeout: 15_000 });
    expect(sentence).toMatch(/key/i);
    expect(await studio.page.getByRole('button', { name: 'Go live' }).isVisible()).toBe(true);
  }, 60_000);

  test('the camera goes out by our encoder and is seen with its latency', async () => {
    await goLive(studio.page, server.key);
    await studio.page.getByText('ON AIR').waitFor({ timeout: 20_000 });
    const viewer = await openPage(browser);
    await viewer.page.goto(`${server.http}/watch/studio?rendition=source`);
    const stats = await waitForStats(viewer.page, 's.painted > 60 && s.latencyMs !== null', 40_000);
    expect(stats).toMatchObject({ rendition: 'source', latencyKind: 'glass', decodeErrors: 0, height: 360 });
    expect(stats.codec).toMatch(/^avc1\.42/);
    expect(stats.audio).toMatchObject({ codec: 'opus' });
    // The fake camera is green with a lighter disc in its middle.
    const [red = 255, green = 0, blue = 255] = await canvasColour(viewer.page, 0.85, 0.5);
    expect(green).toBeGreaterThan(90);
    expect(Math.max(red, blue)).toBeLessThan(60);
    expect(await studio.page.getByText('by Tessera').isVisible()).toBe(true);
    expect(viewer.problems).toEqual([]);
    await viewer.close();
  }, 90_000);

  test('the front page shows the stream with a picture of it', async () => {
    const home = await openPage(browser);
    await home.page.goto(server.http);
    await home.page.getByRole('link', { name: /studio.*360p/i }).waitFor({ timeout: 20_000 });
    await home.page.locator('.thumbnail-on').waitFor({ timeout: 20_000 });
    expect(home.problems).toEqual([]);
    await home.close();
  }, 60_000);

  test('the console lists the stream', async () => {
    const console_ = await openPage(browser);
    await console_.page.goto(`${server.http}/console`);
    await console_.page.getByRole('button', { name: 'studio' }).waitFor({ timeout: 20_000 });
    await console_.page.getByText('Live streams').waitFor();
    await console_.close();
  }, 60_000);

  test('a cut connection comes back as the same stream, and viewers go on', async () => {
    const viewer = await openPage(browser);
    await viewer.page.goto(`${server.http}/watch/studio?rendition=source`);
    await waitForStats(viewer.page, 's.painted > 30', 40_000);
    await studio.page.context().setOffline(true);
    await studio.page.waitForTimeout(2000);
    await studio.page.context().setOffline(false);
    const { painted } = await statsOf(viewer.page);
    await waitForStats(viewer.page, `s.painted > ${painted + 60}`, 40_000);
    await viewer.close();
  }, 120_000);

  test('ending the stream tells the viewers', async () => {
    const viewer = await openPage(browser);
    await viewer.page.goto(`${server.http}/watch/studio?rendition=source`);
    await waitForStats(viewer.page, 's.painted > 10', 40_000);
    await studio.page.getByRole('button', { name: 'End the stream' }).click();
    await viewer.page.locator('[data-status="ended"]').waitFor({ timeout: 15_000 });
    await viewer.close();
  }, 90_000);
});
