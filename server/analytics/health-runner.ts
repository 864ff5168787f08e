// Follows windows.v1 as one group, keeps the health of every stream it owns, and appends each new report to health.v1.

import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { EndedIssue, HealthIssue } from '../read-models/health.ts';
import type {
  LogRecord,
  StoredRecord,
  Subscription,
  TelemetryLog,
  TopicPartition,
} from '../telemetry/telemetry-log.ts';
import { deadLetter } from './dead-letter.ts';
import { StreamHealth, type HealthSettings } from './health/evaluator.ts';
import type { WindowRecord } from './partition-worker.ts';

/** An issue opened or closed. */
export type Alert = {
  readonly stream: string;
  readonly change: 'opened' | 'closed';
  /** With `until` when it has closed. */
  readonly issue: HealthIssue | EndedIssue;
  readonly at: number;
};

export type HealthRunnerOptions = {
  readonly log: TelemetryLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings?: HealthSettings;
  readonly onAlert?: (alert: Alert) => void;
};

const GROUP = 'health';
/** Windows looked back at when a partition is taken over: enough to learn each stream's baseline again. */
const LOOK_BACK_RECORDS = 3000;
const COMMIT_EVERY_MS = 5000;
const MAX_STREAMS = 20_000;

export class HealthRunner {
  private readonly options: HealthRunnerOptions;
  private readonly streams = new Map<string, StreamHealth>();
  private readonly committedAt = new Map<string, number>();
  private subscription: Subscription | null = null;
  private startedAt = 0;
  /** Issues opened since the start, by type. */
  readonly opened = new Map<string, number>();

  constructor(options: HealthRunnerOptions) {
    this.options = options;
  }

  async start(): Promise<void> {
    const { log, clock } = this.options;
    this.startedAt = clock.epochMs();
    this.subscription = await log.subscribe({
      group: GROUP,
      topics: ['windows'],
      onAssigned: (partitions) =>
        Promise.all(
          partitions.map(async (at) => {
            const { earliest, end } = await log.bounds(at);
            return Math.max(earliest, end - LOOK_BACK_RECORDS);
          }),
        ),
      onRevoked: () => Promise.resolve(),
      onBatch: (at, records) => this.onBatch(at, records),
    });
  }

  async close(): Promise<void> {
    await this.subscription?.close();
    this.subscription = null;
  }

  private async onBatch(at: TopicPartition, records: readonly StoredRecord[]): Promise<void> {
    const reports = new Map<string, LogRecord>();
    const dead: LogRecord[] = [];
    for (const record of records) {
      try {
        this.take(record, reports);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        dead.push(deadLetter(at.topic, at.partition, record, `no rule can take it: ${why}`));
      }
    }
    await this.options.log.append('dlq', dead);
    await this.options.log.append('health', [...reports.values()]);
    await this.commit(at, (records.at(-1)?.offset ?? -1) + 1);
  }

  private take({ key, value }: StoredRecord, reports: Map<string, LogRecord>): void {
    const window = value === null ? null : (JSON.parse(value) as WindowRecord);
    if (window === null) {
      return;
    }
    const evaluation = this.healthOf(key).take(window);
    if (evaluation?.kind === 'ended') {
      this.streams.delete(key);
      reports.set(key, { key, value: null, timestamp: window.end });
    } else if (evaluation !== null) {
      const { report, opened, closed } = evaluation;
      // Of a batch that catches up only the newest report of a stream is worth telling.
      reports.set(key, { key, value: JSON.stringify(report), timestamp: window.end });
      this.alert(key, window.end, 'opened', opened);
      this.alert(key, window.end, 'closed', closed);
    }
  }

  private healthOf(stream: string): StreamHealth {
    const health = this.streams.get(stream) ?? new StreamHealth(stream, this.options.settings);
    this.streams.delete(stream);
    this.streams.set(stream, health);
    if (this.streams.size > MAX_STREAMS) {
      const [oldest] = this.streams.keys();
      this.streams.delete(oldest ?? '');
    }
    return health;
  }

  private alert(stream: string, at: number, change: Alert['change'], issues: readonly HealthIssue[]): void {
    for (const issue of issues) {
      if (at < this.startedAt - 10_000) {
        continue; // learned again after a restart, not new
      }
      if (change === 'opened') {
        this.opened.set(issue.type, (this.opened.get(issue.type) ?? 0) + 1);
      }
      this.options.logger.info({ stream, change, ...issue }, `health issue ${change}`);
      this.options.onAlert?.({ stream, change, issue, at });
    }
  }

  private async commit(at: TopicPartition, offset: number): Promise<void> {
    const name = `${at.topic} ${at.partition}`;
    const now = this.options.clock.monotonicMs();
    if (now - (this.committedAt.get(name) ?? -Infinity) >= COMMIT_EVERY_MS) {
      this.committedAt.set(name, now);
      await this.options.log.commit(GROUP, at, offset);
    }
  }
}
