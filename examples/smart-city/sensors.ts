// Sends what the sensors of a street measure, once a second, as lines to POST /api/v1/events/STREAM.

import type { Street } from './street.ts';

const EVERY_MS = 1000;

/** Sends until the returned function is called. Failures are told on stderr, and the next second is tried again. */
export function startSensors(url: string, key: string, street: Street): () => void {
  const address = new URL(`/api/v1/events/${street.stream}`, url);
  const startedAt = Date.now();
  const send = async (): Promise<void> => {
    const now = Date.now();
    const readings = street.readings(now / 1000, (now - startedAt) / 1000);
    const body = readings.map((reading) => JSON.stringify({ ...reading, ts: now })).join('\n');
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' };
    const response = await fetch(address, { method: 'POST', headers, body });
    if (response.status !== 202) {
      process.stderr.write(`${street.stream}: the sensors were refused: ${await response.text()}\n`);
    }
  };
  const timer = setInterval(() => {
    send().catch((error: unknown) => {
      process.stderr.write(`${street.stream}: ${error instanceof Error ? error.message : String(error)}\n`);
    });
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
  };
}
