// Capacity: the text's three quantities from flags, and live from the log.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { CapacityMeter } from '../../../../server/analytics/capacity-meter.ts';
import { WindowRunner } from '../../../../server/analytics/window-runner.ts';
import { silentLogger } from '../../../../server/platform/logger.ts';
import { CapacityReadModel, capacitySchema } from '../../../../server/read-models/capacity.ts';
import { MemoryTelemetryLog } from '../../../../server/telemetry/memory-telemetry-log.ts';
import { LogReporter } from '../../../../server/telemetry/reporter.ts';
import { capacityOf } from '../../../../shared/jobs/capacity.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { pause } from '../../../support/killable-log.ts';
import { StreamFeed } from '../../../support/telemetry-feed.ts';
import { tessera } from '../../../support/tessera-cli.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) {
    await close();
  }
});

test('the rule takes the slower of writing and reading, with headroom', () => {
  const input = { streams: 1000, messagesPerSecond: 10, messageBytes: 500, replicas: 3, partitionFactor: 4 };
  const slowReaders = capacityOf({ ...input, partitionMegabytesPerSecond: 5, partitionReadMegabytesPerSecond: 1 });
  expect(slowReaders).toMatchObject({
    partitionsByWriteRate: 1,
    partitionsByReadRate: 5,
    headroom: 2,
    partitionsByRate: 12,
    partitions: 12,
    partitionReplicas: 36,
    agrees: true,
  });
  expect(capacityOf({ ...input, partitionFactor: 3, partitionMegabytesPerSecond: 1 })).toMatchObject({
    partitions: 9,
    agrees: false,
    advice: '9 partitions are too few for 5 MB/s: take 12.',
  });
});

test('the command says the same in words and as JSON', async () => {
  const flags = ['--streams', '1000', '--msg-bytes', '500', '--msgs-per-second', '10'];
  const set = [...flags, '--partition-mbps', '5', '--replicas', '3', '--partition-factor', '8'];
  const words = await tessera('capacity', ...set);
  expect(words.stdout).toMatch(/Producer write rate +10000 messages\/s x 500 bytes = 5\.000 MB\/s/);
  expect(words.stdout).toMatch(/Consumer read rate +10000 messages\/s x 500 bytes = 5\.000 MB\/s/);
  expect(words.stdout).toMatch(/Number of partitions +3 replicas x partition factor 8 = 24/);
  expect(words.stdout).toMatch(/as copies +3 copies of each: 72 partition replicas/);
  const json = JSON.parse((await tessera('capacity', ...set, '--json')).stdout) as object;
  expect(json).toMatchObject({ producerWriteRate: 5e6, consumerReadRate: 5e6, partitions: 24, agrees: true });
});

test('live: what producers append, what the window jobs read, how many they are', async () => {
  const clock = new FakeClock();
  const log = new MemoryTelemetryLog({ clock, logger: silentLogger });
  const reporter = new LogReporter({ log, clock, logger: silentLogger, node: 'n1' });
  const model = new CapacityReadModel({ partitions: 4, replication: 3, p: 0.004, c: 0.002 });
  expect(model.report()).toMatchObject({ measuredAt: null, producer: { writeRate: 0 }, agrees: true });
  const meter = new CapacityMeter({ log, clock, logger: silentLogger, model });
  const runners = ['one', 'two'].map((owner) => new WindowRunner({ log, clock, logger: silentLogger, owner }));
  closing.push(
    () => meter.close(),
    () => runners[0].close(),
    () => runners[1].close(),
    () => reporter.close(100),
  );
  await Promise.all(runners.map((runner) => runner.start()));
  ['a', 'b', 'c'].forEach((stream) => new StreamFeed(clock, reporter, stream));
  for (let i = 0; i < 900; i++) {
    clock.advance(100);
    await pause();
    await pause();
  }
  const report = capacitySchema.parse(model.report());
  // Of each stream a second: four frame batches, one viewer report, and the ticks of their two topics.
  expect(report.producer.throughput).toBeGreaterThan(3 * 6.8);
  expect(report.producer.throughput).toBeLessThan(3 * 7.4);
  expect(Math.abs(report.consumer.throughput - report.producer.throughput)).toBeLessThan(3);
  expect(report.producer.writeRate).toBeCloseTo(report.producer.throughput * report.producer.messageBytes, 6);
  expect(report.producer.messageBytes).toBeGreaterThan(200);
  expect(report.partitions).toEqual({
    count: 4,
    replicas: 2,
    partitionFactor: 2,
    replication: 3,
    partitionReplicas: 12,
  });
  expect(report.rule.byReadRate).toBeGreaterThan(report.rule.byWriteRate);
  expect(report.agrees).toBe(false);
  expect(report.advice).toMatch(/too few .*: take/);
  expect(report.lag).toBeLessThan(3 * 7 * 6);
}, 60_000);

test('the command tells what a running server measures, with the token, or that the server refuses', async () => {
  const model = new CapacityReadModel({ partitions: 8, replication: 3, p: 20, c: 100 });
  model.apply({ at: 1_000_000, appended: 100, read: 90, messageBytes: 500, lag: 7, consumers: 2 });
  const server = createServer((request, response) => {
    const isOperator = request.headers.authorization === 'Bearer secret' && request.url === '/api/v1/capacity';
    response.statusCode = isOperator ? 200 : 401;
    response.end(isOperator ? JSON.stringify(model.report()) : '{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const words = await tessera('capacity', '--server', url, '--token', 'secret');
  expect(words.stdout).toMatch(/Producer write rate +100\.0 messages\/s x 500 bytes = 0\.050 MB\/s/);
  expect(words.stdout).toMatch(/Consumer read rate +90\.0 messages\/s x 500 bytes = 0\.045 MB\/s, 7 messages to read/);
  expect(words.stdout).toMatch(/Number of partitions +2 replicas x partition factor 4 = 8/);
  expect(words.stdout).toMatch(/as copies +3 copies of each: 24 partition replicas/);
  expect(words.stdout).toMatch(/p 20 MB\/s, c 100 MB\/s/);
  const json = await tessera('capacity', '--server', url, '--token', 'secret', '--json');
  expect(capacitySchema.parse(JSON.parse(json.stdout))).toEqual(model.report());
  const refused = await tessera('capacity', '--server', url);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('answers 401') });
});
