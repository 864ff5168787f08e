// The decode worker of the player page. A script of its own, which config/vite.config.ts puts ahead of the page's: a worker takes
// about as long to start as the page to load and draw itself, and so they do it side by side.

import { startDecodeWorker } from './start-decode-worker.ts';

/** Waits for the page's player. */
export const earlyWorker = startDecodeWorker();
