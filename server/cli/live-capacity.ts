// `tessera capacity --server URL`: the three quantities as a running server measures them from its log.

import { capacitySchema, type CapacityReport } from '../read-models/capacity.ts';

const TIMEOUT_MS = 10_000;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(3)} MB/s`;

/** Asks the server. Rejects with one sentence when it cannot be reached or does not let us. `token`: the operator's; from the server's own
 * machine none is needed. */
export async function fetchCapacity(server: string, token: string | undefined): Promise<CapacityReport> {
  const url = new URL('/api/v1/capacity', server);
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error: unknown) => {
    throw new Error(`${url.origin} cannot be reached.`, { cause: error });
  });
  if (!response.ok) {
    throw new Error(`${url.origin} answers ${response.status} when asked for its capacity.`);
  }
  const parsed = capacitySchema.safeParse(await response.json());
  if (!parsed.success) {
    throw new Error(`${url.origin} does not answer as a Tessera server.`);
  }
  return parsed.data;
}

/** The report in words, by the same names as the computed one. */
export function liveCapacityLines({ producer, consumer, partitions, rule, lag, advice, measuredAt }: CapacityReport) {
  const { throughput: written, messageBytes } = producer;
  return [
    measuredAt === null
      ? 'Nothing has been measured yet: ask again in half a minute.'
      : `Measured over the minute up to ${new Date(measuredAt).toISOString()}`,
    `Producer write rate   ${written.toFixed(1)} messages/s x ${messageBytes} bytes = ${megabytes(producer.writeRate)}`,
    `Consumer read rate    ${consumer.throughput.toFixed(1)} messages/s x ${consumer.messageBytes} bytes = ${megabytes(consumer.readRate)}, ${lag} messages to read`,
    `Number of partitions  ${partitions.replicas} replicas x partition factor ${Number(partitions.partitionFactor.toFixed(2))} = ${partitions.count}`,
    `  as copies           ${partitions.replication} copies of each: ${partitions.partitionReplicas} partition replicas on the brokers`,
    `By rate               max(W/p ${rule.byWriteRate.toFixed(2)}, W/c ${rule.byReadRate.toFixed(2)}) x ${rule.headroom} -> ${rule.partitions}, p ${rule.p} MB/s, c ${rule.c} MB/s`,
    advice,
  ];
}
