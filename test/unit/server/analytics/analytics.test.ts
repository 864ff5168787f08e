// From the reporter to the API's health, through the log and the windows: numbers against the truth, unknown when analytics stops,
// issues with their cause, bad records aside.

import { afterEach, describe, expect, test } from '@jest/globals';
import { startAnalytics, type Analytics } from '../../../../server/analytics/start-analytics.ts';
import type { Alert } from '../../../../server/analytics/health-runner.ts';
import { createMetrics } from '../../../../server/platform/metrics.ts';
import { silentLogger } from '../../../../server/platform/logger.ts';
import { DataWindowsReadModel } from '../../../../server/read-models/data-windows.ts';
import { HealthReadModel, type HealthReport } from '../../../../server/read-models/health.ts';
import { HistoryReadModel } from '../../../../server/read-models/history.ts';
import { MemoryTelemetryLog } from '../../../../server/telemetry/memory-telemetry-log.ts';
import { LogReporter } from '../../../../server/telemetry/reporter.ts';
import type { StoredRecord } from '../../../../server/telemetry/telemetry-log.ts';
import type { Topic } from '../../../../shared/telemetry/topics.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { StreamFeed } from '../../../support/telemetry-feed.ts';

class Scene {
  readonly clock = new FakeClock();
  readonly log = new MemoryTelemetryLog({ clock: this.clock, logger: silentLogger });
  readonly reporter = new LogReporter({ log: this.log, clock: this.clock, logger: silentLogger, node: 'n1' });
  readonly readModels = {
    health: new HealthReadModel(),
    history: new HistoryReadModel(),
    data: new DataWindowsReadModel(),
  };
  metrics = createMetrics();
  readonly alerts: Alert[] = [];
  analytics: Analytics | null = null;

  async start(): Promise<void> {
    this.metrics = createMetrics();
    const { clock, log, readModels, metrics } = this;
    this.analytics = await startAnalytics({
      log,
      clock,
      logger: silentLogger,
      node: 'n1',
      readModels,
      metrics,
      onAlert: (alert) => this.alerts.push(alert),
    });
  }

  /** Lets time pass and everybody work. */
  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      this.clock.advance(50);
      for (let i = 0; i < 4; i++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  health(stream = 's'): HealthReport {
    return this.readModels.health.get(stream, this.clock.epochMs());
  }

  open(): string[] {
    return this.health().issues.map(({ type }) => type);
  }

  async all(topic: Topic): Promise<StoredRecord[]> {
    const records: StoredRecord[] = [];
    for (let partition = 0; partition < this.log.partitions(); partition++) {
      records.push(...(await this.log.read({ topic, partition }, 0, 1_000_000)));
    }
    return records;
  }
}

let scene: Scene;
const begin = async (): Promise<StreamFeed> => {
  scene = new Scene();
  await scene.start();
  return new StreamFeed(scene.clock, scene.reporter, 's');
};
afterEach(async () => {
  await scene.analytics?.close();
  await scene.reporter.close(100);
  await scene.log.close();
});

describe('health', () => {
  test('says what a healthy stream really is', async () => {
    await begin();
    await scene.run(16_000);
    const health = scene.health();
    expect(health).toMatchObject({ stream: 's', status: 'good', score: 100, complete: 1, issues: [] });
    expect(Math.abs(health.fps! - 30) / 30).toBeLessThan(0.02);
    expect(Math.abs(health.bitrateKbps! - 3000) / 3000).toBeLessThan(0.05);
    expect(health.keyframeIntervalMs).toBe(2000);
    expect(health.latencyMs.kind).toBe('glass');
    expect(Math.abs(health.latencyMs.p50! - 129)).toBeLessThan(3);
    expect(Math.abs(health.latencyMs.p99! - 139)).toBeLessThan(3);
    expect(scene.clock.epochMs() - health.windowEnd!).toBeLessThan(2500);
    expect(await scene.metrics.registry.metrics()).toMatch(/tessera_analytics_windows \d{2}/);
  });

  test('is right from the first window on', async () => {
    await begin();
    await scene.run(4000);
    const { fps, bitrateKbps, status } = scene.health();
    expect(status).toBe('good');
    expect(Math.abs(fps! - 30)).toBeLessThan(1.5);
    expect(Math.abs(bitrateKbps! - 3000)).toBeLessThan(900); // one key frame more or less
  });

  test('turns to unknown within 5 s when analytics stops, and comes back', async () => {
    await begin();
    await scene.run(12_000);
    expect(scene.health().status).toBe('good');
    await scene.analytics!.close();
    await scene.run(5000);
    expect(scene.health()).toMatchObject({ status: 'unknown', bitrateKbps: null, fps: null, latencyMs: { p50: null } });
    await scene.start();
    await scene.run(3000);
    expect(scene.health()).toMatchObject({ status: 'good', complete: 1 });
  });

  test('is unknown where events are missing, not bad', async () => {
    await begin();
    await scene.run(12_000);
    const { log } = scene;
    const append = log.append.bind(log);
    log.append = (topic, records) => (topic === 'ingest' ? Promise.resolve() : append(topic, records)); // lost in silence
    await scene.run(1000);
    log.append = append;
    await scene.run(3000);
    expect(scene.health()).toMatchObject({ status: 'unknown', score: null });
    expect(scene.health().complete).toBeLessThan(0.98);
    expect(scene.open()).toEqual([]);
    await scene.run(14_000);
    expect(scene.health()).toMatchObject({ status: 'good', complete: 1 });
  }, 20_000);

  test('forgets a stream that has ended without an alarm', async () => {
    const feed = await begin();
    await scene.run(12_000);
    feed.end();
    await scene.run(16_000);
    expect(scene.health().status).toBe('unknown');
    expect(scene.alerts).toEqual([]);
    expect((await scene.all('health')).at(-1)!.value).toBeNull();
  }, 20_000);
});

describe('issues', () => {
  const faults: [string, (feed: StreamFeed) => void, string][] = [
    ['starved', (feed) => (feed.shape.isSilent = true), 'publisher'],
    ['bitrate-low', (feed) => (feed.shape.kbps = 1500), 'publisher'],
    ['frames-lost', (feed) => (feed.shape.loss = 0.05), 'publisher'],
    ['encoder-overloaded', (feed) => (feed.shape.encodeMs = 31), 'encoder'],
    ['latency-high', (feed) => (feed.shape.latencyMs = 9000), 'delivery'],
    ['rebuffering', (feed) => (feed.shape.stalledShare = 0.8), 'viewer'],
  ];
  test.each(faults)(
    'raises %s with its cause within 10 s and clears it after the fault',
    async (type, inject, stage) => {
      const feed = await begin();
      const healthy = { ...feed.shape, encodeMs: type === 'encoder-overloaded' ? 5 : null };
      Object.assign(feed.shape, healthy);
      await scene.run(20_000);
      expect(scene.alerts).toEqual([]);
      const from = scene.clock.epochMs();
      inject(feed);
      for (let i = 0; i < 100 && !scene.open().includes(type); i++) {
        await scene.run(100);
      }
      expect(scene.open()).toContain(type);
      const issue = scene.health().issues.find((each) => each.type === type)!;
      expect(issue.stage).toBe(stage);
      expect(issue.advice).toMatch(/\.$/);
      expect(issue.since).toBeGreaterThan(from);
      Object.assign(feed.shape, healthy);
      await scene.run(20_000);
      expect(scene.open()).toEqual([]);
      expect(scene.health().status).toBe('good');
      expect(scene.alerts.map((alert) => alert.change).sort()).toEqual(
        scene.alerts.map((_, i) => (i < scene.alerts.length / 2 ? 'closed' : 'opened')),
      );
    },
    40_000,
  );

  test('a healthy hour raises no alarm', async () => {
    const feed = await begin();
    feed.shape.latencyMs = 150;
    for (let minute = 0; minute < 5; minute++) {
      await scene.run(60_000);
    }
    expect(scene.alerts).toEqual([]);
  }, 60_000);
});

describe('records that are not as they should be', () => {
  test('go to the dead-letter topic with a reason, and the partition goes on', async () => {
    await begin();
    await scene.run(2000);
    const good = { v: 1, node: 'x', boot: 1, seq: 0, at: scene.clock.epochMs(), topic: 'ingest', stream: 's' };
    const bad = [
      'nonsense',
      JSON.stringify({ ...good, v: 9 }),
      JSON.stringify({ ...good, type: 'frames', ts: 1 }),
      JSON.stringify({ ...good, stream: 'other', type: 'tick', ts: 1 }),
      `{"v":1,"key":"${'k'.repeat(10_000_000)}"}`,
    ];
    await scene.log.append(
      'ingest',
      bad.map((value) => ({ key: 's', value, timestamp: 1 })),
    );
    await scene.run(12_000);
    const dead = (await scene.all('dlq')).map(({ value }) => JSON.parse(value!) as { reason: string; value: string });
    expect(dead.map(({ reason }) => reason)).toEqual([
      'not JSON',
      'version 9 is not 1',
      expect.stringMatching(/^event/),
      expect.stringMatching(/stream are not those/),
      expect.stringMatching(/^envelope/),
    ]);
    expect(Math.max(...dead.map(({ value }) => value.length))).toBeLessThanOrEqual(4096);
    expect(scene.health().status).toBe('good');
  });

  test('times of 1970 and 2100 go aside, an hour late is late, an hour ahead is cut, and the stream goes on', async () => {
    await begin();
    await scene.run(6000);
    const at = scene.clock.epochMs();
    const frames = { type: 'frames', track: 'odd', arrivalMs: [0], ptsMs: [0], bytes: [1], key: [0] };
    const events = [0, 4_102_444_800_000, at - 3_600_000, at + 3_600_000].map((ts, seq) => ({
      ...{ v: 1, node: 'odd', boot: 1, seq, at, topic: 'ingest', stream: 's', ts },
      ...frames,
    }));
    await scene.log.append(
      'ingest',
      events.map((event) => ({ key: 's', value: JSON.stringify(event), timestamp: event.ts })),
    );
    await scene.run(10_000);
    const reasons = (await scene.all('dlq')).map(({ value }) => (JSON.parse(value!) as { reason: string }).reason);
    expect(reasons).toEqual([
      expect.stringMatching(/^the time 0 is more than a day/),
      expect.stringMatching(/^the time 4102444800000 is more than a day/),
    ]);
    // The clock of the stream went two seconds ahead, so that some of its own events may be late, too.
    expect((await scene.all('late')).filter(({ value }) => value!.includes('"node":"odd"'))).toHaveLength(1);
    const { fps, status } = scene.health();
    expect(status).toBe('good');
    expect(Math.abs(fps! - 30)).toBeLessThan(0.7);
  });

  test('what arrives twice is counted once', async () => {
    await begin();
    const { log } = scene;
    const append = log.append.bind(log);
    log.append = async (topic, records) => {
      await append(topic, records);
      if (topic === 'ingest' || topic === 'viewer') {
        await append(topic, records);
      }
    };
    await scene.run(14_000);
    expect(Math.abs(scene.health().fps! - 30)).toBeLessThan(0.5);
    expect(scene.analytics!.counters().duplicates).toBeGreaterThan(50);
    expect(scene.health().complete).toBe(1);
  });
});

test('history has a point per ten seconds and gaps where nothing was', async () => {
  await begin();
  await scene.run(35_000);
  const now = scene.clock.epochMs();
  const history = scene.readModels.history.query('s', { from: now - 60_000, to: now - 10_000, step: 10_000 });
  const rates = history.points.map(({ bitrateKbps }) => bitrateKbps);
  expect(rates[0]).toBeNull();
  expect(rates.at(-1)).toBeGreaterThan(2500);
  expect(() => scene.readModels.history.query('s', { from: 0, to: now, step: 10_000 })).toThrow(RangeError);
}, 20_000);
