// What OBS and ffmpeg really send by Enhanced RTMP, in the page: AV1 plays as it came; HEVC, which this browser lacks, is said in one
// sentence. Its rendition is not asked for: 3840x2160 of HEVC are more than two cores transcode in time.

import { spawn, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser, openPage, type WatchedPage } from '../support/browser.ts';
import { ensurePages } from '../support/pages.ts';
import { waitForStats, waitForStatus } from '../support/player-page.ts';
import { describeWith, materialDir } from '../support/requirements.ts';
import { startServe, type ServeProcess } from '../support/serve-process.ts';

const FOLDER = join(materialDir, 'conformance', 'realworld');

describeWith(['material', 'ffmpeg', 'chromium'], 'Enhanced RTMP in the page', () => {
  let browser: Browser;
  let server: ServeProcess;
  const publishers: ChildProcess[] = [];
  const opened: WatchedPage[] = [];

  beforeAll(async () => {
    ensurePages();
    [server, browser] = await Promise.all([startServe(['--transcode.maxCpu', '1']), launchBrowser()]);
  }, 120_000);

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((watched) => watched.close()));
    publishers.splice(0).forEach((publisher) => publisher.kill('SIGKILL'));
  });

  afterAll(async () => {
    await browser.close();
    await server.stop();
  }, 60_000);

  function publish(file: string, stream: string): void {
    const url = `${server.rtmp}/${stream}?key=${server.key}`;
    const args = ['--import', 'tsx', resolve('server/main.ts'), 'publish', join(FOLDER, file), url, '--loop'];
    publishers.push(spawn(process.execPath, args, { stdio: 'ignore' }));
  }

  async function watch(stream: string, query: string): Promise<WatchedPage> {
    const watched = await openPage(browser);
    opened.push(watched);
    await watched.page.goto(`${server.http}/watch/${stream}${query}`);
    return watched;
  }

  test('AV1 as OBS sends it plays as the source', async () => {
    publish('obs29_enhanced-rtmp_av1_aac.flv', 'av1');
    const { page, problems } = await watch('av1', '?rendition=source');
    const stats = await waitForStats(page, 's.painted > 20', 60_000);
    expect(stats).toMatchObject({ decoder: 'webcodecs', encoder: 'publisher', rendition: 'source', decodeErrors: 0 });
    expect(stats.codec).toMatch(/^av01/);
    expect(problems).toEqual([]);
  }, 120_000);

  test('HEVC, which the browser lacks, is said in words as the source', async () => {
    publish('enhanced-rtmp_hevc_aac.flv', 'hevc');
    const source = await watch('hevc', '?rendition=source');
    expect(await waitForStatus(source.page, 'unsupported', 60_000)).toContain('HEVC');
    expect(source.problems).toEqual([]);
  }, 150_000);
});
