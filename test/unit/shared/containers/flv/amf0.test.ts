import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { amf0EcmaArray, amf0Object, readAmf0, writeAmf0 } from '../../../../../shared/containers/flv/amf0.ts';
import type { Amf0Value } from '../../../../../shared/containers/flv/amf0.ts';
import { ContainerError } from '../../../../../shared/errors.ts';
import { hex } from '../../../../support/hex.ts';

test('reads the values of a connect command', () => {
  const command = hex(
    '02 0007 636f6e6e656374', // "connect"
    '00 3ff0000000000000', // 1
    '03 0003 617070 02 0004 6c697665 000009', // {app: "live"}
  );
  expect(readAmf0(command)).toEqual(['connect', 1, amf0Object({ app: 'live' })]);
});

test('writes what it reads, for every kind of value', () => {
  const tree = fc.letrec<{ value: Amf0Value }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', maxDepth: 4 },
      fc.double({ noNaN: true }),
      fc.boolean(),
      fc.string(),
      fc.constantFrom(null, undefined),
      fc.double({ noNaN: true }).map((epochMs) => ({ kind: 'date' as const, epochMs })),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string({ minLength: 1 }), tie('value'), { maxKeys: 4 }).map((record) => amf0Object(record)),
      fc.dictionary(fc.string({ minLength: 1 }), tie('value'), { maxKeys: 4 }).map((record) => amf0EcmaArray(record)),
    ),
  })).value;
  fc.assert(
    fc.property(fc.array(tree, { maxLength: 5 }), (values) => {
      expect(readAmf0(writeAmf0(values))).toEqual(values);
    }),
    { numRuns: 300 },
  );
});

test('writes a text of more than 65535 bytes as a long string', () => {
  const text = 'x'.repeat(70_000);
  const bytes = writeAmf0([text]);
  expect(bytes[0]).toBe(0x0c);
  expect(readAmf0(bytes)).toEqual([text]);
});

test.each([
  ['a one-byte string', hex('02')],
  ['an unknown marker', hex('2a')],
  ['the switch to AMF3', hex('11')],
  ['an array that claims 0xffffffff values', hex('0a ffffffff')],
  ['an object without its end', hex('03 0001 61 05')],
  ['a number of four bytes', hex('00 3ff00000')],
  ['objects nested 60 000 deep', new Uint8Array(60_000 * 4).map((_, i) => [0x03, 0x00, 0x01, 0x61][i % 4])],
  ['arrays nested 60 000 deep', new Uint8Array(60_000 * 5).map((_, i) => [0x0a, 0, 0, 0, 1][i % 5])],
])('refuses %s with the place of the error', (_name, bytes) => {
  expect(() => readAmf0(bytes)).toThrow(ContainerError);
});

test('refuses more values than allowed', () => {
  expect(() => readAmf0(new Uint8Array(5000).fill(0x05))).toThrow('too many values');
});

test('never throws anything but ContainerError on random bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        readAmf0(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ContainerError);
      }
    }),
    { numRuns: 2000, seed: 1 },
  );
});
