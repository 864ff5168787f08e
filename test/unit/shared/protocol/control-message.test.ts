import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PEER_ERRORS, ProtocolError } from '../../../../shared/errors.ts';
import type { TrackConfig } from '../../../../shared/media/access-unit.ts';
import { encodeControl, parseControl } from '../../../../shared/protocol/control-message.ts';
import { FROM_PUBLISHER, TO_PUBLISHER } from '../../../../shared/protocol/publisher-messages.ts';
import { peerErrorOfClose } from '../../../../shared/protocol/subprotocol.ts';
import {
  trackConfigFromWire,
  trackConfigSchema,
  trackConfigToWire,
} from '../../../../shared/protocol/track-message.ts';
import { FROM_VIEWER, TO_VIEWER } from '../../../../shared/protocol/viewer-messages.ts';

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
  const config = trackConfigToWire(video);
  const cases = [
    [FROM_PUBLISHER, { type: 'hello', role: 'publish', key: 'k' }],
    [FROM_PUBLISHER, { type: 'track', id: 3, name: 'video', config }],
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
        config,
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
