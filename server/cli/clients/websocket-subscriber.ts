// A viewer over `tessera.1` (docs/protocol.md): welcome, tracks, objects, clock exchange, reports. Used by `tessera watch`.

import { WebSocket } from 'ws';
import type { RawData } from 'ws';
import { PeerClosedError, ProtocolError } from '../../../shared/errors.ts';
import type { TrackConfig } from '../../../shared/media/access-unit.ts';
import { encodeControl, parseControl } from '../../../shared/protocol/control-message.ts';
import { decodeObjects } from '../../../shared/protocol/object-header.ts';
import type { WireObject } from '../../../shared/protocol/object-header.ts';
import { peerErrorOfClose, SUBPROTOCOL } from '../../../shared/protocol/subprotocol.ts';
import { trackConfigFromWire } from '../../../shared/protocol/track-message.ts';
import { TO_VIEWER } from '../../../shared/protocol/viewer-messages.ts';
import type { ToViewer, ViewerState } from '../../../shared/protocol/viewer-messages.ts';
import type { FromViewer } from '../../../shared/protocol/viewer-requests.ts';
import { ClockOffset } from './clock-offset.ts';
import { bytesOf } from './websocket-publisher.ts';
import { refusalOf, sentenceOfClose } from './websocket-refusal.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;
const CLOCK_EVERY_MS = 2000;
const FIRST_CLOCKS_MS = 100;
const FIRST_CLOCKS = 5;

/** A track as the server announced it. */
export type SubscribedTrack = {
  readonly id: number;
  readonly name: string;
  readonly rendition: string;
  readonly encoder: 'publisher' | 'tessera';
  readonly latencyKind: 'glass' | 'ingest';
  readonly config: TrackConfig;
};

export type WebSocketSubscriberEvents = {
  readonly onTrack: (track: SubscribedTrack) => void;
  readonly onObject: (object: WireObject, track: SubscribedTrack) => void;
  readonly onState?: (state: ViewerState) => void;
  /** Once, at the end: null when the connection was closed as agreed. */
  readonly onEnd: (error: Error | null) => void;
};

export class WebSocketSubscriber {
  readonly #socket: WebSocket;
  readonly #events: WebSocketSubscriberEvents;
  readonly #tracks = new Map<number, SubscribedTrack>();
  readonly #clock = new ClockOffset();
  #clockTimer: NodeJS.Timeout | null = null;
  #asked = 0;
  #isOver = false;

  constructor(url: string, events: WebSocketSubscriberEvents) {
    this.#events = events;
    const socket = new WebSocket(url, SUBPROTOCOL, {
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
    this.#socket = socket;
    socket.on('open', () => this.#askClock());
    socket.on('message', (data, isBinary) => this.#take(data, isBinary));
    socket.on('unexpected-response', (_request, response) => {
      void refusalOf(response).then((error) => this.#finish(error));
    });
    socket.on('error', (error) => this.#finish(new PeerClosedError(`The connection broke: ${error.message}.`)));
    socket.on('close', (code, reason) => this.#closed(code, reason.toString()));
  }

  /** True once the server's clock is known. */
  get hasClock(): boolean {
    return this.#clock.samples > 0;
  }

  /** The server's wall clock now, epoch milliseconds. */
  serverNow(): number {
    return this.#clock.serverNow();
  }

  send(message: FromViewer): void {
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(encodeControl(message));
    }
  }

  /** Leaves. onEnd follows. */
  close(): void {
    this.#socket.close(1000);
    setTimeout(() => this.#socket.terminate(), 1000).unref();
  }

  #askClock(): void {
    this.send({ type: 'clock', t0: this.#clock.now() });
    this.#asked += 1;
    this.#clockTimer = setTimeout(
      () => this.#askClock(),
      this.#asked < FIRST_CLOCKS ? FIRST_CLOCKS_MS : CLOCK_EVERY_MS,
    );
    this.#clockTimer.unref();
  }

  #take(data: RawData, isBinary: boolean): void {
    try {
      if (isBinary) {
        this.#takeObjects(bytesOf(data));
      } else {
        this.#takeControl(parseControl(TO_VIEWER, bytesOf(data).toString()));
      }
    } catch (error) {
      this.#finish(error instanceof Error ? error : new Error(String(error)));
      this.#socket.terminate();
    }
  }

  #takeObjects(message: Buffer): void {
    for (const object of decodeObjects(message)) {
      const track = this.#tracks.get(object.trackId);
      if (track === undefined) {
        throw new ProtocolError('malformed', `The server sent an object of track ${object.trackId}, never announced.`);
      }
      this.#events.onObject(object, track);
    }
  }

  #takeControl(message: ToViewer | null): void {
    switch (message?.type) {
      case 'welcome':
        this.#events.onState?.(message.state);
        break;
      case 'state':
        this.#events.onState?.(message.state);
        break;
      case 'track': {
        const { id, name, rendition, encoder, latencyKind } = message;
        const config = trackConfigFromWire(message.config);
        const track = { id, name, rendition, encoder, latencyKind, config };
        this.#tracks.set(id, track);
        this.#events.onTrack(track);
        break;
      }
      case 'clock':
        this.#clock.add(message);
        break;
      case 'error':
      case undefined:
        break; // the close that follows has the code; unknown messages are from newer servers
    }
  }

  #closed(code: number, reason: string): void {
    const refusal = peerErrorOfClose(code);
    if (refusal !== null) {
      this.#finish(new ProtocolError(refusal, sentenceOfClose(refusal, reason)));
    } else {
      const sentence = `The server closed the connection (${code}${reason === '' ? '' : `, ${reason}`}).`;
      this.#finish(code === 1000 ? null : new PeerClosedError(sentence));
    }
  }

  #finish(error: Error | null): void {
    if (!this.#isOver) {
      this.#isOver = true;
      clearTimeout(this.#clockTimer ?? undefined);
      this.#events.onEnd(error);
    }
  }
}
