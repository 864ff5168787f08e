// Telemetry and analytics as the composition uses them: the log, the reporter over it, the jobs that read it, and the read models
// that the API answers from.

import type { Config } from '../../shared/config/config-schema.ts';
import type { Reporter } from '../../shared/telemetry/reporter.ts';
import { CapacityMeter } from '../analytics/capacity-meter.ts';
import { startAnalytics, type Analytics } from '../analytics/start-analytics.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { StopStage, StopStep } from '../platform/stop-steps.ts';
import { USUAL_PARTITION_MBPS } from '../../shared/jobs/capacity.ts';
import { CapacityReadModel, type CapacitySetup } from '../read-models/capacity.ts';
import { DataWindowsReadModel } from '../read-models/data-windows.ts';
import { HealthReadModel } from '../read-models/health.ts';
import { HistoryReadModel } from '../read-models/history.ts';
import { startTelemetry } from '../telemetry/start-telemetry.ts';
import { analyticsSettings } from './analytics-settings.ts';

const HOUR_MS = 3_600_000;
const JOBS_MS = 2500;

export type TelemetryPart = {
  /** For the ready line and the console: `embedded`, `memory`, `kafka 4.1.1, 24 partitions`; changes when a broker answers at last. */
  readonly description: string;
  readonly reporter: Reporter;
  readonly health: HealthReadModel;
  readonly history: HistoryReadModel;
  readonly capacity: CapacityReadModel;
  readonly data: DataWindowsReadModel;
  /** Closing it leaves the server running: health turns to `unknown`. */
  readonly analytics: Analytics;
  /** The jobs; they read the log and need nothing of the media. */
  readonly stopJobs: StopStage;
  /** Afterwards: what waits is appended, then the log is closed. */
  readonly stopSteps: readonly StopStep[];
};

export type TelemetryParts = {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
};

/** Opens the log of the configuration. Rejects with one sentence when it cannot be used. */
export async function openTelemetry({ config, clock, logger, metrics }: TelemetryParts): Promise<TelemetryPart> {
  const telemetry = await startTelemetry({ config, clock, logger, metrics, awaitsBroker: true });
  const { log, reporter, node } = telemetry;
  const health = new HealthReadModel();
  const history = new HistoryReadModel({
    maxAgeMs: config.history.hours * HOUR_MS,
    maxBytes: config.limits.historyBytes,
  });
  metrics.observe('history_bytes', 'Memory that the past of streams takes.', () => history.bytes);
  const data = new DataWindowsReadModel();
  const readModels = { health, history, data };
  // With Kafka an origin leaves the jobs to processes of their own; nobody else can read an embedded log.
  const part = config.roles === 'origin' && config.telemetry.driver === 'kafka' ? 'feed' : 'all';
  const settings = analyticsSettings(config);
  const joinsLater = config.telemetry.driver === 'kafka';
  const options = { log, clock, logger, node, readModels, metrics, part, joinsLater, ...settings } as const;
  const analytics = await startAnalytics(options);
  const capacity = new CapacityReadModel(capacitySetup(config, log.partitions('ingest')));
  const meter = new CapacityMeter({ log, clock, logger, model: capacity });
  return {
    get description() {
      return log.description;
    },
    reporter,
    health,
    history,
    capacity,
    data,
    analytics,
    stopJobs: {
      name: 'the window jobs',
      withinMs: JOBS_MS,
      run: () => {
        meter.close();
        return analytics.close();
      },
    },
    stopSteps: telemetry.stopSteps,
  };
}

function capacitySetup({ telemetry }: Config, partitions: number): CapacitySetup {
  const { driver, kafka, partitionWriteMbps, partitionReadMbps } = telemetry;
  return {
    partitions,
    replication: driver === 'kafka' ? kafka.replication : 1,
    p: partitionWriteMbps ?? USUAL_PARTITION_MBPS.p,
    c: partitionReadMbps ?? USUAL_PARTITION_MBPS.c,
  };
}
