// What can be said of a picture at almost no cost: how bright it is, how much is in it, and how much of it moved since the last one that
// was looked at. Takes 64 x 36 luma samples of a picture (about 15 us). Called where pictures are decoded anyway, for health.

import type { Plane } from '../media/frame.ts';

const COLUMNS = 64;
const ROWS = 36;
const SAMPLES = COLUMNS * ROWS;
/** A sample has moved when it differs by more than this: what coding the same picture again changes stays below. */
const MOVED = 6;

const { abs, floor, max, sqrt } = Math;

export type PictureFacts = {
  /** Mean luma, 0..255. */
  readonly luma: number;
  /** Standard deviation of luma, 0..127. */
  readonly spread: number;
  /** Share of samples that differ from the picture before, 0..1; null for the first picture or after a change of size. */
  readonly moved: number | null;
};

/** Looks at pictures of one track, one after the other. */
export class PictureMeter {
  private readonly before = new Uint8Array(SAMPLES);
  private shape = '';

  measure({ data, stride, width, height }: Plane): PictureFacts {
    const shape = `${width}x${height}`;
    const isFirst = shape !== this.shape;
    this.shape = shape;
    const { before } = this;
    let sum = 0;
    let squares = 0;
    let moved = 0;
    for (let row = 0, i = 0; row < ROWS; row++) {
      const line = floor(((row + 0.5) * height) / ROWS) * stride;
      for (let column = 0; column < COLUMNS; column++, i++) {
        const sample = data[line + floor(((column + 0.5) * width) / COLUMNS)];
        sum += sample;
        squares += sample * sample;
        moved += abs(sample - before[i]) > MOVED ? 1 : 0;
        before[i] = sample;
      }
    }
    const luma = sum / SAMPLES;
    return {
      luma,
      spread: sqrt(max(0, squares / SAMPLES - luma * luma)),
      moved: isFirst ? null : moved / SAMPLES,
    };
  }
}
