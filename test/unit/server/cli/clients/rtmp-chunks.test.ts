import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseRtmpAddress } from '../../../../../server/cli/clients/rtmp-client.ts';
import { RtmpChunkReader, writeChunks } from '../../../../../server/cli/clients/rtmp-chunks.ts';
import { concat, hex } from '../../../../support/hex.ts';

test('cuts a message into chunks of the chunk size', () => {
  const message = { chunkStream: 3, type: 20, messageStream: 1, timestamp: 5, payload: hex('0102030405') };
  expect(writeChunks(message, 2)).toEqual(Buffer.from(hex('03 000005 000005 14 01000000 0102 c3 0304 c3 05')));
});

test('writes chunk stream ids of one, two and three bytes, and extended timestamps on every chunk', () => {
  const message = { type: 9, messageStream: 0, timestamp: 0x01000000, payload: hex('0102') };
  expect(writeChunks({ ...message, chunkStream: 64 }, 1)).toEqual(
    Buffer.from(hex('00 00 ffffff 000002 09 00000000 01000000 01 c000 01000000 02')),
  );
  expect(writeChunks({ ...message, chunkStream: 320, timestamp: 1 }, 2)).toEqual(
    Buffer.from(hex('01 0001 000001 000002 09 00000000 0102')),
  );
});

test('joins what was cut, however the bytes are split and interleaved messages are big', () => {
  const message = fc.record({
    chunkStream: fc.constantFrom(3, 63, 64, 319, 320, 65_599),
    type: fc.constantFrom(8, 9, 18, 20),
    messageStream: fc.nat(5),
    timestamp: fc.nat(0xffffffff),
    payload: fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), fc.integer({ min: 1, max: 300 }), (messages, step) => {
      const bytes = concat(...messages.map((each) => writeChunks(each, 128)));
      const reader = new RtmpChunkReader();
      const found = [];
      for (let at = 0; at < bytes.length; at += step) {
        found.push(...reader.push(bytes.subarray(at, at + step)));
      }
      expect(found).toEqual(messages);
    }),
  );
});

test('refuses a message beyond its limit', () => {
  expect(() => new RtmpChunkReader(1000).push(hex('03 000000 000fff 14 00000000'))).toThrow('4095 bytes');
});

test.each([
  ['rtmp://host/live/demo?key=k', { host: 'host', port: 1935, app: 'live', streamName: 'demo?key=k' }],
  ['rtmp://[::1]:2000/live/demo', { host: '::1', port: 2000, app: 'live', streamName: 'demo' }],
])('takes %s apart', (text, expected) => {
  expect(parseRtmpAddress(text)).toEqual(expected);
});

test.each([['http://host/live/demo'], ['rtmp://host/live'], ['rtmp://host/'], ['nonsense']])('refuses %s', (text) => {
  expect(() => parseRtmpAddress(text)).toThrow('looks like rtmp://');
});
