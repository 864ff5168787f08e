// The smart-city example against a running server, in real time: two cameras, their sensors, the page, and the window results of the
// moments that the video shows. With TESSERA_LONG also the lamp that goes silent.

import { afterEach, expect, test } from '@jest/globals';
import { startCity, STREETS } from '../../../examples/smart-city/smart-city.ts';
import { startServer, until, type TestServer } from '../../support/running-server.ts';

let server: TestServer | null = null;
let city: { readonly page: string; stop(): Promise<void> } | null = null;
afterEach(async () => {
  await city?.stop();
  await server?.stop();
});

/** An answer of the API through the city's page, asked for no faster than its rate limit allows. */
async function ask<Answer>(base: URL, path: string): Promise<Answer> {
  await new Promise((resolve) => setTimeout(resolve, 500));
  return (await (await fetch(new URL(path, base))).json()) as Answer;
}

const isLong = process.env['TESSERA_LONG'] === '1';

test('two streets are live, their numbers are in windows, and health is good', async () => {
  server = await startServer({ 'telemetry.driver': 'memory' });
  const told: string[] = [];
  city = await startCity({ url: server.http, key: server.publishKey, port: 0, tell: (line) => told.push(line) });
  const base = new URL(city.page);
  const page = await fetch(base);
  expect(await page.text()).toContain('Smart city');
  expect((await fetch(new URL('/healthz', base))).status).toBe(200); // passed on to the server
  for (const { stream } of STREETS) {
    type Seen = { windows: { start: number; end: number; keys: Record<string, { mean: number; count: number }> }[] };
    let seen: Seen = { windows: [] };
    await until(
      `two windows of ${stream}`,
      async () => {
        seen = await ask<Seen>(base, `/api/v1/streams/${stream}/data`);
        return seen.windows.length >= 2;
      },
      60_000,
    );
    const street = STREETS.find((each) => each.stream === stream)!;
    const { start, end, keys } = seen.windows.at(-1)!;
    expect(Object.keys(keys).sort()).toEqual(['cars', 'lamp-1', 'lamp-2', 'power', 'temperature', 'wind']);
    // The picture and the sensor agree: both are the street at that moment.
    const cars = [0, 1, 2, 3, 4, 5].map((second) => street.cars(start / 1000 + second));
    expect(keys['cars']!.mean).toBeGreaterThanOrEqual(Math.min(...cars));
    expect(keys['cars']!.mean).toBeLessThanOrEqual(Math.max(...cars));
    expect(end - start).toBe(5000);
    await until(
      `${stream} is healthy`,
      async () => {
        const health = await ask<{ status: string; fps: number | null }>(base, `/api/v1/streams/${stream}/health`);
        return health.status !== 'unknown' && (health.fps ?? 0) > 0;
      },
      30_000,
    );
  }
  if (isLong) {
    await until(
      'a silent lamp is told',
      () => told.some((line) => /^ALERT city-\w+ device-silent lamp-2/.test(line)),
      90_000,
    );
    await until(
      'and comes back',
      () => told.some((line) => /^over {2}city-\w+ device-silent lamp-2/.test(line)),
      90_000,
    );
  }
}, 300_000);
