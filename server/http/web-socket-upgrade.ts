// Upgrades: finds the route, keeps the Origin rule, accepts, and hands the peer over. Refusals that a browser should be able to
// read are given after accepting, by the room that takes the peer.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { HttpError } from '../../shared/errors.ts';
import type { Limits } from '../../shared/config/limits.ts';
import { SUBPROTOCOL } from '../../shared/protocol/subprotocol.ts';
import { WebSocketPeer } from '../platform/web-socket-peer.ts';
import type { Access } from './access.ts';
import type { AcceptPeer, HttpParts } from './http-parts.ts';
import { refuseUpgrade } from './problem.ts';

/** A peer that does not answer our close frame is dropped after this. */
const CLOSE_MS = 2000;
/** FLV viewers send nothing. */
const FLV_MESSAGE_BYTES = 1024;

type Route = { readonly pattern: RegExp; readonly server: WebSocketServer; readonly accept: AcceptPeer };

export class WebSocketUpgrade {
  private readonly access: Access;
  private readonly routes: readonly Route[];

  constructor(access: Access, limits: Limits, parts: HttpParts) {
    this.access = access;
    const serverFor = (maxPayload: number): WebSocketServer => {
      const options = {
        noServer: true,
        clientTracking: false,
        perMessageDeflate: false,
        maxPayload,
        closeTimeout: CLOSE_MS, // newer than the types
        handleProtocols: (offered: ReadonlySet<string>) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
      } as const;
      return new WebSocketServer(options);
    };
    this.routes = [
      { pattern: /^\/publish\/([^/]+)$/, server: serverFor(limits.publisherMessageBytes), accept: parts.publish },
      { pattern: /^\/subscribe\/([^/]+)$/, server: serverFor(limits.viewerMessageBytes), accept: parts.subscribe },
      { pattern: /^\/live\/([^/]+)\.flv$/, server: serverFor(FLV_MESSAGE_BYTES), accept: parts.liveWebSocket },
    ];
  }

  /** The `upgrade` event of the HTTP server. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined); // told by 'close'
    try {
      this.route(request, socket, head);
    } catch (error) {
      refuseUpgrade(socket, error);
    }
  }

  private route(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const [path = '/', search = ''] = (request.url ?? '/').split('?', 2);
    for (const { pattern, server, accept } of this.routes) {
      const match = pattern.exec(path);
      if (match === null) {
        continue;
      }
      if (!this.access.isOriginAllowed(request)) {
        throw new HttpError(
          'wrong-origin',
          'Pages of this origin may not connect; http.allowedOrigins lists those that may.',
        );
      }
      server.handleUpgrade(request, socket, head, (ws) => {
        const peer = new WebSocketPeer(ws, socket, {
          address: this.access.clientAddress(request),
          path,
          query: new URLSearchParams(search),
          subprotocols: (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim()),
        });
        accept(peer, match[1] ?? '');
      });
      return;
    }
    throw new HttpError('not-found', 'There is no WebSocket at this address.');
  }
}
