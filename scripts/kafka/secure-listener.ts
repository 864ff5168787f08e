// A second listener of the local broker, as brokers outside have it: TLS with a certificate of its own, users with passwords (SASL).

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Who may log in at the listener. */
export type KafkaUser = { readonly username: string; readonly password: string };

const NAME = 'SECURE';
const SCRAM = 'SCRAM-SHA-512';

/** The listener's certificate, signed by itself; made once per data folder by openssl. Clients trust the file to talk to the broker. */
export function certificateOf(dataDir: string): string {
  const certificate = join(dataDir, 'broker-certificate.pem');
  const key = join(dataDir, 'broker-key.pem');
  if (!existsSync(certificate)) {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
    const form = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '365', '-keyout', key, '-out', certificate];
    const { status, stderr } = spawnSync('openssl', ['req', ...form, ...subject], { encoding: 'utf8' });
    if (status !== 0) {
      throw new Error(`openssl could not make a certificate: ${stderr.trim().split('\n').at(-1) ?? ''}`);
    }
    writeFileSync(join(dataDir, 'broker-keystore.pem'), readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'), {
      mode: 0o600,
    });
  }
  return certificate;
}

/** What the listener adds to `listeners`, to the map of protocols and to the properties. */
export function secureListener(port: number, dataDir: string, { username, password }: KafkaUser) {
  const prefix = `listener.name.${NAME.toLowerCase()}`;
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  return {
    address: `${NAME}://127.0.0.1:${port}`,
    protocol: `${NAME}:SASL_SSL`,
    properties: {
      [`${prefix}.sasl.enabled.mechanisms`]: `PLAIN,${SCRAM}`,
      [`${prefix}.plain.sasl.jaas.config`]: `${plain} required user_${username}="${password}";`,
      [`${prefix}.${SCRAM.toLowerCase()}.sasl.jaas.config`]: `${scram} required;`,
      [`${prefix}.ssl.keystore.type`]: 'PEM',
      [`${prefix}.ssl.keystore.location`]: join(dataDir, 'broker-keystore.pem'),
    },
  };
}

/** What formats a data folder so that the user can log in by SCRAM. */
export function scramArguments({ username, password }: KafkaUser): readonly string[] {
  return ['--add-scram', `${SCRAM}=[name=${username},password=${password}]`];
}
