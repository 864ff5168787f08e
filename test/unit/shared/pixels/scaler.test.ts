// The scaler: exact properties of its filters and pictures, and its distance from swscale.
import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { UNSPECIFIED_COLOUR } from '../../../../shared/media/colour.ts';
import { i420ByteLength, packedI420, type I420Frame, type Plane } from '../../../../shared/media/frame.ts';
import { microseconds } from '../../../../shared/media/time.ts';
import { packFrame, Scaler } from '../../../../shared/pixels/scaler.ts';
import { createScalingFilter, FILTER_ONE } from '../../../../shared/pixels/scaling-filter.ts';
import { describeWith } from '../../../support/requirements.ts';
import { seededRandom } from '../../../support/random.ts';

const { abs, floor } = Math;

function picture(width: number, height: number, sample: (i: number) => number): I420Frame {
  const data = Uint8Array.from({ length: i420ByteLength(width, height) }, (_, i) => sample(i));
  return packedI420(data, { width, height }, { timestamp: microseconds(40000), colour: UNSPECIFIED_COLOUR });
}

const samples = (plane: Plane): number[] =>
  Array.from({ length: plane.height }, (_, y) => [
    ...plane.data.subarray(y * plane.stride, y * plane.stride + plane.width),
  ]).flat();

test('the weights of every output sample sum to one and stay inside the input', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 300 }),
      fc.boolean(),
      (inputSize, outputSize, isCosited) => {
        const { taps, starts, weights } = createScalingFilter({ inputSize, outputSize, tapMultiple: 1, isCosited });
        const faults = Array.from({ length: outputSize }, (_, i) => i).filter((i) => {
          const sum = weights.subarray(i * taps, (i + 1) * taps).reduce((total, weight) => total + weight, 0);
          return sum !== FILTER_ONE || starts[i] < 0 || starts[i] + taps > inputSize;
        });
        expect(faults).toEqual([]);
      },
    ),
    { numRuns: 200 },
  );
});

test.each([
  [64, 48, 32, 24],
  [37, 21, 90, 5],
  [2, 2, 1, 1],
])('a flat picture of %ix%i stays flat at %ix%i', (width, height, toWidth, toHeight) => {
  const scaled = new Scaler(toWidth, toHeight).scale(picture(width, height, () => 77));
  expect(new Set([scaled.y, scaled.u, scaled.v].flatMap(samples))).toEqual(new Set([77]));
  expect([scaled.y.width, scaled.y.height, scaled.u.width]).toEqual([toWidth, toHeight, (toWidth + 1) >> 1]);
});

test('a picture at its own size is unchanged', () => {
  const random = seededRandom(1);
  const source = picture(50, 34, () => random(256));
  const scaled = new Scaler(50, 34).scale(source);
  expect([scaled.y, scaled.u, scaled.v].map(samples)).toEqual([source.y, source.u, source.v].map(samples));
  expect(scaled.timestamp).toBe(40000);
});

test('half size is the rounded mean of four samples', () => {
  const random = seededRandom(2);
  const source = picture(32, 16, () => random(256));
  const scaled = new Scaler(16, 8).scale(source);
  const at = (x: number, y: number) => source.y.data[y * 32 + x];
  const expected = Array.from({ length: 8 * 16 }, (_, i) => {
    const [x, y] = [2 * (i % 16), 2 * floor(i / 16)];
    return (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1) + 2) >> 2;
  });
  expect(samples(scaled.y)).toEqual(expected);
});

test('the reference and the SIMD kernels give the same picture', () => {
  const random = seededRandom(3);
  const source = picture(101, 57, () => random(256));
  for (const [width, height] of [
    [54, 30],
    [160, 90],
    [9, 7],
  ] as const) {
    const reference = new Scaler(width, height, { kernels: 'reference' }).scale(source);
    const wasm = new Scaler(width, height).scale(source);
    expect([wasm.y, wasm.u, wasm.v].map(samples)).toEqual([reference.y, reference.u, reference.v].map(samples));
  }
});

test('a scaler follows a change of the input size', () => {
  const scaler = new Scaler(20, 10);
  for (const [width, height] of [
    [40, 20],
    [60, 34],
    [40, 20],
  ] as const) {
    const scaled = scaler.scale(picture(width, height, () => 90));
    expect(new Set(samples(scaled.y))).toEqual(new Set([90]));
  }
});

test('the sample aspect keeps the shape of a squeezed picture', () => {
  expect(new Scaler(32, 32).scale(picture(64, 32, () => 0)).sampleAspect).toEqual([2, 1]);
  expect(new Scaler(426, 240).scale(picture(1280, 720, () => 0)).sampleAspect).toEqual([1, 1]);
});

test('a packed copy survives the next picture', () => {
  const scaler = new Scaler(8, 8);
  const kept = packFrame(scaler.scale(picture(16, 16, () => 10)));
  scaler.scale(picture(16, 16, () => 200));
  expect(new Set([kept.y, kept.u, kept.v].flatMap(samples))).toEqual(new Set([10]));
  expect(() => new Scaler(0, 8)).toThrow(RangeError);
});

describeWith(['ffmpeg'], 'the scaler beside swscale', () => {
  const run = (args: string[], input?: Uint8Array): Buffer =>
    spawnSync('ffmpeg', ['-v', 'error', ...args], { ...(input && { input }), maxBuffer: 1 << 26 }).stdout;

  test.each([
    ['area', 320, 180],
    ['area', 213, 120],
    ['bicubic', 960, 540],
  ])(
    '%s to %ix%i differs by 0.6 in the mean and by more than 3 in one sample of a thousand',
    (flags, width, height) => {
      const source = run([
        '-f',
        'lavfi',
        '-i',
        'testsrc2=size=640x360',
        '-frames:v',
        '1',
        '-pix_fmt',
        'yuv420p',
        '-f',
        'rawvideo',
        '-',
      ]);
      const filter = `scale=${width}:${height}:flags=${flags}+accurate_rnd+full_chroma_int:in_h_chr_pos=0:out_h_chr_pos=0:in_v_chr_pos=128:out_v_chr_pos=128`;
      const theirs = run(
        [
          '-f',
          'rawvideo',
          '-pix_fmt',
          'yuv420p',
          '-s',
          '640x360',
          '-i',
          '-',
          '-vf',
          filter,
          '-pix_fmt',
          'yuv420p',
          '-f',
          'rawvideo',
          '-',
        ],
        source,
      );
      const frame = packedI420(
        source,
        { width: 640, height: 360 },
        { timestamp: microseconds(0), colour: UNSPECIFIED_COLOUR },
      );
      const scaled = packFrame(new Scaler(width, height).scale(frame));
      const ours = Buffer.concat([scaled.y.data, scaled.u.data, scaled.v.data]);
      expect(ours).toHaveLength(theirs.length);
      const differences = [...ours].map((sample, i) => abs(sample - theirs[i]));
      const mean = differences.reduce((sum, each) => sum + each, 0) / differences.length;
      expect(differences.filter((each) => each > 3).length).toBeLessThan(differences.length / 1000);
      expect(differences.filter((each) => each > 10)).toEqual([]);
      expect(mean).toBeLessThan(0.6);
    },
  );
});
