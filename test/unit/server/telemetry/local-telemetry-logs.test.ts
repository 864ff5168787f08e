// The in-memory and the embedded telemetry log under the contract, and what is the embedded one's own: its bounds and concurrency.

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../../server/platform/clock.ts';
import { silentLogger } from '../../../../server/platform/logger.ts';
import { EmbeddedTelemetryLog } from '../../../../server/telemetry/embedded-telemetry-log.ts';
import { MemoryTelemetryLog } from '../../../../server/telemetry/memory-telemetry-log.ts';
import { murmur2 } from '../../../../server/telemetry/partition.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { telemetryLogContract } from '../../../support/telemetry-log-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'tessera-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const parts = { clock: systemClock, logger: silentLogger };
let opened = 0;

describe('the telemetry log in memory', () => {
  telemetryLogContract({ open: () => Promise.resolve(new MemoryTelemetryLog(parts)), patienceMs: 5000 });

  test('keeps the newest records when it is full', async () => {
    const log = new MemoryTelemetryLog({ ...parts, partitions: 1, maxRecords: 100 });
    for (let i = 0; i < 300; i++) {
      await log.append('data', [{ key: 'k', value: String(i), timestamp: i }]);
    }
    const { earliest, end } = await log.bounds({ topic: 'data', partition: 0 });
    expect(end).toBe(300);
    expect(end - earliest).toBeLessThanOrEqual(125);
  });
});

describe('the embedded telemetry log', () => {
  const openAt = (directory: string, maxBytes = 64 * 1024 * 1024, clock = systemClock) =>
    new EmbeddedTelemetryLog({ directory, maxBytes, logger: silentLogger, clock });
  telemetryLogContract({
    open: () => Promise.resolve(openAt(join(folder, `log-${++opened}`))),
    reopen: () => Promise.resolve(openAt(join(folder, `log-${opened}`))),
    patienceMs: 5000,
  });

  test('stays within its bytes, dropping the oldest of the biggest topic', async () => {
    const directory = join(folder, 'bounded');
    const maxBytes = 4 * 1024 * 1024;
    let trimmed = 0;
    const log = new EmbeddedTelemetryLog({
      ...parts,
      directory,
      maxBytes,
      onTrimmed: (topic, records) => {
        expect(topic).toBe('ingest');
        trimmed += records;
      },
    });
    await log.append('session', [{ key: 'kept', value: '1', timestamp: 1 }]);
    const value = JSON.stringify({ text: 'x'.repeat(400) });
    for (let i = 0; i < 100; i++) {
      await log.append(
        'ingest',
        Array.from({ length: 200 }, (_, j) => ({ key: `k${j % 9}`, value, timestamp: i })),
      );
    }
    expect(statSync(join(directory, 'data.mdb')).size).toBeLessThanOrEqual(maxBytes);
    expect(trimmed).toBeGreaterThan(10_000);
    let sessions = 0;
    for (let partition = 0; partition < log.partitions(); partition++) {
      sessions += (await log.read({ topic: 'session', partition }, 0, 10)).length;
    }
    expect(sessions).toBe(1);
    await log.close();
  }, 60_000);

  test('forgets what is past its retention', async () => {
    const clock = new FakeClock();
    const log = openAt(join(folder, 'retention'), 64 * 1024 * 1024, clock);
    await log.append('ingest', [{ key: 'a', value: '1', timestamp: 1 }]);
    await log.append('session', [{ key: 'a', value: '1', timestamp: 1 }]);
    clock.advance(25 * 3_600_000);
    await log.append('ingest', [{ key: 'a', value: '2', timestamp: 2 }]);
    await log.trim(); // may join one that began with the clock
    await log.trim();
    const [partition] = [0, 1, 2, 3].filter((each) => murmurPartition('a') === each);
    expect((await log.read({ topic: 'ingest', partition: partition }, 0, 10)).map(({ value }) => value)).toEqual(['2']);
    expect(await log.read({ topic: 'session', partition: partition }, 0, 10)).toHaveLength(1);
    await log.close();
  });

  test('two openings of one folder never hand out the same offset', async () => {
    const directory = join(folder, 'shared');
    const logs = [openAt(directory), openAt(directory)] as const;
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => logs[i % 2].append('data', [{ key: 'k', value: String(i), timestamp: i }])),
    );
    const records = await logs[0].read({ topic: 'data', partition: murmurPartition('k') }, 0, 100);
    expect(records.map(({ offset }) => offset)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    await logs[0].close();
    await logs[1].close();
  });
});

const murmurPartition = (key: string): number => (murmur2(key) & 0x7fffffff) % 4;

test('murmur2 agrees with the values of Kafka clients', () => {
  expect(
    ['21', 'foobar', 'a-little-bit-long-string', 'a-little-bit-longer-string', 'abc'].map((text) => murmur2(text)),
  ).toEqual([-973932308, -790332482, -985981536, -1486304829, 479470107]);
});
