// `tessera serve` as a process: ready line, exit codes, signals.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { childEntry } from '../../../server/platform/child-entry.ts';
import { TestPublisher, TestViewer, until } from '../../support/running-server.ts';

let folder = '';
let running: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tessera-serve-'));
});
afterEach(async () => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
  running = [];
  await rm(folder, { recursive: true, force: true });
});

type Served = { readonly child: ChildProcess; out: string; err: string; code: number | null };

function serve(...flags: string[]): Served {
  const entry = childEntry(new URL('../../../server/cli/serve.ts', import.meta.url).href, '../main');
  const child = spawn(process.execPath, [...entry.execArgv, entry.path, 'serve', ...flags], {
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
  });
  running.push(child);
  const served: Served = { child, out: '', err: '', code: null };
  child.stdout.on('data', (chunk: Buffer) => (served.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (served.err += chunk.toString()));
  child.on('close', (code) => (served.code = code ?? -1));
  return served;
}

const local = (): string[] => ['--http.host', '127.0.0.1', '--http.port', '0', '--dataDir', join(folder, 'data')];
const ended = (served: Served): Promise<void> => until('the process has ended', () => served.code !== null, 20_000);
const ready = (served: Served): Promise<void> => until('the process is ready', () => served.out.includes('\n'), 20_000);

test('--json prints one ready line; SIGTERM tells publishers and viewers and exits 0; keys stay for the next start', async () => {
  const first = serve('--json', ...local(), '--rtmp.host', '127.0.0.1', '--rtmp.port', '0');
  await ready(first);
  const line = JSON.parse(first.out) as Record<string, string>;
  expect(line).toEqual({
    event: 'ready',
    http: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    rtmp: expect.stringMatching(/^rtmp:\/\/127\.0\.0\.1:\d+\/live$/),
    publishKey: expect.stringMatching(/^[A-Za-z0-9_-]{32}$/),
    operatorToken: expect.any(String),
    pid: first.child.pid,
    telemetry: 'embedded',
  });
  expect((await fetch(`${line['http']}/readyz`)).status).toBe(200);
  const ws = line['http']?.replace('http', 'ws') ?? '';
  const publisher = new TestPublisher(`${ws}/publish/a`);
  await publisher.hello(line['publishKey'] ?? '');
  publisher.track();
  publisher.unit(0, { priority: 'key' });
  const viewer = await new TestViewer(`${ws}/subscribe/a?rendition=source`).open();
  await viewer.received(1);
  first.child.kill('SIGTERM');
  expect([await publisher.closeCode(), await viewer.closeCode()]).toEqual([4503, 4503]);
  await ended(first);
  expect(first.code).toBe(0);
  for (const record of first.err.trim().split('\n')) {
    expect(JSON.parse(record)).toHaveProperty('level');
  }
  expect(first.err).not.toContain(line['publishKey']);
  const second = serve('--json', ...local(), '--rtmp.port', 'off');
  await ready(second);
  expect(JSON.parse(second.out)).toMatchObject({
    publishKey: line['publishKey'],
    operatorToken: line['operatorToken'],
    rtmp: null,
  });
}, 60_000);

test('a wrong configuration exits 2 and names key, value and what is allowed', async () => {
  const file = join(folder, 'bad.yaml');
  await writeFile(file, 'telemetry:\n  driver: redis\n');
  const cases: [string[], string][] = [
    [
      ['--http.port', 'eighty'],
      'http.port = "eighty" (from --http.port) is not allowed; allowed: a whole number from 0 to 65535.',
    ],
    [['--http.prot', '1'], 'http.prot = "1" (from --http.prot) is not allowed; allowed: the keys host, port'],
    [['--config', file], `telemetry.driver = "redis" (from ${file}) is not allowed; allowed: embedded, kafka, memory.`],
    [['--config', join(folder, 'none.yaml')], 'none.yaml'],
    [
      [...local(), '--rtmp.port', 'off', '--tls.cert', join(folder, 'none.pem'), '--tls.key', file],
      'none.pem (from ENOENT) is not allowed; allowed: a file that can be read.',
    ],
    [
      [...local(), '--rtmp.port', 'off', '--tls.cert', file, '--tls.key', file],
      'allowed: a certificate and its own key, both PEM.',
    ],
    [['--http.host', '300.1.1.1'], 'http.host = "300.1.1.1" (from --http.host) is not allowed; allowed: an IP address'],
    [['--dataDir', '/proc/tessera'], '(from ENOENT) is not allowed; allowed: a folder that this user can make'],
    [['--dataDir', join(file, 'data')], '(from ENOTDIR) is not allowed; allowed: a folder that this user can make'],
  ];
  for (const [flags, sentence] of cases) {
    const served = serve(...flags);
    await ended(served);
    expect([served.code, served.out]).toEqual([2, '']);
    expect(served.err).toContain(sentence);
    expect(served.err.trim().split('\n')).toHaveLength(1);
  }
}, 60_000);

test('without its broker a server starts on the spool, takes and shows streams, and stops', async () => {
  const kafka = ['--telemetry.driver', 'kafka', '--telemetry.kafka.brokers', '127.0.0.1:1'];
  const served = serve('--json', ...local(), '--rtmp.port', 'off', ...kafka);
  await ready(served);
  const line = JSON.parse(served.out) as Record<string, string>;
  expect(line['telemetry']).toBe('kafka that does not answer yet, 24 partitions');
  const ws = line['http']?.replace('http', 'ws') ?? '';
  const publisher = new TestPublisher(`${ws}/publish/a`);
  await publisher.hello(line['publishKey'] ?? '');
  publisher.track();
  publisher.unit(0, { priority: 'key' });
  const viewer = await new TestViewer(`${ws}/subscribe/a?rendition=source`).open();
  await viewer.received(1);
  const spooled = async (): Promise<boolean> =>
    /^tessera_telemetry_spooled_records [1-9]/m.test(await (await fetch(`${line['http']}/metrics`)).text());
  await until('events are in the spool', spooled, 20_000);
  expect(served.err).toContain('No Kafka broker answers at 127.0.0.1:1');
  served.child.kill('SIGTERM');
  await ended(served);
  expect(served.code).toBe(0);
}, 60_000);

test('an ingest process that hangs does not hold the stop', async () => {
  const served = serve('--json', ...local(), '--rtmp.host', '127.0.0.1', '--rtmp.port', '0');
  await ready(served);
  const tasks = `/proc/${served.child.pid}/task/${served.child.pid}/children`;
  const ingest = Number((await readFile(tasks, 'utf8')).trim().split(' ')[0]);
  process.kill(ingest, 'SIGSTOP');
  served.child.kill('SIGTERM');
  await ended(served);
  expect(served.code).toBe(0);
  await until('the ingest process is gone', () => !existsSync(`/proc/${ingest}`));
}, 60_000);

test('a host name that nobody knows exits 1 with one sentence', async () => {
  const served = serve('--http.host', 'nobody.invalid', '--rtmp.port', '0', '--dataDir', join(folder, 'data'));
  await ended(served);
  expect(served.code).toBe(1);
  expect(served.err).toMatch(
    /http: cannot listen on nobody\.invalid:8080: (there is no such host|no name server answers)\./,
  );
}, 60_000);

test('a port that is taken exits 1 with one sentence', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  const served = serve(
    '--http.host',
    '127.0.0.1',
    '--http.port',
    String(port),
    '--rtmp.port',
    'off',
    '--dataDir',
    join(folder, 'data'),
  );
  await ended(served);
  taken.close();
  expect(served.code).toBe(1);
  expect(served.err).toContain(`http: cannot listen on 127.0.0.1:${port}: the port is taken.`);
}, 60_000);
