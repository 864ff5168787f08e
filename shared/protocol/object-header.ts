// The binary half of `tessera.1`: objects, each a header of 44 bytes and its payload, one or more per WebSocket message.
// Layout (big endian), repeated in docs/protocol.md:
//   0 u8 version = 1 | 1 u8 kind | 2 u8 trackId | 3 u8 flags | 4 u32 group | 8 u32 object | 12 i64 pts (us)
//   20 i32 pts - dts (us) | 24 u64 captureTime (epoch us, 0 = none) | 32 u64 arrivalTime (epoch us) | 40 u32 payloadLength
// flags: bits 0-1 priority (0 key, 1 reference, 2 discardable), bit 2 cached, bit 3 captureTime valid, bits 4-5 temporal layer, 6-7 zero.

import { ProtocolError } from '../errors.ts';
import type { Priority } from '../media/access-unit.ts';
import { microseconds, type Microseconds } from '../media/time.ts';
import { OBJECT_HEADER_BYTES } from './subprotocol.ts';

/** What an object carries: an access unit, an audio frame, data lines (JSON), or a packed I420 picture. */
export type ObjectKind = 'video' | 'audio' | 'data' | 'raw';

/** Everything that the header says about an object, except the payload's length. */
export type ObjectHeader = {
  readonly kind: ObjectKind;
  readonly trackId: number; // 0..255
  readonly priority: Priority;
  /** Part of the join burst: the player decodes it unpainted to the live edge. */
  readonly isCached: boolean;
  readonly temporalLayer: number; // 0..3
  /** Grows by one with each key object of the track. */
  readonly group: number; // 0..2^32-1
  /** Place within the group, from 0. A gap means objects were dropped. */
  readonly object: number; // 0..2^32-1
  readonly pts: Microseconds;
  readonly dts: Microseconds; // |pts - dts| < 2^31 us
  /** Unix epoch microseconds on the server's clock. */
  readonly captureTime?: Microseconds;
  /** Unix epoch microseconds on the server's clock; 0 from a publisher. */
  readonly arrivalTime: Microseconds;
};

/** A parsed object. `payload` is a view on the message. */
export type WireObject = ObjectHeader & { readonly payload: Uint8Array };

const VERSION = 1;
const KINDS: readonly (ObjectKind | undefined)[] = ['video', 'audio', 'data', 'raw']; // wire value is the index + 1
const PRIORITIES: readonly (Priority | undefined)[] = ['key', 'reference', 'discardable'];
const FLAG_CACHED = 0x04;
const FLAG_CAPTURE_TIME = 0x08;
const TWO_32 = 0x1_0000_0000;

function setInt64(view: DataView, offset: number, value: number): void {
  view.setInt32(offset, Math.floor(value / TWO_32) | 0);
  view.setUint32(offset + 4, value >>> 0);
}

function getInt64(view: DataView, offset: number): number {
  return view.getInt32(offset) * TWO_32 + view.getUint32(offset + 4);
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`The object header's ${name} must be a whole number from ${min} to ${max}, got ${value}.`);
  }
}

/** Writes the header of an object with `payloadLength` payload bytes at `offset`. Throws RangeError for fields outside their ranges. */
function writeObjectHeader(target: Uint8Array, offset: number, header: ObjectHeader, payloadLength: number): void {
  checkRange('trackId', header.trackId, 0, 255);
  checkRange('temporalLayer', header.temporalLayer, 0, 3);
  checkRange('group', header.group, 0, TWO_32 - 1);
  checkRange('object', header.object, 0, TWO_32 - 1);
  checkRange('pts', header.pts, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  checkRange('pts - dts', header.pts - header.dts, -0x8000_0000, 0x7fff_ffff);
  checkRange('captureTime', header.captureTime ?? 0, 0, Number.MAX_SAFE_INTEGER);
  checkRange('arrivalTime', header.arrivalTime, 0, Number.MAX_SAFE_INTEGER);
  checkRange('payloadLength', payloadLength, 0, TWO_32 - 1);
  const view = new DataView(target.buffer, target.byteOffset + offset, OBJECT_HEADER_BYTES);
  view.setUint8(0, VERSION);
  view.setUint8(1, KINDS.indexOf(header.kind) + 1);
  view.setUint8(2, header.trackId);
  view.setUint8(
    3,
    PRIORITIES.indexOf(header.priority) |
      (header.isCached ? FLAG_CACHED : 0) |
      (header.captureTime === undefined ? 0 : FLAG_CAPTURE_TIME) |
      (header.temporalLayer << 4),
  );
  view.setUint32(4, header.group);
  view.setUint32(8, header.object);
  setInt64(view, 12, header.pts);
  view.setInt32(20, header.pts - header.dts);
  setInt64(view, 24, header.captureTime ?? 0);
  setInt64(view, 32, header.arrivalTime);
  view.setUint32(40, payloadLength);
}

/** One object as a message of its own: header and payload in a new buffer. */
export function encodeObject(header: ObjectHeader, payload: Uint8Array): Uint8Array {
  const message = new Uint8Array(OBJECT_HEADER_BYTES + payload.length);
  writeObjectHeader(message, 0, header, payload.length);
  message.set(payload, OBJECT_HEADER_BYTES);
  return message;
}

function malformed(sentence: string): ProtocolError {
  return new ProtocolError('malformed', sentence);
}

function safeInteger(name: string, value: number, min: number): Microseconds {
  if (!Number.isSafeInteger(value) || value < min) {
    throw malformed(`The object header's ${name} is outside the range of exact numbers.`);
  }
  return microseconds(value);
}

function readObject(message: Uint8Array, offset: number): WireObject {
  if (message.length - offset < OBJECT_HEADER_BYTES) {
    throw malformed(`An object header needs ${OBJECT_HEADER_BYTES} bytes, ${message.length - offset} are left.`);
  }
  const view = new DataView(message.buffer, message.byteOffset + offset, OBJECT_HEADER_BYTES);
  if (view.getUint8(0) !== VERSION) {
    throw malformed(`Object version ${view.getUint8(0)} is unknown, this is version ${VERSION}.`);
  }
  const kind = KINDS[view.getUint8(1) - 1];
  if (kind === undefined) {
    throw malformed(`Object kind ${view.getUint8(1)} is unknown.`);
  }
  const flags = view.getUint8(3);
  const priority = PRIORITIES[flags & 0x03];
  if (priority === undefined || (flags & 0xc0) !== 0) {
    throw malformed(`Object flags 0x${flags.toString(16)} are not allowed.`);
  }
  const payloadLength = view.getUint32(40);
  const start = offset + OBJECT_HEADER_BYTES;
  if (payloadLength > message.length - start) {
    throw malformed(`An object says ${payloadLength} payload bytes, ${message.length - start} are left.`);
  }
  const pts = safeInteger('pts', getInt64(view, 12), Number.MIN_SAFE_INTEGER);
  const object = {
    kind,
    trackId: view.getUint8(2),
    priority,
    isCached: (flags & FLAG_CACHED) !== 0,
    temporalLayer: (flags >> 4) & 0x03,
    group: view.getUint32(4),
    object: view.getUint32(8),
    pts,
    dts: safeInteger('dts', pts - view.getInt32(20), Number.MIN_SAFE_INTEGER),
    arrivalTime: safeInteger('arrivalTime', getInt64(view, 32), 0),
    payload: message.subarray(start, start + payloadLength),
  };
  const captureTime = safeInteger('captureTime', getInt64(view, 24), 0);
  return (flags & FLAG_CAPTURE_TIME) === 0 ? object : { ...object, captureTime };
}

/** All objects of one binary message, in order. Throws ProtocolError `malformed` when any byte of it breaks the layout. */
export function decodeObjects(message: Uint8Array): WireObject[] {
  const objects: WireObject[] = [];
  let offset = 0;
  do {
    const object = readObject(message, offset);
    objects.push(object);
    offset += OBJECT_HEADER_BYTES + object.payload.length;
  } while (offset < message.length);
  return objects;
}
