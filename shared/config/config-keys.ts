// The keys of the configuration as dotted paths, with what each allows: for flags, environment names and error sentences.
// Derived from the schema, so a new key needs no second place.

import { z } from 'zod';
import { configSchema } from './config-schema.ts';

/** The part of JSON Schema that zod writes for our keys. */
type JsonSchema = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly description?: string;
};

/** One key that flags, environment and file can set. */
export type ConfigKey = {
  readonly path: string; // `http.port`
  readonly flag: string; // `--http.port`
  readonly environment: string; // `TESSERA_HTTP_PORT`
  readonly allowed: string; // `a whole number from 0 to 65535`
  readonly description: string;
  readonly defaultValue: unknown;
  readonly schema: JsonSchema;
};

function allowedObject(schema: JsonSchema): string {
  return `{${Object.keys(schema.properties ?? {}).join(', ')}}`;
}

function allowedNumber({ type, minimum, maximum }: JsonSchema): string {
  return `a ${type === 'integer' ? 'whole ' : ''}number from ${minimum ?? '-∞'} to ${maximum ?? '∞'}`;
}

/** What a value may be, in words. */
function allowedBy(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) {
    return schema.anyOf.map(allowedBy).join(' or ');
  }
  const choices = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  if (choices !== undefined) {
    return choices.join(', ');
  }
  switch (schema.type) {
    case 'integer':
    case 'number':
      return allowedNumber(schema);
    case 'boolean':
      return 'true, false';
    case 'array': {
      const items = schema.items ?? {};
      return `a list of ${items.type === 'object' ? allowedObject(items) : allowedBy(items)}`;
    }
    case 'object':
      return allowedObject(schema);
    default:
      return schema.pattern === undefined ? 'a text' : `a text like /${schema.pattern}/`;
  }
}

function collect(schema: JsonSchema, path: readonly string[], keys: ConfigKey[]): void {
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const childPath = [...path, name];
    if (child.properties !== undefined) {
      collect(child, childPath, keys);
      continue;
    }
    const dotted = childPath.join('.');
    keys.push({
      path: dotted,
      flag: `--${dotted}`,
      environment: `TESSERA_${childPath.join('_').toUpperCase()}`,
      allowed: allowedBy(child),
      description: child.description ?? '',
      defaultValue: child.default,
      schema: child,
    });
  }
}

function allKeys(): readonly ConfigKey[] {
  const keys: ConfigKey[] = [];
  collect(z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema, [], keys);
  return keys;
}

/** Every key, in the order of the schema. */
export const CONFIG_KEYS: readonly ConfigKey[] = allKeys();

/** Names of the keys directly under a section (`''` is the top level), for error sentences. */
export function keysUnder(sectionPath: string): readonly string[] {
  const prefix = sectionPath === '' ? '' : `${sectionPath}.`;
  const names = CONFIG_KEYS.filter(({ path }) => path.startsWith(prefix)).map(
    ({ path }) => path.slice(prefix.length).split('.')[0] ?? '',
  );
  return [...new Set(names)];
}

/** The value that a flag's or variable's text stands for; text that fits nothing is returned as it is, for the schema to refuse. */
export function valueFromText(key: ConfigKey, text: string): unknown {
  const schemas = key.schema.anyOf ?? [key.schema];
  for (const { type } of schemas) {
    if ((type === 'integer' || type === 'number') && text.trim() !== '' && Number.isFinite(Number(text))) {
      return Number(text);
    }
    if (type === 'boolean' && (text === 'true' || text === 'false')) {
      return text === 'true';
    }
    if (type === 'array') {
      return listFromText(text);
    }
  }
  return text;
}

function listFromText(text: string): unknown {
  if (text.trim().startsWith('[')) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  }
  return text === '' ? [] : text.split(',').map((item) => item.trim());
}
