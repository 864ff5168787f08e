// Makes sure that dist/pages is what client/ and shared/ say now: browser tests never run against an old build.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const BUILT = 'dist/pages/player.html';

function newestIn(folder: string): number {
  return Math.max(
    0,
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  );
}

/** Builds the pages when a source is newer than they are. Throws with Vite's words when that fails. */
export function ensurePages(): void {
  const isFresh =
    existsSync(BUILT) && statSync(BUILT).mtimeMs > Math.max(newestIn('client'), newestIn('shared'), newestIn('config'));
  if (isFresh) {
    return;
  }
  const { status, stdout, stderr } = spawnSync('npx', ['vite', 'build', '--config', 'config/vite.config.ts']);
  if (status !== 0) {
    throw new Error(`The pages could not be built: ${stdout.toString()}${stderr.toString()}`);
  }
}
