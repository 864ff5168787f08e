// Conversions: exact where nothing is lost, primary colours by the standard's figures, and the same pictures from both kernels.
import { expect, test } from '@jest/globals';
import { BT709_LIMITED, UNSPECIFIED_COLOUR, type ColourDescription } from '../../../../shared/media/colour.ts';
import { i420ByteLength, packedI420, type I420Frame } from '../../../../shared/media/frame.ts';
import { microseconds } from '../../../../shared/media/time.ts';
import { PixelConverter } from '../../../../shared/pixels/conversion.ts';
import { seededRandom } from '../../../support/random.ts';

const { abs, max } = Math;
const timestamp = microseconds(7);
const BT601_LIMITED: ColourDescription = { ...BT709_LIMITED, matrix_coefficients: 6 };
const BT601_FULL: ColourDescription = { ...BT601_LIMITED, video_full_range_flag: true };
const BT709_FULL: ColourDescription = { ...BT709_LIMITED, video_full_range_flag: true };

/** A picture of one colour as RGBA, converted: its Y, Cb, Cr. */
function convertColour(rgb: readonly [number, number, number], colour: ColourDescription): number[] {
  const [width, height] = [6, 4];
  const rgba = Uint8Array.from({ length: 4 * width * height }, (_, i) => [...rgb, 255][i % 4]);
  const frame = new PixelConverter(width).fromRgba(rgba, height, { timestamp, colour });
  return [frame.y.data[0], frame.u.data[0], frame.v.data[0]];
}

test.each([
  ['BT.601 limited', BT601_LIMITED, [255, 255, 255], [235, 128, 128]],
  ['BT.601 limited', BT601_LIMITED, [0, 0, 0], [16, 128, 128]],
  ['BT.601 limited', BT601_LIMITED, [255, 0, 0], [81, 90, 240]],
  ['BT.601 limited', BT601_LIMITED, [0, 255, 0], [145, 54, 34]],
  ['BT.601 limited', BT601_LIMITED, [0, 0, 255], [41, 240, 110]],
  ['BT.709 limited', BT709_LIMITED, [255, 0, 0], [63, 102, 240]],
  ['BT.709 limited', BT709_LIMITED, [0, 255, 0], [173, 42, 26]],
  ['BT.709 limited', BT709_LIMITED, [0, 0, 255], [32, 240, 118]],
  ['BT.601 full', BT601_FULL, [255, 255, 255], [255, 128, 128]],
  ['BT.601 full', BT601_FULL, [255, 0, 0], [76, 85, 255]],
  ['BT.709 full', BT709_FULL, [0, 0, 255], [18, 255, 116]],
  ['unspecified below 720 lines', UNSPECIFIED_COLOUR, [255, 0, 0], [81, 90, 240]],
] as const)('%s', (_, colour, rgb, expected) => {
  expect(convertColour(rgb, colour)).toEqual(expected);
});

test.each([BT601_LIMITED, BT601_FULL, BT709_LIMITED, BT709_FULL])('colours come back from I420 within 3', (colour) => {
  const random = seededRandom(4);
  const [width, height] = [37, 9];
  const converter = new PixelConverter(width);
  for (let round = 0; round < 20; round++) {
    const rgb = [random(256), random(256), random(256), 255];
    const rgba = Uint8Array.from({ length: 4 * width * height }, (_, i) => rgb[i % 4]);
    const back = new Uint8Array(rgba.length);
    converter.toRgba(converter.fromRgba(rgba, height, { timestamp, colour }), back);
    const worst = back.reduce((most, sample, i) => max(most, abs(sample - rgba[i])), 0);
    expect(worst).toBeLessThanOrEqual(3);
  }
});

test.each([1, 2, 15, 16, 33])('NV12 of a picture %i samples wide comes back unchanged', (width) => {
  const random = seededRandom(width);
  const height = 5;
  const data = Uint8Array.from({ length: i420ByteLength(width, height) }, () => random(256));
  const frame = packedI420(data, { width, height }, { timestamp, colour: BT709_LIMITED });
  const converter = new PixelConverter(width);
  const nv12 = converter.toNv12(frame);
  const pairWidth = 2 * frame.u.width;
  const back = converter.fromNv12(
    { data: nv12, stride: width, width, height },
    { data: nv12.subarray(width * height), stride: pairWidth, width: pairWidth, height: frame.u.height },
    frame,
  );
  const planes = (each: I420Frame) => [each.y, each.u, each.v].map((plane) => [...plane.data]);
  expect(planes(back)).toEqual(planes(frame));
});

test.each([1, 7, 32, 51])('both kernels give the same pictures at width %i', (width) => {
  const random = seededRandom(100 + width);
  const height = 7;
  const rgba = Uint8Array.from({ length: 4 * width * height }, () => random(256));
  const results = (['reference', 'wasm'] as const).map((kernels) => {
    const converter = new PixelConverter(width, { kernels });
    const frame = converter.fromRgba(rgba, height, { timestamp, colour: BT709_LIMITED });
    const back = new Uint8ClampedArray(rgba.length);
    converter.toRgba(frame, back);
    return [frame.y, frame.u, frame.v].map((plane) => [...plane.data]).concat([[...back]]);
  });
  expect(results[1]).toEqual(results[0]);
});

test('wrong sizes are refused', () => {
  const converter = new PixelConverter(8);
  const frame = packedI420(new Uint8Array(6), { width: 2, height: 2 }, { timestamp, colour: BT709_LIMITED });
  expect(() => converter.toNv12(frame)).toThrow(RangeError);
  expect(() => converter.fromRgba(new Uint8Array(8), 4, { timestamp, colour: BT709_LIMITED })).toThrow(RangeError);
  expect(() => new PixelConverter(0)).toThrow(RangeError);
});
