// What the HTTP door promises: headers, pages, operators, rate limit, description of the API.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { publish, startServer, until, type TestServer } from '../../support/running-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({
    'limits.requestsPerMinute': '20',
    'http.allowedOrigins': 'https://friend.example',
    'http.trustedProxies': '127.0.0.1',
    'telemetry.driver': 'memory',
  });
});
afterAll(async () => {
  await server.stop();
});

/** As a proxy on this machine would pass it on. */
const asStranger = (path: string, headers: Record<string, string> = {}, from = '203.0.113.1') =>
  fetch(`${server.http}${path}`, { headers: { 'x-forwarded-for': from, ...headers } });

test('every answer isolates the page, forbids foreign scripts and sends no referrer', async () => {
  const { headers } = await fetch(`${server.http}/healthz`);
  expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
  expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
  expect(policy).not.toContain('unsafe-inline');
});

test('metrics, history and the console are for operators: this machine, or the token', async () => {
  for (const path of ['/metrics', '/console', '/api/v1/streams/x/history', '/api/v1/capacity']) {
    const refused = await asStranger(path);
    expect([path, refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
      path,
      401,
      'operators-only',
    ]);
    const shown = await asStranger(path, { authorization: `Bearer ${server.operatorToken}` });
    expect([path, shown.status === 401]).toEqual([path, false]);
  }
  expect(await (await fetch(`${server.http}/metrics`)).text()).toContain('tessera_publishers');
  expect((await asStranger('/healthz')).status).toBe(200);
});

test("publishers' addresses are told to operators only", async () => {
  const publisher = await publish(server, 'addresses');
  publisher.unit(0, { priority: 'key' });
  const list = async (response: Response) =>
    ((await response.json()) as { streams: { publisher: object }[] }).streams[0]?.publisher;
  expect(await list(await fetch(`${server.http}/api/v1/streams`))).toEqual({
    protocol: 'websocket',
    address: '127.0.0.1',
  });
  expect(await list(await asStranger('/api/v1/streams'))).toEqual({ protocol: 'websocket' });
});

test('only listed origins may read answers', async () => {
  const allowed = async (origin: string) =>
    (await asStranger('/api/v1/openapi.json', { origin }, '203.0.113.2')).headers.get('access-control-allow-origin');
  expect(await allowed('https://friend.example')).toBe('https://friend.example');
  expect(await allowed('https://evil.example')).toBeNull();
});

test('the API describes itself and refuses more requests than allowed, each address for itself', async () => {
  const description = (await (await asStranger('/api/v1/openapi.json', {}, '203.0.113.3')).json()) as {
    paths: object;
    components: { schemas: Record<string, { properties: object }> };
  };
  expect(Object.keys(description.paths)).toEqual(
    expect.arrayContaining(['/api/v1/streams', '/api/v1/events/{stream}']),
  );
  expect(description.components.schemas['StreamHealth']?.properties).toHaveProperty('latencyMs');
  const statuses = await Promise.all(
    Array.from({ length: 25 }, async () => (await asStranger('/api/v1/streams', {}, '203.0.113.4')).status),
  );
  expect(statuses.filter((status) => status === 429)).toHaveLength(5);
  expect((await asStranger('/api/v1/streams', {}, '203.0.113.5')).status).toBe(200);
});

test('health comes through the log and the windows, and is unknown within 5 s after analytics stopped', async () => {
  const publisher = await publish(server, 'healthy');
  let frame = 0;
  const feeding = setInterval(() => {
    publisher.unit(frame * 40, { priority: frame % 25 === 0 ? 'key' : 'reference', payload: Buffer.alloc(5000) });
    frame++;
  }, 40);
  const status = async (): Promise<string> => {
    const response = await fetch(`${server.http}/api/v1/streams/healthy/health`, {
      headers: { 'x-forwarded-for': `198.51.100.${frame % 200}` },
    });
    return ((await response.json()) as { status: string }).status;
  };
  try {
    await until('there is a window', async () => ['good', 'ok', 'bad'].includes(await status()), 25_000);
    await server.analytics.close();
    const stopped = Date.now();
    await until('health is unknown', async () => (await status()) === 'unknown', 10_000);
    expect(Date.now() - stopped).toBeLessThan(5000);
  } finally {
    clearInterval(feeding);
  }
}, 45_000);
