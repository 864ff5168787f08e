// `tessera forget` on the embedded log: everything about the target goes, nothing else does.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { configSchema } from '../../../../shared/config/config-schema.ts';
import { retentionOf, TOPICS, type Topic } from '../../../../shared/telemetry/topics.ts';
import { systemClock } from '../../../../server/platform/clock.ts';
import { silentLogger } from '../../../../server/platform/logger.ts';
import { EmbeddedTelemetryLog } from '../../../../server/telemetry/embedded-telemetry-log.ts';
import { tessera } from '../../../support/tessera-cli.ts';

const SESSION = '6f1d2f0e-9f0e-4c55-8a52-0d8f6a4a3a10';
let dataDir = '';

const open = (isReadOnly = false): EmbeddedTelemetryLog =>
  new EmbeddedTelemetryLog({
    directory: join(dataDir, 'telemetry'),
    maxBytes: 1 << 28,
    clock: systemClock,
    logger: silentLogger,
    isReadOnly,
  });

/** The keys of a topic's records, and how many. */
async function keysOf(topic: Topic): Promise<string[]> {
  const log = open(true);
  const keys: string[] = [];
  for (let partition = 0; partition < log.partitions(); partition++) {
    keys.push(...(await log.read({ topic, partition }, 0, 10_000)).map(({ key }) => key));
  }
  await log.close();
  return keys.sort();
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tessera-forget-'));
  const log = open();
  const record = (key: string, value: object) => ({ key, value: JSON.stringify(value), timestamp: Date.now() });
  await log.append(
    'ingest',
    Array.from({ length: 3000 }, (_, i) => record(i % 3 === 0 ? 'gone' : 'stays', { i })),
  );
  await log.append('health', [record('gone', { status: 'bad' }), record('stays', { status: 'good' })]);
  await log.append('viewer', [
    record('stays', { session: SESSION, painted: 1 }),
    record('stays', { session: 'other', painted: 2 }),
  ]);
  await log.append('state', [record('gone', { checkpoint: true })]);
  await log.close();
});
afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

test('a stream goes from every topic, and the others stay whole', async () => {
  const { code, stdout } = await tessera('forget', 'gone', '--dataDir', dataDir, '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    target: { kind: 'stream', name: 'gone' },
    log: 'embedded',
    removed: { ingest: 1000, health: 1 },
    kept: [],
  });
  expect(new Set(await keysOf('ingest'))).toEqual(new Set(['stays']));
  expect(await keysOf('ingest')).toHaveLength(2000);
  expect(await keysOf('health')).toEqual(['stays']);
  expect(await keysOf('state')).toEqual(['gone']); // a partition's checkpoint that happens to have this key
});

test('a session goes, other sessions of the stream stay, and twice is nothing', async () => {
  const { stdout } = await tessera('forget', SESSION, '--dataDir', dataDir);
  expect(stdout).toMatch(/^session 6f1d2f0e-.*: removed 1 of viewer\n/);
  expect(await keysOf('viewer')).toHaveLength(1);
  const again = await tessera('forget', SESSION, '--dataDir', dataDir);
  expect(again.stdout).toContain('removed nothing, there was nothing');
});

test('a forgotten key of a compacted topic can be written again', async () => {
  const log = open();
  await log.append('health', [{ key: 'gone', value: '{"status":"good"}', timestamp: 1 }]);
  await log.append('health', [{ key: 'gone', value: '{"status":"ok"}', timestamp: 2 }]);
  await log.close();
  expect(await keysOf('health')).toEqual(['gone', 'stays']);
});

test.each([
  [['forget', 'bad name!', '--dataDir', '.'], /Give the name of a stream/],
  [['forget', 'x', '--as', 'person'], /--as person is not known/],
  [['forget', 'x', '--dataDir', '/nowhere'], /There is no embedded telemetry log in \/nowhere/],
])('%j is refused with a sentence', async (args, sentence) => {
  const { code, stderr } = await tessera(...args);
  expect(code).toBe(2);
  expect(stderr).toMatch(sentence);
});

test('the retention of the configuration has the same defaults as the topics', () => {
  const { retentionHours } = configSchema.parse({}).telemetry;
  const timed = (Object.keys(TOPICS) as Topic[]).filter((topic) => retentionOf(topic) !== null);
  expect(Object.keys(retentionHours).sort()).toEqual(timed.sort());
  for (const topic of timed) {
    expect(retentionOf(topic, retentionHours)).toBe(retentionOf(topic));
  }
});
