// The sizes of a Kafka set-up. The three quantities by the names of the survey text that the product starts from: producer write rate =
// producer throughput x message size, consumer read rate = consumer throughput x message size, number of partitions = number of
// replicas x partition factor; beside them the rule max(W/p, W/c) with headroom.

/** The load, and how the topic that carries it is cut. */
export type CapacityInput = {
  readonly streams: number;
  /** Of one stream. */
  readonly messagesPerSecond: number;
  readonly messageBytes: number;
  /** What one partition takes from producers and gives to consumers, megabytes per second; 1 MB = 1 000 000 bytes. */
  readonly partitionMegabytesPerSecond: number;
  /** Processes that consume, and copies of each partition. */
  readonly replicas: number;
  readonly partitionFactor: number;
};

/** The three quantities of the text, and what the rates need. Throughputs in messages per second, rates in bytes per second. */
export type Capacity = {
  readonly producerThroughput: number;
  readonly producerWriteRate: number;
  readonly consumerThroughput: number;
  readonly consumerReadRate: number;
  /** Replicas x partition factor. */
  readonly partitions: number;
  /** Partitions that the rates need, with twice the room, as a number with many divisors. */
  readonly partitionsByRate: number;
  readonly agrees: boolean;
  /** One sentence saying what the comparison means. */
  readonly advice: string;
};

const HEADROOM = 2;
/** Partition counts that split evenly among many numbers of consumers. */
const GOOD_COUNTS = [1, 2, 4, 6, 12, 24, 48, 60, 120, 240, 360, 720];

/** Computes all of it. Rates are bytes per second; throughputs messages per second. */
export function capacityOf(input: CapacityInput): Capacity {
  const throughput = input.streams * input.messagesPerSecond;
  const writeRate = throughput * input.messageBytes;
  const perPartition = input.partitionMegabytesPerSecond * 1e6;
  const needed = Math.max(1, Math.ceil((writeRate * HEADROOM) / perPartition));
  const partitionsByRate = GOOD_COUNTS.find((good) => good >= needed) ?? Math.ceil(needed / 120) * 120;
  const partitions = input.replicas * input.partitionFactor;
  return {
    producerThroughput: throughput,
    producerWriteRate: writeRate,
    consumerThroughput: throughput,
    consumerReadRate: throughput * input.messageBytes,
    partitions,
    partitionsByRate,
    agrees: partitions >= needed,
    advice:
      partitions >= needed
        ? `${partitions} partitions carry the load with room to spare.`
        : `${partitions} partitions are too few for ${Math.round(writeRate / 1e4) / 100} MB/s: take ${partitionsByRate}.`,
  };
}
