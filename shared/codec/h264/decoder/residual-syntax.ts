// mb_qp_delta and residual() of a macroblock (7.3.5, 7.3.5.3): which blocks are coded, and their coefficients through the entropy
// decoder into the coefficient area. Called by macroblock-decoder.ts.

import { BitstreamError } from '../../../errors.ts';
import { CAT_CHROMA_AC, CAT_LUMA_4X4, CAT_LUMA_AC_16, type MacroblockSyntax } from '../entropy/macroblock-syntax.ts';
import { MB_INTRA, MB_INTRA_16X16 } from '../macroblock/mb-types.ts';
import { reconstructChromaDc, reconstructLumaDc } from '../residual/dequantise.ts';
import { BLOCK_X_4X4, BLOCK_Y_4X4 } from '../tables/transform.generated.ts';
import type { SliceState } from './slice-state.ts';

/** Bits of the four blocks of an 8x8 block in the raster of 4x4 blocks. */
const RASTER_OF_8X8 = Uint16Array.of(0x0033, 0x00cc, 0x3300, 0xcc00);

function fail(s: SliceState, message: string): never {
  throw new BitstreamError('forbidden-value', '7.4.5', s.reader.position, message);
}

/** mb_qp_delta and residual() (7.3.5.3), into the coefficients, codedMask and dcOnlyMask. */
export function parseResidual(s: SliceState, syntax: MacroblockSyntax, isCoded: boolean): void {
  const { store, mb } = s;
  if (!isCoded) {
    s.lastDeltaNotZero = false;
    store.cbp[mb] = s.cbp;
    store.qp[mb] = s.qp;
    store.nonZero[mb] = 0;
    return;
  }
  const mb_qp_delta = syntax.mb_qp_delta();
  if (mb_qp_delta < -26 || mb_qp_delta > 25) {
    fail(s, `mb_qp_delta is ${mb_qp_delta}.`);
  }
  s.lastDeltaNotZero = mb_qp_delta !== 0;
  s.qp = (s.qp + mb_qp_delta + 52) % 52;
  store.qp[mb] = s.qp;
  const isInter = (s.kind & MB_INTRA) === 0;
  const nonZero =
    (s.kind & MB_INTRA_16X16) !== 0 ? residualLuma16x16(s, syntax) : residualLuma(s, syntax, isInter ? 3 : 0);
  if (s.hasChroma && (s.cbp & 0x30) !== 0) {
    residualChroma(s, syntax, isInter ? 3 : 0);
  }
  store.cbp[mb] = s.cbp;
  store.nonZero[mb] = nonZero;
}

function residualLuma16x16(s: SliceState, syntax: MacroblockSyntax): number {
  const scaleBase = s.qp * 16;
  let coded = 0;
  let dcMask = 0;
  if (syntax.dcBlock(0)) {
    dcMask = reconstructLumaDc(s, scaleBase);
  }
  if ((s.cbp & 15) !== 0) {
    for (let k = 0; k < 16; k++) {
      const raster = BLOCK_Y_4X4[k] * 4 + BLOCK_X_4X4[k];
      if (syntax.block4x4(CAT_LUMA_AC_16, raster, k * 16, 1, scaleBase) > 0) {
        coded |= 1 << k;
      }
    }
  }
  s.codedMask = coded | dcMask;
  s.dcOnlyMask = dcMask & ~coded;
  return 0xffff;
}

function residualLuma(s: SliceState, syntax: MacroblockSyntax, list: number): number {
  let nonZero = 0;
  let codedMask = 0;
  let dcOnlyMask = 0;
  for (let block8 = 0; block8 < 4; block8++) {
    if (((s.cbp >> block8) & 1) === 0) {
      continue;
    }
    if (s.transform8x8) {
      if (syntax.block8x8(block8, block8 * 64, ((list === 0 ? 0 : 52) + s.qp) * 64)) {
        codedMask |= 1 << (4 * block8);
        nonZero |= RASTER_OF_8X8[block8];
        if (s.isDcOnly) {
          dcOnlyMask |= 1 << (4 * block8);
        }
      }
      continue;
    }
    const scaleBase = (list * 52 + s.qp) * 16;
    for (let k = 4 * block8; k < 4 * block8 + 4; k++) {
      const raster = BLOCK_Y_4X4[k] * 4 + BLOCK_X_4X4[k];
      if (syntax.block4x4(CAT_LUMA_4X4, raster, k * 16, 0, scaleBase) > 0) {
        codedMask |= 1 << k;
        nonZero |= 1 << raster;
        if (s.isDcOnly) {
          dcOnlyMask |= 1 << k;
        }
      }
    }
  }
  s.codedMask = codedMask;
  s.dcOnlyMask = dcOnlyMask;
  return nonZero;
}

function residualChroma(s: SliceState, syntax: MacroblockSyntax, list: number): void {
  const baseU = ((list + 1) * 52 + s.chromaQp[s.qp]) * 16;
  const baseV = ((list + 2) * 52 + s.chromaQp[52 + s.qp]) * 16;
  let dcMask = 0;
  if (syntax.dcBlock(1)) {
    dcMask = reconstructChromaDc(s, 0, baseU);
  }
  if (syntax.dcBlock(2)) {
    dcMask |= reconstructChromaDc(s, 1, baseV) << 4;
  }
  let coded = 0;
  if (((s.cbp >> 4) & 2) !== 0) {
    for (let k = 0; k < 8; k++) {
      if (syntax.block4x4(CAT_CHROMA_AC, 16 + k, 256 + 16 * k, 1, k < 4 ? baseU : baseV) > 0) {
        coded |= 1 << k;
      }
    }
  }
  s.codedMask |= (coded | dcMask) << 16;
  s.dcOnlyMask |= (dcMask & ~coded) << 16;
}
