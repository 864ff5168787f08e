// Publish over WebSocket, watch over WebSocket and FLV, with real sockets.

import { get, type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { microseconds } from '../../../shared/media/time.ts';
import { PEER_ERRORS } from '../../../shared/errors.ts';
import { audioConfig, videoConfig } from '../../support/stream-room.ts';
import {
  publish,
  startServer,
  TestPublisher,
  TestViewer,
  until,
  watch,
  type TestServer,
} from '../../support/running-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
});

test('a viewer gets welcome, track and the cached group, then every unit as it was sent', async () => {
  const publisher = await publish(server, 'path');
  publisher.unit(0, { priority: 'key', payload: Buffer.from('first') });
  publisher.unit(33, { captureTime: microseconds(Date.now() * 1000) });
  await until('the stream is live', () => publisher.messages.some(({ type }) => type === 'ack'));
  const viewer = await watch(server, 'path');
  await viewer.received(2);
  publisher.unit(66, { priority: 'discardable' });
  publisher.unit(100, { priority: 'key' });
  const objects = await viewer.received(4);
  expect(objects.map(({ group, object, priority, isCached, pts }) => [group, object, priority, isCached, pts])).toEqual(
    [
      [0, 0, 'key', true, 0],
      [0, 1, 'reference', true, 33_000],
      [0, 2, 'discardable', false, 66_000],
      [1, 0, 'key', false, 100_000],
    ],
  );
  expect(Buffer.from(objects[0].payload).toString()).toBe('first');
  expect(objects[1].captureTime).toBeGreaterThan(0);
  expect(Math.abs(objects[3].arrivalTime / 1000 - Date.now())).toBeLessThan(5000);
  expect(viewer.messages[0]).toMatchObject({
    type: 'welcome',
    stream: 'path',
    epoch: 1,
    state: 'live',
  });
  expect(viewer.messages[0]).toHaveProperty(
    'renditions',
    expect.arrayContaining([
      expect.objectContaining({ name: 'source', width: 1280, height: 720, encoder: 'publisher' }),
    ]),
  );
  const track = viewer.messages.find(({ type }) => type === 'track');
  expect(track).toMatchObject({ kind: 'video', rendition: 'source', encoder: 'publisher', latencyKind: 'glass' });
  publisher.say({ type: 'end' });
  expect(await publisher.closeCode()).toBe(1000);
  expect(await viewer.closeCode()).toBe(PEER_ERRORS.ended.close);
  expect(viewer.states.at(-1)).toBe('ended');
});

test('audio and video arrive in order, and the normal class puts several objects into one message', async () => {
  const publisher = await publish(server, 'normal');
  publisher.track(audioConfig, 1);
  publisher.unit(0, { priority: 'key' });
  const viewer = await watch(server, 'normal', 'rendition=source&class=normal');
  await viewer.received(1);
  const before = viewer.binaries.length;
  for (let frame = 1; frame <= 12; frame++) {
    publisher.unit(frame * 33);
    publisher.unit(frame * 33 + 5, { kind: 'audio', trackId: 1 });
  }
  const objects = await viewer.received(25);
  expect(viewer.binaries.length - before).toBeLessThan(4);
  expect(objects.filter(({ kind }) => kind === 'audio')).toHaveLength(12);
  expect(objects.filter(({ kind }) => kind === 'video').map(({ object }) => object)).toEqual(
    Array.from({ length: 13 }, (_, index) => index),
  );
  publisher.say({ type: 'end' });
});

test('acknowledgements count objects, bytes and viewers, and the clock is exchanged', async () => {
  const publisher = await publish(server, 'acks');
  publisher.unit(0, { priority: 'key' });
  publisher.say({ type: 'clock', t0: 12.5 });
  const viewer = await watch(server, 'acks');
  viewer.say({ type: 'clock', t0: 99.25 });
  await until('both have their answers', () => {
    const ack = publisher.messages.findLast(({ type }) => type === 'ack');
    return ack?.type === 'ack' && ack.viewers === 1 && viewer.messages.some(({ type }) => type === 'clock');
  });
  expect(publisher.messages.findLast(({ type }) => type === 'ack')).toMatchObject({ objects: 1, viewers: 1 });
  const clock = publisher.messages.find((message) => message.type === 'clock');
  expect(clock).toMatchObject({ t0: 12.5 });
  if (clock?.type === 'clock') {
    expect(Math.abs(clock.t1 - Date.now())).toBeLessThan(8000);
    expect(clock.t2).toBeGreaterThanOrEqual(clock.t1);
  }
  publisher.say({ type: 'end' });
});

test('every viewer is told how many watch: who joins at once, the others soon after', async () => {
  const publisher = await publish(server, 'count');
  publisher.unit(0, { priority: 'key' });
  const told = ({ messages }: TestViewer): number[] =>
    messages.flatMap((message) => (message.type === 'state' ? [message.viewers] : []));
  const first = await watch(server, 'count');
  await until('the first viewer knows of itself', () => told(first).includes(1));
  const second = await watch(server, 'count');
  await until('both know of two', () => told(first).includes(2) && told(second)[0] === 2);
  first.leave();
  await until('the second knows that the first has left', () => told(second).at(-1) === 1);
  publisher.say({ type: 'end' });
});

test('after a lost connection viewers stay, see reconnecting, and time goes on with epoch 2', async () => {
  const publisher = await publish(server, 'again');
  publisher.unit(5000, { priority: 'key' });
  publisher.unit(5033);
  const viewer = await watch(server, 'again');
  await viewer.received(2);
  publisher.socket.terminate();
  await until('the viewer is told', () => viewer.states.includes('reconnecting'));
  const next = await publish(server, 'again');
  expect(next.messages.find(({ type }) => type === 'welcome')).toMatchObject({ epoch: 2 });
  next.unit(0, { priority: 'key' });
  const objects = await viewer.received(3);
  expect(viewer.closed).toBeNull();
  expect(objects[2].group).toBe(1);
  expect(objects[2].pts).toBeGreaterThan(5_033_000);
  expect(objects[2].pts).toBeLessThan(15_000_000);
  expect(viewer.messages.findLast(({ type }) => type === 'state')).toMatchObject({ state: 'live', epoch: 2 });
  next.say({ type: 'end' });
});

test('a silent publisher is taken over by the same key after 2 s, and refused before that and to other keys', async () => {
  const first = await publish(server, 'taken');
  first.unit(0, { priority: 'key' });
  const early = new TestPublisher(`${server.ws}/publish/taken?key=${server.publishKey}`);
  expect(await early.closeCode()).toBe(PEER_ERRORS.busy.close);
  const viewer = await watch(server, 'taken');
  await until('the stream stalls', () => viewer.states.includes('stalled'));
  const second = await publish(server, 'taken');
  expect(second.messages.find(({ type }) => type === 'welcome')).toMatchObject({ epoch: 2 });
  expect(await first.closeCode()).toBe(PEER_ERRORS.busy.close);
  expect(first.messages.at(-1)).toMatchObject({ type: 'error', code: 'busy' });
  second.unit(0, { priority: 'key' });
  await viewer.received(2);
  second.say({ type: 'end' });
});

test('HTTP-FLV starts with the file header and the cached group and goes on live', async () => {
  const publisher = await publish(server, 'flv');
  publisher.unit(0, { priority: 'key', payload: Buffer.from([0, 0, 0, 1, 0x65]) });
  await until('the stream is there', () => publisher.messages.some(({ type }) => type === 'ack'));
  const body: Buffer[] = [];
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${server.http}/live/flv.flv`, resolve).on('error', reject);
  });
  response.on('data', (chunk: Buffer) => body.push(chunk));
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe('video/x-flv');
  await until('the key unit is there', () =>
    Buffer.concat(body).includes(Buffer.from([0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65])),
  );
  const bytes = Buffer.concat(body);
  expect(bytes.subarray(0, 5).toString('latin1')).toBe('FLV\u0001\u0001');
  expect(bytes.includes('onMetaData')).toBe(true);
  publisher.unit(40, { payload: Buffer.from([0, 0, 0, 1, 0x41]) });
  await until('the live unit is there', () =>
    Buffer.concat(body).includes(Buffer.from([0x27, 1, 0, 0, 0, 0, 0, 0, 1, 0x41])),
  );
  const ended = new Promise((resolve) => response.on('end', resolve));
  publisher.say({ type: 'end' });
  await ended;
});

test('WS-FLV carries the same bytes in binary messages', async () => {
  const publisher = await publish(server, 'wsflv');
  publisher.unit(0, { priority: 'key', payload: Buffer.from([0, 0, 0, 1, 0x65]) });
  await until('the stream is there', () => publisher.messages.some(({ type }) => type === 'ack'));
  const viewer = await new TestViewer(`${server.ws}/live/wsflv.flv`, { protocols: [] }).open();
  await until('the key unit is there', () =>
    Buffer.concat(viewer.binaries).includes(Buffer.from([0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65])),
  );
  expect(viewer.texts).toEqual([]);
  expect(Buffer.concat(viewer.binaries).subarray(0, 3).toString()).toBe('FLV');
  publisher.say({ type: 'end' });
  expect(await viewer.closeCode()).toBe(PEER_ERRORS.ended.close);
});

test('a changed track reaches viewers before its first unit', async () => {
  const publisher = await publish(server, 'resize');
  publisher.unit(0, { priority: 'key' });
  const viewer = await watch(server, 'resize');
  await viewer.received(1);
  publisher.track(videoConfig({ width: 640, height: 360 }));
  publisher.unit(33);
  publisher.unit(66, { priority: 'key' });
  const objects = await viewer.received(2);
  expect(objects.map(({ pts }) => pts)).toEqual([0, 66_000]);
  const tracks = viewer.messages.flatMap((message) => (message.type === 'track' ? [message.config] : []));
  expect(tracks.map((config) => (config.kind === 'video' ? config.width : 0))).toEqual([1280, 640]);
  publisher.say({ type: 'end' });
});

test('events of any source come in with the key and are refused without', async () => {
  const send = (key: string, body: string) =>
    fetch(`${server.http}/api/v1/events/meter`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body });
  const line = JSON.stringify({ type: 'temperature', key: 'roof', value: 21.5, ts: 1_700_000_000_000 });
  const taken = await send(server.publishKey, `${line}\n${line}\n`);
  expect([taken.status, await taken.json()]).toEqual([202, { accepted: 2 }]);
  const wrong = await send('nope', line);
  expect([wrong.status, await wrong.json()]).toMatchObject([401, { code: 'wrong-key' }]);
  const bad = await send(server.publishKey, `${line}\n{"type":5}`);
  expect([bad.status, await bad.json()]).toMatchObject([400, { code: 'malformed' }]);
  const big = await send(server.publishKey, 'x'.repeat(300_000));
  expect([big.status, await big.json()]).toMatchObject([413, { code: 'too-big' }]);
});

test('sockets of a closed server close, publishers and viewers are told why, and it takes less than 10 s', async () => {
  const other = await startServer();
  const publisher = await publish(other, 'last');
  publisher.unit(0, { priority: 'key' });
  const viewer = await watch(other, 'last');
  await viewer.received(1);
  const started = Date.now();
  await other.stop();
  expect(Date.now() - started).toBeLessThan(10_000);
  expect(await publisher.closeCode()).toBe(PEER_ERRORS.overloaded.close);
  expect(await viewer.closeCode()).toBe(PEER_ERRORS.overloaded.close);
  expect(new WebSocket(`${other.ws}/subscribe/last`).on('error', () => undefined)).toBeDefined();
});
