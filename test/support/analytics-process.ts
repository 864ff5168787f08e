// Analytics in a process of its own, for tests that kill it: BROKERS PREFIX PARTITIONS NAME. Prints one JSON line a second.

import { startAnalytics } from '../../server/analytics/start-analytics.ts';
import { systemClock } from '../../server/platform/clock.ts';
import { createLogger, silentLogger } from '../../server/platform/logger.ts';
import { KafkaTelemetryLog } from '../../server/telemetry/kafka-telemetry-log.ts';
import { kafkaSettings } from './kafka-broker.ts';

async function main(): Promise<void> {
  const [brokers = '', prefix = '', partitions = '', node = ''] = process.argv.slice(2);
  const logger = process.env['DEBUG'] === undefined ? silentLogger : createLogger({ level: 'debug', json: true });
  const parts = { clock: systemClock, logger };
  const settings = kafkaSettings(brokers, prefix, { partitions: Number(partitions) });
  const log = await KafkaTelemetryLog.open({ ...parts, settings });
  const analytics = await startAnalytics({ log, ...parts, node });
  const timer = setInterval(() => process.stdout.write(`${JSON.stringify(analytics.counters())}\n`), 500);
  await new Promise<void>((resolve) => process.once('SIGTERM', () => resolve()));
  clearInterval(timer);
  await analytics.close();
  await log.close();
}

await main();
