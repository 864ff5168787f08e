// Starts machine-thread.ts from its source (development and tests): registers the loader, then imports it. The built server starts the
// compiled file directly.
import { register } from 'tsx/esm/api';

register();
await import('./machine-thread.ts');
