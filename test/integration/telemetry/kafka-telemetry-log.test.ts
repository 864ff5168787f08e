// The telemetry log on a real Apache Kafka: the contract, topics as kcat sees them, a broker that goes away and comes back, and one that
// accepts and never answers.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import { roundTrip } from '../../../examples/kafka-round-trip/kafka-round-trip.ts';
import { systemClock } from '../../../server/platform/clock.ts';
import { loadConfig } from '../../../server/platform/config-loader.ts';
import { silentLogger } from '../../../server/platform/logger.ts';
import { EmbeddedTelemetryLog } from '../../../server/telemetry/embedded-telemetry-log.ts';
import { forgetKafka } from '../../../server/telemetry/forget.ts';
import { openKafka } from '../../../server/telemetry/open-kafka.ts';
import { KafkaTelemetryLog } from '../../../server/telemetry/kafka-telemetry-log.ts';
import type { KafkaSettings } from '../../../server/telemetry/kafka/kafka-client.ts';
import { LogReporter } from '../../../server/telemetry/reporter.ts';
import { SpoolingTelemetryLog } from '../../../server/telemetry/spooling-telemetry-log.ts';
import type { StoredRecord, TelemetryLog } from '../../../server/telemetry/telemetry-log.ts';
import { decodeEvent } from '../../../shared/telemetry/event-codec.ts';
import type { Topic } from '../../../shared/telemetry/topics.ts';
import { kafkaForTests, kafkaSettings } from '../../support/kafka-broker.ts';
import { describeWith } from '../../support/requirements.ts';
import { eventually, telemetryLogContract } from '../../support/telemetry-log-contract.ts';

const parts = { clock: systemClock, logger: silentLogger };

async function readAll(log: TelemetryLog, topic: Topic): Promise<StoredRecord[]> {
  const all: StoredRecord[] = [];
  for (let partition = 0; partition < log.partitions(topic); partition++) {
    let offset = 0;
    for (;;) {
      const records = await log.read({ topic, partition }, offset, 5000);
      const last = records.at(-1);
      if (last === undefined) {
        break;
      }
      all.push(...records);
      offset = last.offset + 1;
    }
  }
  return all;
}

describeWith(['kafka'], 'the telemetry log on Apache Kafka', () => {
  let broker: Awaited<ReturnType<typeof kafkaForTests>>;
  const folder = mkdtempSync(join(tmpdir(), 'tessera-kafka-log-'));
  const open = (prefix: string, more: Partial<KafkaSettings> = {}): Promise<KafkaTelemetryLog> =>
    KafkaTelemetryLog.open({ ...parts, settings: kafkaSettings(broker.bootstrap, prefix, more) });
  beforeAll(async () => {
    broker = await kafkaForTests();
  }, 300_000);
  afterAll(async () => {
    await broker.dispose();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  describe('under the contract', () => {
    telemetryLogContract({
      open: () => open('contract.'),
      reopen: () => open('contract.'),
      patienceMs: 45_000,
      compactsLater: true,
    });
  });

  test('makes topics that kcat reads, with LZ4, JSON and CloudEvents headers', async () => {
    const log = await open('kcat.');
    expect(log.description).toBe('kafka 4.1, 4 partitions');
    const reporter = new LogReporter({ log, ...parts, node: 'n1' });
    for (let i = 0; i < 50; i++) {
      reporter.report({ type: 'meter', topic: 'data', stream: 's', ts: Date.now(), key: 'k', value: i });
    }
    await reporter.close(10_000);
    const args = [
      '-C',
      '-b',
      broker.bootstrap,
      '-t',
      'kcat.data.v1',
      '-o',
      'beginning',
      '-e',
      '-q',
      '-f',
      '%k|%h|%s\n',
    ];
    const { stdout } = spawnSync('kcat', args, { encoding: 'utf8' });
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(50);
    const [key, headers, value] = lines[7].split('|') as [string, string, string];
    expect(key).toBe('s');
    expect(headers).toMatch(/ce_type=tessera\.data\.meter,ce_source=\/tessera\/n1,ce_id=n1\/\d+\/s\/data\/7/);
    expect(JSON.parse(value)).toMatchObject({ v: 1, node: 'n1', seq: 7, value: 7 });
    await log.close();
  }, 60_000);

  test("the text's ten JSON records go to the broker and come back in order", async () => {
    const records = await roundTrip(broker.bootstrap);
    expect(records.map(({ value }) => (JSON.parse(value!) as { id: number }).id)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
  }, 60_000);

  test('refuses topics that are not as it needs them, with a sentence', async () => {
    await (await open('wrong.')).close();
    await expect(open('wrong.', { partitions: 5 })).rejects.toThrow(/wrong\.\w+\.v1 has 4 partitions and 5 are wanted/);
    const admin = new kafkajs.Kafka({
      brokers: broker.bootstrap.split(','),
      logLevel: kafkajs.logLevel.NOTHING,
    }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'policy.health.v1', numPartitions: 4 }], waitForLeaders: false });
    await admin.disconnect();
    await expect(open('policy.')).rejects.toThrow(
      /policy\.health\.v1 has cleanup\.policy delete, but must have compact/,
    );
  }, 60_000);

  test('refuses topics that keep records longer than the configuration promises, or on fewer brokers', async () => {
    const settings = kafkaSettings(broker.bootstrap, 'kept.');
    await (await KafkaTelemetryLog.open({ ...parts, settings, retentionHours: { viewer: 30 } })).close();
    await expect(KafkaTelemetryLog.open({ ...parts, settings, retentionHours: { viewer: 12 } })).rejects.toThrow(
      /kept\.viewer\.v1 keeps its records for 30 hours and telemetry\.retentionHours\.viewer is 12: set its retention\.ms to 43200000/,
    );
    await expect(
      KafkaTelemetryLog.open({
        ...parts,
        settings: { ...settings, replication: 2 },
        retentionHours: { viewer: 30 },
      }),
    ).rejects.toThrow(/kept\.ingest\.v1 has 1 copies and 2 are wanted/);
  }, 60_000);

  test('forgets a stream: a tombstone where it can, truncation where it is told to, and says what stays', async () => {
    const log = await open('forget.');
    const now = Date.now(); // a broker may remove at any time what is older than its topic keeps
    const record = (key: string, value: object) => ({ key, value: JSON.stringify(value), timestamp: now - 1000 });
    await log.append('health', [record('secret', { status: 'good' }), record('other', { status: 'good' })]);
    await log.append('data', [record('secret', { n: 1 }), record('other', { n: 2 }), record('secret', { n: 3 })]);
    await log.append('viewer', [record('other', { session: '0e0e0e0e-0000-4000-8000-000000000000' })]);
    const target = { kind: 'stream', name: 'secret' } as const;
    const options = { truncate: false, retentionHours: {}, nowMs: now };
    const first = await forgetKafka(log, target, options);
    expect(first.removed).toEqual({ health: 1 });
    expect(first.kept).toEqual([{ topic: 'data', records: 2, until: now - 1000 + 24 * 3_600_000 }]);
    expect((await readAll(log, 'health')).findLast(({ key }) => key === 'secret')?.value).toBeNull();
    const session = { kind: 'session', name: '0e0e0e0e-0000-4000-8000-000000000000' } as const;
    expect((await forgetKafka(log, session, options)).kept).toMatchObject([{ topic: 'viewer', records: 1 }]);
    const second = await forgetKafka(log, target, { ...options, truncate: true });
    expect(second.removed['data']).toBe(2);
    expect(second.kept).toEqual([]);
    expect((await readAll(log, 'data')).filter(({ key }) => key === 'secret')).toEqual([]);
    await log.close();
  }, 90_000);

  test('names the brokers that do not answer', async () => {
    const settings = kafkaSettings('127.0.0.1:1', 'none.');
    await expect(KafkaTelemetryLog.open({ ...parts, settings })).rejects.toThrow(
      /No Kafka broker answers at 127\.0\.0\.1:1/,
    );
  }, 60_000);

  test('is awaited by a server that starts before its broker; events of meanwhile arrive', async () => {
    const flags = {
      dataDir: join(folder, 'before'),
      'telemetry.driver': 'kafka',
      'telemetry.kafka.brokers': broker.bootstrap,
      'telemetry.kafka.topicPrefix': 'before.',
      'telemetry.kafka.partitions': '4',
    };
    const config = await loadConfig({ flags, environment: {} });
    await broker.stopNode(0, 'SIGTERM');
    const log = await openKafka({ ...parts, config, awaitsBroker: true });
    expect(log.description).toBe('kafka that does not answer yet, 4 partitions');
    const sent = Array.from({ length: 20 }, (_, i) => ({ key: `s${i % 3}`, value: `${i}`, timestamp: Date.now() }));
    for (const record of sent) {
      await log.append('data', [record]);
    }
    await broker.startNode(0);
    await log.ready?.();
    expect(log.description).toMatch(/^kafka \d/);
    await eventually(async () => (await readAll(log, 'data')).length >= sent.length, 60_000);
    const all = await readAll(log, 'data');
    const byKey = (records: readonly { key: string; value: string | null }[], key: string): unknown[] =>
      records.filter((record) => record.key === key).map(({ value }) => value);
    for (const key of ['s0', 's1', 's2']) {
      expect(byKey(all, key)).toEqual(byKey(sent, key));
    }
    await log.close();
  }, 180_000);

  test('loses nothing and keeps the order when the broker is away for 10 s', async () => {
    const kafka = await open('away.');
    const spool = new EmbeddedTelemetryLog({
      ...parts,
      directory: join(folder, 'away'),
      maxBytes: 1 << 28,
      partitions: 1,
    });
    const limits = { maxBytes: 1 << 27, maxAgeMs: 1_800_000, appendTimeoutMs: 2000 };
    const log = await SpoolingTelemetryLog.open({ ...parts, log: kafka, spool, ...limits });
    const reporter = new LogReporter({ log, ...parts, node: 'n1' });
    let sent = 0;
    let longest = 0;
    const feed = setInterval(() => {
      const before = performance.now();
      for (let i = 0; i < 10; i++) {
        reporter.report({ type: 'n', topic: 'data', stream: `s${i % 3}`, ts: Date.now(), key: 'k', value: sent++ });
      }
      longest = Math.max(longest, performance.now() - before);
    }, 20);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await broker.stopNode(0, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    await broker.startNode(0);
    await eventually(() => log.counters().spooled > 0 && log.counters().replayed === log.counters().spooled, 60_000);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    clearInterval(feed);
    await reporter.flush(20_000);
    const { acknowledged, dropped } = reporter.counters();
    expect(acknowledged).toBeGreaterThanOrEqual(sent);
    expect(dropped.data).toBe(0);
    const seen = new Map<string, number[]>();
    const values = new Set<unknown>();
    for (const record of await readAll(log, 'data')) {
      const decoded = decodeEvent(record.value!);
      expect(decoded.kind).toBe('event');
      if (decoded.kind === 'event') {
        const seqs = seen.get(record.key) ?? [];
        if (decoded.event.seq > (seqs.at(-1) ?? -1)) {
          seqs.push(decoded.event.seq); // what a retry brought twice is skipped, as every reader does
        }
        seen.set(record.key, seqs);
        values.add('value' in decoded.event ? decoded.event.value : undefined);
      }
    }
    for (let i = 0; i < sent; i++) {
      expect(values.has(i)).toBe(true);
    }
    for (const seqs of seen.values()) {
      expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => i));
    }
    expect(longest).toBeLessThan(1000); // reporting never waits for the broker; the rest is the machine
    await reporter.close(5000);
    await log.close();
  }, 180_000);

  test('puts events on disk while the broker accepts and never answers', async () => {
    const { kafka, hole } = await behindHole('hole.');
    const spool = new EmbeddedTelemetryLog({
      ...parts,
      directory: join(folder, 'hole'),
      maxBytes: 1 << 28,
      partitions: 1,
    });
    const limits = { maxBytes: 1 << 27, maxAgeMs: 1_800_000, appendTimeoutMs: 1000 };
    const log = await SpoolingTelemetryLog.open({ ...parts, log: kafka, spool, ...limits });
    const reporter = new LogReporter({ log, ...parts, node: 'n1' });
    hole.swallow();
    for (let i = 0; i < 500; i++) {
      reporter.report({ type: 'n', topic: 'data', stream: 's', ts: Date.now(), key: 'k', value: i });
    }
    await reporter.flush(10_000);
    expect(reporter.counters().acknowledged).toBeGreaterThanOrEqual(500);
    expect(log.counters().spooled).toBeGreaterThanOrEqual(500);
    hole.pass();
    await eventually(() => log.counters().replayed === log.counters().spooled, 60_000);
    await reporter.close(5000);
    const direct = await open('hole.');
    const values = (await readAll(direct, 'data')).map(({ value }) => (JSON.parse(value!) as { value?: number }).value);
    expect([...new Set(values.filter((value) => value !== undefined))]).toEqual(
      Array.from({ length: 500 }, (_, i) => i),
    );
    await direct.close();
    await log.close();
    hole.close();
  }, 120_000);

  /** A log whose every byte to and from the broker goes through a proxy that can swallow it. */
  async function behindHole(prefix: string): Promise<{ kafka: KafkaTelemetryLog; hole: Hole }> {
    const [host = '', port = ''] = broker.bootstrap.split(':');
    const hole = await Hole.open(host, Number(port));
    const connect = hole.connect.bind(hole);
    const kafka = await KafkaTelemetryLog.open({
      ...parts,
      settings: kafkaSettings(broker.bootstrap, prefix),
      connect,
    });
    return { kafka, hole };
  }
});

/** A TCP proxy that passes bytes on, or takes them and never answers. */
class Hole {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private isSwallowing = false;

  private constructor(server: Server) {
    this.server = server;
  }

  static async open(host: string, port: number): Promise<Hole> {
    const server = createServer();
    const hole = new Hole(server);
    server.on('connection', (near: Socket) => {
      const far = connect({ host, port });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        hole.sockets.add(from);
        from.on('data', (bytes) => (hole.isSwallowing ? undefined : to.write(bytes)));
        from.on('error', () => undefined);
        from.on('close', () => {
          hole.sockets.delete(from);
          to.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return hole;
  }

  /** Whatever address is asked for, the connection goes to the proxy. */
  connect(): Socket {
    return connect({ host: '127.0.0.1', port: (this.server.address() as AddressInfo).port });
  }

  swallow(): void {
    this.isSwallowing = true;
  }

  /** Answers again; what hangs is cut, as a restarted broker would. */
  pass(): void {
    this.isSwallowing = false;
    this.sockets.forEach((socket) => socket.destroy());
  }

  close(): void {
    this.sockets.forEach((socket) => socket.destroy());
    this.server.close();
  }
}
