// RTMP commands (Adobe RTMP 1.0, 7.2) read by the bounded AMF0 reader and checked before anything acts on them.
// Used by guarded-session.ts.

import { isAmf0Object, readAmf0 } from '../../../shared/containers/flv/amf0.ts';
import type { Amf0Value } from '../../../shared/containers/flv/amf0.ts';
import { ProtocolError } from '../../../shared/errors.ts';

const AMF3_COMMAND = 17;
/** The application of every Tessera stream: `rtmp://HOST/live/STREAM`. */
const RTMP_APPLICATION = 'live';
const MAX_NAME_CHARACTERS = 512;
const COMMAND_LIMITS = { maxDepth: 8, maxValues: 256 } as const;

export type RtmpCommand =
  | {
      readonly name: 'connect';
      readonly transaction: number;
      /** As the library's onConnect reads it. */
      readonly properties: { readonly app: string; readonly tcUrl: string; readonly objectEncoding: number };
    }
  | { readonly name: 'createStream'; readonly transaction: number }
  | { readonly name: 'publish'; readonly streamName: string }
  | { readonly name: 'play' }
  /** FCUnpublish, closeStream, deleteStream. */
  | { readonly name: 'goodbye' }
  | { readonly name: 'other' };

/** Reads one command message. Throws ContainerError for malformed AMF0, ProtocolError for a command that makes no sense. */
export function parseRtmpCommand(messageType: number, payload: Uint8Array): RtmpCommand {
  const body = messageType === AMF3_COMMAND ? payload.subarray(1) : payload;
  const [name, transactionValue, properties, argument] = readAmf0(body, COMMAND_LIMITS);
  const transaction = typeof transactionValue === 'number' ? transactionValue : 0;
  switch (name) {
    case 'connect':
      return { name: 'connect', transaction, properties: parseConnect(properties) };
    case 'createStream':
      return { name: 'createStream', transaction };
    case 'publish':
      return { name: 'publish', streamName: requireName(argument) };
    case 'play':
    case 'play2':
      return { name: 'play' };
    case 'FCUnpublish':
    case 'closeStream':
    case 'deleteStream':
      return { name: 'goodbye' };
    default:
      if (typeof name !== 'string') {
        throw new ProtocolError('malformed', 'An RTMP command has no name.');
      }
      return { name: 'other' };
  }
}

function parseConnect(value: Amf0Value): Extract<RtmpCommand, { readonly name: 'connect' }>['properties'] {
  if (value === undefined || !isAmf0Object(value)) {
    throw new ProtocolError('malformed', 'connect carries no object.');
  }
  const tcUrl = value.properties.get('tcUrl');
  const app = value.properties.get('app');
  const objectEncoding = value.properties.get('objectEncoding');
  if (typeof tcUrl !== 'string' || !URL.canParse(tcUrl)) {
    throw new ProtocolError('malformed', 'connect carries no valid tcUrl.');
  }
  if (typeof app !== 'string' || app.replace(/\/$/, '') !== RTMP_APPLICATION) {
    throw new ProtocolError('no-such-stream', `The RTMP application is named "${RTMP_APPLICATION}".`);
  }
  const encoding = typeof objectEncoding === 'number' ? objectEncoding : 0;
  return { app: RTMP_APPLICATION, tcUrl, objectEncoding: encoding };
}

function requireName(value: Amf0Value): string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_NAME_CHARACTERS) {
    throw new ProtocolError('malformed', 'publish names no stream.');
  }
  return value;
}

/** Splits `STREAM?key=KEY`. A missing key is an empty one; of repeated keys the first counts. */
export function parsePublishName(streamName: string): { readonly name: string; readonly key: string } {
  const at = streamName.indexOf('?');
  if (at === -1) {
    return { name: streamName, key: '' };
  }
  return { name: streamName.slice(0, at), key: new URLSearchParams(streamName.slice(at + 1)).get('key') ?? '' };
}
