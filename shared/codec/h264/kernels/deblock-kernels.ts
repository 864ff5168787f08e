// Deblocking of one edge, the reference: 8.7.2.2 (filterSamplesFlag), 8.7.2.3 (bS < 4) and 8.7.2.4 (bS = 4), written as the clauses are
// printed, one line of samples across the edge at a time. createReferenceKernels joins it with the other families.

import type { DeblockKernels, Pointer } from './kernels.ts';

const { abs } = Math;

const clip1 = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);
const clip3 = (low: number, high: number, value: number): number => (value < low ? low : value > high ? high : value);

/** tC0 of quarter edge i: signed byte i, lowest first. */
const quarterTc0 = (tc0: number, i: number): number => (tc0 << (24 - 8 * i)) >> 24;

/** The deblocking kernels on typed-array views of `memory`. */
export function createReferenceDeblockKernels(memory: WebAssembly.Memory): DeblockKernels {
  const bytes = new Uint8Array(memory.buffer);

  /** 8-460: whether the samples of one line are filtered; `step` leads from p0 to q0. */
  const isFiltered = (at: Pointer, step: number, alpha: number, beta: number): boolean => {
    const p0 = bytes[at - step];
    const q0 = bytes[at];
    return abs(p0 - q0) < alpha && abs(bytes[at - 2 * step] - p0) < beta && abs(bytes[at + step] - q0) < beta;
  };

  /** 8.7.2.3 on one line: equations 8-461 to 8-471. */
  const filterNormal = (at: Pointer, step: number, beta: number, tC0: number, chromaStyle: boolean): void => {
    const p0 = bytes[at - step];
    const p1 = bytes[at - 2 * step];
    const q0 = bytes[at];
    const q1 = bytes[at + step];
    const p2 = chromaStyle ? 0 : bytes[at - 3 * step];
    const q2 = chromaStyle ? 0 : bytes[at + 2 * step];
    const smoothP = !chromaStyle && abs(p2 - p0) < beta;
    const smoothQ = !chromaStyle && abs(q2 - q0) < beta;
    const tC = chromaStyle ? tC0 + 1 : tC0 + (smoothP ? 1 : 0) + (smoothQ ? 1 : 0);
    const delta = clip3(-tC, tC, (((q0 - p0) << 2) + (p1 - q1) + 4) >> 3);
    bytes[at - step] = clip1(p0 + delta);
    bytes[at] = clip1(q0 - delta);
    if (smoothP) {
      bytes[at - 2 * step] = p1 + clip3(-tC0, tC0, (p2 + ((p0 + q0 + 1) >> 1) - (p1 << 1)) >> 1);
    }
    if (smoothQ) {
      bytes[at + step] = q1 + clip3(-tC0, tC0, (q2 + ((p0 + q0 + 1) >> 1) - (q1 << 1)) >> 1);
    }
  };

  /** 8.7.2.4 on one side of one line, `out` leading away from the edge (8-474 to 8-481). `a` is this side, `b` the other. */
  const filterStrongSide = (
    at: Pointer,
    out: number,
    b0: number,
    b1: number,
    smooth: boolean,
    a0: number,
    a1: number,
  ): void => {
    if (smooth) {
      const a2 = bytes[at + 2 * out];
      const a3 = bytes[at + 3 * out];
      bytes[at] = (a2 + 2 * a1 + 2 * a0 + 2 * b0 + b1 + 4) >> 3;
      bytes[at + out] = (a2 + a1 + a0 + b0 + 2) >> 2;
      bytes[at + 2 * out] = (2 * a3 + 3 * a2 + a1 + a0 + b0 + 4) >> 3;
    } else {
      bytes[at] = (2 * a1 + a0 + b1 + 2) >> 2;
    }
  };

  const filterStrong = (at: Pointer, step: number, alpha: number, beta: number, chromaStyle: boolean): void => {
    const p0 = bytes[at - step];
    const p1 = bytes[at - 2 * step];
    const q0 = bytes[at];
    const q1 = bytes[at + step];
    const small = !chromaStyle && abs(p0 - q0) < (alpha >> 2) + 2;
    const smoothP = small && abs(bytes[at - 3 * step] - p0) < beta;
    const smoothQ = small && abs(bytes[at + 2 * step] - q0) < beta;
    filterStrongSide(at - step, -step, q0, q1, smoothP, p0, p1);
    filterStrongSide(at, step, p0, p1, smoothQ, q0, q1);
  };

  /** An edge of four quarters, each `linesPerQuarter` lines; `step` crosses the edge, `along` follows it. */
  const normalEdge = (
    pixels: Pointer,
    step: number,
    along: number,
    linesPerQuarter: number,
    alpha: number,
    beta: number,
    tc0: number,
  ): void => {
    for (let line = 0; line < 4 * linesPerQuarter; line++) {
      const tC0 = quarterTc0(tc0, (line / linesPerQuarter) | 0);
      const at = pixels + line * along;
      if (tC0 >= 0 && isFiltered(at, step, alpha, beta)) {
        filterNormal(at, step, beta, tC0, linesPerQuarter === 2);
      }
    }
  };

  const strongEdge = (
    pixels: Pointer,
    step: number,
    along: number,
    lines: number,
    alpha: number,
    beta: number,
  ): void => {
    for (let line = 0; line < lines; line++) {
      const at = pixels + line * along;
      if (isFiltered(at, step, alpha, beta)) {
        filterStrong(at, step, alpha, beta, lines === 8);
      }
    }
  };

  return {
    deblockLumaVertical: (pixels, stride, alpha, beta, tc0) => normalEdge(pixels, 1, stride, 4, alpha, beta, tc0),
    deblockLumaHorizontal: (pixels, stride, alpha, beta, tc0) => normalEdge(pixels, stride, 1, 4, alpha, beta, tc0),
    deblockLumaVerticalStrong: (pixels, stride, alpha, beta) => strongEdge(pixels, 1, stride, 16, alpha, beta),
    deblockLumaHorizontalStrong: (pixels, stride, alpha, beta) => strongEdge(pixels, stride, 1, 16, alpha, beta),
    deblockChromaVertical: (pixels, stride, alpha, beta, tc0) => normalEdge(pixels, 1, stride, 2, alpha, beta, tc0),
    deblockChromaHorizontal: (pixels, stride, alpha, beta, tc0) => normalEdge(pixels, stride, 1, 2, alpha, beta, tc0),
    deblockChromaVerticalStrong: (pixels, stride, alpha, beta) => strongEdge(pixels, 1, stride, 8, alpha, beta),
    deblockChromaHorizontalStrong: (pixels, stride, alpha, beta) => strongEdge(pixels, stride, 1, 8, alpha, beta),
  };
}
