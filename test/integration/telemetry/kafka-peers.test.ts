// Other Kafkas than one Apache broker: librdkafka's mock cluster as a second implementation of the protocol, and (in the long run)
// three Apache brokers of which the leaders are killed under load.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { systemClock } from '../../../server/platform/clock.ts';
import { silentLogger } from '../../../server/platform/logger.ts';
import { EmbeddedTelemetryLog } from '../../../server/telemetry/embedded-telemetry-log.ts';
import { BatchingProducer } from '../../../server/telemetry/kafka/batching-producer.ts';
import { GroupMember } from '../../../server/telemetry/kafka/group-member.ts';
import { createKafkaClient } from '../../../server/telemetry/kafka/kafka-client.ts';
import { PartitionReader } from '../../../server/telemetry/kafka/partition-reader.ts';
import { KafkaTelemetryLog } from '../../../server/telemetry/kafka-telemetry-log.ts';
import { LogReporter } from '../../../server/telemetry/reporter.ts';
import { SpoolingTelemetryLog } from '../../../server/telemetry/spooling-telemetry-log.ts';
import type { StoredRecord } from '../../../server/telemetry/telemetry-log.ts';
import { eventually } from '../../support/eventually.ts';
import { kafkaForTests, kafkaSettings } from '../../support/kafka-broker.ts';
import { startMockCluster, type MockCluster } from '../../support/kcat-mock.ts';
import { describeWith } from '../../support/requirements.ts';

const TOPIC = 'mock.data.v1';
const parts = { clock: systemClock, logger: silentLogger };

describeWith(['kafka'], "kcat's mock cluster", () => {
  let cluster: MockCluster;
  beforeAll(async () => {
    cluster = await startMockCluster(3, TOPIC);
  }, 60_000);
  afterAll(async () => {
    await cluster.stop();
  }, 30_000);

  test('takes what our producer sends, gives it to our reader, our group member and to kcat', async () => {
    const kafka = createKafkaClient(kafkaSettings(cluster.bootstrap, 'mock.'), silentLogger);
    const producer = new BatchingProducer(kafka);
    const sent = Array.from({ length: 200 }, (_, i) => JSON.stringify({ i, text: 'ä'.repeat(i % 7) }));
    await Promise.all(
      sent.map((value, i) =>
        producer.send({
          topic: TOPIC,
          messages: [{ key: 'k', value, partition: 0, timestamp: String(1000 + i), headers: { ce_id: String(i) } }],
          bytes: value.length,
        }),
      ),
    );
    const isOurs = ({ key }: StoredRecord): boolean => key === 'k';
    const reader = new PartitionReader(kafka, TOPIC);
    const read = (await reader.read(0, 0, 1000, sent.length)).filter(isOurs);
    expect(read.map(({ value }) => value)).toEqual(expect.arrayContaining(sent.slice(0, 150)));
    expect(read[7]).toMatchObject({ timestamp: 1007, headers: { ce_id: '7' } });

    const followed: StoredRecord[] = [];
    const member = new GroupMember({
      kafka,
      ...parts,
      groupId: 'mock.group',
      nameOf: () => TOPIC,
      subscriber: {
        group: 'group',
        topics: ['data'],
        onAssigned: (partitions) => Promise.resolve(partitions.map(() => 0)),
        onRevoked: () => Promise.resolve(),
        onBatch: (_at, records) => {
          followed.push(...records.filter(isOurs));
          return Promise.resolve();
        },
      },
    });
    await member.start();
    await eventually('the group member to have everything', () => followed.length >= sent.length, 60_000);
    expect(followed.map(({ value }) => value)).toEqual(sent);
    await Promise.all([member.close(), reader.disconnect(), producer.disconnect()]);

    const args = [
      '-C',
      '-b',
      cluster.bootstrap,
      '-t',
      TOPIC,
      '-p',
      '0',
      '-o',
      'beginning',
      '-e',
      '-q',
      '-f',
      '%k|%s\\n',
    ];
    const { stdout } = spawnSync('kcat', args, { encoding: 'utf8' });
    const lines = stdout.split('\n').filter((line) => line.startsWith('k|'));
    expect(lines.map((line) => line.slice(2))).toEqual(sent);
  }, 120_000);
});

if (process.env['TESSERA_LONG'] === '1') {
  describeWith(['kafka'], 'three brokers, replication 3, min ISR 2', () => {
    let brokers: Awaited<ReturnType<typeof kafkaForTests>>;
    const folder = mkdtempSync(join(tmpdir(), 'tessera-three-'));
    beforeAll(async () => {
      brokers = await kafkaForTests('4.1', 3);
    }, 300_000);
    afterAll(async () => {
      await brokers.dispose();
      rmSync(folder, { recursive: true, force: true });
    }, 90_000);

    test('lose no event and pause for at most 10 s when each of them is killed in turn under load', async () => {
      const settings = kafkaSettings(brokers.bootstrap, 'three.', { replication: 3 });
      const kafka = await KafkaTelemetryLog.open({ ...parts, settings });
      const spool = new EmbeddedTelemetryLog({ ...parts, directory: folder, maxBytes: 1 << 28, partitions: 1 });
      const limits = { maxBytes: 1 << 27, maxAgeMs: 1_800_000, appendTimeoutMs: 5000 };
      const log = await SpoolingTelemetryLog.open({ ...parts, log: kafka, spool, ...limits });
      const reporter = new LogReporter({ log, ...parts, node: 'n1' });
      let sent = 0;
      const feed = setInterval(() => {
        for (let i = 0; i < 10; i++) {
          const ts = Date.now();
          reporter.report({ type: 'n', topic: 'data', stream: `s${sent % 8}`, ts, key: 'k', value: sent++ });
        }
      }, 10);
      let longestPauseMs = 0;
      let acknowledged = 0;
      let movedAt = performance.now();
      const watch = setInterval(() => {
        const now = performance.now();
        const count = reporter.counters().acknowledged;
        longestPauseMs = Math.max(longestPauseMs, now - movedAt);
        if (count > acknowledged) {
          acknowledged = count;
          movedAt = now;
        }
      }, 50);
      for (const node of [0, 1, 2]) {
        await new Promise((resolve) => setTimeout(resolve, 4000));
        await brokers.stopNode(node, 'SIGKILL');
        await new Promise((resolve) => setTimeout(resolve, 8000));
        await brokers.startNode(node);
      }
      clearInterval(feed);
      clearInterval(watch);
      await reporter.close(30_000);
      await eventually('the spool to be empty', () => log.counters().replayed === log.counters().spooled, 120_000);
      expect(reporter.counters().dropped.data).toBe(0);
      const seen = new Set<unknown>();
      for (let partition = 0; partition < log.partitions('data'); partition++) {
        const at = { topic: 'data', partition } as const;
        for (let offset = 0; ;) {
          const records = await log.read(at, offset, 5000);
          const last = records.at(-1);
          if (last === undefined) {
            break;
          }
          records.forEach(({ value }) => seen.add((JSON.parse(value ?? '{}') as { value?: number }).value));
          offset = last.offset + 1;
        }
      }
      const missing = Array.from({ length: sent }, (_, i) => i).filter((i) => !seen.has(i));
      process.stderr.write(
        `kafka, three brokers: ${sent} events, ${missing.length} lost, longest pause ${(longestPauseMs / 1000).toFixed(1)} s, ` +
          `${log.counters().spooled} through the spool\n`,
      );
      expect(missing).toEqual([]);
      expect(longestPauseMs).toBeLessThanOrEqual(10_000);
      await log.close();
    }, 400_000);
  });
}
