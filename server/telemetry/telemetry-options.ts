// What telemetry is opened with.

import type { Config } from '../../shared/config/config-schema.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';

export type TelemetryOptions = {
  readonly config: Pick<Config, 'dataDir' | 'telemetry' | 'limits'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** A broker that does not answer at the start is awaited, with the events in the spool; otherwise it is an error. */
  readonly awaitsBroker?: boolean;
};
