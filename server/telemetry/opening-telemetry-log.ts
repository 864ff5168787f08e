// A telemetry log whose broker did not answer at the start: it is opened again and again until one does. Meanwhile appends are refused
// at once, so that the spool (spooling-telemetry-log.ts) keeps the events, and there is nothing to read. Media does not wait for it.

import type { Topic } from '../../shared/telemetry/topics.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type {
  LogRecord,
  OffsetBounds,
  StoredRecord,
  Subscriber,
  Subscription,
  TelemetryLog,
  TopicPartition,
} from './telemetry-log.ts';

export type OpeningLogOptions = {
  /** Rejects when the log cannot be opened. */
  readonly open: () => Promise<TelemetryLog>;
  /** Why the first attempt failed. */
  readonly failure: Error;
  /** Until it is open. */
  readonly description: string;
  readonly partitions: (topic: Topic) => number;
  readonly clock: Clock;
  readonly logger: Logger;
};

const MIN_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 5000;
const NEVER = new Promise<never>(() => undefined);

export class OpeningTelemetryLog implements TelemetryLog {
  private readonly options: OpeningLogOptions;
  private readonly opened: Promise<void>;
  private log: TelemetryLog | null = null;
  private isClosed = false;

  constructor(options: OpeningLogOptions) {
    this.options = options;
    this.opened = this.tryUntilOpen();
  }

  /** Never resolves when the log is closed before. */
  private async tryUntilOpen(): Promise<void> {
    const { clock, logger, open } = this.options;
    let failure: unknown = this.options.failure;
    let told = '';
    for (let backoffMs = MIN_BACKOFF_MS; ; backoffMs = Math.min(MAX_BACKOFF_MS, 2 * backoffMs)) {
      const why = failure instanceof Error ? failure.message : String(failure);
      if (why !== told) {
        told = why;
        logger.warn({ error: why }, 'the telemetry log cannot be opened yet: events go to the spool');
      }
      await new Promise<void>((resolve) => clock.after(backoffMs, resolve));
      if (this.hasBeenClosed()) {
        return await NEVER;
      }
      try {
        const log = await open();
        if (this.hasBeenClosed()) {
          await log.close();
          return await NEVER;
        }
        this.log = log;
        logger.info({ telemetry: log.description }, 'the telemetry log is open');
        return;
      } catch (error) {
        failure = error;
      }
    }
  }

  private hasBeenClosed(): boolean {
    return this.isClosed;
  }

  get description(): string {
    return this.log?.description ?? this.options.description;
  }

  partitions(topic: Topic): number {
    return this.options.partitions(topic);
  }

  ready(): Promise<void> {
    return this.opened;
  }

  private get whenOpen(): Promise<TelemetryLog> {
    return this.log === null
      ? Promise.reject(new Error('The telemetry log is not open yet.'))
      : Promise.resolve(this.log);
  }

  async append(topic: Topic, records: readonly LogRecord[]): Promise<void> {
    return (await this.whenOpen).append(topic, records);
  }

  async bounds(at: TopicPartition): Promise<OffsetBounds> {
    return (await this.whenOpen).bounds(at);
  }

  async read(at: TopicPartition, offset: number, max: number): Promise<readonly StoredRecord[]> {
    return (await this.whenOpen).read(at, offset, max);
  }

  async commit(group: string, at: TopicPartition, offset: number): Promise<void> {
    return (await this.whenOpen).commit(group, at, offset);
  }

  async committed(group: string, at: TopicPartition): Promise<number | null> {
    return (await this.whenOpen).committed(group, at);
  }

  async members(group: string): Promise<number> {
    return (await this.whenOpen).members(group);
  }

  async subscribe(subscriber: Subscriber): Promise<Subscription> {
    return (await this.whenOpen).subscribe(subscriber);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.log?.close();
  }
}
