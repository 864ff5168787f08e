// A partition reader over a stand-in for kafkajs whose broker has gone silent.

import { expect, test } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { PartitionReader } from '../../../../server/telemetry/kafka/partition-reader.ts';
import { eventually } from '../../../support/eventually.ts';

type Listener = (event: { readonly payload: { readonly memberAssignment: Record<string, number[]> } }) => void;

/** A consumer that joins its group and is never given a record. */
class SilentConsumer {
  readonly events = { GROUP_JOIN: 'join', CRASH: 'crash' };
  isReading = false;
  disconnects = 0;
  private readonly listeners = new Map<string, Listener>();

  on(event: string, listener: Listener): void {
    this.listeners.set(event, listener);
  }

  connect = (): Promise<void> => Promise.resolve();
  subscribe = (): Promise<void> => Promise.resolve();
  seek = (): void => undefined;
  pause = (): void => undefined;

  run(): Promise<void> {
    this.listeners.get('join')?.({ payload: { memberAssignment: { topic: [0] } } });
    return Promise.resolve();
  }

  resume(): void {
    this.isReading = true;
  }

  disconnect(): Promise<void> {
    this.disconnects++;
    return Promise.resolve();
  }
}

test('closing ends the read under way and those that wait, and leaves no consumer behind', async () => {
  const consumers: SilentConsumer[] = [];
  const consumer = (): SilentConsumer => {
    consumers.push(new SilentConsumer());
    return consumers.at(-1)!;
  };
  const reader = new PartitionReader({ consumer } as unknown as Kafka, 'topic');
  const reads = [reader.read(0, 0, 10, 5), reader.read(0, 0, 10, 5)];
  const outcomes = Promise.allSettled(reads);
  await eventually('the first read to wait for records', () => consumers[0]?.isReading, 5000);
  await reader.disconnect();
  expect(await outcomes).toEqual([
    { status: 'rejected', reason: new Error('topic is read no more: the log is closed.') },
    { status: 'rejected', reason: new Error('topic is read no more: the log is closed.') },
  ]);
  expect(consumers.map(({ disconnects }) => disconnects)).toEqual([1]);
});
