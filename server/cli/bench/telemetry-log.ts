// The log's half of `tessera bench telemetry`: append and read rates of the embedded log, and what 1000 streams cost the analytics jobs.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENVELOPE_VERSION, encodeEvent } from '../../../shared/telemetry/event-codec.ts';
import { PartitionWorker } from '../../analytics/partition-worker.ts';
import { systemClock } from '../../platform/clock.ts';
import { silentLogger } from '../../platform/logger.ts';
import { EmbeddedTelemetryLog } from '../../telemetry/embedded-telemetry-log.ts';
import type { LogRecord, StoredRecord } from '../../telemetry/telemetry-log.ts';
import type { BenchRow } from './bench-result.ts';

const BATCH = 500;

/** One record of eight frames, 250 ms of a stream at 30 fps, as the reporter writes it. */
function frames(stream: string, seq: number, ts: number): LogRecord {
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

/** Appends and reads back; rates are of wall time, since the disk is part of it. */
export async function embeddedLog(n: number): Promise<BenchRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'tessera-bench-'));
  const log = new EmbeddedTelemetryLog({ directory, maxBytes: 2 ** 31, clock: systemClock, logger: silentLogger });
  try {
    const records = Array.from({ length: n }, (_, i) => frames(`s${i % 64}`, Math.floor(i / 64), i * 4));
    const start = performance.now();
    for (let i = 0; i < n; i += BATCH) {
      await log.append('ingest', records.slice(i, i + BATCH));
    }
    const appended = performance.now();
    let read = 0;
    for (let partition = 0; partition < log.partitions(); partition++) {
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
    const done = performance.now();
    const bytes = records[0]?.value?.length ?? 0;
    return [
      { what: `embedded log, append of ${bytes} byte records`, 'records/s': (n * 1000) / (appended - start) },
      { what: 'embedded log, read', 'records/s': (read * 1000) / (done - appended) },
    ];
  } finally {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  }
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
