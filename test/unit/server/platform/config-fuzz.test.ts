// Damaged configuration files, environments and flags: a configuration or a ConfigError of bounded length that repeats no secret,
// never anything else.

import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { CONFIG_KEYS } from '../../../../shared/config/config-keys.ts';
import { ConfigError, resolveConfig } from '../../../../shared/config/resolve-config.ts';
import { parseConfigText } from '../../../../server/platform/config-loader.ts';
import { fuzz, mutate, type Random } from '../../../support/fuzz.ts';

const SECRET = 'hunter2-hunter2-hunter2';
const MAX_SENTENCE = 8000;
const yaml = readFileSync('config/server.yaml', 'utf8').replace(
  'publishKeys: []',
  `publishKeys: [{ key: ${SECRET}, streams: [a] }]`,
);
const json = JSON.stringify({
  http: { port: 0, allowedOrigins: ['https://a.example'] },
  auth: { operatorToken: SECRET, publishKeys: [{ key: SECRET }] },
  telemetry: { driver: 'kafka', kafka: { brokers: ['a:1'], sasl: { username: 'u', password: SECRET } } },
  transcode: { ladder: [{ name: '720p', width: 1280, height: 720, fps: 30, kbps: 2500 }] },
});

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[random(items.length)] as Item;

/** Text as a person may give it: right, nearly right, or nonsense. */
function textOf(random: Random): string {
  const texts = [
    '0',
    '8080',
    '-1',
    '1e9',
    'true',
    'off',
    'kafka',
    '',
    '[1',
    '[]',
    '{}',
    'a:1,b:2',
    'x'.repeat(300),
    '\u0000',
  ];
  return random(4) === 0
    ? String.fromCharCode(...Array.from({ length: random(12) }, () => random(0x3000)))
    : pick(random, texts);
}

function outcomeOf(random: Random): string {
  const flags: Record<string, string> = {};
  const environment: Record<string, string> = {};
  for (let count = random(3); count > 0; count--) {
    const { path } = pick(random, CONFIG_KEYS);
    flags[random(5) === 0 ? `${path}${pick(random, ['x', '.y', '.__proto__', ''])}` : path] = textOf(random);
  }
  for (let count = random(3); count > 0; count--) {
    const { environment: name } = pick(random, CONFIG_KEYS);
    environment[random(5) === 0 ? `${name}_X` : name] = textOf(random);
  }
  const original = random(2) === 0 ? yaml : json;
  const text =
    random(4) === 0 ? original : new TextDecoder().decode(mutate(random, new TextEncoder().encode(original)));
  try {
    resolveConfig({ flags, environment, file: { name: 'server.yaml', content: parseConfigText('server.yaml', text) } });
    return 'taken';
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    expect(error.problems.length).toBeGreaterThan(0);
    expect(error.message.length).toBeLessThan(MAX_SENTENCE);
    expect(error.message).not.toContain(SECRET);
    const [problem] = error.problems;
    return `refused, ${problem?.key === 'config' ? 'no YAML' : error.problems.length > 1 ? 'several keys' : 'one key'}`;
  }
}

test('damaged configurations are taken or refused in sentences', () => {
  const outcomes = fuzz('configuration', 20261128, (random) => outcomeOf(random));
  expect([...outcomes.keys()].toSorted()).toEqual([
    'refused, no YAML',
    'refused, one key',
    'refused, several keys',
    'taken',
  ]);
}, 300_000);

test('an alias bomb is refused, and a prototype is no key', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...Array.from(
      { length: 9 },
      (_, i) =>
        `b${i}: &b${i} [${Array(9)
          .fill(`*${i === 0 ? 'a' : `b${i - 1}`}`)
          .join(',')}]`,
    ),
  ];
  expect(() => parseConfigText('bomb', bomb.join('\n'))).toThrow(ConfigError);
  const content = parseConfigText('p', '{"__proto__": {"demo": true}}');
  expect(() => resolveConfig({ flags: {}, environment: {}, file: { name: 'p', content } })).toThrow(ConfigError);
  expect(({} as { demo?: boolean }).demo).toBeUndefined();
});
