// The stop of a whole server while something in it hangs: it ends within its time, says what it left behind, and events are kept.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '../../../server/platform/clock.ts';
import { silentLogger } from '../../../server/platform/logger.ts';
import { EmbeddedTelemetryLog } from '../../../server/telemetry/embedded-telemetry-log.ts';
import { startServer, TestPublisher } from '../../support/running-server.ts';

let dataDir = '';
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tessera-stop-'));
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

const never = (): Promise<never> => new Promise(() => undefined);

/** Types of the session events that a stopped server has left in its log. */
async function sessionEvents(): Promise<string[]> {
  const directory = join(dataDir, 'telemetry');
  const log = new EmbeddedTelemetryLog({ directory, maxBytes: 1 << 30, clock: systemClock, logger: silentLogger });
  const types: string[] = [];
  for (let partition = 0; partition < log.partitions(); partition++) {
    for (const { value } of await log.read({ topic: 'session', partition }, 0, 1000)) {
      types.push((JSON.parse(value ?? '{}') as { type: string }).type);
    }
  }
  await log.close();
  return types;
}

async function publishOnce(ws: string): Promise<TestPublisher> {
  const publisher = new TestPublisher(`${ws}/publish/s`);
  await publisher.hello('key');
  publisher.track();
  publisher.unit(0, { priority: 'key' });
  return publisher;
}

test('window jobs that hang are left behind by name; the publisher is told and its events are in the log', async () => {
  const server = await startServer({ dataDir, 'auth.publish': 'open' });
  server.analytics.close = never;
  const publisher = await publishOnce(server.ws);
  expect(await server.stop()).toEqual(['the window jobs']);
  expect(await publisher.closeCode()).toBe(4503);
  expect(await sessionEvents()).toEqual(expect.arrayContaining(['publish-start', 'stream-end']));
}, 60_000);

test('nothing is left behind where nothing hangs', async () => {
  const server = await startServer({ dataDir, 'auth.publish': 'open', 'rtmp.host': '127.0.0.1', 'rtmp.port': '0' });
  await publishOnce(server.ws);
  expect(await server.stop()).toEqual([]);
}, 60_000);
