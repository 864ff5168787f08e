// Bad records on a real Apache Kafka: the same contract as on the embedded log, keys of 10 MB among them, which a broker takes where its
// operator has raised the limit of the topic.

import { afterAll, beforeAll, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import { systemClock } from '../../../server/platform/clock.ts';
import { silentLogger } from '../../../server/platform/logger.ts';
import { KafkaTelemetryLog } from '../../../server/telemetry/kafka-telemetry-log.ts';
import { expectBadRecordsToAlterNothing } from '../../support/bad-records.ts';
import { kafkaForTests, kafkaSettings } from '../../support/kafka-broker.ts';
import { describeWith } from '../../support/requirements.ts';

const PREFIX = 'bad.';
/** Of one batch: all bad records may fall into one. */
const TOPIC_LIMIT_BYTES = 64_000_000;

describeWith(['kafka'], 'bad records on Apache Kafka', () => {
  let broker: Awaited<ReturnType<typeof kafkaForTests>>;
  beforeAll(async () => {
    broker = await kafkaForTests();
  }, 300_000);
  afterAll(async () => {
    await broker.dispose();
  }, 60_000);

  async function raiseLimit(): Promise<void> {
    const kafka = new kafkajs.Kafka({ brokers: broker.bootstrap.split(','), logLevel: kafkajs.logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    try {
      const configEntries = [{ name: 'max.message.bytes', value: String(TOPIC_LIMIT_BYTES) }];
      const name = `${PREFIX}data.v1`;
      const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configEntries }];
      await admin.alterConfigs({ validateOnly: false, resources });
    } finally {
      await admin.disconnect();
    }
  }

  test('go aside with a reason and alter no window, and the partition goes on', async () => {
    const settings = kafkaSettings(broker.bootstrap, PREFIX);
    const log = await KafkaTelemetryLog.open({ clock: systemClock, logger: silentLogger, settings });
    try {
      await raiseLimit();
      await expectBadRecordsToAlterNothing(log, 10_000_000);
    } finally {
      await log.close();
    }
  }, 300_000);
});
