// Inverse transforms, the reference: 8.5.12.2 (4x4), 8.5.13 (8x8) and the picture construction of 8.5.14 (add and clip).
// createReferenceKernels joins it with the other families.
//
// A conforming stream keeps every intermediate value within 16 bits (8.5.12.2, 8.5.13). For other streams the result is what 16-bit
// arithmetic gives: values wrap before each shift, so that the SIMD kernels, which work in 16-bit lanes, agree on any input.

import type { Pointer, TransformKernels } from './kernels.ts';

const clip1 = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);
const wrap16 = (value: number): number => (value << 16) >> 16;

/** x of block luma4x4BlkIdx k in its macroblock (6.4.3). */
const lumaBlockX = (k: number): number => ((k & 1) << 2) | ((k & 4) << 1);
const lumaBlockY = (k: number): number => ((k & 2) << 1) | (k & 8);

/** The transform kernels on typed-array views of `memory`. */
export function createReferenceTransformKernels(memory: WebAssembly.Memory): TransformKernels {
  const bytes = new Uint8Array(memory.buffer);
  const words = new Int16Array(memory.buffer);
  const block = new Int32Array(64);

  /** One dimension of the 4x4 transform, in place, elements `step` apart (8-338 to 8-353). */
  const transform4 = (at: number, step: number): void => {
    const d0 = block[at];
    const d1 = block[at + step];
    const d2 = block[at + 2 * step];
    const d3 = block[at + 3 * step];
    const e0 = d0 + d2;
    const e1 = d0 - d2;
    const e2 = (d1 >> 1) - d3;
    const e3 = d1 + (d3 >> 1);
    block[at] = wrap16(e0 + e3);
    block[at + step] = wrap16(e1 + e2);
    block[at + 2 * step] = wrap16(e1 - e2);
    block[at + 3 * step] = wrap16(e0 - e3);
  };

  /** One dimension of the 8x8 transform, in place, elements `step` apart (8-356 to 8-403). */
  const transform8 = (at: number, step: number): void => {
    const d0 = block[at];
    const d1 = block[at + step];
    const d2 = block[at + 2 * step];
    const d3 = block[at + 3 * step];
    const d4 = block[at + 4 * step];
    const d5 = block[at + 5 * step];
    const d6 = block[at + 6 * step];
    const d7 = block[at + 7 * step];
    const e0 = d0 + d4;
    const e1 = wrap16(-d3 + d5 - d7 - (d7 >> 1));
    const e2 = d0 - d4;
    const e3 = wrap16(d1 + d7 - d3 - (d3 >> 1));
    const e4 = (d2 >> 1) - d6;
    const e5 = wrap16(-d1 + d7 + d5 + (d5 >> 1));
    const e6 = d2 + (d6 >> 1);
    const e7 = wrap16(d3 + d5 + d1 + (d1 >> 1));
    const f0 = e0 + e6;
    const f1 = e1 + (e7 >> 2);
    const f2 = e2 + e4;
    const f3 = e3 + (e5 >> 2);
    const f4 = e2 - e4;
    const f5 = (e3 >> 2) - e5;
    const f6 = e0 - e6;
    const f7 = e7 - (e1 >> 2);
    block[at] = wrap16(f0 + f7);
    block[at + step] = wrap16(f2 + f5);
    block[at + 2 * step] = wrap16(f4 + f3);
    block[at + 3 * step] = wrap16(f6 + f1);
    block[at + 4 * step] = wrap16(f6 - f1);
    block[at + 5 * step] = wrap16(f4 - f3);
    block[at + 6 * step] = wrap16(f2 - f5);
    block[at + 7 * step] = wrap16(f0 - f7);
  };

  /** u = Clip1(pred + ((h + 32) >> 6)) (8-354, 8-404, 8-405) for an n x n block; `block` holds h. */
  const addResidual = (dst: Pointer, stride: number, n: number): void => {
    for (let y = 0; y < n; y++) {
      for (let x = 0; x < n; x++) {
        const at = dst + y * stride + x;
        bytes[at] = clip1(bytes[at] + (wrap16(block[y * n + x] + 32) >> 6));
      }
    }
  };

  const take = (coefficients: Pointer, count: number): void => {
    const first = coefficients >> 1;
    for (let i = 0; i < count; i++) {
      block[i] = words[first + i]!;
    }
    words.fill(0, first, first + count);
  };

  const inverseTransform4x4Add = (dst: Pointer, stride: number, coefficients: Pointer): void => {
    take(coefficients, 16);
    for (let i = 0; i < 4; i++) {
      transform4(4 * i, 1);
    }
    for (let i = 0; i < 4; i++) {
      transform4(i, 4);
    }
    addResidual(dst, stride, 4);
  };

  const inverseDcAdd = (dst: Pointer, stride: number, coefficients: Pointer, n: number): void => {
    block.fill(words[coefficients >> 1], 0, n * n);
    words[coefficients >> 1] = 0;
    addResidual(dst, stride, n);
  };

  const inverseTransform4x4DcAdd = (dst: Pointer, stride: number, coefficients: Pointer): void =>
    inverseDcAdd(dst, stride, coefficients, 4);

  return {
    inverseTransform4x4Add,
    inverseTransform4x4DcAdd,

    inverseTransform8x8Add(dst, stride, coefficients) {
      take(coefficients, 64);
      for (let i = 0; i < 8; i++) {
        transform8(8 * i, 1);
      }
      for (let i = 0; i < 8; i++) {
        transform8(i, 8);
      }
      addResidual(dst, stride, 8);
    },

    inverseTransform8x8DcAdd: (dst, stride, coefficients) => inverseDcAdd(dst, stride, coefficients, 8),

    inverseTransformLumaAdd(dst, stride, coefficients, mask, dcOnlyMask) {
      for (let k = 0; k < 16; k++) {
        if ((mask >> k) & 1) {
          const at = dst + lumaBlockY(k) * stride + lumaBlockX(k);
          const add = (dcOnlyMask >> k) & 1 ? inverseTransform4x4DcAdd : inverseTransform4x4Add;
          add(at, stride, coefficients + 32 * k);
        }
      }
    },

    inverseTransformChromaAdd(dst, stride, coefficients, mask, dcOnlyMask) {
      for (let k = 0; k < 4; k++) {
        if ((mask >> k) & 1) {
          const at = dst + (k >> 1) * 4 * stride + (k & 1) * 4;
          const add = (dcOnlyMask >> k) & 1 ? inverseTransform4x4DcAdd : inverseTransform4x4Add;
          add(at, stride, coefficients + 32 * k);
        }
      }
    },
  };
}
