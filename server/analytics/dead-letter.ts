// Records of dlq.v1: what could not be taken, why, and where it lies.

import type { Topic } from '../../shared/telemetry/topics.ts';
import type { LogRecord, StoredRecord } from '../telemetry/telemetry-log.ts';

/** Characters of a bad record that go to the dead-letter topic. */
const MAX_DEAD_LETTER = 4096;
const MAX_KEY = 256;

/** `reason` is one sentence or its beginning, such as `not JSON`. */
export function deadLetter(topic: Topic, partition: number, record: StoredRecord, reason: string): LogRecord {
  const { offset, key, timestamp } = record;
  const value = (record.value ?? '').slice(0, MAX_DEAD_LETTER);
  return {
    key: key.slice(0, MAX_KEY),
    value: JSON.stringify({ v: 1, reason: reason.slice(0, MAX_DEAD_LETTER), topic, partition, offset, value }),
    timestamp,
    headers: {
      ce_type: 'tessera.dlq',
      ce_source: '/tessera/analytics',
      ce_id: `${topic}/${partition}/${offset}`,
    },
  };
}
