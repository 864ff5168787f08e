// Runs the jobs: joins the group, restores each partition it gets from its checkpoint, feeds records to the partition's machine (in
// this thread or another), appends what it closes, and writes a checkpoint every few seconds. A window may be appended twice after a
// crash, with the same bytes.

import type { Topic } from '../../shared/telemetry/topics.ts';
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
import { LocalMachineHost } from './machine-host.ts';
import type { MachineCounters, MachineHost, MachineOutput, RemoteMachine } from './partition-machine.ts';
import { ProgressMarks } from './progress-marks.ts';
import { JOB_TOPICS, type AnyStreamJob } from './stream-job.ts';

export type WindowRunnerOptions = {
  readonly log: TelemetryLog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Who we are, in claims. */
  readonly owner: string;
  readonly checkpointEveryMs?: number;
  /** Users' jobs beside the product's own. */
  readonly jobs?: readonly AnyStreamJob[];
  /** Where machines work; a new host is asked for when one was lost. Default: in this thread. */
  readonly makeHost?: () => MachineHost;
  /** Told of each appended window: the delay from its end to now, ms. */
  readonly onWindow?: (delayMs: number) => void;
};

export type RunnerCounters = MachineCounters & {
  readonly partitions: number;
  readonly windows: number;
  readonly checkpoints: number;
  readonly checkpointBytes: number;
  readonly restored: number;
  /** Times that machines were lost with their thread and started again from their checkpoints. */
  readonly restarts: number;
};

type Owned = {
  readonly at: TopicPartition;
  readonly epoch: number;
  readonly machine: RemoteMachine;
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
  private readonly marks: ProgressMarks | null;
  private host: MachineHost;
  private subscription: Subscription | null = null;
  private restarting: Promise<void> | null = null;
  private isClosed = false;
  private restarts = 0;
  private windows = 0;
  private checkpointCount = 0;
  private checkpointBytes = 0;
  private restored = 0;
  /** Counters of partitions that are no longer ours. */
  private past: MachineCounters = { records: 0, duplicates: 0, missing: 0, late: 0, bad: 0 };

  constructor(options: WindowRunnerOptions) {
    this.options = options;
    this.checkpoints = new Checkpoints(options.log, WINDOWS_GROUP, options.owner);
    this.everyMs = options.checkpointEveryMs ?? 5000;
    this.host = this.openHost();
    const { log, clock, logger, jobs = [] } = options;
    this.marks = jobs.length === 0 ? null : new ProgressMarks({ log, clock, logger, jobs });
  }

  private openHost(): MachineHost {
    const { jobs = [], log, makeHost } = this.options;
    const host = makeHost?.() ?? new LocalMachineHost(jobs, (topic) => log.partitions(topic));
    host.onLost = (reason) => {
      this.onLost(reason);
    };
    return host;
  }

  async start(): Promise<void> {
    this.subscription = await this.options.log.subscribe({
      group: WINDOWS_GROUP,
      topics: this.marks === null ? JOB_TOPICS : [...JOB_TOPICS, 'shuffle'],
      onAssigned: (partitions) => this.onAssigned(partitions),
      onRevoked: (partitions) => this.onRevoked(partitions),
      onBatch: (at, records, context) => this.onBatch(at, records, context),
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.restarting;
    this.marks?.close();
    await this.subscription?.close();
    this.subscription = null;
    await this.host.close();
  }

  /** A thread has died with its machines: leave the group, and begin again from the checkpoints. */
  private onLost(reason: string): void {
    this.options.logger.error({ reason }, 'window jobs were lost with their thread and start again');
    for (const owned of this.owned.values()) {
      owned.isTainted = true;
    }
    if (!this.isClosed) {
      this.restarting ??= this.restart().finally(() => {
        this.restarting = null;
      });
    }
  }

  private async restart(): Promise<void> {
    this.restarts++;
    await this.subscription?.close();
    await this.host.close();
    this.host = this.openHost();
    await this.start();
  }

  private async onAssigned(partitions: readonly TopicPartition[]): Promise<number[]> {
    const claims = await this.checkpoints.claim(partitions);
    const starts: number[] = [];
    for (const [i, at] of partitions.entries()) {
      const { epoch = 1, checkpoint = null, brokenManifests = 0 } = claims[i] ?? {};
      if (brokenManifests > 0) {
        this.options.logger.error({ ...at, brokenManifests }, 'a checkpoint is damaged; an older one is used');
      }
      const machine = this.host.open(at);
      if (checkpoint !== null) {
        await machine.restore(checkpoint.state);
        this.restored++;
      }
      const offset = checkpoint?.offset ?? 0;
      const savedAt = this.options.clock.monotonicMs();
      this.owned.set(this.name(at), {
        at,
        epoch,
        machine,
        offset,
        savedOffset: offset,
        savedAt,
        turn: 0,
        isTainted: false,
      });
      this.marks?.own(at, offset);
      starts.push(offset);
    }
    return starts;
  }

  private async onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    for (const at of partitions) {
      const owned = this.owned.get(this.name(at));
      if (owned !== undefined) {
        this.owned.delete(this.name(at));
        this.past = add(this.past, owned.machine.counters());
        this.marks?.forget(at);
        await this.save(owned);
        owned.machine.release();
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
    const output = await owned.machine.process(fresh);
    if (!(await this.appendAll(output, context))) {
      owned.isTainted = true; // its state is ahead of what was appended: the next owner starts from the last checkpoint
      return;
    }
    owned.offset = last.offset + 1;
    this.marks?.progress(at, owned.offset, output.watermark);
    const now = this.options.clock.epochMs();
    for (const { timestamp } of output.windows) {
      this.windows++;
      this.options.onWindow?.(now - timestamp);
    }
    if (this.options.clock.monotonicMs() - owned.savedAt >= this.everyMs) {
      await this.save(owned);
    }
  }

  private async appendAll(output: MachineOutput, context: BatchContext): Promise<boolean> {
    return (
      (await this.append('dlq', this.now(output.dlq), context)) &&
      (await this.append('late', this.now(output.late), context)) &&
      (await this.append('shuffle', output.shuffle, context)) &&
      (await this.append('windows', output.windows, context))
    );
  }

  /** What goes aside is kept from now on: the event's own time may be decades ago, and retention would take it at once. */
  private now(records: readonly LogRecord[]): LogRecord[] {
    const timestamp = Math.floor(this.options.clock.epochMs());
    return records.map((record) => ({ ...record, timestamp }));
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
    const checkpoint = { offset: owned.offset, state: await owned.machine.snapshot() };
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
    for (const { machine } of this.owned.values()) {
      sum = add(sum, machine.counters());
    }
    const { windows, checkpointCount: checkpoints, checkpointBytes, restored, restarts } = this;
    return { ...sum, partitions: this.owned.size, windows, checkpoints, checkpointBytes, restored, restarts };
  }

  private name({ topic, partition }: TopicPartition): string {
    return `${topic} ${partition}`;
  }
}

function add(a: MachineCounters, b: MachineCounters): MachineCounters {
  return {
    records: a.records + b.records,
    duplicates: a.duplicates + b.duplicates,
    missing: a.missing + b.missing,
    late: a.late + b.late,
    bad: a.bad + b.bad,
  };
}
