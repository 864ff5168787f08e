// The RTMP server of node-media-server 4.4.3 with its way in replaced: the library's own connection listener is removed, and every
// socket goes through caps, time limits and a GuardedSession. The library's HTTP server, recorder, relay, store and notifications are
// not even loaded: a restart is quick, and what is not there cannot be attacked.
// Used by the ingest process, which does nothing else.

import type { AddressInfo, Server, Socket } from 'node:net';
import context from 'node-media-server/src/core/context.js';
import logger from 'node-media-server/src/core/logger.js';
import NodeRtmpServer from 'node-media-server/src/server/rtmp_server.js';
import type { FlvTag } from '../../../shared/containers/flv/flv-tag.ts';
import type { PeerErrorCode } from '../../../shared/errors.ts';
import { ChunkBudget } from './guarded-chunks.ts';
import { GuardedSession } from './guarded-session.ts';
import type { SessionEnd } from './guarded-session.ts';
import type { IngestLimits } from './packet-pipe.ts';

/** Messages in assembly of all connections together. */
const TOTAL_RESERVED_BYTES = 512 * 1024 * 1024;
const SWEEP_MS = 250;
/** How often a lost connection is noticed by the kernel even when nobody sends. */
const KEEP_ALIVE_MS = 10_000;

export type GuardedNmsHooks = {
  readonly onPublishRequest: (
    session: GuardedSession,
    request: { readonly name: string; readonly key: string; readonly address: string },
  ) => void;
  readonly onMedia: (session: GuardedSession, tag: FlvTag) => void;
  /** An accepted connection is over. */
  readonly onEnd: (session: GuardedSession, end: SessionEnd) => void;
  readonly onConnection: () => void;
  /** A connection was refused before anything was read from it. */
  readonly onRefused: (code: PeerErrorCode) => void;
};

export class GuardedNms {
  readonly #limits: IngestLimits;
  readonly #hooks: GuardedNmsHooks;
  readonly #budget = new ChunkBudget(TOTAL_RESERVED_BYTES);
  readonly #sessions = new Map<number, GuardedSession>();
  readonly #sockets = new Set<Socket>();
  readonly #socketsOfAddress = new Map<string, number>();
  #nextNumber = 1;
  #server: Server | null = null;

  constructor(limits: IngestLimits, hooks: GuardedNmsHooks) {
    this.#limits = limits;
    this.#hooks = hooks;
  }

  /** Open connections, lingering ones included. */
  get connections(): number {
    return this.#sockets.size;
  }

  session(number: number): GuardedSession | undefined {
    return this.#sessions.get(number);
  }

  /** Opens the port (0: any free one) and returns it. Rejects when it cannot be opened. */
  async listen(host: string, port: number): Promise<number> {
    logger.log = () => undefined; // prints every session at debug level
    context.config = {
      bind: host,
      rtmp: { port: port === 0 ? 1935 : port }, // only says that there is RTMP; listening is done below
      auth: { play: false, publish: false, secret: '' },
    };
    const server = new NodeRtmpServer().tcpServer;
    this.#server = server;
    server.removeAllListeners('connection');
    server.on('connection', (socket) => this.#accept(socket));
    await listening(server, host, port);
    setInterval(() => this.#sweep(), SWEEP_MS).unref();
    return (server.address() as AddressInfo).port;
  }

  /** Accepts nobody any more and ends every connection. Resolves when all are gone. */
  async close(): Promise<void> {
    for (const session of this.#sessions.values()) {
      session.end('overloaded', 'The server is stopping.');
    }
    await new Promise<void>((resolve) => {
      if (this.#server === null) {
        resolve();
      } else {
        this.#server.close(() => resolve());
      }
    });
  }

  /** Stops or resumes reading from the publishers: the pipe to the server is full or free again. */
  setReading(isReading: boolean): void {
    for (const session of this.#sessions.values()) {
      if (isReading) {
        session.resumeReading();
      } else {
        session.pauseReading();
      }
    }
  }

  #accept(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const ofAddress = this.#socketsOfAddress.get(address) ?? 0;
    if (this.#sockets.size >= this.#limits.connections || ofAddress >= this.#limits.connectionsPerAddress) {
      socket.on('error', () => undefined);
      socket.resetAndDestroy();
      this.#hooks.onRefused('limit');
      return;
    }
    this.#sockets.add(socket);
    this.#socketsOfAddress.set(address, ofAddress + 1);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.once('close', () => this.#forget(socket, address));
    this.#hooks.onConnection();
    this.#open(socket);
  }

  #open(socket: Socket): void {
    const number = this.#nextNumber;
    this.#nextNumber = (this.#nextNumber % 0xffffffff) + 1;
    const session = new GuardedSession(number, socket, {
      limits: this.#limits,
      budget: this.#budget,
      hooks: {
        onPublishRequest: (from, request) => this.#hooks.onPublishRequest(from, { ...request, address: from.address }),
        onMedia: this.#hooks.onMedia,
        onEnd: (from, end) => {
          this.#sessions.delete(from.number);
          this.#hooks.onEnd(from, end);
        },
      },
    });
    this.#sessions.set(number, session);
  }

  #forget(socket: Socket, address: string): void {
    this.#sockets.delete(socket);
    const left = (this.#socketsOfAddress.get(address) ?? 1) - 1;
    if (left === 0) {
      this.#socketsOfAddress.delete(address);
    } else {
      this.#socketsOfAddress.set(address, left);
    }
  }

  #sweep(): void {
    const now = performance.now();
    for (const session of this.#sessions.values()) {
      session.checkDeadlines(now);
    }
  }
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 256 }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}
