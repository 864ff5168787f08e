// The page of the city, and everything else passed on to Tessera: so that the page and the players in it are of one origin, which is
// what lets it ask a player which moment it shows.

import { readFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

const PAGE = new URL('city.html', import.meta.url);

/** Listens on the loopback address; resolves with the page's address and how to stop. */
export async function startCityServer(
  target: string,
  port: number,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const base = new URL(target);
  const ask = base.protocol === 'https:' ? httpsRequest : httpRequest;
  const passOn = (from: IncomingMessage) =>
    ask(new URL(from.url ?? '/', base), { method: from.method, headers: { ...from.headers }, agent: false });
  const server = createServer((from, to) => {
    if (from.url === '/city') {
      void servePage(to);
      return;
    }
    const upstream = passOn(from);
    upstream.on('response', (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    upstream.on('error', () => {
      if (to.headersSent) {
        to.destroy();
      } else {
        to.writeHead(502).end();
      }
    });
    from.pipe(upstream);
  });
  server.on('upgrade', (from, client: Socket, head) => {
    const upstream = passOn(from);
    upstream.on('upgrade', (answer, socket, rest) => {
      const headers = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}`);
      client.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join('\r\n')}\r\n\r\n`);
      client.write(rest);
      socket.write(head);
      socket.pipe(client).pipe(socket);
      socket.on('error', () => client.destroy());
      client.on('error', () => socket.destroy());
    });
    upstream.on('response', () => client.destroy());
    upstream.on('error', () => client.destroy());
    upstream.end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}/city`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function servePage(to: ServerResponse): Promise<void> {
  to.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  to.end(await readFile(PAGE));
}
