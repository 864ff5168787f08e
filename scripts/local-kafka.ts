// scripts/local-kafka: runs Apache Kafka on this machine until it is stopped, and says where it listens.

import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KAFKA_VERSIONS, startLocalKafka, type KafkaLine } from './kafka/local-broker.ts';

const USAGE = `scripts/local-kafka [start|stop|run] [--version 4.1|3.9] [--nodes 1|3] [--port 9092] [--data FOLDER] [--user NAME:PASSWORD] [--json]
Runs Apache Kafka (KRaft) on this machine; needs Java 17 and Maven.
  start   in the background; prints where it listens and returns. Does nothing where it already runs.
  stop    stops what start started
  run     in the foreground until Ctrl-C (the default)
--port 0 takes any free one. --user adds a listener with TLS and SASL (plain, scram-sha-512) for that user.`;

type Settings = {
  line: KafkaLine;
  nodes: 1 | 3;
  port: number;
  dataDir: string;
  /** NAME:PASSWORD */
  user: string | undefined;
  json: boolean;
};
/** What `start` leaves behind for `stop` and the next `start`. */
type Running = { bootstrap: string; version: string; pid: number };

function print({ bootstrap, version, pid }: Running, json: boolean): void {
  console.log(json ? JSON.stringify({ event: 'ready', bootstrap, version, pid }) : bootstrap);
}

async function run({ line, nodes, port, dataDir, user, json }: Settings): Promise<void> {
  const progress = (sentence: string): void => console.error(`local-kafka: ${sentence}`);
  const [username = '', password = ''] = user?.split(':', 2) ?? [];
  const secure = user === undefined ? {} : { user: { username, password } };
  const kafka = await startLocalKafka({ line, nodes, port, dataDir, onProgress: progress, ...secure });
  if (kafka.secure !== null) {
    progress(`TLS and SASL on ${kafka.secure.bootstrap}; clients trust ${kafka.secure.certificate}`);
  }
  print({ bootstrap: kafka.bootstrap, version: kafka.version, pid: process.pid }, json);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await kafka.stop();
}

function running(dataDir: string): Running | null {
  try {
    const found = JSON.parse(readFileSync(join(dataDir, 'running.json'), 'utf8')) as Running;
    process.kill(found.pid, 0);
    return found;
  } catch {
    return null; // never started, or gone
  }
}

async function start(settings: Settings): Promise<void> {
  const { line, nodes, port, dataDir, user, json } = settings;
  const already = running(dataDir);
  if (already !== null) {
    print(already, json);
    return;
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const outPath = join(dataDir, 'local-kafka.out');
  const out = openSync(outPath, 'w', 0o600);
  const args = ['--import', 'tsx', process.argv[1] ?? '', 'run', '--json', '--version', line];
  args.push('--nodes', String(nodes), '--port', String(port), '--data', dataDir);
  args.push(...(user === undefined ? [] : ['--user', user]));
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', out, 'inherit'] });
  for (;;) {
    const text = readFileSync(outPath, 'utf8');
    if (text.includes('\n')) {
      const ready = JSON.parse(text) as Running;
      writeFileSync(join(dataDir, 'running.json'), JSON.stringify(ready));
      child.unref();
      print(ready, json);
      return;
    }
    if (child.exitCode !== null) {
      throw new Error('Kafka did not start; see above.');
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function stop({ dataDir }: Settings): Promise<void> {
  const found = running(dataDir);
  if (found === null) {
    console.error('local-kafka: nothing is running');
    return;
  }
  process.kill(found.pid, 'SIGTERM');
  while (running(dataDir) !== null) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  rmSync(join(dataDir, 'running.json'), { force: true });
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      version: { type: 'string', default: '4.1' },
      nodes: { type: 'string', default: '1' },
      port: { type: 'string', default: '9092' },
      data: { type: 'string' },
      user: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const port = Number(values.port);
  const command = { start, stop, run }[positionals[0] ?? 'run'];
  const isSane = Object.hasOwn(KAFKA_VERSIONS, values.version) && (values.nodes === '1' || values.nodes === '3');
  const isUser = values.user === undefined || /^\w{1,64}:[\w.-]{1,128}$/.test(values.user);
  if (command === undefined || !isSane || !isUser || !Number.isInteger(port) || port < 0 || port > 65_000) {
    console.error(USAGE);
    return 2;
  }
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tessera', 'kafka');
  const nodes = values.nodes === '3' ? 3 : 1;
  const dataDir =
    values.data ?? join(cache, `data-${values.version}-${nodes}${values.user === undefined ? '' : '-secure'}`);
  await command({ line: values.version as KafkaLine, nodes, port, dataDir, user: values.user, json: values.json });
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`local-kafka: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
