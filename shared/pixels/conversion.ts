// Conversions between I420 and what cameras, canvases and encoders hold: RGBA and NV12, by the matrix and range of the picture's
// colour description (H.273). Rows go through the SIMD kernels in a memory of this object. Called by renderers and capture.

import { CodecMemory } from '../codec/h264/kernels/codec-memory.ts';
import type { KernelKind, Pointer } from '../codec/h264/kernels/kernels.ts';
import type { ColourDescription } from '../media/colour.ts';
import { i420ByteLength, packedI420, type I420Frame, type Plane } from '../media/frame.ts';
import { createPixelKernels, type PixelKernels } from './pixel-kernels.ts';

const { round } = Math;

/** Luma weights of red and blue (H.273, Table 4): Kr and Kb. */
type LumaWeights = { readonly kr: number; readonly kb: number };
const BT601: LumaWeights = { kr: 0.299, kb: 0.114 };
const BT709: LumaWeights = { kr: 0.2126, kb: 0.0722 };

/** The weights that a description means; unspecified is BT.709 from 720 lines on and BT.601 below, as players assume. */
function lumaWeights(colour: ColourDescription, height: number): LumaWeights {
  switch (colour.matrix_coefficients) {
    case 1:
      return BT709;
    case 4: // FCC, within 0.001 of BT.601
    case 5:
    case 6:
      return BT601;
    default:
      return height >= 720 ? BT709 : BT601;
  }
}

/** Factors in 1/8192 for i420RowToRgba. */
function toRgbMatrix(colour: ColourDescription, height: number): Int16Array {
  const { kr, kb } = lumaWeights(colour, height);
  const kg = 1 - kr - kb;
  const isFull = colour.video_full_range_flag;
  const luma = isFull ? 1 : 255 / 219;
  const chroma = isFull ? 1 : 255 / 224;
  return Int16Array.from(
    [
      luma,
      2 * (1 - kr) * chroma,
      (-2 * (1 - kb) * kb * chroma) / kg,
      (-2 * (1 - kr) * kr * chroma) / kg,
      2 * (1 - kb) * chroma,
    ],
    (factor) => round(factor * 8192),
  );
}

/** Factors in 1/32768: R, G, B of luma, then of Cb, then of Cr. Rows of luma sum to its gain, rows of chroma to 0. */
function fromRgbMatrix(colour: ColourDescription, height: number): { luma: number[]; chroma: number[] } {
  const { kr, kb } = lumaWeights(colour, height);
  const isFull = colour.video_full_range_flag;
  const gain = isFull ? 1 : 219 / 255;
  const chromaGain = isFull ? 1 : 224 / 255;
  const whole = (value: number): number => round(value * 32767);
  const [lumaRed, lumaBlue] = [whole(kr * gain), whole(kb * gain)];
  const half = round(0.5 * chromaGain * 32767);
  const cbRed = round((-kr / (1 - kb)) * half);
  const crBlue = round((-kb / (1 - kr)) * half);
  return {
    luma: [lumaRed, whole(gain) - lumaRed - lumaBlue, lumaBlue],
    chroma: [cbRed, -half - cbRed, half, half, -half - crBlue, crBlue],
  };
}

const roundUp = (value: number, multiple: number): number => (value + multiple - 1) & -multiple;

/** Converts pictures of one width; rows of scratch memory are allocated once. */
export class PixelConverter {
  readonly width: number;
  readonly #memory: CodecMemory;
  readonly #kernels: PixelKernels;
  readonly #matrix: Pointer;
  readonly #rows: readonly [Pointer, Pointer, Pointer, Pointer];

  /** `width` in samples, 1..16384. Throws RangeError. */
  constructor(width: number, options: { readonly kernels?: KernelKind } = {}) {
    if (!Number.isInteger(width) || width < 1 || width > 16384) {
      throw new RangeError(`A converter's pictures are 1 to 16384 samples wide, got ${width}.`);
    }
    this.width = width;
    const rowBytes = 4 * roundUp(width, 32) + 64;
    this.#memory = CodecMemory.create(4 * rowBytes + 256);
    this.#kernels = createPixelKernels(this.#memory.memory, options.kernels ?? 'wasm');
    this.#matrix = this.#memory.allocate(64);
    this.#rows = [
      this.#memory.allocate(rowBytes),
      this.#memory.allocate(rowBytes),
      this.#memory.allocate(rowBytes),
      this.#memory.allocate(rowBytes),
    ];
  }

  /** Fills `target` with width x height RGBA pixels, alpha 255. Chroma of the nearest sample. Throws RangeError on a short target. */
  toRgba(frame: I420Frame, target: Uint8Array | Uint8ClampedArray): void {
    const { width, height } = this.#checked(frame);
    requireLength(target.length, 4 * width * height);
    const { bytes } = this.#memory;
    const [rgba, y, u, v] = this.#rows;
    const matrix = toRgbMatrix(frame.colour, height);
    this.#memory.words.set(matrix, this.#matrix >> 1);
    this.#memory.words[(this.#matrix >> 1) + 5] = frame.colour.video_full_range_flag ? 0 : 16;
    for (let row = 0; row < height; row++) {
      bytes.set(rowOf(frame.y, row), y);
      if ((row & 1) === 0) {
        bytes.set(rowOf(frame.u, row >> 1), u);
        bytes.set(rowOf(frame.v, row >> 1), v);
      }
      this.#kernels.i420RowToRgba(rgba, y, u, v, width, this.#matrix);
      target.set(bytes.subarray(rgba, rgba + 4 * width), 4 * width * row);
    }
  }

  /** The I420 picture of width x height RGBA pixels; chroma is the mean of 2x2 pixels, edges repeated. Throws RangeError on a short source. */
  fromRgba(
    source: Uint8Array | Uint8ClampedArray,
    height: number,
    meta: Pick<I420Frame, 'timestamp' | 'colour'>,
  ): I420Frame {
    const { width } = this;
    requireLength(source.length, 4 * width * height);
    const frame = packedI420(new Uint8Array(i420ByteLength(width, height)), { width, height }, meta);
    const { luma, chroma } = fromRgbMatrix(meta.colour, height);
    const { bytes, words } = this.#memory;
    words.set([...luma, meta.colour.video_full_range_flag ? 0 : 16, ...chroma], this.#matrix >> 1);
    const [upper, lower, first, second] = this.#rows;
    const chromaWidth = (width + 1) >> 1;
    for (let row = 0; row < height; row += 2) {
      this.#loadRgbaRow(source, row, upper);
      this.#loadRgbaRow(source, row + 1 < height ? row + 1 : row, lower);
      this.#kernels.rgbaRowToLuma(first, upper, width, this.#matrix);
      this.#kernels.rgbaRowToLuma(second, lower, width, this.#matrix);
      frame.y.data.set(bytes.subarray(first, first + width), row * width);
      if (row + 1 < height) {
        frame.y.data.set(bytes.subarray(second, second + width), (row + 1) * width);
      }
      this.#kernels.rgbaRowsToChroma(first, second, upper, lower, chromaWidth, this.#matrix + 8);
      frame.u.data.set(bytes.subarray(first, first + chromaWidth), (row >> 1) * chromaWidth);
      frame.v.data.set(bytes.subarray(second, second + chromaWidth), (row >> 1) * chromaWidth);
    }
    return frame;
  }

  /** The I420 picture of an NV12 one (luma plane, then rows of Cb Cr pairs). Exact. */
  fromNv12(luma: Plane, pairs: Plane, meta: Pick<I420Frame, 'timestamp' | 'colour'>): I420Frame {
    const { width } = this;
    const { height } = luma;
    const frame = packedI420(new Uint8Array(i420ByteLength(width, height)), { width, height }, meta);
    for (let row = 0; row < height; row++) {
      frame.y.data.set(luma.data.subarray(row * luma.stride, row * luma.stride + width), row * width);
    }
    const [from, , u, v] = this.#rows;
    const { bytes } = this.#memory;
    const chromaWidth = frame.u.width;
    for (let row = 0; row < frame.u.height; row++) {
      bytes.set(pairs.data.subarray(row * pairs.stride, row * pairs.stride + 2 * chromaWidth), from);
      this.#kernels.splitPairs(u, v, from, chromaWidth);
      frame.u.data.set(bytes.subarray(u, u + chromaWidth), row * chromaWidth);
      frame.v.data.set(bytes.subarray(v, v + chromaWidth), row * chromaWidth);
    }
    return frame;
  }

  /** The NV12 picture of an I420 one: width * height luma samples, then (height+1)>>1 rows of (width+1)>>1 pairs. Exact. */
  toNv12(frame: I420Frame): Uint8Array {
    const { width, height } = this.#checked(frame);
    const target = new Uint8Array(i420ByteLength(width, height));
    for (let row = 0; row < height; row++) {
      target.set(rowOf(frame.y, row), row * width);
    }
    const [to, , u, v] = this.#rows;
    const { bytes } = this.#memory;
    const chromaWidth = frame.u.width;
    for (let row = 0; row < frame.u.height; row++) {
      bytes.set(rowOf(frame.u, row), u);
      bytes.set(rowOf(frame.v, row), v);
      this.#kernels.joinPairs(to, u, v, chromaWidth);
      target.set(bytes.subarray(to, to + 2 * chromaWidth), width * height + 2 * row * chromaWidth);
    }
    return target;
  }

  #checked(frame: I420Frame): I420Frame {
    if (frame.width !== this.width) {
      throw new RangeError(`This converter takes pictures ${this.width} samples wide, got ${frame.width}.`);
    }
    return frame;
  }

  /** One row of pixels into memory; an odd last pixel is repeated, so that 2x2 means stay inside the picture. */
  #loadRgbaRow(source: Uint8Array | Uint8ClampedArray, row: number, to: Pointer): void {
    const { bytes } = this.#memory;
    const byteWidth = 4 * this.width;
    bytes.set(source.subarray(row * byteWidth, (row + 1) * byteWidth), to);
    bytes.copyWithin(to + byteWidth, to + byteWidth - 4, to + byteWidth);
  }
}

const rowOf = (plane: Plane, row: number): Uint8Array =>
  plane.data.subarray(row * plane.stride, row * plane.stride + plane.width);

function requireLength(length: number, needed: number): void {
  if (length < needed) {
    throw new RangeError(`The picture needs ${needed} bytes of RGBA, got ${length}.`);
  }
}
