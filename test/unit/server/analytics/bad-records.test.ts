// Bad records on the logs that live in the process.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { HealthRunner } from '../../../../server/analytics/health-runner.ts';
import { systemClock } from '../../../../server/platform/clock.ts';
import { silentLogger } from '../../../../server/platform/logger.ts';
import { EmbeddedTelemetryLog } from '../../../../server/telemetry/embedded-telemetry-log.ts';
import { MemoryTelemetryLog } from '../../../../server/telemetry/memory-telemetry-log.ts';
import { expectBadRecordsToAlterNothing } from '../../../support/bad-records.ts';
import { eventually } from '../../../support/eventually.ts';

const parts = { clock: systemClock, logger: silentLogger };

test('bad records go aside with a reason and alter no window, on the embedded log', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tessera-bad-'));
  const log = new EmbeddedTelemetryLog({ ...parts, directory, maxBytes: 2 ** 30 });
  try {
    await expectBadRecordsToAlterNothing(log, 10_000_000);
  } finally {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  }
}, 120_000);

test('a window that is none goes aside, and the health rules go on', async () => {
  const log = new MemoryTelemetryLog({ ...parts, partitions: 1 });
  const health = new HealthRunner({ log, ...parts });
  await health.start();
  const put = (value: string): Promise<void> => log.append('windows', [{ key: 's', value, timestamp: 0 }]);
  await put('nonsense');
  await put('{"v":1,"job":"ingest","stream":"s","start":0,"end":10000,"tracks":{}}');
  await eventually(
    'a report',
    async () => (await log.read({ topic: 'health', partition: 0 }, 0, 10)).length > 0,
    30_000,
  );
  const dead = await log.read({ topic: 'dlq', partition: 0 }, 0, 10);
  expect(dead.map(({ value }) => (JSON.parse(value!) as { offset: number }).offset)).toEqual([0]);
  await health.close();
  await log.close();
}, 60_000);
