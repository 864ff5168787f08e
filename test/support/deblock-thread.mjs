// Entry of the thread of test/kernels/threads.test.ts: registers the TypeScript loader, then runs deblock-thread.ts.
import { register } from 'tsx/esm/api';

register();
await import('./deblock-thread.ts');
