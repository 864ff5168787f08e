import { expect, test } from '@jest/globals';
import { parsePublishName, parseRtmpCommand } from '../../../../../server/ingest/rtmp/rtmp-command.ts';
import { amf0Object, writeAmf0 } from '../../../../../shared/containers/flv/amf0.ts';
import type { Amf0Value } from '../../../../../shared/containers/flv/amf0.ts';
import { concat, hex } from '../../../../support/hex.ts';

const parse = (...values: readonly Amf0Value[]) => parseRtmpCommand(20, writeAmf0(values));
const tcUrl = 'rtmp://host/live';

test('reads connect, in AMF0 and behind the byte of an AMF3 command', () => {
  const expected = { name: 'connect', transaction: 1, properties: { app: 'live', tcUrl, objectEncoding: 0 } };
  expect(parse('connect', 1, amf0Object({ app: 'live', tcUrl }))).toEqual(expected);
  expect(parse('connect', 1, amf0Object({ app: 'live/', tcUrl }))).toEqual(expected);
  const amf3 = concat(hex('00'), writeAmf0(['connect', 1, amf0Object({ app: 'live', tcUrl })]));
  expect(parseRtmpCommand(17, amf3)).toEqual(expected);
});

test.each([
  ['publish', ['publish', 5, null, 'demo?key=k', 'live'], { name: 'publish', streamName: 'demo?key=k' }],
  ['createStream', ['createStream', 4, null], { name: 'createStream', transaction: 4 }],
  ['play', ['play', 4, null, 'demo'], { name: 'play' }],
  ['FCUnpublish', ['FCUnpublish', 4, null, 'demo'], { name: 'goodbye' }],
  ['an unknown command', ['_checkbw', 4, null], { name: 'other' }],
] as const)('reads %s', (_name, values, expected) => {
  expect(parse(...values)).toEqual(expected);
});

test.each([
  ['no tcUrl', ['connect', 1, amf0Object({ app: 'live' })], 'malformed'],
  ['a null object', ['connect', 1, null], 'malformed'],
  ['another application', ['connect', 1, amf0Object({ app: 'vod', tcUrl })], 'no-such-stream'],
  ['a stream name that is a number', ['publish', 1, null, 5], 'malformed'],
  ['an empty stream name', ['publish', 1, null, ''], 'malformed'],
  ['a stream name of 513 characters', ['publish', 1, null, 'x'.repeat(513)], 'malformed'],
  ['a command name that is a number', [5], 'malformed'],
  ['nothing at all', [], 'malformed'],
] as const)('refuses %s', (_name, values, code) => {
  expect(() => parse(...values)).toThrow(expect.objectContaining({ code }));
});

test.each([
  ['demo?key=abc', 'demo', 'abc'],
  ['demo', 'demo', ''],
  ['demo?key=first&key=second', 'demo', 'first'],
  ['demo?other=1', 'demo', ''],
  ['demo?key=a%2Bb', 'demo', 'a+b'],
])('splits %s into name and key', (text, name, key) => {
  expect(parsePublishName(text)).toEqual({ name, key });
});
