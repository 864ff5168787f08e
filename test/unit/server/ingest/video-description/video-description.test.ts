import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { describeVideo } from '../../../../../server/ingest/video-description/video-description.ts';
import type { FlvVideoCodec } from '../../../../../shared/containers/flv/video-payload.ts';
import { BitstreamError, ContainerError, ProtocolError } from '../../../../../shared/errors.ts';
import { AVCC_640X360 } from '../../../../support/flv-synthesis.ts';
import { hex } from '../../../../support/hex.ts';

test('describes AVC by its sequence parameter set', () => {
  expect(describeVideo('avc', AVCC_640X360, {})).toMatchObject({
    codec: 'avc1.42c01e',
    width: 640,
    height: 360,
    sampleAspect: [1, 1],
  });
});

test('describes AV1 by its record and sequence header', () => {
  // 2560x1440: what OBS 29 writes.
  expect(describeVideo('av1', hex('810d0c00 0a0b 0000006aefffe7bc0400'), { width: 64, height: 64 })).toMatchObject({
    codec: 'av01.0.13M.08',
  });
});

test('takes the size of AV1 without sequence header from onMetaData', () => {
  expect(describeVideo('av1', hex('81082c00'), { width: 1920, height: 1080 })).toMatchObject({
    codec: 'av01.0.08M.08',
    width: 1920,
    height: 1080,
  });
});

test('describes VP9, with and without the box header before the record', () => {
  const expected = {
    codec: 'vp09.00.31.08',
    width: 1280,
    height: 720,
    colour: { colour_primaries: 1, transfer_characteristics: 1, matrix_coefficients: 1, video_full_range_flag: false },
  };
  const hint = { width: 1280, height: 720 };
  expect(describeVideo('vp9', hex('00 1f 82 01 01 01 0000'), hint)).toMatchObject(expected);
  expect(describeVideo('vp9', hex('01000000 00 1f 82 01 01 01 0000'), hint)).toMatchObject(expected);
});

test('refuses VP9 whose size nobody says', () => {
  expect(() => describeVideo('vp9', hex('00 1f 82 01 01 01 0000'), {})).toThrow(
    'does not say how big its pictures are',
  );
});

test('refuses impossible sizes', () => {
  expect(() => describeVideo('vp9', hex('00 1f 82 01 01 01 0000'), { width: 1e9, height: 720 })).toThrow(
    'not possible',
  );
});

test('throws nothing but coded errors on random and mutated records', () => {
  const codecs: readonly FlvVideoCodec[] = ['avc', 'hevc', 'av1', 'vp9'];
  const check = (codec: FlvVideoCodec, record: Uint8Array): void => {
    try {
      describeVideo(codec, record, {});
    } catch (error) {
      const isCoded = [BitstreamError, ContainerError, ProtocolError].some((kind) => error instanceof kind);
      expect(isCoded ? '' : String((error as Error).stack)).toBe('');
    }
  };
  fc.assert(fc.property(fc.constantFrom(...codecs), fc.uint8Array({ minLength: 1, maxLength: 120 }), check), {
    numRuns: 2000,
    seed: 4,
  });
  const hvcc = hex(
    '010160000000900000000000 99 f000fcfdf8f8 00000f 03 20 0001 0018 40010c01ffff01600000030090000003000003009995980 9'.replace(
      / 9$/,
      '09',
    ),
    '21 0001 002a 420101016000000300900000030000030099a001e020021c4d9651 6495b92cf002d4b4040000fa40003a982 0'.replace(
      / 0$/,
      '00',
    ),
    '22 0001 0007 4401c172b46240',
  );
  fc.assert(
    fc.property(
      fc.constantFrom(AVCC_640X360, hvcc),
      fc.nat(),
      fc.nat(255),
      fc.nat(120),
      (record, at, value, length) => {
        const mutated = record.slice(0, Math.max(1, length));
        mutated[at % mutated.length] = value;
        check('avc', mutated);
        check('hevc', mutated);
      },
    ),
    { numRuns: 2000, seed: 5 },
  );
});
