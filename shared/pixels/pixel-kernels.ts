// The table of kernels on uncompressed pictures and its plain TypeScript reference; the SIMD twins are in
// codec/h264/assembly/pixels.ts, a module of its own. Called by scaler.ts and conversion.ts.

import type { KernelKind, Pointer } from '../codec/h264/kernels/kernels.ts';
import { PIXELS_PLAIN } from '../codec/h264/kernels/pixels-plain.generated.ts';
import { PIXELS_SHARED } from '../codec/h264/kernels/pixels-shared.generated.ts';
import { WasmModule } from '../codec/h264/kernels/wasm-module.ts';

export interface PixelKernels {
  /**
   * Scales one plane: each output row is first mixed from `verticalTaps` input rows into `row` (Int16, samples times 64), then
   * horizontally. Tables are those of scaling-filter.ts: Int32 starts, Int16 weights summing to 16384. horizontalTaps is 4 or a multiple of 8;
   * `row` has room for srcWidth rounded up to a multiple of 8, plus horizontalTaps, Int16. Reads up to 7 bytes past each row of src; dst has
   * room for dstWidth rounded up to a multiple of 4 in each row.
   */
  scalePlane(
    dst: Pointer,
    dstStride: number,
    dstWidth: number,
    dstHeight: number,
    src: Pointer,
    srcStride: number,
    srcWidth: number,
    row: Pointer,
    verticalStarts: Pointer,
    verticalWeights: Pointer,
    verticalTaps: number,
    horizontalStarts: Pointer,
    horizontalWeights: Pointer,
    horizontalTaps: number,
  ): void;
  /**
   * One row of I420 to RGBA (alpha 255). `matrix` points at Int16 in 1/8192: luma factor, Cr to R, Cb to G, Cr to G, Cb to B, then the luma
   * offset in whole samples. `width` may be odd. Reads up to 7 bytes past y, u and v; dst has room for width rounded up to a multiple of 8 pixels.
   */
  i420RowToRgba(dst: Pointer, y: Pointer, u: Pointer, v: Pointer, width: number, matrix: Pointer): void;
  /** One row of RGBA to luma. `matrix` points at Int16 R, G, B in 1/32768, then the offset in whole samples. Reads and writes whole groups of 8 pixels. */
  rgbaRowToLuma(dst: Pointer, src: Pointer, width: number, matrix: Pointer): void;
  /**
   * Two rows of RGBA to one row of `width` samples of Cb and Cr, each the mean of 2x2 pixels. `matrix` points at Int16 R, G, B of Cb,
   * then R, G, B of Cr, in 1/32768. Reads and writes whole groups of 4 samples.
   */
  rgbaRowsToChroma(u: Pointer, v: Pointer, upper: Pointer, lower: Pointer, width: number, matrix: Pointer): void;
  /** One row of `width` interleaved pairs (Cb, Cr of NV12) to two rows. Reads and writes whole groups of 16 pairs. */
  splitPairs(u: Pointer, v: Pointer, pairs: Pointer, width: number): void;
  /** The reverse of splitPairs. */
  joinPairs(pairs: Pointer, u: Pointer, v: Pointer, width: number): void;
}

const pixels = new WasmModule(PIXELS_PLAIN, PIXELS_SHARED);

const clip1 = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

/** The pixel kernels on typed-array views of `memory`: the definition of what is right. */
function createReferencePixelKernels(memory: WebAssembly.Memory): PixelKernels {
  const bytes = new Uint8Array(memory.buffer);
  const words = new Int16Array(memory.buffer);
  const ints = new Int32Array(memory.buffer);

  const scaleRow = (
    row: Pointer,
    src: Pointer,
    stride: number,
    width: number,
    weights: Pointer,
    taps: number,
  ): void => {
    for (let x = 0; x < width; x++) {
      let sum = 128;
      for (let t = 0; t < taps; t++) {
        sum += bytes[src + t * stride + x] * words[(weights >> 1) + t];
      }
      words[(row >> 1) + x] = sum >> 8;
    }
  };

  return {
    scalePlane(
      dst,
      dstStride,
      dstWidth,
      dstHeight,
      src,
      srcStride,
      srcWidth,
      row,
      verticalStarts,
      verticalWeights,
      verticalTaps,
      horizontalStarts,
      horizontalWeights,
      horizontalTaps,
    ) {
      for (let y = 0; y < dstHeight; y++) {
        const from = src + ints[(verticalStarts >> 2) + y] * srcStride;
        scaleRow(row, from, srcStride, srcWidth, verticalWeights + 2 * y * verticalTaps, verticalTaps);
        for (let x = 0; x < dstWidth; x++) {
          const at = (row >> 1) + ints[(horizontalStarts >> 2) + x];
          const weights = (horizontalWeights >> 1) + x * horizontalTaps;
          let sum = 1 << 19;
          for (let t = 0; t < horizontalTaps; t++) {
            sum += words[at + t] * words[weights + t];
          }
          bytes[dst + y * dstStride + x] = clip1(sum >> 20);
        }
      }
    },

    i420RowToRgba(dst, y, u, v, width, matrix) {
      const m = matrix >> 1;
      for (let x = 0; x < width; x++) {
        const luma = (bytes[y + x] - words[m + 5]) * words[m] + 4096;
        const cb = bytes[u + (x >> 1)] - 128;
        const cr = bytes[v + (x >> 1)] - 128;
        bytes[dst + 4 * x] = clip1((luma + words[m + 1] * cr) >> 13);
        bytes[dst + 4 * x + 1] = clip1((luma + words[m + 2] * cb + words[m + 3] * cr) >> 13);
        bytes[dst + 4 * x + 2] = clip1((luma + words[m + 4] * cb) >> 13);
        bytes[dst + 4 * x + 3] = 255;
      }
    },

    rgbaRowToLuma(dst, src, width, matrix) {
      const m = matrix >> 1;
      const offset = (words[m + 3] << 15) + 16384;
      for (let x = 0; x < width; x++) {
        const at = src + 4 * x;
        const sum = bytes[at] * words[m] + bytes[at + 1] * words[m + 1] + bytes[at + 2] * words[m + 2];
        bytes[dst + x] = clip1((sum + offset) >> 15);
      }
    },

    rgbaRowsToChroma(u, v, upper, lower, width, matrix) {
      const m = matrix >> 1;
      const offset = (128 << 17) + 65536;
      for (let x = 0; x < width; x++) {
        const [a, b] = [upper + 8 * x, lower + 8 * x];
        const red = bytes[a] + bytes[a + 4] + bytes[b] + bytes[b + 4];
        const green = bytes[a + 1] + bytes[a + 5] + bytes[b + 1] + bytes[b + 5];
        const blue = bytes[a + 2] + bytes[a + 6] + bytes[b + 2] + bytes[b + 6];
        bytes[u + x] = clip1((red * words[m] + green * words[m + 1] + blue * words[m + 2] + offset) >> 17);
        bytes[v + x] = clip1((red * words[m + 3] + green * words[m + 4] + blue * words[m + 5] + offset) >> 17);
      }
    },

    splitPairs(u, v, pairs, width) {
      for (let x = 0; x < width; x++) {
        bytes[u + x] = bytes[pairs + 2 * x]!;
        bytes[v + x] = bytes[pairs + 2 * x + 1]!;
      }
    },

    joinPairs(pairs, u, v, width) {
      for (let x = 0; x < width; x++) {
        bytes[pairs + 2 * x] = bytes[u + x]!;
        bytes[pairs + 2 * x + 1] = bytes[v + x]!;
      }
    },
  };
}

/** The pixel kernels on `memory`. */
export function createPixelKernels(memory: WebAssembly.Memory, kind: KernelKind): PixelKernels {
  return kind === 'reference'
    ? createReferencePixelKernels(memory)
    : (pixels.instantiate(memory) as unknown as PixelKernels);
}
