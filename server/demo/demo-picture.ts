// The picture of the built-in demo stream, drawn straight into I420: a wandering coloured background, bouncing squares, the name, the
// time of day, and the same time as a code that machines read (shared/media/picture-clock.ts). Cheap: rows are copied and filled.
// Called by demo-stream.ts for each frame.

import { i420ByteLength, packedI420, type Plane } from '../../shared/media/frame.ts';
import { UNSPECIFIED_COLOUR } from '../../shared/media/colour.ts';
import { writePictureClock } from '../../shared/media/picture-clock.ts';
import { microseconds } from '../../shared/media/time.ts';
import { glyphOf, GLYPH_WIDTH } from './demo-font.ts';

type Yuv = readonly [y: number, u: number, v: number];
type Square = { readonly size: number; readonly colour: Yuv; readonly speed: readonly [number, number] };
type Planes = { readonly y: Plane; readonly u: Plane; readonly v: Plane };

const WHITE: Yuv = [225, 128, 128];
const SHADOW: Yuv = [30, 128, 128];
/** Sizes in shares of the height, speeds in widths and heights per second. */
const SQUARES: readonly Square[] = [
  { size: 0.18, colour: [200, 90, 150], speed: [0.11, 0.17] },
  { size: 0.13, colour: [120, 170, 90], speed: [-0.19, 0.13] },
  { size: 0.09, colour: [170, 70, 190], speed: [0.29, -0.23] },
  { size: 0.06, colour: [90, 200, 100], speed: [-0.41, 0.37] },
];
/** The background is this much wider than the picture and moves through it and back. */
const TRAVEL_SHARE = 0.25;
const TRAVEL_SECONDS = 16;

/** Draws frames of one even size, at least 320x180. */
export class DemoPicture {
  readonly width: number;
  readonly height: number;
  private readonly background: Planes;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    const backgroundWidth = (width * (1 + TRAVEL_SHARE)) & ~1;
    this.background = paintBackground(backgroundWidth, height);
  }

  /** One packed I420 picture: `seconds` moves what moves, `epochMs` is what the clocks show. */
  draw(seconds: number, epochMs: number): Uint8Array {
    const { width, height } = this;
    const bytes = new Uint8Array(i420ByteLength(width, height));
    const frame = packedI420(bytes, { width, height }, { timestamp: microseconds(0), colour: UNSPECIFIED_COLOUR });
    this.copyBackground(frame, seconds);
    for (const square of SQUARES) {
      drawSquare(frame, square, seconds);
    }
    const unit = Math.max(2, Math.floor(height / 120) * 2);
    drawText(frame, 'TESSERA', unit * 3, unit * 3, unit);
    drawText(frame, timeOfDay(epochMs), unit * 3, unit * 14, unit);
    writePictureClock(frame.y, epochMs);
    return bytes;
  }

  private copyBackground(frame: Planes, seconds: number): void {
    const swing = (1 - Math.cos((2 * Math.PI * seconds) / TRAVEL_SECONDS)) / 2;
    const offset = Math.floor((swing * (this.background.y.width - this.width)) / 2) * 2;
    copyRows(this.background.y, frame.y, offset);
    copyRows(this.background.u, frame.u, offset / 2);
    copyRows(this.background.v, frame.v, offset / 2);
  }
}

/** Diagonal waves of light over slowly turning hues. */
function paintBackground(width: number, height: number): Planes {
  const bytes = new Uint8Array(i420ByteLength(width, height));
  const planes = packedI420(bytes, { width, height }, { timestamp: microseconds(0), colour: UNSPECIFIED_COLOUR });
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const wave = Math.sin((x + y * 0.6) / (height / 14)) * 18 + Math.sin((x * 0.3 - y) / (height / 5)) * 14;
      planes.y.data[y * width + x] = 96 + wave + (60 * y) / height;
    }
  }
  const { width: chromaWidth, height: chromaHeight } = planes.u;
  for (let y = 0; y < chromaHeight; y++) {
    for (let x = 0; x < chromaWidth; x++) {
      const angle = (2 * Math.PI * x) / chromaWidth;
      const strength = 12 + (28 * y) / chromaHeight;
      planes.u.data[y * chromaWidth + x] = 128 + strength * Math.cos(angle);
      planes.v.data[y * chromaWidth + x] = 128 + strength * Math.sin(angle);
    }
  }
  return planes;
}

function copyRows(from: Plane, to: Plane, offset: number): void {
  for (let y = 0; y < to.height; y++) {
    const start = y * from.stride + offset;
    to.data.set(from.data.subarray(start, start + to.width), y * to.stride);
  }
}

function drawSquare(frame: Planes, square: Square, seconds: number): void {
  const { width, height } = frame.y;
  const size = Math.floor((square.size * height) / 2) * 2;
  const x = bounce(square.speed[0] * seconds * width, width - size);
  const y = bounce(square.speed[1] * seconds * height, height - size);
  const edge = Math.max(2, size >> 4);
  fillRectangle(frame, x, y, size, size, SHADOW);
  fillRectangle(frame, x + edge, y + edge, size - 2 * edge, size - 2 * edge, square.colour);
}

/** A position that runs to and fro between 0 and `range`, on even samples. */
function bounce(distance: number, range: number): number {
  const phase = ((distance % (2 * range)) + 2 * range) % (2 * range);
  return Math.floor((phase < range ? phase : 2 * range - phase) / 2) * 2;
}

function drawText(frame: Planes, text: string, left: number, top: number, unit: number): void {
  for (const [pass, colour] of [SHADOW, WHITE].entries()) {
    const shift = pass === 0 ? Math.max(2, unit >> 1) & ~1 : 0;
    let x = left + shift;
    for (const character of text) {
      drawGlyph(frame, glyphOf(character), x, top + shift, unit, colour);
      x += (GLYPH_WIDTH + 1) * unit;
    }
  }
}

function drawGlyph(frame: Planes, rows: readonly number[], left: number, top: number, unit: number, colour: Yuv): void {
  for (const [row, bits] of rows.entries()) {
    for (let column = 0; column < GLYPH_WIDTH; column++) {
      if ((bits >> (GLYPH_WIDTH - 1 - column)) & 1) {
        fillRectangle(frame, left + column * unit, top + row * unit, unit, unit, colour);
      }
    }
  }
}

/** Fills a rectangle whose corner and size are even. */
function fillRectangle(frame: Planes, x: number, y: number, width: number, height: number, [luma, u, v]: Yuv): void {
  fillPlane(frame.y, x, y, width, height, luma);
  fillPlane(frame.u, x >> 1, y >> 1, width >> 1, height >> 1, u);
  fillPlane(frame.v, x >> 1, y >> 1, width >> 1, height >> 1, v);
}

function fillPlane(plane: Plane, x: number, y: number, width: number, height: number, value: number): void {
  for (let row = y; row < Math.min(y + height, plane.height); row++) {
    plane.data.fill(value, row * plane.stride + x, row * plane.stride + Math.min(x + width, plane.width));
  }
}

function timeOfDay(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(11, 23);
}
