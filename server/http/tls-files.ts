// The certificate and its key of the configuration, read and tried before anything listens: a wrong file is a wrong configuration.

import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { ConfigError } from '../../shared/config/resolve-config.ts';

export type TlsFiles = { readonly cert: string; readonly key: string };

async function read(key: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const source = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigError([{ key, value: path, allowed: 'a file that can be read', source }]);
  }
}

/** Both files as PEM. Throws ConfigError when one cannot be read, is no PEM, or they do not belong together. */
export async function readTlsFiles(files: TlsFiles): Promise<{ readonly cert: Buffer; readonly key: Buffer }> {
  const [cert, key] = await Promise.all([read('tls.cert', files.cert), read('tls.key', files.key)]);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const source = (error as NodeJS.ErrnoException).code ?? 'unusable';
    const value = `${files.cert}, tls.key = ${files.key}`;
    throw new ConfigError([{ key: 'tls.cert', value, allowed: 'a certificate and its own key, both PEM', source }]);
  }
  return { cert, key };
}
