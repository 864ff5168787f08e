// Intra prediction samples, the reference: 8.3.1.2 (4x4), 8.3.2.2 (8x8), 8.3.3 (16x16) and 8.3.4 (chroma 8x8), written as the
// clauses are printed. createReferenceKernels joins it with the other families.
//
// Neighbours are gathered first. In `top` and `left` index 0 is p[-1,-1], index 1 + i is p[i,-1] and p[-1,i].

import type { IntraKernels, Pointer } from './kernels.ts';
import { AVAILABLE_LEFT, AVAILABLE_TOP, AVAILABLE_TOP_LEFT, AVAILABLE_TOP_RIGHT } from './kernels.ts';

const clip1 = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

/** Sum of `count` neighbours of an edge array, the corner left out. */
function sum(edge: Int32Array, count: number): number {
  let total = 0;
  for (let i = 1; i <= count; i++) {
    total += edge[i];
  }
  return total;
}

/** (a + 2b + c + 2) >> 2 around index i, the three tap filter of the diagonal modes. */
const tap3 = (edge: Int32Array, i: number): number => (edge[i - 1] + 2 * edge[i] + edge[i + 1] + 2) >> 2;
const tap2 = (edge: Int32Array, i: number): number => (edge[i] + edge[i + 1] + 1) >> 1;

/** The intra kernels on typed-array views of `memory`. */
export function createReferenceIntraKernels(memory: WebAssembly.Memory): IntraKernels {
  const bytes = new Uint8Array(memory.buffer);
  const top = new Int32Array(17);
  const left = new Int32Array(17);
  const filteredTop = new Int32Array(17);
  const filteredLeft = new Int32Array(9);

  /** Gathers a block's neighbours: `size` at the left, `2 * size` above when `aboveRight`, and the corner. Unavailable ones become 0. */
  const gather = (dst: Pointer, stride: number, size: number, available: number, aboveRight: boolean): void => {
    top.fill(0);
    left.fill(0);
    if (available & AVAILABLE_TOP_LEFT) {
      top[0] = left[0] = bytes[dst - stride - 1]!;
    }
    for (let i = 0; i < size; i++) {
      if (available & AVAILABLE_TOP) {
        top[1 + i] = bytes[dst - stride + i]!;
      }
      if (available & AVAILABLE_LEFT) {
        left[1 + i] = bytes[dst + i * stride - 1]!;
      }
    }
    if (aboveRight && available & AVAILABLE_TOP) {
      for (let i = size; i < 2 * size; i++) {
        top[1 + i] = available & AVAILABLE_TOP_RIGHT ? bytes[dst - stride + i] : top[size];
      }
    }
  };

  /** 8.3.1.2.3, 8.3.2.2.4, 8.3.3.3: mean of what is available; `shift` is log2 of the block's size. */
  const dc = (t: Int32Array, l: Int32Array, shift: number, available: number): number => {
    const size = 1 << shift;
    const both = AVAILABLE_TOP | AVAILABLE_LEFT;
    if ((available & both) === both) {
      return (sum(t, size) + sum(l, size) + size) >> (shift + 1);
    }
    if (available & AVAILABLE_LEFT) {
      return (sum(l, size) + (size >> 1)) >> shift;
    }
    return available & AVAILABLE_TOP ? (sum(t, size) + (size >> 1)) >> shift : 128;
  };

  /** One sample of the nine modes that 4x4 and 8x8 share (equations 8-46 to 8-71 and 8-88 to 8-112); `n` is the block's size. */
  const sampleNxN = (t: Int32Array, l: Int32Array, n: number, mode: number, x: number, y: number): number => {
    switch (mode) {
      case 0:
        return t[1 + x];
      case 1:
        return l[1 + y];
      case 3: // Diagonal_Down_Left
        return x === n - 1 && y === n - 1
          ? (t[2 * n - 1] + 3 * t[2 * n] + 2) >> 2
          : (t[1 + x + y] + 2 * t[2 + x + y] + t[3 + x + y] + 2) >> 2;
      case 4: // Diagonal_Down_Right
        return x > y ? tap3(t, x - y) : x < y ? tap3(l, y - x) : (t[1] + 2 * t[0] + l[1] + 2) >> 2;
      case 5: {
        const zVR = 2 * x - y;
        const i = x - (y >> 1);
        if (zVR >= 0) {
          return (zVR & 1) === 0 ? tap2(t, i) : tap3(t, i);
        }
        return zVR === -1 ? (l[1] + 2 * l[0] + t[1] + 2) >> 2 : tap3(l, y - 2 * x - 1);
      }
      case 6: {
        const zHD = 2 * y - x;
        const i = y - (x >> 1);
        if (zHD >= 0) {
          return (zHD & 1) === 0 ? tap2(l, i) : tap3(l, i);
        }
        return zHD === -1 ? (l[1] + 2 * l[0] + t[1] + 2) >> 2 : tap3(t, x - 2 * y - 1);
      }
      case 7: // Vertical_Left
        return (y & 1) === 0 ? tap2(t, 1 + x + (y >> 1)) : tap3(t, 2 + x + (y >> 1));
      default: {
        const zHU = x + 2 * y;
        const i = 1 + y + (x >> 1);
        if (zHU > 2 * n - 3) {
          return l[n];
        }
        if (zHU === 2 * n - 3) {
          return (l[n - 1] + 3 * l[n] + 2) >> 2;
        }
        return (zHU & 1) === 0 ? tap2(l, i) : tap3(l, i + 1);
      }
    }
  };

  const fill = (dst: Pointer, stride: number, width: number, height: number, value: number): void => {
    for (let y = 0; y < height; y++) {
      bytes.fill(value, dst + y * stride, dst + y * stride + width);
    }
  };

  const predictNxN = (
    dst: Pointer,
    stride: number,
    t: Int32Array,
    l: Int32Array,
    shift: number,
    mode: number,
    available: number,
  ): void => {
    const n = 1 << shift;
    if (mode === 2) {
      fill(dst, stride, n, n, dc(t, l, shift, available));
      return;
    }
    for (let y = 0; y < n; y++) {
      for (let x = 0; x < n; x++) {
        bytes[dst + y * stride + x] = sampleNxN(t, l, n, mode, x, y);
      }
    }
  };

  /** Reference sample filtering for Intra_8x8 (8.3.2.2.1) from top/left into filteredTop/filteredLeft. */
  const filterNeighbours = (available: number): void => {
    const hasTop = (available & AVAILABLE_TOP) !== 0;
    const hasLeft = (available & AVAILABLE_LEFT) !== 0;
    const hasCorner = (available & AVAILABLE_TOP_LEFT) !== 0;
    if (hasTop) {
      filteredTop[1] = hasCorner ? tap3(top, 1) : (3 * top[1] + top[2] + 2) >> 2; // 8-78, 8-79
      for (let x = 1; x < 15; x++) {
        filteredTop[1 + x] = tap3(top, 1 + x); // 8-80
      }
      filteredTop[16] = (top[15] + 3 * top[16] + 2) >> 2; // 8-81
    }
    if (hasLeft) {
      filteredLeft[1] = hasCorner ? tap3(left, 1) : (3 * left[1] + left[2] + 2) >> 2; // 8-85, 8-86
      for (let y = 1; y < 7; y++) {
        filteredLeft[1 + y] = tap3(left, 1 + y); // 8-87
      }
      filteredLeft[8] = (left[7] + 3 * left[8] + 2) >> 2;
    }
    if (hasCorner) {
      // 8-82 to 8-84
      const corner = top[0];
      filteredTop[0] =
        hasTop && hasLeft
          ? (top[1] + 2 * corner + left[1] + 2) >> 2
          : hasTop
            ? (3 * corner + top[1] + 2) >> 2
            : hasLeft
              ? (3 * corner + left[1] + 2) >> 2
              : corner;
      filteredLeft[0] = filteredTop[0];
    }
  };

  /** Plane prediction of an n x n block (8-118 to 8-123 for luma with factor 5, 8-144 to 8-149 for chroma with factor 34). */
  const plane = (dst: Pointer, stride: number, n: number, factor: number): void => {
    const half = n >> 1;
    let H = 0;
    let V = 0;
    for (let i = 0; i < half; i++) {
      H += (i + 1) * (top[1 + half + i] - top[half - 1 - i]);
      V += (i + 1) * (left[1 + half + i] - left[half - 1 - i]);
    }
    const a = 16 * (left[n] + top[n]);
    const b = (factor * H + 32) >> 6;
    const c = (factor * V + 32) >> 6;
    for (let y = 0; y < n; y++) {
      for (let x = 0; x < n; x++) {
        bytes[dst + y * stride + x] = clip1((a + b * (x - half + 1) + c * (y - half + 1) + 16) >> 5);
      }
    }
  };

  /** Intra_Chroma_DC of the 4x4 block at (xO, yO) (8.3.4.1 to 8.3.4.3). */
  const chromaDc = (xO: number, yO: number, available: number): number => {
    const hasTop = (available & AVAILABLE_TOP) !== 0;
    const hasLeft = (available & AVAILABLE_LEFT) !== 0;
    const t = top[1 + xO] + top[2 + xO] + top[3 + xO] + top[4 + xO];
    const l = left[1 + yO] + left[2 + yO] + left[3 + yO] + left[4 + yO];
    const onDiagonal = xO > 0 === yO > 0;
    if (hasTop && hasLeft && onDiagonal) {
      return (t + l + 4) >> 3;
    }
    if (!hasTop && !hasLeft) {
      return 128;
    }
    const preferTop = onDiagonal || xO > 0;
    const useTop = preferTop ? hasTop : !hasLeft;
    return ((useTop ? t : l) + 2) >> 2;
  };

  /** Vertical, horizontal and plane, which 16x16 luma and 8x8 chroma share. */
  const copyTop = (dst: Pointer, stride: number, n: number): void => {
    for (let y = 0; y < n; y++) {
      bytes.copyWithin(dst + y * stride, dst - stride, dst - stride + n);
    }
  };
  const spreadLeft = (dst: Pointer, stride: number, n: number): void => {
    for (let y = 0; y < n; y++) {
      fill(dst + y * stride, stride, n, 1, left[1 + y]);
    }
  };

  return {
    predictIntra4x4(dst, stride, mode, available) {
      gather(dst, stride, 4, available, true);
      predictNxN(dst, stride, top, left, 2, mode, available);
    },

    predictIntra8x8(dst, stride, mode, available) {
      gather(dst, stride, 8, available, true);
      filterNeighbours(available);
      predictNxN(dst, stride, filteredTop, filteredLeft, 3, mode, available);
    },

    predictIntra16x16(dst, stride, mode, available) {
      gather(dst, stride, 16, available, false);
      switch (mode) {
        case 0:
          copyTop(dst, stride, 16);
          break;
        case 1:
          spreadLeft(dst, stride, 16);
          break;
        case 2:
          fill(dst, stride, 16, 16, dc(top, left, 4, available));
          break;
        default:
          plane(dst, stride, 16, 5);
      }
    },

    predictIntraChroma(dst, stride, mode, available) {
      gather(dst, stride, 8, available, false);
      switch (mode) {
        case 0:
          for (let yO = 0; yO < 8; yO += 4) {
            for (let xO = 0; xO < 8; xO += 4) {
              fill(dst + yO * stride + xO, stride, 4, 4, chromaDc(xO, yO, available));
            }
          }
          break;
        case 1:
          spreadLeft(dst, stride, 8);
          break;
        case 2:
          copyTop(dst, stride, 8);
          break;
        default:
          plane(dst, stride, 8, 34);
      }
    },
  };
}
