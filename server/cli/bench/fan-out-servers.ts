// The servers that the fan-out bench compares, each in a process of its own: `tessera serve`, and node-media-server as its package
// starts it. Each gets the same feed.

import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer, connect, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { AccessUnit, AudioTrackConfig, VideoTrackConfig } from '../../../shared/media/access-unit.ts';
import { UNSPECIFIED_COLOUR } from '../../../shared/media/colour.ts';
import { microseconds } from '../../../shared/media/time.ts';
import { parseRtmpAddress, RtmpClient } from '../clients/rtmp-client.ts';
import { WebSocketPublisher } from '../clients/websocket-publisher.ts';
import { RtmpTarget, WebSocketTarget, type PublishTarget } from '../publish/publish-target.ts';
import { startServer, stopChild } from './tessera-server.ts';

export const FPS = 25;
const UNIT_BYTES = 5000; // 1 Mbit/s
const AUDIO_FRAME_BYTES = 170; // 64 kbit/s
const AUDIO_FRAMES_PER_SECOND = 48_000 / 1024;
/** Payload bytes that one viewer gets per picture, its audio included. */
export const BYTES_PER_PICTURE = UNIT_BYTES + (AUDIO_FRAME_BYTES * AUDIO_FRAMES_PER_SECOND) / FPS;
const GROUP = 50;
/** Ticks of /proc/PID/stat per second. */
const CLOCK_TICKS = 100;
const START_MS = 15_000;

/** A server under test with its publisher. */
export type BenchServer = {
  readonly name: string;
  /** Where WebSocket viewers go; `flushClass` only where there is one. */
  viewerAddress(flushClass: 'realtime' | 'normal'): URL;
  readonly target: PublishTarget;
  /** Publishes another stream with one picture and nothing after it; returns how to end it. */
  publishQuietly?(stream: string): Promise<() => void>;
  /** User and system time of the process so far, ms. */
  cpuMs(): number;
  /** Resident memory of the process now, kB. */
  residentKb(): number;
  stop(): Promise<void>;
};

export function cpuMsOf(pid: number): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(/\) /);
  const fields = rest.split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / CLOCK_TICKS;
}

export function residentKbOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

export async function untilListening(port: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
    });
    if (isOpen) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Nothing listens on port ${port}.`);
}

/** `tessera serve` with its defaults, on free ports. */
export async function startTessera(folder: string): Promise<BenchServer> {
  const server = await startServer(folder);
  const { ws, publishKey, pid } = server;
  const publisher = await WebSocketPublisher.connect({ url: `${ws}/publish/bench`, key: publishKey });
  return {
    name: 'tessera',
    viewerAddress: (flushClass) => new URL(`${ws}/subscribe/bench?rendition=source&class=${flushClass}`),
    target: new WebSocketTarget(publisher),
    publishQuietly: async (stream) => {
      const quiet = await WebSocketPublisher.connect({ url: `${ws}/publish/${stream}`, key: publishKey });
      quiet.setTrack('video', CONFIG);
      quiet.push('video', unitAt(0));
      return () => {
        quiet.destroy();
      };
    },
    cpuMs: () => cpuMsOf(pid),
    residentKb: () => residentKbOf(pid),
    stop: async () => {
      publisher.destroy();
      await server.stop();
    },
  };
}

/** node-media-server 4.4.3 as its package starts it. Null when it is not installed. */
export async function startNodeMediaServer(folder: string): Promise<BenchServer | null> {
  let program: string;
  try {
    program = join(dirname(createRequire(import.meta.url).resolve('node-media-server/package.json')), 'bin/app.js');
  } catch {
    return null;
  }
  const [rtmp, http] = [await freePort(), await freePort()];
  const config = join(folder, 'node-media-server.json');
  await writeFile(
    config,
    JSON.stringify({
      bind: '127.0.0.1',
      rtmp: { port: rtmp },
      http: { port: http },
      auth: { play: false, publish: false, secret: '' },
      record: { auto: false },
      notify: { url: '' },
      store: { path: folder },
      webadmin: { enable: false },
    }),
  );
  const child = spawn(process.execPath, [program, '-c', config], { stdio: 'ignore', cwd: folder });
  await Promise.all([untilListening(rtmp, child), untilListening(http, child)]);
  const client = await RtmpClient.publish(parseRtmpAddress(`rtmp://127.0.0.1:${rtmp}/live/bench`));
  return {
    name: 'node-media-server',
    viewerAddress: () => new URL(`ws://127.0.0.1:${http}/live/bench.flv`),
    target: new RtmpTarget(client),
    cpuMs: () => cpuMsOf(child.pid ?? 0),
    residentKb: () => residentKbOf(child.pid ?? 0),
    stop: async () => {
      client.destroy();
      await stopChild(child);
    },
  };
}

const CONFIG: VideoTrackConfig = {
  kind: 'video',
  codec: 'avc1.42c01f',
  // Constrained Baseline 3.1 with the parameter sets of a 1280x720 picture.
  description: Uint8Array.from(
    Buffer.from('0142c01fffe1001067 42c01f da014016e9a808080 0a0680401000468ce3c80'.replaceAll(' ', ''), 'hex'),
  ),
  width: 1280,
  height: 720,
  sampleAspect: [1, 1],
  colour: UNSPECIFIED_COLOUR,
  fps: FPS,
};

function unitAt(frame: number): AccessUnit {
  const isKey = frame % GROUP === 0;
  const data = new Uint8Array(UNIT_BYTES).fill(0x55);
  new DataView(data.buffer).setUint32(0, UNIT_BYTES - 4);
  data[4] = isKey ? 0x65 : 0x41;
  const at = microseconds(Math.round((frame * 1_000_000) / FPS));
  return { priority: isKey ? 'key' : 'reference', pts: at, dts: at, data, arrivalTime: microseconds(0) };
}

const AUDIO: AudioTrackConfig = {
  kind: 'audio',
  codec: 'mp4a.40.2',
  description: Uint8Array.of(0x11, 0x90),
  sampleRate: 48_000,
  channels: 2,
};

function audioAt(frame: number): AccessUnit {
  const at = microseconds(Math.round((frame * 1_000_000) / AUDIO_FRAMES_PER_SECOND));
  const data = new Uint8Array(AUDIO_FRAME_BYTES).fill(0x21);
  return { priority: 'key', pts: at, dts: at, data, arrivalTime: microseconds(0) };
}

/** Sends the feed (video and AAC audio) in real time until the returned function is called. */
export async function feed(target: PublishTarget): Promise<() => void> {
  await target.send({ kind: 'track', name: 'video', config: CONFIG });
  await target.send({ kind: 'track', name: 'audio', config: AUDIO });
  const started = performance.now();
  const next = { video: 0, audio: 0 };
  const timer = setInterval(() => {
    const seconds = (performance.now() - started) / 1000;
    for (; next.audio <= seconds * AUDIO_FRAMES_PER_SECOND; next.audio++) {
      void target.send({ kind: 'unit', name: 'audio', unit: audioAt(next.audio) }).catch(() => undefined);
    }
    for (; next.video <= seconds * FPS; next.video++) {
      void target.send({ kind: 'unit', name: 'video', unit: unitAt(next.video) }).catch(() => undefined);
    }
  }, 5);
  return () => {
    clearInterval(timer);
  };
}
