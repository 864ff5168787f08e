// An RTMP publisher (Adobe RTMP 1.0): simple handshake, connect, createStream, publish, then FLV tags as messages, byte for byte.
// Used by `tessera publish` and by the tests of the ingest.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { amf0Object, isAmf0Object, readAmf0, writeAmf0 } from '../../../shared/containers/flv/amf0.ts';
import type { Amf0Value } from '../../../shared/containers/flv/amf0.ts';
import { FLV_TAG_TYPES } from '../../../shared/containers/flv/flv-tag.ts';
import type { FlvTag } from '../../../shared/containers/flv/flv-tag.ts';
import { PEER_ERRORS, PeerClosedError, ProtocolError } from '../../../shared/errors.ts';
import type { PeerErrorCode } from '../../../shared/errors.ts';
import { RTMP_TYPE, RtmpChunkReader, writeChunks } from './rtmp-chunks.ts';
import type { RtmpMessage } from './rtmp-chunks.ts';

const DEFAULT_PORT = 1935;
const HANDSHAKE_BYTES = 1536;
const CHUNK_BYTES = 65_536;
const CHUNK_STREAM = { control: 2, command: 3, audio: 4, video: 6, data: 5 } as const;
const TRANSACTION = { connect: 1, createStream: 4 } as const;
/** Time for each step up to Publish.Start. */
const STEP_TIMEOUT_MS = 10_000;

/** The parts of `rtmp://HOST[:PORT]/APP/STREAM[?key=KEY]`. */
export type RtmpAddress = {
  readonly host: string;
  readonly port: number;
  readonly app: string;
  /** With its query, as it is sent in publish. */
  readonly streamName: string;
};

/** Takes an RTMP address apart. Throws TypeError with one sentence when it is none. */
export function parseRtmpAddress(text: string): RtmpAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  const [, app, ...name] = url?.pathname.split('/') ?? [];
  if (url?.protocol !== 'rtmp:' || url.hostname === '' || app === undefined || name.join('/') === '') {
    throw new TypeError('An RTMP address looks like rtmp://HOST:1935/live/STREAM?key=KEY.');
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    app,
    streamName: name.join('/') + url.search,
  };
}

export class RtmpClient {
  readonly #socket: Socket;
  readonly #reader = new RtmpChunkReader();
  readonly #waiting: { readonly accepts: (message: RtmpMessage) => boolean; readonly resolve: () => void }[] = [];
  #handshake: Buffer | null = Buffer.alloc(0);
  #onHandshake: (() => void) | null = null;
  #failure: Error | null = null;
  #onFailure: ((error: Error) => void)[] = [];
  #messageStream = 0;
  #streamName = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data: Buffer) => this.#receive(data));
    socket.on('error', (error) => this.#fail(new PeerClosedError(`The RTMP connection broke: ${error.message}`)));
    socket.on('close', () => this.#fail(new PeerClosedError('The server closed the RTMP connection.')));
  }

  /** Connects and publishes. Rejects with ProtocolError when refused, PeerClosedError when the connection breaks. */
  static async publish(address: RtmpAddress): Promise<RtmpClient> {
    const socket = await openSocket(address);
    const client = new RtmpClient(socket);
    try {
      await client.#start(address);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return client;
  }

  /** Sends one tag. Resolves when the socket can take more; rejects when the server has ended the connection. */
  async send(tag: FlvTag): Promise<void> {
    if (this.#failure !== null) {
      throw this.#failure;
    }
    const isFull = !this.#socket.write(
      writeChunks(
        {
          chunkStream: chunkStreamOf(tag.type),
          type: tag.type,
          messageStream: this.#messageStream,
          timestamp: tag.timestamp,
          payload: tag.type === FLV_TAG_TYPES.script ? asDataMessage(tag.data) : tag.data,
        },
        CHUNK_BYTES,
      ),
    );
    if (isFull) {
      await this.#orFailure(new Promise((resolve) => this.#socket.once('drain', resolve)));
    }
  }

  /** Bytes that are written and not yet with the kernel. */
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Says goodbye and closes; resolves when everything has left. */
  async close(): Promise<void> {
    if (this.#failure !== null) {
      return;
    }
    this.#command(0, ['FCUnpublish', 6, null, this.#streamName]);
    this.#command(0, ['deleteStream', 7, null, this.#messageStream]);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), 1000);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.end();
    });
  }

  /** Drops the connection without a word. */
  destroy(): void {
    this.#socket.destroy();
  }

  async #start(address: RtmpAddress): Promise<void> {
    this.#streamName = address.streamName;
    await this.#step('the handshake', this.#shakeHands());
    this.#write(CHUNK_STREAM.control, RTMP_TYPE.setChunkSize, u32(CHUNK_BYTES), 128);
    const tcUrl = `rtmp://${address.host}:${address.port}/${address.app}`;
    const connected = this.#reply(TRANSACTION.connect);
    const properties = amf0Object({ app: address.app, type: 'nonprivate', flashVer: 'FMLE/3.0 (Tessera)', tcUrl });
    this.#command(0, ['connect', TRANSACTION.connect, properties]);
    await this.#step('connect', connected);
    this.#command(0, ['releaseStream', 2, null, address.streamName]);
    this.#command(0, ['FCPublish', 3, null, address.streamName]);
    const created = this.#reply(TRANSACTION.createStream);
    this.#command(0, ['createStream', TRANSACTION.createStream, null]);
    await this.#step('createStream', created);
    const started = this.#expect((message) => statusOf(message)?.code === 'NetStream.Publish.Start');
    this.#command(this.#messageStream, ['publish', 5, null, address.streamName, 'live']);
    await this.#step('publish', started);
  }

  /** Sends C0 and C1, resolves when C2 was sent (5.2). */
  #shakeHands(): Promise<void> {
    const c1 = Buffer.concat([Buffer.alloc(8), randomBytes(HANDSHAKE_BYTES - 8)]);
    this.#socket.write(Buffer.concat([Buffer.of(3), c1]));
    return new Promise((resolve) => (this.#onHandshake = resolve));
  }

  #receive(data: Buffer): void {
    if (this.#handshake === null) {
      this.#readMessages(data);
      return;
    }
    this.#handshake = Buffer.concat([this.#handshake, data]);
    if (this.#handshake.length >= 1 + 2 * HANDSHAKE_BYTES) {
      const rest = this.#handshake.subarray(1 + 2 * HANDSHAKE_BYTES);
      this.#socket.write(this.#handshake.subarray(1, 1 + HANDSHAKE_BYTES)); // C2 echoes S1
      this.#handshake = null;
      this.#onHandshake?.();
      this.#readMessages(rest);
    }
  }

  #readMessages(data: Buffer): void {
    try {
      for (const message of this.#reader.push(data)) {
        this.#take(message);
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      this.#socket.destroy();
    }
  }

  #take(message: RtmpMessage): void {
    const refusal = refusalOf(message);
    if (refusal !== null) {
      this.#fail(refusal);
      return;
    }
    const at = this.#waiting.findIndex(({ accepts }) => accepts(message));
    if (at >= 0) {
      this.#waiting.splice(at, 1)[0]?.resolve();
    }
  }

  /** Resolves with the answer to a transaction; createStream's tells the message stream. */
  #reply(transaction: number): Promise<void> {
    return this.#expect((message) => {
      const [name, id, , result] = commandOf(message);
      if (name !== '_result' || id !== transaction) {
        return false;
      }
      if (transaction === TRANSACTION.createStream && typeof result === 'number') {
        this.#messageStream = result;
      }
      return true;
    });
  }

  #expect(accepts: (message: RtmpMessage) => boolean): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ accepts, resolve }));
  }

  async #step(name: string, done: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new PeerClosedError(`The server did not answer ${name} within ${STEP_TIMEOUT_MS / 1000} s.`);
      timer = setTimeout(() => reject(error), STEP_TIMEOUT_MS);
    });
    try {
      await Promise.race([this.#orFailure(done), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #orFailure<Value>(promise: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) {
        reject(this.#failure);
        return;
      }
      this.#onFailure.push(reject);
      void promise.then((value) => {
        this.#onFailure = this.#onFailure.filter((each) => each !== reject);
        resolve(value);
      });
    });
  }

  #fail(error: Error): void {
    if (this.#failure === null) {
      this.#failure = error;
      this.#onFailure.forEach((reject) => reject(error));
      this.#onFailure = [];
    }
  }

  #command(messageStream: number, values: readonly Amf0Value[]): void {
    const payload = writeAmf0(values);
    const message = {
      chunkStream: CHUNK_STREAM.command,
      type: RTMP_TYPE.command,
      messageStream,
      timestamp: 0,
      payload,
    };
    this.#socket.write(writeChunks(message, CHUNK_BYTES));
  }

  #write(chunkStream: number, type: number, payload: Uint8Array, chunkBytes: number): void {
    this.#socket.write(writeChunks({ chunkStream, type, messageStream: 0, timestamp: 0, payload }, chunkBytes));
  }
}

function openSocket({ host, port }: RtmpAddress): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const fail = (sentence: string): void => {
      socket.destroy();
      reject(new PeerClosedError(sentence));
    };
    socket.setTimeout(STEP_TIMEOUT_MS, () => fail(`${host}:${port} does not answer.`));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      fail(`Cannot connect to ${host}:${port}: ${error.code ?? error.message}.`),
    );
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function chunkStreamOf(type: FlvTag['type']): number {
  switch (type) {
    case FLV_TAG_TYPES.audio:
      return CHUNK_STREAM.audio;
    case FLV_TAG_TYPES.video:
      return CHUNK_STREAM.video;
    case FLV_TAG_TYPES.script:
      return CHUNK_STREAM.data;
  }
}

const SET_DATA_FRAME = writeAmf0(['@setDataFrame']);

/** Publishers send a file's onMetaData behind "@setDataFrame". */
function asDataMessage(script: Uint8Array): Uint8Array {
  return Buffer.concat([SET_DATA_FRAME, script]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function commandOf(message: RtmpMessage): Amf0Value[] {
  return message.type === RTMP_TYPE.command ? readAmf0(message.payload) : [];
}

function statusOf(
  message: RtmpMessage,
): { readonly level: string; readonly code: string; readonly description: string } | null {
  const [name, , , info] = commandOf(message);
  if ((name !== 'onStatus' && name !== '_error') || info === undefined || !isAmf0Object(info)) {
    return null;
  }
  const text = (field: string): string => {
    const value = info.properties.get(field);
    return typeof value === 'string' ? value : '';
  };
  return { level: name === '_error' ? 'error' : text('level'), code: text('code'), description: text('description') };
}

/** The error that a status message stands for; our server puts its code before the description. */
function refusalOf(message: RtmpMessage): ProtocolError | null {
  const status = statusOf(message);
  if (status?.level !== 'error') {
    return null;
  }
  const [code = '', ...sentence] = status.description.split(': ');
  return Object.hasOwn(PEER_ERRORS, code)
    ? new ProtocolError(code as PeerErrorCode, sentence.join(': '))
    : new ProtocolError('busy', `The server refused: ${status.code} ${status.description}`);
}
