// Deblocking of whole macroblock rows of frames and fields (8.7), the reference: boundary strengths from the macroblocks' motion into
// one record per macroblock, then all edges of a row from its records. One call each per row instead of some twenty per macroblock.
// An encoder or a decoder may also fill the records itself.
//
// A record has DEBLOCK_RECORD_BYTES:
//    0..15  bS of vertical edges, byte 4 * edge + row of blocks      (0..4; 4 on all four rows or on none)
//   16..31  bS of horizontal edges, byte 4 * edge + column of blocks
//   32, 33  FilterOffsetA, FilterOffsetB (signed)
//   34..36  luma qPav of the left edge, of the top edge, of inner edges
//   37..39  the same for Cb (averages of QPc), 40..42 for Cr

import type { DeblockKernels, Pointer, RowDeblockKernels } from './kernels.ts';
import { TABLE_8_16_ALPHA, TABLE_8_16_BETA, TABLE_8_17_TC0 } from '../tables/deblock.generated.ts';

export const DEBLOCK_RECORD_BYTES = 48;

/**
 * What boundaryStrengths reads, as 17 Int32 in this order. Arrays are indexed by macroblock in storage order; blocks 0..15 in raster order.
 */
export const STRENGTH_PARAMETERS = [
  'records', // pointer to the row's records
  'macroblocks', // macroblocks of the row
  'first', // index of the row's first macroblock
  'aboveDistance', // index minus index of the macroblock above; 0 in the first row of the picture
  'flags', // bit 0: field picture (8.7.2.1: vertical limit 2, no bS 4 on horizontal edges)
  'kind', // Uint8 per macroblock, see intraMask and transform8x8Mask
  'qp', // Uint8: QPY
  'nonZero', // Uint16: bit i: block i has coefficients (8x8 transform: its 8x8 block has)
  'sliceId', // Int32: number of the slice, -1 not decoded
  'mv0', // Int32 x 16: list 0 vectors, x in the low and y in the high 16 bits
  'mv1',
  'refPic0', // Int8 x 4: identity of the reference picture of each 8x8 block, -1 list not used
  'refPic1',
  'chromaQp', // Uint8 x 104: QPc by QPY for Cb, then for Cr
  'sliceFilters', // 4 bytes per slice: disable_deblocking_filter_idc, FilterOffsetA, FilterOffsetB (signed), 0
  'intraMask', // bits of `kind`, any of which means intra
  'transform8x8Mask', // bit of `kind` for the 8x8 transform
] as const;
export const STRENGTH_PARAMETER_BYTES = 4 * STRENGTH_PARAMETERS.length;

const clipIndex = (index: number): number => (index < 0 ? 0 : index > 51 ? 51 : index);

/** The row kernels on typed-array views of `memory`; `edges` filters the edges. */
export function createReferenceRowDeblockKernels(memory: WebAssembly.Memory, edges: DeblockKernels): RowDeblockKernels {
  const bytes = new Uint8Array(memory.buffer);
  const signed = new Int8Array(memory.buffer);
  const halves = new Uint16Array(memory.buffer);
  const ints = new Int32Array(memory.buffer);

  /** 8.7.2.1: the components of two vectors differ by 4 quarter samples, or vertically by `limitY`. */
  const isFar = (a: Pointer, b: Pointer, limitY: number): boolean => {
    const [mvA, mvB] = [ints[a >> 2], ints[b >> 2]];
    const dx = ((mvA << 16) >> 16) - ((mvB << 16) >> 16);
    const dy = (mvA >> 16) - (mvB >> 16);
    return dx >= 4 || dx <= -4 || dy >= limitY || dy <= -limitY;
  };

  const filterEdge = (
    planes: { readonly luma: Pointer; readonly u: Pointer; readonly v: Pointer },
    record: Pointer,
    edge: number,
    isVertical: boolean,
    strideY: number,
    strideC: number,
  ): void => {
    const at = record + (isVertical ? 0 : 16) + 4 * edge;
    const strengths = ints[at >> 2];
    const place = edge > 0 ? 2 : isVertical ? 0 : 1; // qPav of left, top or inner edge
    const [offsetA, offsetB] = [signed[record + 32], signed[record + 33]];
    const run = (pixels: Pointer, stride: number, qp: number, isLuma: boolean): void => {
      const indexA = clipIndex(qp + offsetA);
      const alpha = TABLE_8_16_ALPHA[indexA];
      const beta = TABLE_8_16_BETA[clipIndex(qp + offsetB)];
      const plane = isLuma ? 'Luma' : 'Chroma';
      const direction = isVertical ? 'Vertical' : 'Horizontal';
      if (strengths === 0x04040404) {
        edges[`deblock${plane}${direction}Strong`](pixels, stride, alpha, beta);
        return;
      }
      let tc0 = 0;
      for (let i = 0; i < 4; i++) {
        const bS = bytes[at + i];
        tc0 |= (bS === 0 ? 255 : TABLE_8_17_TC0[3 * indexA + bS - 1]) << (8 * i);
      }
      edges[`deblock${plane}${direction}`](pixels, stride, alpha, beta, tc0);
    };
    if (strengths === 0) {
      return;
    }
    run(planes.luma + 4 * edge * (isVertical ? 1 : strideY), strideY, bytes[record + 34 + place], true);
    if (planes.u !== 0 && (edge & 1) === 0) {
      const offset = 2 * edge * (isVertical ? 1 : strideC);
      run(planes.u + offset, strideC, bytes[record + 37 + place], false);
      run(planes.v + offset, strideC, bytes[record + 40 + place], false);
    }
  };

  return {
    boundaryStrengths(parameters) {
      const at = parameters >> 2;
      const [records, macroblocks, first, aboveDistance, flags, kind, qp, nonZero] = ints.subarray(at, at + 8);
      const [sliceId, mv0, mv1, refPic0, refPic1, chromaQp, sliceFilters, intraMask, transform8x8Mask] = ints.subarray(
        at + 8,
        at + 17,
      );
      const isField = (flags & 1) !== 0;
      const limitY = isField ? 2 : 4;

      /** bS 2, 1 or 0 of two inter blocks. */
      const interStrength = (mbQ: number, blockQ: number, mbP: number, blockP: number): number => {
        const isCoded = (mb: number, block: number): boolean => ((halves[(nonZero >> 1) + mb] >> block) & 1) !== 0;
        if (isCoded(mbQ, blockQ) || isCoded(mbP, blockP)) {
          return 2;
        }
        const ref = (array: Pointer, mb: number, block: number): number =>
          signed[array + 4 * mb + ((block >> 3) << 1) + ((block >> 1) & 1)];
        const [q0, q1] = [ref(refPic0, mbQ, blockQ), ref(refPic1, mbQ, blockQ)];
        const [p0, p1] = [ref(refPic0, mbP, blockP), ref(refPic1, mbP, blockP)];
        const [vectorQ, vectorP] = [64 * mbQ + 4 * blockQ, 64 * mbP + 4 * blockP];
        /** Whether q's lists against p's lists a and b have near vectors. */
        const isNear = (a: Pointer, b: Pointer): boolean =>
          !(q0 >= 0 && isFar(mv0 + vectorQ, a + vectorP, limitY)) &&
          !(q1 >= 0 && isFar(mv1 + vectorQ, b + vectorP, limitY));
        const isStraight = q0 === p0 && q1 === p1 && isNear(mv0, mv1);
        const isCrossed = q0 === p1 && q1 === p0 && isNear(mv1, mv0);
        return isStraight || isCrossed ? 0 : 1;
      };

      for (let x = 0; x < macroblocks; x++) {
        const mb = first + x;
        const record = records + DEBLOCK_RECORD_BYTES * x;
        const slice = ints[(sliceId >> 2) + mb];
        const filter = sliceFilters + 4 * slice;
        bytes.fill(0, record, record + 32);
        if (slice < 0 || bytes[filter] === 1) {
          continue;
        }
        const isAvailable = (other: number): boolean => {
          const otherSlice = ints[(sliceId >> 2) + other];
          return bytes[filter] === 2 ? otherSlice === slice : otherSlice >= 0;
        };
        const isIntra = (other: number): boolean => (bytes[kind + other] & intraMask) !== 0;
        const hasLeft = x > 0 && isAvailable(mb - 1);
        const hasTop = aboveDistance !== 0 && isAvailable(mb - aboveDistance);
        const left = hasLeft ? mb - 1 : mb;
        const above = hasTop ? mb - aboveDistance : mb;
        const step = (bytes[kind + mb] & transform8x8Mask) !== 0 ? 2 : 1;
        for (let edge = 0; edge < 4; edge += step) {
          for (let i = 0; i < 4; i++) {
            const vertical = 4 * i + edge;
            const horizontal = 4 * edge + i;
            const [mbLeft, mbAbove] = edge > 0 ? [mb, mb] : [left, above];
            if (edge > 0 || hasLeft) {
              bytes[record + 4 * edge + i] =
                isIntra(mb) || isIntra(mbLeft)
                  ? edge > 0
                    ? 3
                    : 4
                  : interStrength(mb, vertical, mbLeft, edge > 0 ? vertical - 1 : vertical + 3);
            }
            if (edge > 0 || hasTop) {
              bytes[record + 16 + 4 * edge + i] =
                isIntra(mb) || isIntra(mbAbove)
                  ? edge > 0 || isField
                    ? 3
                    : 4
                  : interStrength(mb, horizontal, mbAbove, edge > 0 ? horizontal - 4 : horizontal + 12);
            }
          }
        }
        bytes[record + 32] = bytes[filter + 1];
        bytes[record + 33] = bytes[filter + 2];
        const [own, qpLeft, qpAbove] = [bytes[qp + mb], bytes[qp + left], bytes[qp + above]];
        bytes[record + 34] = (own + qpLeft + 1) >> 1;
        bytes[record + 35] = (own + qpAbove + 1) >> 1;
        bytes[record + 36] = own;
        for (let plane = 0; plane < 2; plane++) {
          const table = chromaQp + 52 * plane;
          bytes[record + 37 + 3 * plane] = (bytes[table + own] + bytes[table + qpLeft] + 1) >> 1;
          bytes[record + 38 + 3 * plane] = (bytes[table + own] + bytes[table + qpAbove] + 1) >> 1;
          bytes[record + 39 + 3 * plane] = bytes[table + own];
        }
      }
    },

    deblockRow(y, u, v, strideY, strideC, macroblocks, records) {
      for (let x = 0; x < macroblocks; x++) {
        const planes = { luma: y + 16 * x, u: u === 0 ? 0 : u + 8 * x, v: v + 8 * x };
        const record = records + DEBLOCK_RECORD_BYTES * x;
        for (const isVertical of [true, false]) {
          for (let edge = 0; edge < 4; edge++) {
            filterEdge(planes, record, edge, isVertical, strideY, strideC);
          }
        }
      }
    },
  };
}
