// Tells the reduce side of users' jobs how far every input partition has come: once a second the marks of all partitions that this
// process owns go to every partition of shuffle.v1. A partition without records goes on with the wall clock, as a record like any other,
// so that a replay of the shuffle gives the same bytes.

import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { TelemetryLog, TopicPartition } from '../telemetry/telemetry-log.ts';
import { markKeys, markRecords, SHUFFLE_BOUND_MS, sourceName } from './shuffle-records.ts';
import type { AnyStreamJob } from './stream-job.ts';

export type ProgressMarksOptions = {
  readonly log: TelemetryLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly jobs: readonly AnyStreamJob[];
};

type Progress = { readonly at: TopicPartition; offset: number; watermark: number; activeAt: number; told: number };

const EVERY_MS = 1000;
/** Without a record for this long a partition that is read to its end counts as idle. */
const IDLE_MS = 3000;

export class ProgressMarks {
  private readonly options: ProgressMarksOptions;
  private readonly topics: ReadonlySet<string>;
  private readonly keys: readonly string[];
  private readonly owned = new Map<string, Progress>();
  private readonly stop: () => void;
  private telling: Promise<void> | null = null;

  constructor(options: ProgressMarksOptions) {
    this.options = options;
    this.topics = new Set(options.jobs.map(({ topic }) => topic));
    this.keys = markKeys(options.log.partitions('shuffle'));
    this.stop = options.clock.every(EVERY_MS, () => {
      this.telling ??= this.tell()
        .catch((error: unknown) => {
          options.logger.debug({ error }, 'marks could not be appended, trying again with the next');
        })
        .finally(() => {
          this.telling = null;
        });
    });
  }

  /** The partition is ours and its state reaches up to `offset`. */
  own(at: TopicPartition, offset: number): void {
    if (this.topics.has(at.topic)) {
      const activeAt = this.options.clock.monotonicMs();
      this.owned.set(sourceName(at.topic, at.partition), {
        at,
        offset,
        watermark: -Infinity,
        activeAt,
        told: -Infinity,
      });
    }
  }

  /** Everything before `offset` has been mapped and its partials appended. */
  progress(at: TopicPartition, offset: number, watermark: number | null): void {
    const progress = this.owned.get(sourceName(at.topic, at.partition));
    if (progress !== undefined) {
      progress.offset = offset;
      progress.watermark = Math.max(progress.watermark, watermark ?? -Infinity);
      progress.activeAt = this.options.clock.monotonicMs();
    }
  }

  forget({ topic, partition }: TopicPartition): void {
    this.owned.delete(sourceName(topic, partition));
  }

  private async tell(): Promise<void> {
    const { log, clock } = this.options;
    const marks: Record<string, number> = {};
    const told: Progress[] = [];
    for (const [source, progress] of this.owned) {
      const idleMs = clock.monotonicMs() - progress.activeAt;
      const wallClock = Math.floor(clock.epochMs()) - SHUFFLE_BOUND_MS;
      if (idleMs >= IDLE_MS && (await log.bounds(progress.at)).end === progress.offset) {
        progress.watermark = Math.max(progress.watermark, wallClock);
      }
      if (progress.watermark > progress.told && this.owned.get(source) === progress) {
        marks[source] = progress.watermark;
        told.push(progress);
      }
    }
    if (told.length > 0) {
      await log.append('shuffle', markRecords(marks, this.keys, Math.floor(clock.epochMs())));
      told.forEach((progress) => {
        progress.told = marks[sourceName(progress.at.topic, progress.at.partition)] ?? progress.told;
      });
    }
  }

  close(): void {
    this.stop();
  }
}
