// What the encoder says a decoder shows is what ffmpeg, without a warning, and our decoder show, picture by picture, over seeded random
// parameters and on the clips. Prints how often each parameter had each value. TESSERA_CLOSED_LOOP_CASES sets another number of cases.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { UNSPECIFIED_COLOUR } from '../../shared/media/colour.ts';
import { type I420Frame, i420ByteLength, packedI420 } from '../../shared/media/frame.ts';
import { microseconds } from '../../shared/media/time.ts';
import { decodeFrames } from '../support/decode-frames.ts';
import { type EncodedClip, encodeClip, md5Of } from '../support/encode-clip.ts';
import { coverageOf, coverageTable, describeCase, encoderCase, PRESETS, PROFILES } from '../support/encoder-cases.ts';
import { decodeToI420 } from '../support/ffmpeg-clips.ts';
import { decodeWithFfmpeg } from '../support/ffmpeg-decode.ts';
import { describeWith, materialDir } from '../support/requirements.ts';
import { WarmEncoderThreads } from '../support/warm-encoder-threads.ts';

const DEFAULT_CASES = process.env['TESSERA_LONG'] === '1' ? 500 : 120;
const CASES = Number(process.env['TESSERA_CLOSED_LOOP_CASES'] ?? DEFAULT_CASES);
const cases = Array.from({ length: CASES }, (_, i) => encoderCase(i + 1));

/** md5 of each picture of raw video whose pictures take `byteLength` bytes. */
function md5sOf(raw: Uint8Array, byteLength: number): string[] {
  const md5s: string[] = [];
  for (let at = 0; at < raw.length; at += byteLength) {
    md5s.push(md5Of([raw.subarray(at, at + byteLength)]));
  }
  return md5s;
}

/** Both decoders show each picture as the encoder reconstructed it. */
function expectExact({ stream, chunks, reconstructions }: EncodedClip): void {
  const expected = reconstructions.map((frame) => md5Of([frame]));
  expect(md5sOf(decodeWithFfmpeg(stream), reconstructions[0].length)).toEqual(expected);
  const decoded = decodeFrames(chunks.map(({ data }) => data));
  expect(decoded.errors).toEqual([]);
  expect(decoded.frames).toEqual(expected);
}

describeWith(['ffmpeg'], 'encoder against ffmpeg', () => {
  const threads = new WarmEncoderThreads(4);
  let pictures = 0;
  let lentSlices = 0;

  beforeAll(() => threads.warmUp(), 180_000);

  afterAll(async () => {
    await threads.close();
    process.stdout.write(
      `encoder cases: ${CASES}, pictures ${pictures}, slices coded by lent threads ${lentSlices}\n${coverageTable(cases)}`,
    );
  });

  for (const one of cases) {
    test(`decodes to the reconstruction, case ${describeCase(one)}`, () => {
      const { config, frames, frameAt, optionsAt } = one;
      const encoded = encodeClip(config, frameAt, frames, optionsAt, threads);
      expect(encoded.chunks.length + encoded.dropped).toBe(frames);
      expectExact(encoded);
      pictures += encoded.chunks.length;
      lentSlices += encoded.lentSlices;
    });
  }
});

describeWith(['ffmpeg', 'material'], 'encoder on the clips', () => {
  for (const [file, width, height] of [
    ['foreman_cif.264', 352, 288],
    ['mobile_cif.264', 352, 288],
    ['bbb720.mp4', 1280, 720],
  ] as const) {
    for (const preset of PRESETS) {
      test(`decodes to the reconstruction, ${file} with preset ${preset}`, () => {
        const size = { width, height };
        const raw = decodeToI420(['-i', `${materialDir}/clips/${file}`, '-frames:v', '4']);
        const clip = (index: number): I420Frame => {
          const at = index * i420ByteLength(width, height);
          const facts = { timestamp: microseconds(index * 40_000), colour: UNSPECIFIED_COLOUR };
          return packedI420(raw.subarray(at, at + i420ByteLength(width, height)), size, facts);
        };
        const framerate = { numerator: 25, denominator: 1 };
        expectExact(encodeClip({ ...size, framerate, rateControl: { kind: 'qp', qp: 30 }, preset }, clip, 4));
      });
    }
  }
});

test('the default cases have every preset with every profile, every QP, and every number of layers, slices and threads', () => {
  const coverage = coverageOf(Array.from({ length: 120 }, (_, i) => encoderCase(i + 1)));
  const valuesOf = (parameter: string): string[] => [...(coverage.get(parameter)?.keys() ?? [])].sort();
  const numbers = (values: readonly number[]): string[] => values.map(String).sort();
  expect(valuesOf('preset, profile')).toEqual(PRESETS.flatMap((a) => PROFILES.map((b) => `${a} ${b}`)).sort());
  expect(valuesOf('QP')).toEqual([...numbers(Array.from({ length: 52 }, (_, i) => i)), 'by rate'].sort());
  expect(valuesOf('layers')).toEqual(numbers([1, 2, 3]));
  expect(valuesOf('slices')).toEqual([...numbers([1, 2, 3, 5, 9]), 'as threads'].sort());
  expect(valuesOf('threads')).toEqual(numbers([1, 2, 3, 4]));
  expect(valuesOf('odd')).toEqual(['even x even', 'even x odd', 'odd x even', 'odd x odd']);
  expect(valuesOf('longer side')).toEqual(expect.arrayContaining(['up to 16', 'up to 1920']));
});
