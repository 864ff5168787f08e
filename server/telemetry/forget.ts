// Removes what the telemetry log holds of one stream or one viewer's session, as far as each driver can, and says what stays and until
// when. Called by `tessera forget`; what is kept at all: docs/privacy.md.

import { retentionOf, TOPICS, type RetentionHours, type Topic } from '../../shared/telemetry/topics.ts';
import type { EmbeddedTelemetryLog } from './embedded-telemetry-log.ts';
import type { KafkaTelemetryLog } from './kafka-telemetry-log.ts';
import type { StoredRecord } from './telemetry-log.ts';

/** A stream's id, or the random id of one connection. */
export type ForgetTarget = { readonly kind: 'stream' | 'session'; readonly name: string };

/** Records that could not be removed. */
type Kept = {
  readonly topic: Topic;
  readonly records: number;
  /** When the topic's retention removes the newest of them, epoch ms. */
  readonly until: number | null;
};

export type ForgetReport = {
  readonly removed: Partial<Readonly<Record<Topic, number>>>;
  readonly kept: readonly Kept[];
};

const topics = Object.keys(TOPICS) as Topic[];
const READ_RECORDS = 5000;

/** Whether a record is about the target. Checkpoints (`state`) belong to partitions, never to one stream. */
function isAbout(target: ForgetTarget, topic: Topic, { key, value }: Pick<StoredRecord, 'key' | 'value'>): boolean {
  if (topic === 'state' || topic === 'directory') {
    return false;
  }
  return target.kind === 'stream' ? key === target.name : value?.includes(`"${target.name}"`) === true;
}

/** Everything about the target goes from the embedded log. */
export async function forgetEmbedded(log: EmbeddedTelemetryLog, target: ForgetTarget): Promise<ForgetReport> {
  return { removed: await log.forget((topic, record) => isAbout(target, topic, record)), kept: [] };
}

type Found = { records: number; newestMs: number; readonly ends: Map<number, number> };

async function find(log: KafkaTelemetryLog, topic: Topic, target: ForgetTarget): Promise<Found> {
  const found: Found = { records: 0, newestMs: 0, ends: new Map() };
  for (let partition = 0; partition < log.partitions(topic); partition++) {
    const at = { topic, partition };
    let { earliest: offset } = await log.bounds(at);
    for (;;) {
      const records = await log.read(at, offset, READ_RECORDS);
      for (const record of records) {
        if (record.value !== null && isAbout(target, topic, record)) {
          found.records++;
          found.newestMs = Math.max(found.newestMs, record.timestamp);
          found.ends.set(partition, record.offset + 1);
        }
      }
      const last = records.at(-1);
      if (last === undefined) {
        break;
      }
      offset = last.offset + 1;
    }
  }
  return found;
}

/**
 * Kafka cannot remove single records: compacted topics get a tombstone for the stream's key; of the others, `truncate` removes the
 * partitions' records up to the target's newest one, those of other streams included. Without it they stay until their retention.
 */
export async function forgetKafka(
  log: KafkaTelemetryLog,
  target: ForgetTarget,
  options: { readonly truncate: boolean; readonly retentionHours: RetentionHours; readonly nowMs: number },
): Promise<ForgetReport> {
  const removed: Partial<Record<Topic, number>> = {};
  const kept: Kept[] = [];
  for (const topic of topics) {
    const { records, newestMs, ends } = await find(log, topic, target);
    if (records === 0) {
      continue;
    }
    const retentionMs = retentionOf(topic, options.retentionHours);
    if (retentionMs === null && target.kind === 'stream') {
      await log.append(topic, [{ key: target.name, value: null, timestamp: options.nowMs }]);
      removed[topic] = records;
    } else if (retentionMs !== null && options.truncate) {
      await log.truncate(topic, ends);
      removed[topic] = records;
    } else {
      kept.push({ topic, records, until: retentionMs === null ? null : newestMs + retentionMs });
    }
  }
  return { removed, kept };
}
