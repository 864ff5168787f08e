// RTMP chunks (Adobe RTMP 1.0, 5.3) as a client writes and reads them: messages cut into chunks, and chunks joined to messages.
// Used by rtmp-client.ts.

import { ProtocolError } from '../../../shared/errors.ts';

/** One RTMP message. */
export type RtmpMessage = {
  readonly chunkStream: number; // 2..65599
  readonly type: number;
  readonly messageStream: number;
  /** Milliseconds, 0..2^32-1. */
  readonly timestamp: number;
  readonly payload: Uint8Array;
};

export const RTMP_TYPE = {
  setChunkSize: 1,
  acknowledgement: 3,
  userControl: 4,
  windowAcknowledgementSize: 5,
  audio: 8,
  video: 9,
  data: 18,
  command: 20,
} as const;

const EXTENDED = 0xffffff;
const DEFAULT_CHUNK_BYTES = 128;

/** The chunks of a message, each starting with its header: type 0 first, type 3 after. `chunkBytes`: payload bytes per chunk. */
export function writeChunks(message: RtmpMessage, chunkBytes: number): Buffer {
  const { payload, timestamp } = message;
  const extended = timestamp >= EXTENDED ? [timestamp] : [];
  const parts: Uint8Array[] = [firstHeader(message)];
  for (let at = 0; at < payload.length || at === 0; at += chunkBytes) {
    if (at > 0) {
      parts.push(basicHeader(3, message.chunkStream), ...extended.map(u32));
    }
    parts.push(payload.subarray(at, at + chunkBytes));
  }
  return Buffer.concat(parts);
}

function firstHeader({ chunkStream, type, messageStream, timestamp, payload }: RtmpMessage): Buffer {
  const header = Buffer.alloc(11);
  header.writeUIntBE(Math.min(timestamp, EXTENDED), 0, 3);
  header.writeUIntBE(payload.length, 3, 3);
  header.writeUInt8(type, 6);
  header.writeUInt32LE(messageStream, 7);
  const extended = timestamp >= EXTENDED ? [u32(timestamp)] : [];
  return Buffer.concat([basicHeader(0, chunkStream), header, ...extended]);
}

function basicHeader(format: number, chunkStream: number): Buffer {
  if (chunkStream < 64) {
    return Buffer.of((format << 6) | chunkStream);
  }
  const rest = chunkStream - 64;
  return rest < 256 ? Buffer.of(format << 6, rest) : Buffer.of((format << 6) | 1, rest & 0xff, rest >> 8);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

type ChunkStreamState = {
  timestamp: number;
  isExtended: boolean;
  length: number;
  type: number;
  messageStream: number;
  parts: Uint8Array[];
  received: number;
};

/** Joins chunks to messages. Holds at most `maxMessageBytes` per chunk stream and 16 chunk streams. */
export class RtmpChunkReader {
  readonly #maxMessageBytes: number;
  readonly #streams = new Map<number, ChunkStreamState>();
  #pending = Buffer.alloc(0);
  #chunkBytes = DEFAULT_CHUNK_BYTES;

  constructor(maxMessageBytes = 1_000_000) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Returns the messages that became complete; a Set Chunk Size is obeyed and returned too. Throws ProtocolError `malformed`. */
  push(data: Uint8Array): RtmpMessage[] {
    this.#pending = Buffer.concat([this.#pending, data]);
    const messages: RtmpMessage[] = [];
    for (let taken = this.#takeChunk(messages); taken > 0; taken = this.#takeChunk(messages)) {
      this.#pending = this.#pending.subarray(taken);
    }
    return messages;
  }

  /** Reads one chunk at the start of what is pending; returns its bytes, 0 when it is not complete yet. */
  #takeChunk(messages: RtmpMessage[]): number {
    const data = this.#pending;
    const header = readHeader(data);
    if (header === null) {
      return 0;
    }
    const state = this.#streamOf(header.chunkStream);
    const { format, offset } = header;
    const isExtended = format < 3 ? data.readUIntBE(offset, 3) === EXTENDED : state.isExtended;
    const start = offset + HEADER_BYTES[format] + (isExtended ? 4 : 0);
    const length = format < 2 ? data.readUIntBE(offset + 3, 3) : state.length;
    if (length > this.#maxMessageBytes) {
      throw new ProtocolError('malformed', `The server sends a message of ${length} bytes.`);
    }
    const take = Math.min(this.#chunkBytes, length - (format < 3 ? 0 : state.received));
    if (data.length < start + take) {
      return 0;
    }
    if (format < 3) {
      this.#beginMessage(state, data, { format, offset, isExtended, length });
    }
    state.parts.push(data.subarray(start, start + take));
    state.received += take;
    if (state.received >= state.length) {
      messages.push(this.#complete(header.chunkStream, state));
    }
    return start + take;
  }

  #beginMessage(
    state: ChunkStreamState,
    data: Buffer,
    header: { readonly format: Format; readonly offset: number; readonly isExtended: boolean; readonly length: number },
  ): void {
    const { format, offset, isExtended } = header;
    const time = isExtended ? data.readUInt32BE(offset + HEADER_BYTES[format]) : data.readUIntBE(offset, 3);
    state.timestamp = format === 0 ? time : (state.timestamp + time) >>> 0;
    state.isExtended = isExtended;
    state.length = header.length;
    if (format < 2) {
      state.type = data.readUInt8(offset + 6);
    }
    if (format === 0) {
      state.messageStream = data.readUInt32LE(offset + 7);
    }
    state.parts = [];
    state.received = 0;
  }

  #complete(chunkStream: number, state: ChunkStreamState): RtmpMessage {
    const { type, messageStream, timestamp } = state;
    const payload = Buffer.concat(state.parts);
    state.parts = [];
    state.received = 0;
    if (type === RTMP_TYPE.setChunkSize && payload.length >= 4) {
      this.#chunkBytes = Math.max(1, payload.readUInt32BE(0) & 0x7fffffff);
    }
    return { chunkStream, type, messageStream, timestamp, payload };
  }

  #streamOf(chunkStream: number): ChunkStreamState {
    const known = this.#streams.get(chunkStream);
    if (known !== undefined) {
      return known;
    }
    if (this.#streams.size >= 16) {
      throw new ProtocolError('malformed', 'The server uses too many chunk streams.');
    }
    const state = {
      timestamp: 0,
      isExtended: false,
      length: 0,
      type: 0,
      messageStream: 0,
      parts: [],
      received: 0,
    };
    this.#streams.set(chunkStream, state);
    return state;
  }
}

type Format = 0 | 1 | 2 | 3;
const HEADER_BYTES: Readonly<Record<Format, number>> = { 0: 11, 1: 7, 2: 3, 3: 0 };

/** The basic header, once the whole message header is there. */
function readHeader(
  data: Buffer,
): { readonly format: Format; readonly chunkStream: number; readonly offset: number } | null {
  const first = data[0];
  if (first === undefined) {
    return null;
  }
  const low = first & 0x3f;
  const offset = low === 0 ? 2 : low === 1 ? 3 : 1;
  const format = (first >> 6) as Format;
  if (data.length < offset + HEADER_BYTES[format]) {
    return null;
  }
  const chunkStream = low === 0 ? 64 + (data[1] ?? 0) : low === 1 ? 64 + (data[1] ?? 0) + (data[2] ?? 0) * 256 : low;
  return { format, chunkStream, offset };
}
