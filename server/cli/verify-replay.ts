// `tessera verify-replay TOPIC`: reads the events again, computes the windows anew, and compares them byte for byte with what is stored in
// windows.v1. One difference is a failure: either side has been altered, or a result depended on something that was not recorded.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command } from 'commander';
import { parseTopicName, type Topic } from '../../shared/telemetry/topics.ts';
import { JOB_TOPICS, loadStreamJobs, type JobTopic } from '../analytics/stream-job.ts';
import { verifyReplay, type ReplayReport } from '../analytics/verify-replay.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { EmbeddedTelemetryLog } from '../telemetry/embedded-telemetry-log.ts';
import { KafkaTelemetryLog } from '../telemetry/kafka-telemetry-log.ts';
import type { TelemetryLog } from '../telemetry/telemetry-log.ts';
import { printJson, UsageError } from './command-line.ts';

type Flags = {
  readonly from?: string;
  readonly to?: string;
  readonly dataDir: string;
  readonly brokers?: string;
  readonly topicPrefix: string;
  readonly partitions: string;
  readonly jobs?: string;
  readonly json?: true;
};

/** Epoch ms or a date such as 2026-11-22T19:00:00Z. */
function parseTime(name: string, text: string | undefined, standard: number): number {
  if (text === undefined) {
    return standard;
  }
  const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isFinite(time)) {
    throw new UsageError(`--${name} ${text} is neither epoch milliseconds nor a date such as 2026-11-22T19:00:00Z.`);
  }
  return time;
}

function topicsOf(name: string): readonly JobTopic[] {
  const topic: Topic | null = parseTopicName(name);
  if (topic === 'windows') {
    return JOB_TOPICS;
  }
  const input = JOB_TOPICS.find((each) => each === topic);
  if (input === undefined) {
    throw new UsageError(`${name} has no windows: give windows (all of them), ${JOB_TOPICS.join(', ')}.`);
  }
  return [input];
}

function openLog(flags: Flags): Promise<TelemetryLog> {
  const parts = { clock: systemClock, logger: silentLogger };
  if (flags.brokers !== undefined) {
    const partitions = Number(flags.partitions);
    const settings = {
      brokers: flags.brokers.split(','),
      ssl: false,
      topicPrefix: flags.topicPrefix,
      partitions,
      replication: 1,
    };
    return KafkaTelemetryLog.open({ ...parts, settings });
  }
  const directory = join(flags.dataDir, 'telemetry');
  if (!existsSync(directory)) {
    throw new UsageError(`There is no embedded telemetry log in ${flags.dataDir}; give --dataDir or --brokers.`);
  }
  return Promise.resolve(new EmbeddedTelemetryLog({ ...parts, directory, maxBytes: Infinity, isReadOnly: true }));
}

function print({ compared, notRetained, unknownJobs, differences }: ReplayReport): void {
  process.stdout.write(
    `${compared} windows recomputed and compared, ${notRetained} left out because their events are gone\n`,
  );
  if (unknownJobs.length > 0) {
    process.stdout.write(`not compared, for want of --jobs: windows of ${unknownJobs.join(', ')}\n`);
  }
  for (const { what, job, stream, start } of differences.slice(0, 20)) {
    process.stdout.write(`${what}: ${job} of ${stream} from ${new Date(start).toISOString()}\n`);
  }
}

/** Adds `verify-replay` to the program. */
export function registerVerifyReplay(program: Command): void {
  program
    .command('verify-replay')
    .description('recompute stored windows from their events and compare the bytes')
    .argument('<topic>', `windows, or one of ${JOB_TOPICS.join(', ')}`)
    .option('--from <time>', 'windows that end after this; epoch ms or a date')
    .option('--to <time>', 'windows that end at or before this')
    .option('--dataDir <folder>', 'data folder of the server', './data')
    .option('--brokers <list>', 'Kafka instead of the embedded log: HOST:PORT,HOST:PORT')
    .option('--topicPrefix <prefix>', 'prefix of the topics on Kafka', 'tessera.')
    .option('--partitions <n>', 'telemetry.kafka.partitions of the server', '24')
    .option('--jobs <modules>', "the modules of users' jobs, as in analytics.jobs: FILE,FILE")
    .option('--json', 'print one JSON document on stdout')
    .action(async (name: string, flags: Flags) => {
      const topics = topicsOf(name);
      const range = { from: parseTime('from', flags.from, 0), to: parseTime('to', flags.to, Infinity) };
      const jobs = await loadStreamJobs(flags.jobs?.split(',') ?? []);
      const log = await openLog(flags);
      try {
        const report = await verifyReplay(log, topics, range, jobs);
        if (flags.json === true) {
          printJson(report);
        } else {
          print(report);
        }
        if (report.differences.length > 0) {
          throw new Error(`${report.differences.length} of ${report.compared} windows differ from their replay.`);
        }
      } finally {
        await log.close();
      }
    });
}
