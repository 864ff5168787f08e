// What happens at the RTMP door, into metrics, telemetry and the log: each refusal counted once (the registry counts its own).

import type { Reporter } from '../../shared/telemetry/reporter.ts';
import type { RtmpIngestEvent } from '../ingest/rtmp/rtmp-ingest.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { StreamRegistry } from '../streams/stream-registry.ts';

export function rtmpEvents(parts: {
  readonly registry: StreamRegistry;
  readonly metrics: Metrics;
  readonly reporter: Reporter;
  readonly clock: Clock;
  readonly logger: Logger;
}): (event: RtmpIngestEvent) => void {
  const { registry, metrics, reporter, clock, logger } = parts;
  const connections = metrics.counter('rtmp_connections_total', 'RTMP connections accepted.');
  const restarts = metrics.counter('rtmp_restarts_total', 'Times that the RTMP ingest process died and was replaced.');
  return (event) => {
    switch (event.kind) {
      case 'connected':
        connections.inc(event.count);
        break;
      case 'turned-away':
        registry.refused(event.code, 'rtmp', '', event.count);
        break;
      case 'dropped':
        if (event.code !== undefined) {
          registry.refused(event.code, 'rtmp', '', event.count);
        }
        break;
      case 'refused':
        if (event.stream === undefined) {
          registry.refused(event.code, 'rtmp'); // no stream: the registry was never asked
        }
        logger.info({ protocol: 'rtmp', code: event.code, stream: event.stream, reason: event.sentence }, 'refused');
        break;
      case 'published':
        logger.info({ protocol: 'rtmp', stream: event.stream, epoch: event.epoch }, 'publishing');
        break;
      case 'ended':
        if (event.code !== undefined) {
          registry.refused(event.code, 'rtmp', event.stream);
        }
        logger.info(
          { protocol: 'rtmp', stream: event.stream, how: event.how, reason: event.sentence },
          'publisher gone',
        );
        break;
      case 'fault':
        logger.error({ err: event.error }, 'a bug: the RTMP ingest could not take a message');
        break;
      case 'restarted':
        restarts.inc();
        logger.error({ reason: event.reason }, 'the RTMP ingest process died and is replaced');
        reporter.report({
          type: 'ingest-restarted',
          topic: 'session',
          stream: '',
          ts: Math.round(clock.epochMs()),
          session: '',
          protocol: 'rtmp',
          reason: event.reason.slice(0, 256),
        });
        break;
    }
  };
}
