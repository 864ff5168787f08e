import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fastify, { type FastifyInstance } from 'fastify';
import { problemOf } from '../../../../../server/http/problem.ts';
import { pageRoutes, sendMissing } from '../../../../../server/http/routes/pages.ts';

const STYLE = 'body { margin: 0 }\n'.repeat(100);
let folder = '';
let app: FastifyInstance;
let url = '';

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tessera-pages-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'assets/page-1.css'), STYLE);
  app = fastify();
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.header('vary', 'Origin');
    done();
  });
  app.setErrorHandler((error, _request, reply) => reply.code(problemOf(error).status).send(problemOf(error)));
  pageRoutes(app, folder, (_request, _reply, done) => done());
  app.setNotFoundHandler((request, reply) => sendMissing(request, reply, folder));
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});

afterEach(async () => {
  await app.close();
  rmSync(folder, { recursive: true, force: true });
});

const get = (path: string, coding: string): Promise<Response> =>
  fetch(`${url}${path}`, { headers: { 'accept-encoding': coding, connection: 'close' } });

test('an asset goes out compressed, for ever, and differs by what the client takes', async () => {
  const compressed = await get('/assets/page-1.css', 'gzip');
  expect(Object.fromEntries(compressed.headers)).toMatchObject({
    'content-encoding': 'gzip',
    'content-type': 'text/css; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
    vary: 'Origin, Accept-Encoding',
  });
  expect(Number(compressed.headers.get('content-length'))).toBeLessThan(STYLE.length / 10);
  expect(await compressed.text()).toBe(STYLE);
  const plain = await get('/assets/page-1.css', 'identity');
  expect(plain.headers.has('content-encoding')).toBe(false);
  expect(await plain.text()).toBe(STYLE);
});

test('what the folder does not hold is not found', async () => {
  for (const name of ['none.css', '..%2Fassets%2Fpage-1.css', '%2e%2e%2fhome.html']) {
    expect((await get(`/assets/${name}`, 'br')).status).toBe(404);
  }
});

test('a page is asked for anew each time, and without a build one sentence says what to do', async () => {
  writeFileSync(join(folder, 'player.html'), '<p>player</p>');
  const page = await get('/watch/clip', 'br');
  expect([await page.text(), page.headers.get('cache-control')]).toEqual(['<p>player</p>', 'no-cache']);
  expect(await (await get('/studio', 'br')).text()).toContain('npm run build');
});

test('an address that leads nowhere is a page for people and a problem for programs', async () => {
  const ask = async (path: string, accept: string): Promise<[number, string | null]> => {
    const { status, headers } = await fetch(`${url}${path}`, { headers: { accept, connection: 'close' } });
    return [status, headers.get('content-type')];
  };
  const browser = 'text/html,application/xhtml+xml,*/*;q=0.8';
  expect((await ask('/nowhere', browser))[0]).toBe(404); // not built: still not found
  writeFileSync(join(folder, 'not-found.html'), '<p>nothing</p>');
  expect(await ask('/nowhere', browser)).toEqual([404, 'text/html; charset=utf-8']);
  for (const [path, accept] of [
    ['/nowhere', '*/*'],
    ['/api/v1/nowhere', browser],
  ] as const) {
    const [status, type] = await ask(path, accept);
    expect(status).toBe(404);
    expect(type).toContain('json');
  }
});
