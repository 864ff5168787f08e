// How to start another file of ours as a worker thread: compiled code as it is, TypeScript source through its loader. Used by the
// transcode workers and by the codec's thread host.

import { existsSync } from 'node:fs';

export type WorkerEntry = {
  /** The file for `new Worker`. */
  readonly script: URL;
  /** What its workerData must hold beside the caller's own. */
  readonly data: { readonly typescriptEntry?: string };
};

/** The entry `path` (relative, without extension) seen from the module at `importerUrl`; it has the importer's own extension. */
export function workerEntry(importerUrl: string, path: string): WorkerEntry {
  if (!importerUrl.endsWith('.ts')) {
    return { script: new URL(`${path}.js`, importerUrl), data: {} };
  }
  const loader = new URL('./typescript-worker.mjs', import.meta.url);
  if (!existsSync(loader)) {
    throw new TypeError('typescript-worker.mjs is missing beside worker-entry.ts.');
  }
  return { script: loader, data: { typescriptEntry: new URL(`${path}.ts`, importerUrl).href } };
}
