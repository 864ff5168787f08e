// Intra prediction of a macroblock (8.3): which neighbouring samples may be used, prediction modes, and the kernels in coding order.

import type { SliceState } from '../decoder/slice-state.ts';
import { AVAILABLE_LEFT, AVAILABLE_TOP, AVAILABLE_TOP_LEFT, AVAILABLE_TOP_RIGHT } from '../kernels/kernels.ts';
import { BitstreamError } from '../../../errors.ts';
import { MB_INTRA } from '../macroblock/mb-types.ts';
import { BLOCK_X_4X4, BLOCK_Y_4X4 } from '../tables/transform.generated.ts';

/** Availability of the neighbours' samples for intra prediction; filled by `findIntraNeighbours`. */
export class IntraNeighbours {
  /** Per 4x4 row. */
  readonly left = new Uint8Array(4);
  hasTop = false;
  hasTopRight = false;
  hasTopLeft = false;
}

/** Decides which neighbours count (8.3.1.2, 8.3.2.2, 8.3.3, 8.3.4). */
export function findIntraNeighbours(s: SliceState, out: IntraNeighbours): void {
  const { mbA, mbB, mbC, mbD, leftMb } = s;
  if (!s.constrained_intra_pred_flag) {
    const left = mbA >= 0 ? 1 : 0;
    out.left[0] = out.left[1] = out.left[2] = out.left[3] = left;
    out.hasTop = mbB >= 0;
    out.hasTopRight = mbC >= 0;
    out.hasTopLeft = mbD >= 0;
    return;
  }
  const { kind } = s.store;
  out.hasTop = mbB >= 0 && (kind[mbB] & MB_INTRA) !== 0;
  out.hasTopRight = mbC >= 0 && (kind[mbC] & MB_INTRA) !== 0;
  out.hasTopLeft = mbD >= 0 && (kind[mbD] & MB_INTRA) !== 0;
  for (let row = 0; row < 4; row++) {
    out.left[row] = leftMb[row] >= 0 && (kind[leftMb[row]] & MB_INTRA) !== 0 ? 1 : 0;
  }
  if (s.MbaffFrameFlag && mbA >= 0 && !s.isFieldMb && s.mbField[mbA] === 1) {
    // A frame macroblock beside a field pair touches rows of both.
    const top = (s.mbY & ~1) * s.PicWidthInMbs + s.mbX - 1;
    const areBoth = (kind[top] & MB_INTRA) !== 0 && (kind[top + s.PicWidthInMbs] & MB_INTRA) !== 0;
    out.left.fill(areBoth ? 1 : 0);
  }
}

/** Predicted Intra4x4PredMode or Intra8x8PredMode of the block at 4x4 position (x, y) (8.3.1.1, 8.3.2.1). */
export function predictIntraMode(s: SliceState, x: number, y: number): number {
  const modes = s.store.intraMode;
  let a: number;
  let b: number;
  if (x > 0) {
    a = modes[s.mb * 16 + y * 4 + x - 1];
  } else {
    const left = s.leftMb[y];
    a = left < 0 ? -1 : neighbourMode(s, left, s.leftRow[y] * 4 + 3);
  }
  if (y > 0) {
    b = modes[s.mb * 16 + (y - 1) * 4 + x];
  } else {
    b = s.mbB < 0 ? -1 : neighbourMode(s, s.mbB, 12 + x);
  }
  if (a < 0 || b < 0) {
    return 2;
  }
  return a < b ? a : b;
}

function neighbourMode(s: SliceState, mb: number, block: number): number {
  if (s.constrained_intra_pred_flag && (s.store.kind[mb] & MB_INTRA) === 0) {
    return -1;
  }
  return s.store.intraMode[mb * 16 + block];
}

/** Modes need samples: vertical ones the top, horizontal ones the left, diagonal ones the corner too. */
const NEEDS_4X4 = Uint8Array.of(
  AVAILABLE_TOP,
  AVAILABLE_LEFT,
  0,
  AVAILABLE_TOP,
  AVAILABLE_LEFT | AVAILABLE_TOP | AVAILABLE_TOP_LEFT,
  AVAILABLE_LEFT | AVAILABLE_TOP | AVAILABLE_TOP_LEFT,
  AVAILABLE_LEFT | AVAILABLE_TOP | AVAILABLE_TOP_LEFT,
  AVAILABLE_TOP,
  AVAILABLE_LEFT,
);
const NEEDS_16X16 = Uint8Array.of(
  AVAILABLE_TOP,
  AVAILABLE_LEFT,
  0,
  AVAILABLE_LEFT | AVAILABLE_TOP | AVAILABLE_TOP_LEFT,
);
const NEEDS_CHROMA = Uint8Array.of(
  0,
  AVAILABLE_LEFT,
  AVAILABLE_TOP,
  AVAILABLE_LEFT | AVAILABLE_TOP | AVAILABLE_TOP_LEFT,
);

function demand(needs: number, available: number, clause: string): void {
  if ((needs & available) !== needs) {
    const message = 'An intra prediction mode needs samples that are not available.';
    throw new BitstreamError('forbidden-value', clause, 0, message);
  }
}

/** Availability bits of the 4x4 block at (x, y). */
function available4x4(n: IntraNeighbours, x: number, y: number): number {
  let bits = 0;
  if (x > 0 || n.left[y] === 1) {
    bits |= AVAILABLE_LEFT;
  }
  if (y > 0 || n.hasTop) {
    bits |= AVAILABLE_TOP;
  }
  if (x > 0 ? y > 0 || n.hasTop : y > 0 ? n.left[y - 1] === 1 : n.hasTopLeft) {
    bits |= AVAILABLE_TOP_LEFT;
  }
  if (y === 0 ? (x < 3 ? n.hasTop : n.hasTopRight) : ((0x5750 >> (y * 4 + x)) & 1) === 1) {
    bits |= AVAILABLE_TOP_RIGHT;
  }
  return bits;
}

/** Intra_4x4: predicts and reconstructs block after block. */
export function reconstructIntra4x4(s: SliceState, n: IntraNeighbours): void {
  const { kernels, strideY, dstY, coefficientsPointer, codedMask, dcOnlyMask } = s;
  const modes = s.store.intraMode;
  for (let k = 0; k < 16; k++) {
    const x = BLOCK_X_4X4[k];
    const y = BLOCK_Y_4X4[k];
    const mode = modes[s.mb * 16 + y * 4 + x];
    const available = available4x4(n, x, y);
    demand(NEEDS_4X4[mode], available, '8.3.1.2');
    const dst = dstY + 4 * (y * strideY + x);
    kernels.predictIntra4x4(dst, strideY, mode, available);
    if (((codedMask >> k) & 1) === 1) {
      if (((dcOnlyMask >> k) & 1) === 1) {
        kernels.inverseTransform4x4DcAdd(dst, strideY, coefficientsPointer + 32 * k);
      } else {
        kernels.inverseTransform4x4Add(dst, strideY, coefficientsPointer + 32 * k);
      }
    }
  }
}

/** Intra_8x8: the same for 8x8 blocks. */
export function reconstructIntra8x8(s: SliceState, n: IntraNeighbours): void {
  const { kernels, strideY, dstY, coefficientsPointer, codedMask, dcOnlyMask } = s;
  const modes = s.store.intraMode;
  for (let block = 0; block < 4; block++) {
    const x = (block & 1) * 2;
    const y = block & 2;
    const mode = modes[s.mb * 16 + y * 4 + x];
    let available = 0;
    if (x > 0 || n.left[y] === 1) {
      available |= AVAILABLE_LEFT;
    }
    if (y > 0 || n.hasTop) {
      available |= AVAILABLE_TOP;
    }
    if (x > 0 ? y > 0 || n.hasTop : y > 0 ? n.left[1] === 1 : n.hasTopLeft) {
      available |= AVAILABLE_TOP_LEFT;
    }
    if (block === 0 ? n.hasTop : block === 1 ? n.hasTopRight : block === 2) {
      available |= AVAILABLE_TOP_RIGHT;
    }
    demand(NEEDS_4X4[mode], available, '8.3.2.2');
    const dst = dstY + 4 * (y * strideY + x);
    kernels.predictIntra8x8(dst, strideY, mode, available);
    if (((codedMask >> (4 * block)) & 1) === 1) {
      if (((dcOnlyMask >> (4 * block)) & 1) === 1) {
        kernels.inverseTransform8x8DcAdd(dst, strideY, coefficientsPointer + 128 * block);
      } else {
        kernels.inverseTransform8x8Add(dst, strideY, coefficientsPointer + 128 * block);
      }
    }
  }
}

function availableWhole(n: IntraNeighbours): number {
  const isLeft = (n.left[0] & n.left[1] & n.left[2] & n.left[3]) === 1;
  return (isLeft ? AVAILABLE_LEFT : 0) | (n.hasTop ? AVAILABLE_TOP : 0) | (n.hasTopLeft ? AVAILABLE_TOP_LEFT : 0);
}

/** Intra_16x16 prediction (8.3.3). */
export function predictIntra16x16(s: SliceState, n: IntraNeighbours, mode: number): void {
  const available = availableWhole(n);
  demand(NEEDS_16X16[mode], available, '8.3.3');
  s.kernels.predictIntra16x16(s.dstY, s.strideY, mode, available);
}

/** Chroma prediction (8.3.4). */
export function predictIntraChroma(s: SliceState, n: IntraNeighbours, mode: number): void {
  const available = availableWhole(n);
  demand(NEEDS_CHROMA[mode], available, '8.3.4');
  if (mode === 0 && n.left[0] !== n.left[2]) {
    // MBAFF with constrained intra prediction: one half of the left edge counts.
    predictChromaDcHalves(s, n, s.dstU);
    predictChromaDcHalves(s, n, s.dstV);
    return;
  }
  s.kernels.predictIntraChroma(s.dstU, s.strideC, mode, available);
  s.kernels.predictIntraChroma(s.dstV, s.strideC, mode, available);
}

function predictChromaDcHalves(s: SliceState, n: IntraNeighbours, dst: number): void {
  const { bytes, strideC: stride } = s;
  const sums = new Int32Array(4);
  for (let i = 0; i < 4; i++) {
    sums[0] += bytes[dst - stride + i];
    sums[1] += bytes[dst - stride + 4 + i];
    sums[2] += bytes[dst - 1 + i * stride];
    sums[3] += bytes[dst - 1 + (4 + i) * stride];
  }
  const values = new Int32Array(4);
  for (let block = 0; block < 4; block++) {
    const column = block & 1;
    const row = block >> 1;
    const hasLeft = n.left[2 * row] === 1;
    const top = sums[column];
    const left = sums[2 + row];
    if (column === row) {
      values[block] =
        n.hasTop && hasLeft ? (top + left + 4) >> 3 : n.hasTop ? (top + 2) >> 2 : hasLeft ? (left + 2) >> 2 : 128;
    } else if (row === 0) {
      values[block] = n.hasTop ? (top + 2) >> 2 : hasLeft ? (left + 2) >> 2 : 128;
    } else {
      values[block] = hasLeft ? (left + 2) >> 2 : n.hasTop ? (top + 2) >> 2 : 128;
    }
  }
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++) {
      bytes[dst + y * stride + x] = values[(y >> 2) * 2 + (x >> 2)];
    }
  }
}
