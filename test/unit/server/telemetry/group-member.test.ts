// A group member over a stand-in for kafkajs that rebalances in the middle of a batch.

import { expect, test } from '@jest/globals';
import type { EachBatchPayload, Kafka } from 'kafkajs';
import { silentLogger } from '../../../../server/platform/logger.ts';
import { GroupMember } from '../../../../server/telemetry/kafka/group-member.ts';
import type { BatchContext } from '../../../../server/telemetry/telemetry-log.ts';
import { eventually } from '../../../support/eventually.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

type Assignment = Record<string, number[]>;
type Run = { readonly eachBatch: (payload: EachBatchPayload) => Promise<void> };

/** One consumer as kafkajs has it: told who owns what, and fed with batches, by the test. */
class StandInConsumer {
  readonly events = { FETCH: 'fetch', HEARTBEAT: 'heartbeat', GROUP_JOIN: 'join', CRASH: 'crash' };
  readonly seeks: string[] = [];
  private readonly listeners: [event: string, listener: (event: { payload: object }) => void][] = [];
  private eachBatch: Run['eachBatch'] = () => Promise.resolve();
  private generation = 0;

  on(event: string, listener: (event: { payload: object }) => void): void {
    this.listeners.push([event, listener]);
  }

  connect = (): Promise<void> => Promise.resolve();
  subscribe = (): Promise<void> => Promise.resolve();
  disconnect = (): Promise<void> => Promise.resolve();

  run({ eachBatch }: Run): Promise<void> {
    this.eachBatch = eachBatch;
    this.join({ 'ingest.v1': [0] });
    return Promise.resolve();
  }

  seek({ offset }: { readonly offset: string }): void {
    this.seeks.push(offset);
  }

  /** A rebalance: batches that were fetched before it are stale. */
  join(memberAssignment: Assignment): void {
    this.generation++;
    for (const [event, listener] of this.listeners) {
      if (event === this.events.GROUP_JOIN) {
        listener({ payload: { memberAssignment } });
      }
    }
  }

  /** Hands over the records of these offsets. */
  give(...offsets: number[]): Promise<void> {
    const { generation } = this;
    const messages = offsets.map((offset) => ({
      key: Buffer.from('stream'),
      value: Buffer.from('{}'),
      timestamp: '0',
      offset: String(offset),
      attributes: 0,
      headers: {},
    }));
    const payload = {
      batch: { topic: 'ingest.v1', partition: 0, messages, lastOffset: () => String(offsets.at(-1)) },
      isRunning: () => true,
      isStale: () => this.generation !== generation,
      resolveOffset: () => undefined,
      heartbeat: () => Promise.resolve(),
    };
    return this.eachBatch(payload as unknown as EachBatchPayload);
  }
}

/** A member whose first batch stays in hand until `finish` is called. */
async function memberAtWork() {
  const consumer = new StandInConsumer();
  const told: string[] = [];
  let context: BatchContext | null = null;
  let finish = (): void => undefined;
  const inHand = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const member = new GroupMember({
    kafka: { consumer: () => consumer } as unknown as Kafka,
    clock: new FakeClock(),
    logger: silentLogger,
    groupId: 'group',
    nameOf: (topic) => `${topic}.v1`,
    subscriber: {
      group: 'group',
      topics: ['ingest'],
      onAssigned: (partitions) => {
        told.push(`assigned ${partitions.length}`);
        return Promise.resolve(partitions.map(() => 0));
      },
      onRevoked: (partitions) => {
        told.push(`revoked ${partitions.length}`);
        return Promise.resolve();
      },
      onBatch: async (_at, records, given) => {
        told.push(`begins ${records.map(({ offset }) => offset).join()}`);
        if (context === null) {
          context = given;
          await inHand;
        }
        told.push(`ends ${records.map(({ offset }) => offset).join()}`);
      },
    },
  });
  await member.start();
  const first = consumer.give(0, 1);
  await eventually('the first batch in hand', () => Promise.resolve(context !== null), 10_000);
  return { consumer, member, told, first, finish, isStale: () => context!.isStale() };
}

test('through a rebalance that leaves the partition here the batch in hand goes on, and none of its records comes again', async () => {
  const { consumer, member, told, first, finish, isStale } = await memberAtWork();
  consumer.join({ 'ingest.v1': [0] });
  const second = consumer.give(0, 1, 2); // fetched again from the last offset that was done with
  expect(isStale()).toBe(false);
  finish();
  await Promise.all([first, second]);
  expect(told).toEqual(['assigned 1', 'begins 0,1', 'ends 0,1', 'begins 2', 'ends 2']);
  await member.close();
});

test('a rebalance that takes the partition away waits for the batch in hand, which is told so', async () => {
  const { consumer, member, told, first, finish, isStale } = await memberAtWork();
  consumer.join({});
  await eventually('the batch to be stale', () => Promise.resolve(isStale()), 10_000);
  expect(told).toEqual(['assigned 1', 'begins 0,1']);
  finish();
  await first;
  await eventually('the partition to be given up', () => Promise.resolve(told.length === 4), 10_000);
  expect(told).toEqual(['assigned 1', 'begins 0,1', 'ends 0,1', 'revoked 1']);
  await consumer.give(2);
  expect(told).toHaveLength(4);
  await member.close();
});
