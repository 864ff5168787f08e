// The smart-city example against a running server, in real time: two cameras, their sensors, the page, and the window results of the
// moments that the video shows, and a lamp that goes silent, is told, and comes back.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startCity, STREETS } from '../../../examples/smart-city/smart-city.ts';
import { Street } from '../../../examples/smart-city/street.ts';
import { startServer, until, type TestServer } from '../../support/running-server.ts';

/** Long enough in use to be known (three windows), then silent for longer than a device may be (ten seconds). */
const BRIEF_OUTAGE = { everySeconds: 600, fromSecond: 25, forSeconds: 25 };

let server: TestServer;
let city: { readonly page: string; stop(): Promise<void> };
const told: string[] = [];
const CITY = [STREETS[0], new Street('city-bridge', 1, BRIEF_OUTAGE)];
const SENSORS = ['cars', 'lamp-1', 'lamp-2', 'power', 'temperature', 'wind'];
beforeAll(async () => {
  server = await startServer({ 'telemetry.driver': 'memory' });
  const { http: url, publishKey: key } = server;
  city = await startCity({ url, key, port: 0, streets: CITY, tell: (line) => told.push(line) });
}, 60_000);
afterAll(async () => {
  await city.stop();
  await server.stop();
}, 60_000);

/** An answer of the API through the city's page, asked for no faster than its rate limit allows. */
async function ask<Answer>(base: URL, path: string): Promise<Answer> {
  await new Promise((resolve) => setTimeout(resolve, 500));
  return (await (await fetch(new URL(path, base))).json()) as Answer;
}

test('two streets are live, their numbers are in windows, and health is good', async () => {
  const base = new URL(city.page);
  const page = await fetch(base);
  expect(await page.text()).toContain('Smart city');
  expect((await fetch(new URL('/healthz', base))).status).toBe(200); // passed on to the server
  for (const street of CITY) {
    const { stream } = street;
    type Window = { start: number; end: number; keys: Record<string, { mean: number; count: number }> };
    let whole: Window | undefined;
    await until(
      `a window of ${stream} with every sensor`,
      async () => {
        const { windows } = await ask<{ windows: Window[] }>(base, `/api/v1/streams/${stream}/data`);
        whole = windows.find(({ keys }) => SENSORS.every((sensor) => sensor in keys));
        return whole !== undefined;
      },
      60_000,
    );
    const { start, end, keys } = whole!;
    expect(Object.keys(keys).sort()).toEqual(SENSORS);
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
}, 300_000);

test('a lamp that falls silent is told, with its advice, and it is over when the lamp reports again', async () => {
  const hasTold = (line: RegExp) => (): boolean => told.some((each) => line.test(each));
  const alert = /^ALERT city-bridge device-silent lamp-2: This source used to report/;
  await until('the silent lamp to be told', hasTold(alert), 120_000);
  await until('its return to be told', hasTold(/^over {2}city-bridge device-silent lamp-2$/), 120_000);
  expect(told.filter((line) => line.includes('device-silent') && !line.includes('lamp-2'))).toEqual([]);
}, 300_000);
