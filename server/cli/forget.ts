// `tessera forget STREAM|SESSION`: removes what the telemetry log holds of a stream or of one connection's session, and says what stays.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../../shared/config/config-schema.ts';
import { ConfigError } from '../../shared/config/resolve-config.ts';
import { EVENT_TOPICS } from '../../shared/telemetry/topics.ts';
import { systemClock } from '../platform/clock.ts';
import { loadConfig } from '../platform/config-loader.ts';
import { silentLogger } from '../platform/logger.ts';
import { EmbeddedTelemetryLog } from '../telemetry/embedded-telemetry-log.ts';
import { forgetEmbedded, forgetKafka, type ForgetReport, type ForgetTarget } from '../telemetry/forget.ts';
import { printJson, UsageError } from './command-line.ts';

type Flags = {
  readonly as?: string;
  readonly config?: string;
  readonly dataDir?: string;
  readonly brokers?: string;
  readonly topicPrefix?: string;
  readonly truncate?: true;
  readonly json?: true;
};

type Outcome = ForgetReport & { readonly log: 'embedded' | 'kafka'; readonly notes: readonly string[] };

const SESSION = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const STREAM = /^[A-Za-z0-9_-]{1,64}$/;
const parts = { clock: systemClock, logger: silentLogger };

const STATE_NOTE =
  'Open windows are in the checkpoints of analytics (state): a running server replaces them within seconds, and health in memory with them.';

function targetOf(name: string, as: string | undefined): ForgetTarget {
  if (as !== undefined && as !== 'stream' && as !== 'session') {
    throw new UsageError(`--as ${as} is not known: it is stream or session.`);
  }
  if (!STREAM.test(name)) {
    throw new UsageError('Give the name of a stream (letters, digits, "-", "_") or the id of a session.');
  }
  return { kind: as ?? (SESSION.test(name) ? 'session' : 'stream'), name };
}

/** The server's configuration: its file and environment, and what the flags say about the log. */
async function configOf({ config, dataDir, brokers, topicPrefix }: Flags): Promise<Config> {
  const flags = {
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(brokers === undefined ? {} : { 'telemetry.driver': 'kafka', 'telemetry.kafka.brokers': brokers }),
    ...(topicPrefix === undefined ? {} : { 'telemetry.kafka.topicPrefix': topicPrefix }),
  };
  try {
    return await loadConfig({ flags, ...(config === undefined ? {} : { file: config }) });
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error;
  }
}

async function inEmbedded(config: Config, target: ForgetTarget): Promise<Outcome> {
  const directory = join(config.dataDir, 'telemetry');
  if (!existsSync(directory)) {
    throw new UsageError(
      `There is no embedded telemetry log in ${config.dataDir}; give --dataDir, --config or --brokers.`,
    );
  }
  const log = new EmbeddedTelemetryLog({ ...parts, directory, maxBytes: Infinity });
  try {
    const report = await forgetEmbedded(log, target);
    const notes = [
      STATE_NOTE,
      'Pages of the file that are free now are overwritten when they are used again, not at once.',
    ];
    return { log: 'embedded', ...report, notes };
  } finally {
    await log.close();
  }
}

async function inKafka(config: Config, target: ForgetTarget, truncate: boolean): Promise<Outcome> {
  const { KafkaTelemetryLog } = await import('../telemetry/kafka-telemetry-log.ts');
  const { kafka: settings, retentionHours } = config.telemetry;
  const log = await KafkaTelemetryLog.open({ ...parts, settings, retentionHours });
  try {
    const report = await forgetKafka(log, target, { truncate, retentionHours, nowMs: systemClock.epochMs() });
    const notes = [
      STATE_NOTE,
      'Kafka removes tombstoned and truncated records from its disks when it cleans their segments, not at once.',
    ];
    if (report.kept.length > 0 && !truncate) {
      notes.push('--truncate removes them now, with everything older of all streams in the same partitions.');
    }
    const spooled = await spooledEvents(config);
    if (spooled > 0) {
      notes.push(`${spooled} events of all streams wait in the spool: run this again when they are in Kafka.`);
    }
    return { log: 'kafka', ...report, notes };
  } finally {
    await log.close();
  }
}

async function spooledEvents(config: Config): Promise<number> {
  const directory = join(config.dataDir, 'telemetry-spool');
  if (!existsSync(directory)) {
    return 0;
  }
  const spool = new EmbeddedTelemetryLog({ ...parts, directory, maxBytes: Infinity, partitions: 1, isReadOnly: true });
  let count = 0;
  for (const topic of EVENT_TOPICS) {
    const { earliest, end } = await spool.bounds({ topic, partition: 0 });
    count += end - earliest;
  }
  await spool.close();
  return count;
}

function print({ kind, name }: ForgetTarget, { removed, kept, notes }: Outcome): void {
  const counts = Object.entries(removed).map(([topic, count]) => `${count} of ${topic}`);
  const lines = [`${kind} ${name}: removed ${counts.length === 0 ? 'nothing, there was nothing' : counts.join(', ')}`];
  for (const { topic, records, until } of kept) {
    lines.push(`kept: ${records} of ${topic}${until === null ? '' : `, until ${new Date(until).toISOString()}`}`);
  }
  process.stdout.write(`${[...lines, ...notes].join('\n')}\n`);
}

/** Adds `forget` to the program. */
export function registerForget(program: Command): void {
  program
    .command('forget')
    .description('remove what telemetry holds of a stream, or of one session')
    .argument('<name>', 'a stream, or the id of a session')
    .option('--as <kind>', 'stream or session, where the name could be either')
    .option('--config <file>', 'configuration file of the server')
    .option('--dataDir <folder>', 'data folder of the server')
    .option('--brokers <list>', 'Kafka instead of the embedded log: HOST:PORT,HOST:PORT')
    .option('--topicPrefix <prefix>', 'prefix of the topics on Kafka')
    .option('--truncate', 'on Kafka: also remove everything older of all streams in the same partitions')
    .option('--json', 'print one JSON document on stdout')
    .action(async (name: string, flags: Flags) => {
      const target = targetOf(name, flags.as);
      const config = await configOf(flags);
      const { driver } = config.telemetry;
      if (driver === 'memory') {
        throw new UsageError('The memory log of a server is gone with its process: there is nothing to remove.');
      }
      const outcome =
        driver === 'kafka' ? await inKafka(config, target, flags.truncate === true) : await inEmbedded(config, target);
      if (flags.json === true) {
        printJson({ target, ...outcome });
      } else {
        print(target, outcome);
      }
    });
}
