// The HTTP and WebSocket door: one port for pages, API, FLV and both sides of `tessera.1`. Bounds everything that a stranger can
// open: headers, handshakes, bodies, requests per minute.

import { createServer as createPlainServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Config } from '../../shared/config/config-schema.ts';
import { HttpError, ProtocolError } from '../../shared/errors.ts';
import type { AddressGate } from '../platform/address-gate.ts';
import { redactUrl, type Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import { Access } from './access.ts';
import type { HttpParts, OperatorGuard } from './http-parts.ts';
import { PROBLEM_TYPE, problemOf } from './problem.ts';
import { apiRoutes } from './routes/api.ts';
import { capacityRoutes } from './routes/capacity.ts';
import { liveRoutes } from './routes/live.ts';
import { pageRoutes, sendMissing } from './routes/pages.ts';
import { probeRoutes } from './routes/probes.ts';
import { securityHeaders } from './security-headers.ts';
import { readTlsFiles } from './tls-files.ts';
import { WebSocketUpgrade } from './web-socket-upgrade.ts';

const MAX_HEADER_BYTES = 16_384;
const KEEP_ALIVE_MS = 15_000;
const LISTEN_FAILURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'no name server answers',
};
/** Addresses that the rate limit remembers. */
const REMEMBERED_ADDRESSES = 10_000;

export type HttpServerOptions = {
  readonly config: Pick<Config, 'http' | 'tls' | 'limits'>;
  readonly operatorToken: string;
  readonly parts: HttpParts;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly gate: AddressGate;
  /** Folder of the built pages. */
  readonly pages: string;
};

export class HttpServer {
  private readonly options: HttpServerOptions;
  private readonly access: Access;
  private readonly sockets = new Set<Socket>();
  private app: FastifyInstance | null = null;

  constructor(options: HttpServerOptions) {
    this.options = options;
    this.access = new Access({ ...options.config.http, operatorToken: options.operatorToken });
  }

  /** Listens; resolves with the address to use. Rejects with one sentence when the port or the certificate is not to be had. */
  async start(): Promise<string> {
    const { config } = this.options;
    const makeServer = await this.serverFactory();
    const app = fastify({
      serverFactory: (handler) => makeServer(handler),
      bodyLimit: config.limits.eventBytes,
      routerOptions: { maxParamLength: 128 },
      logger: false,
      frameworkErrors: (error, _request, reply) => {
        void this.answer(reply, error);
      },
    });
    this.app = app;
    await this.build(app);
    await app.ready();
    const { server } = app;
    this.guardConnections(server);
    const upgrades = new WebSocketUpgrade(this.access, config.limits, this.options.parts);
    server.on('upgrade', (request, socket, head) => {
      upgrades.handle(request, socket, head);
    });
    await listen(server, config.http);
    const { port, address } = server.address() as AddressInfo;
    const host =
      address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address.includes(':') ? `[${address}]` : address;
    return `${config.tls.cert === undefined ? 'http' : 'https'}://${host}:${port}`;
  }

  /** Accepts nothing more, and drops the connections that are still there. */
  async stop(): Promise<void> {
    if (this.app === null) {
      return;
    }
    const { server } = this.app; // listens by our own call, so fastify does not close it
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.sockets) {
      socket.destroy();
    }
    await closed;
    await this.app.close();
  }

  private async serverFactory(): Promise<(handler: RequestListener) => Server> {
    const { limits, tls } = this.options.config;
    const options: ServerOptions = {
      headersTimeout: limits.handshakeMs,
      requestTimeout: limits.handshakeMs * 2,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      noDelay: true,
    };
    if (tls.cert === undefined || tls.key === undefined) {
      return (handler) => createPlainServer(options, handler);
    }
    const { cert, key } = await readTlsFiles({ cert: tls.cert, key: tls.key });
    return (handler) => createTlsServer({ ...options, cert, key, minVersion: 'TLSv1.2' }, handler);
  }

  private async build(app: FastifyInstance): Promise<void> {
    const { config, parts, metrics, logger, pages } = this.options;
    const { access } = this;
    await app.register(helmet, {
      ...securityHeaders({
        isSecure: config.tls.cert !== undefined,
        frameAncestors: config.http.allowedOrigins,
      }),
      global: true,
    });
    await app.register(rateLimit, {
      global: true,
      max: config.limits.requestsPerMinute,
      timeWindow: '1 minute',
      cache: REMEMBERED_ADDRESSES,
      keyGenerator: (request) => access.clientAddress(request.raw),
      allowList: (request) => !request.url.startsWith('/api/'),
      errorResponseBuilder: (_request, context) =>
        new ProtocolError('limit', `At most ${context.max} requests per minute.`),
    });
    app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
      done(null, body);
    });
    app.removeContentTypeParser(['application/json', 'text/plain']);
    app.addHook('onRequest', (request, reply, done) => {
      const origin = access.crossOrigin(request.raw);
      if (origin !== null) {
        // A reply can be awaited, and then waits to be sent: its headers are set without.
        void reply.header('access-control-allow-origin', origin).header('vary', 'Origin');
      }
      done();
    });
    const guard: OperatorGuard = (request, reply, done) => {
      if (access.isOperator(request.raw)) {
        done();
        return;
      }
      void reply.header('www-authenticate', 'Basic realm="Tessera operator", charset="UTF-8"');
      done(new HttpError('operators-only', 'This needs the operator token, or to be on the same machine.'));
    };
    probeRoutes(app, parts, metrics, guard);
    apiRoutes(app, { parts, access, limits: config.limits, guard });
    capacityRoutes(app, { parts, guard });
    liveRoutes(app, parts, access);
    for (const path of ['/publish/:stream', '/subscribe/:stream']) {
      app.get(path, () => {
        throw new HttpError('upgrade-required', 'This address speaks WebSocket (subprotocol tessera.1).');
      });
    }
    pageRoutes(app, pages, guard);
    app.setNotFoundHandler((request, reply) => sendMissing(request, reply, pages));
    app.setErrorHandler((error, request, reply) => {
      const problem = problemOf(error);
      if (problem.code === 'internal') {
        logger.error({ err: error, url: redactUrl(request.url) }, 'a request failed');
      }
      return this.answer(reply, error);
    });
  }

  private answer(reply: FastifyReply, error: unknown): FastifyReply {
    const problem = problemOf(error);
    if (error instanceof ProtocolError) {
      this.options.parts.refused(error.code);
    }
    return reply
      .code(problem.status)
      .type(PROBLEM_TYPE)
      .header('cache-control', 'no-store')
      .send(JSON.stringify(problem));
  }

  /** Every socket is known; one that has shown no request yet counts against its address. */
  private guardConnections(server: Server): void {
    const { config, gate, parts, metrics } = this.options;
    const { limits } = config;
    metrics.observe('http_connections', 'TCP connections on the HTTP port.', () => this.sockets.size);
    server.maxConnections = limits.viewers + limits.publishers + limits.connectionsPerIp * 16;
    // By remote end: under TLS a request comes on another socket object than its connection.
    const unfinished = new Map<string, () => void>();
    const endOf = (socket: Socket): string => `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;
    const finish = ({ socket }: { readonly socket: Socket }): void => {
      unfinished.get(endOf(socket))?.();
    };
    server.on('connection', (socket: Socket) => {
      const address = socket.remoteAddress ?? '';
      const end = endOf(socket);
      this.sockets.add(socket);
      socket.on('close', () => {
        this.sockets.delete(socket);
        unfinished.get(end)?.();
      });
      if (this.access.isProxy(address)) {
        return;
      }
      try {
        const leave = gate.enter(address);
        unfinished.set(end, () => {
          unfinished.delete(end);
          leave();
        });
      } catch {
        parts.refused('limit');
        socket.destroy();
      }
    });
    server.prependListener('request', finish);
    server.prependListener('upgrade', finish);
  }
}

async function listen(server: Server, { host, port }: Config['http']): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = LISTEN_FAILURES[error.code ?? ''] ?? error.code ?? error.message;
      reject(new Error(`http: cannot listen on ${host}:${port}: ${why}.`));
    });
    server.listen(port, host, resolve);
  });
}
