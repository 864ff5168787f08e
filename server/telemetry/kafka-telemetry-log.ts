// The telemetry log on Apache Kafka by kafkajs. Values and partitions are as any Java client would have them, so that kcat and other
// consumers read the topics. Without its spool (spooling-telemetry-log.ts) an append rejects while no broker answers.

import type { Socket } from 'node:net';
import type { Admin, Kafka } from 'kafkajs';
import { topicName, type RetentionHours, type Topic } from '../../shared/telemetry/topics.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { brokerVersion } from './kafka/broker-version.ts';
import { BatchingProducer } from './kafka/batching-producer.ts';
import { GroupMember } from './kafka/group-member.ts';
import { connectFailure, createKafkaClient, type KafkaSettings } from './kafka/kafka-client.ts';
import { commitFromOutside } from './kafka/outside-commit.ts';
import { partitionsOf, prepareTopics } from './kafka/kafka-topics.ts';
import { PartitionReader } from './kafka/partition-reader.ts';
import { partitionOf } from './partition.ts';
import type {
  LogRecord,
  OffsetBounds,
  StoredRecord,
  Subscriber,
  Subscription,
  TelemetryLog,
  TopicPartition,
} from './telemetry-log.ts';

export type KafkaLogOptions = {
  readonly settings: KafkaSettings;
  readonly retentionHours?: RetentionHours;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told when a consumer had to be made anew. */
  readonly onConsumerRestart?: () => void;
  /** Opens the connections instead of kafkajs: tests put a proxy in between. */
  readonly connect?: () => Socket;
};

/** The end of a partition is asked for again after this. */
const BOUNDS_MS = 200;
const DISCONNECT_MS = 500;

export class KafkaTelemetryLog implements TelemetryLog {
  private readonly options: KafkaLogOptions;
  private version: string | null = null;
  private readonly kafka: Kafka;
  private readonly admin: Admin;
  private readonly producer: BatchingProducer;
  private readonly readers = new Map<Topic, PartitionReader>();
  private readonly membersByGroup = new Map<string, GroupMember>();
  private readonly allMembers = new Set<GroupMember>();
  private readonly recentCommits = new Map<string, { at: number; offsets: Promise<Map<number, number>> }>();
  private readonly recentBounds = new Map<Topic, { at: number; bounds: Promise<Map<number, OffsetBounds>> }>();

  private constructor(options: KafkaLogOptions) {
    this.options = options;
    this.kafka = createKafkaClient(options.settings, options.logger, options.connect);
    this.admin = this.kafka.admin();
    this.producer = new BatchingProducer(this.kafka);
  }

  /** Connects, makes or checks the topics. Rejects with one sentence when that cannot be done: BrokerAwayError when no broker answers. */
  static async open(options: KafkaLogOptions): Promise<KafkaTelemetryLog> {
    const log = new KafkaTelemetryLog(options);
    try {
      await log.admin.connect();
    } catch (error) {
      throw connectFailure(error, options.settings);
    }
    try {
      await prepareTopics(log.admin, options.settings, options.retentionHours);
      await log.producer.connect();
      log.version = await brokerVersion(options.settings.brokers[0] ?? '', options.settings.ssl);
    } catch (error) {
      await log.close();
      throw error;
    }
    return log;
  }

  /** `kafka 4.1, 24 partitions`. */
  get description(): string {
    const { partitions } = this.options.settings;
    return `${this.version === null ? 'kafka' : `kafka ${this.version}`}, ${partitions} partitions`;
  }

  private nameOf(topic: Topic): string {
    return topicName(topic, this.options.settings.topicPrefix);
  }

  partitions(topic: Topic): number {
    return partitionsOf(topic, this.options.settings);
  }

  append(topic: Topic, records: readonly LogRecord[]): Promise<void> {
    if (records.length === 0) {
      return Promise.resolve();
    }
    let bytes = 0;
    const partitions = this.partitions(topic);
    // Brokers refuse times far ahead, and with them everything else in the request.
    const now = Math.floor(this.options.clock.epochMs());
    const messages = records.map(({ key, value, timestamp, headers, partitionKey }) => {
      bytes += key.length + (value?.length ?? 0) + 100;
      return {
        key,
        value,
        partition: partitionOf(partitionKey ?? key, partitions),
        timestamp: String(Math.min(now, Math.max(0, Math.floor(timestamp)))),
        headers: { ...headers },
      };
    });
    return this.producer.send({ topic: this.nameOf(topic), messages, bytes });
  }

  async bounds({ topic, partition }: TopicPartition): Promise<OffsetBounds> {
    const now = this.options.clock.monotonicMs();
    let recent = this.recentBounds.get(topic);
    if (recent === undefined || now - recent.at > BOUNDS_MS) {
      recent = { at: now, bounds: this.fetchBounds(topic) };
      this.recentBounds.set(topic, recent);
    }
    return (await recent.bounds).get(partition) ?? { earliest: 0, end: 0 };
  }

  private async fetchBounds(topic: Topic): Promise<Map<number, OffsetBounds>> {
    const offsets = await this.admin.fetchTopicOffsets(this.nameOf(topic));
    return new Map(
      offsets.map(({ partition, low, high }) => [partition, { earliest: Number(low), end: Number(high) }]),
    );
  }

  async read(at: TopicPartition, offset: number, max: number): Promise<readonly StoredRecord[]> {
    this.recentBounds.delete(at.topic);
    const { earliest, end } = await this.bounds(at);
    const from = Math.max(offset, earliest);
    if (from >= end) {
      return [];
    }
    let reader = this.readers.get(at.topic);
    if (reader === undefined) {
      reader = new PartitionReader(this.kafka, this.nameOf(at.topic));
      this.readers.set(at.topic, reader);
    }
    return reader.read(at.partition, from, max, end);
  }

  private groupId(group: string): string {
    return `${this.options.settings.topicPrefix}${group}`;
  }

  async commit(group: string, at: TopicPartition, offset: number): Promise<void> {
    this.recentCommits.delete(`${group} ${at.topic}`);
    const member = this.membersByGroup.get(group);
    if (member !== undefined) {
      await member.commit(at, offset);
      return;
    }
    const topic = this.nameOf(at.topic);
    await commitFromOutside(this.kafka, { groupId: this.groupId(group), topic, partition: at.partition, offset });
  }

  async committed(group: string, { topic, partition }: TopicPartition): Promise<number | null> {
    const now = this.options.clock.monotonicMs();
    const name = `${group} ${topic}`;
    let recent = this.recentCommits.get(name);
    if (recent === undefined || now - recent.at > BOUNDS_MS) {
      recent = { at: now, offsets: this.fetchCommits(group, topic) };
      this.recentCommits.set(name, recent);
    }
    return (await recent.offsets).get(partition) ?? null;
  }

  private async fetchCommits(group: string, topic: Topic): Promise<Map<number, number>> {
    const [found] = await this.admin.fetchOffsets({ groupId: this.groupId(group), topics: [this.nameOf(topic)] });
    const offsets = (found?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)] as const);
    return new Map(offsets.filter(([, offset]) => offset >= 0));
  }

  async members(group: string): Promise<number> {
    const { groups } = await this.admin.describeGroups([this.groupId(group)]);
    return groups[0]?.members.length ?? 0;
  }

  /** Removes the records of partitions before these offsets: everybody's, not only some. */
  async truncate(topic: Topic, before: ReadonlyMap<number, number>): Promise<void> {
    const partitions = [...before].map(([partition, offset]) => ({ partition, offset: String(offset) }));
    await this.admin.deleteTopicRecords({ topic: this.nameOf(topic), partitions });
  }

  async subscribe(subscriber: Subscriber): Promise<Subscription> {
    const { clock, logger, onConsumerRestart } = this.options;
    const member = new GroupMember({
      kafka: this.kafka,
      clock,
      logger,
      groupId: this.groupId(subscriber.group),
      subscriber,
      nameOf: (topic) => this.nameOf(topic),
      ...(onConsumerRestart === undefined ? {} : { onRestart: onConsumerRestart }),
    });
    this.membersByGroup.set(subscriber.group, member);
    this.allMembers.add(member);
    await member.start();
    return {
      close: async () => {
        await member.close();
        this.allMembers.delete(member);
        if (this.membersByGroup.get(subscriber.group) === member) {
          this.membersByGroup.delete(subscriber.group);
        }
      },
    };
  }

  /** Leaves the groups and closes every connection; gives up on a broker that does not answer. */
  async close(): Promise<void> {
    await Promise.all([...this.allMembers].map((member) => member.close()));
    const connections = [...this.readers.values(), this.producer, this.admin];
    await Promise.all(connections.map((connection) => this.disconnect(connection)));
  }

  private async disconnect(connection: { disconnect(): Promise<void> }): Promise<void> {
    const { clock, logger } = this.options;
    let cancel = (): void => undefined;
    const tooLate = new Promise<never>((_, reject) => {
      cancel = clock.after(DISCONNECT_MS, () => reject(new Error(`Not closed within ${DISCONNECT_MS} ms.`)));
    });
    try {
      await Promise.race([connection.disconnect(), tooLate]);
    } catch (error) {
      logger.debug({ error }, 'a Kafka connection could not be closed');
    } finally {
      cancel();
    }
  }
}
