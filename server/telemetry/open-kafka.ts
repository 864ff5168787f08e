// Opens Kafka with its spool: the telemetry log of a server whose events must not depend on a broker that is there all the time.

import { join } from 'node:path';
import type { Topic } from '../../shared/telemetry/topics.ts';
import { EmbeddedTelemetryLog } from './embedded-telemetry-log.ts';
import { BrokerAwayError } from './kafka/kafka-client.ts';
import { partitionsOf } from './kafka/kafka-topics.ts';
import { KafkaTelemetryLog } from './kafka-telemetry-log.ts';
import { OpeningTelemetryLog } from './opening-telemetry-log.ts';
import { SpoolingTelemetryLog } from './spooling-telemetry-log.ts';
import type { TelemetryLog } from './telemetry-log.ts';
import type { TelemetryOptions } from './telemetry-options.ts';

/** Rejects with one sentence when the topics do not fit, or no broker answers and none is awaited. */
export async function openKafka(options: TelemetryOptions): Promise<TelemetryLog> {
  const { config, clock, logger, metrics } = options;
  const { telemetrySpoolBytes: maxBytes, telemetrySpoolMs: maxAgeMs } = config.limits;
  const directory = join(config.dataDir, 'telemetry-spool');
  const kafka = await kafkaOrItsWait(options);
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

async function kafkaOrItsWait({
  config,
  clock,
  logger,
  metrics,
  awaitsBroker = false,
}: TelemetryOptions): Promise<TelemetryLog> {
  const { kafka: settings, retentionHours } = config.telemetry;
  const restarts = metrics?.counter(
    'telemetry_consumer_restarts',
    'Kafka consumers that had gone quiet and were made anew',
  );
  const onConsumerRestart = (): void => restarts?.inc();
  const open = (): Promise<TelemetryLog> =>
    KafkaTelemetryLog.open({ settings, retentionHours, clock, logger, onConsumerRestart });
  try {
    return await open();
  } catch (failure) {
    if (!awaitsBroker || !(failure instanceof BrokerAwayError)) {
      throw failure;
    }
    return new OpeningTelemetryLog({
      open,
      failure,
      description: `kafka that does not answer yet, ${settings.partitions} partitions`,
      partitions: (topic: Topic) => partitionsOf(topic, settings),
      clock,
      logger,
    });
  }
}
