// A log whose broker is not there yet: it is opened again until it answers, and what was reported before comes after all.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silentLogger } from '../../../../server/platform/logger.ts';
import { EmbeddedTelemetryLog } from '../../../../server/telemetry/embedded-telemetry-log.ts';
import { MemoryTelemetryLog } from '../../../../server/telemetry/memory-telemetry-log.ts';
import { OpeningTelemetryLog } from '../../../../server/telemetry/opening-telemetry-log.ts';
import { SpoolingTelemetryLog } from '../../../../server/telemetry/spooling-telemetry-log.ts';
import { eventually } from '../../../support/eventually.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const clock = new FakeClock();
const parts = { clock, logger: silentLogger };
const unopened = { ...parts, description: 'not there', failure: new Error('nobody answers') };

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tessera-opening-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** A log that opens at the `th` attempt after the first, which failed. */
function openedAt(th: number): { log: OpeningTelemetryLog; inner: MemoryTelemetryLog; attempts: () => number } {
  const inner = new MemoryTelemetryLog(parts);
  let attempts = 0;
  const open = (): Promise<MemoryTelemetryLog> =>
    ++attempts >= th ? Promise.resolve(inner) : Promise.reject(new Error('nobody answers'));
  const log = new OpeningTelemetryLog({ ...unopened, open, partitions: () => inner.partitions() });
  return { log, inner, attempts: () => attempts };
}

const atAttempt = (n: number, attempts: () => number): Promise<unknown> =>
  eventually(`attempt ${n}`, () => {
    clock.advance(10_000);
    return attempts() >= n;
  });

test('until it is open, everything but its name and its partitions rejects; then it is the log', async () => {
  const { log, inner, attempts } = openedAt(3);
  const at = { topic: 'ingest', partition: 0 } as const;
  const waiting = 'The telemetry log is not open yet.';
  const record = { key: 'k', value: '{}', timestamp: 1 };
  expect([log.description, log.partitions('ingest')]).toEqual([unopened.description, inner.partitions()]);
  await expect(log.append('ingest', [record])).rejects.toThrow(waiting);
  await expect(log.bounds(at)).rejects.toThrow(waiting);
  await expect(log.read(at, 0, 1)).rejects.toThrow(waiting);
  await expect(log.commit('g', at, 1)).rejects.toThrow(waiting);
  await expect(log.committed('g', at)).rejects.toThrow(waiting);
  await expect(log.members('g')).rejects.toThrow(waiting);
  await atAttempt(3, attempts);
  await log.ready();
  expect(log.description).toBe('memory');
  await log.append('ingest', [record]);
  expect(await inner.read(at, 0, 10)).toHaveLength((await log.bounds(at)).end);
  await log.close();
});

test('what was appended meanwhile waits in the spool and comes in its order', async () => {
  const { log: opening, inner, attempts } = openedAt(2);
  const spool = new EmbeddedTelemetryLog({ ...parts, directory, maxBytes: 1 << 24, partitions: 1 });
  const log = await SpoolingTelemetryLog.open({ ...parts, log: opening, spool, maxBytes: 1 << 23, maxAgeMs: 1e9 });
  for (const value of ['1', '2', '3']) {
    await log.append('data', [{ key: 'k', value, timestamp: 1 }]);
  }
  expect(log.counters()).toMatchObject({ spooled: 3, replayed: 0 });
  await atAttempt(2, attempts);
  await log.ready();
  await eventually('the spool to be empty', () => {
    clock.advance(10_000);
    return log.counters().replayed === 3;
  });
  const values: unknown[] = [];
  for (let partition = 0; partition < inner.partitions(); partition++) {
    values.push(...(await inner.read({ topic: 'data', partition }, 0, 10)).map(({ value }) => value));
  }
  expect(values).toEqual(['1', '2', '3']);
  await log.close();
});

test('closed before it is open, it tries no more; one that opens afterwards is closed', async () => {
  const { log, attempts } = openedAt(Infinity);
  await atAttempt(2, attempts);
  await log.close();
  const last = attempts();
  clock.advance(60_000);
  expect(attempts()).toBe(last);

  let answer: (log: MemoryTelemetryLog) => void = () => undefined;
  const late = new Promise<MemoryTelemetryLog>((resolve) => (answer = resolve));
  let isClosed = false;
  class Late extends MemoryTelemetryLog {
    override close(): Promise<void> {
      isClosed = true;
      return super.close();
    }
  }
  let isAsked = false;
  const open = (): Promise<MemoryTelemetryLog> => {
    isAsked = true;
    return late;
  };
  const other = new OpeningTelemetryLog({ ...unopened, open, partitions: () => 1 });
  await eventually('an attempt', () => {
    clock.advance(10_000);
    return isAsked;
  });
  await other.close();
  answer(new Late(parts));
  await eventually('the late one to be closed', () => isClosed);
});
