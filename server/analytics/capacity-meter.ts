// Measures what the telemetry log carries, from the log itself: ends of partitions for what producers append, committed offsets of the
// window jobs for what consumers read, a few of the newest records for their size. Rates are of the last minute.

import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { CapacityReadModel } from '../read-models/capacity.ts';
import type { TelemetryLog, TopicPartition } from '../telemetry/telemetry-log.ts';
import { JOB_TOPICS } from './stream-job.ts';
import { WINDOWS_GROUP } from './window-runner.ts';

export type CapacityMeterOptions = {
  readonly log: TelemetryLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly model: CapacityReadModel;
};

type Sample = { readonly at: number; readonly appended: number; readonly read: number };

const EVERY_MS = 10_000;
const SAMPLES = 7; // a minute
const SIZE_RECORDS = 20;
/** Sizes change slowly, and reading costs a consumer on Kafka. */
const SIZE_EVERY = 6;
/** Topic, key, timestamp, headers: what a record weighs beside its value. */
const ENVELOPE_BYTES = 120;

export class CapacityMeter {
  private readonly options: CapacityMeterOptions;
  private readonly samples: Sample[] = [];
  private readonly stop: () => void;
  private measuring: Promise<void> | null = null;
  private rounds = 0;
  private messageBytes = 0;

  constructor(options: CapacityMeterOptions) {
    this.options = options;
    this.stop = options.clock.every(EVERY_MS, () => {
      this.measuring ??= this.measure()
        .catch((error: unknown) => {
          options.logger.debug({ error }, 'the capacity could not be measured');
        })
        .finally(() => {
          this.measuring = null;
        });
    });
  }

  private async measure(): Promise<void> {
    const { log, clock, model } = this.options;
    let [appended, read, lag] = [0, 0, 0];
    let fullest: { readonly at: TopicPartition; readonly end: number; readonly records: number } | null = null;
    for (const topic of JOB_TOPICS) {
      for (let partition = 0; partition < log.partitions(topic); partition++) {
        const at = { topic, partition };
        const { earliest, end } = await log.bounds(at);
        const committed = (await log.committed(WINDOWS_GROUP, at)) ?? earliest;
        appended += end;
        read += committed;
        lag += Math.max(0, end - committed);
        if (end - earliest > (fullest?.records ?? 0)) {
          fullest = { at, end, records: end - earliest };
        }
      }
    }
    if (fullest !== null && (this.messageBytes === 0 || this.rounds % SIZE_EVERY === 0)) {
      await this.weigh(fullest.at, fullest.end);
    }
    this.rounds++;
    this.samples.push({ at: clock.monotonicMs(), appended, read });
    this.samples.splice(0, this.samples.length - SAMPLES);
    const first = this.samples[0];
    const seconds = first === undefined ? 0 : (clock.monotonicMs() - first.at) / 1000;
    if (first !== undefined && seconds > 0) {
      model.apply({
        at: Math.floor(clock.epochMs()),
        appended: Math.max(0, appended - first.appended) / seconds,
        read: Math.max(0, read - first.read) / seconds,
        messageBytes: this.messageBytes,
        lag,
        consumers: await log.members(WINDOWS_GROUP),
      });
    }
  }

  private async weigh(at: TopicPartition, end: number): Promise<void> {
    const records = await this.options.log.read(at, Math.max(0, end - SIZE_RECORDS), SIZE_RECORDS);
    if (records.length > 0) {
      const bytes = records.reduce(
        (sum, { key, value }) => sum + key.length + (value?.length ?? 0) + ENVELOPE_BYTES,
        0,
      );
      this.messageBytes = Math.round(bytes / records.length);
    }
  }

  close(): void {
    this.stop();
  }
}
