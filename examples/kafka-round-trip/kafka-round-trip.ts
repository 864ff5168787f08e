// The survey text's Kafka program: a producer writes ten JSON records, a consumer reads and prints them, here through the product's own
// telemetry log. Run: npx tsx examples/kafka-round-trip/kafka-round-trip.ts $(scripts/local-kafka start)

import { systemClock } from '../../server/platform/clock.ts';
import { silentLogger } from '../../server/platform/logger.ts';
import { KafkaTelemetryLog } from '../../server/telemetry/kafka-telemetry-log.ts';
import type { StoredRecord } from '../../server/telemetry/telemetry-log.ts';

/** Writes ten records and reads them back through a consumer group. */
export async function roundTrip(brokers: string, topicPrefix = 'example.'): Promise<StoredRecord[]> {
  const settings = { brokers: brokers.split(','), ssl: false, topicPrefix, partitions: 2, replication: 1 };
  const log = await KafkaTelemetryLog.open({ settings, clock: systemClock, logger: silentLogger });
  const mark = `run-${Date.now()}`;
  await log.append(
    'data',
    Array.from({ length: 10 }, (_, i) => ({
      key: mark,
      value: JSON.stringify({ id: i, text: `message ${i}` }),
      timestamp: Date.now(),
    })),
  );
  const received: StoredRecord[] = [];
  await new Promise<void>((resolve, reject) => {
    log
      .subscribe({
        group: mark,
        topics: ['data'],
        onAssigned: (partitions) => Promise.resolve(partitions.map(() => 0)),
        onRevoked: () => Promise.resolve(),
        onBatch: (_at, records) => {
          received.push(...records.filter(({ key }) => key === mark));
          if (received.length >= 10) {
            resolve();
          }
          return Promise.resolve();
        },
      })
      .catch(reject);
  });
  await log.close();
  return received;
}

const brokers = process.argv.at(2);
if (brokers?.includes(':')) {
  for (const { partition, offset, value } of await roundTrip(brokers)) {
    process.stdout.write(`partition ${partition}, offset ${offset}: ${value}\n`);
  }
}
