// One accepted WebSocket, of a publisher or a viewer. Adds to `ws`: close codes of ours for every breach, a bound on what is read
// before the peer has shown who it is, prepared frames written straight to the socket, and liveness by ping.

import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { PEER_ERRORS, type PeerErrorCode } from '../../shared/errors.ts';
import { encodeControl } from '../../shared/protocol/control-message.ts';
import type { ToPublisher } from '../../shared/protocol/publisher-messages.ts';
import type { ToViewer } from '../../shared/protocol/viewer-messages.ts';
import { CLOSE_NORMAL } from '../../shared/protocol/subprotocol.ts';
import { textFrame } from './web-socket-frame.ts';

/** A close reason holds at most 123 bytes (RFC 6455, 5.5). */
const MAX_REASON_BYTES = 120;
/** `ws` closes with these for a message too big, and for everything else that breaks RFC 6455. */
const WS_TOO_BIG = 1009;
const WS_BREACHES = new Set([1002, 1003, 1007, 1008]);

/** What the peer does. Called in order; nothing after `onClose`. */
export interface PeerHandler {
  onText(text: string): void;
  onBinary(message: Uint8Array): void;
  onPong(): void;
  /** The socket took everything that was written: more may follow. */
  onDrain(): void;
  /** The connection is gone. `isClean`: with a close frame of the peer. */
  onClose(isClean: boolean): void;
}

/** Where a peer came from and what it asked for. */
export type PeerRequest = {
  /** Address of the client, behind trusted proxies too. */
  readonly address: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly subprotocols: readonly string[];
};

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) {
    return Buffer.concat(data);
  }
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

export class WebSocketPeer {
  readonly request: PeerRequest;
  private readonly ws: WebSocket;
  private readonly socket: Duplex;
  private sentBytes = 0;
  private closeCode: PeerErrorCode | null = null;

  constructor(ws: WebSocket, socket: Duplex, request: PeerRequest) {
    this.ws = ws;
    this.socket = socket;
    this.request = request;
    const close = ws.close.bind(ws);
    // `ws` closes by itself on breaches of its rules: the peer gets our code for them.
    ws.close = (code, reason) => {
      const ours = code === WS_TOO_BIG ? 'too-big' : code !== undefined && WS_BREACHES.has(code) ? 'malformed' : null;
      this.closeCode ??= ours;
      close(ours === null ? code : PEER_ERRORS[ours].close, reason);
    };
    ws.on('error', () => undefined); // told by 'close'
  }

  /** Bytes that this process holds for the peer. The kernel may hold megabytes more. */
  get waitingBytes(): number {
    return this.socket.writableLength;
  }

  get isOpen(): boolean {
    return this.ws.readyState === this.ws.OPEN;
  }

  /** Bytes handed to the kernel so far: grows while the peer takes them. */
  get takenBytes(): number {
    return this.sentBytes - this.socket.writableLength;
  }

  /** Why the connection was closed from this side, when it was. */
  get closedFor(): PeerErrorCode | null {
    return this.closeCode;
  }

  listen(handler: PeerHandler): void {
    this.ws.on('message', (data, isBinary) => {
      if (!this.isOpen) {
        return;
      }
      if (isBinary) {
        handler.onBinary(bytesOf(data));
      } else {
        handler.onText(bytesOf(data).toString('utf8'));
      }
    });
    this.ws.on('pong', () => {
      handler.onPong();
    });
    this.socket.on('drain', () => {
      handler.onDrain();
    });
    this.ws.on('close', (code) => {
      handler.onClose(code !== 1006);
    });
  }

  /** Until the returned function is called, more than `maxBytes` from the peer closes it with 4413. */
  boundUntilKnown(maxBytes: number): () => void {
    let received = 0;
    // Added behind the listener of `ws`: a message that makes the peer known is handled before its chunk is counted.
    const count = (chunk: Buffer): void => {
      received += chunk.length;
      if (received > maxBytes) {
        this.socket.off('data', count);
        this.refuse('too-big', 'Too much was sent before the key.');
        this.ws.terminate();
      }
    };
    this.socket.on('data', count);
    return () => {
      this.socket.off('data', count);
    };
  }

  /** Chunks of frames laid out by the caller, written together. */
  write(chunks: readonly Uint8Array[]): void {
    if (!this.isOpen) {
      return;
    }
    const [first] = chunks;
    if (chunks.length === 1 && first !== undefined) {
      this.sentBytes += first.length;
      this.socket.write(first);
      return;
    }
    this.socket.cork();
    for (const chunk of chunks) {
      this.sentBytes += chunk.length;
      this.socket.write(chunk);
    }
    this.socket.uncork();
  }

  send(message: ToViewer | ToPublisher): void {
    this.write([textFrame(encodeControl(message))]);
  }

  ping(): void {
    if (this.isOpen) {
      this.ws.ping();
    }
  }

  /** Tells code and sentence in a message of `tessera.1`, then closes. */
  refuse(code: PeerErrorCode, sentence: string): void {
    if (this.isOpen) {
      this.send({ type: 'error', code, message: sentence });
      this.close(code, sentence);
    }
  }

  /** Closes with the code's number and a reason of at most 120 bytes. */
  close(code: PeerErrorCode, sentence: string): void {
    if (!this.isOpen) {
      return;
    }
    this.closeCode = code;
    const reason = `${code}: ${sentence}`.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_REASON_BYTES);
    this.ws.close(PEER_ERRORS[code].close, reason);
  }

  /** Closes as agreed (1000). */
  goodbye(): void {
    this.ws.close(CLOSE_NORMAL);
  }

  /** Drops the connection at once. */
  terminate(): void {
    this.ws.terminate();
  }
}
