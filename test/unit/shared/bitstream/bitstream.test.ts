import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AnnexBSplitter, joinAnnexB, splitAnnexB } from '../../../../shared/bitstream/annex-b.ts';
import {
  joinLengthPrefixed,
  parseAvcDecoderConfigurationRecord,
  splitLengthPrefixed,
  writeAvcDecoderConfigurationRecord,
} from '../../../../shared/bitstream/avcc.ts';
import { BitReader } from '../../../../shared/bitstream/bit-reader.ts';
import { BitWriter } from '../../../../shared/bitstream/bit-writer.ts';
import { seLength, teLength, ueLength } from '../../../../shared/bitstream/exp-golomb.ts';
import { addEmulationPrevention, toRbsp } from '../../../../shared/bitstream/emulation-prevention.ts';
import { BitstreamError, ContainerError } from '../../../../shared/errors.ts';

const field = fc.oneof(
  fc.tuple(fc.constant('bits' as const), fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 1, max: 32 })),
  fc.tuple(fc.constant('ue' as const), fc.integer({ min: 0, max: 2 ** 32 - 2 }), fc.constant(0)),
  fc.tuple(fc.constant('se' as const), fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }), fc.constant(0)),
  fc.tuple(fc.constant('te' as const), fc.integer({ min: 0, max: 1 }), fc.constantFrom(1, 5)),
);

test('every kind of field is read as it was written', () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 60 }), (fields) => {
      const writer = new BitWriter(16);
      for (const [kind, value, extra] of fields) {
        if (kind === 'bits') {
          writer.bits(value, extra);
        } else if (kind === 'te') {
          writer.te(value, extra);
        } else {
          writer[kind](value);
        }
      }
      writer.trailingBits();
      const reader = new BitReader(writer.toBytes());
      for (const [kind, value, extra] of fields) {
        if (kind === 'bits') {
          expect(reader.bits(extra)).toBe(extra === 32 ? value : value % 2 ** extra);
        } else if (kind === 'te') {
          expect(reader.te(extra)).toBe(value);
        } else {
          expect(reader[kind]() + 0).toBe(value + 0);
        }
      }
      expect(reader.moreRbspData()).toBe(false);
    }),
  );
});

test('lengths of Exp-Golomb codes equal the bits that are written', () => {
  for (const value of [0, 1, 2, 3, 6, 7, 100, 4094, 4095, 70000]) {
    const writer = new BitWriter();
    writer.ue(value);
    expect(writer.position).toBe(ueLength(value));
    const signed = new BitWriter();
    signed.se(-value);
    expect(signed.position).toBe(seLength(-value));
  }
  expect(teLength(1, 1)).toBe(1);
  expect(teLength(1, 2)).toBe(3);
});

test('reading past the end is the error "truncated"', () => {
  const reader = new BitReader(Uint8Array.of(0x00));
  expect(() => reader.bits(9)).toThrow(BitstreamError);
  expect(() => reader.ue()).toThrow(BitstreamError);
  expect(reader.bits(8)).toBe(0);
  expect(() => reader.skip(1)).toThrow(BitstreamError);
});

test('moreRbspData ignores trailing zero words', () => {
  const reader = new BitReader(Uint8Array.of(0xa0, 0x80, 0, 0));
  expect(reader.moreRbspData()).toBe(true);
  reader.skip(8);
  expect(reader.moreRbspData()).toBe(false);
});

test('emulation prevention inserts 03 before 00..03 after two zeros and after a final zero', () => {
  expect([...addEmulationPrevention(Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 0, 3, 0, 0, 4))]).toEqual([
    0, 0, 3, 0, 0, 3, 0, 1, 0, 0, 3, 3, 0, 0, 4,
  ]);
  expect([...addEmulationPrevention(Uint8Array.of(1, 0, 0))]).toEqual([1, 0, 0, 3]);
  expect([...toRbsp(Uint8Array.of(0, 0, 3, 0, 0, 3, 1, 0, 0, 3, 3))]).toEqual([0, 0, 0, 0, 1, 0, 0, 3]);
});

test('a byte stream splits into the same NAL units whole and in pieces of any size', () => {
  const anyNal = fc.array(fc.constantFrom(0, 1, 2, 3, 7, 255), { minLength: 1, maxLength: 40 }).map((bytes) => {
    const nal = addEmulationPrevention(Uint8Array.from([0x65, ...bytes]));
    return nal;
  });
  fc.assert(
    fc.property(
      fc.array(anyNal, { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (nals, cuts) => {
        const stream = joinAnnexB(nals);
        const whole = splitAnnexB(stream).map(({ start, end }) => [...stream.subarray(start, end)]);
        expect(whole).toEqual(nals.map((nal) => [...nal]));
        const pieces: number[][] = [];
        const splitter = new AnnexBSplitter({ onNalUnit: (nal) => pieces.push([...nal]) });
        let at = 0;
        for (const cut of cuts) {
          splitter.push(stream.subarray(at, at + cut));
          at += cut;
        }
        splitter.push(stream.subarray(at));
        splitter.flush();
        expect(pieces).toEqual(whole);
      },
    ),
  );
});

test('parses a start code split across two pieces', () => {
  const seen: number[][] = [];
  const splitter = new AnnexBSplitter({ onNalUnit: (nal) => seen.push([...nal]) });
  splitter.push(Uint8Array.of(0, 0));
  splitter.push(Uint8Array.of(1, 0x67, 1, 0));
  splitter.push(Uint8Array.of(0, 1, 0x68));
  splitter.flush();
  expect(seen).toEqual([[0x67, 1], [0x68]]);
});

test('a NAL unit above the limit is dropped and counted, and the next one arrives', () => {
  const seen: number[] = [];
  const splitter = new AnnexBSplitter({ onNalUnit: (nal) => seen.push(nal[0]), maxNalBytes: 100 });
  splitter.push(joinAnnexB([new Uint8Array(500).fill(9), Uint8Array.of(0x41, 2)]).subarray(0, 300));
  splitter.push(joinAnnexB([new Uint8Array(500).fill(9), Uint8Array.of(0x41, 2)]).subarray(300));
  splitter.flush();
  expect(splitter.oversized).toBe(1);
  expect(seen).toEqual([0x41]);
});

test('a decoder configuration record survives writing and parsing', () => {
  const record = {
    AVCProfileIndication: 100,
    profile_compatibility: 0,
    AVCLevelIndication: 31,
    lengthSize: 4 as const,
    sequenceParameterSets: [Uint8Array.of(0x67, 1, 2), Uint8Array.of(0x67, 3)],
    pictureParameterSets: [Uint8Array.of(0x68, 9)],
    extension: {
      chroma_format: 1,
      bit_depth_luma_minus8: 0,
      bit_depth_chroma_minus8: 0,
      sequenceParameterSetExtensions: [],
    },
  };
  const bytes = writeAvcDecoderConfigurationRecord(record);
  const parsed = parseAvcDecoderConfigurationRecord(bytes);
  expect(writeAvcDecoderConfigurationRecord(parsed)).toEqual(bytes);
  expect(parsed.extension).toEqual(record.extension);
  for (let length = 0; length < bytes.length - 4; length++) {
    expect(() => parseAvcDecoderConfigurationRecord(bytes.subarray(0, length))).toThrow(ContainerError);
  }
});

test('length-prefixed NAL units split as they were joined, and a bad length is refused', () => {
  const joined = joinLengthPrefixed([Uint8Array.of(1, 2), Uint8Array.of(3)]);
  expect(splitLengthPrefixed(joined, 4).map(({ start, end }) => [...joined.subarray(start, end)])).toEqual([
    [1, 2],
    [3],
  ]);
  expect(() => splitLengthPrefixed(joined.subarray(0, 5), 4)).toThrow(ContainerError);
});
