// Publishers over WebSocket: /publish/STREAM, subprotocol `tessera.1`. Called by the composition root for each accepted connection.

import { ProtocolError, type PeerErrorCode } from '../../../shared/errors.ts';
import { parseStreamId } from '../../../shared/media/brands.ts';
import { SUBPROTOCOL } from '../../../shared/protocol/subprotocol.ts';
import type { AddressGate } from '../../platform/address-gate.ts';
import type { WebSocketPeer } from '../../platform/web-socket-peer.ts';
import type { PublishContext } from './publish-context.ts';
import { PublisherSession } from './publisher-session.ts';

const TICK_MS = 1000;

export class WebSocketIngest {
  private readonly context: PublishContext;
  private readonly gate: AddressGate;
  private readonly sessions = new Set<PublisherSession>();
  private readonly stopTicking: () => void;

  constructor(context: PublishContext, gate: AddressGate) {
    this.context = context;
    this.gate = gate;
    this.stopTicking = context.clock.every(TICK_MS, () => {
      for (const session of this.sessions) {
        session.tick();
      }
    });
  }

  /** Takes an accepted connection of /publish/`name`. A wrong one is told why and closed. */
  accept(peer: WebSocketPeer, name: string): void {
    const streamId = parseStreamId(name);
    const refuse = (code: PeerErrorCode, sentence: string): void => {
      this.context.refused(code, streamId ?? '');
      peer.refuse(code, sentence);
    };
    if (streamId === null) {
      refuse('malformed', 'A stream name has 1 to 64 letters, digits, "-" or "_".');
      return;
    }
    if (!peer.request.subprotocols.includes(SUBPROTOCOL)) {
      refuse('malformed', `Ask for the WebSocket subprotocol ${SUBPROTOCOL}.`);
      return;
    }
    let leave: () => void;
    try {
      leave = this.gate.enter(peer.request.address);
    } catch (error) {
      refuse('limit', error instanceof ProtocolError ? error.message : 'Too many connections.');
      return;
    }
    const session = new PublisherSession(this.context, peer, streamId, () => {
      this.sessions.delete(session);
      leave();
    });
    this.sessions.add(session);
    session.start();
  }

  /** No more regular work; the stream registry tells the publishers. */
  close(): void {
    this.stopTicking();
  }
}
