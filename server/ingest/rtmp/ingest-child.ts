// The ingest process as the server sees it: spawns it with a socket pair, watches that it is alive, starts another one when it dies.
// Used by rtmp-ingest.ts, which speaks through `send` and hears through the events.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { childEntry } from '../../platform/child-entry.ts';
import { PacketPipe } from './packet-pipe.ts';
import type { IngestLimits, PipeFrame } from './packet-pipe.ts';

const PIPE_FD = 3;
const HEAP_MB = 256;
/** The ingest says every second that it is alive; silent for longer, it hangs and is killed. */
const SILENCE_MS = 10_000;
const CHECK_MS = 1000;
/** Restarts are immediate, then spaced out while the process dies right after its start. */
const RESTART_DELAYS_MS = [0, 100, 500, 2000] as const;
const STABLE_AFTER_MS = 5000;
const STDERR_TAIL = 2000;
/** The ingest closes its connections and exits by itself within this time, else it is killed. */
const STOP_MS = 2000;

export type IngestChildEvents = {
  readonly onFrame: (frame: PipeFrame) => void;
  /** The process died: its connections are gone. Another one is on its way. */
  readonly onDeath: (reason: string) => void;
  /** It listens (again). */
  readonly onListening: (port: number) => void;
};

export type IngestChildOptions = {
  readonly host: string;
  /** 0: any free one, kept across restarts. */
  readonly port: number;
  readonly limits: IngestLimits;
};

export class IngestChild {
  readonly #options: IngestChildOptions;
  readonly #events: IngestChildEvents;
  #port: number;
  #child: ChildProcess | null = null;
  #pipe: PacketPipe | null = null;
  #isStopped = false;
  #startedAt = 0;
  #lastFrameAt = 0;
  #earlyDeaths = 0;
  #timer: NodeJS.Timeout | null = null;
  #watch: NodeJS.Timeout | null = null;
  #firstListen: { resolve: () => void; reject: (error: Error) => void } | null = null;

  constructor(options: IngestChildOptions, events: IngestChildEvents) {
    this.#options = options;
    this.#events = events;
    this.#port = options.port;
  }

  /** Process id of the running ingest; null between two of them. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Resolves when the port is open. Rejects when it cannot be opened. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#firstListen = { resolve, reject };
      this.#watch = setInterval(() => this.#checkAlive(), CHECK_MS);
      this.#watch.unref();
      this.#spawn();
    });
  }

  send(frame: PipeFrame): void {
    this.#pipe?.send(frame);
  }

  /** Ends the process and starts no other: last words leave first, within STOP_MS. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer ?? undefined);
    clearInterval(this.#watch ?? undefined);
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#pipe?.end();
    });
  }

  #spawn(): void {
    const entry = childEntry(import.meta.url, 'rtmp-ingest-process');
    const flags = [...entry.execArgv, `--max-old-space-size=${HEAP_MB}`];
    const child = spawn(process.execPath, [...flags, entry.path], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '' }, // it needs no secrets
    });
    this.#child = child;
    this.#startedAt = this.#lastFrameAt = performance.now();
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-STDERR_TAIL)));
    child.once('error', (error) => this.#died(child, error.message));
    child.once('exit', (code, signal) => this.#died(child, deathReason(code, signal, stderr)));
    const stream = child.stdio[PIPE_FD] as Duplex;
    stream.on('error', () => undefined); // the exit event tells
    this.#pipe = new PacketPipe(stream, {
      onFrame: (frame) => this.#takeFrame(child, frame),
      onViolation: () => child.kill('SIGKILL'),
    });
    const { host, limits } = this.#options;
    this.#pipe.send({ kind: 'listen', session: 0, body: { host, port: this.#port, limits } });
  }

  #takeFrame(child: ChildProcess, frame: PipeFrame): void {
    if (child !== this.#child) {
      return; // the last words of a process that has died
    }
    this.#lastFrameAt = performance.now();
    switch (frame.kind) {
      case 'listening':
        this.#port = frame.body.port;
        this.#firstListen?.resolve();
        this.#firstListen = null;
        this.#events.onListening(frame.body.port);
        break;
      case 'failed':
        this.#listenFailed(frame.body.message);
        break;
      default:
        this.#events.onFrame(frame);
    }
  }

  #listenFailed(message: string): void {
    if (this.#firstListen !== null) {
      const { host } = this.#options;
      const why = message.includes('EADDRINUSE') ? 'the port is taken' : message;
      this.#firstListen.reject(new Error(`RTMP cannot listen on ${host}:${this.#port}: ${why}.`));
      this.#firstListen = null;
      this.#isStopped = true;
    }
    this.#child?.kill('SIGKILL');
  }

  #died(child: ChildProcess, reason: string): void {
    if (child !== this.#child) {
      return;
    }
    this.#child = null;
    this.#pipe = null;
    if (this.#isStopped) {
      return;
    }
    this.#earlyDeaths = performance.now() - this.#startedAt < STABLE_AFTER_MS ? this.#earlyDeaths + 1 : 0;
    const delays = RESTART_DELAYS_MS;
    const delay = delays[Math.min(this.#earlyDeaths, delays.length - 1)] ?? 0;
    this.#timer = setTimeout(() => this.#spawn(), delay);
    this.#events.onDeath(reason);
  }

  #checkAlive(): void {
    if (this.#child !== null && performance.now() - this.#lastFrameAt > SILENCE_MS) {
      this.#child.kill('SIGKILL');
    }
  }
}

function deathReason(code: number | null, signal: NodeJS.Signals | null, stderr: string): string {
  const how = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
  const words = /^\w*Error: .*$/m.exec(stderr)?.[0];
  return words === undefined ? how : `${how}: ${words}`;
}
