// The pipe between the server and its RTMP ingest process: frames over a duplex stream (a socket pair made at spawn).
// Frame, big endian: u32 length of what follows | u8 kind | u32 session | body. Media bodies are binary
// (u8 tag type | u32 timestamp ms | f64 arrival, epoch us | payload), all others JSON.
// Bounds: a frame holds at most MAX_FRAME_BYTES; the writer says when more than HIGH_WATER_BYTES wait (backpressure).

import type { Duplex } from 'node:stream';
import { z } from 'zod';
import { isFlvTagType } from '../../../shared/containers/flv/flv-tag.ts';
import type { FlvTag } from '../../../shared/containers/flv/flv-tag.ts';
import { PEER_ERRORS } from '../../../shared/errors.ts';
import type { PeerErrorCode } from '../../../shared/errors.ts';
import { microseconds } from '../../../shared/media/time.ts';
import type { Microseconds } from '../../../shared/media/time.ts';

/** The longest message that RTMP can say. */
export const MAX_MESSAGE_BYTES = 0xffffff;
/** Largest frame: a message and its headers. */
const MAX_FRAME_BYTES = MAX_MESSAGE_BYTES + 1024;
/** Bytes waiting in the pipe from which on the ingest stops reading from its publishers. */
export const HIGH_WATER_BYTES = 8 * 1024 * 1024;

const LENGTH_BYTES = 4;
const HEADER_BYTES = LENGTH_BYTES + 5;
const MEDIA_HEADER_BYTES = 13;

const peerErrorCode = z.custom<PeerErrorCode>(
  (value) => typeof value === 'string' && Object.hasOwn(PEER_ERRORS, value),
);

/** Limits that the server gives to the ingest process. */
const ingestLimitsSchema = z.object({
  connections: z.number().int().positive(),
  connectionsPerAddress: z.number().int().positive(),
  messageBytes: z.number().int().positive().max(MAX_MESSAGE_BYTES),
  handshakeMs: z.number().positive(),
  idleMs: z.number().positive(),
});

export type IngestLimits = z.infer<typeof ingestLimitsSchema>;

/** Connections that ended without becoming or staying a publisher, coalesced: `count` of the same kind. */
const tallySchema = z.object({
  kind: z.enum(['connected', 'refused', 'dropped']),
  code: peerErrorCode.optional(),
  count: z.number().int().positive(),
});

export type ConnectionTally = z.infer<typeof tallySchema>;

const bodies = {
  /** To the ingest, once: open the port. */
  listen: z.object({ host: z.string(), port: z.number().int(), limits: ingestLimitsSchema }),
  /** From the ingest: the port is open. */
  listening: z.object({ port: z.number().int() }),
  /** From the ingest: the port cannot be opened. */
  failed: z.object({ message: z.string() }),
  /** From the ingest: somebody wants to publish and waits for `approve` or `refuse`. */
  'publish-request': z.object({ name: z.string(), key: z.string(), address: z.string() }),
  approve: z.object({}),
  refuse: z.object({ code: peerErrorCode, sentence: z.string() }),
  /** From the ingest: an approved publisher is gone. `code` is set when the ingest dropped it. */
  closed: z.object({
    how: z.enum(['finished', 'lost']),
    code: peerErrorCode.optional(),
    sentence: z.string().optional(),
  }),
  /** From the ingest, every second and when something happened. */
  alive: z.object({ rssBytes: z.number(), connections: z.number().int(), tallies: z.array(tallySchema) }),
} as const;

type Bodies = typeof bodies;
type JsonKind = keyof Bodies;

/** One frame of the pipe. */
export type PipeFrame =
  | {
      [Kind in JsonKind]: { readonly kind: Kind; readonly session: number; readonly body: z.infer<Bodies[Kind]> };
    }[JsonKind]
  | { readonly kind: 'media'; readonly session: number; readonly tag: FlvTag; readonly arrivalTime: Microseconds };

/** Order defines the numbers on the wire. */
const KINDS: readonly PipeFrame['kind'][] = [
  'media',
  'listen',
  'listening',
  'failed',
  'publish-request',
  'approve',
  'refuse',
  'closed',
  'alive',
];

/** The bytes of a frame. */
export function encodeFrame(frame: PipeFrame): Buffer {
  const json = frame.kind === 'media' ? null : Buffer.from(JSON.stringify(frame.body));
  const bodyBytes = frame.kind === 'media' ? MEDIA_HEADER_BYTES + frame.tag.data.length : (json?.length ?? 0);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + bodyBytes);
  bytes.writeUInt32BE(HEADER_BYTES - LENGTH_BYTES + bodyBytes, 0);
  bytes.writeUInt8(KINDS.indexOf(frame.kind), LENGTH_BYTES);
  bytes.writeUInt32BE(frame.session, LENGTH_BYTES + 1);
  if (frame.kind === 'media') {
    bytes.writeUInt8(frame.tag.type, HEADER_BYTES);
    bytes.writeUInt32BE(frame.tag.timestamp, HEADER_BYTES + 1);
    bytes.writeDoubleBE(frame.arrivalTime, HEADER_BYTES + 5);
    bytes.set(frame.tag.data, HEADER_BYTES + MEDIA_HEADER_BYTES);
  } else {
    json?.copy(bytes, HEADER_BYTES);
  }
  return bytes;
}

/** Parses what follows the length field; media is copied, so that a kept frame keeps nothing else alive. Throws Error when the other side breaks the framing: it is ours, so that is a bug or a takeover. */
function decodeFrame(bytes: Buffer): PipeFrame {
  const kind = KINDS[bytes.readUInt8(0)];
  const session = bytes.readUInt32BE(1);
  const body = bytes.subarray(5);
  if (kind === undefined) {
    throw new Error(`The ingest pipe carries a frame of unknown kind ${bytes.readUInt8(0)}.`);
  }
  if (kind !== 'media') {
    return { kind, session, body: bodies[kind].parse(JSON.parse(body.toString())) } as PipeFrame;
  }
  const type = body.readUInt8(0);
  if (!isFlvTagType(type)) {
    throw new Error(`The ingest pipe carries media of unknown type ${type}.`);
  }
  const tag = {
    type,
    timestamp: body.readUInt32BE(1),
    data: new Uint8Array(body.subarray(MEDIA_HEADER_BYTES)),
  };
  return { kind, session, tag, arrivalTime: microseconds(body.readDoubleBE(5)) };
}

export type PacketPipeEvents = {
  readonly onFrame: (frame: PipeFrame) => void;
  /** The other side broke the framing. Nothing more is read. */
  readonly onViolation: (error: Error) => void;
  /** Less than half of HIGH_WATER_BYTES waits again. */
  readonly onDrain?: () => void;
};

/** One end of the pipe. */
export class PacketPipe {
  readonly #stream: Duplex;
  readonly #events: PacketPipeEvents;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #isBroken = false;
  #isCongested = false;

  constructor(stream: Duplex, events: PacketPipeEvents) {
    this.#stream = stream;
    this.#events = events;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  /** True while more waits than the pipe should hold. */
  get isCongested(): boolean {
    return this.#isCongested;
  }

  /** Sends one frame; media data is copied before the call returns. False: stop reading until onDrain. */
  send(frame: PipeFrame): boolean {
    if (!this.#stream.writable) {
      return true; // the other side is gone; its end is handled elsewhere
    }
    this.#stream.write(encodeFrame(frame), () => this.#written());
    this.#isCongested ||= this.#stream.writableLength > HIGH_WATER_BYTES;
    return !this.#isCongested;
  }

  /** Nothing more will be sent; what waits still leaves. */
  end(): void {
    this.#stream.end();
  }

  #written(): void {
    if (this.#isCongested && this.#stream.writableLength < HIGH_WATER_BYTES / 2) {
      this.#isCongested = false;
      this.#events.onDrain?.();
    }
  }

  #receive(chunk: Buffer): void {
    if (this.#isBroken) {
      return;
    }
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    try {
      for (let frame = this.#next(); frame !== null; frame = this.#next()) {
        this.#events.onFrame(frame);
      }
    } catch (error) {
      this.#isBroken = true;
      this.#pending = [];
      this.#events.onViolation(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Takes the next complete frame off the pending bytes. */
  #next(): PipeFrame | null {
    if (this.#pendingBytes < LENGTH_BYTES) {
      return null;
    }
    const first = this.#join(LENGTH_BYTES);
    const length = first.readUInt32BE(0);
    if (length < HEADER_BYTES - LENGTH_BYTES || length > MAX_FRAME_BYTES) {
      throw new Error(`The ingest pipe carries a frame of ${length} bytes.`);
    }
    if (this.#pendingBytes < LENGTH_BYTES + length) {
      return null;
    }
    const bytes = this.#join(LENGTH_BYTES + length);
    this.#pendingBytes -= LENGTH_BYTES + length;
    const rest = bytes.subarray(LENGTH_BYTES + length);
    this.#pending[0] = rest;
    if (rest.length === 0) {
      this.#pending.shift();
    }
    return decodeFrame(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
  }

  /** The first pending buffer, made at least `length` bytes long. */
  #join(length: number): Buffer {
    const first = this.#pending[0] ?? Buffer.alloc(0);
    if (first.length >= length) {
      return first;
    }
    const joined = Buffer.concat(this.#pending);
    this.#pending = [joined];
    return joined;
  }
}
