// Events of other sources through a running server: lines and CMCD reports in, windows, history and health out, and what is refused.

import { afterEach, expect, test } from '@jest/globals';
import { startServer, TestPublisher, until, type TestServer } from '../../support/running-server.ts';

let server: TestServer;
const publishers: TestPublisher[] = [];

async function begin(flags: Record<string, string> = {}): Promise<TestPublisher> {
  server = await startServer({ 'telemetry.driver': 'memory', 'auth.publish': 'open', ...flags });
  const publisher = new TestPublisher(`${server.ws}/publish/s`);
  publishers.push(publisher);
  await publisher.hello('key');
  publisher.track();
  publisher.unit(0, { priority: 'key' });
  await until('the stream is live', async () => (await get('/api/v1/streams')).text.includes('"live"'));
  return publisher;
}
afterEach(async () => {
  publishers.splice(0).forEach((publisher) => publisher.leave());
  await server.stop();
});

type Answer = { readonly status: number; readonly text: string; readonly json: Record<string, unknown> };

async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(server.http + path, init);
  const text = await response.text();
  return { status: response.status, text, json: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}
const get = (path: string): Promise<Answer> => ask(path);
const post = (path: string, body: string): Promise<Answer> => ask(path, { method: 'POST', body });
const lines = (count: number, ts = Date.now()): string =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({ type: 'weather', key: 'air', value: 20 + (i % 3), ts }),
  ).join('\n');

test('lines become windows that can be asked for, also without media', async () => {
  await begin();
  expect((await post('/api/v1/events/s', lines(6))).json).toEqual({ accepted: 6 });
  expect((await post('/api/v1/events/sensors', lines(3))).json).toEqual({ accepted: 3 });
  for (const stream of ['s', 'sensors']) {
    await until(
      `a window of ${stream}`,
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 200)); // asked at every turn, the rate limit answers soon
        // Until its events have come back through the log the stream is unknown: 404, without windows.
        const { status, json } = await get(`/api/v1/streams/${stream}/data`);
        return status === 200 && (json['windows'] as unknown[]).length > 0;
      },
      30_000,
    );
  }
  const { windows } = (await get('/api/v1/streams/s/data')).json as {
    windows: { start: number; end: number; keys: object }[];
  };
  expect(windows[0]!.end - windows[0]!.start).toBe(5000);
  expect(windows[0]!.keys).toMatchObject({ air: { count: 6, mean: 21, min: 20, max: 22 } });
  const health = await get('/api/v1/streams/sensors/health');
  expect(health.json).toMatchObject({ status: 'good', bitrateKbps: null, issues: [] });
}, 60_000);

test('what is wrong is refused with a code', async () => {
  await begin({ 'limits.eventsPerSecond': '10' });
  const now = Date.now();
  const refusals: [Promise<Answer>, number, string][] = [
    [post('/api/v1/events/s', '{"type":"x"}'), 400, 'malformed'],
    [post('/api/v1/events/s', lines(51)), 429, 'limit'],
    [get('/api/v1/streams/s/history?from=x'), 400, 'malformed'],
    [get('/api/v1/streams/s/history?from='), 400, 'malformed'],
    [get('/api/v1/streams/s/history?step=0'), 400, 'malformed'],
    [get('/api/v1/streams/s/history?step=-5'), 400, 'malformed'],
    [get(`/api/v1/streams/s/history?from=${now}&to=${now - 1}`), 400, 'malformed'],
    [get('/api/v1/streams/s/history?from=0&step=10000'), 400, 'malformed'],
    [get('/api/v1/streams/nobody/history'), 404, 'no-such-stream'],
    [get('/api/v1/streams/s/data?from=9&to=9'), 400, 'malformed'],
    [post('/api/v1/cmcd', 'nonsense'), 400, 'malformed'],
    [post('/api/v1/cmcd', 'cid="nobody",e=t,sid="a",v=2'), 404, 'no-such-stream'],
    [post('/api/v1/cmcd', Array.from({ length: 101 }, () => 'cid="s",e=t,sid="a",v=2').join('\n')), 429, 'limit'],
  ];
  for (const [answer, status, code] of refusals) {
    expect(await answer).toMatchObject({ status, json: { status, code } });
  }
  expect((await post('/api/v1/events/s', lines(40))).status).toBe(202); // the refused batch took nothing
});

test('other players report by CMCD and count as viewers', async () => {
  await begin();
  expect((await post('/api/v1/cmcd', 'e=ps,sid="a",sta=p,msd=700,ltc=1800,v=2\ne=t,sid="b",ltc=2200,v=2')).status).toBe(
    404,
  );
  const report = async (): Promise<boolean> => {
    const { status } = await post(
      '/api/v1/cmcd?stream=s',
      'cid="s",e=ps,sid="a",sta=p,msd=700,ltc=1800,v=2\ne=t,sid="b",ltc=2200,v=2',
    );
    expect(status).toBe(204);
    const { latencyMs } = (await get('/api/v1/streams/s/health')).json as {
      latencyMs?: { kind: string; p99: number | null };
    };
    return latencyMs?.kind === 'ingest' && latencyMs.p99 !== null && Math.abs(latencyMs.p99 - 2200) < 30;
  };
  const publisher = publishers[0]!;
  let ms = 0;
  await until(
    'their latency is in the health',
    async () => {
      publisher.unit((ms += 250), { priority: ms % 1000 === 0 ? 'key' : 'reference' });
      await new Promise((resolve) => setTimeout(resolve, 250));
      return report();
    },
    30_000,
  );
}, 60_000);

test('history says null where nothing was heard', async () => {
  await begin();
  const { points, step } = (await get(`/api/v1/streams/s/history?from=${Date.now() - 60_000}&step=1`)).json as {
    points: { bitrateKbps: number | null }[];
    step: number;
  };
  expect(step).toBe(10_000);
  expect(points.length).toBeGreaterThanOrEqual(6);
  expect(points[0]!.bitrateKbps).toBeNull();
});

test('the description of the API names every address', async () => {
  await begin();
  const { paths } = (await get('/api/v1/openapi.json')).json as { paths: object };
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining(['/api/v1/cmcd', '/api/v1/streams/{stream}/data', '/api/v1/streams/{stream}/history']),
  );
});
