// The publish key and the operator token: from the configuration, else made at first start and kept in dataDir across restarts.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../../shared/config/resolve-config.ts';
import type { Config } from '../../shared/config/config-schema.ts';
import { makeDataFolder } from './data-folder.ts';

/** Who may publish where, and what operators show. */
export type Secrets = {
  readonly publishKeys: readonly { readonly key: string; readonly streams: readonly string[] }[];
  readonly operatorToken: string;
};

/** Whether two secrets are equal, in a time that tells nothing about where they differ. */
export function equalSecrets(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** 24 random bytes as 32 characters of `[A-Za-z0-9_-]`. */
export function randomSecret(): string {
  return randomBytes(24).toString('base64url');
}

async function keptSecret(path: string): Promise<string> {
  try {
    const kept = (await readFile(path, 'utf8')).trim();
    if (/^[A-Za-z0-9_-]{16,64}$/.test(kept)) {
      await chmod(path, 0o600);
      return kept;
    }
    throw new Error(`${path} holds no secret of ours: it must be one line of 16 to 64 characters A-Z a-z 0-9 _ -.`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw error;
    }
  }
  const secret = randomSecret();
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(`${secret}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return secret;
}

/** Makes `dataDir` (0700) where missing, and the secrets that the configuration does not give (files of 0600). */
export async function loadSecrets(config: Pick<Config, 'dataDir' | 'auth'>): Promise<Secrets> {
  try {
    await makeDataFolder(config.dataDir);
  } catch (error) {
    const source = (error as NodeJS.ErrnoException).code ?? 'unusable';
    const allowed = 'a folder that this user can make and write';
    throw new ConfigError([{ key: 'dataDir', value: config.dataDir, allowed, source }]);
  }
  const { publishKeys, operatorToken } = config.auth;
  return {
    publishKeys:
      publishKeys.length > 0
        ? publishKeys
        : [{ key: await keptSecret(join(config.dataDir, 'publish-key')), streams: ['*'] }],
    operatorToken: operatorToken ?? (await keptSecret(join(config.dataDir, 'operator-token'))),
  };
}
