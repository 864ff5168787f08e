// What every part of a stream shares: limits, clock, log, telemetry and counters. Made once per registry.

import type { Counter } from 'prom-client';
import type { Limits } from '../../shared/config/limits.ts';
import type { Reporter } from '../../shared/telemetry/reporter.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { RenditionProvider, SourceWatcher } from './roles.ts';

export type StreamCounters = {
  readonly refusals: Counter<'code' | 'protocol'>;
  readonly units: Counter<'kind'>;
  readonly bytes: Counter<'kind'>;
  readonly unitsBeforeKey: Counter;
  readonly cacheOverflows: Counter;
  readonly keyframeRequests: Counter;
  readonly takeovers: Counter;
  readonly renditionStarts: Counter;
  readonly renditionFailures: Counter;
};

export type StreamContext = {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly reporter: Reporter;
  readonly counters: StreamCounters;
  /** Absent: every stream has its source only. */
  readonly renditions?: RenditionProvider;
  /** Absent: nobody looks at pictures. */
  readonly watcher?: SourceWatcher;
};

/** Declares the counters of the room. */
export function createStreamCounters(metrics: Metrics): StreamCounters {
  return {
    refusals: metrics.counter('refusals_total', 'Peers refused or disconnected, by code and protocol.', [
      'code',
      'protocol',
    ]),
    units: metrics.counter('ingest_units_total', 'Access units and audio frames taken from publishers.', ['kind']),
    bytes: metrics.counter('ingest_bytes_total', 'Payload bytes taken from publishers.', ['kind']),
    unitsBeforeKey: metrics.counter('units_before_key_total', 'Units dropped because no key unit had come before.'),
    cacheOverflows: metrics.counter('group_cache_overflows_total', 'Groups that outgrew limits.groupCacheBytes.'),
    keyframeRequests: metrics.counter(
      'keyframe_requests_total',
      'Key frame requests passed to publishers and encoders.',
    ),
    takeovers: metrics.counter('takeovers_total', 'Publishers replaced by a new one with the same key.'),
    renditionStarts: metrics.counter('rendition_starts_total', 'Renditions started.'),
    renditionFailures: metrics.counter('rendition_failures_total', 'Renditions that failed.'),
  };
}
