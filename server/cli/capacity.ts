// `tessera capacity`: how many partitions a set-up needs, by the text's three quantities and by rates with headroom;
// computed from flags, or as a running server measures them.

import type { Command } from 'commander';
import { capacityOf } from '../../shared/jobs/capacity.ts';
import { finiteNumber, printJson, wholeNumber } from './command-line.ts';
import { fetchCapacity, liveCapacityLines } from './live-capacity.ts';

type Flags = {
  readonly streams: number;
  readonly msgBytes: number;
  readonly msgsPerSecond: number;
  readonly partitionMbps: number;
  readonly partitionReadMbps?: number;
  readonly replicas: number;
  readonly partitionFactor: number;
  readonly server?: string;
  readonly token?: string;
  readonly json?: true;
};

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(3)} MB/s`;

/** Adds `capacity` to the program. */
export function registerCapacity(program: Command): void {
  program
    .command('capacity')
    .description('producer write rate, consumer read rate and partitions of a Kafka set-up')
    .option('--streams <n>', 'live streams', wholeNumber(1, 10_000_000), 1000)
    .option('--msg-bytes <n>', 'bytes of one message', finiteNumber(1, 1e8), 900)
    .option('--msgs-per-second <n>', 'messages of one stream per second', finiteNumber(0.001, 1e6), 6)
    .option('--partition-mbps <n>', 'p: what one partition takes, megabytes per second', finiteNumber(0.001, 1e5), 5)
    .option('--partition-read-mbps <n>', 'c: what one partition gives (default: p)', finiteNumber(0.001, 1e5))
    .option('--replicas <n>', 'processes that consume, and copies of each partition', wholeNumber(1, 1000), 3)
    .option('--partition-factor <n>', 'partitions per replica', wholeNumber(1, 10_000), 8)
    .option('--server <url>', 'instead of computing: what this running server measures')
    .option('--token <token>', "the operator's, where the server is on another machine")
    .option('--json', 'print one JSON document on stdout')
    .action(async (flags: Flags) => {
      if (flags.server !== undefined) {
        const report = await fetchCapacity(flags.server, flags.token);
        if (flags.json === true) {
          printJson(report);
        } else {
          process.stdout.write(`${liveCapacityLines(report).join('\n')}\n`);
        }
        return;
      }
      const capacity = capacityOf({
        streams: flags.streams,
        messagesPerSecond: flags.msgsPerSecond,
        messageBytes: flags.msgBytes,
        partitionMegabytesPerSecond: flags.partitionMbps,
        partitionReadMegabytesPerSecond: flags.partitionReadMbps ?? flags.partitionMbps,
        replicas: flags.replicas,
        partitionFactor: flags.partitionFactor,
      });
      if (flags.json === true) {
        printJson(capacity);
        return;
      }
      const lines = [
        `Producer write rate   ${capacity.producerThroughput} messages/s x ${flags.msgBytes} bytes = ${megabytes(capacity.producerWriteRate)}`,
        `Consumer read rate    ${capacity.consumerThroughput} messages/s x ${flags.msgBytes} bytes = ${megabytes(capacity.consumerReadRate)}`,
        `Number of partitions  ${flags.replicas} replicas x partition factor ${flags.partitionFactor} = ${capacity.partitions}`,
        `  as copies           ${flags.replicas} copies of each: ${capacity.partitionReplicas} partition replicas on the brokers`,
        `By rate               max(W/p ${capacity.partitionsByWriteRate.toFixed(2)}, W/c ${capacity.partitionsByReadRate.toFixed(2)}) x ${capacity.headroom} -> ${capacity.partitionsByRate}`,
        capacity.advice,
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}
