// The door of telemetry: opens the log that the configuration names and the reporter over it.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { EVENT_TOPICS } from '../../shared/telemetry/topics.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { StopStep } from '../platform/stop-steps.ts';
import { EmbeddedTelemetryLog } from './embedded-telemetry-log.ts';
import { MemoryTelemetryLog } from './memory-telemetry-log.ts';
import { LogReporter, type TelemetryReporter } from './reporter.ts';
import type { TelemetryLog } from './telemetry-log.ts';
import type { TelemetryOptions } from './telemetry-options.ts';

export type Telemetry = {
  readonly reporter: TelemetryReporter;
  readonly log: TelemetryLog;
  /** Name of this process in events, stable over restarts. */
  readonly node: string;
  /** The end of it: what waits is appended, then the log is closed. */
  readonly stopSteps: readonly StopStep[];
};

const EVENTS_MS = 2000;
const LOG_MS = 1000;
/** The reporter gives up this much before its stage does. */
const MARGIN_MS = 100;
/** An append costs the embedded log a commit to the disk, whatever is in it; a broker takes small requests gladly. */
const FLUSH_MS = { embedded: 250, memory: 250, kafka: 50 } as const;

/** The node's name: the host's and something random, made once and kept in the data folder. */
function nodeName(dataDir: string): string {
  const path = join(dataDir, 'node-name');
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const name = `${hostname()
      .replaceAll(/[^A-Za-z0-9-]/g, '-')
      .slice(0, 40)}-${randomBytes(3).toString('hex')}`;
    writeFileSync(path, `${name}\n`, { mode: 0o600 });
    return name;
  }
}

async function openLog(options: TelemetryOptions): Promise<TelemetryLog> {
  const { config, clock, logger, metrics } = options;
  const { driver, embedded, retentionHours } = config.telemetry;
  const trimmed = metrics?.counter('telemetry_trimmed_records', 'Records removed because the embedded log was full', [
    'topic',
  ]);
  switch (driver) {
    case 'memory':
      return new MemoryTelemetryLog({ clock, logger });
    case 'embedded':
      return new EmbeddedTelemetryLog({
        directory: join(config.dataDir, 'telemetry'),
        maxBytes: embedded.maxBytes,
        retentionHours,
        clock,
        logger,
        onTrimmed: (topic, records) => trimmed?.inc({ topic }, records),
      });
    case 'kafka': {
      const { openKafka } = await import('./open-kafka.ts'); // only where it is used: the client is not small
      return openKafka(options);
    }
  }
}

/** Opens log and reporter. Rejects with one sentence when the log cannot be used. */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { config, clock, logger, metrics } = options;
  const node = nodeName(config.dataDir);
  const log = await openLog(options);
  const reporter = new LogReporter({ log, clock, logger, node, flushEveryMs: FLUSH_MS[config.telemetry.driver] });
  if (metrics !== undefined) {
    declareMetrics(metrics, reporter);
  }
  return {
    reporter,
    log,
    node,
    stopSteps: [
      [
        {
          name: 'the events that wait for the log',
          withinMs: EVENTS_MS,
          run: (ms) => lastEvents({ log, reporter }, ms),
        },
      ],
      [{ name: 'the telemetry log', withinMs: LOG_MS, run: () => log.close() }],
    ],
  };
}

/** Rejects when the log has not taken all. */
async function lastEvents({ log, reporter }: Pick<Telemetry, 'log' | 'reporter'>, withinMs: number): Promise<void> {
  log.hurry?.();
  await reporter.close(withinMs - MARGIN_MS);
  const { queuedBytes } = reporter.counters();
  if (queuedBytes > 0) {
    throw new Error(`the log did not take the last ${queuedBytes} bytes of events`);
  }
}

function declareMetrics(metrics: Metrics, reporter: TelemetryReporter): void {
  metrics.observe('telemetry_events_reported', 'Events reported by this process', () => reporter.counters().reported);
  metrics.observe(
    'telemetry_events_acknowledged',
    'Events acknowledged by the log',
    () => reporter.counters().acknowledged,
  );
  metrics.observe(
    'telemetry_queue_bytes',
    'Bytes of events that wait for the log',
    () => reporter.counters().queuedBytes,
  );
  metrics.observe(
    'telemetry_append_failures',
    'Appends that failed and were tried again',
    () => reporter.counters().failedAppends,
  );
  for (const topic of EVENT_TOPICS) {
    metrics.observe(
      `telemetry_dropped_${topic}`,
      `Events of ${topic} dropped and told as gaps`,
      () => reporter.counters().dropped[topic],
    );
  }
}
