// The one producer: sends one request at a time, with everything that came meanwhile in the next. kafkajs has no linger, and with one
// request in flight nothing can overtake. Resolves when all in-sync replicas have the records.

import kafkajs, { type Kafka, type Message, type Producer } from 'kafkajs';

export type TopicMessages = { readonly topic: string; readonly messages: readonly Message[]; readonly bytes: number };

type Waiting = TopicMessages & { readonly resolve: () => void; readonly reject: (error: unknown) => void };

const MAX_BATCH_BYTES = 1024 * 1024;
/** Bytes that may wait: beyond that senders are refused, and keep or drop by their own policy. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** One send with its retries takes at most about 12 s with our settings. */
const SEND_MS = 20_000;

export class BatchingProducer {
  private readonly kafka: Kafka;
  private producer: Producer;
  private waiting: Waiting[] = [];
  private waitingBytes = 0;
  private isSending = false;
  private isConnected = false;

  constructor(kafka: Kafka) {
    this.kafka = kafka;
    this.producer = this.newProducer();
  }

  private newProducer(): Producer {
    return this.kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      maxInFlightRequests: 1,
    });
  }

  async connect(): Promise<void> {
    await this.producer.connect();
    this.isConnected = true;
  }

  /** Rejects when the records may not have arrived. */
  send(messages: TopicMessages): Promise<void> {
    if (this.waitingBytes > MAX_WAITING_BYTES) {
      return Promise.reject(new Error('Too much waits for Kafka.'));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ ...messages, resolve, reject });
      this.waitingBytes += messages.bytes;
      if (!this.isSending) {
        void this.sendAll();
      }
    });
  }

  private async sendAll(): Promise<void> {
    this.isSending = true;
    while (this.waiting.length > 0) {
      const batch = this.takeBatch();
      try {
        if (!this.isConnected) {
          await this.connect();
        }
        await this.withDeadline(this.sendBatch(batch));
        batch.forEach(({ resolve }) => {
          resolve();
        });
      } catch (error) {
        batch.forEach(({ reject }) => {
          reject(error);
        });
      }
    }
    this.isSending = false;
  }

  /** kafkajs bounds every request; should one hang all the same, the producer is thrown away. */
  private async withDeadline(sending: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const stuck = this.producer;
        this.producer = this.newProducer();
        this.isConnected = false;
        stuck.disconnect().catch(() => undefined);
        reject(new Error(`No answer from Kafka within ${SEND_MS} ms.`));
      }, SEND_MS).unref();
    });
    try {
      await Promise.race([sending, deadline]);
    } finally {
      clearTimeout(timer);
      sending.catch(() => undefined);
    }
  }

  private takeBatch(): Waiting[] {
    let bytes = 0;
    let n = 0;
    while (n < this.waiting.length && (n === 0 || bytes + (this.waiting[n]?.bytes ?? 0) <= MAX_BATCH_BYTES)) {
      bytes += this.waiting[n]?.bytes ?? 0;
      n++;
    }
    this.waitingBytes -= bytes;
    return this.waiting.splice(0, n);
  }

  private async sendBatch(batch: readonly Waiting[]): Promise<void> {
    const byTopic = new Map<string, Message[]>();
    for (const { topic, messages } of batch) {
      byTopic.set(topic, [...(byTopic.get(topic) ?? []), ...messages]);
    }
    await this.producer.sendBatch({
      acks: -1,
      compression: kafkajs.CompressionTypes.LZ4,
      topicMessages: [...byTopic].map(([topic, messages]) => ({ topic, messages })),
    });
  }

  async disconnect(): Promise<void> {
    await this.producer.disconnect();
  }
}
