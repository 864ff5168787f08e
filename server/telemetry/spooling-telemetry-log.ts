// A telemetry log that keeps events on disk while the log below it is slow or away: what cannot be appended goes to a bounded spool and
// is replayed in order, with its own times, once the log answers. While anything is in the spool, everything goes through it.
// A full spool refuses: the reporter's queue then fills and what it drops is told in gap events. Only events are spooled; results of
// analytics wait with their consumer.

import { EVENT_TOPICS, type EventTopic, type Topic } from '../../shared/telemetry/topics.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { EmbeddedTelemetryLog } from './embedded-telemetry-log.ts';
import type {
  LogRecord,
  OffsetBounds,
  StoredRecord,
  Subscriber,
  Subscription,
  TelemetryLog,
  TopicPartition,
} from './telemetry-log.ts';

export type SpoolingLogOptions = {
  readonly log: TelemetryLog;
  /** An embedded log with one partition, used for nothing else. */
  readonly spool: EmbeddedTelemetryLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxBytes: number;
  /** Age of the oldest spooled record beyond which the spool refuses, ms. */
  readonly maxAgeMs: number;
  /** An append that takes longer goes to the spool. */
  readonly appendTimeoutMs?: number;
};

export type SpoolCounters = {
  readonly spooled: number;
  readonly replayed: number;
  readonly refused: number;
  readonly waitingBytes: number;
};

const APPEND_TIMEOUT_MS = 5000;
/** The same once the process is about to end. */
const HURRIED_MS = 500;
/** What a replay under way has at the end. */
const LAST_REPLAY_MS = 200;
const REPLAY_RECORDS = 500;
const MIN_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 5000;

const isEventTopic = (topic: Topic): topic is EventTopic => (EVENT_TOPICS as readonly string[]).includes(topic);

export class SpoolingTelemetryLog implements TelemetryLog {
  private readonly options: SpoolingLogOptions;
  /** Records in the spool by topic; while it is above 0 the topic's order goes through the spool. */
  private readonly waiting: Record<EventTopic, number> = { ingest: 0, viewer: 0, session: 0, data: 0 };
  private replaying: Promise<void> | null = null;
  private oldestAt: number | null = null;
  private spooled = 0;
  private replayed = 0;
  private refused = 0;
  private isClosed = false;
  private isSpoolClosed = false;
  private isHurried = false;
  /** Appends that wait for the log, each to be told that time is short. */
  private readonly hurries = new Set<() => void>();

  private constructor(options: SpoolingLogOptions) {
    this.options = options;
  }

  /** Opens over what an earlier process may have left in the spool, and starts to replay it. */
  static async open(options: SpoolingLogOptions): Promise<SpoolingTelemetryLog> {
    const log = new SpoolingTelemetryLog(options);
    for (const topic of EVENT_TOPICS) {
      const { earliest, end } = await options.spool.bounds({ topic, partition: 0 });
      log.waiting[topic] = end - earliest;
    }
    if (log.hasWaiting) {
      log.oldestAt = options.clock.epochMs();
      log.startReplay();
    }
    return log;
  }

  get description(): string {
    return this.options.log.description;
  }

  partitions(topic: Topic): number {
    return this.options.log.partitions(topic);
  }

  async ready(): Promise<void> {
    await this.options.log.ready?.();
  }

  private get hasWaiting(): boolean {
    return EVENT_TOPICS.some((topic) => this.waiting[topic] > 0);
  }

  async append(topic: Topic, records: readonly LogRecord[]): Promise<void> {
    if (!isEventTopic(topic) || records.length === 0) {
      return this.options.log.append(topic, records);
    }
    if (this.waiting[topic] === 0) {
      try {
        await this.withTimeout(this.options.log.append(topic, records));
        return;
      } catch (error) {
        this.options.logger.warn({ error, topic }, 'telemetry goes to the spool: the log does not take it');
      }
    }
    await this.keep(topic, records);
  }

  private async withTimeout(appending: Promise<void>): Promise<void> {
    let cancel = (): void => undefined;
    let hurry = (): void => undefined;
    const timeout = new Promise<never>((_, reject) => {
      const giveUpAfter = (ms: number): void => {
        cancel();
        cancel = this.options.clock.after(ms, () => reject(new Error(`No answer within ${ms} ms.`)));
      };
      hurry = () => {
        giveUpAfter(HURRIED_MS);
      };
      giveUpAfter(this.isHurried ? HURRIED_MS : (this.options.appendTimeoutMs ?? APPEND_TIMEOUT_MS));
    });
    appending.catch(() => undefined); // it may fail long after we stopped waiting
    this.hurries.add(hurry);
    try {
      await Promise.race([appending, timeout]);
    } finally {
      this.hurries.delete(hurry);
      cancel();
    }
  }

  hurry(): void {
    this.isHurried = true;
    this.hurries.forEach((hurry) => {
      hurry();
    });
  }

  private async keep(topic: EventTopic, records: readonly LogRecord[]): Promise<void> {
    const { spool, clock, maxBytes, maxAgeMs } = this.options;
    const age = this.oldestAt === null ? 0 : clock.epochMs() - this.oldestAt;
    if (spool.bytes > maxBytes || age > maxAgeMs) {
      this.refused += records.length;
      throw new Error('The telemetry spool is full.');
    }
    this.waiting[topic] += records.length; // before the append: what comes meanwhile must queue behind it
    try {
      await spool.append(topic, records);
    } catch (error) {
      this.waiting[topic] -= records.length;
      throw error;
    }
    this.spooled += records.length;
    this.oldestAt ??= clock.epochMs();
    this.startReplay();
  }

  private startReplay(): void {
    this.replaying ??= this.replay().finally(() => {
      this.replaying = null;
    });
  }

  private async replay(): Promise<void> {
    const { clock, logger } = this.options;
    let backoffMs = MIN_BACKOFF_MS;
    while (this.hasWaiting && !this.isStopping()) {
      try {
        for (const topic of EVENT_TOPICS) {
          await this.replayTopic(topic);
        }
        backoffMs = MIN_BACKOFF_MS;
      } catch (error) {
        logger.debug({ error }, 'the log does not take the spool yet');
        await new Promise<void>((resolve) => clock.after(backoffMs * (0.75 + Math.random() / 2), resolve));
        backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2);
      }
    }
    if (!this.hasWaiting) {
      this.oldestAt = null;
      logger.info({ replayed: this.replayed }, 'the telemetry spool is empty again');
    }
  }

  private isStopping(): boolean {
    return this.isClosed;
  }

  private async replayTopic(topic: EventTopic): Promise<void> {
    const { log, spool } = this.options;
    const at = { topic, partition: 0 };
    while (this.waiting[topic] > 0 && !this.isStopping()) {
      const { earliest } = await spool.bounds(at);
      const records = await spool.read(at, earliest, REPLAY_RECORDS);
      const last = records.at(-1);
      if (last === undefined) {
        // Counted before they are written: they are on their way.
        await new Promise<void>((resolve) => this.options.clock.after(20, resolve));
        continue;
      }
      await log.append(topic, records);
      if (this.isSpoolClosed) {
        return; // the next process sends these again, and readers drop what comes twice by its number
      }
      await spool.truncate(at, last.offset + 1);
      this.replayed += records.length;
      this.waiting[topic] -= records.length;
    }
  }

  counters(): SpoolCounters {
    const { spooled, replayed, refused } = this;
    return { spooled, replayed, refused, waitingBytes: this.options.spool.bytes };
  }

  bounds(at: TopicPartition): Promise<OffsetBounds> {
    return this.options.log.bounds(at);
  }

  read(at: TopicPartition, offset: number, max: number): Promise<readonly StoredRecord[]> {
    return this.options.log.read(at, offset, max);
  }

  commit(group: string, at: TopicPartition, offset: number): Promise<void> {
    return this.options.log.commit(group, at, offset);
  }

  committed(group: string, at: TopicPartition): Promise<number | null> {
    return this.options.log.committed(group, at);
  }

  members(group: string): Promise<number> {
    return this.options.log.members(group);
  }

  subscribe(subscriber: Subscriber): Promise<Subscription> {
    return this.options.log.subscribe(subscriber);
  }

  /** What is still in the spool stays there for the next process. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.options.log.close();
    let cancel = (): void => undefined;
    const tooLate = new Promise<void>((resolve) => {
      cancel = this.options.clock.after(LAST_REPLAY_MS, resolve);
    });
    await Promise.race([this.replaying, tooLate]);
    cancel();
    this.isSpoolClosed = true;
    await this.options.spool.close();
  }
}
