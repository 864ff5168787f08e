import { expect, test } from '@jest/globals';
import { colourMatrix, effectiveMatrixCode } from '../../../../client/render/colour-matrix.ts';
import { i420ToRgba } from '../../../../client/render/renderer-2d.ts';
import { displaySize } from '../../../../client/media/picture.ts';
import { BT709_LIMITED, UNSPECIFIED_COLOUR, type ColourDescription } from '../../../../shared/media/colour.ts';

const HD = { width: 1280, height: 720 };
const BT601: ColourDescription = { ...BT709_LIMITED, matrix_coefficients: 6 };

// The colour of a 2x2 picture of one Y'CbCr value.
function colourOf(y: number, u: number, v: number, colour: ColourDescription): number[] {
  const buffer = Uint8Array.of(y, y, y, y, u, v).buffer;
  const rgba = new Uint8ClampedArray(16);
  i420ToRgba({ ptsUs: 0, width: 2, height: 2, sampleAspect: [1, 1], colour, buffer }, rgba);
  return [...rgba.subarray(0, 3)];
}

test('limited black and white are black and white', () => {
  expect(colourOf(16, 128, 128, BT709_LIMITED)).toEqual([0, 0, 0]);
  expect(colourOf(235, 128, 128, BT709_LIMITED)).toEqual([255, 255, 255]);
});

test('full range leaves grey as it is', () => {
  expect(colourOf(77, 128, 128, { ...BT709_LIMITED, video_full_range_flag: true })).toEqual([77, 77, 77]);
});

test('pure red of BT.709 and of BT.601 come out red from their own code points', () => {
  for (const [code, colour] of [
    [[63, 102, 240], BT709_LIMITED],
    [[81, 90, 240], BT601],
  ] as const) {
    const [r, g, b] = colourOf(code[0], code[1], code[2], colour);
    expect(r).toBeGreaterThanOrEqual(253);
    expect(g).toBeLessThanOrEqual(2);
    expect(b).toBeLessThanOrEqual(2);
  }
});

test('an unspecified matrix is BT.709 for HD and BT.601 below', () => {
  expect(effectiveMatrixCode(UNSPECIFIED_COLOUR, HD)).toBe(1);
  expect(effectiveMatrixCode(UNSPECIFIED_COLOUR, { width: 640, height: 480 })).toBe(6);
  expect(effectiveMatrixCode(BT601, HD)).toBe(6);
});

test('the matrix of BT.709 has the published coefficients', () => {
  const matrix = colourMatrix({ ...BT709_LIMITED, video_full_range_flag: true }, HD);
  expect(matrix.rv).toBeCloseTo(1.5748, 4);
  expect(matrix.gu).toBeCloseTo(0.1873, 4);
  expect(matrix.gv).toBeCloseTo(0.4681, 4);
  expect(matrix.bu).toBeCloseTo(1.8556, 4);
});

test('sample aspect stretches the longer way', () => {
  expect(displaySize({ width: 720, height: 576, sampleAspect: [16, 11] })).toEqual({ width: 1047, height: 576 });
  expect(displaySize({ width: 720, height: 480, sampleAspect: [8, 9] })).toEqual({ width: 720, height: 540 });
  expect(displaySize({ width: 640, height: 360, sampleAspect: [1, 1] })).toEqual({ width: 640, height: 360 });
});
