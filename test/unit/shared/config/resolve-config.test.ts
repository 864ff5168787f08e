import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CONFIG_KEYS } from '../../../../shared/config/config-keys.ts';
import { ConfigError, resolveConfig, type ConfigProblem } from '../../../../shared/config/resolve-config.ts';

const resolve = (
  flags: Record<string, string> = {},
  environment: Record<string, string> = {},
  content?: unknown,
): ReturnType<typeof resolveConfig> =>
  resolveConfig({ flags, environment, ...(content === undefined ? {} : { file: { name: 'tessera.yaml', content } }) });

const problems = (run: () => unknown): readonly ConfigProblem[] => {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems;
    }
    throw error;
  }
  return [];
};

test('without anything given, every key has the default of the contract', () => {
  const config = resolve();
  expect(config).toMatchObject({
    http: { host: '0.0.0.0', port: 8080, trustedProxies: [], allowedOrigins: [] },
    rtmp: { host: '0.0.0.0', port: 1935 },
    tls: {},
    dataDir: './data',
    auth: { publish: 'keys', publishKeys: [] },
    demo: false,
    roles: 'all',
    telemetry: {
      driver: 'embedded',
      kafka: { brokers: [], ssl: false, topicPrefix: 'tessera.', partitions: 24, replication: 1 },
      embedded: { maxBytes: 2 * 1024 ** 3 },
    },
    transcode: { maxCpu: 0.8 },
    limits: {
      publisherMessageBytes: 4 * 1024 ** 2,
      viewerMessageBytes: 4096,
      subscriberQueueBytes: 8 * 1024 ** 2,
      subscriberQueueMs: 3000,
      joinBurstBytes: 16 * 1024 ** 2,
      groupCacheBytes: 16 * 1024 ** 2,
      publishers: 500,
      connectionsPerIp: 64,
      viewersPerIp: 0,
      handshakeMs: 5000,
      stalledMs: 2000,
      idlePublisherMs: 10_000,
      decodeBudgetMs: 500,
      keyframeRequestMs: 2000,
    },
  });
});

test('a flag wins over the environment, the environment over the file, the file over the default', () => {
  const file = { http: { port: 1, host: 'a' }, dataDir: '/f' };
  expect(resolve({}, {}, file).http.port).toBe(1);
  expect(resolve({}, { TESSERA_HTTP_PORT: '2' }, file).http.port).toBe(2);
  const config = resolve({ 'http.port': '3' }, { TESSERA_HTTP_PORT: '2' }, file);
  expect([config.http.port, config.http.host, config.dataDir]).toEqual([3, 'a', '/f']);
});

test('lists come from commas or JSON, booleans and the word off from text, and an empty variable is as if unset', () => {
  const config = resolve(
    { 'http.allowedOrigins': 'https://a.example, https://b.example', 'rtmp.port': 'off', demo: 'true' },
    {
      TESSERA_AUTH_PUBLISHKEYS: '[{"key":"abc","streams":["one"]},{"key":"def"}]',
      TESSERA_TELEMETRY_KAFKA_BROKERS: 'k1:9092,k2:9092',
      TESSERA_LIMITS_VIEWERSPERIP: '10',
      TESSERA_DATADIR: '',
    },
  );
  expect(config.http.allowedOrigins).toEqual(['https://a.example', 'https://b.example']);
  expect(config.rtmp.port).toBe('off');
  expect(config.demo).toBe(true);
  expect(config.auth.publishKeys).toEqual([
    { key: 'abc', streams: ['one'] },
    { key: 'def', streams: ['*'] },
  ]);
  expect(config.telemetry.kafka.brokers).toEqual(['k1:9092', 'k2:9092']);
  expect(config.limits.viewersPerIp).toBe(10);
  expect(config.dataDir).toBe('./data');
});

test.each<[string, () => unknown, Partial<ConfigProblem>]>([
  [
    'a flag',
    () => resolve({ 'http.port': 'eighty' }),
    { key: 'http.port', value: '"eighty"', allowed: 'a whole number from 0 to 65535', source: '--http.port' },
  ],
  [
    'a variable',
    () => resolve({}, { TESSERA_RTMP_PORT: '70000' }),
    { key: 'rtmp.port', value: '70000', allowed: 'off or a whole number from 0 to 65535', source: 'TESSERA_RTMP_PORT' },
  ],
  [
    'the file',
    () => resolve({}, {}, { telemetry: { driver: 'redis' } }),
    { key: 'telemetry.driver', value: '"redis"', allowed: 'embedded, kafka, memory', source: 'tessera.yaml' },
  ],
  [
    'a section that is no section',
    () => resolve({}, {}, { http: 5 }),
    { key: 'http', value: '5', allowed: 'a section with the keys host, port, trustedProxies, allowedOrigins' },
  ],
  [
    'a list item',
    () => resolve({ 'telemetry.kafka.brokers': 'nowhere' }),
    { key: 'telemetry.kafka.brokers.0', value: '"nowhere"' },
  ],
  ['half of tls', () => resolve({ 'tls.cert': 'c.pem' }), { key: 'tls.key', value: 'nothing' }],
  [
    'kafka without brokers',
    () => resolve({ 'telemetry.driver': 'kafka' }),
    { key: 'telemetry.kafka.brokers', value: 'nothing' },
  ],
  [
    'analytics alone on the embedded log',
    () => resolve({ roles: 'analytics' }),
    { key: 'roles', value: '"analytics"' },
  ],
])('a wrong value in %s is refused with key, value and what is allowed', (_name, run, expected) => {
  expect(problems(run)).toEqual([expect.objectContaining(expected)]);
});

test('unknown keys are refused wherever they come from, naming the neighbours', () => {
  expect(problems(() => resolve({ 'http.prot': '1' }))[0]).toEqual({
    key: 'http.prot',
    value: '"1"',
    allowed: 'the keys host, port, trustedProxies, allowedOrigins',
    source: '--http.prot',
  });
  expect(problems(() => resolve({}, { TESSERA_HTTP_PROT: '1' }))[0]).toMatchObject({ key: 'TESSERA_HTTP_PROT' });
  expect(problems(() => resolve({}, {}, { limits: { viewers: 5, speed: 9 }, x: 1 })).map(({ key }) => key)).toEqual([
    'limits.speed',
    'x',
  ]);
});

test('all problems are reported together, and the sentence names each key', () => {
  const run = (): unknown => resolve({ 'http.port': '-1', 'log.level': 'loud' }, {}, { demo: 'perhaps' });
  expect(problems(run)).toHaveLength(3);
  expect(run).toThrow(
    /http\.port = -1 \(from --http\.port\) is not allowed; allowed: a whole number from 0 to 65535\./,
  );
});

test('secrets are never repeated in an error', () => {
  const run = (): unknown => resolve({ 'auth.operatorToken': 'short', 'auth.publishKeys': '[{"key":"bad key!"}]' });
  const text = JSON.stringify(problems(run));
  expect(text).not.toContain('short');
  expect(text).not.toContain('bad key!');
  expect(problems(run)).toHaveLength(2);
});

test('2 000 random sources resolve or are refused with a ConfigError, never anything else', () => {
  const outcomes = { resolved: 0, refused: 0 };
  const path = fc.oneof(fc.constantFrom(...CONFIG_KEYS.map((key) => key.path)), fc.string({ maxLength: 12 }));
  const text = fc.oneof(
    fc.nat(70_000).map(String),
    fc.constantFrom('true', 'off', '[]', '[1', '{}', 'kafka', ''),
    fc.string(),
  );
  const file = fc.oneof(fc.constant({}), fc.object({ maxDepth: 3 }), fc.anything());
  fc.assert(
    fc.property(fc.dictionary(path, text, { maxKeys: 2 }), file, (flags, content) => {
      try {
        resolveConfig({ flags, environment: {}, file: { name: 'fuzz', content } });
        outcomes.resolved++;
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        outcomes.refused++;
      }
    }),
    { seed: 4, numRuns: 2000 },
  );
  expect(outcomes.resolved).toBeGreaterThan(50);
  expect(outcomes.refused).toBeGreaterThan(500);
});
