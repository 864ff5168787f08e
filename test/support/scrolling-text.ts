// A synthetic screen: rows of blocky glyphs on a flat ground that scroll up, with a blinking caret. Hard edges, large flat areas and
// motion that is exact to the sample, as screen shares have.

import { UNSPECIFIED_COLOUR } from '../../shared/media/colour.ts';
import { type I420Frame, i420ByteLength, packedI420 } from '../../shared/media/frame.ts';
import { microseconds } from '../../shared/media/time.ts';
import { seededRandom } from './random.ts';

const GLYPH_WIDTH = 6;
const GLYPH_HEIGHT = 10;

export type ScrollingTextOptions = {
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  readonly linesPerFrame: number;
};

/** Makes frame `index` of the screen. */
export function scrollingText(options: ScrollingTextOptions): (index: number) => I420Frame {
  const { width, height, seed, linesPerFrame } = options;
  const random = seededRandom(seed + 17);
  const glyphs = Array.from({ length: 32 }, () => Array.from({ length: GLYPH_HEIGHT }, () => random(32)));
  const text = Array.from({ length: 4096 }, () => random(40));
  const [ink, paper] = [16 + random(60), 180 + random(70)];
  const columns = Math.ceil(width / GLYPH_WIDTH);
  return (index) => {
    const bytes = new Uint8Array(i420ByteLength(width, height)).fill(paper, 0, width * height);
    bytes.fill(128, width * height);
    for (let y = 0; y < height; y++) {
      const line = y + index * linesPerFrame;
      const row = Math.floor(line / GLYPH_HEIGHT);
      for (let x = 0; x < width; x++) {
        const glyph = glyphs[text[(row * columns + Math.floor(x / GLYPH_WIDTH)) % text.length]] as number[] | undefined;
        const bits = glyph?.[line % GLYPH_HEIGHT] ?? 0;
        if (((bits >> (x % GLYPH_WIDTH)) & 1) === 1) {
          bytes[y * width + x] = ink;
        }
      }
    }
    if (index % 2 === 0) {
      bytes.fill(0, 0, Math.min(8, width));
    }
    return packedI420(
      bytes,
      { width, height },
      { timestamp: microseconds(index * 40_000), colour: UNSPECIFIED_COLOUR },
    );
  };
}
