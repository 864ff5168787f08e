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
  /** Appends what waits (at most 5 s) and closes the log. */
  close(): Promise<void>;
};

const CLOSE_MS = 5000;

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
  const { driver, embedded } = config.telemetry;
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
          clock,
          logger,
          onTrimmed: (topic, records) => trimmed?.inc({ topic }, records),
        }),
      );
    case 'kafka':
      return Promise.reject(new Error('telemetry.driver kafka is not available in this build; use embedded.'));
  }
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
  const reporter = new LogReporter({ log, clock, logger, node });
  if (metrics !== undefined) {
    declareMetrics(metrics, reporter);
  }
  return {
    reporter,
    log,
    node,
    close: async () => {
      await reporter.close(CLOSE_MS);
      await log.close();
    },
  };
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
