// Lost slices: the number of frames stays, the picture is no worse than a copy of the frame before, and it is exact again from the next IDR.

import { expect, test } from '@jest/globals';
import { joinAnnexB, splitAnnexB } from '../../shared/bitstream/annex-b.ts';
import { BitReader } from '../../shared/bitstream/bit-reader.ts';
import { H264Decoder } from '../../shared/codec/h264/decoder.ts';
import { parseNalUnit } from '../../shared/codec/h264/syntax/nal-unit.ts';
import { microseconds } from '../../shared/media/time.ts';
import { conformanceStreams, expectedFrames, streamBytes } from '../support/conformance-streams.ts';
import { decodeFrames } from '../support/decode-frames.ts';
import { seededRandom } from '../support/random.ts';
import { describeWith } from '../support/requirements.ts';

/** Streams with several slices per picture. */
const STREAMS = ['CI1_FT_B', 'SVA_Base_B', 'CABASTBR3_Sony_B', 'SL1_SVA_B', 'CABACI3_Sony_B', 'BASQP1_Sony_C'];

/** Slices that are lost, one at a time, and NAL units of a stream that are decoded each time. */
const LOSSES_PER_STREAM = 8;
const NAL_UNITS_FOR_PSNR = 120;

const isSlice = (nal: Uint8Array): boolean => (nal[0] & 31) === 1 || (nal[0] & 31) === 5;
const firstMb = (nal: Uint8Array): number => new BitReader(parseNalUnit(nal.subarray(0, 64)).rbsp).ue();

function nalUnitsOf(name: string): Uint8Array[] {
  const bytes = streamBytes(conformanceStreams.find((stream) => stream.name === name)!);
  return splitAnnexB(bytes).map(({ start, end }) => bytes.subarray(start, end));
}

function lumaFrames(nalUnits: readonly Uint8Array[]): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const decoder = new H264Decoder({
    output: (frame) => {
      const { data, stride, width, height } = frame.y;
      const copy = new Uint8Array(width * height);
      for (let row = 0; row < height; row++) {
        copy.set(data.subarray(row * stride, row * stride + width), row * width);
      }
      frames.push(copy);
      frame.close();
    },
    error: () => undefined,
  });
  decoder.configure({ format: 'annexb' });
  decoder.decode({ type: 'key', timestamp: microseconds(0), data: joinAnnexB(nalUnits) });
  decoder.flush();
  return frames;
}

function squaredError(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    sum += (a[i] - b[i]) ** 2;
  }
  return sum / a.length;
}

describeWith(['material'], 'concealment', () => {
  for (const name of STREAMS) {
    test(`${name} keeps its number of frames when slices are lost, and each loss is reported`, () => {
      const random = seededRandom(name.length);
      const nalUnits = nalUnitsOf(name);
      const kept = nalUnits.filter((nal) => !isSlice(nal) || firstMb(nal) === 0 || random(5) > 0);
      expect(kept.length).toBeLessThan(nalUnits.length);
      const { frames, errors } = decodeFrames([joinAnnexB(kept)]);
      expect(frames).toHaveLength(expectedFrames(name).length);
      expect(errors.filter((report) => report.code === 'lost-slice').length).toBeGreaterThan(0);
    });
  }

  for (const name of STREAMS) {
    test(`pictures of ${name} with a lost slice are no worse than copies of the frame before`, () => {
      const nalUnits = nalUnitsOf(name).slice(0, NAL_UNITS_FOR_PSNR);
      const slices = nalUnits.flatMap((nal, i) => (isSlice(nal) && firstMb(nal) > 0 ? [i] : [])).slice(2);
      const random = seededRandom(name.length);
      const truth = lumaFrames(nalUnits);
      let concealed = 0;
      let copied = 0;
      for (let i = 0; i < LOSSES_PER_STREAM; i++) {
        const lost = slices[random(slices.length)];
        const shown = lumaFrames(nalUnits.filter((_, at) => at !== lost));
        const first = truth.findIndex((frame, at) => at > 0 && squaredError(frame, shown[at]) > 0);
        if (first > 0) {
          concealed += squaredError(truth[first], shown[first]);
          copied += squaredError(truth[first], truth[first - 1]);
        }
      }
      expect(copied).toBeGreaterThan(0);
      expect(concealed).toBeLessThan(copied);
    }, 120_000);
  }

  test('the picture is exact again from the next IDR', () => {
    const name = 'FM1_FT_E';
    const nalUnits = nalUnitsOf(name);
    const secondIdr = nalUnits.findIndex((nal, i) => i > 2 && (nal[0] & 31) === 5 && firstMb(nal) === 0);
    const kept = nalUnits.filter((nal, i) => i >= secondIdr || !isSlice(nal) || firstMb(nal) === 0);
    const before = nalUnits.slice(0, secondIdr).filter((nal) => isSlice(nal) && firstMb(nal) === 0).length;
    expect(secondIdr).toBeGreaterThan(0);
    expect(decodeFrames([joinAnnexB(kept)]).frames.slice(before)).toEqual(expectedFrames(name).slice(before));
  });

  test('an access unit that takes longer than its budget is given up and reported', () => {
    const stream = conformanceStreams.find((candidate) => candidate.name === 'CABASTBR3_Sony_B')!;
    const { errors } = decodeFrames([streamBytes(stream)], { budgetMs: 0 });
    expect(errors.some((report) => report.code === 'budget')).toBe(true);
  });
});
