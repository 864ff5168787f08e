// `tessera bench fanout`: CPU of the server per viewer and frame, realtime and normal class, beside node-media-server's WS-FLV and
// nginx's RTMP module in the same run: the same feed (25 pictures/s of 1 Mbit/s, AAC audio), the same viewers, one server at a time.
// Two forms: what the whole process uses, and what it uses beyond its need without viewers (ingest, telemetry), for all alike. Then what
// an idle viewer costs in memory; in the long form also 1 000 viewers, and viewers that stop reading beside others that do not.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SUBPROTOCOL } from '../../../shared/protocol/subprotocol.ts';
import type { BenchOptions, BenchResult, BenchRow } from './bench-result.ts';
import { startNginxRtmp } from './fan-out-nginx.ts';
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

type Round = {
  readonly viewers: number;
  readonly seconds: number;
  /** Viewers, of all, that stop reading before the measurement. */
  readonly stalled?: number;
};
type Measured = {
  /** Beyond what the server needs without viewers. */
  readonly cpuUsPerViewerFrame: number;
  readonly wholeUsPerViewerFrame: number;
  readonly cpuMsPerSecond: number;
  readonly deliveredPercent: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function measure(
  server: BenchServer,
  flushClass: 'realtime' | 'normal',
  { viewers, seconds, idleMsPerSecond, stalled = 0 }: Round & { readonly idleMsPerSecond: number },
): Promise<Measured> {
  const crowd = new ViewerCrowd();
  const address = server.viewerAddress(flushClass);
  const isOurs = server.name === 'tessera';
  const probe = isOurs ? new DelayProbe(address) : null;
  await crowd.join(viewers, address, isOurs ? SUBPROTOCOL : null);
  crowd.stall(stalled);
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
    wholeUsPerViewerFrame: (cpuMs * 1000) / frames,
    cpuMsPerSecond: (cpuMs * 1000) / elapsedMs,
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
  const { cpuUsPerViewerFrame, wholeUsPerViewerFrame, cpuMsPerSecond, deliveredPercent, p50Ms, p99Ms } = measured;
  return {
    server: name,
    viewers: round.viewers,
    'us CPU per viewer-frame': cpuUsPerViewerFrame,
    'whole process': wholeUsPerViewerFrame,
    'ms CPU/s': cpuMsPerSecond,
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

/** Resident memory of one more viewer of a stream that has a picture and then nothing, kB. */
async function memoryPerIdleViewer(viewers: number): Promise<number> {
  let kb = Number.NaN;
  await withServer(startTessera, async (server) => {
    const crowd = new ViewerCrowd();
    const address = server.viewerAddress('realtime');
    address.pathname = address.pathname.replace('bench', 'quiet');
    const publisher = await server.publishQuietly?.('quiet');
    await crowd.join(50, address, SUBPROTOCOL); // code and caches are warm
    await pause(500);
    const before = server.residentKb();
    await crowd.join(viewers, address, SUBPROTOCOL);
    await pause(500);
    kb = (server.residentKb() - before) / viewers;
    crowd.leave();
    publisher?.();
  });
  return kb;
}

/** Whether viewers that stop reading are felt by the others: the added latency of one that reads, without and with them. */
async function stalledViewers(round: Round): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  await withServer(startTessera, async (server) => {
    const idleMsPerSecond = await idleCost(server, 5);
    for (const stalled of [0, Math.ceil(round.viewers / 100)]) {
      const measured = await measure(server, 'realtime', { ...round, stalled, idleMsPerSecond });
      rows.push(rowOf(`tessera realtime, ${stalled} stalled`, { ...round, idleMsPerSecond }, measured));
    }
  });
  return rows;
}

const NMS = 'node-media-server 4.4.3 WS-FLV';
const NGINX = 'nginx-rtmp';

/** Runs the comparison. */
export async function benchFanOut({ progress, isLong }: BenchOptions): Promise<BenchResult> {
  const size: Round = isLong ? { viewers: 500, seconds: 30 } : { viewers: 300, seconds: 6 };
  const rows: BenchRow[] = [];
  const cost = new Map<string, Measured>();
  const run = async (
    name: string,
    server: BenchServer,
    flushClass: 'realtime' | 'normal',
    of = size,
  ): Promise<void> => {
    const round = { ...of, idleMsPerSecond: await idleCost(server, size.seconds) };
    progress(`${name}, ${round.viewers} viewers for ${round.seconds} s`);
    const measured = await measure(server, flushClass, round);
    cost.set(name, measured);
    rows.push(rowOf(name, round, measured));
  };
  await withServer(startTessera, async (server) => {
    await run('tessera realtime', server, 'realtime');
    await run('tessera normal', server, 'normal');
    if (isLong) {
      await run('tessera realtime, 1 000 viewers', server, 'realtime', { viewers: 1000, seconds: 30 });
    }
  });
  const missing: string[] = [];
  for (const [name, start] of [
    [NMS, startNodeMediaServer],
    [NGINX, startNginxRtmp],
  ] as const) {
    const isFound = await withServer(start, (server) => run(name, server, 'realtime'));
    missing.push(...(isFound ? [] : [name]));
  }
  if (isLong) {
    progress('viewers that stop reading, a minute each without and with them');
    rows.push(...(await stalledViewers({ viewers: 300, seconds: 60 })));
  }
  const ratio = (name: string, peer: string, form: 'cpuUsPerViewerFrame' | 'wholeUsPerViewerFrame'): string =>
    ((cost.get(name)?.[form] ?? Number.NaN) / (cost.get(peer)?.[form] ?? Number.NaN)).toFixed(2);
  const both = (name: string, peer: string): string =>
    `${ratio(name, peer, 'cpuUsPerViewerFrame')}x above idle, ${ratio(name, peer, 'wholeUsPerViewerFrame')}x as whole processes`;
  progress('memory of idle viewers');
  const idleKb = await memoryPerIdleViewer(isLong ? 1000 : 300);
  return {
    name: 'fanout',
    rows,
    notes: [
      ...(cost.has(NMS)
        ? [`realtime beside node-media-server's WS-FLV: ${both('tessera realtime', NMS)} (target <= 0.6)`]
        : []),
      ...(cost.has(NGINX) ? [`normal beside nginx-rtmp: ${both('tessera normal', NGINX)} (target <= 0.55)`] : []),
      ...missing.map((name) => `${name} is not installed: no comparison`),
      `memory per idle viewer: ${idleKb.toFixed(0)} kB (target <= 40)`,
      `feed: ${FPS} pictures/s, 1 Mbit/s, and AAC; CPU is user + system time of the server's main process`,
    ],
  };
}
