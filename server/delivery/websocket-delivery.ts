// Viewers over WebSocket: /subscribe/STREAM?rendition=&class=&after=, subprotocol `tessera.1`. Called by the composition root for each
// accepted connection.

import { ProtocolError } from '../../shared/errors.ts';
import { parseStreamId } from '../../shared/media/brands.ts';
import { SUBPROTOCOL } from '../../shared/protocol/subprotocol.ts';
import type { WebSocketPeer } from '../platform/web-socket-peer.ts';
import type { Stream } from '../streams/stream.ts';
import type { FlushClass } from './channel.ts';
import type { ChannelSet } from './channel-set.ts';
import type { DeliveryContext } from './delivery-context.ts';
import type { ViewerLimits } from './viewer-limits.ts';
import { ViewerSession } from './viewer-session.ts';

const TICK_MS = 1000;
const RENDITION = /^[A-Za-z0-9_.-]{1,32}$/;

/** The stream to watch. Throws ProtocolError: malformed, no-such-stream, ended. */
export function findStream(context: DeliveryContext, name: string): Stream {
  const id = parseStreamId(name);
  if (id === null) {
    throw new ProtocolError('malformed', 'A stream name has 1 to 64 letters, digits, "-" or "_".');
  }
  const stream = context.registry.get(id);
  if (stream === null || stream.state.kind === 'idle') {
    throw new ProtocolError('no-such-stream', `There is no stream ${id}.`);
  }
  if (stream.state.kind === 'ended') {
    throw new ProtocolError('ended', `The stream ${id} has ended.`);
  }
  return stream;
}

/** `rendition` of the address. Throws ProtocolError `malformed`. */
export function requestedRendition(query: URLSearchParams, standard: string): string {
  const requested = query.get('rendition') ?? standard;
  if (!RENDITION.test(requested)) {
    throw new ProtocolError('malformed', 'A rendition is auto, source or a name of the menu.');
  }
  return requested;
}

function requestedClass(query: URLSearchParams): FlushClass {
  const requested = query.get('class') ?? 'realtime';
  if (requested !== 'realtime' && requested !== 'normal') {
    throw new ProtocolError('malformed', 'The class is realtime or normal.');
  }
  return requested;
}

export class WebSocketDelivery {
  private readonly context: DeliveryContext;
  private readonly channels: ChannelSet;
  private readonly viewers: ViewerLimits;
  private readonly sessions = new Map<string, ViewerSession>();
  private readonly stopTicking: () => void;
  private isDraining = false;

  constructor(context: DeliveryContext, channels: ChannelSet, viewers: ViewerLimits) {
    this.context = context;
    this.channels = channels;
    this.viewers = viewers;
    this.stopTicking = context.clock.every(TICK_MS, () => {
      for (const session of this.sessions.values()) {
        session.tick();
      }
    });
  }

  /** Takes an accepted connection of /subscribe/`name`. A wrong one is told why and closed. */
  accept(peer: WebSocketPeer, name: string): void {
    try {
      this.admit(peer, name);
    } catch (error) {
      const { code, message } =
        error instanceof ProtocolError ? error : new ProtocolError('overloaded', 'The server cannot serve this now.');
      if (!(error instanceof ProtocolError)) {
        this.context.logger.error({ err: error }, 'a viewer could not be admitted');
      }
      this.context.registry.refused(code, 'websocket', parseStreamId(name) ?? '');
      peer.refuse(code, message);
    }
  }

  /** Tells every viewer that the server stops. */
  drain(): void {
    this.isDraining = true;
    this.stopTicking();
    for (const session of [...this.sessions.values()]) {
      session.refuse('overloaded', 'The server is shutting down.');
    }
  }

  private admit(peer: WebSocketPeer, name: string): void {
    if (this.isDraining) {
      throw new ProtocolError('overloaded', 'The server is shutting down.');
    }
    if (!peer.request.subprotocols.includes(SUBPROTOCOL)) {
      throw new ProtocolError('malformed', `Ask for the WebSocket subprotocol ${SUBPROTOCOL}.`);
    }
    const stream = findStream(this.context, name);
    const requested = requestedRendition(peer.request.query, 'auto');
    const flushClass = requestedClass(peer.request.query);
    this.replace(peer.request.query.get('after'), stream);
    const leave = this.viewers.enter(peer.request.address);
    const session = new ViewerSession({
      context: this.context,
      channels: this.channels,
      peer,
      stream,
      requested,
      flushClass,
      onGone: () => {
        this.sessions.delete(session.session);
        leave();
      },
    });
    this.sessions.set(session.session, session);
    session.start();
  }

  /** A viewer whose connection broke is back before the server has noticed: it must not count twice. */
  private replace(before: string | null, stream: Stream): void {
    const session = before === null ? undefined : this.sessions.get(before);
    if (session?.stream === stream) {
      session.replaced();
    }
  }
}
