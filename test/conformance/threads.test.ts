// Progressive streams of dev/ with two threads: whole files, the same frames as with one. And damage: a thread that is lent to a decoder of
// a damaged stream comes back, and every frame comes out.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { joinAnnexB, splitAnnexB } from '../../shared/bitstream/annex-b.ts';
import { parseSps } from '../../shared/codec/h264/syntax/sps.ts';
import { BITSTREAM_ERRORS } from '../../shared/errors.ts';
import { conformanceStreams, expectedFrames, streamBytes, UNSUPPORTED } from '../support/conformance-streams.ts';
import { decodeFrames } from '../support/decode-frames.ts';
import { mutate, MUTATIONS } from '../support/mutate-stream.ts';
import { seededRandom } from '../support/random.ts';
import { describeWith } from '../support/requirements.ts';
import { WarmThreadHost } from '../support/warm-thread-host.ts';

/** Damaged streams that are tried. */
const CASES = 150;

/** All pictures of the stream's first sequence are frames in 4:2:0: others never meet the second thread. */
function isProgressive(bytes: Uint8Array): boolean {
  const sps = splitAnnexB(bytes).find(({ start }) => (bytes[start]! & 31) === 7);
  if (sps === undefined) {
    return false;
  }
  const { frame_mbs_only_flag, chroma_format_idc } = parseSps(bytes.slice(sps.start + 1, sps.end));
  return frame_mbs_only_flag && chroma_format_idc === 1;
}

describeWith(['material'], 'conformance streams with two threads', () => {
  const host = new WarmThreadHost();
  const streams = conformanceStreams.filter(({ name }) => UNSUPPORTED[name] === undefined);
  const progressive = streams.filter((stream) => isProgressive(streamBytes(stream)));

  beforeAll(() => host.warmUp(), 180_000);
  afterAll(() => host.close());

  test('most streams are progressive', () => {
    expect(progressive.length).toBeGreaterThan(50);
  });

  for (const stream of progressive) {
    test(`decodes ${stream.name} bit-exact with two threads`, () => {
      const { frames, errors } = decodeFrames([streamBytes(stream)], { threads: 2 }, host);
      expect(frames).toEqual(expectedFrames(stream.name));
      expect(errors).toEqual([]);
    }, 120_000);
  }

  test('the second thread decoded many of the pictures', () => {
    expect(host.jobs).toBeGreaterThan(1000);
  });

  test(`${CASES} damaged streams give typed errors and the second thread back`, () => {
    const before = host.jobs;
    for (let i = 0; i < CASES; i++) {
      const random = seededRandom(9000 + i);
      const bytes = streamBytes(progressive[i % progressive.length]!);
      const nalUnits = splitAnnexB(bytes)
        .slice(0, 20)
        .map(({ start, end }) => bytes.slice(start, Math.min(end, start + 8000)));
      const damaged = mutate(nalUnits, MUTATIONS[random(MUTATIONS.length)]!, random);
      const { frames, errors } = decodeFrames(
        damaged.map((nal) => joinAnnexB([nal])),
        { threads: 2 },
        host,
      );
      expect(frames.length).toBeLessThanOrEqual(2 * damaged.length + 16);
      for (const { code } of errors) {
        expect(BITSTREAM_ERRORS).toContain(code);
      }
    }
    expect(host.jobs).toBeGreaterThan(before);
  }, 300_000);
});
