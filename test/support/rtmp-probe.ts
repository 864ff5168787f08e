// A raw RTMP connection for tests: says exactly the bytes it is told to, and keeps what comes back.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { RTMP_TYPE, RtmpChunkReader, writeChunks } from '../../server/cli/clients/rtmp-chunks.ts';
import type { RtmpMessage } from '../../server/cli/clients/rtmp-chunks.ts';
import { amf0Object, isAmf0Object, readAmf0, writeAmf0 } from '../../shared/containers/flv/amf0.ts';
import type { Amf0Value } from '../../shared/containers/flv/amf0.ts';
import { eventually } from './eventually.ts';

const HANDSHAKE_BYTES = 1 + 2 * 1536;

export class RtmpProbe {
  readonly socket: Socket;
  readonly #reader = new RtmpChunkReader();
  readonly messages: RtmpMessage[] = [];
  isClosed = false;
  #received = Buffer.alloc(0);
  #isHandshakeDone = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => (this.isClosed = true));
    socket.on('data', (data: Buffer) => this.#receive(data));
  }

  static async open(port: number): Promise<RtmpProbe> {
    const socket = connect({ host: '127.0.0.1', port });
    const probe = new RtmpProbe(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('error', reject);
    });
    return probe;
  }

  /** A connection whose handshake is done. */
  static async greeted(port: number): Promise<RtmpProbe> {
    const probe = await RtmpProbe.open(port);
    probe.write(Buffer.concat([Buffer.of(3), Buffer.alloc(1536, 7)]));
    await eventually('the handshake', () => probe.#isHandshakeDone);
    probe.write(Buffer.alloc(1536, 7));
    return probe;
  }

  /** A connection that has connected to `live` and made a message stream. */
  static async connected(port: number): Promise<RtmpProbe> {
    const probe = await RtmpProbe.greeted(port);
    probe.command(0, ['connect', 1, amf0Object({ app: 'live', tcUrl: `rtmp://127.0.0.1:${port}/live` })]);
    probe.command(0, ['createStream', 2, null]);
    await eventually('createStream', () => probe.replies().some(([name, id]) => name === '_result' && id === 2));
    return probe;
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  message(type: number, payload: Uint8Array, more: Partial<RtmpMessage> = {}): void {
    this.write(writeChunks({ chunkStream: 3, type, messageStream: 1, timestamp: 0, payload, ...more }, 128));
  }

  command(messageStream: number, values: readonly Amf0Value[]): void {
    this.message(RTMP_TYPE.command, writeAmf0(values), { messageStream });
  }

  replies(): Amf0Value[][] {
    return this.messages.filter(({ type }) => type === RTMP_TYPE.command).map(({ payload }) => readAmf0(payload));
  }

  /** `CODE description` of the last status or error that the server sent. */
  lastStatus(): string | null {
    const info = this.replies().at(-1)?.[3];
    if (info === undefined || !isAmf0Object(info)) {
      return null;
    }
    const words = ['code', 'description'].map((field) => info.properties.get(field));
    return words.filter((word) => typeof word === 'string').join(' ');
  }

  async closed(withinMs?: number): Promise<void> {
    await eventually('the connection to be closed', () => this.isClosed, withinMs);
  }

  destroy(): void {
    this.socket.destroy();
  }

  #receive(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data]);
    if (!this.#isHandshakeDone && this.#received.length >= HANDSHAKE_BYTES) {
      this.#isHandshakeDone = true;
      this.#received = this.#received.subarray(HANDSHAKE_BYTES);
    }
    if (this.#isHandshakeDone) {
      this.messages.push(...this.#reader.push(this.#received));
      this.#received = Buffer.alloc(0);
    }
  }
}
