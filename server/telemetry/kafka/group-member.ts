// A member of a consumer group over kafkajs: hands over partitions by seek instead of committed offsets, delivers each batch once and in
// order, gives failed batches again, and starts anew when kafkajs has gone quiet (it can stall after a crash or rebalance).

import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { Topic } from '../../../shared/telemetry/topics.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { BatchContext, StoredRecord, Subscriber, TopicPartition } from '../telemetry-log.ts';
import { storedRecord } from './stored-record.ts';

export type GroupMemberOptions = {
  readonly kafka: Kafka;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The group's name on the broker. */
  readonly groupId: string;
  readonly subscriber: Subscriber;
  readonly nameOf: (topic: Topic) => string;
  /** Told when kafkajs had gone quiet and the consumer was made anew. */
  readonly onRestart?: () => void;
};

type Owned = { readonly at: TopicPartition; next: number; isOwned: boolean; busy: Promise<void> };

const SESSION_MS = 10_000;
const HEARTBEAT_MS = 2000;
/** kafkajs fetches or beats at least every few seconds while it is well. */
const QUIET_MS = 30_000;
const WATCH_MS = 5000;
const RETRY_MS = 500;
const MAX_WAIT_MS = 5000;
/** A batch in hand may take this long to notice that its partition is gone. */
const RELEASE_MS = 15_000;
const CHUNK_RECORDS = 1000;
/** At the end partitions have this long for their last checkpoint, and the group for the goodbye. */
const LAST_RELEASE_MS = 1500;
const LEAVE_MS = 500;

export class GroupMember {
  private readonly options: GroupMemberOptions;
  private readonly topics: ReadonlyMap<string, Topic>;
  private readonly owned = new Map<string, Owned>();
  private consumer: Consumer | null = null;
  /** The change of partitions under way: batches wait for it. */
  private change: Promise<void> = Promise.resolve();
  private lastActivity = 0;
  private stopWatching: () => void = () => undefined;
  private restarting: Promise<void> | null = null;
  private isClosed = false;

  constructor(options: GroupMemberOptions) {
    this.options = options;
    this.topics = new Map(options.subscriber.topics.map((topic) => [options.nameOf(topic), topic]));
  }

  async start(): Promise<void> {
    try {
      await this.open();
    } catch (error) {
      // A coordinator may still be loading or moving.
      this.options.logger.debug({ error }, 'the Kafka consumer could not be started, trying again');
      this.startRestart();
      await this.restarting;
    }
    if (this.isStopping()) {
      return;
    }
    this.stopWatching = this.options.clock.every(WATCH_MS, () => {
      this.watch();
    });
  }

  private async open(): Promise<void> {
    const { kafka, groupId, clock } = this.options;
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: SESSION_MS,
      maxWaitTimeInMs: 100,
      allowAutoTopicCreation: false,
      retry: { retries: 5, initialRetryTime: 200, maxRetryTime: 2000, restartOnFailure: () => Promise.resolve(false) },
    });
    this.consumer = consumer;
    this.lastActivity = clock.monotonicMs();
    const alive = (): void => {
      this.lastActivity = clock.monotonicMs();
    };
    consumer.on(consumer.events.FETCH, alive);
    consumer.on(consumer.events.HEARTBEAT, alive);
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      alive();
      this.onJoin(consumer, payload.memberAssignment);
    });
    const joined = new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.GROUP_JOIN, () => {
        resolve();
      });
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        reject(payload.error);
        this.onCrash(consumer, payload.error);
      });
    });
    joined.catch(() => undefined);
    await consumer.connect();
    await consumer.subscribe({ topics: [...this.topics.keys()], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 3,
      eachBatch: (payload) => this.eachBatch(consumer, payload),
    });
    await joined;
    await this.change;
  }

  /** kafkajs would start a crashed consumer again by itself, and stalls at it after a broker's restart: we make a new one. */
  private onCrash(consumer: Consumer, error: unknown): void {
    if (consumer === this.consumer && !this.isClosed) {
      this.options.logger.warn(
        { error, group: this.options.groupId },
        'the Kafka consumer has failed, starting it again',
      );
      this.startRestart();
    }
  }

  private onJoin(consumer: Consumer, assignment: Readonly<Record<string, number[]>>): void {
    const assigned = Object.entries(assignment).flatMap(([name, partitions]) => {
      const topic = this.topics.get(name);
      return topic === undefined ? [] : partitions.map((partition) => ({ topic, partition }));
    });
    this.change = this.change
      .then(() => this.handOver(consumer, assigned))
      .catch((error: unknown) => {
        this.options.logger.error({ error }, 'partitions could not be taken over, starting the consumer again');
        this.lastActivity = -Infinity;
      });
  }

  private async handOver(consumer: Consumer, assigned: readonly TopicPartition[]): Promise<void> {
    if (consumer !== this.consumer || this.isClosed) {
      return;
    }
    const { subscriber, nameOf } = this.options;
    const wanted = new Set(assigned.map((at) => this.name(at)));
    await this.release(({ at }) => !wanted.has(this.name(at)));
    const added = assigned.filter((at) => !this.owned.has(this.name(at)));
    if (added.length > 0) {
      const starts = await subscriber.onAssigned(added);
      for (const [i, at] of added.entries()) {
        // null: kafkajs goes on at the committed offset by itself.
        this.owned.set(this.name(at), { at, next: starts[i] ?? -1, isOwned: true, busy: Promise.resolve() });
      }
    }
    for (const { at, next } of this.owned.values()) {
      if (next >= 0) {
        consumer.seek({ topic: nameOf(at.topic), partition: at.partition, offset: String(next) });
      }
    }
  }

  private async release(isLost: (owned: Owned) => boolean): Promise<void> {
    const lost = [...this.owned.values()].filter(isLost);
    if (lost.length === 0) {
      return;
    }
    for (const owned of lost) {
      owned.isOwned = false;
      this.owned.delete(this.name(owned.at));
    }
    await this.within(RELEASE_MS, Promise.all(lost.map((owned) => owned.busy)));
    await this.options.subscriber.onRevoked(lost.map(({ at }) => at));
  }

  private async eachBatch(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    await this.change;
    const { batch } = payload;
    const topic = this.topics.get(batch.topic);
    const owned = topic === undefined ? undefined : this.owned.get(this.name({ topic, partition: batch.partition }));
    if (owned === undefined || consumer !== this.consumer || !payload.isRunning() || payload.isStale()) {
      return;
    }
    // After a rebalance the same records may come while those of before are still worked on: one after the other.
    const done = owned.busy.then(() => this.deliver(consumer, payload, owned));
    owned.busy = done.catch(() => undefined);
    await done;
  }

  private async deliver(consumer: Consumer, payload: EachBatchPayload, owned: Owned): Promise<void> {
    const { batch } = payload;
    const context: BatchContext = {
      // Through a rebalance that leaves the partition here, whoever works on it goes on: only its records come again.
      isStale: () => !owned.isOwned,
      // kafkajs never answers a heartbeat of a consumer that it has given up.
      heartbeat: () => this.within(HEARTBEAT_MS, payload.heartbeat()),
    };
    const records = batch.messages
      .map((message) => storedRecord(message, batch.partition))
      .filter((record) => record.offset >= owned.next);
    for (let i = 0; i < records.length; i += CHUNK_RECORDS) {
      const chunk = records.slice(i, i + CHUNK_RECORDS);
      if (!payload.isRunning() || payload.isStale() || !(await this.offer(consumer, owned, chunk, context))) {
        return;
      }
      const last = chunk.at(-1)?.offset ?? 0;
      owned.next = last + 1;
      payload.resolveOffset(String(last));
      await context.heartbeat();
    }
    if (records.length === 0) {
      payload.resolveOffset(batch.lastOffset());
    }
  }

  /** False: the batch is not done with, and kafkajs will bring it again. */
  private async offer(
    consumer: Consumer,
    owned: Owned,
    records: readonly StoredRecord[],
    context: BatchContext,
  ): Promise<boolean> {
    if (context.isStale()) {
      return false;
    }
    try {
      await this.options.subscriber.onBatch(owned.at, records, context);
      return !context.isStale();
    } catch (error) {
      const { clock, logger, nameOf } = this.options;
      logger.error({ error, ...owned.at }, 'a telemetry batch failed and is delivered again');
      await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
      if (owned.isOwned) {
        const { topic, partition } = owned.at;
        const offset = String(records.at(0)?.offset ?? owned.next);
        consumer.seek({ topic: nameOf(topic), partition, offset });
      }
      return false;
    }
  }

  private watch(): void {
    const quietMs = this.options.clock.monotonicMs() - this.lastActivity;
    if (quietMs > QUIET_MS && this.restarting === null && !this.isClosed) {
      this.options.logger.warn(
        { group: this.options.groupId, quietMs },
        'the Kafka consumer has gone quiet, starting it again',
      );
      this.startRestart();
    }
  }

  private startRestart(): void {
    this.restarting ??= this.restart().finally(() => {
      this.restarting = null;
    });
  }

  private async restart(): Promise<void> {
    const { clock, logger, onRestart } = this.options;
    const discarding = this.discard();
    onRestart?.();
    await this.release(() => true);
    await discarding;
    for (let waitMs = RETRY_MS; !this.isStopping(); waitMs = Math.min(MAX_WAIT_MS, waitMs * 2)) {
      try {
        await this.open();
        return;
      } catch (error) {
        logger.debug({ error }, 'the Kafka consumer could not be started, trying again');
        await this.discard();
        await new Promise<void>((resolve) => clock.after(waitMs, resolve));
      }
    }
  }

  private async discard(): Promise<void> {
    const old = this.consumer;
    this.consumer = null;
    await this.within(RELEASE_MS, old?.disconnect() ?? Promise.resolve());
  }

  private isStopping(): boolean {
    return this.isClosed;
  }

  /** For people who look at lag on the broker. */
  async commit({ topic, partition }: TopicPartition, offset: number): Promise<void> {
    try {
      await this.consumer?.commitOffsets([{ topic: this.options.nameOf(topic), partition, offset: String(offset) }]);
    } catch (error) {
      this.options.logger.debug({ error, topic, partition }, 'the offset could not be shown on the broker');
    }
  }

  /** Hands back what is ours and leaves the group; gives up on a broker that does not answer. */
  async close(): Promise<void> {
    if (this.isClosed) {
      return;
    }
    this.isClosed = true;
    this.stopWatching();
    await this.within(
      LAST_RELEASE_MS,
      this.change.then(() => this.release(() => true)),
    );
    await this.within(LEAVE_MS, this.consumer?.disconnect() ?? Promise.resolve());
  }

  /** Waits for something, but not for ever; what becomes of it afterwards is nobody's concern. */
  private async within(ms: number, work: Promise<unknown>): Promise<void> {
    let cancel = (): void => undefined;
    const timeout = new Promise<void>((resolve) => {
      cancel = this.options.clock.after(ms, resolve);
    });
    await Promise.race([work.catch(() => undefined), timeout]);
    cancel();
  }

  private name({ topic, partition }: TopicPartition): string {
    return `${topic} ${partition}`;
  }
}
