// Commits an offset for a group that has no member here: kafkajs's admin would wait for a fetch, at the end of a topic five seconds.

import type { Kafka } from 'kafkajs';

/** Joins the group, commits, leaves. Rejects when the broker refuses it. */
export async function commitFromOutside(
  kafka: Kafka,
  at: { readonly groupId: string; readonly topic: string; readonly partition: number; readonly offset: number },
): Promise<void> {
  const { groupId, topic, partition, offset } = at;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50, allowAutoTopicCreation: false });
  const joined = new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      consumer.pause([{ topic, partitions: payload.memberAssignment[topic] ?? [] }]);
      resolve();
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      reject(payload.error);
    });
  });
  joined.catch(() => undefined);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ autoCommit: false, eachBatch: () => Promise.resolve() });
    await joined;
    await consumer.commitOffsets([{ topic, partition, offset: String(offset) }]);
  } finally {
    await consumer.disconnect();
  }
}
