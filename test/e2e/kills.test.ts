// Processes of the server die by SIGKILL under a watching page: the RTMP ingest, and the ffmpeg that decodes what our decoder does not
// take. The page is never loaded again and goes on. (The death of a transcode worker, a thread: test/integration/transcode.)

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser, openPage, type WatchedPage } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { ensurePages } from '../support/pages.ts';
import { statsOf, waitForStats } from '../support/player-page.ts';
import { describeWith } from '../support/requirements.ts';
import { startServe, type ServeProcess } from '../support/serve-process.ts';

/** Children of a process, of whichever of its threads, whose command line has `word` in it. */
function childrenOf(pid: number, word: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const parent = / \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\)/, ''))?.[1];
        return parent === String(pid) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(word);
      } catch {
        return false; // gone meanwhile
      }
    })
    .map(Number);
}

describeWith(['ffmpeg', 'chromium'], 'processes killed under a watching page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-kills-'));
  let browser: Browser;
  let server: ServeProcess;
  let publisher: ChildProcess | undefined;
  let watched: WatchedPage | undefined;

  beforeAll(async () => {
    ensurePages();
    const source = ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-t', '20'];
    const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'];
    for (const [name, format] of [
      ['usual', 'yuv420p'],
      ['ten-bit', 'yuv420p10le'],
    ] as const) {
      const args = [...source, ...encode, '-pix_fmt', format, join(folder, `${name}.mp4`)];
      expect(spawnSync('ffmpeg', args).status).toBe(0);
    }
    [server, browser] = await Promise.all([startServe(['--transcode.maxCpu', '1']), launchBrowser()]);
  }, 180_000);

  afterEach(async () => {
    publisher?.kill('SIGKILL');
    await watched?.close();
  });

  afterAll(async () => {
    await browser.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  function push(name: string): void {
    const url = `${server.rtmp}/${name}?key=${server.key}`;
    const input = ['-v', 'error', '-re', '-stream_loop', '-1', '-i', join(folder, `${name}.mp4`)];
    publisher = spawn('ffmpeg', [...input, '-c', 'copy', '-f', 'flv', url], { stdio: 'ignore' });
  }

  /** The page of a stream, once `condition` holds of its statistics. */
  async function watch(name: string, query: string, condition: string): Promise<WatchedPage> {
    push(name);
    await eventually(
      'the stream to be live',
      async () => (await (await fetch(`${server.http}/api/v1/streams`)).text()).includes(`"id":"${name}"`),
      30_000,
      250,
    );
    watched = await openPage(browser);
    await watched.page.goto(`${server.http}/watch/${name}${query}`);
    await waitForStats(watched.page, condition, 60_000);
    return watched;
  }

  test('the RTMP ingest: the publisher comes back and the same page goes on', async () => {
    const { page, problems } = await watch('usual', '?rendition=source', 's.painted > 25');
    const [ingest] = childrenOf(server.process.pid ?? 0, 'rtmp-ingest-process');
    expect(ingest).toBeDefined();
    const pushing = publisher!;
    const lost = new Promise((resolve) => pushing.once('exit', resolve));
    process.kill(ingest, 'SIGKILL');
    await lost;
    const { painted } = await statsOf(page);
    await eventually(
      'another ingest to listen',
      () => childrenOf(server.process.pid ?? 0, 'rtmp-ingest-process').some((pid) => pid !== ingest),
      20_000,
    );
    // As OBS does: again until it is taken.
    const again = setInterval(() => {
      if (publisher?.exitCode !== null) {
        push('usual');
      }
    }, 500);
    try {
      await waitForStats(page, `s.painted > ${painted + 50}`, 60_000);
    } finally {
      clearInterval(again);
    }
    expect(problems).toEqual([]);
  }, 180_000);

  test('the ffmpeg that decodes a 10-bit source: our rendition of it goes on', async () => {
    const { page, problems } = await watch('ten-bit', '', "s.painted > 25 && s.encoder === 'tessera'");
    const ours = childrenOf(server.process.pid ?? 0, 'ffmpeg');
    expect(ours.length).toBeGreaterThan(0);
    ours.forEach((pid) => process.kill(pid, 'SIGKILL'));
    const { painted } = await statsOf(page);
    await waitForStats(page, `s.painted > ${painted + 50} && s.encoder === 'tessera'`, 60_000);
    expect(childrenOf(server.process.pid ?? 0, 'ffmpeg').filter((pid) => ours.includes(pid))).toEqual([]);
    expect(problems).toEqual([]);
  }, 180_000);
});
