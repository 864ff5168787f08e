// One WebSocket that speaks tessera.1: text frames are control messages checked against a table of schemas, binary frames are
// objects. It keeps the clock exchange going and says why it closed. It does not reconnect: its owner decides (reconnect.ts).
// Used by the decode worker (viewer), the thumbnail worker and the encode worker (publisher).

import { z } from 'zod';
import {
  encodeControl,
  parseControl,
  type MessageOf,
  type MessageSchemas,
} from '../../shared/protocol/control-message.ts';
import { decodeObjects, type WireObject } from '../../shared/protocol/object-header.ts';
import { peerErrorOfClose, SUBPROTOCOL } from '../../shared/protocol/subprotocol.ts';
import { ProtocolError, type PeerErrorCode } from '../../shared/errors.ts';
import type { ClockSync } from './clock-sync.ts';
import { exchangeDelayMs, localNowMs } from './clock-sync.ts';

// The pages' Content-Security-Policy has no unsafe-eval; zod would probe for it.
z.config({ jitless: true });

/** Why a connection ended: the server's code where it gave one, and a sentence for people. */
export type CloseReason = {
  readonly code: PeerErrorCode | null;
  readonly closeCode: number;
  readonly sentence: string;
  /** The handshake had succeeded. */
  readonly wasOpen: boolean;
};

/** What the owner of a connection is told. Nothing is called after `onClose`. */
export type ConnectionEvents<Schemas extends MessageSchemas> = {
  readonly onOpen?: () => void;
  readonly onControl: (message: MessageOf<Schemas>) => void;
  /** Objects of one binary message; `receivedAt` is local epoch ms. */
  readonly onObjects?: (objects: readonly WireObject[], receivedAt: number) => void;
  readonly onClose: (reason: CloseReason) => void;
};

/** A control message of either role; the server checks it against its schema. */
export type OutgoingMessage = { readonly type: string; readonly [field: string]: unknown };

const CONNECT_TIMEOUT_MS = 8000;
const SILENCE_TIMEOUT_MS = 9000;
const PROBE_TIMEOUT_MS = 2500;

type ClockAnswer = { readonly type: 'clock'; readonly t0: number; readonly t1: number; readonly t2: number };

function isClockAnswer(message: unknown): message is ClockAnswer {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'clock';
}

/** A connection from construction to `onClose`. */
export class WebSocketConnection<Schemas extends MessageSchemas> {
  readonly #socket: WebSocket;
  readonly #schemas: Schemas;
  readonly #events: ConnectionEvents<Schemas>;
  readonly #clock: ClockSync;
  #exchanges = 0;
  #exchangeTimer: ReturnType<typeof setTimeout> | undefined;
  #silenceTimer: ReturnType<typeof setTimeout> | undefined;
  #wasOpen = false;
  #isDone = false;
  #error: { readonly code: string; readonly message: string } | null = null;

  constructor(url: string, schemas: Schemas, clock: ClockSync, events: ConnectionEvents<Schemas>) {
    this.#schemas = schemas;
    this.#events = events;
    this.#clock = clock;
    this.#socket = new WebSocket(url, SUBPROTOCOL);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.onopen = () => this.#onOpen();
    this.#socket.onmessage = (event) => this.#onMessage(event);
    this.#socket.onclose = (event) => this.#finish(event.code, event.reason);
    this.#armSilence(CONNECT_TIMEOUT_MS);
  }

  /** Bytes that wait in this process for the uplink. */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Sends a control message; silently does nothing once the socket is closing. */
  send(message: OutgoingMessage): void {
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(encodeControl(message));
    }
  }

  /** Sends one binary message (an object as encodeObject wrote it). */
  sendBytes(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(bytes);
    }
  }

  /** The page was asleep or changed networks: asks whether the server is still there, and is closed soon if not. */
  probe(): void {
    if (this.#wasOpen && !this.#isDone) {
      this.send({ type: 'clock', t0: localNowMs() });
      this.#armSilence(PROBE_TIMEOUT_MS);
    }
  }

  /** Leaves in good order; `onClose` is not called. */
  close(): void {
    if (!this.#isDone) {
      this.#isDone = true;
      this.#clearTimers();
      this.#socket.close(1000);
    }
  }

  #onOpen(): void {
    if (this.#isDone) {
      return;
    }
    this.#wasOpen = true;
    this.#armSilence(SILENCE_TIMEOUT_MS);
    this.#events.onOpen?.();
    this.#exchangeClock();
  }

  #exchangeClock(): void {
    this.send({ type: 'clock', t0: localNowMs() });
    this.#exchangeTimer = setTimeout(() => this.#exchangeClock(), exchangeDelayMs(this.#exchanges));
    this.#exchanges += 1;
  }

  #onMessage(event: MessageEvent): void {
    if (this.#isDone) {
      return;
    }
    const receivedAt = localNowMs();
    this.#armSilence(SILENCE_TIMEOUT_MS);
    try {
      if (typeof event.data === 'string') {
        this.#onControl(event.data, receivedAt);
      } else {
        const objects = decodeObjects(new Uint8Array(event.data as ArrayBuffer));
        this.#events.onObjects?.(objects, receivedAt);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        throw error;
      }
      this.#socket.close(4400, error.message.slice(0, 100));
      this.#finish(4400, `The server sent something that this page does not understand: ${error.message}`);
    }
  }

  #onControl(text: string, receivedAt: number): void {
    const message = parseControl(this.#schemas, text);
    if (message === null) {
      return;
    }
    if (isClockAnswer(message)) {
      this.#clock.add({ t0: message.t0, t1: message.t1, t2: message.t2, t3: receivedAt });
      return;
    }
    const { type, code, message: sentence } = message as { type?: string; code?: string; message?: string };
    if (type === 'error') {
      this.#error = { code: code ?? '', message: sentence ?? '' };
      return;
    }
    this.#events.onControl(message);
  }

  // The clock exchange makes the server speak every 2 s; when nothing comes for much longer, the path is dead.
  #armSilence(timeoutMs: number): void {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => {
      this.#socket.close();
      this.#finish(1006, 'The connection went silent.');
    }, timeoutMs);
  }

  #clearTimers(): void {
    clearTimeout(this.#exchangeTimer);
    clearTimeout(this.#silenceTimer);
  }

  #finish(closeCode: number, reason: string): void {
    if (this.#isDone) {
      return;
    }
    this.#isDone = true;
    this.#clearTimers();
    const sentence = this.#error?.message ?? (reason === '' ? 'The connection was lost.' : reason);
    this.#events.onClose({ code: peerErrorOfClose(closeCode), closeCode, sentence, wasOpen: this.#wasOpen });
  }
}
