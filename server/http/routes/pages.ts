// The pages that Vite built: /, /watch/STREAM, /studio, /console, and their hashed assets. Without a build, one clear sentence.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { HttpError } from '../../../shared/errors.ts';
import type { OperatorGuard } from '../http-parts.ts';

/** Serves the page; it is read anew each time, so that a rebuild shows at once. */
async function sendPage(reply: FastifyReply, folder: string, name: string): Promise<FastifyReply> {
  let html: string;
  try {
    html = await readFile(join(folder, `${name}.html`), 'utf8');
  } catch {
    throw new HttpError('not-ready', 'The pages are not built: run "npm run build".');
  }
  return reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(html);
}

export async function pageRoutes(app: FastifyInstance, folder: string, guard: OperatorGuard): Promise<void> {
  app.get('/', (_request, reply) => sendPage(reply, folder, 'home'));
  app.get('/watch/:stream', (_request, reply) => sendPage(reply, folder, 'player'));
  app.get('/studio', (_request, reply) => sendPage(reply, folder, 'studio'));
  app.get('/console', { onRequest: guard }, (_request, reply) => sendPage(reply, folder, 'console'));
  const assets = join(folder, 'assets');
  if (existsSync(assets)) {
    await app.register(fastifyStatic, {
      root: assets,
      prefix: '/assets/',
      index: false,
      dotfiles: 'deny',
      immutable: true,
      maxAge: '365d',
      decorateReply: false,
    });
  }
}
