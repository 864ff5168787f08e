// Starts a worker written in TypeScript from its source (development and tests): registers the loader, then imports the entry that
// worker-entry.ts names in workerData.typescriptEntry. The built server starts the compiled worker directly.
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
await import(workerData.typescriptEntry);
