import { describe, expect, test } from '@jest/globals';
import type { Plane } from '../../../../shared/media/frame.ts';
import { PictureMeter } from '../../../../shared/pixels/picture-meter.ts';
import { movingPicture } from '../../../support/moving-picture.ts';

function flat(width: number, height: number, luma: number): Plane {
  return { data: new Uint8Array(width * height).fill(luma), stride: width, width, height };
}

describe('a picture meter', () => {
  test('says how bright a picture is and how much is in it', () => {
    const meter = new PictureMeter();
    expect(meter.measure(flat(320, 180, 16))).toEqual({ luma: 16, spread: 0, moved: null });
    const halves = flat(320, 180, 0);
    halves.data.fill(200, 0, 320 * 90);
    const { luma, spread, moved } = meter.measure(halves);
    expect(luma).toBeCloseTo(100, 0);
    expect(spread).toBeCloseTo(100, 0);
    expect(moved).toBe(1);
  });

  test('says how much moved, and takes small differences for the same picture', () => {
    const meter = new PictureMeter();
    const picture = flat(640, 360, 100);
    meter.measure(picture);
    picture.data.fill(104);
    expect(meter.measure(picture).moved).toBe(0);
    picture.data.fill(180, 0, 640 * 36); // the uppermost tenth
    expect(meter.measure(picture).moved).toBeCloseTo(0.1, 1);
    expect(meter.measure(picture).moved).toBe(0);
  });

  test('sees a film move and does not compare pictures of different sizes', () => {
    const film = movingPicture({ width: 320, height: 180, seed: 3 });
    const meter = new PictureMeter();
    meter.measure(film(0).y);
    expect(meter.measure(film(12).y).moved).toBeGreaterThan(0.1);
    expect(meter.measure(flat(160, 90, 50)).moved).toBeNull();
  });

  test('reads no padding of wider rows', () => {
    const data = new Uint8Array(512 * 180).fill(255);
    for (let y = 0; y < 180; y++) {
      data.fill(60, y * 512, y * 512 + 320);
    }
    expect(new PictureMeter().measure({ data, stride: 512, width: 320, height: 180 })).toMatchObject({
      luma: 60,
      spread: 0,
    });
  });
});
