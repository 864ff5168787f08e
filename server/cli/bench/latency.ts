// `tessera bench latency`: age of each painted picture in a real Chromium, 1280x720 at 30 pictures/s over loopback: passed through,
// transcoded (our decoder and encoder), and encoded from raw pictures. A picture's age runs from the moment at which the publisher has
// it (before anything is encoded, copied or sent, where the row says raw) to the end of its drawing on the page's canvas; the display's
// own refresh is not in it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchOptions, BenchResult, BenchRow } from './bench-result.ts';
import { ChromiumPage, locateChromium } from './chromium-page.ts';
import { LatencyFeed, type FeedKind } from './latency-feed.ts';
import { startServer } from './tessera-server.ts';

const START_MS = 60_000;
const SETTLED_AFTER_PICTURES = 150;

type Case = {
  readonly name: string;
  readonly feed: FeedKind;
  readonly rendition: string;
  readonly encoder: 'publisher' | 'tessera';
  readonly target: { readonly p50: number; readonly p99?: number };
};

const CASES: readonly Case[] = [
  { name: 'passed through', feed: 'h264', rendition: 'source', encoder: 'publisher', target: { p50: 50 } },
  { name: 'transcoded', feed: 'h264', rendition: '720p', encoder: 'tessera', target: { p50: 80, p99: 150 } },
  { name: 'encoded from raw', feed: 'raw', rendition: 'source', encoder: 'tessera', target: { p50: 80, p99: 150 } },
];

type Sample = {
  readonly latencyMs: number;
  readonly stages: Readonly<Record<'arrive' | 'decode' | 'wait' | 'draw', number>>;
};

/** The next pictures' latencies and where they went, ms, as the page measures them. */
const collect = (pictures: number): string => `new Promise((resolve) => {
  const seen = [];
  const stop = window.tessera.onPainted(({ latencyMs, stages }) => {
    seen.push({ latencyMs, stages });
    if (seen.length === ${pictures}) {
      stop();
      resolve(seen);
    }
  });
})`;

type PageNumbers = {
  readonly dropped: number;
  readonly stalls: number;
  readonly decoder: string;
  readonly joinMs: number;
  readonly bufferMs: number;
};

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function measure(chromium: string, one: Case, pictures: number): Promise<BenchRow> {
  const folder = await mkdtemp(join(tmpdir(), 'tessera-latency-'));
  const server = await startServer(folder, ['--transcode.maxCpu', '1']);
  const feed = await LatencyFeed.start(one.feed, `${server.ws}/publish/bench`, server.publishKey);
  let page: ChromiumPage | null = null;
  try {
    page = await ChromiumPage.open(chromium, `${server.http}/watch/bench?rendition=${one.rendition}`);
    const isOn = `s.encoder === '${one.encoder}' && s.rendition === '${one.rendition}'`;
    await page.until(`window.tessera && ((s) => ${isOn} && s.painted > 0)(window.tessera.stats())`, START_MS);
    await page.evaluate(collect(SETTLED_AFTER_PICTURES));
    const before = await page.evaluate<PageNumbers>('window.tessera.stats()');
    const samples = await page.evaluate<Sample[]>(collect(pictures));
    const latencies = samples.map(({ latencyMs }) => latencyMs);
    const stage = (name: keyof Sample['stages']): number =>
      quantile(
        samples.map(({ stages }) => stages[name]),
        0.5,
      );
    const after = await page.evaluate<PageNumbers>('window.tessera.stats()');
    // Opened again, with a group in the cache and the browser warm: what a viewer waits for the first picture.
    await page.evaluate('window.isOld = true; void setTimeout(() => location.reload())');
    await page.until('!window.isOld && window.tessera && window.tessera.stats().joinMs !== null', START_MS);
    const { joinMs } = await page.evaluate<PageNumbers>('window.tessera.stats()');
    const third = Math.floor(latencies.length / 3);
    return {
      path: one.name,
      'p50 ms': quantile(latencies, 0.5),
      'p95 ms': quantile(latencies, 0.95),
      'p99 ms': quantile(latencies, 0.99),
      'growth ms': quantile(latencies.slice(-third), 0.5) - quantile(latencies.slice(0, third), 0.5),
      'arrive ms': stage('arrive'),
      'decode ms': stage('decode'),
      'wait ms': stage('wait'),
      'draw ms': stage('draw'),
      'buffer ms': after.bufferMs,
      pictures: latencies.length,
      dropped: after.dropped - before.dropped,
      stalls: after.stalls - before.stalls,
      decoder: after.decoder,
      'first picture ms': joinMs,
    };
  } finally {
    await page?.close();
    feed.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function verdict(row: BenchRow, { name, target }: Case): string {
  const p50 = Number(row['p50 ms']);
  const p99 = Number(row['p99 ms']);
  const isMet = p50 <= target.p50 && (target.p99 === undefined || p99 <= target.p99);
  const wanted = target.p99 === undefined ? `p50 <= ${target.p50}` : `p50 <= ${target.p50}, p99 <= ${target.p99}`;
  return `${name}: target ${wanted} ms: ${isMet ? 'met' : 'missed'}`;
}

/** Runs the cases one after the other. */
export async function benchLatency({ progress, isLong }: BenchOptions): Promise<BenchResult> {
  const chromium = locateChromium();
  if (chromium === null) {
    return {
      name: 'latency',
      rows: [],
      notes: ['Chromium is not installed (or CHROMIUM_PATH is wrong): not measured'],
    };
  }
  const pictures = isLong ? 18_000 : 600;
  const rows: BenchRow[] = [];
  for (const one of CASES) {
    progress(`${one.name}, ${pictures} pictures`);
    rows.push(await measure(chromium, one, pictures));
  }
  return {
    name: 'latency',
    rows,
    notes: [
      ...CASES.map((one, index) => verdict(rows[index] ?? {}, one)),
      '1280x720, 30 pictures/s, loopback; publisher, server and browser share this machine',
    ],
  };
}
