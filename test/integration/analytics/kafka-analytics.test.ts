// Analytics over a real Kafka: the server and an analytics process share the partitions. Over one recorded input that process is killed
// in mid-window, then the server, then the broker goes away for 10 s (60 s in --long); every window is there and is what an undisturbed
// run over the same events gives, byte for byte. One altered record makes `tessera verify-replay` exit 1.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { JOB_TOPICS, PartitionWorker, type WindowRecord } from '../../../server/analytics/partition-worker.ts';
import type { JobTopic } from '../../../server/analytics/stream-job.ts';
import { verifyReplay } from '../../../server/analytics/verify-replay.ts';
import { systemClock } from '../../../server/platform/clock.ts';
import { silentLogger } from '../../../server/platform/logger.ts';
import { KafkaTelemetryLog } from '../../../server/telemetry/kafka-telemetry-log.ts';
import { MemoryTelemetryLog } from '../../../server/telemetry/memory-telemetry-log.ts';
import { partitionOf } from '../../../server/telemetry/partition.ts';
import { LogReporter } from '../../../server/telemetry/reporter.ts';
import type { LogRecord, StoredRecord } from '../../../server/telemetry/telemetry-log.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { kafkaForTests, kafkaSettings } from '../../support/kafka-broker.ts';
import { describeWith } from '../../support/requirements.ts';
import { startServe, type ServeProcess } from '../../support/serve-process.ts';
import { StreamFeed } from '../../support/telemetry-feed.ts';
import { tessera } from '../../support/tessera-cli.ts';

const PARTITIONS = 4;
const PREFIX = 'shared.';

const BROKER_GONE_MS = process.env['TESSERA_LONG'] === '1' ? 60_000 : 10_000;

/** A process of the product whose window jobs share the partitions of the group. */
class Member {
  readonly served: ServeProcess;

  private constructor(served: ServeProcess) {
    this.served = served;
  }

  static async start(bootstrap: string, dataDir: string, ...flags: string[]): Promise<Member> {
    const kafka = ['--telemetry.driver', 'kafka', '--telemetry.kafka.brokers', bootstrap];
    const topics = ['--telemetry.kafka.topicPrefix', PREFIX, '--telemetry.kafka.partitions', String(PARTITIONS)];
    return new Member(await startServe([...kafka, ...topics, '--dataDir', dataDir, ...flags]));
  }

  async counter(name: string): Promise<number> {
    const text = await (await fetch(`${this.served.http}/metrics`)).text();
    return Number(new RegExp(`^tessera_analytics_${name} (\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  }

  async kill(): Promise<void> {
    const child = this.served.process;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await gone;
    }
  }
}

/** Forty seconds of eight streams, as the reporter writes them. */
async function recording(): Promise<Map<JobTopic, LogRecord[]>> {
  const clock = new FakeClock(Date.now() - 60_000); // of now, or the broker's retention takes it
  const log = new MemoryTelemetryLog({ clock, logger: silentLogger, partitions: 1 });
  const reporter = new LogReporter({ log, clock, logger: silentLogger, node: 'n1' });
  Array.from({ length: 8 }, (_, i) => new StreamFeed(clock, reporter, `stream-${i}`));
  for (let i = 0; i < 800; i++) {
    clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const recorded = new Map<JobTopic, LogRecord[]>();
  for (const topic of JOB_TOPICS) {
    recorded.set(
      topic,
      [...(await log.read({ topic, partition: 0 }, 0, 1_000_000))].map(({ key, value, timestamp, headers }) => ({
        key,
        value,
        timestamp,
        ...(headers === undefined ? {} : { headers }),
      })),
    );
  }
  return recorded;
}

/** What an undisturbed run gives: computed here, from the recording alone. */
function expectedWindows(recorded: Map<JobTopic, LogRecord[]>): Set<string> {
  const expected = new Set<string>();
  for (const [topic, records] of recorded) {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const own = records.filter(({ key }) => partitionOf(key, PARTITIONS) === partition);
      const stored = own.map((record, offset): StoredRecord => ({ ...record, partition, offset }));
      new PartitionWorker(topic, partition).process(stored).windows.forEach(({ value }) => expected.add(value!));
    }
  }
  return expected;
}

describeWith(['kafka'], 'analytics on Apache Kafka', () => {
  let broker: Awaited<ReturnType<typeof kafkaForTests>>;
  const members: Member[] = [];
  const dataDir = mkdtempSync(join(tmpdir(), 'tessera-kafka-analytics-'));
  beforeAll(async () => {
    broker = await kafkaForTests();
  }, 300_000);
  afterAll(async () => {
    await Promise.all(members.map((member) => member.kill()));
    await broker.dispose();
    rmSync(dataDir, { recursive: true, force: true });
  }, 60_000);

  test('loses and alters nothing while a process, the server and the broker go away in turn', async () => {
    const parts = { clock: systemClock, logger: silentLogger };
    const settings = kafkaSettings(broker.bootstrap, PREFIX, { partitions: PARTITIONS });
    const log = await KafkaTelemetryLog.open({ ...parts, settings });
    const begin = async (name: string, ...flags: string[]): Promise<Member> => {
      const begun = await Member.start(broker.bootstrap, join(dataDir, name), ...flags);
      members.push(begun);
      return begun;
    };
    const all = JOB_TOPICS.length * PARTITIONS;
    const shares = async (...sharing: Member[]): Promise<boolean> => {
      const owned = await Promise.all(sharing.map((member) => member.counter('partitions')));
      return owned.every((n) => n > 0) && owned.reduce((sum, n) => sum + n, 0) === all;
    };
    const recorded = await recording();
    const queues = [...recorded].map(([topic, records]) => ({ topic, records: [...records] }));
    const total = queues.reduce((sum, { records }) => sum + records.length, 0);
    const feed = async (share: number): Promise<void> => {
      const steps = 10;
      for (let i = 0; i < steps; i++) {
        for (const { topic, records } of queues) {
          const n = Math.ceil((recorded.get(topic)!.length * share) / steps);
          await log.append(topic, records.splice(0, n));
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const [server, one] = await Promise.all([
      begin('server'),
      begin('one', '--roles', 'analytics', '--analytics.threads', '1'),
    ]);
    await eventually('the two to share', () => shares(server, one), 90_000, 500);
    await feed(0.25);
    const hasWindows = async (member: Member): Promise<boolean> => (await member.counter('windows')) > 0;
    await eventually('windows of both', async () => (await hasWindows(server)) && (await hasWindows(one)), 60_000, 500);

    await one.kill();
    await feed(0.15);
    await eventually('the server to have all', () => shares(server), 90_000, 500);
    const two = await begin('two', '--roles', 'analytics');
    await eventually('a new one to share', () => shares(server, two), 90_000, 500);
    await feed(0.15);
    await server.kill();
    await feed(0.15);
    await eventually('the new one to have all', () => shares(two), 90_000, 500);
    await broker.stopNode(0, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, BROKER_GONE_MS));
    await broker.startNode(0);
    const again = await begin('server');
    await feed(1);
    expect(queues.every(({ records }) => records.length === 0)).toBe(true);

    const expected = expectedWindows(recorded);
    const stored = new Set<string>();
    const left = (): string[] => [...expected].filter((value) => !stored.has(value));
    const offsets = Array.from({ length: PARTITIONS }, () => 0);
    await eventually(
      'every window',
      async () => {
        for (let partition = 0; partition < PARTITIONS; partition++) {
          for (const { value, offset } of await log.read(
            { topic: 'windows', partition },
            offsets[partition]!,
            10_000,
          )) {
            stored.add(value!);
            offsets[partition] = offset + 1;
          }
        }
        return left().length === 0;
      },
      200_000,
      1000,
    ).catch(async (error: unknown) => {
      const owned = await Promise.all([two, again].map((member) => member.counter('partitions')));
      const example = left()[0]?.slice(0, 200);
      throw new Error(
        `${left().length} of ${expected.size} windows are missing, such as ${example}; owned: ${owned.join(', ')}`,
        {
          cause: error,
        },
      );
    });
    expect(stored.size).toBe(expected.size);
    expect(expected.size).toBeGreaterThan(300);
    const report = await verifyReplay(log, JOB_TOPICS, { from: 0, to: Infinity });
    expect(report.differences).toEqual([]);
    expect(report.compared).toBeGreaterThanOrEqual(expected.size);

    const [some] = await log.read({ topic: 'windows', partition: 0 }, 5, 1);
    const altered = JSON.stringify({ ...(JSON.parse(some.value!) as WindowRecord), complete: 0.5 });
    await log.append('windows', [{ key: some.key, value: altered, timestamp: some.timestamp }]);
    const place = ['--brokers', broker.bootstrap, '--topicPrefix', PREFIX, '--partitions', String(PARTITIONS)];
    const verified = await tessera('verify-replay', 'windows', ...place, '--json');
    expect(verified.code).toBe(1);
    expect((JSON.parse(verified.stdout) as { differences: { what: string }[] }).differences).toEqual([
      expect.objectContaining({ what: 'differs' }),
    ]);
    expect(await two.served.stop()).toBe(0);
    expect(await again.served.stop()).toBe(0);
    await log.close();
    process.stderr.write(`kafka analytics: ${total} events, ${expected.size} windows, all identical\n`);
  }, 900_000);
});
