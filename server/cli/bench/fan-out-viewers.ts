// Viewers for the fan-out bench, as cheap as can be: raw sockets that upgrade and then count bytes. One of them reads the objects and
// measures what the server added between arrival and the viewer.

import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { decodeObjects } from '../../../shared/protocol/object-header.ts';
import { SUBPROTOCOL } from '../../../shared/protocol/subprotocol.ts';
import { playRtmp } from './fan-out-nginx.ts';

const HEAD_END = Buffer.from('\r\n\r\n');

/** Bytes of media that all viewers together have received so far. */
export class ViewerCrowd {
  private readonly sockets: Socket[] = [];
  private received = 0;

  get bytes(): number {
    return this.received;
  }

  /** Adds viewers a few at a time, and resolves when every one is upgraded. */
  async join(count: number, address: URL, subprotocol: string | null): Promise<void> {
    for (let joined = 0; joined < count; joined += 20) {
      const wave = Math.min(20, count - joined);
      await Promise.all(
        Array.from({ length: wave }, () =>
          address.protocol === 'rtmp:' ? this.addRtmp(address) : this.add(address, subprotocol),
        ),
      );
    }
  }

  leave(): void {
    for (const socket of this.sockets) {
      socket.destroy();
    }
  }

  /** These stop reading. */
  stall(count: number): void {
    this.sockets.slice(0, count).forEach((socket) => socket.pause());
  }

  private async addRtmp(address: URL): Promise<void> {
    const socket = connect(Number(address.port), address.hostname);
    this.sockets.push(socket);
    await playRtmp(socket, address);
    socket.on('data', (chunk) => {
      this.received += chunk.length;
    });
  }

  private add(address: URL, subprotocol: string | null): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(address.port), address.hostname);
      this.sockets.push(socket);
      socket.on('error', reject);
      socket.write(
        `GET ${address.pathname}${address.search} HTTP/1.1\r\nHost: ${address.host}\r\nUpgrade: websocket\r\n` +
          'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n' +
          `${subprotocol === null ? '' : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`}\r\n`,
      );
      let head: Buffer | null = Buffer.alloc(0);
      socket.on('data', (chunk) => {
        if (head === null) {
          this.received += chunk.length;
          return;
        }
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf(HEAD_END);
        if (end >= 0) {
          const isUpgraded = head.subarray(0, 12).toString() === 'HTTP/1.1 101';
          this.received += head.length - end - HEAD_END.length;
          head = null;
          if (isUpgraded) {
            resolve();
          } else {
            reject(new Error('A viewer of the bench was not upgraded.'));
          }
        }
      });
    });
  }
}

/** Milliseconds between arrival at the server and arrival at this viewer, per live object. Same machine, same clock. */
export class DelayProbe {
  readonly delaysMs: number[] = [];
  private readonly socket: WebSocket;

  constructor(address: URL) {
    this.socket = new WebSocket(address, SUBPROTOCOL, { perMessageDeflate: false });
    this.socket.on('error', () => undefined);
    this.socket.on('message', (data: Buffer, isBinary) => {
      const nowMs = performance.timeOrigin + performance.now();
      for (const object of isBinary ? decodeObjects(data) : []) {
        if (!object.isCached) {
          this.delaysMs.push(nowMs - object.arrivalTime / 1000);
        }
      }
    });
  }

  /** The given quantile of what was measured; NaN without samples. */
  quantile(q: number): number {
    const sorted = [...this.delaysMs].sort((one, other) => one - other);
    return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
  }

  close(): void {
    this.socket.terminate();
  }
}
