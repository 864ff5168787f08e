// Damaged RTMP sessions against the guarded session itself, without a network: every one ends or goes on, none throws, and none
// reserves more memory than it may.

import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { beforeAll, expect, test } from '@jest/globals';
import logger from 'node-media-server/src/core/logger.js';
import { RTMP_TYPE, writeChunks } from '../../../../../server/cli/clients/rtmp-chunks.ts';
import { ChunkBudget } from '../../../../../server/ingest/rtmp/guarded-chunks.ts';
import { GuardedSession } from '../../../../../server/ingest/rtmp/guarded-session.ts';
import type { SessionEnd } from '../../../../../server/ingest/rtmp/guarded-session.ts';
import { amf0Object, writeAmf0 } from '../../../../../shared/containers/flv/amf0.ts';
import type { Amf0Value } from '../../../../../shared/containers/flv/amf0.ts';
import { writeOnMetaData } from '../../../../../shared/containers/flv/on-meta-data.ts';
import { avcPicture, avcSequenceHeader } from '../../../../support/flv-synthesis.ts';
import { FUZZ_CASES, fuzzAsync, mutate } from '../../../../support/fuzz.ts';
import { concat, hex } from '../../../../support/hex.ts';

const limits = {
  connections: 10,
  connectionsPerAddress: 10,
  messageBytes: 4_000_000,
  handshakeMs: 5000,
  idleMs: 10_000,
};
const TOTAL_BYTES = 16_000_000;
const HANDSHAKE = concat(hex('03'), new Uint8Array(2 * 1536));

const message = (type: number, payload: Uint8Array, chunkStream = 3): Uint8Array =>
  writeChunks({ chunkStream, type, messageStream: 1, timestamp: 40, payload }, 128);
const command = (...values: readonly Amf0Value[]): Uint8Array => message(RTMP_TYPE.command, writeAmf0(values));

const beforePublish = concat(
  message(RTMP_TYPE.setChunkSize, hex('00000080'), 2),
  message(RTMP_TYPE.windowAcknowledgementSize, hex('002625a0'), 2),
  command('connect', 1, amf0Object({ app: 'live', tcUrl: 'rtmp://host/live', flashVer: 'x', capabilities: 15 })),
  command('releaseStream', 2, null, 'demo'),
  command('createStream', 3, null),
  command('publish', 4, null, 'demo?key=k', 'live'),
);
const media = concat(
  message(RTMP_TYPE.data, concat(writeAmf0(['@setDataFrame']), writeOnMetaData([])), 5),
  message(RTMP_TYPE.video, avcSequenceHeader().data, 6),
  message(RTMP_TYPE.video, avcPicture(0).data, 6),
  message(RTMP_TYPE.audio, hex('af 01 2100'), 4),
  message(RTMP_TYPE.video, avcPicture(1).data, 6),
  command('FCUnpublish', 5, null, 'demo'),
);

beforeAll(() => {
  logger.log = () => undefined;
});

/** Feeds the bytes to a new session whose key is accepted at once, and says how it ended. */
async function outcomeOf(pieces: readonly Uint8Array[], budget: ChunkBudget): Promise<string> {
  const socket = Object.assign(new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() }), {
    remoteAddress: '127.0.0.1',
    remotePort: 1,
  });
  const ends: SessionEnd[] = [];
  let tags = 0;
  let asked = 0;
  const session = new GuardedSession(1, socket as unknown as Socket, {
    limits,
    budget,
    hooks: {
      onPublishRequest: (from) => {
        asked += 1;
        from.approve();
      },
      onMedia: () => (tags += 1),
      onEnd: (_from, end) => ends.push(end),
    },
  });
  for (const piece of pieces) {
    socket.emit('data', Buffer.from(piece));
  }
  expect(ends.length).toBe(session.isOver ? 1 : 0);
  expect(asked).toBeLessThanOrEqual(1);
  const [end] = ends;
  const how = end === undefined ? 'goes on' : (end.code ?? end.how);
  socket.destroy();
  await new Promise((resolve) => setImmediate(resolve)); // 'close' comes
  expect(ends.length).toBe(1);
  return asked === 0 ? `${how}, never asked` : tags === 0 ? `${how}, no media` : `${how}, media`;
}

test('the undamaged session publishes media and says goodbye', async () => {
  expect(await outcomeOf([HANDSHAKE, beforePublish, media], new ChunkBudget(TOTAL_BYTES))).toBe('finished, media');
});

test('damaged sessions end with a code or go on, and give their memory back', async () => {
  const budget = new ChunkBudget(TOTAL_BYTES);
  const outcomes = await fuzzAsync('RTMP messages', 77, (random) => {
    const isBefore = random(2) === 0;
    const start = isBefore ? mutate(random, beforePublish) : beforePublish;
    const bytes = concat(start, isBefore ? media : mutate(random, media));
    const cut = random(bytes.length);
    return outcomeOf([HANDSHAKE, bytes.subarray(0, cut), bytes.subarray(cut)], budget);
  });
  expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(FUZZ_CASES);
  expect(outcomes.get('finished, media')).toBeGreaterThan(0);
  expect(outcomes.get('malformed, never asked')).toBeGreaterThan(0);
  expect(budget.totalBytes).toBe(0);
}, 300_000);

test('random bytes behind a handshake never ask to publish', async () => {
  const outcomes = await fuzzAsync('RTMP random bytes', 78, (random) => {
    const bytes = Uint8Array.from({ length: 1 + random(400) }, () => random(256));
    return outcomeOf([HANDSHAKE, bytes], new ChunkBudget(TOTAL_BYTES));
  });
  expect([...outcomes.keys()].filter((outcome) => !outcome.endsWith('never asked'))).toEqual([]);
}, 300_000);
