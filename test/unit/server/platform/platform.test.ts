import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { ConfigError, resolveConfig } from '../../../../shared/config/resolve-config.ts';
import { loadConfig } from '../../../../server/platform/config-loader.ts';
import { createLogger, redactUrl } from '../../../../server/platform/logger.ts';
import { createMetrics } from '../../../../server/platform/metrics.ts';
import { equalSecrets, loadSecrets } from '../../../../server/platform/secrets.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tessera-platform-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

test('secrets are made at first start with owner-only modes and stay the same across restarts', async () => {
  const dataDir = join(folder, 'data');
  const auth = { publish: 'keys', publishKeys: [] } as const;
  const first = await loadSecrets({ dataDir, auth: { ...auth, publishKeys: [] } });
  const second = await loadSecrets({ dataDir, auth: { ...auth, publishKeys: [] } });
  expect(second).toEqual(first);
  expect(first.publishKeys[0]?.key).toMatch(/^[A-Za-z0-9_-]{32}$/);
  expect(first.operatorToken).not.toBe(first.publishKeys[0]?.key);
  expect(await mode(dataDir)).toBe(0o700);
  expect(await mode(join(dataDir, 'publish-key'))).toBe(0o600);
  expect(await mode(join(dataDir, 'operator-token'))).toBe(0o600);
});

test('secrets of the configuration win over kept ones, and nothing is written for them', async () => {
  const publishKeys = [{ key: 'mine', streams: ['one'] }];
  const secrets = await loadSecrets({
    dataDir: folder,
    auth: { publish: 'keys', publishKeys, operatorToken: 'token-of-an-operator' },
  });
  expect(secrets).toEqual({ publishKeys, operatorToken: 'token-of-an-operator' });
  await expect(stat(join(folder, 'publish-key'))).rejects.toThrow('ENOENT');
});

test('a kept secret that somebody emptied is an error, not a new secret', async () => {
  await writeFile(join(folder, 'publish-key'), '');
  await expect(loadSecrets({ dataDir: folder, auth: { publish: 'keys', publishKeys: [] } })).rejects.toThrow(
    'publish-key holds no secret',
  );
});

test('secrets compare by content whatever their lengths', () => {
  expect(equalSecrets('abc', 'abc')).toBe(true);
  expect(equalSecrets('abc', 'abd')).toBe(false);
  expect(equalSecrets('abc', 'abcd')).toBe(false);
  expect(equalSecrets('', '')).toBe(true);
});

test('a configuration file is read as YAML or JSON, and a bad one is named', async () => {
  const path = join(folder, 'c.yaml');
  await writeFile(path, 'http:\n  port: 0\n  allowedOrigins: [https://a.example]\n');
  expect((await loadConfig({ flags: {}, file: path, environment: {} })).http.allowedOrigins).toEqual([
    'https://a.example',
  ]);
  await writeFile(path, '{"http":{"port":7}}');
  expect((await loadConfig({ flags: {}, environment: { TESSERA_CONFIG: path } })).http.port).toBe(7);
  await writeFile(path, 'http: [1');
  await expect(loadConfig({ flags: {}, file: path, environment: {} })).rejects.toThrow(ConfigError);
  await expect(loadConfig({ flags: {}, file: join(folder, 'none'), environment: {} })).rejects.toThrow('ENOENT');
  await writeFile(path, '');
  expect((await loadConfig({ flags: {}, file: path, environment: {} })).http.port).toBe(8080);
});

test('log records hide secrets by field name, and addresses lose theirs', () => {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', json: true, destination: { write: (line) => void lines.push(line) } });
  logger.info(
    {
      key: 'S3CRET',
      request: { authorization: 'Bearer S3CRET', url: redactUrl('/publish/a?key=S3CRET&class=normal') },
    },
    'x',
  );
  logger.debug('unseen');
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain('S3CRET');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'info',
    msg: 'x',
    request: { url: '/publish/a?key=(hidden)&class=normal' },
  });
});

test('a metric is declared once and shows in the text', async () => {
  const metrics = createMetrics();
  metrics.counter('refused_total', 'Refusals.', ['code']).inc({ code: 'busy' });
  metrics.counter('refused_total', 'Refusals.', ['code']).inc({ code: 'busy' });
  expect(await metrics.registry.metrics()).toContain('tessera_refused_total{code="busy"} 2');
});

test('the operator token file holds the token and a line end', async () => {
  const secrets = await loadSecrets({ dataDir: folder, auth: { publish: 'keys', publishKeys: [] } });
  expect(await readFile(join(folder, 'operator-token'), 'utf8')).toBe(`${secrets.operatorToken}\n`);
});

test('config/server.yaml shows every key with its default', async () => {
  const shown = parse(await readFile(new URL('../../../../config/server.yaml', import.meta.url), 'utf8')) as object;
  expect(shown).toEqual(resolveConfig({ flags: {}, environment: {} }));
});
