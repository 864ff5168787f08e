// The jobs' half of `tessera bench telemetry`: what worker threads bring, and how long an event takes to become a result.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalMachineHost } from '../../analytics/machine-host.ts';
import type { MachineHost } from '../../analytics/partition-machine.ts';
import { ThreadMachineHost } from '../../analytics/threads/thread-machine-host.ts';
import { WindowRunner } from '../../analytics/window-runner.ts';
import { systemClock } from '../../platform/clock.ts';
import { silentLogger } from '../../platform/logger.ts';
import { MemoryTelemetryLog } from '../../telemetry/memory-telemetry-log.ts';
import { LogReporter } from '../../telemetry/reporter.ts';
import type { StoredRecord } from '../../telemetry/telemetry-log.ts';
import { addValue, newHistogram, quantile } from '../../../shared/windows/aggregates/histogram.ts';
import type { BenchRow } from './bench-result.ts';
import { frames } from './telemetry-log.ts';

const PARTITIONS = 8;
const BATCH = 250;
const START = 1_700_000_000_000;

/** Records of eight partitions, some streams in each. */
function recorded(streams: number, seconds: number): StoredRecord[][] {
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    const records: StoredRecord[] = [];
    for (let seq = 0; seq < seconds * 4; seq++) {
      for (let stream = partition; stream < streams; stream += PARTITIONS) {
        records.push({ ...frames(`s${stream}`, seq, START + seq * 250), partition, offset: records.length });
      }
    }
    return records;
  });
}

/** Sends every partition's records through a machine of its own; returns a hash of the results per partition. */
function feedMachines(host: MachineHost, input: readonly StoredRecord[][]): Promise<string[]> {
  return Promise.all(
    input.map(async (records, partition) => {
      const machine = host.open({ topic: 'ingest', partition });
      const hash = createHash('sha256');
      for (let i = 0; i < records.length; i += BATCH) {
        for (const { value } of (await machine.process(records.slice(i, i + BATCH))).windows) {
          hash.update(value ?? '');
        }
      }
      machine.release();
      return hash.digest('hex');
    }),
  );
}

async function play(host: MachineHost, input: readonly StoredRecord[][]): Promise<{ ms: number; hash: string }> {
  // A server runs for days: its threads have started, and their code is optimised, before the clock runs.
  await feedMachines(
    host,
    input.map((records) => records.slice(0, records.length >> 2)),
  );
  const start = performance.now();
  const outputs = await feedMachines(host, input);
  const ms = performance.now() - start;
  await host.close();
  return { ms, hash: outputs.join(' ') };
}

/** Map and reduce of the ingest jobs in the caller's thread, in one worker thread and in two; the bytes must be the same. */
export async function threadedJobs(streams: number, seconds: number): Promise<{ rows: BenchRow[]; ratio: number }> {
  const input = recorded(streams, seconds);
  const records = input.reduce((sum, { length }) => sum + length, 0);
  const threads = (n: number): MachineHost =>
    new ThreadMachineHost({ threads: n, jobPaths: [], partitionsOf: () => PARTITIONS });
  const own = await play(new LocalMachineHost([], () => PARTITIONS), input);
  const one = [await play(threads(1), input)];
  const two = [await play(threads(2), input)];
  // In turn, so that a machine that is busy for a while troubles both.
  for (let i = 0; i < 2; i++) {
    one.push(await play(threads(1), input));
    two.push(await play(threads(2), input));
  }
  const isSame = [...one, ...two].every(({ hash }) => hash === own.hash);
  const best = (runs: readonly { ms: number }[]): number => Math.min(...runs.map(({ ms }) => ms));
  const row = (what: string, ms: number): BenchRow => ({ what, 'records/s': (records * 1000) / ms });
  return {
    ratio: isSame ? best(one) / best(two) : 0,
    rows: [
      row('ingest jobs in the own thread', own.ms),
      row('ingest jobs in one worker thread', best(one)),
      row(`ingest jobs in two worker threads, ${isSame ? 'the same bytes' : 'OTHER BYTES'}`, best(two)),
    ],
  };
}

/** From the end of a window to its result in the log, live: reporter, log and jobs in this process. */
export async function windowDelay(streams: number, seconds: number): Promise<BenchRow> {
  const parts = { clock: systemClock, logger: silentLogger };
  const log = new MemoryTelemetryLog(parts);
  const reporter = new LogReporter({ ...parts, log, node: 'bench' });
  const delays = newHistogram();
  const runner = new WindowRunner({ ...parts, log, owner: 'bench', onWindow: (ms) => addValue(delays, ms) });
  await runner.start();
  let seq = 0;
  const stop = systemClock.every(250, () => {
    for (let i = 0; i < streams; i++) {
      const event = JSON.parse(frames(`s${i}`, seq, Math.floor(systemClock.epochMs()) - 250).value ?? '') as object;
      reporter.report(event as Parameters<typeof reporter.report>[0]);
    }
    seq++;
  });
  await sleep(seconds * 1000); // unlike the clock's timers it keeps the process alive
  stop();
  await reporter.close(1000);
  await runner.close();
  await log.close();
  return {
    what: `end of a window to its result, ${streams} streams (records may be 1 s out of order)`,
    'p50 ms': quantile(delays, 0.5) ?? 0,
    'p99 ms': quantile(delays, 0.99) ?? 0,
    windows: delays.n,
  };
}
