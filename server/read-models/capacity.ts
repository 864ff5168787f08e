// What the telemetry log carries now, by the survey text's three quantities, beside the rule max(W/p, W/c): for the API and the console.

import { z } from 'zod';
import { capacityAdvice, CAPACITY_HEADROOM, partitionsForRates } from '../../shared/jobs/capacity.ts';

const rate = z.number().nonnegative();

export const capacitySchema = z.object({
  /** End of the minute that the rates are of, epoch ms; null until one has been measured. */
  measuredAt: z.number().nullable(),
  /** Producer write rate = producer throughput x message size. Messages and bytes per second. */
  producer: z.object({ throughput: rate, messageBytes: rate, writeRate: rate }),
  /** Consumer read rate = consumer throughput x message size, of the window jobs. */
  consumer: z.object({ throughput: rate, messageBytes: rate, readRate: rate }),
  /** Records that the window jobs have yet to read. */
  lag: z.number().int().nonnegative(),
  partitions: z.object({
    /** Partitions of each topic of events. */
    count: z.number().int(),
    /** Number of partitions = replicas x partition factor, with the processes that consume as replicas. */
    replicas: z.number().int(),
    partitionFactor: z.number(),
    /** The other reading: copies of each partition, and what the brokers hold in all. */
    replication: z.number().int(),
    partitionReplicas: z.number().int(),
  }),
  /** max(W/p, W/c) with headroom; p and c are what one partition takes and gives, megabytes per second. */
  rule: z.object({
    p: z.number(),
    c: z.number(),
    byWriteRate: rate,
    byReadRate: rate,
    headroom: z.number(),
    partitions: z.number().int(),
  }),
  agrees: z.boolean(),
  advice: z.string(),
});

export type CapacityReport = z.infer<typeof capacitySchema>;

/** What was measured over the last minute. */
export type CapacityMeasure = {
  readonly at: number;
  /** Records appended and read per second. */
  readonly appended: number;
  readonly read: number;
  readonly messageBytes: number;
  readonly lag: number;
  readonly consumers: number;
};

export type CapacitySetup = {
  readonly partitions: number;
  readonly replication: number;
  readonly p: number;
  readonly c: number;
};

const NOTHING: Omit<CapacityMeasure, 'at'> = { appended: 0, read: 0, messageBytes: 0, lag: 0, consumers: 1 };

export class CapacityReadModel {
  private readonly setup: CapacitySetup;
  private measure: CapacityMeasure | null = null;

  constructor(setup: CapacitySetup) {
    this.setup = setup;
  }

  apply(measure: CapacityMeasure): void {
    this.measure = measure;
  }

  report(): CapacityReport {
    const { partitions, replication, p, c } = this.setup;
    const { appended, read, messageBytes, lag, consumers } = this.measure ?? NOTHING;
    const [writeRate, readRate] = [appended * messageBytes, read * messageBytes];
    const rule = partitionsForRates({ writeRate, readRate, p, c });
    const replicas = Math.max(1, consumers);
    return {
      measuredAt: this.measure?.at ?? null,
      producer: { throughput: appended, messageBytes, writeRate },
      consumer: { throughput: read, messageBytes, readRate },
      lag,
      partitions: {
        count: partitions,
        replicas,
        partitionFactor: partitions / replicas,
        replication,
        partitionReplicas: partitions * replication,
      },
      rule: {
        p,
        c,
        byWriteRate: rule.partitionsByWriteRate,
        byReadRate: rule.partitionsByReadRate,
        headroom: CAPACITY_HEADROOM,
        partitions: rule.partitionsByRate,
      },
      agrees: partitions >= rule.needed,
      advice: capacityAdvice(partitions, rule.needed, rule.partitionsByRate, writeRate),
    };
  }
}
