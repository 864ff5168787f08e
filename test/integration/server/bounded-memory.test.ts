// A server under hostile traffic, in a process of its own so that its memory can be read: messages that never end without a key,
// viewers that read nothing, RTMP connections that reserve what they can. Its memory stays within the bound of the design and comes
// back afterwards, and an attentive viewer misses nothing.

import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SUBPROTOCOL } from '../../../shared/protocol/subprotocol.ts';
import { eventually } from '../../support/eventually.ts';
import { hex } from '../../support/hex.ts';
import { RtmpProbe } from '../../support/rtmp-probe.ts';
import { TestPublisher, TestViewer } from '../../support/running-server.ts';
import { startServe, type ServeProcess } from '../../support/serve-process.ts';

const MAX_GROWTH_MB = 150;
/** The heap finds its size in the first seconds of a feed. */
const WARM_FRAMES = 250;
/** What stays is caches that were not warm before: code, the heap's spare pages. */
const SETTLED_MB = 50;
/** design.md says 30 s; a machine under load collects later. */
const SETTLE_MS = 60_000;

let server: ServeProcess;
beforeAll(async () => {
  server = await startServe();
}, 90_000);
afterAll(async () => {
  await server.stop();
}, 30_000);

const statusOf = (pid: number | string, field: string): string =>
  new RegExp(`^${field}:\\s+(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';

/** Resident memory of the server and of its RTMP ingest process, MB. */
function residentMb(): number {
  const pid = server.process.pid ?? 0;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return [String(pid), ...children].reduce((sum, each) => sum + Number.parseInt(statusOf(each, 'VmRSS'), 10) / 1024, 0);
}

function upgraded(path: string): Socket {
  const { port } = new URL(server.http);
  const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nSec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
  );
  return socket;
}

/** A masked binary frame that says 4 000 000 bytes and sends a quarter of them, again and again, without a key. */
function endlessMessage(): Buffer {
  const head = Buffer.alloc(14);
  head[0] = 0x82;
  head[1] = 0xff;
  head.writeBigUInt64BE(4_000_000n, 2);
  return Buffer.concat([head, Buffer.alloc(1_000_000)]);
}

/** Unfinished messages of 64 kB on as many chunk streams as are taken; never read, never finished. */
async function hoardingRtmp(): Promise<Socket> {
  const probe = await RtmpProbe.greeted(Number(new URL(server.rtmp).port));
  for (let chunkStream = 3; chunkStream < 6; chunkStream++) {
    probe.write(Buffer.concat([Buffer.of(chunkStream), hex('000000 00fff0 14 00000000'), Buffer.alloc(128)]));
  }
  probe.socket.pause();
  return probe.socket;
}

test('hostile traffic stays within the bound, a good viewer misses nothing, and the memory comes back', async () => {
  const publisher = new TestPublisher(`${server.ws}/publish/steady`);
  await publisher.hello(server.key);
  publisher.track();
  let frame = 0;
  const payload = Buffer.alloc(40_000, 3); // 40 kB x 25 = 8 Mbit/s
  const feeding = setInterval(() => {
    publisher.unit(frame * 40, { priority: frame % 25 === 0 ? 'key' : 'reference', payload });
    frame++;
  }, 40);
  const hostile: Socket[] = [];
  try {
    const viewer = await new TestViewer(`${server.ws}/subscribe/steady?rendition=source`).open();
    await eventually('a server that is warm', () => frame >= WARM_FRAMES, 60_000);
    await viewer.received(25);
    const before = residentMb();
    let peak = before;
    const message = endlessMessage();
    for (let index = 0; index < 60; index++) {
      const socket = upgraded('/publish/steal');
      socket.write(message);
      hostile.push(socket);
    }
    for (let index = 0; index < 40; index++) {
      hostile.push(upgraded('/subscribe/steady?rendition=source').pause());
    }
    hostile.push(...(await Promise.all(Array.from({ length: 50 }, hoardingRtmp))));
    const start = frame;
    await eventually(
      'eight seconds of the feed',
      () => {
        peak = Math.max(peak, residentMb());
        return frame >= start + 200;
      },
      60_000,
      50,
    );
    expect(peak - before).toBeLessThanOrEqual(MAX_GROWTH_MB);
    await eventually('the viewer to be up to date', () => (viewer.objects.at(-1)?.pts ?? 0) >= (start + 200) * 40_000);
    const seen = viewer.objects.filter(({ isCached }) => !isCached).map(({ pts }) => pts / 40_000);
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => (seen[0] ?? 0) + index));
    for (const socket of hostile) {
      socket.destroy();
    }
    const over = performance.now();
    let settled = 0;
    await eventually(
      `the memory to come back to ${Math.round(before + SETTLED_MB)} MB`,
      () => {
        settled = residentMb();
        return settled <= before + SETTLED_MB;
      },
      SETTLE_MS,
      500,
    );
    process.stderr.write(
      `memory: ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at the peak of hostile traffic, ` +
        `${settled.toFixed(0)} MB ${((performance.now() - over) / 1000).toFixed(0)} s after it\n`,
    );
    viewer.leave();
  } finally {
    clearInterval(feeding);
    for (const socket of hostile) {
      socket.destroy();
    }
    publisher.socket.terminate();
  }
}, 180_000);
