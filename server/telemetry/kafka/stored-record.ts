// A record as kafkajs hands it out, turned into ours.

import type { KafkaMessage } from 'kafkajs';
import type { StoredRecord } from '../telemetry-log.ts';

/** Offsets fit a double: 2^53 records of one partition are centuries. */
export function storedRecord(message: KafkaMessage, partition: number): StoredRecord {
  const { key, value, timestamp, offset, headers } = message;
  const record = {
    key: key?.toString('utf8') ?? '',
    value: value?.toString('utf8') ?? null,
    timestamp: Number(timestamp),
    partition,
    offset: Number(offset),
  };
  const entries = Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)]);
  return entries.length === 0 ? record : { ...record, headers: Object.fromEntries(entries) as Record<string, string> };
}
