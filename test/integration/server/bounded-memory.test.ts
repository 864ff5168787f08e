// A server under hostile traffic, in a process of its own so that its memory can be read: messages that never end without a key,
// viewers that read nothing. Its memory stays within the bound of the design, and an attentive viewer misses nothing.

import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SUBPROTOCOL } from '../../../shared/protocol/subprotocol.ts';
import { childEntry } from '../../../server/platform/child-entry.ts';
import { TestPublisher, TestViewer, until } from '../../support/running-server.ts';

const MAX_GROWTH_MB = 150;
let folder = '';
let child: ChildProcess;
let ready: { http: string; publishKey: string; pid: number };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tessera-memory-'));
  const entry = childEntry(new URL('../../../server/cli/serve.ts', import.meta.url).href, '../main');
  const flags = ['--json', '--http.host', '127.0.0.1', '--http.port', '0', '--rtmp.port', 'off', '--dataDir', folder];
  child = spawn(process.execPath, [...entry.execArgv, entry.path, 'serve', ...flags], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
  });
  let out = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  await until('the server is ready', () => out.includes('\n'), 20_000);
  ready = JSON.parse(out) as typeof ready;
}, 30_000);
afterAll(async () => {
  child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const residentMb = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${ready.pid}/status`, 'utf8'))?.[1]) / 1024;

function upgraded(path: string): Socket {
  const { port } = new URL(ready.http);
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

test('messages without a key and viewers that read nothing stay within the bound, and a good viewer misses nothing', async () => {
  const ws = ready.http.replace('http', 'ws');
  const publisher = new TestPublisher(`${ws}/publish/steady`);
  await publisher.hello(ready.publishKey);
  publisher.track();
  let frame = 0;
  const payload = Buffer.alloc(40_000, 3); // 40 kB x 25 = 8 Mbit/s
  const feeding = setInterval(() => {
    publisher.unit(frame * 40, { priority: frame % 25 === 0 ? 'key' : 'reference', payload });
    frame++;
  }, 40);
  const hostile: Socket[] = [];
  try {
    const viewer = await new TestViewer(`${ws}/subscribe/steady?rendition=source`).open();
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
    const start = frame;
    await until(
      'eight seconds of the feed have passed',
      () => {
        peak = Math.max(peak, residentMb());
        return frame >= start + 200;
      },
      20_000,
    );
    expect(peak - before).toBeLessThanOrEqual(MAX_GROWTH_MB);
    process.stderr.write(
      `memory: ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at the peak of hostile traffic\n`,
    );
    const seen = viewer.objects.filter(({ isCached }) => !isCached).map(({ pts }) => pts / 40_000);
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => (seen[0] ?? 0) + index));
    expect(seen.at(-1)).toBeGreaterThanOrEqual(start + 190);
    viewer.leave();
  } finally {
    clearInterval(feeding);
    for (const socket of hostile) {
      socket.destroy();
    }
    publisher.socket.terminate();
  }
}, 45_000);
