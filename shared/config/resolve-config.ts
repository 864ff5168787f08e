// Flag > environment > file > default, then the schema. Pure: the caller reads files and the environment (platform/config-loader).

import type { z } from 'zod';
import { CONFIG_KEYS, keysUnder, valueFromText, type ConfigKey } from './config-keys.ts';
import { configSchema, type Config } from './config-schema.ts';

/** One wrong key or value. */
export type ConfigProblem = {
  readonly key: string; // dotted path
  readonly value: string; // as given, shortened; secrets are hidden
  readonly allowed: string;
  readonly source: string; // `--http.port`, `TESSERA_HTTP_PORT`, the file's name
};

/** A file that is wrong all over is told in this many sentences. */
const MAX_SENTENCES = 10;

/** The configuration refuses to start: every problem, each with key, value and what is allowed; the sentence names the first ten. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    const sentences = problems
      .slice(0, MAX_SENTENCES)
      .map(
        ({ key, value, allowed, source }) => `${key} = ${value} (from ${source}) is not allowed; allowed: ${allowed}.`,
      );
    const more = problems.length - sentences.length;
    super([...sentences, ...(more > 0 ? [`${more} more keys are wrong.`] : [])].join(' '));
    this.problems = problems;
  }
}

export type ConfigSources = {
  /** By dotted path, in the order given; text as typed. */
  readonly flags: Readonly<Record<string, string>>;
  /** The whole environment; only names that start with TESSERA_ are looked at. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The parsed file, when there is one. */
  readonly file?: { readonly name: string; readonly content: unknown };
};

/** Variables of the tests and tools that share the prefix. */
const OTHER_VARIABLES = new Set([
  'TESSERA_CONFORMANCE_DIR',
  'TESSERA_LONG',
  'TESSERA_MATERIAL_DIR',
  'TESSERA_REQUIRE',
  'TESSERA_SOAK_MINUTES',
  'TESSERA_CONFIG',
]);
const NAME_LIKE = /^[A-Za-z_][A-Za-z0-9_]{0,23}$/;
/** Also misspelt: a secret under an unknown key is one still. */
const SECRET = /^auth\.|^telemetry\.kafka\.sasl|key|token|passw|secret|sasl/i;

type Tree = { [key: string]: unknown };
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

function show(key: string, value: unknown): string {
  if (value === undefined) {
    return 'nothing';
  }
  if (SECRET.test(key) && key !== 'auth.publish') {
    return '(hidden)';
  }
  if (typeof value === 'object' && value !== null) {
    return Array.isArray(value) ? 'a list' : 'a section'; // what is in it may be secret
  }
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? 'a value that is no JSON' : text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function setPath(tree: Tree, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop() ?? '';
  let node = tree;
  for (const name of names) {
    if (!isTree(node[name])) {
      node[name] = {};
    }
    node = node[name] as Tree;
  }
  node[last] = value;
}

function getPath(tree: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (node, name) =>
      typeof node === 'object' && node !== null ? (node as Record<PropertyKey, unknown>)[name] : undefined,
    tree,
  );
}

/** Problems of one schema issue: unknown keys one by one, everything else by the key it is under. */
function problemsOf(issue: z.core.$ZodIssue, tree: Tree, sourceOf: (key: string) => string): ConfigProblem[] {
  const path = issue.path.map(String);
  const section = path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => {
      const shown = NAME_LIKE.test(name) ? name : '(not a name)'; // damaged text may make a name of a secret
      const key = section === '' ? shown : `${section}.${shown}`;
      const known = keysUnder(section);
      const owner = CONFIG_KEYS.find(
        (candidate) => section === candidate.path || section.startsWith(`${candidate.path}.`),
      );
      return {
        key,
        value: show(key, getPath(tree, [...issue.path, name])),
        allowed: known.length > 0 ? `the keys ${known.join(', ')}` : (owner?.allowed ?? 'no key'),
        source: sourceOf(key),
      };
    });
  }
  const owner = CONFIG_KEYS.find(({ path: known }) => section === known || section.startsWith(`${known}.`));
  const allowed =
    issue.code === 'custom'
      ? issue.message
      : (owner?.allowed ?? `a section with the keys ${keysUnder(section).join(', ')}`);
  return [{ key: section, value: show(section, getPath(tree, issue.path)), allowed, source: sourceOf(section) }];
}

function applyEnvironment(
  sources: ConfigSources,
  set: (key: ConfigKey, text: string, source: string) => void,
): ConfigProblem[] {
  const byName = new Map(CONFIG_KEYS.map((key) => [key.environment, key]));
  const unknown: ConfigProblem[] = [];
  for (const [name, text] of Object.entries(sources.environment)) {
    if (!name.startsWith('TESSERA_') || OTHER_VARIABLES.has(name) || text === undefined || text === '') {
      continue;
    }
    const key = byName.get(name);
    if (key === undefined) {
      const allowed = 'TESSERA_ and the path of a key in upper case with _, as in TESSERA_HTTP_PORT';
      unknown.push({ key: name, value: '(hidden)', allowed, source: 'the environment' });
    } else {
      set(key, text, name);
    }
  }
  return unknown;
}

/** The resolved configuration. Throws ConfigError naming every wrong key, its value and what is allowed. */
export function resolveConfig(sources: ConfigSources): Config {
  const content = sources.file?.content ?? {};
  const fileName = sources.file?.name ?? 'the file';
  if (!isTree(content)) {
    const allowed = `a section with the keys ${keysUnder('').join(', ')}`;
    throw new ConfigError([{ key: fileName, value: show('', content), allowed, source: fileName }]);
  }
  const tree = structuredClone(content);
  const setBy = new Map<string, string>();
  const set = (key: ConfigKey, text: string, source: string): void => {
    setPath(tree, key.path, valueFromText(key, text));
    setBy.set(key.path, source);
  };
  const problems = applyEnvironment(sources, set);
  for (const [path, text] of Object.entries(sources.flags)) {
    const key = CONFIG_KEYS.find((candidate) => candidate.path === path);
    if (key === undefined) {
      const parent = path.split('.').slice(0, -1).join('.');
      const known = keysUnder(parent).length > 0 ? keysUnder(parent) : keysUnder('');
      problems.push({
        key: path,
        value: show(path, text),
        allowed: `the keys ${known.join(', ')}`,
        source: `--${path}`,
      });
    } else {
      set(key, text, key.flag);
    }
  }
  const sourceOf = (key: string): string => {
    const owner = [...setBy].find(([path]) => key === path || key.startsWith(`${path}.`));
    return owner?.[1] ?? (sources.file === undefined ? 'the defaults' : fileName);
  };
  const result = configSchema.safeParse(tree);
  if (!result.success) {
    problems.push(...result.error.issues.flatMap((issue) => problemsOf(issue, tree, sourceOf)));
  }
  if (problems.length > 0 || !result.success) {
    throw new ConfigError(problems);
  }
  return result.data;
}
