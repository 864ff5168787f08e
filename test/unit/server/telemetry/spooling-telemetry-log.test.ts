// The spool in front of a log that hangs: what is appended waits on disk, and the end of the process does not wait for the log.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silentLogger } from '../../../../server/platform/logger.ts';
import { EmbeddedTelemetryLog } from '../../../../server/telemetry/embedded-telemetry-log.ts';
import { MemoryTelemetryLog } from '../../../../server/telemetry/memory-telemetry-log.ts';
import { SpoolingTelemetryLog } from '../../../../server/telemetry/spooling-telemetry-log.ts';
import { eventually } from '../../../support/eventually.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const RECORD = { key: 'k', value: '{}', timestamp: 1 };
const never = (): Promise<never> => new Promise(() => undefined);

/** A log that takes an append and never answers. */
class HangingLog extends MemoryTelemetryLog {
  appends = 0;

  override append(): Promise<void> {
    this.appends++;
    return never();
  }
}

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tessera-spool-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function open(clock: FakeClock): Promise<{ log: SpoolingTelemetryLog; hanging: HangingLog }> {
  const parts = { clock, logger: silentLogger };
  const hanging = new HangingLog(parts);
  const spool = new EmbeddedTelemetryLog({ ...parts, directory, maxBytes: 1 << 24, partitions: 1 });
  const limits = { maxBytes: 1 << 23, maxAgeMs: 60_000, appendTimeoutMs: 5000 };
  return { log: await SpoolingTelemetryLog.open({ ...parts, log: hanging, spool, ...limits }), hanging };
}

test('an append under way goes to the spool half a second after the hurry, later ones as fast, and all are there next time', async () => {
  const clock = new FakeClock();
  const { log, hanging } = await open(clock);
  const first = log.append('data', [RECORD]);
  await eventually('the append to be under way', () => hanging.appends === 1);
  clock.advance(1000);
  log.hurry();
  clock.advance(500);
  await first;
  expect(log.counters().spooled).toBe(1);
  const second = log.append('ingest', [RECORD]);
  await eventually('the next append to be under way', () => hanging.appends >= 2);
  clock.advance(500);
  await second;
  expect(log.counters().spooled).toBe(2);

  const closing = log.close();
  const ticking = setInterval(() => {
    clock.advance(50);
  }, 1);
  await closing;
  clearInterval(ticking);
  const spool = new EmbeddedTelemetryLog({ clock, logger: silentLogger, directory, maxBytes: 1 << 24, partitions: 1 });
  for (const topic of ['data', 'ingest'] as const) {
    expect(await spool.read({ topic, partition: 0 }, 0, 10)).toMatchObject([RECORD]);
  }
  await spool.close();
});
