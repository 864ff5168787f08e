// Damaged sessions of `tessera.1` against the server's own publisher and viewer sessions, over real WebSocket framing without a
// network: every one goes on or is closed with a code of the contract, none throws, and nothing of it stays behind.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PEER_ERRORS } from '../../../../../shared/errors.ts';
import type { StreamId } from '../../../../../shared/media/brands.ts';
import { microseconds } from '../../../../../shared/media/time.ts';
import { encodeControl } from '../../../../../shared/protocol/control-message.ts';
import { encodeObject, type ObjectKind } from '../../../../../shared/protocol/object-header.ts';
import { peerErrorOfClose } from '../../../../../shared/protocol/subprotocol.ts';
import { trackConfigToWire } from '../../../../../shared/protocol/track-message.ts';
import { ChannelSet } from '../../../../../server/delivery/channel-set.ts';
import { createDeliveryCounters, type DeliveryContext } from '../../../../../server/delivery/delivery-context.ts';
import { ViewerLimits } from '../../../../../server/delivery/viewer-limits.ts';
import { WebSocketDelivery } from '../../../../../server/delivery/websocket-delivery.ts';
import { WebSocketIngest } from '../../../../../server/ingest/websocket/websocket-ingest.ts';
import { AddressGate } from '../../../../../server/platform/address-gate.ts';
import { silentLogger } from '../../../../../server/platform/logger.ts';
import { fuzzAsync, mutate, type Random } from '../../../../support/fuzz.ts';
import { clientFrame, memoryServer, MemorySocket } from '../../../../support/memory-socket.ts';
import {
  audioConfig,
  defaultLimits,
  KEY,
  request,
  STREAM,
  streamRoom,
  unit,
  videoConfig,
} from '../../../../support/stream-room.ts';

const object = (kind: ObjectKind, trackId: number, ms: number, payload: Uint8Array): Uint8Array =>
  encodeObject(
    {
      kind,
      trackId,
      priority: ms === 0 || kind === 'audio' ? 'key' : 'reference',
      isCached: false,
      temporalLayer: 0,
      group: 0,
      object: ms / 33,
      pts: microseconds(ms * 1000),
      dts: microseconds(ms * 1000),
      arrivalTime: microseconds(0),
    },
    payload,
  );

const track = (id: number, name: string, config: object): string => JSON.stringify({ type: 'track', id, name, config });

/** A whole publisher's session. */
const publishing: readonly (string | Uint8Array)[] = [
  encodeControl({ type: 'hello', role: 'publish', key: KEY, agent: 'fuzz' } as { type: string }),
  track(0, 'video', trackConfigToWire(videoConfig())),
  track(1, 'audio', trackConfigToWire(audioConfig)),
  object('video', 0, 0, new Uint8Array(60).fill(7)),
  JSON.stringify({ type: 'clock', t0: 12.5 }),
  Buffer.concat([object('video', 0, 33, new Uint8Array(20)), object('audio', 1, 33, new Uint8Array(9))]),
  object('data', 2, 33, Buffer.from('{"type":"chat","key":"k","value":"hi","ts":1}\n')),
  track(0, 'video', trackConfigToWire(videoConfig({ width: 640, height: 360 }))),
  object('video', 0, 66, new Uint8Array(30)),
  JSON.stringify({ type: 'end' }),
];

const report = {
  type: 'report',
  rendition: 'source',
  intervalMs: 1000,
  painted: 30,
  dropped: 1,
  decodeErrors: 0,
  stalls: 0,
  stalledMs: 0,
  bufferMs: 40,
  latencyKind: 'glass',
  latencyMs: [71.5, 80],
};

/** A whole viewer's session. */
const viewing: readonly (string | Uint8Array)[] = [
  JSON.stringify({ type: 'clock', t0: 1 }),
  JSON.stringify(report),
  JSON.stringify({ type: 'select', rendition: 'auto' }),
  JSON.stringify({ type: 'loss', track: 0, group: 0, object: 3 }),
  JSON.stringify({ type: 'select', rendition: '720p' }),
];

const JUNK: readonly unknown[] = [null, -1, 1e300, 0.5, '', 'x'.repeat(70), [], {}, true, 256, 'source'];

/** A message with one field replaced, or with its bytes damaged. */
function damagedMessage(random: Random, message: string | Uint8Array): string | Uint8Array {
  if (typeof message !== 'string') {
    return mutate(random, message);
  }
  if (random(2) === 0) {
    return Buffer.from(mutate(random, Buffer.from(message))).toString('latin1');
  }
  const fields = JSON.parse(message) as Record<string, unknown>;
  const names = Object.keys(fields);
  return JSON.stringify({ ...fields, [names[random(names.length)] ?? 'x']: JUNK[random(JUNK.length)] });
}

/** The bytes of a session with one damage: in a message, in the order of the messages, or in the framing; cut as a network may. */
function damaged(random: Random, session: readonly (string | Uint8Array)[]): Uint8Array[] {
  const messages = [...session];
  const at = random(messages.length);
  const message = messages[at] ?? '';
  const kind = random(5);
  if (kind < 2) {
    messages[at] = damagedMessage(random, message);
  } else if (kind < 4) {
    messages.splice(random(messages.length), random(2), ...(random(2) === 0 ? [message] : [])); // left out, again, too early
  }
  const whole = Buffer.concat(messages.map(clientFrame));
  const bytes = kind < 4 ? whole : Buffer.from(mutate(random, whole));
  const cut = random(bytes.length + 1);
  return [bytes.subarray(0, cut), bytes.subarray(cut)];
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function room() {
  const { clock, registry, metrics, events } = streamRoom({ limits: { publishers: 8 } });
  const shared = { limits: defaultLimits, clock, logger: silentLogger, reporter: { report: () => undefined } };
  const refused: string[] = [];
  const gate = new AddressGate(4);
  const ingest = new WebSocketIngest(
    { admission: registry, ...shared, refused: (code) => void refused.push(code), takeEvents: () => true },
    gate,
  );
  const context: DeliveryContext = { registry, ...shared, counters: createDeliveryCounters(metrics) };
  const limits = new ViewerLimits(defaultLimits);
  const delivery = new WebSocketDelivery(context, new ChannelSet(context), limits);
  return { clock, registry, ingest, delivery, gate, limits, refused, events };
}

/** How a session ended: the name of the close code. */
async function endOf(socket: MemorySocket, pieces: readonly Uint8Array[]): Promise<string> {
  for (const piece of pieces) {
    socket.feed(piece);
    await turn();
  }
  const code = socket.closeCode;
  socket.cut();
  await turn();
  if (code === null) {
    return 'goes on';
  }
  const name = peerErrorOfClose(code);
  expect(name !== null || [1000, 1005].includes(code)).toBe(true);
  return name ?? 'closed as agreed';
}

const known = new Set<string>([...Object.keys(PEER_ERRORS), 'goes on', 'closed as agreed']);
let parts: ReturnType<typeof room>;
const publishers = memoryServer(defaultLimits.publisherMessageBytes);
const viewers = memoryServer(defaultLimits.viewerMessageBytes);
let live: ReturnType<ReturnType<typeof room>['registry']['open']>;

beforeAll(() => {
  parts = room();
  live = parts.registry.open(request());
  live.setTrack('video', videoConfig());
  live.push('video', unit(0, 'key'));
});
afterAll(() => {
  parts.ingest.close();
  parts.delivery.drain();
});

test('the undamaged sessions of a publisher and a viewer are taken', async () => {
  const publisher = MemorySocket.open(publishers, '/publish/fuzz-ok');
  parts.ingest.accept(publisher.peer, 'fuzz-ok');
  expect(await endOf(publisher, publishing.map(clientFrame))).toBe('closed as agreed');
  expect(parts.registry.get('fuzz-ok' as StreamId)?.state.kind).toBe('ended');
  const viewer = MemorySocket.open(viewers, `/subscribe/${STREAM}`);
  parts.delivery.accept(viewer.peer, STREAM);
  expect(await endOf(viewer, viewing.map(clientFrame))).toBe('goes on');
  expect(parts.refused).toEqual([]);
});

test('damaged publishers end with a code or go on, and leave no slot taken', async () => {
  const outcomes = await fuzzAsync('tessera.1 publishers', 41, async (random, index) => {
    const name = `fuzz-${index % 5}`;
    const socket = MemorySocket.open(publishers, `/publish/${name}`);
    parts.ingest.accept(socket.peer, name);
    const end = await endOf(socket, damaged(random, publishing));
    live.push('video', unit(33 * (index + 1), index % 50 === 0 ? 'key' : 'reference'));
    parts.clock.advance(200);
    parts.events.length = 0; // kept by the test's own reporter
    return end;
  });
  expect([...outcomes.keys()].filter((outcome) => !known.has(outcome))).toEqual([]);
  expect(outcomes.get('malformed')).toBeGreaterThan(100);
  expect(outcomes.get('closed as agreed')).toBeGreaterThan(100);
  for (let free = 0; free < 4; free++) {
    parts.gate.enter('127.0.0.1'); // all four places of the address are free again
  }
}, 300_000);

test('damaged viewers end with a code or go on, and nobody else misses anything', async () => {
  const stream = parts.registry.get(STREAM)!;
  const outcomes = await fuzzAsync('tessera.1 viewers', 42, async (random, index) => {
    const socket = MemorySocket.open(viewers, `/subscribe/${STREAM}`);
    parts.delivery.accept(socket.peer, STREAM);
    live.push('video', unit(1e6 + 33 * index, index % 50 === 0 ? 'key' : 'reference'));
    const end = await endOf(socket, damaged(random, viewing));
    parts.clock.advance(200);
    parts.events.length = 0; // kept by the test's own reporter
    return end;
  });
  expect([...outcomes.keys()].filter((outcome) => !known.has(outcome))).toEqual([]);
  expect(outcomes.get('malformed')).toBeGreaterThan(100);
  expect(outcomes.get('goes on')).toBeGreaterThan(100);
  expect(stream.viewers).toBe(0);
  expect(stream.state.kind).toBe('live');
  expect(stream.tracks.source?.sinkCount).toBe(0);
}, 300_000);
