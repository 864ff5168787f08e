// Bad records on a real Kafka. A broker takes no message of 10 MB: here the largest key has 2 MB.

import { test } from '@jest/globals';
import { systemClock } from '../../../server/platform/clock.ts';
import { silentLogger } from '../../../server/platform/logger.ts';
import { KafkaTelemetryLog } from '../../../server/telemetry/kafka-telemetry-log.ts';
import { expectBadRecordsToAlterNothing } from '../../support/bad-records.ts';
import { kafkaForTests, kafkaSettings } from '../../support/kafka-broker.ts';
import { describeWith } from '../../support/requirements.ts';

describeWith(['kafka'], 'bad records on Apache Kafka', () => {
  test('go aside with a reason and alter no window', async () => {
    const broker = await kafkaForTests();
    try {
      const settings = kafkaSettings(broker.bootstrap, 'bad.', { partitions: 4 });
      const log = await KafkaTelemetryLog.open({ clock: systemClock, logger: silentLogger, settings });
      await expectBadRecordsToAlterNothing(log, 2_000_000);
      await log.close();
    } finally {
      await broker.dispose();
    }
  }, 400_000);
});
