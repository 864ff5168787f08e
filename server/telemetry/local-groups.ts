// Consumer groups within one process, for the logs that live in it: members share the partitions evenly, a join or leave moves them,
// every partition is delivered by one loop that waits for its batch.

import type { Topic } from '../../shared/telemetry/topics.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { StoredRecord, Subscriber, Subscription, TelemetryLog, TopicPartition } from './telemetry-log.ts';

/** What the groups need of the log around them. */
export type GroupSource = Pick<TelemetryLog, 'partitions' | 'read' | 'committed'>;

type Delivery = {
  readonly at: TopicPartition;
  offset: number;
  isOwned: boolean;
  isRunning: boolean;
  /** Something was appended since the loop last read. */
  hasMore: boolean;
  done: Promise<void>;
};
type Member = { readonly subscriber: Subscriber; deliveries: Delivery[]; isClosed: boolean };
type Group = { readonly members: Member[]; change: Promise<void> };

/** Records per batch. */
const BATCH_RECORDS = 500;
/** Pause after a subscriber failed on a batch, which is then delivered again. */
const RETRY_MS = 500;

export class LocalGroups {
  private readonly source: GroupSource;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly groups = new Map<string, Group>();

  constructor(source: GroupSource, clock: Clock, logger: Logger) {
    this.source = source;
    this.clock = clock;
    this.logger = logger;
  }

  async join(subscriber: Subscriber): Promise<Subscription> {
    const group = this.groups.get(subscriber.group) ?? { members: [], change: Promise.resolve() };
    this.groups.set(subscriber.group, group);
    const member: Member = { subscriber, deliveries: [], isClosed: false };
    group.members.push(member);
    await this.rebalance(group);
    return {
      close: async () => {
        if (!member.isClosed) {
          member.isClosed = true;
          group.members.splice(group.members.indexOf(member), 1);
          await this.release(member, () => false);
          await this.rebalance(group);
        }
      },
    };
  }

  members(group: string): number {
    return this.groups.get(group)?.members.length ?? 0;
  }

  /** Something was appended to the topic. */
  wake(topic: Topic): void {
    for (const group of this.groups.values()) {
      for (const member of group.members) {
        member.deliveries.filter(({ at }) => at.topic === topic).forEach((delivery) => this.start(member, delivery));
      }
    }
  }

  async close(): Promise<void> {
    for (const group of this.groups.values()) {
      for (const member of group.members.splice(0)) {
        member.isClosed = true;
        await this.release(member, () => false);
      }
    }
  }

  private rebalance(group: Group): Promise<void> {
    group.change = group.change.then(() => this.share(group));
    return group.change;
  }

  private async share(group: Group): Promise<void> {
    const members = [...group.members];
    const topics = [...new Set(members.flatMap((member) => member.subscriber.topics))];
    const wanted = new Map<Member, TopicPartition[]>(members.map((member) => [member, []]));
    for (const topic of topics) {
      const takers = members.filter((member) => member.subscriber.topics.includes(topic));
      for (let partition = 0; partition < this.source.partitions(topic); partition++) {
        const taker = takers[partition % takers.length];
        wanted.get(taker as Member)?.push({ topic, partition });
      }
    }
    const isWanted = (member: Member, at: TopicPartition): boolean =>
      wanted.get(member)?.some(({ topic, partition }) => topic === at.topic && partition === at.partition) === true;
    for (const member of members) {
      await this.release(member, (at) => isWanted(member, at));
    }
    for (const member of members) {
      await this.assign(member, wanted.get(member) ?? []);
    }
  }

  private async release(member: Member, keeps: (at: TopicPartition) => boolean): Promise<void> {
    const lost = member.deliveries.filter(({ at }) => !keeps(at));
    if (lost.length === 0) {
      return;
    }
    lost.forEach((delivery) => (delivery.isOwned = false));
    member.deliveries = member.deliveries.filter(({ at }) => keeps(at));
    await Promise.all(lost.map(({ done }) => done));
    await member.subscriber.onRevoked(lost.map(({ at }) => at));
  }

  private async assign(member: Member, wanted: readonly TopicPartition[]): Promise<void> {
    const added = wanted.filter(
      ({ topic, partition }) => !member.deliveries.some(({ at }) => at.topic === topic && at.partition === partition),
    );
    if (added.length === 0 || member.isClosed) {
      return;
    }
    const starts = await member.subscriber.onAssigned(added);
    for (const [i, at] of added.entries()) {
      const offset = starts[i] ?? (await this.source.committed(member.subscriber.group, at)) ?? 0;
      const done = Promise.resolve();
      const delivery: Delivery = { at, offset, isOwned: true, isRunning: false, hasMore: true, done };
      member.deliveries.push(delivery);
      this.start(member, delivery);
    }
  }

  private start(member: Member, delivery: Delivery): void {
    delivery.hasMore = true;
    if (!delivery.isRunning && delivery.isOwned) {
      delivery.isRunning = true;
      delivery.done = this.deliver(member, delivery);
    }
  }

  private async deliver(member: Member, delivery: Delivery): Promise<void> {
    while (delivery.isOwned && delivery.hasMore) {
      delivery.hasMore = false;
      const records = await this.source.read(delivery.at, delivery.offset, BATCH_RECORDS);
      const last = records.at(-1);
      if (last !== undefined) {
        delivery.hasMore = true;
        if (await this.offer(member, delivery, records)) {
          delivery.offset = last.offset + 1;
        }
      }
    }
    delivery.isRunning = false;
  }

  private async offer(member: Member, delivery: Delivery, records: readonly StoredRecord[]): Promise<boolean> {
    try {
      await member.subscriber.onBatch(delivery.at, records, {
        isStale: () => !delivery.isOwned,
        heartbeat: () => Promise.resolve(),
      });
      return true;
    } catch (error) {
      this.logger.error({ error, ...delivery.at }, 'a telemetry batch failed and is delivered again');
      await new Promise<void>((resolve) => this.clock.after(RETRY_MS, resolve));
      return false;
    }
  }
}
