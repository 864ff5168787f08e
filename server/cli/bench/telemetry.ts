// `tessera bench telemetry`: the window engine on one core, the logs, the ingest jobs, worker threads, delay. Engine: records of 64
// keys, 100 per key and second of event time, five aggregates (count, sum, min, max, percentile histogram), overlaps from 1 to 60.

import { opaque } from '../../../shared/windows/aggregates/aggregate.ts';
import { together } from '../../../shared/windows/aggregates/composite.ts';
import { countOf, maxOf, minOf, sumOf } from '../../../shared/windows/aggregates/numbers.ts';
import { percentileOf } from '../../../shared/windows/aggregates/percentiles.ts';
import { createWindowOperator } from '../../../shared/windows/window-operator.ts';
import { hopping } from '../../../shared/windows/window.ts';
import type { BenchResult, BenchRow, BenchRunner } from './bench-result.ts';
import { threadedJobs, windowDelay } from './telemetry-jobs.ts';
import { analyticsOfStreams, embeddedLog, kafkaLog } from './telemetry-log.ts';
import { twoCoresNote } from './two-cores.ts';

const KEYS = 64;
const RECORDS_PER_KEY_AND_SECOND = 100;

/** The input, made before the clock runs: key, value and time of each record, slightly out of order. */
function makeRecords(n: number): { keys: string[]; values: Float64Array; times: Float64Array } {
  const names = Array.from({ length: KEYS }, (_, i) => `stream-${i}`);
  const keys = new Array<string>(n);
  const values = new Float64Array(n);
  const times = new Float64Array(n);
  let seed = 1;
  for (let i = 0; i < n; i++) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    keys[i] = names[i % KEYS] ?? '';
    values[i] = 20 + (seed % 100_000) / 100;
    times[i] = Math.floor((i * 1000) / (KEYS * RECORDS_PER_KEY_AND_SECOND)) + (seed % 20);
  }
  return { keys, values, times };
}

function measure(records: ReturnType<typeof makeRecords>, overlap: number): { perSecond: number; windows: number } {
  let windows = 0;
  const operator = createWindowOperator<number, unknown>({
    window: hopping(overlap * 1000, 1000),
    aggregate: opaque(together({ count: countOf, sum: sumOf, min: minOf, max: maxOf, p99: percentileOf(99) })),
    grace: 100,
    onResult: () => windows++,
  });
  const { keys, values, times } = records;
  const start = process.cpuUsage();
  for (let i = 0; i < keys.length; i++) {
    operator.push(keys[i] ?? '', values[i] ?? 0, times[i] ?? 0);
  }
  operator.flush();
  const { user, system } = process.cpuUsage(start);
  return { perSecond: keys.length / ((user + system) / 1e6), windows };
}

function windowEngine(n: number, progress: (sentence: string) => void): BenchRow[] {
  const records = makeRecords(n);
  measure(records, 10); // warm up
  return [1, 10, 30, 60].map((overlap) => {
    progress(`window engine, overlap ${overlap}`);
    const runs = [0, 1, 2].map(() => measure(records, overlap)).sort((a, b) => a.perSecond - b.perSecond);
    return {
      what: `windows, ${KEYS} keys, ${overlap} s / 1 s hopping, 5 aggregates`,
      'records/s of CPU': runs[1]?.perSecond ?? 0,
      windows: runs[1]?.windows ?? 0,
    };
  });
}

/** Brokers of the configuration's own environment variable; `scripts/local-kafka start` prints such an address. */
function brokers(): readonly string[] {
  return (process.env['TESSERA_TELEMETRY_KAFKA_BROKERS'] ?? '').split(',').filter((broker) => broker !== '');
}

const met = (is: boolean): string => (is ? 'met' : 'missed');

/** The benchmark's entry. */
export const benchTelemetry: BenchRunner = async ({ isLong, progress }): Promise<BenchResult> => {
  const engine = windowEngine(isLong ? 4_000_000 : 1_000_000, progress);
  progress('embedded log');
  const embedded = await embeddedLog(isLong ? 200_000 : 50_000);
  const addresses = brokers();
  const kafka = addresses.length === 0 ? [] : await kafkaLog(addresses, isLong ? 200_000 : 50_000);
  progress('ingest jobs');
  const jobs = analyticsOfStreams(200, isLong ? 60 : 20);
  progress('worker threads');
  const { rows: threads, ratio } = await threadedJobs(64, isLong ? 240 : 120);
  progress('delay');
  const delay = await windowDelay(50, isLong ? 40 : 15);
  const rate = (overlap: number): number =>
    Number(engine.find(({ what }) => String(what).includes(` ${overlap} s /`))?.['records/s of CPU']);
  const flat = rate(60) / rate(1);
  return {
    name: 'telemetry',
    rows: [...engine, ...embedded, ...kafka, jobs, ...threads, delay],
    notes: [
      `target: >= 1 M records/s at 10 s / 1 s: ${met(rate(10) >= 1e6)}; rates of the engine are per second of one core's CPU time`,
      `target: flat from overlap 1 to 60: ${flat.toFixed(2)} of the rate`,
      `target: two worker threads >= 1.6x of one with the same bytes: ${ratio.toFixed(2)}x, ${met(ratio >= 1.6)}`,
      await twoCoresNote(),
      `target: result p99 <= 1 s after the close of the window (its end + 1 s): ${met(Number(delay['p99 ms']) <= 2000)}`,
      ...(addresses.length === 0
        ? [
            'Kafka was not measured: set TESSERA_TELEMETRY_KAFKA_BROKERS, for example to what scripts/local-kafka start prints',
          ]
        : []),
    ],
  };
};
