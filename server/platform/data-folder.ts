// Makes the data folder. mkdir's own `recursive` goes on for ever where a folder that is there refuses new ones with ENOENT, as /proc does.

import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Whether there is something at `path`. Rejects where that cannot be told, as below a file. */
async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return false;
    }
    throw error;
  }
}

/** Makes a folder and those above it that are missing, for the owner only (0700). Rejects with the system's error. */
export async function makeDataFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await isThere(at)); at = dirname(at)) {
    missing.unshift(at);
  }
  for (const folder of missing) {
    await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') {
        throw error; // EEXIST: another process was faster
      }
    });
  }
  if (!(await stat(path)).isDirectory()) {
    throw Object.assign(new Error(`${path} is no folder.`), { code: 'ENOTDIR' });
  }
  await chmod(path, 0o700);
}
