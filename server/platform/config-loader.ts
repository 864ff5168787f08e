// Reads the configuration's sources: the file (YAML or JSON), the environment, the flags. The only place that touches process.env.

import { readFile } from 'node:fs/promises';
import { parse, YAMLParseError } from 'yaml';
import type { Config } from '../../shared/config/config-schema.ts';
import { ConfigError, resolveConfig } from '../../shared/config/resolve-config.ts';

export type LoadOptions = {
  /** By dotted path, as typed. */
  readonly flags: Readonly<Record<string, string>>;
  /** `--config`; else TESSERA_CONFIG, else none. */
  readonly file?: string;
  /** `process.env` when absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
};

async function readConfigFile(name: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(name, 'utf8');
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigError([{ key: 'config', value: name, allowed: 'a file that can be read', source: why }]);
  }
  return parseConfigText(name, text);
}

/** What a configuration file says. Throws ConfigError for text that is neither YAML nor JSON. */
export function parseConfigText(name: string, text: string): unknown {
  try {
    return (parse(text, { maxAliasCount: 100, logLevel: 'error' }) as unknown) ?? {};
  } catch (error) {
    throw new ConfigError([{ key: 'config', value: name, allowed: 'YAML or JSON', source: whereOf(error) }]);
  }
}

/** What is wrong and where, without the text itself: it may hold a secret. */
function whereOf(error: unknown): string {
  if (!(error instanceof YAMLParseError)) {
    return 'an alias without its anchor, or too many aliases';
  }
  const [start] = error.linePos ?? [];
  const what = error.code.toLowerCase().replaceAll('_', ' ');
  return start === undefined ? what : `${what} at line ${start.line}, column ${start.col}`;
}

/** The resolved configuration. Throws ConfigError (exit code 2). */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  const environment = options.environment ?? process.env;
  const name = options.file ?? environment['TESSERA_CONFIG'];
  const file = name === undefined || name === '' ? undefined : { name, content: await readConfigFile(name) };
  return resolveConfig({ flags: options.flags, environment, ...(file === undefined ? {} : { file }) });
}
