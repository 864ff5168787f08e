// Runs the jobs: joins the group, restores each partition it gets from its checkpoint, feeds records to partition workers, appends
// what they close, and writes a checkpoint every few seconds. A window may be appended twice after a crash, with the same bytes.

import type { EventTopic, Topic } from '../../shared/telemetry/topics.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type {
  BatchContext,
  LogRecord,
  StoredRecord,
  Subscription,
  TelemetryLog,
  TopicPartition,
} from '../telemetry/telemetry-log.ts';
import { Checkpoints } from './checkpoints.ts';
import { JOB_TOPICS, PartitionWorker, type WorkerCounters } from './partition-worker.ts';

export type WindowRunnerOptions = {
  readonly log: TelemetryLog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Who we are, in claims. */
  readonly owner: string;
  readonly checkpointEveryMs?: number;
  /** Told of each appended window: the delay from its end to now, ms. */
  readonly onWindow?: (delayMs: number) => void;
};

export type RunnerCounters = WorkerCounters & {
  readonly partitions: number;
  readonly windows: number;
  readonly checkpoints: number;
  readonly checkpointBytes: number;
  readonly restored: number;
};

type Owned = {
  readonly at: TopicPartition;
  readonly epoch: number;
  readonly worker: PartitionWorker;
  offset: number;
  savedOffset: number;
  savedAt: number;
  turn: number;
  isTainted: boolean;
};

const RETRY_MS = 500;

/** Group of the window jobs. */
export const WINDOWS_GROUP = 'analytics';

export class WindowRunner {
  private readonly options: WindowRunnerOptions;
  private readonly checkpoints: Checkpoints;
  private readonly owned = new Map<string, Owned>();
  private readonly everyMs: number;
  private subscription: Subscription | null = null;
  private windows = 0;
  private checkpointCount = 0;
  private checkpointBytes = 0;
  private restored = 0;
  /** Counters of partitions that are no longer ours. */
  private past: WorkerCounters = { records: 0, duplicates: 0, missing: 0, late: 0, bad: 0 };

  constructor(options: WindowRunnerOptions) {
    this.options = options;
    this.checkpoints = new Checkpoints(options.log, WINDOWS_GROUP, options.owner);
    this.everyMs = options.checkpointEveryMs ?? 5000;
  }

  async start(): Promise<void> {
    this.subscription = await this.options.log.subscribe({
      group: WINDOWS_GROUP,
      topics: JOB_TOPICS,
      onAssigned: (partitions) => this.onAssigned(partitions),
      onRevoked: (partitions) => this.onRevoked(partitions),
      onBatch: (at, records, context) => this.onBatch(at, records, context),
    });
  }

  async close(): Promise<void> {
    await this.subscription?.close();
    this.subscription = null;
  }

  private async onAssigned(partitions: readonly TopicPartition[]): Promise<number[]> {
    const claims = await this.checkpoints.claim(partitions);
    return partitions.map((at, i) => {
      const { epoch = 1, checkpoint = null, brokenManifests = 0 } = claims[i] ?? {};
      if (brokenManifests > 0) {
        this.options.logger.error({ ...at, brokenManifests }, 'a checkpoint is damaged; an older one is used');
      }
      const worker = new PartitionWorker(at.topic as EventTopic, at.partition);
      if (checkpoint !== null) {
        worker.restore(checkpoint.state);
        this.restored++;
      }
      const offset = checkpoint?.offset ?? 0;
      const savedAt = this.options.clock.monotonicMs();
      this.owned.set(this.name(at), {
        at,
        epoch,
        worker,
        offset,
        savedOffset: offset,
        savedAt,
        turn: 0,
        isTainted: false,
      });
      return offset;
    });
  }

  private async onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    for (const at of partitions) {
      const owned = this.owned.get(this.name(at));
      if (owned !== undefined) {
        this.owned.delete(this.name(at));
        this.past = add(this.past, owned.worker.counters());
        await this.save(owned);
      }
    }
  }

  private async onBatch(at: TopicPartition, records: readonly StoredRecord[], context: BatchContext): Promise<void> {
    const owned = this.owned.get(this.name(at));
    if (owned === undefined || owned.isTainted || context.isStale()) {
      return;
    }
    // A batch that failed on a checkpoint comes again: what the worker has taken already is skipped.
    const fresh = records.filter(({ offset }) => offset >= owned.offset);
    const last = fresh.at(-1);
    if (last === undefined) {
      return;
    }
    const { windows, late, dlq } = owned.worker.process(fresh);
    const isAppended =
      (await this.append('dlq', dlq, context)) &&
      (await this.append('late', late, context)) &&
      (await this.append('windows', windows, context));
    if (!isAppended) {
      owned.isTainted = true; // its state is ahead of what was appended: the next owner starts from the last checkpoint
      return;
    }
    owned.offset = last.offset + 1;
    const now = this.options.clock.epochMs();
    for (const { timestamp } of windows) {
      this.windows++;
      this.options.onWindow?.(now - timestamp);
    }
    if (this.options.clock.monotonicMs() - owned.savedAt >= this.everyMs) {
      await this.save(owned);
    }
  }

  /** Appends until it succeeds or the partition is no longer ours. */
  private async append(topic: Topic, records: readonly LogRecord[], context: BatchContext): Promise<boolean> {
    for (;;) {
      if (records.length === 0) {
        return true;
      }
      if (context.isStale()) {
        return false;
      }
      try {
        await this.options.log.append(topic, records);
        return true;
      } catch (error) {
        this.options.logger.warn({ error, topic }, 'results could not be appended, trying again');
        await new Promise<void>((resolve) => this.options.clock.after(RETRY_MS, resolve));
        await context.heartbeat();
      }
    }
  }

  private async save(owned: Owned): Promise<void> {
    owned.savedAt = this.options.clock.monotonicMs();
    if (owned.offset === owned.savedOffset || owned.isTainted) {
      return;
    }
    const checkpoint = { offset: owned.offset, state: owned.worker.snapshot() };
    this.checkpointBytes = await this.checkpoints.save(owned.at, owned.epoch, owned.turn, checkpoint);
    this.checkpointCount++;
    owned.savedOffset = checkpoint.offset;
    if (owned.turn++ === 0) {
      await this.checkpoints.forgetOlder(owned.at, owned.epoch);
    }
    // For people and tools that watch lag; where we go on is in the checkpoint.
    await this.options.log.commit(WINDOWS_GROUP, owned.at, checkpoint.offset);
  }

  counters(): RunnerCounters {
    let sum = this.past;
    for (const { worker } of this.owned.values()) {
      sum = add(sum, worker.counters());
    }
    const { windows, checkpointCount: checkpoints, checkpointBytes, restored } = this;
    return { ...sum, partitions: this.owned.size, windows, checkpoints, checkpointBytes, restored };
  }

  private name({ topic, partition }: TopicPartition): string {
    return `${topic} ${partition}`;
  }
}

function add(a: WorkerCounters, b: WorkerCounters): WorkerCounters {
  return {
    records: a.records + b.records,
    duplicates: a.duplicates + b.duplicates,
    missing: a.missing + b.missing,
    late: a.late + b.late,
    bad: a.bad + b.bad,
  };
}
