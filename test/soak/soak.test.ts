// The soak: one server, five publishers that come and go (politely, abruptly, over RTMP and WebSocket), 200 viewers that come and go,
// an RTMP ingest process that is killed every minute. Neither memory, nor handles, nor latency may grow with time.
// `npm run soak` takes 30 minutes, `scripts/test --long` 10; TESSERA_SOAK_MINUTES says otherwise.

import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { parseRtmpAddress, RtmpClient } from '../../server/cli/clients/rtmp-client.ts';
import { decodeObjects } from '../../shared/protocol/object-header.ts';
import { SUBPROTOCOL } from '../../shared/protocol/subprotocol.ts';
import { eventually } from '../support/eventually.ts';
import { avcPicture, avcSequenceHeader } from '../support/flv-synthesis.ts';
import { seededRandom } from '../support/random.ts';
import { TestPublisher } from '../support/running-server.ts';
import { startServe, type ServeProcess } from '../support/serve-process.ts';

const MINUTES = Number(process.env['TESSERA_SOAK_MINUTES'] ?? (process.env['TESSERA_LONG'] === '1' ? 10 : 30));
const TOTAL_MS = MINUTES * 60_000;
const VIEWERS = 200;
const STREAMS = ['rtmp-1', 'rtmp-2', 'rtmp-3', 'ws-1', 'ws-2'] as const;
const FRAME_MS = 40;
const SAMPLE_MS = 2000;
const KILL_MS = 60_000;
/** What the last third of the time may have more than the middle third; for latency also half as much again. */
const MAX_MORE = { memoryMb: 40, handles: 12, latencyMs: 15 } as const;

const random = seededRandom(20261128);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let server: ServeProcess;
let isOver = false;
beforeAll(async () => {
  server = await startServe(['--limits.connectionsPerIp', '500', '--transcode.maxCpu', '0']);
}, 90_000);
afterAll(async () => {
  isOver = true;
  const start = performance.now();
  const code = await server.stop();
  process.stderr.write(`soak: gone ${((performance.now() - start) / 1000).toFixed(1)} s after SIGTERM, code ${code}\n`);
  expect(code).toBe(0);
}, 120_000);

/** One life of an RTMP publisher; ends by goodbye or by a broken connection. */
async function publishRtmp(stream: string, forMs: number, isPolite: boolean): Promise<void> {
  const client = await RtmpClient.publish(parseRtmpAddress(`${server.rtmp}/${stream}?key=${server.key}`));
  try {
    await client.send(avcSequenceHeader());
    const start = performance.now();
    for (let frame = 0; performance.now() - start < forMs && !isOver; frame++) {
      await client.send(avcPicture(frame));
      await pause(Math.max(1, start + frame * FRAME_MS - performance.now()));
    }
    await (isPolite ? client.close() : Promise.resolve());
  } finally {
    client.destroy();
  }
}

async function publishWebSocket(stream: string, forMs: number, isPolite: boolean): Promise<void> {
  const publisher = new TestPublisher(`${server.ws}/publish/${stream}`);
  await publisher.hello(server.key);
  publisher.track();
  const start = performance.now();
  for (let frame = 0; performance.now() - start < forMs && !isOver && publisher.closed === null; frame++) {
    publisher.unit(frame * FRAME_MS, {
      priority: frame % 50 === 0 ? 'key' : 'reference',
      payload: Buffer.alloc(4000, frame),
    });
    await pause(Math.max(1, start + frame * FRAME_MS - performance.now()));
  }
  if (isPolite) {
    publisher.say({ type: 'end' });
  }
  publisher.socket.terminate();
}

let lives = 0;

/** A publisher that never gives up. */
async function publishForEver(stream: (typeof STREAMS)[number]): Promise<void> {
  while (!isOver) {
    const [forMs, isPolite] = [5000 + random(25_000), random(3) === 0];
    try {
      await (stream.startsWith('rtmp') ? publishRtmp : publishWebSocket)(stream, forMs, isPolite);
    } catch {
      await pause(250); // the ingest process was killed, or the old connection is not gone yet
    }
    lives++;
    await pause(random(1500));
  }
}

const delays: number[] = [];
const closes: Record<number, number> = {};
let received = 0;

/** One life of a viewer. `isProbe`: measures what the server adds between arrival and the viewer. */
function watch(stream: string, forMs: number, isProbe: boolean): Promise<void> {
  return new Promise((resolve) => {
    const kind = random(4) === 0 ? 'normal' : 'realtime';
    const address = `${server.ws}/subscribe/${stream}?rendition=source&class=${isProbe ? 'realtime' : kind}`;
    const socket = new WebSocket(address, SUBPROTOCOL, { perMessageDeflate: false });
    const timer = setTimeout(() => (random(2) === 0 ? socket.close() : socket.terminate()), forMs);
    socket.on('message', (data: Buffer, isBinary) => {
      received += data.length;
      if (isProbe && isBinary) {
        const nowMs = performance.timeOrigin + performance.now();
        for (const object of decodeObjects(data)) {
          if (!object.isCached) {
            delays.push(nowMs - object.arrivalTime / 1000);
          }
        }
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      clearTimeout(timer);
      closes[code] = (closes[code] ?? 0) + 1;
      resolve();
    });
  });
}

async function watchForEver(index: number): Promise<void> {
  while (!isOver) {
    await watch(STREAMS[index % STREAMS.length] ?? '', 10_000 + random(40_000), index < 2 * STREAMS.length);
    await pause(100 + random(400));
  }
}

const residentMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

const ingestPid = (): number => {
  const pid = server.process.pid ?? 0;
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
};

type Sample = { readonly memoryMb: number; readonly handles: number; readonly latencyMs: number };

/** The median second of each third: joins and kills make single samples jump. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

test(
  `${MINUTES} minutes of publishers and viewers that come and go grow nothing`,
  async () => {
    const pid = server.process.pid ?? 0;
    const publishing = STREAMS.map(publishForEver);
    await eventually(
      'every stream to be there',
      async () => {
        const { streams } = (await (await fetch(`${server.http}/api/v1/streams`)).json()) as { streams: unknown[] };
        return streams.length === STREAMS.length;
      },
      30_000,
    );
    const watching = Array.from({ length: VIEWERS }, (_, index) => watchForEver(index));
    const samples: Sample[] = [];
    const start = performance.now();
    let kills = 0;
    while (performance.now() - start < TOTAL_MS) {
      await pause(SAMPLE_MS);
      samples.push({
        memoryMb: residentMb(pid),
        handles: readdirSync(`/proc/${pid}/fd`).length,
        latencyMs: median(delays.splice(0)),
      });
      if (performance.now() - start > (kills + 1) * KILL_MS) {
        process.kill(ingestPid(), 'SIGKILL');
        kills++;
      }
    }
    const before = received;
    await eventually('viewers to be served to the end', () => received > before, 10_000);
    isOver = true;
    await Promise.all([...publishing, ...watching]);

    const third = Math.floor(samples.length / 3);
    const rows = [samples.slice(0, third), samples.slice(third, 2 * third), samples.slice(2 * third)].map((part) => ({
      memoryMb: median(part.map(({ memoryMb }) => memoryMb)),
      handles: median(part.map(({ handles }) => handles)),
      latencyMs: median(part.map(({ latencyMs }) => latencyMs).filter((value) => !Number.isNaN(value))),
    }));
    for (const [index, { memoryMb, handles, latencyMs }] of rows.entries()) {
      process.stderr.write(
        `soak, third ${index + 1}: ${memoryMb.toFixed(0)} MB, ${handles} handles, median added latency ${latencyMs.toFixed(1)} ms\n`,
      );
    }
    process.stderr.write(
      `soak: ${lives} lives of publishers, ${kills} kills of the ingest process, ${(received / 1e6).toFixed(0)} MB received, closes ${JSON.stringify(closes)}\n`,
    );
    const [, middle, last] = rows;
    if (middle === undefined || last === undefined) {
      throw new Error('The soak was too short for three thirds.');
    }
    expect(last.memoryMb - middle.memoryMb).toBeLessThanOrEqual(MAX_MORE.memoryMb);
    expect(last.handles - middle.handles).toBeLessThanOrEqual(MAX_MORE.handles);
    expect(last.latencyMs).toBeLessThanOrEqual(1.5 * middle.latencyMs + MAX_MORE.latencyMs);
    expect(server.process.exitCode).toBeNull();
    expect(server.log()).not.toContain('a bug:');
  },
  TOTAL_MS + 180_000,
);
