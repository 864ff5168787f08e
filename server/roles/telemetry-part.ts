// What the composition needs of telemetry and analytics, whichever log is behind them.

import type { Reporter } from '../../shared/telemetry/reporter.ts';
import type { StreamHealth } from '../read-models/stream-health.ts';

export interface TelemetryPart {
  /** For the ready line and the console: `embedded`, `memory`, `kafka 4.1.1, 24 partitions`. */
  readonly description: string;
  readonly reporter: Reporter;
  /** Null where no window has spoken lately. */
  health(stream: string): StreamHealth | null;
  /** Read models that operators may ask for under /api/v1, by name. */
  readonly readModels: Readonly<Record<string, (query: URLSearchParams) => unknown>>;
  /** Appends what waits, within the time given, and stops. */
  close(withinMs: number): Promise<void>;
}
