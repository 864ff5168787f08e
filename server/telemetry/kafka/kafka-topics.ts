// Makes the topics with the settings that they need, and checks those that are there: a wrong one refuses to start with a sentence.

import kafkajs, { type Admin } from 'kafkajs';
import { retentionOf, TOPICS, topicName, type RetentionHours, type Topic } from '../../../shared/telemetry/topics.ts';
import type { KafkaSettings } from './kafka-client.ts';

/** Partitions of topics that need fewer than the events do. */
const FEWER: Partial<Record<Topic, number>> = { state: 6, directory: 1, late: 4, dlq: 4 };
/** Manifests and chunks are up to 200 000 characters, batches of them up to this. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** New topics are served within this. */
const SERVED_MS = 30_000;

/** How many partitions a topic has with these settings. */
export function partitionsOf(topic: Topic, settings: KafkaSettings): number {
  return Math.min(FEWER[topic] ?? Infinity, settings.partitions);
}

function configOf(
  topic: Topic,
  settings: KafkaSettings,
  retentionHours: RetentionHours,
): { name: string; value: string }[] {
  const retentionMs = retentionOf(topic, retentionHours);
  const shared = [
    { name: 'compression.type', value: 'producer' },
    { name: 'max.message.bytes', value: String(MAX_MESSAGE_BYTES) },
    { name: 'min.insync.replicas', value: settings.replication >= 3 ? '2' : '1' },
  ];
  return retentionMs === null
    ? [...shared, { name: 'cleanup.policy', value: 'compact' }, { name: 'delete.retention.ms', value: '86400000' }]
    : [
        ...shared,
        { name: 'cleanup.policy', value: 'delete' },
        { name: 'retention.ms', value: String(Math.round(retentionMs)) },
      ];
}

/** Creates what is missing and checks the rest. */
export async function prepareTopics(
  admin: Admin,
  settings: KafkaSettings,
  retentionHours: RetentionHours = {},
): Promise<void> {
  const names = (Object.keys(TOPICS) as Topic[]).map((topic) => ({
    topic,
    name: topicName(topic, settings.topicPrefix),
  }));
  const existing = new Set(await admin.listTopics());
  const missing = names.filter(({ name }) => !existing.has(name));
  await create(admin, missing, settings, retentionHours);
  await untilServed(
    admin,
    missing.map(({ name }) => name),
  );
  await check(
    admin,
    names.filter(({ name }) => existing.has(name)),
    settings,
    retentionHours,
  );
}

async function create(
  admin: Admin,
  topics: readonly { topic: Topic; name: string }[],
  settings: KafkaSettings,
  retentionHours: RetentionHours,
): Promise<void> {
  if (topics.length === 0) {
    return;
  }
  try {
    await admin.createTopics({
      waitForLeaders: false, // a fresh topic may not be known to every broker yet; see untilServed
      timeout: 30_000,
      topics: topics.map(({ topic, name }) => ({
        topic: name,
        numPartitions: partitionsOf(topic, settings),
        replicationFactor: settings.replication,
        configEntries: configOf(topic, settings, retentionHours),
      })),
    });
  } catch (error) {
    // Another process may have made them at the same moment.
    const existing = new Set(await admin.listTopics());
    if (topics.some(({ name }) => !existing.has(name))) {
      throw error;
    }
  }
}

/** A broker knows a new topic before it leads its partitions: waits until each can be read. */
async function untilServed(admin: Admin, names: readonly string[]): Promise<void> {
  const deadline = performance.now() + SERVED_MS;
  for (const name of names) {
    for (;;) {
      try {
        await admin.fetchTopicOffsets(name);
        break;
      } catch (error) {
        if (performance.now() > deadline) {
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}

type TopicFacts = {
  readonly partitions: number;
  readonly copies: number;
  readonly config: ReadonlyMap<string, string>;
};

/** What is wrong with a topic that is there, as a sentence; null when it will do. */
function problemOf(
  topic: Topic,
  name: string,
  { partitions, copies, config }: TopicFacts,
  { settings, retentionHours }: { readonly settings: KafkaSettings; readonly retentionHours: RetentionHours },
): string | null {
  const wanted = partitionsOf(topic, settings);
  if (partitions !== wanted) {
    return `Topic ${name} has ${partitions} partitions and ${wanted} are wanted: set telemetry.kafka.partitions to fit, or use another telemetry.kafka.topicPrefix.`;
  }
  const policy = config.get('cleanup.policy') ?? '';
  if (policy !== TOPICS[topic].kind) {
    return `Topic ${name} has cleanup.policy ${policy || 'unknown'}, but must have ${TOPICS[topic].kind}.`;
  }
  if (copies < settings.replication) {
    return `Topic ${name} has ${copies} copies and ${settings.replication} are wanted: reassign its partitions, or set telemetry.kafka.replication to fit.`;
  }
  const retentionMs = retentionOf(topic, retentionHours);
  const keptMs = Number(config.get('retention.ms'));
  if (retentionMs !== null && (keptMs < 0 || keptMs > retentionMs)) {
    const kept = keptMs < 0 ? 'for ever' : `for ${keptMs / 3_600_000} hours`;
    return `Topic ${name} keeps its records ${kept} and telemetry.retentionHours.${topic} is ${retentionMs / 3_600_000}: set its retention.ms to ${retentionMs}, or the key to fit.`;
  }
  return null;
}

async function check(
  admin: Admin,
  topics: readonly { topic: Topic; name: string }[],
  settings: KafkaSettings,
  retentionHours: RetentionHours,
): Promise<void> {
  if (topics.length === 0) {
    return;
  }
  const { topics: found } = await admin.fetchTopicMetadata({ topics: topics.map(({ name }) => name) });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name }) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: ['cleanup.policy', 'retention.ms'],
    })),
  });
  for (const { topic, name } of topics) {
    const partitions = found.find((each) => each.name === name)?.partitions ?? [];
    const entries = resources.find((each) => each.resourceName === name)?.configEntries ?? [];
    const facts = {
      partitions: partitions.length,
      copies: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      config: new Map(entries.map(({ configName, configValue }) => [configName, configValue])),
    };
    const problem = problemOf(topic, name, facts, { settings, retentionHours });
    if (problem !== null) {
      throw new Error(problem);
    }
  }
}
