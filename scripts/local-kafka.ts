// scripts/local-kafka: runs Apache Kafka on this machine until it is stopped, and says where it listens.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KAFKA_VERSIONS, startLocalKafka, type KafkaLine } from './kafka/local-broker.ts';

const USAGE = `scripts/local-kafka [--version 4.1|3.9] [--nodes 1|3] [--port 9092] [--data FOLDER] [--json]
Runs Apache Kafka (KRaft) on this machine; needs Java 17 and Maven. --port 0 takes any free one. Stop it with Ctrl-C.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      version: { type: 'string', default: '4.1' },
      nodes: { type: 'string', default: '1' },
      port: { type: 'string', default: '9092' },
      data: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const port = Number(values.port);
  const isSane = Object.hasOwn(KAFKA_VERSIONS, values.version) && (values.nodes === '1' || values.nodes === '3');
  if (!isSane || !Number.isInteger(port) || port < 0 || port > 65_000) {
    console.error(USAGE);
    return 2;
  }
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tessera', 'kafka');
  const nodes = values.nodes === '3' ? 3 : 1;
  const kafka = await startLocalKafka({
    line: values.version as KafkaLine,
    nodes,
    port,
    dataDir: values.data ?? join(cache, `data-${values.version}-${nodes}`),
    onProgress: (sentence) => console.error(`local-kafka: ${sentence}`),
  });
  const { bootstrap, version } = kafka;
  console.log(values.json ? JSON.stringify({ event: 'ready', bootstrap, version, pid: process.pid }) : bootstrap);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await kafka.stop();
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`local-kafka: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
