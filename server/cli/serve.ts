// `tessera serve`: runs the server until SIGTERM or SIGINT. Every key of the configuration is a flag (`--http.port 0`).

import { isMainThread } from 'node:worker_threads';
import type { Command } from 'commander';
import { CONFIG_KEYS } from '../../shared/config/config-keys.ts';
import type { Config } from '../../shared/config/config-schema.ts';
import { ConfigError } from '../../shared/config/resolve-config.ts';
import { loadConfig } from '../platform/config-loader.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import type { RunningServer } from '../roles/all.ts';
import { printJson, UsageError } from './command-line.ts';

/** A stop that takes longer is given up. Its stages have less (roles/all.ts). */
const STOP_MS = 9500;

/** How a server has stopped: in order, or with something that hung and was left behind. */
type Ending = 'in order' | 'left behind';

type ServeOptions = { readonly json?: true; readonly config?: string } & Readonly<
  Record<string, string | true | undefined>
>;

/** Flags that no key of the configuration has, as path -> value, so that the refusal can name what is allowed. */
function unknownFlags(args: readonly string[]): Record<string, string> {
  const flags: Record<string, string> = {};
  for (const [index, argument] of args.entries()) {
    if (argument.startsWith('--')) {
      const [name = '', value] = argument.slice(2).split('=', 2);
      flags[name] = value ?? args[index + 1] ?? '';
    } else if (!args[index - 1]?.startsWith('--')) {
      throw new UsageError(`serve takes flags only, not "${argument}".`);
    }
  }
  return flags;
}

/** The configuration from the command line, the environment and the file. Throws UsageError. */
async function configOf(options: ServeOptions, rest: readonly string[]): Promise<Config> {
  const flags: Record<string, string> = unknownFlags(rest);
  for (const { path } of CONFIG_KEYS) {
    const value = options[path];
    if (value !== undefined) {
      flags[path] = value === true ? 'true' : value;
    }
  }
  try {
    return await loadConfig({ flags, ...(options.config === undefined ? {} : { file: options.config }) });
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error;
  }
}

function printReady(server: Served, isJson: boolean): void {
  const { http, rtmp, publishKey, operatorToken, telemetry } = server;
  if (isJson) {
    printJson({ event: 'ready', http, rtmp, publishKey, operatorToken, pid: process.pid, telemetry });
    return;
  }
  if (publishKey === '') {
    process.stdout.write(`Tessera analytics is ready: ${http}\n  telemetry  ${telemetry}\n`);
    return;
  }
  const lines = [
    `Tessera is ready: ${http}`,
    ...(rtmp === null ? [] : [`  OBS        server ${rtmp}, stream key STREAM?key=${publishKey}`]),
    `  studio     ${http}/studio`,
    `  watch      ${http}/watch/STREAM`,
    `  console    ${http}/console`,
    `  publish    key ${publishKey}`,
    `  operator   token ${operatorToken}`,
    `  telemetry  ${telemetry}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Resolves once a signal has stopped the server, at the latest after STOP_MS. */
function untilStopped(server: Pick<RunningServer, 'stop'>, logger: Logger): Promise<Ending> {
  return new Promise((resolve) => {
    let isStopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (isStopping) {
        resolve('left behind'); // asked twice: at once
        return;
      }
      isStopping = true;
      logger.info({ signal }, 'stopping');
      setTimeout(() => {
        logger.error({ withinMs: STOP_MS }, 'the server did not stop in time');
        resolve('left behind');
      }, STOP_MS);
      server.stop().then(
        (stages) => {
          logger.info({ leftBehind: stages }, 'stopped');
          resolve(stages.length === 0 ? 'in order' : 'left behind');
        },
        (error: unknown) => {
          logger.error({ err: error }, 'stopping failed');
          resolve('left behind');
        },
      );
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}

/** Ends the process: what a library left open must not keep it. */
function leave(ending: Ending): void {
  setImmediate(() => {
    if (ending === 'in order') {
      process.exit(0);
    }
    // process.exit joins the threads of the pool, and one of them may be what hangs.
    process.kill(process.pid, 'SIGKILL');
  });
}

/** What every role can tell of itself and how it is stopped. */
type Served = Pick<RunningServer, 'http' | 'rtmp' | 'publishKey' | 'operatorToken' | 'telemetry' | 'stop'>;

async function start(config: Config, logger: Logger): Promise<Served> {
  if (config.roles === 'edge') {
    throw new UsageError(`The role ${config.roles} is not there yet: roles = all runs everything in one process.`);
  }
  if (config.roles === 'analytics') {
    const { startAnalyticsRole } = await import('../roles/analytics.ts');
    return { ...(await startAnalyticsRole(config, { logger })), rtmp: null, publishKey: '' };
  }
  const { startAll } = await import('../roles/all.ts');
  return startAll(config, { logger, prewarm: true });
}

async function serve(options: ServeOptions, rest: readonly string[]): Promise<void> {
  const config = await configOf(options, rest);
  const logger = createLogger({ level: config.log.level, json: options.json === true });
  const server = await start(config, logger).catch((error: unknown) => {
    throw error instanceof ConfigError ? new UsageError(error.message) : error;
  });
  printReady(server, options.json === true);
  const ending = await untilStopped(server, logger);
  logger.flush();
  leave(ending);
}

/** Registers `tessera serve`. */
export function registerServe(program: Command): void {
  const command = program
    .command('serve')
    .description('run the server')
    .option('--config <file>', 'configuration file, YAML or JSON')
    .option('--json', 'print one ready line on stdout, then log records as JSON lines on stderr')
    .allowUnknownOption()
    .allowExcessArguments();
  for (const { path, allowed, description, defaultValue } of CONFIG_KEYS) {
    const shown = defaultValue === undefined ? '' : ` (default: ${JSON.stringify(defaultValue)})`;
    const text = `${description === '' ? '' : `${description}: `}${allowed}${shown}`;
    command.option(`--${path} ${allowed === 'true, false' ? '[value]' : '<value>'}`, text);
  }
  command.action(async (options: ServeOptions) => {
    if (!isMainThread) {
      throw new Error('serve runs in the main thread only.');
    }
    await serve(options, command.args);
  });
}
