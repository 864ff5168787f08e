// Reads a topic's partitions from any offset, outside of any group's work: kafkajs has no assign, so this joins a group of its own that
// nobody else is in, keeps every partition paused, and lets one run at a time.

import { randomBytes } from 'node:crypto';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { StoredRecord } from '../telemetry-log.ts';
import { storedRecord } from './stored-record.ts';

type Request = {
  readonly partition: number;
  readonly from: number;
  readonly enough: (records: StoredRecord[]) => boolean;
  readonly records: StoredRecord[];
  readonly done: () => void;
  readonly fail: (error: Error) => void;
};

/** A partition that has records gives them within this. */
const PATIENCE_MS = 5000;
/** A coordinator may be loading, or the consumer have crashed since the last read. */
const ATTEMPTS = 4;

export class PartitionReader {
  private readonly kafka: Kafka;
  private readonly topic: string;
  private consumer: Promise<Consumer> | null = null;
  private request: Request | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  /** Consumers given up and not yet gone. */
  private readonly leaving = new Set<Promise<void>>();
  private isClosed = false;

  constructor(kafka: Kafka, topic: string) {
    this.kafka = kafka;
    this.topic = topic;
  }

  /** Records from `from` on, at most `max`, up to `end` (exclusive). One caller after the other. */
  read(partition: number, from: number, max: number, end: number): Promise<readonly StoredRecord[]> {
    const result = this.queue.then(() => this.readWithRetry(partition, from, max, end));
    this.queue = result.catch(() => undefined);
    return result;
  }

  private async readWithRetry(
    partition: number,
    from: number,
    max: number,
    end: number,
  ): Promise<readonly StoredRecord[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.readNow(partition, from, max, end);
      } catch (error) {
        if (attempt === ATTEMPTS || this.isClosed) {
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 500 * attempt));
      }
    }
  }

  private async readNow(partition: number, from: number, max: number, end: number): Promise<readonly StoredRecord[]> {
    if (this.isClosed) {
      throw new Error(`${this.topic} is read no more: the log is closed.`);
    }
    const opening = (this.consumer ??= this.start());
    try {
      const consumer = await opening;
      const records = await this.fetch(consumer, partition, from, {
        enough: (all) => all.length >= max || (all.at(-1)?.offset ?? -1) >= end - 1,
      });
      return records.slice(0, max);
    } catch (error) {
      this.discard(opening);
      throw error;
    }
  }

  private async fetch(
    consumer: Consumer,
    partition: number,
    from: number,
    { enough }: Pick<Request, 'enough'>,
  ): Promise<StoredRecord[]> {
    const records: StoredRecord[] = [];
    await new Promise<void>((resolve, reject) => {
      const end = (then: () => void): void => {
        clearTimeout(timer);
        this.request = null;
        then();
      };
      const fail = (error: Error): void => {
        end(() => reject(error));
      };
      // Never take silence for the end: whoever restores state from here would start from nothing.
      const timer = setTimeout(() => {
        fail(new Error(`${this.topic}-${partition} gave no record from offset ${from} within ${PATIENCE_MS} ms.`));
      }, PATIENCE_MS);
      this.request = { partition, from, records, enough, fail, done: () => end(resolve) };
      consumer.seek({ topic: this.topic, partition, offset: String(from) });
      consumer.resume([{ topic: this.topic, partitions: [partition] }]);
    });
    consumer.pause([{ topic: this.topic, partitions: [partition] }]);
    return records;
  }

  /** The next read opens a new consumer. */
  private discard(opening: Promise<Consumer>): void {
    this.request = null;
    if (this.consumer === opening) {
      this.consumer = null;
    }
    const gone = opening
      .then((consumer) => consumer.disconnect())
      .catch(() => undefined)
      .finally(() => this.leaving.delete(gone));
    this.leaving.add(gone);
  }

  private start(): Promise<Consumer> {
    const opening = this.open(() => {
      if (this.consumer === opening) {
        this.consumer = null;
      }
    });
    return opening;
  }

  private async open(onCrash: () => void): Promise<Consumer> {
    const consumer = this.kafka.consumer({
      groupId: `${this.topic}-reader-${randomBytes(6).toString('hex')}`,
      maxWaitTimeInMs: 50,
      allowAutoTopicCreation: false,
      retry: { retries: 2, restartOnFailure: () => Promise.resolve(false) },
    });
    const joined = new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        reject(payload.error);
        onCrash();
      });
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        const partitions = payload.memberAssignment[this.topic] ?? [];
        consumer.pause([{ topic: this.topic, partitions }]);
        resolve();
      });
    });
    joined.catch(() => undefined);
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [this.topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => this.take(payload),
      });
      await joined;
    } catch (error) {
      await consumer.disconnect().catch(() => undefined);
      throw error;
    }
    return consumer;
  }

  private take(payload: EachBatchPayload): Promise<void> {
    const { request } = this;
    const { batch } = payload;
    if (request === null || request.partition !== batch.partition || payload.isStale()) {
      return Promise.resolve();
    }
    for (const message of batch.messages) {
      const record = storedRecord(message, batch.partition);
      if (record.offset >= request.from && record.offset > (request.records.at(-1)?.offset ?? -1)) {
        request.records.push(record);
      }
      payload.resolveOffset(message.offset);
      if (request.enough(request.records)) {
        payload.pause();
        request.done();
        break;
      }
    }
    return Promise.resolve();
  }

  /** Ends the reads under way, which reject, and closes the connections. */
  async disconnect(): Promise<void> {
    this.isClosed = true;
    this.request?.fail(new Error(`${this.topic} is read no more: the log is closed.`));
    await this.queue;
    const consumer = await this.consumer?.catch(() => null);
    await Promise.all([consumer?.disconnect(), ...this.leaving]);
  }
}
