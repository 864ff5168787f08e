// The role that every room reports to. Reporting never waits, never throws and never fails the media path.

import type { TelemetryEvent } from './events.ts';

export interface Reporter {
  /** Takes one event; the implementation adds node, boot and the gapless sequence number, and batches. */
  report(event: TelemetryEvent): void;
}
