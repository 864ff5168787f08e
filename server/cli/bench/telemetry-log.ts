// The log's half of `tessera bench telemetry`: append and read rates of the embedded log, and what 1000 streams cost the analytics jobs.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENVELOPE_VERSION, encodeEvent } from '../../../shared/telemetry/event-codec.ts';
import { PartitionWorker } from '../../analytics/partition-worker.ts';
import { systemClock } from '../../platform/clock.ts';
import { silentLogger } from '../../platform/logger.ts';
import { EmbeddedTelemetryLog } from '../../telemetry/embedded-telemetry-log.ts';
import { partitionOf } from '../../telemetry/partition.ts';
import type { LogRecord, StoredRecord, Subscription, TelemetryLog } from '../../telemetry/telemetry-log.ts';
import type { BenchRow } from './bench-result.ts';

const BATCH = 500;

/** One record of eight frames, 250 ms of a stream at 30 fps, as the reporter writes it. */
export function frames(stream: string, seq: number, ts: number): LogRecord {
  const eight = <T>(of: (i: number) => T): T[] => Array.from({ length: 8 }, (_, i) => of(i));
  const value = encodeEvent({
    v: ENVELOPE_VERSION,
    node: 'bench',
    boot: 1,
    seq,
    at: ts + 250,
    type: 'frames',
    topic: 'ingest',
    stream,
    track: 'source',
    ts,
    arrivalMs: eight((i) => i * 31),
    ptsMs: eight((i) => seq * 250 + i * 31),
    bytes: eight((i) => 9000 + ((seq * 7 + i * 13) % 4000)),
    key: eight((i) => (i === 0 && seq % 8 === 0 ? 1 : 0)),
  });
  return { key: stream, value, timestamp: ts };
}

/** What one partition carries, megabytes per second: p and c of the capacity rule. */
type PartitionRates = { readonly append: number; readonly read: number };

async function readAll(log: TelemetryLog, partitions: readonly number[]): Promise<number> {
  let read = 0;
  for (const partition of partitions) {
    for (let offset = 0; ;) {
      const found = await log.read({ topic: 'ingest', partition }, offset, BATCH);
      const last = found.at(-1);
      if (last === undefined) {
        break;
      }
      read += found.length;
      offset = last.offset + 1;
    }
  }
  return read;
}

/** Follows a topic as a group does, and resolves when `n` records have come. */
async function followAll(log: TelemetryLog, n: number): Promise<void> {
  let read = 0;
  let subscription: Subscription | null = null;
  await new Promise<void>((resolve, reject) => {
    log
      .subscribe({
        group: `bench-${process.pid}-${performance.now()}`,
        topics: ['ingest'],
        onAssigned: (partitions) => Promise.resolve(partitions.map(() => 0)),
        onRevoked: () => Promise.resolve(),
        onBatch: (_, records) => {
          read += records.length;
          if (read >= n) {
            resolve();
          }
          return Promise.resolve();
        },
      })
      .then((joined) => (subscription = joined), reject);
  });
  await (subscription as Subscription | null)?.close();
}

/** Appends and reads back; rates are of wall time, since disk and broker are part of it. The log's topics are empty before. */
async function rates(
  what: string,
  log: TelemetryLog,
  n: number,
  streams: readonly string[],
): Promise<{ rows: BenchRow[]; perPartition: PartitionRates }> {
  const records = Array.from({ length: n }, (_, i) =>
    frames(streams[i % streams.length] ?? '', Math.floor(i / streams.length), i * 4),
  );
  const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0) / n;
  const start = performance.now();
  for (let i = 0; i < n; i += BATCH) {
    await log.append('ingest', records.slice(i, i + BATCH));
  }
  const appended = performance.now();
  await followAll(log, n);
  const done = performance.now();
  const [append, read] = [(n * 1000) / (appended - start), (n * 1000) / (done - appended)];
  const used = new Set(streams.map((stream) => partitionOf(stream, log.partitions('ingest')))).size;
  return {
    rows: [
      {
        what: `${what}, append of ${Math.round(bytes)} byte records`,
        'records/s': append,
        'MB/s': (append * bytes) / 1e6,
      },
      { what: `${what}, read by a group`, 'records/s': read, 'MB/s': (read * bytes) / 1e6 },
    ],
    perPartition: { append: (append * bytes) / 1e6 / used, read: (read * bytes) / 1e6 / used },
  };
}

const manyStreams = Array.from({ length: 64 }, (_, i) => `s${i}`);

function partitionRow(what: string, { append, read }: PartitionRates): BenchRow {
  return { what: `${what}, one partition: p (append) and c (read)`, 'p MB/s': append, 'c MB/s': read };
}

async function withEmbedded<R>(use: (log: EmbeddedTelemetryLog) => Promise<R>): Promise<R> {
  const directory = mkdtempSync(join(tmpdir(), 'tessera-bench-'));
  const log = new EmbeddedTelemetryLog({ directory, maxBytes: 2 ** 31, clock: systemClock, logger: silentLogger });
  try {
    return await use(log);
  } finally {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The embedded log: many streams over its partitions, then one partition alone. */
export async function embeddedLog(n: number): Promise<BenchRow[]> {
  const { rows } = await withEmbedded((log) => rates('embedded log', log, n, manyStreams));
  const alone = await withEmbedded((log) => rates('', log, n, ['s0']));
  const scan = await withEmbedded(async (log) => {
    await rates('', log, n, manyStreams);
    const start = performance.now();
    const read = await readAll(log, [0, 1, 2, 3]);
    return (read * 1000) / (performance.now() - start);
  });
  return [...rows, { what: 'embedded log, scan', 'records/s': scan }, partitionRow('embedded log', alone.perPartition)];
}

/** The same on the brokers, with topics of its own. */
export async function kafkaLog(brokers: readonly string[], n: number): Promise<BenchRow[]> {
  const { KafkaTelemetryLog } = await import('../../telemetry/kafka-telemetry-log.ts');
  const open = (prefix: string, partitions: number) =>
    KafkaTelemetryLog.open({
      clock: systemClock,
      logger: silentLogger,
      settings: { brokers: [...brokers], ssl: false, topicPrefix: prefix, partitions, replication: 1 },
    });
  const run = `bench-${Date.now()}`;
  const many = await open(`${run}-many.`, 6);
  const { rows } = await rates(many.description, many, n, manyStreams);
  await many.close();
  const one = await open(`${run}-one.`, 1);
  const { perPartition } = await rates('', one, n, ['s0']);
  await one.close();
  return [...rows, partitionRow('kafka', perPartition)];
}

/** Share of one core that the ingest jobs need for 1000 live streams at 30 fps: decoding, both windows, results as JSON. */
export function analyticsOfStreams(streams: number, seconds: number): BenchRow {
  const worker = new PartitionWorker('ingest', 0);
  const batches: StoredRecord[][] = [];
  for (let seq = 0; seq < seconds * 4; seq++) {
    batches.push(
      Array.from({ length: streams }, (_, i) => {
        const record = frames(`s${i}`, seq, 1_700_000_000_000 + seq * 250);
        return { ...record, partition: 0, offset: seq * streams + i };
      }),
    );
  }
  const start = process.cpuUsage();
  let windows = 0;
  for (const batch of batches) {
    windows += worker.process(batch).windows.length;
  }
  const { user, system } = process.cpuUsage(start);
  const share = (user + system) / 1e6 / seconds;
  return {
    what: `ingest jobs of ${streams} streams at 32 fps`,
    'cores per 1000 streams': (share * 1000) / streams,
    windows,
  };
}
