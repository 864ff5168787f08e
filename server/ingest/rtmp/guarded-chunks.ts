// Limits on RTMP chunk streams (Adobe RTMP 1.0, 5.3) put around node-media-server's chunk parser: message size, number of chunk
// streams, memory reserved for unfinished messages per connection and in total, chunk size, abort, timestamps that wrap.
// Used by guarded-session.ts.

import type { NmsRtmp, NmsRtmpPacket } from 'node-media-server/src/session/rtmp_session.js';
import { ProtocolError } from '../../../shared/errors.ts';

const MAX_CHUNK_STREAMS = 32;
const MAX_CHUNK_BYTES = 0xffffff;
const TWO_32 = 0x1_0000_0000;
/** Spare bytes behind a message, because the library reads header fields without looking at the length. */
const SPARE_BYTES = 64;
const MESSAGE_TYPE = { setChunkSize: 1, abort: 2, windowAcknowledgementSize: 5 } as const;

/** Memory that all connections together may reserve for messages in assembly. */
export class ChunkBudget {
  readonly #maxBytes: number;
  readonly #reserved = new Map<NmsRtmp, number>();
  #total = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Reserved by all connections together. */
  get totalBytes(): number {
    return this.#total;
  }

  reservedBy(rtmp: NmsRtmp): number {
    return this.#reserved.get(rtmp) ?? 0;
  }

  /** Throws ProtocolError when the connection or all of them together would hold too much. */
  reserve(rtmp: NmsRtmp, bytes: number, maxOfConnection: number): void {
    const own = this.reservedBy(rtmp) + bytes;
    if (own > maxOfConnection) {
      throw new ProtocolError('too-big', 'The unfinished messages of one connection are too big together.');
    }
    if (this.#total + bytes > this.#maxBytes) {
      throw new ProtocolError('overloaded', 'The unfinished messages of all connections are too big together.');
    }
    this.#reserved.set(rtmp, own);
    this.#total += bytes;
  }

  release(rtmp: NmsRtmp): void {
    this.#total -= this.reservedBy(rtmp);
    this.#reserved.delete(rtmp);
  }
}

export type ChunkGuard = {
  readonly isOver: () => boolean;
  /** What to throw to leave the parser once the session is over. */
  readonly stop: () => Error;
  readonly maxMessageBytes: () => number;
  readonly maxReservedBytes: () => number;
};

/** Replaces the parser's steps that trust the input. */
export function guardChunks(rtmp: NmsRtmp, budget: ChunkBudget, guard: ChunkGuard): void {
  rtmp.packetParse = () => {
    if (guard.isOver()) {
      throw guard.stop();
    }
    readChunkHeader(rtmp, guard.maxMessageBytes());
  };
  rtmp.packetAlloc = () => {
    const packet = rtmp.parserPacket;
    packet.clock %= TWO_32; // the library drops every message after a wrap
    const bytes = packet.header.length + SPARE_BYTES;
    if (packet.capacity < bytes) {
      budget.reserve(rtmp, bytes - packet.capacity, guard.maxReservedBytes());
      packet.payload = Buffer.alloc(bytes);
      packet.capacity = bytes;
    }
  };
  rtmp.controlHandler = () => handleControl(rtmp);
}

/** The chunk basic header (5.3.1.1) and message header (5.3.1.2). */
function readChunkHeader(rtmp: NmsRtmp, maxMessageBytes: number): void {
  const [first = 0, second = 0, third = 0] = rtmp.parserBuffer;
  const fmt = first >> 6;
  const cid = chunkStreamId(rtmp.parserBasicBytes, [first, second, third]);
  const packet = rtmp.inPackets.get(cid) ?? openChunkStream(rtmp, fmt, cid);
  if (fmt !== 3) {
    packet.bytes = 0; // a new header drops the unfinished message of its chunk stream
  }
  packet.header.fmt = fmt;
  packet.header.cid = cid;
  rtmp.parserPacket = packet;
  rtmp.chunkMessageHeaderRead();
  if (packet.header.length > maxMessageBytes) {
    const sentence = `A message of ${packet.header.length} bytes came, at most ${maxMessageBytes} are allowed here.`;
    throw new ProtocolError('too-big', sentence);
  }
}

function chunkStreamId(basicBytes: number, [first, second, third]: readonly [number, number, number]): number {
  switch (basicBytes) {
    case 2:
      return 64 + second;
    case 3:
      return 64 + second + third * 256;
    default:
      return first & 0x3f;
  }
}

function openChunkStream(rtmp: NmsRtmp, fmt: number, cid: number): NmsRtmpPacket {
  if (fmt >= 2) {
    throw new ProtocolError('malformed', 'A chunk stream starts without a message length.');
  }
  if (rtmp.inPackets.size >= MAX_CHUNK_STREAMS) {
    throw new ProtocolError('limit', `A connection has at most ${MAX_CHUNK_STREAMS} chunk streams.`);
  }
  const header = { fmt, cid, timestamp: 0, length: 0, type: 0, stream_id: 0 };
  const packet = { header, clock: 0, payload: Buffer.alloc(0), capacity: 0, bytes: 0 };
  rtmp.inPackets.set(cid, packet);
  return packet;
}

/** Protocol control messages (5.4). */
function handleControl(rtmp: NmsRtmp): void {
  const { header, payload } = rtmp.parserPacket;
  const isValued = header.type !== MESSAGE_TYPE.abort || header.length > 0;
  if (header.length < 4 && isValued) {
    throw new ProtocolError('malformed', `A protocol control message of type ${header.type} is too short.`);
  }
  const value = payload.readUInt32BE(0);
  switch (header.type) {
    case MESSAGE_TYPE.setChunkSize:
      if (value < 1 || value > MAX_CHUNK_BYTES) {
        throw new ProtocolError('malformed', `A chunk size of ${value} is not allowed.`);
      }
      rtmp.inChunkSize = value;
      break;
    case MESSAGE_TYPE.abort: {
      const aborted = rtmp.inPackets.get(value);
      if (aborted !== undefined && aborted !== rtmp.parserPacket) {
        aborted.bytes = 0;
      }
      break;
    }
    case MESSAGE_TYPE.windowAcknowledgementSize:
      rtmp.ackSize = value;
      break;
    default:
      break; // acknowledgements and bandwidth hints need no answer
  }
}
