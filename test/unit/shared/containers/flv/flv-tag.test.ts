import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FlvTagReader, writeFlvFileHeader, writeFlvTag } from '../../../../../shared/containers/flv/flv-tag.ts';
import type { FlvTag } from '../../../../../shared/containers/flv/flv-tag.ts';
import { ContainerError } from '../../../../../shared/errors.ts';
import { concat, hex } from '../../../../support/hex.ts';

const header = writeFlvFileHeader({ audio: true, video: true });

test('writes the file header with both flags and the first previous size', () => {
  expect(header).toEqual(hex('464c56 01 05 00000009 00000000'));
});

test('writes the upper timestamp bits after the lower ones', () => {
  const bytes = writeFlvTag({ type: 9, timestamp: 0x12345678, data: hex('aabb') });
  expect(bytes).toEqual(hex('09 000002 345678 12 000000 aabb 0000000d'));
});

test('reads back what was written, however the bytes are split', () => {
  const tag = fc.record({
    type: fc.constantFrom<FlvTag['type']>(8, 9, 18),
    timestamp: fc.nat(0xffffffff),
    data: fc.uint8Array({ maxLength: 300 }),
  });
  fc.assert(
    fc.property(fc.array(tag, { maxLength: 6 }), fc.integer({ min: 1, max: 50 }), (tags, step) => {
      const bytes = concat(header, ...tags.map(writeFlvTag));
      const reader = new FlvTagReader();
      const found: FlvTag[] = [];
      for (let at = 0; at < bytes.length; at += step) {
        found.push(...reader.push(bytes.subarray(at, at + step)));
      }
      reader.finish();
      expect(found).toEqual(tags);
    }),
  );
});

test('skips tags of unknown types', () => {
  const reader = new FlvTagReader();
  const unknown = hex('0f 000001 000000 00 000000 aa 0000000c');
  const tag: FlvTag = { type: 8, timestamp: 5, data: hex('af00') };
  expect(reader.push(concat(header, unknown, writeFlvTag(tag)))).toEqual([tag]);
});

test('says that the data ends in the middle of a tag', () => {
  const reader = new FlvTagReader();
  reader.push(concat(header, writeFlvTag({ type: 9, timestamp: 0, data: hex('00112233') }).subarray(0, 13)));
  expect(() => reader.finish()).toThrow('ends in the middle of a tag');
});

test.each([
  ['a file that is not FLV', hex('000000 01 05 00000009 00000000'), 'does not start with "FLV"'],
  ['a header of absurd length', hex('464c56 01 05 ffffffff 00000000'), 'claims to have'],
  ['an encrypted tag', concat(header, hex('29 000001 000000 00 000000')), 'encrypted'],
  ['a tag beyond the limit', concat(header, hex('09 100000 000000 00 000000')), 'more than 65536'],
])('refuses %s', (_name, bytes, sentence) => {
  const reader = new FlvTagReader({ maxTagBytes: 65536 });
  expect(() => reader.push(bytes)).toThrow(sentence);
});

test('never throws anything but ContainerError on damaged files', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isHeaderIntact) => {
      const reader = new FlvTagReader({ maxTagBytes: 1000 });
      try {
        reader.push(isHeaderIntact ? concat(header, bytes) : bytes);
        reader.finish();
      } catch (error) {
        expect(error).toBeInstanceOf(ContainerError);
      }
    }),
    { numRuns: 2000, seed: 2 },
  );
});
