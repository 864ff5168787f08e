// `tessera serve --json` as a process of its own: free ports, a temporary data folder, killed at the end.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually } from './eventually.ts';

export type ServeProcess = {
  /** `http://127.0.0.1:PORT`. */
  readonly http: string;
  /** The same as a WebSocket address. */
  readonly ws: string;
  /** `rtmp://127.0.0.1:PORT/live`. */
  readonly rtmp: string;
  readonly key: string;
  readonly operatorToken: string;
  readonly process: ChildProcess;
  /** What the server wrote to stderr so far. */
  readonly log: () => string;
  /** SIGTERM; resolves with the exit code when it is gone. */
  stop(): Promise<number | null>;
};

const START_MS = 60_000;
/** The server promises 10 s; the rest is the machine. */
const STOP_MS = 15_000;
/** A process that waits for the disk is gone only when the disk has answered. */
const KILL_MS = 60_000;

/** What every thread of a process is doing: name, state, and where in the kernel it waits. For a failure's message. */
function threadsOf(pid: number | undefined): string {
  const tasks = `/proc/${pid ?? 'self'}/task`;
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return '?';
    }
  };
  try {
    return readdirSync(tasks)
      .map((id) => {
        const state = /^State:\s+(.*)$/m.exec(read(`${tasks}/${id}/status`))?.[1] ?? '?';
        return `${id} ${read(`${tasks}/${id}/comm`)}: ${state}, ${read(`${tasks}/${id}/wchan`)}`;
      })
      .join('\n');
  } catch {
    return 'no such process any more';
  }
}

/** Starts the server from source and waits until it is ready. `flags` as on the command line; `environment` beside that of the test. */
export async function startServe(
  flags: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<ServeProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tessera-serve-'));
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const addresses = ['--http.host', '127.0.0.1', '--http.port', '0', '--rtmp.host', '127.0.0.1', '--rtmp.port', '0'];
  const args = [
    '--import',
    tsx,
    resolve('server/main.ts'),
    'serve',
    '--json',
    ...addresses,
    '--dataDir',
    dataDir,
    ...flags,
  ];
  // Given as a whole: without, a child gets the environment of Jest's own process and not what a test has set.
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-100_000)));
  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const line = await eventually(
    'the server to be ready',
    () => {
      if (isGone()) {
        throw new Error(`The server ended at its start: ${log}`);
      }
      return out.includes('\n') && out.slice(0, out.indexOf('\n'));
    },
    START_MS,
  );
  const ready = JSON.parse(line) as { http: string; rtmp: string; publishKey: string; operatorToken: string };
  return {
    http: ready.http,
    ws: ready.http.replace(/^http/, 'ws'),
    rtmp: ready.rtmp,
    key: ready.publishKey,
    operatorToken: ready.operatorToken,
    process: child,
    log: () => log,
    stop: async () => {
      child.kill('SIGTERM');
      const inTime = await eventually('the server to be gone', isGone, STOP_MS).catch(() => false);
      if (!inTime) {
        const what = `${threadsOf(child.pid)}\n${log.slice(-4000)}`;
        child.kill('SIGKILL');
        await eventually('the killed server to be gone', isGone, KILL_MS).catch(() => undefined);
        throw new Error(`${STOP_MS} ms after SIGTERM the server was still there:\n${what}`);
      }
      await rm(dataDir, { recursive: true, force: true });
      return child.exitCode;
    },
  };
}
