// The product on a real Apache Kafka, with real media and a real page: the events of the run are in the topics as kcat reads them, the
// windows are computed from Kafka, and while the broker is dead and while it accepts and never answers, no event is lost and no
// picture is late.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { WebSocketSubscriber } from '../../server/cli/clients/websocket-subscriber.ts';
import { publishFile } from '../../server/cli/publish.ts';
import { launchBrowser, openPage } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { kafkaForTests } from '../support/kafka-broker.ts';
import { ensurePages } from '../support/pages.ts';
import { waitForStats } from '../support/player-page.ts';
import { conformanceDir, describeWith } from '../support/requirements.ts';
import { startServe, type ServeProcess } from '../support/serve-process.ts';

const CLIP = join(conformanceDir, 'realworld', 'ffmpeg_h264-cbp_aac_33s.flv');
const FPS = 30;
const DEAD_MS = process.env['TESSERA_LONG'] === '1' ? 60_000 : 10_000;
const FROZEN_MS = process.env['TESSERA_LONG'] === '1' ? 60_000 : 8000;
/** A picture that reaches its viewer this long after it reached the server is late; a JVM that starts beside it takes its share. */
const LATE_MS = 1000;

type Value = { readonly [field: string]: unknown; readonly seq: number; readonly type: string };

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describeWith(['kafka', 'chromium', 'material'], 'the product on Apache Kafka', () => {
  let kafka: Awaited<ReturnType<typeof kafkaForTests>>;
  let server: ServeProcess;
  let browser: Browser;
  let publishing: Promise<unknown>;

  beforeAll(async () => {
    ensurePages();
    [kafka, browser] = await Promise.all([kafkaForTests(), launchBrowser()]);
    const brokers = ['--telemetry.kafka.brokers', kafka.bootstrap, '--telemetry.kafka.partitions', '4'];
    server = await startServe(['--telemetry.driver', 'kafka', ...brokers]);
    publishing = publishFile(CLIP, `${server.rtmp}/clip?key=${server.key}`, { loop: true }).catch(() => undefined);
  }, 300_000);
  afterAll(async () => {
    await browser.close();
    await server.stop();
    await publishing;
    await kafka.dispose();
  }, 90_000);

  /** The records of a topic whose key is the stream, as kcat prints them. */
  function consumed(topic: string): Value[] {
    const args = ['-C', '-b', kafka.bootstrap, '-t', `tessera.${topic}.v1`, '-o', 'beginning', '-e', '-q'];
    const { stdout, status } = spawnSync('kcat', [...args, '-f', '%k|%s\\n'], { encoding: 'utf8', maxBuffer: 1 << 28 });
    expect(status).toBe(0);
    return stdout
      .split('\n')
      .filter((line) => line.startsWith('clip|'))
      .map((line) => JSON.parse(line.slice('clip|'.length)) as Value);
  }

  /** A counter of /metrics, summed over its labels. */
  async function counter(name: string): Promise<number> {
    const text = await (await fetch(`${server.http}/metrics`)).text();
    return [...text.matchAll(new RegExp(`^tessera_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
  }

  const health = async (): Promise<{ status: string; fps: number; bitrateKbps: number }> =>
    (await (await fetch(`${server.http}/api/v1/streams/clip/health`)).json()) as Awaited<ReturnType<typeof health>>;

  test('the page plays, its reports are in the topics, and the windows come from Kafka', async () => {
    const watched = await openPage(browser);
    await watched.page.goto(`${server.http}/watch/clip?rendition=source`);
    await waitForStats(watched.page, 's.painted >= 90', 60_000);
    await eventually('a judged window', async () => (await health()).status !== 'unknown', 60_000, 250);
    const { fps } = await health();
    expect(fps).toBeGreaterThan(FPS * 0.9);
    expect(fps).toBeLessThan(FPS * 1.1);
    await eventually(
      'the reports of the page in Kafka',
      () =>
        consumed('viewer').filter(({ type, painted }) => type === 'viewer-report' && Number(painted) > 0).length >= 2,
      30_000,
      1000,
    );
    expect(watched.problems).toEqual([]);
    await watched.close();
    await eventually(
      'windows of the stream',
      () => consumed('windows').some((window) => JSON.stringify(window).includes('bitrate')),
      30_000,
      1000,
    );
    expect(new Set(consumed('session').map(({ type }) => type))).toEqual(
      new Set([...['publish-start', 'view-start', 'view-end', 'tick']]),
    );
  }, 240_000);

  test('a dead broker and a silent one cost no event and delay no picture', async () => {
    const seen: { readonly ptsMs: number; readonly delayMs: number }[] = [];
    const viewer = new WebSocketSubscriber(`${server.ws}/subscribe/clip?rendition=source`, {
      onTrack: () => undefined,
      onObject: (object) => {
        if (object.kind === 'video' && !object.isCached) {
          const delayMs = performance.timeOrigin + performance.now() - object.arrivalTime / 1000;
          seen.push({ ptsMs: object.pts / 1000, delayMs });
        }
      },
      onEnd: () => undefined,
    });
    await eventually('pictures', () => seen.length > FPS);
    await kafka.stopNode(0, 'SIGKILL');
    await pause(DEAD_MS);
    await eventually('events on disk', async () => (await counter('telemetry_spooled_records')) > 0, 30_000, 250);
    await kafka.startNode(0);
    const replayed = async (): Promise<boolean> =>
      (await counter('telemetry_replayed_records')) === (await counter('telemetry_spooled_records'));
    await eventually('the replay after the broker came back', replayed, 90_000, 250);
    const spooled = await counter('telemetry_spooled_records');
    kafka.freezeNode(0);
    await pause(FROZEN_MS);
    await eventually(
      'events on disk again',
      async () => (await counter('telemetry_spooled_records')) > spooled,
      30_000,
      250,
    );
    kafka.thawNode(0);
    await eventually('the replay after the broker answered', replayed, 90_000, 250);
    const last = seen.at(-1)?.ptsMs ?? 0;
    viewer.close();

    const delays = seen.map(({ delayMs }) => delayMs).sort((a, b) => a - b);
    const late = delays.filter((delayMs) => delayMs > LATE_MS).length;
    const steps = seen.slice(1).map(({ ptsMs }, index) => ptsMs - (seen[index]?.ptsMs ?? 0));
    process.stderr.write(
      `kafka outage: ${seen.length} pictures, ${late} later than ${LATE_MS} ms, p99 ${delays[Math.floor(delays.length * 0.99)]?.toFixed(0)} ms, ` +
        `${await counter('telemetry_spooled_records')} events through the spool\n`,
    );
    expect(late).toBe(0);
    expect(Math.max(...steps)).toBeLessThan(2.5 * (1000 / FPS)); // none is missing
    expect(seen.length).toBeGreaterThan(((DEAD_MS + FROZEN_MS) / 1000) * FPS * 0.9);

    // Every picture that the viewer saw is in the topic, under sequence numbers without a hole.
    const stored = new Set<number>();
    await eventually(
      'the newest picture in the topic',
      () => {
        for (const { type, track, ptsMs } of consumed('ingest')) {
          if (type === 'frames' && track === 'source') {
            (ptsMs as number[]).forEach((pts) => stored.add(Math.round(pts)));
          }
        }
        return stored.has(Math.round(last));
      },
      60_000,
      1000,
    );
    expect(seen.filter(({ ptsMs }) => !stored.has(Math.round(ptsMs)))).toEqual([]);
    for (const topic of ['ingest', 'viewer', 'session']) {
      const records = consumed(topic);
      const numbers = [...new Set(records.map(({ seq }) => seq))].sort((a, b) => a - b);
      expect(records.filter(({ type }) => type === 'gap')).toEqual([]);
      expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index));
    }
  }, 500_000);
});
