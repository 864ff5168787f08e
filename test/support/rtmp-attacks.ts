// Hostile RTMP messages, each sent on a connection of its own. Used by the suites that attack the ingest alone and the whole server.

import { RTMP_TYPE } from '../../server/cli/clients/rtmp-chunks.ts';
import { amf0Object, writeAmf0 } from '../../shared/containers/flv/amf0.ts';
import { avcPicture } from './flv-synthesis.ts';
import { concat, hex } from './hex.ts';
import { RtmpProbe } from './rtmp-probe.ts';

const connectWith = (properties: Parameters<typeof amf0Object>[0]) => (probe: RtmpProbe) =>
  probe.command(0, ['connect', 1, amf0Object(properties)]);
const live = { app: 'live', tcUrl: 'rtmp://127.0.0.1/live' };

/** Opens a bare connection. */
export const opened = (at: number): Promise<RtmpProbe> => RtmpProbe.open(at);
/** Opens a connection whose handshake is done. */
const greeted = (at: number): Promise<RtmpProbe> => RtmpProbe.greeted(at);
/** Opens a connection that has connected and made a message stream. */
export const connected = (at: number): Promise<RtmpProbe> => RtmpProbe.connected(at);

/** What it is, how far the session is before it, what is sent, and the code that it must be refused with. */
export type RtmpAttack = readonly [
  name: string,
  open: (port: number) => Promise<RtmpProbe>,
  attack: (probe: RtmpProbe) => void,
  code: string,
];

/** Each of these alone kills or poisons an unguarded node-media-server, or reserves memory in it. */
export const attacks: readonly RtmpAttack[] = [
  [
    'Set Chunk Size without payload',
    greeted,
    (probe) => probe.write(hex('02 000000 000000 01 00000000 02')),
    'malformed',
  ],
  ['Set Chunk Size 0', greeted, (probe) => probe.message(RTMP_TYPE.setChunkSize, hex('00000000')), 'malformed'],
  [
    'Set Chunk Size 0xffffffff',
    greeted,
    (probe) => probe.message(RTMP_TYPE.setChunkSize, hex('ffffffff')),
    'malformed',
  ],
  ['connect with an unparsable tcUrl', greeted, connectWith({ ...live, tcUrl: 'not a url' }), 'malformed'],
  ['connect without tcUrl', greeted, connectWith({ app: 'live' }), 'malformed'],
  ['connect with a null object', greeted, (probe) => probe.command(0, ['connect', 1, null]), 'malformed'],
  ['publish without a stream name', connected, (probe) => probe.command(1, ['publish', 3, null]), 'malformed'],
  ['publish before connect', greeted, (probe) => probe.command(1, ['publish', 3, null, 'x']), 'malformed'],
  ['an empty invoke', greeted, (probe) => probe.write(hex('03 000000 000000 14 00000000 03')), 'malformed'],
  [
    'a zero-length video message',
    connected,
    (probe) => probe.write(hex('04 000000 000000 09 01000000 04')),
    'malformed',
  ],
  ['a one-byte AMF string', greeted, (probe) => probe.message(RTMP_TYPE.command, hex('02')), 'malformed'],
  ['an unknown AMF marker', greeted, (probe) => probe.message(RTMP_TYPE.command, hex('2a')), 'malformed'],
  [
    'onMetaData with undefined',
    connected,
    (probe) => probe.message(RTMP_TYPE.data, writeAmf0(['@setDataFrame', 'onMetaData', undefined])),
    'malformed',
  ],
  [
    'an AMF array of 0xffffffff values',
    greeted,
    (probe) => probe.message(RTMP_TYPE.command, hex('0a ffffffff')),
    'malformed',
  ],
  [
    'AMF nested 60 000 deep',
    greeted,
    (probe) => probe.message(RTMP_TYPE.command, concat(...Array.from({ length: 15_000 }, () => hex('03 0001 61')))),
    'malformed',
  ],
  [
    'media from a connection that does not publish',
    connected,
    (probe) => probe.message(9, avcPicture(0).data),
    'malformed',
  ],
  [
    'playing, then media',
    connected,
    (probe) => {
      probe.command(1, ['play', 3, null, 'good']);
      probe.message(9, avcPicture(0).data);
    },
    'no-such-stream',
  ],
  [
    '33 chunk streams',
    greeted,
    (probe) => {
      for (let chunkStream = 3; chunkStream < 40; chunkStream++) {
        probe.message(RTMP_TYPE.userControl, hex('0006 00000000'), { chunkStream });
      }
    },
    'limit',
  ],
  ['a message that claims 16 MB', greeted, (probe) => probe.write(hex('03 000000 ffffff 14 00000000 00')), 'too-big'],
  [
    'unfinished messages of 64 kB on many chunk streams',
    greeted,
    (probe) => {
      for (let chunkStream = 3; chunkStream < 30; chunkStream++) {
        probe.write(concat(Uint8Array.of(chunkStream), hex('000000 00fff0 14 00000000'), new Uint8Array(128)));
      }
    },
    'too-big',
  ],
  ['a chunk stream that starts in the middle', greeted, (probe) => probe.write(hex('c3 00000000')), 'malformed'],
  [
    'a chunk header of three bytes for a new chunk stream',
    greeted,
    (probe) => probe.write(hex('c1 0000 00')),
    'malformed',
  ],
  [
    'nine message streams',
    connected,
    (probe) => {
      for (let i = 0; i < 9; i++) {
        probe.command(0, ['createStream', 10 + i, null]);
      }
    },
    'limit',
  ],
  ['no RTMP at all', opened, (probe) => probe.write(Buffer.from('GET / HTTP/1.1\r\n\r\n')), 'malformed'],
];
