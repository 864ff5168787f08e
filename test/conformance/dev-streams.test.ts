// Every stream of dev/, whole, with the WASM kernels, frame by frame.

import { expect, test } from '@jest/globals';
import { conformanceStreams, expectedFrames, streamBytes, UNSUPPORTED } from '../support/conformance-streams.ts';
import { decodeFrames } from '../support/decode-frames.ts';
import { describeWith } from '../support/requirements.ts';

describeWith(['material'], 'conformance streams', () => {
  for (const stream of conformanceStreams) {
    const reason = UNSUPPORTED[stream.name];
    if (reason !== undefined) {
      test(`reports ${stream.name} as unsupported: ${reason}`, () => {
        expect(stream.optional).toBe(true);
        const { errors } = decodeFrames([streamBytes(stream)]);
        expect(errors.some((report) => report.code === 'unsupported')).toBe(true);
      });
      continue;
    }
    test(`decodes ${stream.name} bit-exact (${stream.class})`, () => {
      const { frames, errors } = decodeFrames([streamBytes(stream)]);
      const expected = expectedFrames(stream.name);
      expect(firstDifference(frames, expected)).toBe('none');
      expect(errors).toEqual([]);
    }, 120_000);
  }
});

function firstDifference(frames: readonly string[], expected: readonly string[]): string {
  if (expected.length === 0) {
    return 'no expected frames';
  }
  const wrong = expected.findIndex((md5, i) => frames[i] !== md5);
  if (wrong >= 0) {
    return `frame ${wrong} of ${expected.length}`;
  }
  return frames.length === expected.length ? 'none' : `${frames.length} frames instead of ${expected.length}`;
}
