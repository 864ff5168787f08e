// `tessera bench telemetry`: the window engine on one core, the logs, the ingest jobs, worker threads, delay. Engine: records of 64
// keys, five aggregates (count, sum, min, max, percentile histogram), overlaps from 1 to 60, at two rates: each window costs a merge
// whatever is in it, which shows where few records share it.

import { opaque } from '../../../shared/windows/aggregates/aggregate.ts';
import { together } from '../../../shared/windows/aggregates/composite.ts';
import { countOf, maxOf, minOf, sumOf } from '../../../shared/windows/aggregates/numbers.ts';
import { percentileOf } from '../../../shared/windows/aggregates/percentiles.ts';
import { createWindowOperator } from '../../../shared/windows/window-operator.ts';
import { hopping } from '../../../shared/windows/window.ts';
import { type BenchResult, type BenchRow, type BenchRunner, median } from './bench-result.ts';
import { threadedJobs, windowDelay } from './telemetry-jobs.ts';
import { analyticsOfStreams, embeddedLog, kafkaLog } from './telemetry-log.ts';
import { twoCoresNote } from './two-cores.ts';

const KEYS = 64;
/** Records per key and second of event time, and how many seconds: longer than the longest window. */
const RATES = [
  { perKeyAndSecond: 100, seconds: 150 },
  { perKeyAndSecond: 1000, seconds: 90 },
] as const;
const OVERLAPS = [1, 10, 30, 60] as const;
/** A power of two; longer inputs take the same values again. */
const PATTERN = 1 << 20;

/** The input, made before the clock runs: keys, values, and by how many ms a record comes out of order. */
function makePattern(): { keys: string[]; values: Float64Array; delays: Uint8Array } {
  const keys = Array.from({ length: KEYS }, (_, i) => `stream-${i}`);
  const values = new Float64Array(PATTERN);
  const delays = new Uint8Array(PATTERN);
  let seed = 1;
  for (let i = 0; i < PATTERN; i++) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    values[i] = 20 + (seed % 100_000) / 100;
    delays[i] = seed % 20;
  }
  return { keys, values, delays };
}

type Rate = { readonly perKeyAndSecond: number; readonly seconds: number };

function measure(
  { keys, values, delays }: ReturnType<typeof makePattern>,
  { perKeyAndSecond, seconds }: Rate,
  overlap: number,
): { perSecond: number; windows: number } {
  let windows = 0;
  const operator = createWindowOperator<number, unknown>({
    window: hopping(overlap * 1000, 1000),
    aggregate: opaque(together({ count: countOf, sum: sumOf, min: minOf, max: maxOf, p99: percentileOf(99) })),
    grace: 100,
    onResult: () => windows++,
  });
  const perMs = (KEYS * perKeyAndSecond) / 1000;
  const records = KEYS * perKeyAndSecond * seconds;
  const start = process.cpuUsage();
  for (let i = 0; i < records; i++) {
    const at = i & (PATTERN - 1);
    operator.push(keys[i & (KEYS - 1)] ?? '', values[at] ?? 0, Math.floor(i / perMs) + (delays[at] ?? 0));
  }
  operator.flush();
  const { user, system } = process.cpuUsage(start);
  return { perSecond: records / ((user + system) / 1e6), windows };
}

const thousands = (perKeyAndSecond: number): string => `${(KEYS * perKeyAndSecond) / 1000} k records per second`;

/** Rows, and by rate what overlap 60 has of the rate of overlap 1. */
function windowEngine(rounds: number, progress: (sentence: string) => void): { rows: BenchRow[]; flat: number[] } {
  const pattern = makePattern();
  measure(pattern, RATES[0], 10); // warm up
  const rows: BenchRow[] = [];
  const flat = RATES.map((rate) => {
    const rates = OVERLAPS.map((overlap) => {
      const { perKeyAndSecond } = rate;
      progress(`window engine, ${thousands(perKeyAndSecond)}, overlap ${overlap}`);
      const runs = Array.from({ length: rounds }, () => measure(pattern, rate, overlap));
      const perSecond = median(runs.map((run) => run.perSecond));
      rows.push({
        what: `windows, ${KEYS} keys, ${thousands(perKeyAndSecond)}, ${overlap} s / 1 s hopping, 5 aggregates`,
        'records/s of CPU': perSecond,
        windows: runs[0]?.windows ?? 0,
      });
      return perSecond;
    });
    return (rates.at(-1) ?? NaN) / (rates[0] ?? NaN);
  });
  return { rows, flat };
}

/** Brokers of the configuration's own environment variable; `scripts/local-kafka start` prints such an address. */
function brokers(): readonly string[] {
  return (process.env['TESSERA_TELEMETRY_KAFKA_BROKERS'] ?? '').split(',').filter((broker) => broker !== '');
}

const met = (is: boolean): string => (is ? 'met' : 'missed');

/** The benchmark's entry. */
export const benchTelemetry: BenchRunner = async ({ isLong, progress }): Promise<BenchResult> => {
  const { rows: engine, flat } = windowEngine(isLong ? 5 : 3, progress);
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
  const slowest = Math.min(...engine.map((row) => Number(row['records/s of CPU'])));
  return {
    name: 'telemetry',
    rows: [...engine, ...embedded, ...kafka, jobs, ...threads, delay],
    notes: [
      `target: >= 1 M records/s: ${(slowest / 1e6).toFixed(2)} M in the slowest row, ${met(slowest >= 1e6)}; rates of the engine are per second of one core's CPU time`,
      ...RATES.map(
        ({ perKeyAndSecond }, i) =>
          `target: flat from overlap 1 to 60: ${(flat[i] ?? NaN).toFixed(2)} of the rate at ${thousands(perKeyAndSecond)} of event time`,
      ),
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
