// The pages that Vite built: /, /watch/STREAM, /studio, /console, and their hashed assets. Without a build, one clear sentence.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from '../../../shared/errors.ts';
import { acceptedCoding, AssetCache } from '../asset-cache.ts';
import type { OperatorGuard } from '../http-parts.ts';

type AssetRoute = { readonly Params: { readonly file: string } };
type AssetRequest = FastifyRequest<AssetRoute>;

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

async function sendAsset(request: AssetRequest, reply: FastifyReply, assets: AssetCache): Promise<FastifyReply> {
  const asset = await assets.get(request.params.file, acceptedCoding(request.headers['accept-encoding']));
  if (asset === null) {
    throw new HttpError('not-found', 'There is nothing here.');
  }
  const { type, coding, content } = asset;
  if (coding !== 'identity') {
    void reply.header('content-encoding', coding);
  }
  const vary = [reply.getHeader('vary'), 'Accept-Encoding'].filter((name) => name !== undefined).join(', ');
  return reply.type(type).header('vary', vary).header('cache-control', FOREVER).send(content);
}

/** Whether a browser asks for something to show to a person. */
const wantsPage = ({ method, headers, url }: FastifyRequest): boolean =>
  method === 'GET' && (headers.accept ?? '').includes('text/html') && !url.startsWith('/api/');

/** Answers for an address that leads nowhere: a page for people, the error `not-found` for programs. */
export async function sendMissing(request: FastifyRequest, reply: FastifyReply, folder: string): Promise<FastifyReply> {
  const html = wantsPage(request) ? await readOrNull(join(folder, 'not-found.html')) : null;
  if (html === null) {
    throw new HttpError('not-found', 'There is nothing here.');
  }
  return reply.code(404).type('text/html; charset=utf-8').header('cache-control', 'no-store').send(html);
}

export function pageRoutes(app: FastifyInstance, folder: string, guard: OperatorGuard): void {
  app.get('/', (_request, reply) => sendPage(reply, folder, 'home'));
  app.get('/watch/:stream', (_request, reply) => sendPage(reply, folder, 'player'));
  app.get('/studio', (_request, reply) => sendPage(reply, folder, 'studio'));
  app.get('/console', { onRequest: guard }, (_request, reply) => sendPage(reply, folder, 'console'));
  const assets = new AssetCache(join(folder, 'assets'));
  app.get<AssetRoute>('/assets/:file', (request, reply) => sendAsset(request, reply, assets));
}
