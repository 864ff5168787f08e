// The product on a real Apache Kafka: ffmpeg pushes a clip, Chromium plays it, and what both did is in the topics as kcat reads them.
// Then the broker is killed for 10 s (60 s in --long), comes back, and later hangs: the page notices nothing and no event is lost.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser, openPage, type WatchedPage } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { kafkaForTests } from '../support/kafka-broker.ts';
import { consumeAll, type KcatRecord } from '../support/kcat.ts';
import { ensurePages } from '../support/pages.ts';
import { statsOf, waitForStats } from '../support/player-page.ts';
import { describeWith, materialDir } from '../support/requirements.ts';
import { startServe, type ServeProcess } from '../support/serve-process.ts';

const CLIP = join(materialDir, 'clips', 'bbb720.mp4');
const FPS = 24;
const STREAM = 'on-kafka';
const BROKER_GONE_MS = process.env['TESSERA_LONG'] === '1' ? 60_000 : 10_000;
/** What a viewer would call late. The machine also starts a Java process meanwhile. */
const LATE_MS = 1000;

/** A small clip of constant rate, so that two cores do for broker, server, publisher and browser. Returns its rate, kbit/s. */
function makeClip(file: string): number {
  const picture = ['-an', '-vf', 'scale=640:360', '-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency'];
  const rate = ['-b:v', '800k', '-maxrate', '800k', '-minrate', '800k', '-bufsize', '400k', '-g', String(FPS)];
  const args = ['-v', 'error', '-y', '-i', CLIP, ...picture, ...rate, '-x264-params', 'nal-hrd=cbr', file];
  expect(spawnSync('ffmpeg', args).status).toBe(0);
  const sizes = spawnSync('ffprobe', ['-v', 'error', '-show_entries', 'packet=size', '-of', 'csv=p=0', file], {
    encoding: 'utf8',
  })
    .stdout.trim()
    .split('\n')
    .map((size) => Number.parseInt(size, 10));
  return (sizes.reduce((sum, size) => sum + 8 * size, 0) * FPS) / sizes.length / 1000;
}

/** Sequence numbers by reporter, stream and topic. */
function sequencesOf(records: readonly KcatRecord[]): Map<string, number[]> {
  const sequences = new Map<string, number[]>();
  for (const { value } of records) {
    const { node, boot, stream, topic, seq } = value as Record<string, string | number>;
    const name = `${node} ${boot} ${stream} ${topic}`;
    sequences.set(name, [...(sequences.get(name) ?? []), Number(seq)]);
  }
  return sequences;
}

describeWith(['material', 'kafka', 'ffmpeg', 'chromium'], 'a broadcast whose telemetry is on Apache Kafka', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-e2e-kafka-'));
  let broker: Awaited<ReturnType<typeof kafkaForTests>>;
  let browser: Browser;
  let server: ServeProcess;
  let publisher: ChildProcess;
  let watched: WatchedPage;
  let clipKbps = 0;

  beforeAll(async () => {
    ensurePages();
    clipKbps = makeClip(join(folder, 'clip.mp4'));
    broker = await kafkaForTests();
    const kafka = ['--telemetry.driver', 'kafka', '--telemetry.kafka.brokers', broker.bootstrap];
    [server, browser] = await Promise.all([
      startServe([...kafka, '--telemetry.kafka.partitions', '4', '--transcode.maxCpu', '0']),
      launchBrowser(),
    ]);
    const url = `${server.rtmp}/${STREAM}?key=${server.key}`;
    const input = ['-v', 'error', '-re', '-stream_loop', '-1', '-i', join(folder, 'clip.mp4')];
    publisher = spawn('ffmpeg', [...input, '-c', 'copy', '-f', 'flv', url], { stdio: 'ignore' });
    await eventually(
      'the stream to be live',
      async () => (await (await fetch(`${server.http}/api/v1/streams`)).text()).includes(`"id":"${STREAM}"`),
      30_000,
      250,
    );
    watched = await openPage(browser);
    await watched.page.goto(`${server.http}/watch/${STREAM}?rendition=source`);
  }, 300_000);

  afterAll(async () => {
    publisher.kill('SIGKILL');
    await browser.close();
    await server.stop();
    broker.thawNode(0);
    await broker.dispose();
    rmSync(folder, { recursive: true, force: true });
  }, 120_000);

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${server.http}/metrics`)).text();
    return [...text.matchAll(new RegExp(`^tessera_${name}(?:\\{[^}]*\\})? (\\S+)`, 'gm'))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
  }

  type Health = { bitrateKbps: number; fps: number; windowStart: number | null; complete: number | null };

  /** Health of the first whole window that starts after `after` (epoch ms). */
  function healthAfter(after: number): Promise<Health> {
    return eventually(
      'a whole window',
      async () => {
        const answer = await fetch(`${server.http}/api/v1/streams/${STREAM}/health`);
        const health = (await answer.json()) as Health;
        return (health.windowStart ?? 0) > after && health.complete === 1 && health;
      },
      90_000,
      500,
    );
  }

  const isReplayed = async (spooledBefore: number): Promise<boolean> => {
    const spooled = await metric('telemetry_spooled_records');
    return spooled > spooledBefore && (await metric('telemetry_replayed_records')) === spooled;
  };

  test('operators see the right numbers, and they come through the topics', async () => {
    expect((await waitForStats(watched.page, 's.painted > 30', 60_000)).decodeErrors).toBe(0);
    const { fps, bitrateKbps } = await healthAfter(Date.now());
    expect(Math.abs(fps / FPS - 1)).toBeLessThanOrEqual(0.02);
    expect(Math.abs(bitrateKbps / clipKbps - 1)).toBeLessThanOrEqual(0.05);
    const read = (topic: string): Promise<KcatRecord[]> => consumeAll(broker.bootstrap, `tessera.${topic}.v1`);
    const [ingest, viewer, session] = [await read('ingest'), await read('viewer'), await read('session')];
    const windows = await read('windows');
    const typesOf = (records: readonly KcatRecord[]): Set<unknown> =>
      new Set(records.map(({ value }) => value['type']));
    expect(typesOf(ingest)).toContain('frames');
    expect(typesOf(viewer)).toContain('viewer-report');
    expect([...typesOf(session)]).toEqual(expect.arrayContaining(['publish-start', 'view-start']));
    const ofStream = windows.filter(({ key, value }) => key === STREAM && value['job'] === 'ingest');
    expect(ofStream.length).toBeGreaterThan(0);
    process.stderr.write(
      `on Kafka: ${fps} fps, ${bitrateKbps} kbit/s (the clip has ${FPS} and ${clipKbps.toFixed(0)}); ` +
        `kcat reads ${ingest.length} ingest, ${viewer.length} viewer, ${session.length} session events, ${windows.length} windows\n`,
    );
  }, 180_000);

  test('a broker that is killed and comes back costs no frame, and one that never answers neither', async () => {
    const before = await statsOf(watched.page);
    await broker.stopNode(0, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, BROKER_GONE_MS));
    const without = await statsOf(watched.page);
    expect(without.painted - before.painted).toBeGreaterThan((BROKER_GONE_MS / 1000) * FPS * 0.9);
    await broker.startNode(0);
    await eventually('the spool to be replayed', () => isReplayed(0), 90_000, 250);
    const spooledOnce = await metric('telemetry_spooled_records');

    broker.freezeNode(0);
    await eventually(
      'events to go to the spool',
      async () => (await metric('telemetry_spooled_records')) > spooledOnce,
      60_000,
      250,
    );
    broker.thawNode(0);
    await eventually('the spool to be replayed again', () => isReplayed(spooledOnce), 90_000, 250);
    await healthAfter(Date.now());
    const after = await statsOf(watched.page);
    process.stderr.write(
      `broker gone for ${BROKER_GONE_MS / 1000} s: ${without.painted - before.painted} pictures painted meanwhile; ` +
        `stalled ${(after.stalledMs - before.stalledMs).toFixed(0)} ms and ${after.dropped - before.dropped} dropped until all was well\n`,
    );
    expect(after.stalledMs - before.stalledMs).toBeLessThan(LATE_MS);
    expect(await metric('dropped_units_total')).toBe(0);
    expect(after.decodeErrors).toBe(0);
    expect(watched.problems).toEqual([]);
  }, 400_000);

  test('no event is lost: kcat finds every number of every reporter', async () => {
    publisher.kill('SIGKILL');
    await watched.close();
    await eventually('nothing to wait', async () => (await metric('telemetry_queue_bytes')) === 0, 60_000, 100);
    let [all, twice] = [0, 0];
    for (const topic of ['ingest', 'viewer', 'session']) {
      for (const [name, numbers] of sequencesOf(await consumeAll(broker.bootstrap, `tessera.${topic}.v1`))) {
        const distinct = [...new Set(numbers)].sort((a, b) => a - b);
        expect({ name, numbers: distinct }).toEqual({ name, numbers: Array.from(distinct, (_, i) => i) });
        all += distinct.length;
        twice += numbers.length - distinct.length; // of what was under way when the broker went: readers drop it by its number
      }
    }
    expect(await metric('telemetry_dropped_(?:ingest|viewer|session|data)')).toBe(0);
    process.stderr.write(`on Kafka: ${all} events, none missing, ${twice} there twice\n`);
    expect(all).toBeGreaterThan(100);
  }, 120_000);

  test('a server whose broker never answers stops in order', async () => {
    broker.freezeNode(0);
    expect(await server.stop()).toBe(0);
  }, 60_000);
});
