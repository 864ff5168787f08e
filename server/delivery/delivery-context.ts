// What every part of delivery shares.

import type { Counter } from 'prom-client';
import type { Limits } from '../../shared/config/limits.ts';
import type { Reporter } from '../../shared/telemetry/reporter.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { AacProvider } from '../streams/roles.ts';
import type { StreamRegistry } from '../streams/stream-registry.ts';

export type DeliveryCounters = {
  readonly sentUnits: Counter;
  readonly sentBytes: Counter;
  readonly drops: Counter<'reason'>;
  readonly holds: Counter;
  readonly losses: Counter;
  readonly deadViewers: Counter;
  readonly failures: Counter;
  readonly withoutAudio: Counter;
};

export type DeliveryContext = {
  readonly registry: StreamRegistry;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly reporter: Reporter;
  readonly counters: DeliveryCounters;
  /** Absent: viewers who need AAC go without the audio of streams that have none. */
  readonly aac?: AacProvider;
};

/** Declares the counters of the room. */
export function createDeliveryCounters(metrics: Metrics): DeliveryCounters {
  return {
    sentUnits: metrics.counter('sent_units_total', 'Units written to viewers.'),
    sentBytes: metrics.counter('sent_bytes_total', 'Bytes written to viewers.'),
    drops: metrics.counter('dropped_units_total', 'Units not sent to slow viewers, by reason.', ['reason']),
    holds: metrics.counter('viewer_holds_total', 'Times that video was held back from a viewer far behind.'),
    losses: metrics.counter('viewer_losses_total', 'Objects that viewers reported missing.'),
    deadViewers: metrics.counter(
      'dead_viewers_total',
      'Viewers dropped because they answered nothing and took nothing.',
    ),
    failures: metrics.counter(
      'delivery_failures_total',
      'Units and writes left out because they could not be laid out or made.',
    ),
    withoutAudio: metrics.counter(
      'viewers_without_audio_total',
      'FLV viewers who started without the audio of their stream.',
    ),
  };
}
