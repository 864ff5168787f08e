// parse(write(x)) equals x for every structure of the syntax folder.

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BitReader } from '../../../../../../shared/bitstream/bit-reader.ts';
import { BitWriter } from '../../../../../../shared/bitstream/bit-writer.ts';
import { parseNalUnit, writeNalUnit } from '../../../../../../shared/codec/h264/syntax/nal-unit.ts';
import { parsePps, writePps } from '../../../../../../shared/codec/h264/syntax/pps.ts';
import {
  parseRecoveryPoint,
  parseSei,
  parseUserDataUnregistered,
  writeRecoveryPoint,
  writeSei,
  writeUserDataUnregistered,
} from '../../../../../../shared/codec/h264/syntax/sei.ts';
import { parseSliceHeader, writeSliceHeader } from '../../../../../../shared/codec/h264/syntax/slice-header.ts';
import { parseSps, writeSps } from '../../../../../../shared/codec/h264/syntax/sps.ts';
import { BitstreamError } from '../../../../../../shared/errors.ts';
import { anyPps, anySlice, anySps } from '../../../../../support/syntax-arbitraries.ts';

test('a sequence parameter set survives writing and parsing', () => {
  fc.assert(
    fc.property(anySps, (sps) => {
      expect(parseSps(writeSps(sps))).toEqual(sps);
    }),
  );
});

test('a picture parameter set survives writing and parsing', () => {
  fc.assert(
    fc.property(anyPps, (pps) => {
      expect(parsePps(writePps(pps))).toEqual(pps);
    }),
  );
});

test('a slice header survives writing and parsing, and the reader stops at the slice data', () => {
  fc.assert(
    fc.property(anySlice, ({ context, header }) => {
      const writer = new BitWriter();
      writeSliceHeader(writer, header, context);
      const bits = writer.position;
      writer.trailingBits();
      const reader = new BitReader(writer.toBytes());
      expect(parseSliceHeader(reader, context)).toEqual(header);
      expect(reader.position).toBe(bits);
    }),
    { numRuns: 300 },
  );
});

test('a NAL unit survives writing and parsing, and holds no start code', () => {
  const anyByte = fc.constantFrom(0, 0, 0, 1, 2, 3, 4, 255);
  fc.assert(
    fc.property(fc.array(anyByte, { maxLength: 200 }), fc.integer({ min: 0, max: 3 }), (bytes, nal_ref_idc) => {
      const nal = { nal_ref_idc, nal_unit_type: 5, rbsp: Uint8Array.from(bytes) };
      const written = writeNalUnit(nal);
      for (let i = 2; i < written.length; i++) {
        expect(written[i - 2] === 0 && written[i - 1] === 0 && written[i] < 3).toBe(false);
      }
      expect(written.length === 1 || written.at(-1) !== 0).toBe(true);
      const parsed = parseNalUnit(written);
      expect(parsed.nal_ref_idc).toBe(nal_ref_idc);
      // cabac_zero_words at the end keep a 03 that only the byte stream needs.
      expect([...parsed.rbsp].slice(0, bytes.length)).toEqual(bytes);
    }),
    { numRuns: 300 },
  );
});

test('SEI messages of any size survive writing and parsing', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ payloadType: fc.integer({ min: 0, max: 600 }), payload: fc.uint8Array({ maxLength: 600 }) }),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
      (messages) => {
        expect(parseSei(writeSei(messages)).map((m) => ({ ...m, payload: [...m.payload] }))).toEqual(
          messages.map((m) => ({ ...m, payload: [...m.payload] })),
        );
      },
    ),
  );
});

test('a recovery point and user data survive as SEI messages', () => {
  const point = {
    recovery_frame_cnt: 37,
    exact_match_flag: true,
    broken_link_flag: false,
    changing_slice_group_idc: 2,
  };
  const uuid = Uint8Array.from({ length: 16 }, (_, i) => i);
  const messages = [writeRecoveryPoint(point), writeUserDataUnregistered({ uuid, data: Uint8Array.of(1, 2, 3) })];
  const [first, second] = parseSei(writeSei(messages));
  expect(parseRecoveryPoint(first.payload)).toEqual(point);
  expect([...parseUserDataUnregistered(second.payload).data]).toEqual([1, 2, 3]);
});

test('a truncated parameter set or slice header is a BitstreamError, never anything else', () => {
  fc.assert(
    fc.property(anySlice, fc.double({ min: 0, max: 1, noNaN: true }), ({ context, header }, part) => {
      const writer = new BitWriter();
      writeSliceHeader(writer, header, context);
      writer.trailingBits();
      for (const [bytes, parse] of [
        [writeSps(context.sps), parseSps],
        [writePps(context.pps), parsePps],
        [writer.toBytes(), (rbsp: Uint8Array) => parseSliceHeader(new BitReader(rbsp), context)],
      ] as const) {
        try {
          parse(bytes.subarray(0, Math.floor(bytes.length * part)));
        } catch (error) {
          expect(error).toBeInstanceOf(BitstreamError);
        }
      }
    }),
  );
});
