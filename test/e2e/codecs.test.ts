// Codecs other than H.264 in the page: what the browser has plays, what it lacks is said in one sentence; and the viewer is led to our
// rendition where there is one.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { makeClip, type ClipOptions } from '../support/clip.ts';
import { ensurePages } from '../support/pages.ts';
import { openPlayer, waitForStats, waitForStatus } from '../support/player-page.ts';
import { describeWith } from '../support/requirements.ts';
import { StandInServer } from '../support/stand-in-server.ts';

const BASE: Omit<ClipOptions, 'videoCodec'> = { width: 320, height: 180, fps: 25, seconds: 1 };
const VP9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '400k'];
const HEVC = ['-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1', '-x265-params', 'log-level=error'];

describeWith(['ffmpeg', 'chromium'], 'codecs that are not ours', () => {
  let browser: Browser;

  beforeAll(async () => {
    ensurePages();
    browser = await launchBrowser();
  }, 60_000);

  afterAll(() => browser.close());

  test('VP9 plays by the browser', async () => {
    const clip = await makeClip({ ...BASE, videoCodec: VP9, container: 'mkv' });
    const server = await StandInServer.start(clip);
    const watched = await openPlayer(browser, server.url);
    const stats = await waitForStats(watched.page, 's.painted > 20');
    expect(stats).toMatchObject({ decoder: 'webcodecs', width: 320, height: 180 });
    expect(stats.codec).toMatch(/^vp09/);
    await watched.close();
    await server.close();
    clip.close();
  }, 60_000);

  test('VP9 with ?decoder=wasm is refused by name', async () => {
    const clip = await makeClip({ ...BASE, videoCodec: VP9, container: 'mkv' });
    const server = await StandInServer.start(clip);
    const watched = await openPlayer(browser, server.url, { query: '?decoder=wasm' });
    expect(await waitForStatus(watched.page, 'unsupported')).toContain('VP9');
    await watched.close();
    await server.close();
    clip.close();
  }, 60_000);

  test('HEVC, which this browser lacks, is said in one clear sentence', async () => {
    const clip = await makeClip({ ...BASE, videoCodec: HEVC });
    const server = await StandInServer.start(clip);
    const watched = await openPlayer(browser, server.url);
    expect(await waitForStatus(watched.page, 'unsupported')).toContain('This browser cannot decode HEVC');
    expect(watched.problems).toEqual([]);
    await watched.close();
    await server.close();
    clip.close();
  }, 60_000);
});
