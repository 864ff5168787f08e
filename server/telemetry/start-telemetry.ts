// The door of telemetry: opens the log that the configuration names and the reporter over it.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../shared/config/config-schema.ts';
import { EVENT_TOPICS } from '../../shared/telemetry/topics.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { StopStep } from '../platform/stop-steps.ts';
import { EmbeddedTelemetryLog } from './embedded-telemetry-log.ts';
import { MemoryTelemetryLog } from './memory-telemetry-log.ts';
import { LogReporter, type TelemetryReporter } from './reporter.ts';
import type { TelemetryLog } from './telemetry-log.ts';

/** What of the configuration telemetry looks at. */
export type TelemetryConfig = Pick<Config, 'dataDir' | 'telemetry' | 'limits'>;

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

function openLog(config: TelemetryConfig, clock: Clock, logger: Logger, metrics?: Metrics): Promise<TelemetryLog> {
  const { driver, embedded, retentionHours } = config.telemetry;
  const trimmed = metrics?.counter('telemetry_trimmed_records', 'Records removed because the embedded log was full', [
    'topic',
  ]);
  switch (driver) {
    case 'memory':
      return Promise.resolve(new MemoryTelemetryLog({ clock, logger }));
    case 'embedded':
      return Promise.resolve(
        new EmbeddedTelemetryLog({
          directory: join(config.dataDir, 'telemetry'),
          maxBytes: embedded.maxBytes,
          retentionHours,
          clock,
          logger,
          onTrimmed: (topic, records) => trimmed?.inc({ topic }, records),
        }),
      );
    case 'kafka':
      return openKafka(config, clock, logger, metrics);
  }
}

/** Kafka with its spool. Loaded only where it is used: the client is not small. */
async function openKafka(
  config: TelemetryConfig,
  clock: Clock,
  logger: Logger,
  metrics?: Metrics,
): Promise<TelemetryLog> {
  const { KafkaTelemetryLog } = await import('./kafka-telemetry-log.ts');
  const { SpoolingTelemetryLog } = await import('./spooling-telemetry-log.ts');
  const restarts = metrics?.counter(
    'telemetry_consumer_restarts',
    'Kafka consumers that had gone quiet and were made anew',
  );
  const { telemetrySpoolBytes: maxBytes, telemetrySpoolMs: maxAgeMs } = config.limits;
  const kafka = await KafkaTelemetryLog.open({
    settings: config.telemetry.kafka,
    retentionHours: config.telemetry.retentionHours,
    clock,
    logger,
    onConsumerRestart: () => restarts?.inc(),
  });
  const directory = join(config.dataDir, 'telemetry-spool');
  // Twice the bound: the spool itself never trims, it refuses before.
  const spool = new EmbeddedTelemetryLog({ directory, maxBytes: maxBytes * 2, clock, logger, partitions: 1 });
  const log = await SpoolingTelemetryLog.open({ log: kafka, spool, clock, logger, maxBytes, maxAgeMs });
  metrics?.observe(
    'telemetry_spooled_records',
    'Events kept on disk while Kafka was away',
    () => log.counters().spooled,
  );
  metrics?.observe('telemetry_replayed_records', 'Events replayed from disk', () => log.counters().replayed);
  metrics?.observe('telemetry_spool_refused', 'Events that a full spool refused', () => log.counters().refused);
  metrics?.observe('telemetry_spool_bytes', 'Bytes in the spool', () => log.counters().waitingBytes);
  return log;
}

/** Opens log and reporter. Rejects with one sentence when the log cannot be used. */
export async function startTelemetry(
  config: TelemetryConfig,
  clock: Clock,
  logger: Logger,
  metrics?: Metrics,
): Promise<Telemetry> {
  const node = nodeName(config.dataDir);
  const log = await openLog(config, clock, logger, metrics);
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
