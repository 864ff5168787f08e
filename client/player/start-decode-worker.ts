// Starts the worker that receives, decodes and paints. Apart from player.ts, so that a page can have it started before all else.

/** A decode worker that waits for its player. */
export function startDecodeWorker(): Worker {
  return new Worker(new URL('../media/decode-worker.ts', import.meta.url), { type: 'module', name: 'decode' });
}
