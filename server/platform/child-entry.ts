// How to start another file of ours as a child process: compiled code as it is, TypeScript source through tsx.
// Used by the RTMP ingest, which runs alone in its own process.

import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

export type ChildEntry = {
  /** Path for child_process.spawn or fork. */
  readonly path: string;
  /** Flags for node that go before it. */
  readonly execArgv: readonly string[];
};

/** The entry `name` (without extension) beside the module at `importerUrl`; it has the importer's own extension. */
export function childEntry(importerUrl: string, name: string): ChildEntry {
  const isSource = importerUrl.endsWith('.ts');
  const path = fileURLToPath(new URL(`./${name}${isSource ? '.ts' : '.js'}`, importerUrl));
  const tsx = isSource ? ['--import', pathToFileURL(createRequire(importerUrl).resolve('tsx')).href] : [];
  return { path, execArgv: tsx };
}
