// Inter prediction samples, the reference: 8.4.2.2 (fractional sample interpolation) and 8.4.2.3 (weighted prediction), written as
// the clauses are printed, one sample at a time. createReferenceKernels joins it with the other families.

import type { InterKernels, Pointer } from './kernels.ts';

const { max, min } = Math;

/** Row pitch of the scratch window of predictPartition. */
const WINDOW_STRIDE = 32;

const clip1 = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

/** The six tap filter (1, -5, 20, 20, -5, 1) of equations 8-241 to 8-246. */
const tap6 = (e: number, f: number, g: number, h: number, i: number, j: number): number =>
  e - 5 * f + 20 * g + 20 * h - 5 * i + j;

/** The inter kernels on typed-array views of `memory`. */
export function createReferenceInterKernels(memory: WebAssembly.Memory): InterKernels {
  const bytes = new Uint8Array(memory.buffer);

  /** b1 of the sample at `at`: unclipped half sample to its right (8-241). */
  const b1 = (at: Pointer): number =>
    tap6(bytes[at - 2], bytes[at - 1], bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
  /** h1 of the sample at `at`: unclipped half sample below it (8-242). */
  const h1 = (at: Pointer, stride: number): number =>
    tap6(
      bytes[at - 2 * stride],
      bytes[at - stride],
      bytes[at],
      bytes[at + stride],
      bytes[at + 2 * stride],
      bytes[at + 3 * stride],
    );
  const b = (at: Pointer): number => clip1((b1(at) + 16) >> 5); // 8-243
  const h = (at: Pointer, stride: number): number => clip1((h1(at, stride) + 16) >> 5); // 8-244
  /** j: the half sample in both directions (8-245, 8-247). */
  const j = (at: Pointer, stride: number): number =>
    clip1(
      (tap6(b1(at - 2 * stride), b1(at - stride), b1(at), b1(at + stride), b1(at + 2 * stride), b1(at + 3 * stride)) +
        512) >>
        10,
    );

  /** One luma sample by Table 8-12, `at` being G. */
  const lumaSample = (at: Pointer, stride: number, xFrac: number, yFrac: number): number => {
    switch (yFrac * 4 + xFrac) {
      case 0:
        return bytes[at]; // G
      case 1:
        return (bytes[at] + b(at) + 1) >> 1; // a
      case 2:
        return b(at);
      case 3:
        return (b(at) + bytes[at + 1] + 1) >> 1; // c
      case 4:
        return (bytes[at] + h(at, stride) + 1) >> 1; // d
      case 5:
        return (b(at) + h(at, stride) + 1) >> 1; // e
      case 6:
        return (b(at) + j(at, stride) + 1) >> 1; // f
      case 7:
        return (b(at) + h(at + 1, stride) + 1) >> 1; // g, m = h of the next column
      case 8:
        return h(at, stride);
      case 9:
        return (h(at, stride) + j(at, stride) + 1) >> 1; // i
      case 10:
        return j(at, stride);
      case 11:
        return (j(at, stride) + h(at + 1, stride) + 1) >> 1; // k
      case 12:
        return (h(at, stride) + bytes[at + stride] + 1) >> 1; // n
      case 13:
        return (h(at, stride) + b(at + stride) + 1) >> 1; // p, s = b of the next row
      case 14:
        return (j(at, stride) + b(at + stride) + 1) >> 1; // q
      default:
        return (b(at + stride) + h(at + 1, stride) + 1) >> 1; // r
    }
  };

  /** Columns x.. and rows y.. of a plane, coordinates clamped to it (8-239, 8-240). */
  const fillWindow = (
    window: Pointer,
    plane: Pointer,
    stride: number,
    width: number,
    height: number,
    x: number,
    y: number,
    columns: number,
    rows: number,
  ): void => {
    for (let row = 0; row < rows; row++) {
      const line = plane + min(max(y + row, 0), height - 1) * stride;
      for (let column = 0; column < columns; column++) {
        bytes[window + row * WINDOW_STRIDE + column] = bytes[line + min(max(x + column, 0), width - 1)];
      }
    }
  };

  const kernels: InterKernels = {
    predictLuma(dst, dstStride, src, srcStride, width, height, xFrac, yFrac) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          bytes[dst + y * dstStride + x] = lumaSample(src + y * srcStride + x, srcStride, xFrac, yFrac);
        }
      }
    },

    // 8-266
    predictChroma(dst, dstStride, src, srcStride, width, height, xFrac, yFrac) {
      const weightA = (8 - xFrac) * (8 - yFrac);
      const weightB = xFrac * (8 - yFrac);
      const weightC = (8 - xFrac) * yFrac;
      const weightD = xFrac * yFrac;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const at = src + y * srcStride + x;
          bytes[dst + y * dstStride + x] =
            (weightA * bytes[at] +
              weightB * bytes[at + 1] +
              weightC * bytes[at + srcStride] +
              weightD * bytes[at + srcStride + 1] +
              32) >>
            6;
        }
      }
    },

    // 8-272, 8-273
    averageBlocks(dst, dstStride, a, aStride, c, cStride, width, height) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          bytes[dst + y * dstStride + x] = (bytes[a + y * aStride + x] + bytes[c + y * cStride + x] + 1) >> 1;
        }
      }
    },

    // 8-298: logWD >= 1, 8-299: logWD = 0
    weightBlock(dst, dstStride, width, height, logWD, weight, offset) {
      const rounding = logWD >= 1 ? 1 << (logWD - 1) : 0;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const at = dst + y * dstStride + x;
          bytes[at] = clip1(((bytes[at] * weight + rounding) >> logWD) + offset);
        }
      }
    },

    // 8-300
    weightBlocks(dst, dstStride, a, aStride, c, cStride, width, height, logWD, w0, w1, offset) {
      const rounding = 1 << logWD;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          bytes[dst + y * dstStride + x] = clip1(
            ((bytes[a + y * aStride + x] * w0 + bytes[c + y * cStride + x] * w1 + rounding) >> (logWD + 1)) + offset,
          );
        }
      }
    },

    predictPartition(
      dstY,
      dstU,
      dstV,
      dstStrideY,
      dstStrideC,
      refY,
      refU,
      refV,
      strideY,
      strideC,
      width,
      height,
      x,
      y,
      w,
      h,
      mv,
      chromaOffset,
      window,
    ) {
      const mvx = (mv << 16) >> 16;
      const mvy = mv >> 16;
      fillWindow(window, refY, strideY, width, height, x + (mvx >> 2) - 2, y + (mvy >> 2) - 2, w + 5, h + 5);
      const luma = window + 2 * WINDOW_STRIDE + 2;
      kernels.predictLuma(dstY, dstStrideY, luma, WINDOW_STRIDE, w, h, mvx & 3, mvy & 3);
      if (dstU === 0) {
        return;
      }
      const mvCy = mvy + chromaOffset;
      for (const [dst, ref] of [
        [dstU, refU],
        [dstV, refV],
      ] as const) {
        const xC = (x >> 1) + (mvx >> 3);
        const yC = (y >> 1) + (mvCy >> 3);
        fillWindow(window, ref, strideC, width >> 1, height >> 1, xC, yC, (w >> 1) + 1, (h >> 1) + 1);
        kernels.predictChroma(dst, dstStrideC, window, WINDOW_STRIDE, w >> 1, h >> 1, mvx & 7, mvCy & 7);
      }
    },
  };
  return kernels;
}
