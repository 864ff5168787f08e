// The guard reaches into private fields of node-media-server: this suite fails when a new version moves them.

import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import context from 'node-media-server/src/core/context.js';
import logger from 'node-media-server/src/core/logger.js';
import NodeRtmpServer from 'node-media-server/src/server/rtmp_server.js';
import RtmpSession from 'node-media-server/src/session/rtmp_session.js';

const { version } = createRequire(import.meta.url)('node-media-server/package.json') as { version: string };

const session = (): RtmpSession => new RtmpSession(new Socket());

const typesOf = (object: object, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, typeof (object as Record<string, unknown>)[name]]));

const functions = (...names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, 'function']));

test('is the version whose private fields the guard knows', () => {
  expect(version).toBe('4.4.3');
});

test('has a TCP server with one connection listener, which the guard replaces', () => {
  logger.log = () => undefined;
  context.config = {
    bind: '127.0.0.1',
    rtmp: { port: 1935 },
    auth: { play: false, publish: false, secret: '' },
  };
  const { tcpServer } = new NodeRtmpServer();
  expect(tcpServer.listening).toBe(false);
  expect(tcpServer.listenerCount('connection')).toBe(1);
});

test('has the session methods that the guard overrides, as own properties that run() hands on', () => {
  const subject = session();
  const methods = ['run', 'onConnect', 'onPlay', 'onPush', 'onPacket', 'onData', 'onClose'];
  expect(typesOf(subject, methods)).toEqual(functions(...methods));
  expect(Object.keys(subject)).toEqual(expect.arrayContaining([...methods, 'rtmp', 'broadcast', 'isPublisher', 'ip']));
  let received = 0;
  subject.onData = () => (received += 1);
  subject.run();
  (subject as unknown as { socket: Socket }).socket.emit('data', Buffer.of(3));
  expect(received).toBe(1);
});

test('has the parser methods and fields that the guard overrides and reads', () => {
  const { rtmp } = session();
  const methods = [
    'parserData',
    'packetParse',
    'chunkMessageHeaderRead',
    'packetAlloc',
    'controlHandler',
    'invokeHandler',
    'dataHandler',
    'onConnect',
    'onCreateStream',
    'respondPublish',
    'setChunkSize',
    'sendACK',
    'sendInvokeMessage',
    'sendStatusMessage',
  ];
  expect(typesOf(rtmp, methods)).toEqual(functions(...methods));
  expect(rtmp).toMatchObject({
    handshakeState: 0,
    parserBasicBytes: 0,
    inChunkSize: 128,
    outChunkSize: 65535,
    streams: 0,
  });
  expect(rtmp.inPackets).toBeInstanceOf(Map);
  expect(rtmp.parserBuffer).toHaveLength(18);
  expect(rtmp.flv).toBeTruthy();
  expect(rtmp.parserPacket).toEqual({
    header: { fmt: 0, cid: 0, timestamp: 0, length: 0, type: 0, stream_id: 0 },
    clock: 0,
    payload: Buffer.alloc(0),
    capacity: 0,
    bytes: 0,
  });
});

test('calls the overridden steps of the parser, and reaches the handshake state that the guard waits for', () => {
  const { rtmp } = session();
  const steps: string[] = [];
  rtmp.packetParse = () => {
    steps.push('packetParse');
    rtmp.chunkMessageHeaderRead();
  };
  rtmp.packetAlloc = () => {
    steps.push('packetAlloc');
    rtmp.parserPacket.payload = Buffer.alloc(64);
  };
  rtmp.controlHandler = () => steps.push('controlHandler');
  rtmp.parserData(Buffer.concat([Buffer.of(3), Buffer.alloc(2 * 1536)]));
  expect(rtmp.handshakeState).toBe(3);
  rtmp.parserData(Buffer.from('02000000000004010000000000001000', 'hex'));
  expect(steps).toEqual(['packetParse', 'packetAlloc', 'controlHandler']);
  expect(rtmp.parserPacket.header).toMatchObject({ type: 1, length: 4 });
});

test('keeps broadcast bookkeeping that the guard relies on', () => {
  const { broadcast } = session();
  expect(broadcast.publisher).toBeNull();
  expect(broadcast.publishGraceMs).toBe(30_000);
  expect(Object.keys(broadcast)).toEqual(expect.arrayContaining(['broadcastMessage', 'donePublish', 'postPublish']));
});
