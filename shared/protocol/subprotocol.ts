// Names and sizes of the WebSocket subprotocol `tessera.1` (docs/protocol.md). Both ends use them.

import { PEER_ERRORS, type PeerErrorCode } from '../errors.ts';

/** What both ends offer in `Sec-WebSocket-Protocol`. */
export const SUBPROTOCOL = 'tessera.1';

/** Bytes before the payload of every object. */
export const OBJECT_HEADER_BYTES = 44;

/** Largest text message that a publisher may send, in bytes (a track description is base64 in it). */
export const MAX_CONTROL_BYTES = 65_536;

/** Close code of a session that ended as agreed (RFC 6455, 7.4.1). */
export const CLOSE_NORMAL = 1000;

const CODE_OF_CLOSE = new Map<number, PeerErrorCode>(
  (Object.keys(PEER_ERRORS) as PeerErrorCode[]).map((code) => [PEER_ERRORS[code].close, code]),
);

/** The error that a WebSocket close code stands for, or null for every other close code. */
export function peerErrorOfClose(closeCode: number): PeerErrorCode | null {
  return CODE_OF_CLOSE.get(closeCode) ?? null;
}
