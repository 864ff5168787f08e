// Apache Kafka as operators run it: TLS with a certificate of a private authority, users with passwords. The server writes and reads
// through it, `tessera forget` too; a wrong password and an unknown certificate are one sentence each.

import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { LocalKafka } from '../../../scripts/kafka/local-broker.ts';
import { eventually } from '../../support/eventually.ts';
import { kafkaForTests } from '../../support/kafka-broker.ts';
import { consumeAll } from '../../support/kcat.ts';
import { describeWith } from '../../support/requirements.ts';
import { startServe, type ServeProcess } from '../../support/serve-process.ts';

const USER = { username: 'tessera', password: 'correct-horse' };

describeWith(['kafka'], 'Apache Kafka with TLS and SASL', () => {
  let broker: Awaited<ReturnType<typeof kafkaForTests>>;
  let secure: NonNullable<LocalKafka['secure']>;
  const started: ServeProcess[] = [];
  beforeAll(async () => {
    broker = await kafkaForTests('4.1', 1, USER);
    secure = broker.secure!;
  }, 300_000);
  afterAll(async () => {
    await Promise.all(started.map((server) => server.stop()));
    await broker.dispose();
  }, 120_000);

  const login = (mechanism: string, password = USER.password): Record<string, string> => ({
    NODE_EXTRA_CA_CERTS: secure.certificate,
    TESSERA_TELEMETRY_DRIVER: 'kafka',
    TESSERA_TELEMETRY_KAFKA_BROKERS: secure.bootstrap,
    TESSERA_TELEMETRY_KAFKA_PARTITIONS: '2',
    TESSERA_TELEMETRY_KAFKA_SSL: 'true',
    TESSERA_TELEMETRY_KAFKA_SASL_MECHANISM: mechanism,
    TESSERA_TELEMETRY_KAFKA_SASL_USERNAME: USER.username,
    TESSERA_TELEMETRY_KAFKA_SASL_PASSWORD: password,
  });

  async function serve(environment: Record<string, string>): Promise<ServeProcess> {
    const server = await startServe(['--rtmp.port', 'off'], environment);
    started.push(server);
    return server;
  }

  test('events go out and come back with a password (plain), and kcat reads them with the same', async () => {
    const server = await serve(login('plain'));
    const events = [1, 2, 3].map((value) => JSON.stringify({ type: 'meter', key: 'k', value, ts: Date.now() }));
    const answer = await fetch(`${server.http}/api/v1/events/house`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/x-ndjson' },
      body: events.join('\n'),
    });
    expect(answer.status).toBeLessThan(300);
    await eventually(
      'the window jobs to have read them',
      async () => {
        const text = await (await fetch(`${server.http}/metrics`)).text();
        return Number(/^tessera_analytics_records (\d+)/m.exec(text)?.[1] ?? 0) >= 3;
      },
      60_000,
      250,
    );
    const flags = ['security.protocol=SASL_SSL', 'sasl.mechanisms=PLAIN', `ssl.ca.location=${secure.certificate}`];
    flags.push(`sasl.username=${USER.username}`, `sasl.password=${USER.password}`);
    const records = await consumeAll(
      secure.bootstrap,
      'tessera.data.v1',
      flags.flatMap((flag) => ['-X', flag]),
    );
    expect(records.flatMap(({ value }) => (value['type'] === 'meter' ? [value['value']] : []))).toEqual([1, 2, 3]);
    expect(server.log()).not.toContain(USER.password);
  }, 180_000);

  test('`tessera forget` logs in by SCRAM and says what it did', () => {
    const args = ['--import', 'tsx', resolve('server/main.ts'), 'forget', 'house', '--truncate', '--json'];
    const env = { ...process.env, ...login('scram-sha-512') };
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const { log, removed } = JSON.parse(stdout) as { log: string; removed: Record<string, number> };
    expect(log).toBe('kafka');
    expect(removed['data']).toBeGreaterThanOrEqual(3);
  }, 180_000);

  test('a wrong password is one sentence that names the user and the keys to look at', async () => {
    for (const mechanism of ['plain', 'scram-sha-512']) {
      await expect(serve(login(mechanism, 'wrong-horse'))).rejects.toThrow(
        `Kafka at ${secure.bootstrap} refuses the user tessera: check username, password and mechanism of telemetry.kafka.sasl.`,
      );
    }
  }, 180_000);

  test('a certificate that nobody vouches for is one sentence that says how to trust it', async () => {
    await expect(serve({ ...login('plain'), NODE_EXTRA_CA_CERTS: '' })).rejects.toThrow(
      /The certificate of Kafka at 127\.0\.0\.1:\d+ is not trusted .* NODE_EXTRA_CA_CERTS names a file with its authority\./,
    );
  }, 180_000);
});
