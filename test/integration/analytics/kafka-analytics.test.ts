// Analytics over a real Kafka: two processes share the partitions; one is killed in mid-window, the broker goes away for 10 s; every
// window is there and is what an undisturbed replay of the same events gives, byte for byte.

import { spawn, type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { JOB_TOPICS, PartitionWorker, type WindowRecord } from '../../../server/analytics/partition-worker.ts';
import type { JobTopic } from '../../../server/analytics/stream-job.ts';
import type { RunnerCounters } from '../../../server/analytics/window-runner.ts';
import { verifyReplay } from '../../../server/analytics/verify-replay.ts';
import { systemClock } from '../../../server/platform/clock.ts';
import { silentLogger } from '../../../server/platform/logger.ts';
import { KafkaTelemetryLog } from '../../../server/telemetry/kafka-telemetry-log.ts';
import { MemoryTelemetryLog } from '../../../server/telemetry/memory-telemetry-log.ts';
import { partitionOf } from '../../../server/telemetry/partition.ts';
import { LogReporter } from '../../../server/telemetry/reporter.ts';
import type { LogRecord, StoredRecord } from '../../../server/telemetry/telemetry-log.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { kafkaForTests, kafkaSettings } from '../../support/kafka-broker.ts';
import { describeWith } from '../../support/requirements.ts';
import { StreamFeed } from '../../support/telemetry-feed.ts';
import { eventually } from '../../support/telemetry-log-contract.ts';

const PARTITIONS = 4;
const PREFIX = 'shared.';

class AnalyticsProcess {
  counters: RunnerCounters | null = null;
  private readonly child: ChildProcess;

  constructor(bootstrap: string, name: string) {
    const args = ['--import', 'tsx', 'test/support/analytics-process.ts', bootstrap, PREFIX, String(PARTITIONS), name];
    this.child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    this.child.stdout!.setEncoding('utf8').on('data', (piece: string) => {
      const lines = (text + piece).split('\n');
      text = lines.pop()!;
      for (const line of lines) {
        this.counters = JSON.parse(line) as RunnerCounters;
      }
    });
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill(signal);
      await gone;
    }
  }
}

/** Forty seconds of eight streams, as the reporter writes them. */
async function recording(): Promise<Map<JobTopic, LogRecord[]>> {
  const clock = new FakeClock();
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
  const processes: AnalyticsProcess[] = [];
  beforeAll(async () => {
    broker = await kafkaForTests();
  }, 300_000);
  afterAll(async () => {
    await Promise.all(processes.map((each) => each.end('SIGKILL')));
    await broker.dispose();
  }, 60_000);

  test('loses and alters nothing while a process is killed and the broker goes away', async () => {
    const parts = { clock: systemClock, logger: silentLogger };
    const settings = kafkaSettings(broker.bootstrap, PREFIX, { partitions: PARTITIONS });
    const log = await KafkaTelemetryLog.open({ ...parts, settings });
    const begin = (name: string): AnalyticsProcess => {
      const begun = new AnalyticsProcess(broker.bootstrap, name);
      processes.push(begun);
      return begun;
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
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    };
    const [first, second] = [begin('one'), begin('two')];
    await eventually(() => [first, second].every(({ counters }) => (counters?.partitions ?? 0) > 0), 60_000);
    await eventually(() => first.counters!.partitions + second.counters!.partitions === 3 * PARTITIONS, 30_000);
    await feed(0.35);
    await eventually(() => first.counters!.windows > 0 && second.counters!.windows > 0, 30_000);

    await second.end('SIGKILL');
    await feed(0.2);
    await eventually(() => first.counters!.partitions === 3 * PARTITIONS, 60_000);
    await broker.stopNode(0, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    await broker.startNode(0);
    const third = begin('three');
    await feed(1);
    expect(queues.every(({ records }) => records.length === 0)).toBe(true);

    const expected = expectedWindows(recorded);
    const stored = new Set<string>();
    await eventually(async () => {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        for (const { value } of await log.read({ topic: 'windows', partition }, 0, 1_000_000)) {
          stored.add(value!);
        }
      }
      const left = [...expected].filter((value) => !stored.has(value)).length;
      return left === 0;
    }, 150_000);
    expect(stored.size).toBe(expected.size);
    expect(expected.size).toBeGreaterThan(300);
    const report = await verifyReplay(log, JOB_TOPICS, { from: 0, to: Infinity });
    expect(report.differences).toEqual([]);
    expect(report.compared).toBeGreaterThanOrEqual(expected.size);

    const [some] = await log.read({ topic: 'windows', partition: 0 }, 5, 1);
    const altered = JSON.stringify({ ...(JSON.parse(some.value!) as WindowRecord), complete: 0.5 });
    await log.append('windows', [{ key: some.key, value: altered, timestamp: some.timestamp }]);
    const [difference] = (await verifyReplay(log, JOB_TOPICS, { from: 0, to: Infinity })).differences;
    expect(difference?.what).toBe('differs');
    await first.end('SIGTERM');
    await third.end('SIGTERM');
    await log.close();
    process.stderr.write(`kafka analytics: ${total} events, ${expected.size} windows, all identical\n`);
  }, 400_000);
});
