import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Plane } from '../../../../shared/media/frame.ts';
import { readPictureClock, writePictureClock } from '../../../../shared/media/picture-clock.ts';

const { floor, max, min, round } = Math;

function plane(width: number, height: number, fill = 128): Plane {
  return { data: new Uint8Array(width * height).fill(fill), stride: width, width, height };
}

/** Nearest-sample scaling: the crudest that a rendition could have. */
function scaled(from: Plane, width: number, height: number): Plane {
  const to = plane(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sourceY = floor(((y + 0.5) * from.height) / height);
      const sourceX = floor(((x + 0.5) * from.width) / width);
      to.data[y * width + x] = from.data[sourceY * from.stride + sourceX];
    }
  }
  return to;
}

test('reads back the millisecond that was painted, at every size that a rendition has', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), fc.constantFrom(1, 2 / 3, 0.5, 1 / 3), (time, share) => {
      const picture = plane(1280, 720);
      writePictureClock(picture, time);
      const width = round((1280 * share) / 2) * 2;
      const height = round((720 * share) / 2) * 2;
      expect(readPictureClock(scaled(picture, width, height))).toBe(time);
    }),
    { numRuns: 40 },
  );
});

test('survives noise and blur of lossy coding', () => {
  const picture = plane(640, 360);
  writePictureClock(picture, 1_795_000_123_456);
  for (let i = 0; i < picture.data.length; i++) {
    picture.data[i] = min(255, max(0, picture.data[i] + ((i * 7919) % 61) - 30));
  }
  expect(readPictureClock(picture)).toBe(1_795_000_123_456);
});

test('says null where there is no clock or one cell was painted over', () => {
  expect(readPictureClock(plane(640, 360))).toBeNull();
  expect(readPictureClock(plane(64, 36))).toBeNull();
  const picture = plane(640, 360);
  writePictureClock(picture, 1_795_000_123_456);
  const cell = 640 / 40;
  for (let y = 360 - 3 * cell; y < 360 - 2 * cell; y++) {
    for (let x = 20 * cell; x < 21 * cell; x++) {
      picture.data[y * 640 + x] = 255 - picture.data[y * 640 + x];
    }
  }
  expect(readPictureClock(picture)).toBeNull();
});
