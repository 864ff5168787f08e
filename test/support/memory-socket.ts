// A WebSocket without a network: the server's end is a real `ws` connection over a stream in memory, the client's end is bytes that a
// test writes. For fuzzers, which need thousands of connections and every byte of them.

import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { SUBPROTOCOL } from '../../shared/protocol/subprotocol.ts';
import { WebSocketPeer } from '../../server/platform/web-socket-peer.ts';

/** A connection's server end, and what the server wrote to it. */
export class MemorySocket {
  readonly peer: WebSocketPeer;
  private readonly stream: Duplex;
  private readonly written: Buffer[] = [];

  private constructor(stream: Duplex, written: Buffer[], peer: WebSocketPeer) {
    this.stream = stream;
    this.written = written;
    this.peer = peer;
  }

  /** An accepted connection of `path`. */
  static open(server: WebSocketServer, path: string): MemorySocket {
    const written: Buffer[] = [];
    const stream = Object.assign(
      new Duplex({
        read: () => undefined,
        write: (chunk: Buffer, _encoding, done) => {
          written.push(chunk);
          done();
        },
      }),
      { setTimeout: () => undefined, setNoDelay: () => undefined },
    );
    const [pathname = '', search = ''] = path.split('?');
    const request = {
      method: 'GET',
      url: path,
      headers: {
        upgrade: 'websocket',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': SUBPROTOCOL,
      },
    } as unknown as IncomingMessage;
    let peer: WebSocketPeer | null = null;
    server.handleUpgrade(request, stream, Buffer.alloc(0), (ws) => {
      peer = new WebSocketPeer(ws, stream, {
        address: '127.0.0.1',
        path: pathname,
        query: new URLSearchParams(search),
        subprotocols: [SUBPROTOCOL],
      });
    });
    if (peer === null) {
      throw new Error('The upgrade was refused.');
    }
    return new MemorySocket(stream, written, peer);
  }

  /** Bytes of the client arrive. */
  feed(bytes: Uint8Array): void {
    if (!this.stream.destroyed) {
      this.stream.push(Buffer.from(bytes));
    }
  }

  /** The connection breaks. */
  cut(): void {
    this.stream.destroy();
  }

  /** The code of the close frame that the server sent, or null while it sent none. */
  get closeCode(): number | null {
    const bytes = Buffer.concat(this.written);
    let at = bytes.indexOf('\r\n\r\n') + 4;
    while (at >= 4 && at + 2 <= bytes.length) {
      const [opcode, short] = [(bytes[at] ?? 0) & 0x0f, bytes[at + 1] ?? 0];
      const [start, length] =
        short < 126
          ? [at + 2, short]
          : short === 126
            ? [at + 4, bytes.readUInt16BE(at + 2)]
            : [at + 10, Number(bytes.readBigUInt64BE(at + 2))];
      if (opcode === 8) {
        return length >= 2 ? bytes.readUInt16BE(start) : 1005;
      }
      at = start + length;
    }
    return null;
  }
}

/** A `ws` server as the product sets it up for a message limit. */
export function memoryServer(maxPayload: number): WebSocketServer {
  return new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload });
}

/** A frame as a client sends it (RFC 6455, 5.2): final, masked with zeros so that the payload stays readable. */
export function clientFrame(payload: Uint8Array | string): Buffer {
  const body = Buffer.from(payload as Uint8Array);
  const opcode = typeof payload === 'string' ? 0x81 : 0x82;
  const head =
    body.length < 126
      ? Buffer.of(opcode, 0x80 | body.length)
      : body.length < 65_536
        ? Buffer.of(opcode, 0xfe, body.length >> 8, body.length & 0xff)
        : Buffer.concat([
            Buffer.of(opcode, 0xff, 0, 0, 0, 0),
            Buffer.from(new Uint32Array([body.length]).buffer).reverse(),
          ]);
  return Buffer.concat([head, Buffer.alloc(4), body]);
}
