import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PEER_ERRORS, ProtocolError } from '../../../../shared/errors.ts';
import type { TrackConfig } from '../../../../shared/media/access-unit.ts';
import { encodeControl, parseControl, type MessageSchemas } from '../../../../shared/protocol/control-message.ts';
import { FROM_PUBLISHER, TO_PUBLISHER } from '../../../../shared/protocol/publisher-messages.ts';
import { peerErrorOfClose } from '../../../../shared/protocol/subprotocol.ts';
import {
  trackConfigFromWire,
  trackConfigSchema,
  trackConfigToWire,
} from '../../../../shared/protocol/track-message.ts';
import { TO_VIEWER } from '../../../../shared/protocol/viewer-messages.ts';
import { FROM_VIEWER } from '../../../../shared/protocol/viewer-requests.ts';

const video: TrackConfig = {
  kind: 'video',
  codec: 'avc1.64001f',
  description: Uint8Array.of(1, 100, 0, 31, 255),
  width: 1280,
  height: 720,
  sampleAspect: [1, 1],
  colour: { colour_primaries: 1, transfer_characteristics: 1, matrix_coefficients: 1, video_full_range_flag: false },
  fps: 29.97,
};

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof ProtocolError ? error.code : String(error);
  }
  return 'no error';
};

test('a track configuration survives JSON both ways, with and without a description', () => {
  const audio: TrackConfig = { kind: 'audio', codec: 'opus', sampleRate: 48_000, channels: 2 };
  for (const config of [video, audio]) {
    const text = JSON.stringify(trackConfigToWire(config));
    expect(trackConfigFromWire(trackConfigSchema.parse(JSON.parse(text)))).toEqual(config);
  }
});

test('every message of the tables is read back as it was written', () => {
  const report = {
    type: 'report',
    rendition: '720p',
    intervalMs: 1000,
    painted: 30,
    dropped: 0,
    decodeErrors: 0,
    stalls: 0,
    stalledMs: 0,
    bufferMs: 40,
    latencyKind: 'glass',
    latencyMs: [71.5],
  };
  const videoTrack = trackConfigToWire(video);
  const cases = [
    [FROM_PUBLISHER, { type: 'hello', role: 'publish', key: 'k' }],
    [FROM_PUBLISHER, { type: 'track', id: 3, name: 'video', config: videoTrack }],
    [FROM_PUBLISHER, { type: 'clock', t0: 1.25 }],
    [FROM_PUBLISHER, { type: 'end' }],
    [TO_PUBLISHER, { type: 'welcome', stream: 's', epoch: 1, session: 'x', limits: { messageBytes: 1, tracks: 8 } }],
    [TO_PUBLISHER, { type: 'ack', objects: 3, bytes: 99, viewers: 0, at: 5.5 }],
    [TO_PUBLISHER, { type: 'keyframe', track: 'video' }],
    [TO_PUBLISHER, { type: 'error', code: 'busy', message: 'Somebody else publishes here.' }],
    [TO_VIEWER, { type: 'welcome', stream: 's', session: 'x', epoch: 1, state: 'live', renditions: [] }],
    [
      TO_VIEWER,
      {
        type: 'track',
        id: 0,
        name: 'video',
        kind: 'video',
        rendition: '720p',
        encoder: 'tessera',
        latencyKind: 'glass',
        config: videoTrack,
      },
    ],
    [TO_VIEWER, { type: 'state', state: 'reconnecting', epoch: 2, viewers: 9 }],
    [TO_VIEWER, { type: 'clock', t0: 1, t1: 2, t2: 3 }],
    [FROM_VIEWER, report],
    [FROM_VIEWER, { type: 'select', rendition: 'source' }],
    [FROM_VIEWER, { type: 'loss', track: 1, group: 2, object: 3 }],
  ] as const;
  for (const [schemas, message] of cases) {
    expect(parseControl(schemas, encodeControl(message))).toEqual(message);
  }
});

const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,32}$/);
const epochMs = fc.double({ min: 0, max: 4e12, noNaN: true });
const base = { codec: fc.string({ minLength: 1, maxLength: 64 }) };
const description = fc.option(fc.uint8Array({ maxLength: 200 }), { nil: undefined });
const codePoint = fc.nat(255);
const config = fc
  .oneof(
    fc.record({
      ...base,
      kind: fc.constant('video'),
      description,
      width: fc.integer({ min: 1, max: 16_384 }),
      height: fc.integer({ min: 1, max: 16_384 }),
      sampleAspect: fc.tuple(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 1, max: 65_535 })),
      colour: fc.record({
        colour_primaries: codePoint,
        transfer_characteristics: codePoint,
        matrix_coefficients: codePoint,
        video_full_range_flag: fc.boolean(),
      }),
      fps: fc.option(fc.double({ min: 0.001, max: 1000, noNaN: true }), { nil: undefined }),
    }),
    fc.record({
      ...base,
      kind: fc.constant('audio'),
      description,
      sampleRate: fc.integer({ min: 1, max: 768_000 }),
      channels: fc.integer({ min: 1, max: 32 }),
    }),
  )
  .map((fields) => JSON.parse(JSON.stringify(trackConfigToWire(fields as TrackConfig))) as object);
const state = fc.constantFrom('live', 'stalled', 'reconnecting', 'ended');
const count = fc.nat();

/** Every message of every table, as any peer may fill it. */
const messages: readonly (readonly [MessageSchemas, fc.Arbitrary<{ readonly type: string }>])[] = [
  [
    FROM_PUBLISHER,
    fc.oneof(
      fc.record({ type: fc.constant('hello'), role: fc.constant('publish'), key: fc.string({ maxLength: 64 }) }),
      fc.record({ type: fc.constant('track'), id: fc.nat(255), name, config }),
      fc.record({ type: fc.constant('clock'), t0: epochMs }),
      fc.record({ type: fc.constant('end') }),
    ),
  ],
  [
    TO_PUBLISHER,
    fc.oneof(
      fc.record({
        type: fc.constant('welcome'),
        stream: name,
        epoch: count,
        session: fc.uuid(),
        limits: fc.record({ messageBytes: count, tracks: count }),
      }),
      fc.record({ type: fc.constant('ack'), objects: count, bytes: count, viewers: count, at: epochMs }),
      fc.record({ type: fc.constant('keyframe'), track: name }),
      fc.record({ type: fc.constant('clock'), t0: epochMs, t1: epochMs, t2: epochMs }),
      fc.record({ type: fc.constant('error'), code: name, message: fc.string() }),
    ),
  ],
  [
    TO_VIEWER,
    fc.oneof(
      fc.record({
        type: fc.constant('welcome'),
        stream: name,
        session: fc.uuid(),
        epoch: count,
        state,
        renditions: fc.array(
          fc.record({
            name,
            width: count,
            height: count,
            fps: fc.nat(240),
            kbps: fc.nat(),
            encoder: fc.constantFrom('publisher', 'tessera'),
          }),
          { maxLength: 5 },
        ),
      }),
      fc.record({
        type: fc.constant('track'),
        id: fc.nat(255),
        name,
        kind: fc.constantFrom('video', 'audio'),
        rendition: name,
        encoder: fc.constantFrom('publisher', 'tessera'),
        latencyKind: fc.constantFrom('glass', 'ingest'),
        config,
      }),
      fc.record({ type: fc.constant('state'), state, epoch: count, viewers: count }),
    ),
  ],
  [
    FROM_VIEWER,
    fc.oneof(
      fc.record({
        type: fc.constant('report'),
        rendition: name,
        intervalMs: fc.double({ min: 1, max: 60_000, noNaN: true }),
        painted: count,
        dropped: count,
        decodeErrors: count,
        stalls: count,
        stalledMs: fc.nat(),
        bufferMs: fc.nat(),
        latencyKind: fc.constantFrom('glass', 'ingest'),
        latencyMs: fc.array(fc.integer({ min: -50, max: 600_000 }), { maxLength: 64 }),
      }),
      fc.record({ type: fc.constant('select'), rendition: name }),
      fc.record({ type: fc.constant('loss'), track: fc.nat(255), group: count, object: count }),
    ),
  ],
];

test.each(messages.map(([schemas, message], index) => ({ schemas, message, index })))(
  'whatever a message of table $index carries, it is read back as it was written',
  ({ schemas, message, index }) => {
    fc.assert(
      fc.property(message, (written) => {
        // zero has no sign in JSON
        const plain = JSON.parse(encodeControl(written)) as unknown;
        expect(parseControl(schemas, encodeControl(written))).toEqual(plain);
        expect(plain).toEqual(JSON.parse(JSON.stringify(written)));
      }),
      { seed: 10 + index, numRuns: 300 },
    );
  },
);

test('a track configuration of any content survives JSON both ways', () => {
  fc.assert(
    fc.property(config, (wire) => {
      const parsed = trackConfigSchema.parse(wire);
      expect(JSON.parse(JSON.stringify(trackConfigToWire(trackConfigFromWire(parsed))))).toEqual(wire);
    }),
    { seed: 9, numRuns: 500 },
  );
});

test('an unknown type is ignored, also one that names a property of every object', () => {
  expect(parseControl(FROM_VIEWER, '{"type":"future","x":1}')).toBeNull();
  expect(parseControl(FROM_VIEWER, '{"type":"constructor"}')).toBeNull();
  expect(parseControl(FROM_VIEWER, '{"type":"__proto__"}')).toBeNull();
});

test.each([
  ['not JSON', '{"type":'],
  ['not an object', '7'],
  ['no type', '{}'],
  ['a type that is no string', '{"type":7}'],
  ['a wrong field', '{"type":"select","rendition":7}'],
  ['a missing field', '{"type":"loss","track":1}'],
  ['a negative count', '{"type":"loss","track":1,"group":-1,"object":0}'],
])('%s is malformed', (_name, text) => {
  expect(codeOf(() => parseControl(FROM_VIEWER, text))).toBe('malformed');
});

test('every close code of the contract names its error, and other codes name none', () => {
  for (const [code, { close }] of Object.entries(PEER_ERRORS)) {
    expect(peerErrorOfClose(close)).toBe(code);
  }
  expect(peerErrorOfClose(1006)).toBeNull();
});

test('2 000 random texts never raise anything but a protocol error', () => {
  const outcomes = { message: 0, ignored: 0, malformed: 0 };
  const json = fc.oneof(
    fc.json(),
    fc
      .record({
        type: fc.constantFrom('hello', 'track', 'clock', 'end', 'x'),
        id: fc.anything(),
        t0: fc.double(),
        role: fc.constant('publish'),
      })
      .map((value) => JSON.stringify(value)),
    fc.string(),
  );
  fc.assert(
    fc.property(json, (text) => {
      try {
        outcomes[parseControl(FROM_PUBLISHER, text) === null ? 'ignored' : 'message']++;
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
        outcomes.malformed++;
      }
    }),
    { seed: 3, numRuns: 2000 },
  );
  expect(outcomes.message).toBeGreaterThan(100);
  expect(outcomes.ignored).toBeGreaterThan(50);
  expect(outcomes.malformed).toBeGreaterThan(500);
});
