// The pages that Vite built: /, /watch/STREAM, /studio, /console, and their hashed assets. Without a build, one clear sentence.
// Assets are looked up by name in the folder's listing, so that no path of a request ever reaches the file system.

import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { HttpError } from '../../../shared/errors.ts';
import type { OperatorGuard } from '../http-parts.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};
/** Names hold a hash of the content: a browser never has to ask again. */
const FOREVER = 'public, max-age=31536000, immutable';

async function readOrNull(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch {
    return null;
  }
}

/** Serves the page; it is read anew each time, so that a rebuild shows at once. */
async function sendPage(reply: FastifyReply, folder: string, name: string): Promise<FastifyReply> {
  const html = await readOrNull(join(folder, `${name}.html`));
  if (html === null) {
    throw new HttpError('not-ready', 'The pages are not built: run "npm run build".');
  }
  return reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(html);
}

async function sendAsset(reply: FastifyReply, folder: string, name: string): Promise<FastifyReply> {
  const names = await readdir(folder).catch((): string[] => []);
  const type = TYPES[extname(name)];
  const content = names.includes(name) && type !== undefined ? await readOrNull(join(folder, name)) : null;
  if (content === null || type === undefined) {
    throw new HttpError('not-found', 'There is nothing here.');
  }
  return reply.type(type).header('cache-control', FOREVER).send(content);
}

export function pageRoutes(app: FastifyInstance, folder: string, guard: OperatorGuard): void {
  app.get('/', (_request, reply) => sendPage(reply, folder, 'home'));
  app.get('/watch/:stream', (_request, reply) => sendPage(reply, folder, 'player'));
  app.get('/studio', (_request, reply) => sendPage(reply, folder, 'studio'));
  app.get('/console', { onRequest: guard }, (_request, reply) => sendPage(reply, folder, 'console'));
  app.get<{ Params: { file: string } }>('/assets/:file', (request, reply) =>
    sendAsset(reply, join(folder, 'assets'), request.params.file),
  );
}
