import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProtocolError } from '../../../../shared/errors.ts';
import { microseconds } from '../../../../shared/media/time.ts';
import {
  decodeObjects,
  encodeObject,
  type ObjectHeader,
  type WireObject,
} from '../../../../shared/protocol/object-header.ts';
import { OBJECT_HEADER_BYTES } from '../../../../shared/protocol/subprotocol.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const header = fc
  .record({
    kind: fc.constantFrom('video', 'audio', 'data', 'raw'),
    trackId: fc.nat(255),
    priority: fc.constantFrom('key', 'reference', 'discardable'),
    isCached: fc.boolean(),
    temporalLayer: fc.nat(3),
    group: fc.nat(0xffff_ffff),
    object: fc.nat(0xffff_ffff),
    pts: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
    reorder: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
    captureTime: fc.option(fc.nat(Number.MAX_SAFE_INTEGER), { nil: undefined }),
    arrivalTime: fc.nat(Number.MAX_SAFE_INTEGER),
  })
  .map(({ reorder, captureTime, ...rest }) => ({
    ...rest,
    dts: rest.pts - reorder,
    ...(captureTime === undefined ? {} : { captureTime }),
  })) as unknown as fc.Arbitrary<ObjectHeader>;

test('the example of docs/protocol.md is what the encoder writes', () => {
  const message = encodeObject(
    {
      kind: 'video',
      trackId: 1,
      priority: 'key',
      isCached: false,
      temporalLayer: 0,
      group: 7,
      object: 0,
      pts: microseconds(1_000_000),
      dts: microseconds(1_000_000),
      captureTime: microseconds(0x0006_2b2a_5c1b_4000),
      arrivalTime: microseconds(0x0006_2b2a_5c1b_5388),
    },
    Uint8Array.of(0x65, 0x88),
  );
  expect(hex(message)).toBe(
    '010101080000000700000000' +
      '00000000000f4240' +
      '00000000' +
      '00062b2a5c1b4000' +
      '00062b2a5c1b5388' +
      '000000026588',
  );
});

test('reading gives back every header and payload that was written, several to a message', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(header, fc.uint8Array({ maxLength: 40 })), { minLength: 1, maxLength: 5 }),
      (input) => {
        const message = Buffer.concat(input.map(([fields, payload]) => encodeObject(fields, payload)));
        const objects = decodeObjects(message);
        expect(objects.map(({ payload, ...fields }) => [fields, hex(payload)])).toEqual(
          input.map(([fields, payload]) => [fields, hex(payload)]),
        );
      },
    ),
    { seed: 1, numRuns: 500 },
  );
});

test('fields outside their ranges are refused by the writer, naming the field', () => {
  const good: ObjectHeader = {
    kind: 'video',
    trackId: 0,
    priority: 'key',
    isCached: false,
    temporalLayer: 0,
    group: 0,
    object: 0,
    pts: microseconds(0),
    dts: microseconds(0),
    arrivalTime: microseconds(0),
  };
  const bad: [string, Partial<ObjectHeader>][] = [
    ['trackId', { trackId: 256 }],
    ['temporalLayer', { temporalLayer: 4 }],
    ['group', { group: -1 }],
    ['object', { object: 2 ** 32 }],
    ['pts', { pts: microseconds(0.5) }],
    ['pts - dts', { dts: microseconds(-(2 ** 31)) }],
    ['captureTime', { captureTime: microseconds(-1) }],
    ['arrivalTime', { arrivalTime: microseconds(Number.NaN) }],
  ];
  for (const [name, fields] of bad) {
    expect(() => encodeObject({ ...good, ...fields }, new Uint8Array(0))).toThrow(`object header's ${name} must`);
  }
});

test.each([
  ['an empty message', ''],
  ['a header cut short', '01010108'],
  ['an unknown version', `02${'01'.padStart(2)}01${'00'.repeat(41)}`],
  ['kind 0', `010001${'00'.repeat(41)}`],
  ['kind 5', `010501${'00'.repeat(41)}`],
  ['priority 3', `01010103${'00'.repeat(40)}`],
  ['reserved flags', `01010140${'00'.repeat(40)}`],
  ['a payload longer than the message', `01010100${'00'.repeat(36)}00000001`],
  ['a pts that a double cannot hold', `01010100${'00'.repeat(8)}7fffffffffffffff${'00'.repeat(24)}`],
  ['an arrival time that a double cannot hold', `01010100${'00'.repeat(28)}ffffffffffffffff00000000`],
  ['a byte after the last object', `01010100${'00'.repeat(40)}00`],
])('%s is malformed', (_name, text) => {
  let code = '';
  try {
    decodeObjects(Buffer.from(text, 'hex'));
  } catch (error) {
    code = error instanceof ProtocolError ? error.code : String(error);
  }
  expect(code).toBe('malformed');
});

test('2 000 mutated messages either parse within their bounds or are malformed', () => {
  const outcomes = { parsed: 0, malformed: 0 };
  fc.assert(
    fc.property(
      fc.array(fc.tuple(header, fc.uint8Array({ maxLength: 16 })), { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(255), fc.nat(255)), { maxLength: 4 }),
      fc.nat(200),
      (input, flips, cut) => {
        const whole = Buffer.concat(input.map(([fields, payload]) => encodeObject(fields, payload)));
        const message = whole.subarray(0, Math.max(1, whole.length - (cut < 60 ? cut : 0)));
        for (const [at, value] of flips) {
          message[at % message.length] = value;
        }
        let objects: WireObject[];
        try {
          objects = decodeObjects(message);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          outcomes.malformed++;
          return;
        }
        outcomes.parsed++;
        const bytes = objects.reduce((sum, object) => sum + OBJECT_HEADER_BYTES + object.payload.length, 0);
        expect(bytes).toBe(message.length);
      },
    ),
    { seed: 2, numRuns: 2000 },
  );
  expect(outcomes.parsed).toBeGreaterThan(200);
  expect(outcomes.malformed).toBeGreaterThan(200);
});
