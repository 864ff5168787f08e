// The sizes of a Kafka set-up. The three quantities by the names of the survey text that the product starts from: producer write rate =
// producer throughput x message size, consumer read rate = consumer throughput x message size, number of partitions = number of
// replicas x partition factor; beside them the rule max(W/p, W/c) with headroom.

/** The load, and how the topic that carries it is cut. */
export type CapacityInput = {
  readonly streams: number;
  /** Of one stream. */
  readonly messagesPerSecond: number;
  readonly messageBytes: number;
  /** p: what one partition takes from producers, megabytes per second; 1 MB = 1 000 000 bytes. */
  readonly partitionMegabytesPerSecond: number;
  /** c: what one partition gives to consumers, megabytes per second; p where left out. */
  readonly partitionReadMegabytesPerSecond?: number;
  /** Processes that consume; read the other way, copies of each partition. */
  readonly replicas: number;
  readonly partitionFactor: number;
};

/** The three quantities of the text, and what the rates need. Throughputs in messages per second, rates in bytes per second. */
export type Capacity = {
  readonly producerThroughput: number;
  readonly producerWriteRate: number;
  readonly consumerThroughput: number;
  readonly consumerReadRate: number;
  /** Replicas x partition factor, with replicas as consumers: each has `partitionFactor` partitions. */
  readonly partitions: number;
  /** The same partitions with replicas as copies: what brokers hold. */
  readonly partitionReplicas: number;
  /** W/p and W/c, before headroom. */
  readonly partitionsByWriteRate: number;
  readonly partitionsByReadRate: number;
  readonly headroom: number;
  /** max(W/p, W/c) with headroom, as a number with many divisors. */
  readonly partitionsByRate: number;
  readonly agrees: boolean;
  /** One sentence saying what the comparison means. */
  readonly advice: string;
};

/**
 * p and c where nobody has measured them, megabytes per second: careful ones. `tessera bench telemetry` measures yours; set them as
 * telemetry.partitionWriteMbps and telemetry.partitionReadMbps.
 */
export const USUAL_PARTITION_MBPS = { p: 5, c: 5 } as const;

/** Room for bursts, replays and a consumer that is away: twice the load. */
export const CAPACITY_HEADROOM = 2;
/** Partition counts that split evenly among many numbers of consumers. */
const GOOD_COUNTS = [1, 2, 4, 6, 12, 24, 48, 60, 120, 240, 360, 720];

/** The rule max(W/p, W/c): rates in bytes per second, p and c in megabytes per second. */
export function partitionsForRates(rates: {
  readonly writeRate: number;
  readonly readRate: number;
  readonly p: number;
  readonly c: number;
}): Pick<Capacity, 'partitionsByWriteRate' | 'partitionsByReadRate' | 'partitionsByRate'> & {
  readonly needed: number;
} {
  const byWrite = rates.writeRate / (rates.p * 1e6);
  const byRead = rates.readRate / (rates.c * 1e6);
  const needed = Math.max(1, Math.ceil(Math.max(byWrite, byRead) * CAPACITY_HEADROOM));
  return {
    partitionsByWriteRate: byWrite,
    partitionsByReadRate: byRead,
    partitionsByRate: GOOD_COUNTS.find((good) => good >= needed) ?? Math.ceil(needed / 120) * 120,
    needed,
  };
}

/** What it means that there are so many partitions and so many are needed. */
export function capacityAdvice(partitions: number, needed: number, take: number, writeRate: number): string {
  return partitions >= needed
    ? `${partitions} partitions carry the load with room to spare.`
    : `${partitions} partitions are too few for ${Math.round(writeRate / 1e4) / 100} MB/s: take ${take}.`;
}

/** Computes all of it. Rates are bytes per second; throughputs messages per second. */
export function capacityOf(input: CapacityInput): Capacity {
  const { streams, messagesPerSecond, messageBytes, replicas, partitionFactor } = input;
  const throughput = streams * messagesPerSecond;
  const rate = throughput * messageBytes;
  const p = input.partitionMegabytesPerSecond;
  const c = input.partitionReadMegabytesPerSecond ?? p;
  const { needed, ...rule } = partitionsForRates({ writeRate: rate, readRate: rate, p, c });
  const partitions = replicas * partitionFactor;
  return {
    producerThroughput: throughput,
    producerWriteRate: rate,
    consumerThroughput: throughput,
    consumerReadRate: rate,
    partitions,
    partitionReplicas: partitions * replicas,
    ...rule,
    headroom: CAPACITY_HEADROOM,
    agrees: partitions >= needed,
    advice: capacityAdvice(partitions, needed, rule.partitionsByRate, rate),
  };
}
