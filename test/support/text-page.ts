// A synthetic screen for tests of the screen tune: a page of text that stays, and beside it a window where a picture moves. Seeded.

import type { I420Frame } from '../../shared/media/frame.ts';
import { movingPicture } from './moving-picture.ts';
import { seededRandom } from './random.ts';

export type TextPageOptions = {
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  /** Columns on the right where a picture moves; 0: nothing moves. */
  readonly windowWidth: number;
};

const GLYPH_WIDTH = 6;
const LINE_HEIGHT = 11;

/** Makes frame `index`: dark glyphs of 5 x 7 samples on a white page. */
export function textPage(options: TextPageOptions): (index: number) => I420Frame {
  const { width, height, seed, windowWidth } = options;
  const random = seededRandom(seed);
  const page = new Uint8Array(width * height).fill(235);
  for (let top = 4; top + 7 < height; top += LINE_HEIGHT) {
    for (let left = 4; left + GLYPH_WIDTH < width; left += GLYPH_WIDTH) {
      if (random(6) === 0) {
        continue; // a space
      }
      for (let y = 0; y < 7; y++) {
        const strokes = random(32) | (y % 3 === 0 ? 14 : 0);
        for (let x = 0; x < 5; x++) {
          page[(top + y) * width + left + x] = (strokes >> x) & 1 ? 30 : 235;
        }
      }
    }
  }
  const motion = movingPicture({ width, height, seed: seed + 1, noise: 6 });
  return (index) => {
    const frame = motion(index);
    for (let y = 0; y < height; y++) {
      frame.y.data.set(page.subarray(y * width, (y + 1) * width - windowWidth), y * width);
    }
    const pageColumns = (width - windowWidth) >> 1;
    for (const plane of [frame.u, frame.v]) {
      for (let y = 0; y < plane.height; y++) {
        plane.data.fill(128, y * plane.stride, y * plane.stride + pageColumns);
      }
    }
    return frame;
  };
}
