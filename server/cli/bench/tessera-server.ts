// `tessera serve` as a process of its own, for the benchmarks that measure the whole server.

import { spawn, type ChildProcess } from 'node:child_process';
import { childEntry } from '../../platform/child-entry.ts';

export type StartedServer = {
  /** `http://127.0.0.1:PORT`, and the same as a WebSocket address. */
  readonly http: string;
  readonly ws: string;
  readonly publishKey: string;
  readonly pid: number;
  stop(): Promise<void>;
};

const STOP_MS = 5000;

/** Ends a child, by force when it does not go by itself. */
export async function stopChild(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await gone;
  clearTimeout(timer);
}

/** Starts the server with its defaults on a free port, without RTMP; resolves when it is ready. `folder`: its data. */
export async function startServer(folder: string, flags: readonly string[] = []): Promise<StartedServer> {
  const entry = childEntry(import.meta.url, '../../main');
  const address = ['--json', '--http.host', '127.0.0.1', '--http.port', '0', '--rtmp.port', 'off', '--dataDir', folder];
  const child = spawn(process.execPath, [...entry.execArgv, entry.path, 'serve', ...address, ...flags], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ready = await new Promise<{ http: string; publishKey: string }>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) {
        resolve(JSON.parse(text) as { http: string; publishKey: string });
      }
    });
    child.once('exit', () => {
      reject(new Error('tessera serve did not start.'));
    });
  });
  const { http, publishKey } = ready;
  return { http, ws: http.replace('http', 'ws'), publishKey, pid: child.pid ?? 0, stop: () => stopChild(child) };
}
