// A clock that is part of the picture: the wall clock in milliseconds as two rows of black and white cells near the lower edge, so
// that whoever has the decoded picture can tell when it was drawn (latency from glass to glass, without trusting any header).
// It survives scaling and lossy coding: all positions are shares of the picture's width, and a checksum guards the value.
// Written by server/demo; read by tests and by whoever measures latency.

import type { Plane } from './frame.ts';

const { floor, round } = Math;

/** The width is divided into this many cells; the code is 32 wide and 2 high. */
const CELLS_ACROSS = 40;
const FIRST_COLUMN = 4;
const COLUMNS = 32;
const ROWS = 2;
/** Lower edge of the code, in cells above the picture's lower edge. */
const BOTTOM_MARGIN = 1;
const BLACK = 24;
const WHITE = 226;
const THRESHOLD = 125;
const TIME_BITS = 48;
const CHECK_MIX = 0x5aa5;

/** Paints `epochMs` (whole milliseconds since the Unix epoch) into a luma plane. The plane must be at least 80 samples wide. */
export function writePictureClock(luma: Plane, epochMs: number): void {
  const words = encode(epochMs);
  const cell = luma.width / CELLS_ACROSS;
  const top = topOf(luma);
  for (let row = 0; row < ROWS; row++) {
    const fromY = round(top + row * cell);
    const toY = round(top + (row + 1) * cell);
    for (let y = fromY; y < toY; y++) {
      const line = y * luma.stride;
      for (let column = 0; column < COLUMNS; column++) {
        const from = round((FIRST_COLUMN + column) * cell);
        const to = round((FIRST_COLUMN + column + 1) * cell);
        const isOne = ((words[row] >>> (31 - column)) & 1) === 1;
        luma.data.fill(isOne ? WHITE : BLACK, line + from, line + to);
      }
    }
  }
}

/** The milliseconds painted into the picture, or null when there is no readable clock. */
export function readPictureClock(luma: Plane): number | null {
  if (luma.width < 2 * CELLS_ACROSS || topOf(luma) < 0) {
    return null;
  }
  const words: [number, number] = [0, 0];
  const cell = luma.width / CELLS_ACROSS;
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      const x = (FIRST_COLUMN + column + 0.5) * cell;
      const y = topOf(luma) + (row + 0.5) * cell;
      words[row] = ((words[row] << 1) | (meanAround(luma, x, y, cell / 4) > THRESHOLD ? 1 : 0)) >>> 0;
    }
  }
  return decode(words);
}

/** First word: the upper 32 of 48 bits; second: the lower 16 bits and the checksum. */
function encode(epochMs: number): [number, number] {
  const time = floor(epochMs) % 2 ** TIME_BITS;
  const high = floor(time / 65_536) >>> 0;
  const low = time % 65_536;
  return [high, ((low << 16) | checksum(high, low)) >>> 0];
}

function decode([high, rest]: readonly [number, number]): number | null {
  const low = rest >>> 16;
  return (rest & 0xffff) === checksum(high, low) ? high * 65_536 + low : null;
}

function checksum(high: number, low: number): number {
  let sum = CHECK_MIX;
  for (const part of [high >>> 16, high & 0xffff, low]) {
    sum = (Math.imul(sum, 31) + part + (sum >>> 11)) & 0xffff;
  }
  return sum;
}

function topOf(luma: Plane): number {
  return luma.height - (ROWS + BOTTOM_MARGIN) * (luma.width / CELLS_ACROSS);
}

function meanAround(luma: Plane, x: number, y: number, reach: number): number {
  let sum = 0;
  let count = 0;
  for (let row = floor(y - reach); row <= y + reach; row++) {
    for (let column = floor(x - reach); column <= x + reach; column++) {
      sum += luma.data[row * luma.stride + column] ?? 0;
      count++;
    }
  }
  return sum / count;
}
