// Results do not depend on crashes: the same recorded input is run undisturbed and with analytics killed at chosen moments; the windows
// are the same bytes. And verify-replay finds one altered record.

import { describe, expect, test } from '@jest/globals';
import { Checkpoints } from '../../../../server/analytics/checkpoints.ts';
import { verifyReplay } from '../../../../server/analytics/verify-replay.ts';
import { WindowRunner } from '../../../../server/analytics/window-runner.ts';
import { JOB_TOPICS } from '../../../../server/analytics/partition-worker.ts';
import { silentLogger } from '../../../../server/platform/logger.ts';
import { MemoryTelemetryLog } from '../../../../server/telemetry/memory-telemetry-log.ts';
import { LogReporter } from '../../../../server/telemetry/reporter.ts';
import type { LogRecord, StoredRecord } from '../../../../server/telemetry/telemetry-log.ts';
import type { Topic } from '../../../../shared/telemetry/topics.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { KillableLog, pause } from '../../../support/killable-log.ts';
import { StreamFeed } from '../../../support/telemetry-feed.ts';

/** Two minutes of three streams, recorded once. */
async function recording(): Promise<Map<Topic, LogRecord[]>> {
  const clock = new FakeClock();
  const log = new MemoryTelemetryLog({ clock, logger: silentLogger });
  const reporter = new LogReporter({ log, clock, logger: silentLogger, node: 'n1' });
  const feeds = ['a', 'b', 'c'].map((stream) => new StreamFeed(clock, reporter, stream));
  feeds[1].shape.loss = 0.1;
  for (let i = 0; i < 600; i++) {
    clock.advance(50);
    await pause();
  }
  const recorded = new Map<Topic, LogRecord[]>();
  for (const topic of JOB_TOPICS) {
    const records: LogRecord[] = [];
    for (let partition = 0; partition < log.partitions(); partition++) {
      records.push(...(await log.read({ topic, partition }, 0, 1_000_000)));
    }
    recorded.set(
      topic,
      records.map(({ key, value, timestamp }) => ({ key, value, timestamp })),
    );
  }
  return recorded;
}

const windowsOf = async (log: MemoryTelemetryLog): Promise<Map<string, Set<string>>> => {
  const windows = new Map<string, Set<string>>();
  for (let partition = 0; partition < log.partitions(); partition++) {
    for (const { value } of await log.read({ topic: 'windows', partition }, 0, 1_000_000)) {
      const { job, stream, start } = JSON.parse(value!) as { job: string; stream: string; start: number };
      const name = `${job} ${stream} ${start}`;
      windows.set(name, (windows.get(name) ?? new Set()).add(value!));
    }
  }
  return windows;
};

/** Plays the recording in slices; `kills` are the numbers of appends that each owner lives for. */
async function play(recorded: Map<Topic, LogRecord[]>, kills: number[]): Promise<MemoryTelemetryLog> {
  const clock = new FakeClock();
  const log = new MemoryTelemetryLog({ clock, logger: silentLogger });
  let lives = 0;
  const begin = async (): Promise<{ own: KillableLog; runner: WindowRunner }> => {
    const own = new KillableLog(log, clock);
    const runner = new WindowRunner({
      log: own,
      clock,
      logger: silentLogger,
      owner: `o${lives}`,
      checkpointEveryMs: 300,
    });
    own.killAfter(Infinity);
    await runner.start();
    own.killAfter(kills[lives++] ?? Infinity);
    return { own, runner };
  };
  let owner = await begin();
  const queues = [...recorded].map(([topic, records]) => ({ topic, records: [...records] }));
  while (queues.some(({ records }) => records.length > 0)) {
    for (const { topic, records } of queues) {
      await log.append(topic, records.splice(0, 25));
    }
    clock.advance(100);
    for (let i = 0; i < 12; i++) {
      await pause();
    }
    if (owner.own.hasDied) {
      await owner.own.bury();
      owner = await begin();
    }
  }
  for (let settled = 0; settled < 60; settled++) {
    clock.advance(20);
    await pause();
    if (owner.own.hasDied) {
      await owner.own.bury();
      owner = await begin();
      settled = 0;
    }
  }
  owner.own.killAfter(Infinity);
  await owner.runner.close();
  expect(lives).toBeGreaterThan(kills.length === 0 ? 0 : 1);
  return log;
}

describe('windows after crashes', () => {
  test.each([[[7]], [[3, 20]], [[0, 1, 2, 3]], [[12, 1, 5]]])(
    'are byte-identical when owners live %j appends',
    async (kills) => {
      const recorded = await recording();
      const undisturbed = await windowsOf(await play(recorded, []));
      const disturbed = await windowsOf(await play(recorded, kills));
      expect(undisturbed.size).toBeGreaterThan(60);
      expect([...disturbed.keys()].sort()).toEqual([...undisturbed.keys()].sort());
      for (const [name, versions] of undisturbed) {
        expect([...disturbed.get(name)!]).toEqual([...versions]);
        expect(versions.size).toBe(1);
      }
    },
    60_000,
  );
});

describe('checkpoints', () => {
  const at = { topic: 'ingest', partition: 2 } as const;
  const setUp = () => {
    const log = new MemoryTelemetryLog({ clock: new FakeClock(), logger: silentLogger });
    return { log, checkpoints: new Checkpoints(log, 'g', 'me') };
  };

  test('come back with their offset, and every owner has a higher epoch', async () => {
    const { checkpoints } = setUp();
    const [first] = await checkpoints.claim([at]);
    expect(first).toEqual({ epoch: 1, checkpoint: null, brokenManifests: 0 });
    await checkpoints.save(at, 1, 0, { offset: 5, state: { big: 'x'.repeat(500_000) } });
    await checkpoints.save(at, 1, 1, { offset: 9, state: { big: 'y'.repeat(500_000) } });
    const [second] = await checkpoints.claim([at]);
    expect(second).toMatchObject({ epoch: 2, checkpoint: { offset: 9, state: { big: 'y'.repeat(500_000) } } });
    expect((await checkpoints.claim([at]))[0].epoch).toBe(3);
  });

  test('a crash between chunks and manifest leaves the one before', async () => {
    const { log, checkpoints } = setUp();
    await checkpoints.save(at, 1, 0, { offset: 5, state: { n: 1 } });
    await log.append('state', [{ key: 'g/ingest-2/1/b0', value: '"half"', timestamp: 0, partitionKey: 'g/ingest-2' }]);
    expect((await checkpoints.claim([at]))[0].checkpoint).toEqual({ offset: 5, state: { n: 1 } });
  });

  test("a damaged one is noticed, and an older owner's is used", async () => {
    const { log, checkpoints } = setUp();
    await checkpoints.save(at, 1, 0, { offset: 5, state: { n: 1 } });
    await checkpoints.save(at, 2, 0, { offset: 8, state: { n: 2 } });
    await log.append('state', [{ key: 'g/ingest-2/2/a0', value: '"{}"', timestamp: 0, partitionKey: 'g/ingest-2' }]);
    expect((await checkpoints.claim([at]))[0]).toMatchObject({
      epoch: 3,
      checkpoint: { offset: 5 },
      brokenManifests: 1,
    });
  });

  test('a zombie of an older epoch does not win, and what it left is removed', async () => {
    const { log, checkpoints } = setUp();
    await checkpoints.save(at, 2, 0, { offset: 8, state: { n: 2 } });
    await checkpoints.save(at, 1, 0, { offset: 99, state: { n: 1 } });
    expect((await checkpoints.claim([at]))[0].checkpoint!.offset).toBe(8);
    await checkpoints.forgetOlder(at, 2);
    const keys: string[] = [];
    for (let partition = 0; partition < log.partitions(); partition++) {
      const records: readonly StoredRecord[] = await log.read({ topic: 'state', partition }, 0, 100);
      keys.push(...records.filter(({ value }) => value !== null).map(({ key }) => key));
    }
    expect(keys.sort()).toEqual(['g/ingest-2/2/a0', 'g/ingest-2/2/manifest', 'g/ingest-2/claim']);
  });
});

describe('verify-replay', () => {
  const everything = { from: 0, to: Infinity };

  test('finds every stored window again, byte for byte', async () => {
    const log = await play(await recording(), [4]);
    const report = await verifyReplay(log, JOB_TOPICS, everything);
    expect(report.differences).toEqual([]);
    expect(report.compared).toBeGreaterThan(60);
  }, 30_000);

  test('finds one altered result and one altered event', async () => {
    const recorded = await recording();
    const log = await play(recorded, []);
    const [some] = await log.read({ topic: 'windows', partition: 0 }, 20, 1);
    await log.append('windows', [{ ...some, value: some.value!.replace('"complete":1', '"complete":0.99') }]);
    const altered = await verifyReplay(log, JOB_TOPICS, everything);
    expect(altered.differences).toHaveLength(1);
    expect(altered.differences[0].what).toBe('differs');

    const other = await play(recorded, []);
    const records = (await other.read({ topic: 'ingest', partition: some.partition }, 0, 1000)) as unknown as {
      value: string;
    }[];
    const victim = records.find(({ value }) => value.includes('"frames"'))!;
    victim.value = victim.value.replace(/"bytes":\[(\d+)/, (_, bytes: string) => `"bytes":[${Number(bytes) + 1}`);
    expect((await verifyReplay(other, JOB_TOPICS, everything)).differences.length).toBeGreaterThan(0);
  }, 30_000);
});
