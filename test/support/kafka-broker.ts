// A broker for one test file: started before, stopped after, its data thrown away.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalKafka, type KafkaLine, type LocalKafka } from '../../scripts/kafka/local-broker.ts';
import type { KafkaUser } from '../../scripts/kafka/secure-listener.ts';
import type { KafkaSettings } from '../../server/telemetry/kafka/kafka-client.ts';

/** Starts a broker; `dispose` stops it and removes its data. `user`: it also listens with TLS, for this user. */
export async function kafkaForTests(
  line: KafkaLine = '4.1',
  nodes: 1 | 3 = 1,
  user?: KafkaUser,
): Promise<LocalKafka & { dispose(): Promise<void> }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tessera-kafka-'));
  const kafka = await startLocalKafka({ line, nodes, port: 0, dataDir, ...(user === undefined ? {} : { user }) });
  return {
    ...kafka,
    dispose: async () => {
      await kafka.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Settings of a log on these brokers, with topics of its own. */
export function kafkaSettings(
  bootstrap: string,
  topicPrefix: string,
  more: Partial<KafkaSettings> = {},
): KafkaSettings {
  return { brokers: bootstrap.split(','), ssl: false, topicPrefix, partitions: 4, replication: 1, ...more };
}
