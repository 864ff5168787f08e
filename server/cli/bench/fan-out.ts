// `tessera bench fanout`: CPU of the server per viewer and frame, realtime and normal class, beside node-media-server's WS-FLV in the
// same run: the same feed (25 pictures/s of 1 Mbit/s, AAC audio), the same viewers, one server at a time. What the server needs
// without viewers (ingest, telemetry) is measured first and taken off, for every server alike.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SUBPROTOCOL } from '../../../shared/protocol/subprotocol.ts';
import type { BenchOptions, BenchResult, BenchRow } from './bench-result.ts';
import {
  BYTES_PER_PICTURE,
  feed,
  FPS,
  startNodeMediaServer,
  startTessera,
  type BenchServer,
} from './fan-out-servers.ts';
import { DelayProbe, ViewerCrowd } from './fan-out-viewers.ts';

const SETTLE_MS = 2000;

type Round = { readonly viewers: number; readonly seconds: number };
type Measured = {
  readonly cpuUsPerViewerFrame: number;
  readonly deliveredPercent: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function measure(
  server: BenchServer,
  flushClass: 'realtime' | 'normal',
  { viewers, seconds, idleMsPerSecond }: Round & { readonly idleMsPerSecond: number },
): Promise<Measured> {
  const crowd = new ViewerCrowd();
  const address = server.viewerAddress(flushClass);
  const isOurs = server.name === 'tessera';
  const probe = isOurs ? new DelayProbe(address) : null;
  await crowd.join(viewers, address, isOurs ? SUBPROTOCOL : null);
  await pause(SETTLE_MS);
  probe?.delaysMs.splice(0);
  const [cpu, bytes, at] = [server.cpuMs(), crowd.bytes, performance.now()];
  await pause(seconds * 1000);
  const cpuMs = server.cpuMs() - cpu;
  const elapsedMs = performance.now() - at;
  const frames = (crowd.bytes - bytes) / BYTES_PER_PICTURE; // headers are 1-2 % and counted alike for all
  const expected = (elapsedMs / 1000) * FPS * viewers;
  crowd.leave();
  probe?.close();
  return {
    cpuUsPerViewerFrame: ((cpuMs - (idleMsPerSecond * elapsedMs) / 1000) * 1000) / frames,
    deliveredPercent: Math.min(100, (frames / expected) * 100),
    p50Ms: probe?.quantile(0.5) ?? Number.NaN,
    p99Ms: probe?.quantile(0.99) ?? Number.NaN,
  };
}

/** CPU per second without viewers, ms. */
async function idleCost(server: BenchServer, seconds: number): Promise<number> {
  const [cpu, at] = [server.cpuMs(), performance.now()];
  await pause(seconds * 1000);
  return ((server.cpuMs() - cpu) * 1000) / (performance.now() - at);
}

function rowOf(name: string, round: Round & { readonly idleMsPerSecond: number }, measured: Measured): BenchRow {
  const { cpuUsPerViewerFrame, deliveredPercent, p50Ms, p99Ms } = measured;
  return {
    server: name,
    viewers: round.viewers,
    'us CPU per viewer-frame': cpuUsPerViewerFrame,
    'ms CPU/s without viewers': round.idleMsPerSecond,
    'delivered %': deliveredPercent,
    ...(Number.isNaN(p50Ms) ? {} : { 'added ms p50': p50Ms, 'added ms p99': p99Ms }),
  };
}

async function withServer(
  start: (folder: string) => Promise<BenchServer | null>,
  use: (server: BenchServer) => Promise<void>,
): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'tessera-fanout-'));
  try {
    const server = await start(folder);
    if (server === null) {
      return false;
    }
    const stopFeed = await feed(server.target);
    try {
      await pause(SETTLE_MS);
      await use(server);
    } finally {
      stopFeed();
      await server.stop();
    }
    return true;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the comparison. */
export async function benchFanOut({ progress, isLong }: BenchOptions): Promise<BenchResult> {
  const size: Round = isLong ? { viewers: 500, seconds: 30 } : { viewers: 300, seconds: 6 };
  const rows: BenchRow[] = [];
  const cost: Record<string, number> = {};
  const run = async (name: string, server: BenchServer, flushClass: 'realtime' | 'normal'): Promise<void> => {
    const round = { ...size, idleMsPerSecond: await idleCost(server, size.seconds) };
    progress(`${name}, ${round.viewers} viewers for ${round.seconds} s`);
    const measured = await measure(server, flushClass, round);
    cost[name] = measured.cpuUsPerViewerFrame;
    rows.push(rowOf(name, round, measured));
  };
  await withServer(startTessera, async (server) => {
    await run('tessera realtime', server, 'realtime');
    await run('tessera normal', server, 'normal');
  });
  const hasPeer = await withServer(startNodeMediaServer, async (server) => {
    await run('node-media-server 4.4.3 WS-FLV', server, 'realtime');
  });
  const peer = cost['node-media-server 4.4.3 WS-FLV'] ?? Number.NaN;
  const ratio = (name: string): string => ((cost[name] ?? Number.NaN) / peer).toFixed(2);
  return {
    name: 'fanout',
    rows,
    notes: hasPeer
      ? [
          `realtime: ${ratio('tessera realtime')}x of node-media-server's WS-FLV (target <= 0.6)`,
          `normal: ${ratio('tessera normal')}x of node-media-server's WS-FLV`,
          `feed: ${FPS} pictures/s, 1 Mbit/s, and AAC; CPU is user + system time of the whole server process beyond what it needs without viewers`,
        ]
      : ['node-media-server is not installed: no comparison'],
  };
}
