// One macroblock of a frame (7.3.5): syntax, motion, residual and reconstruction. The same as decoder/macroblock-decoder.ts.

import {
  inverseTransform8x8Add,
  inverseTransform8x8DcAdd,
  inverseTransformChromaAdd,
  inverseTransformLumaAdd,
} from '../transform';
import { Bits } from './bits';
import { Cabac } from './cabac';
import { CabacSyntax } from './cabac-syntax';
import {
  CACHE_ORIGIN,
  Cache,
  FAULT_CHROMA_MODE,
  FAULT_CODED_BLOCK_PATTERN,
  FAULT_MB_TYPE,
  FAULT_TRUNCATED,
  Mb,
  MB_DIRECT,
  MB_INTER,
  MB_INTRA_16X16,
  MB_INTRA_4X4,
  MB_INTRA_8X8,
  MB_PCM,
  MB_SKIP,
  MB_TRANSFORM_8X8,
  REF_UNUSED,
  Slice,
} from './context';
import { Direct } from './direct';
import { Inter } from './inter';
import { Intra } from './intra';
import { Differences, Motion } from './motion';
import { parsePartitions, parseSubMacroblocks, parseWhole } from './partitions';
import { Residual } from './residual';
import { B_8X8, I_PCM, P_8X8 } from './types';

/** Table 9-4 for 4:2:0: codeNum to coded_block_pattern of intra, then of inter macroblocks. */
const CODED_BLOCK_PATTERN = memory.data<u8>([
  47, 31, 15, 0, 23, 27, 29, 30, 7, 11, 13, 14, 39, 43, 45, 46, 16, 3, 5, 10, 12, 19, 21, 26,
  28, 35, 37, 42, 44, 1, 2, 4, 8, 17, 18, 20, 24, 6, 9, 22, 25, 32, 33, 34, 36, 40, 38, 41,
  0, 16, 1, 2, 4, 8, 32, 3, 5, 10, 12, 15, 47, 7, 11, 13, 14, 6, 9, 31, 35, 37, 42, 44,
  33, 34, 36, 40, 39, 43, 45, 46, 17, 18, 20, 24, 19, 21, 26, 28, 23, 27, 29, 30, 22, 25, 38, 41,
]);

/** P_Skip or B_Skip at the entered macroblock. */
export function skipMacroblock(): void {
  const mb = Mb.mb;
  Mb.begin(255);
  Mb.cbp = 0;
  if (Slice.isB) {
    Mb.kind = MB_INTER | MB_SKIP | MB_DIRECT;
    Mb.directMask = 15;
    Mb.isUniform = false;
    Motion.fill(0);
    Motion.fill(1);
    Direct.predict(15);
    Motion.keepBoth();
  } else {
    Mb.kind = MB_INTER | MB_SKIP;
    Mb.directMask = 0;
    Mb.isUniform = true;
    const mv = Motion.skip();
    store<u8>(Cache.ref0 + CACHE_ORIGIN, 0);
    store<u8>(Cache.ref1 + CACHE_ORIGIN, <u8>REF_UNUSED);
    store<i32>(Cache.mv0 + 4 * CACHE_ORIGIN, mv);
    Motion.keepUniform(0, 0, mv);
    Motion.keepNone(1);
  }
  if (Slice.isCabac) {
    Slice.lastDelta = 0;
    Mb.clearMvd();
  }
  store<u8>(Slice.kinds + mb, <u8>Mb.kind);
  store<u8>(Slice.directs + mb, <u8>Mb.directMask);
  Mb.clearIntraModes();
  store<u8>(Slice.chromaModes + mb, 0);
  store<u16>(Slice.cbps + 2 * mb, 0);
  store<u16>(Slice.nonZeros + 2 * mb, 0);
  store<u8>(Slice.qps + mb, <u8>Slice.qp);
  Inter.predict();
}

/** macroblock_layer() (7.3.5) at the entered macroblock. */
export function decodeMacroblock(): void {
  let type = Slice.isCabac ? CabacSyntax.mb_type() : <i32>min<u32>(Bits.ue(), 255);
  Mb.begin(type);
  Mb.type = type;
  Mb.isTransform8x8 = false;
  Mb.directMask = 0;
  if (!Slice.isIntra) {
    const interTypes = Slice.isB ? 23 : 5;
    if (type < interTypes) {
      interMacroblock();
      return;
    }
    type -= interTypes;
    Mb.type = type;
  }
  if (type > I_PCM) {
    Slice.fail(FAULT_MB_TYPE);
    return;
  }
  Motion.keepNone(0);
  Motion.keepNone(1);
  store<u8>(Slice.directs + Mb.mb, 0);
  if (Slice.isCabac) Mb.clearMvd();
  if (type == I_PCM) {
    pcmMacroblock();
  } else {
    intraMacroblock();
  }
}

/** I_PCM (7.3.5, 8.3.5). */
function pcmMacroblock(): void {
  const mb = Mb.mb;
  const position = Slice.isCabac ? Cabac.position() : Bits.position;
  const byte = (position + 7) >> 3;
  if ((byte + 384) * 8 > Slice.length) {
    Slice.fail(FAULT_TRUNCATED);
    return;
  }
  let from = Slice.data + byte;
  for (let y: usize = 0; y < 16; y++) v128.store(Mb.dstY + y * Slice.strideY, v128.load(from + 16 * y));
  from += 256;
  for (let y: usize = 0; y < 8; y++) {
    store<u64>(Mb.dstU + y * Slice.strideC, load<u64>(from + 8 * y));
    store<u64>(Mb.dstV + y * Slice.strideC, load<u64>(from + 8 * y, 64));
  }
  if (Slice.isCabac) {
    Cabac.start(Slice.data + byte + 384);
  } else {
    Bits.position = 8 * (byte + 384);
  }
  Mb.kind = MB_PCM;
  Slice.lastDelta = 0;
  store<u8>(Slice.kinds + mb, <u8>MB_PCM);
  const totals = Slice.totals + 24 * mb;
  v128.store(totals, i8x16.splat(16));
  store<u64>(totals, 0x1010101010101010, 16);
  Mb.clearIntraModes();
  store<u8>(Slice.chromaModes + mb, 0);
  store<u16>(Slice.cbps + 2 * mb, 0x72f);
  store<u16>(Slice.nonZeros + 2 * mb, 0xffff);
  store<u8>(Slice.qps + mb, 0);
}

/** coded_block_pattern; `column` 0 for intra, 48 for inter macroblocks. */
function readCodedBlockPattern(column: u32): u32 {
  if (Slice.isCabac) return CabacSyntax.coded_block_pattern();
  const codeNum = Bits.ue();
  if (codeNum > 47) {
    Slice.fail(FAULT_CODED_BLOCK_PATTERN);
    return 0;
  }
  return <u32>load<u8>(CODED_BLOCK_PATTERN + column + codeNum);
}

/** I_NxN and Intra_16x16. */
function intraMacroblock(): void {
  const mb = Mb.mb;
  const type = Mb.type;
  const is16x16 = type != 0;
  Mb.kind = is16x16 ? MB_INTRA_16X16 : MB_INTRA_4X4;
  if (!is16x16 && Slice.canTransform8x8) {
    const flag = Slice.isCabac ? CabacSyntax.transform_size_8x8_flag() : Bits.bit() != 0;
    if (flag) {
      Mb.kind = MB_INTRA_8X8 | MB_TRANSFORM_8X8;
      Mb.isTransform8x8 = true;
    }
  }
  store<u8>(Slice.kinds + mb, <u8>Mb.kind);
  if (is16x16) {
    Mb.clearIntraModes();
  } else {
    Intra.readModes();
  }
  const chromaMode = Slice.isCabac ? CabacSyntax.intra_chroma_pred_mode() : <i32>Bits.ue();
  if (<u32>chromaMode > 3) {
    Slice.fail(FAULT_CHROMA_MODE);
    return;
  }
  store<u8>(Slice.chromaModes + mb, <u8>chromaMode);
  if (is16x16) {
    Mb.cbp = ((((<u32>type - 1) >> 2) % 3) << 4) | (type >= 13 ? 15 : 0);
  } else {
    Mb.cbp = readCodedBlockPattern(0);
  }
  Residual.parse(is16x16 || Mb.cbp != 0);
  if (Slice.fault != 0) return;
  Intra.findNeighbours();
  if (is16x16) {
    Intra.predict16x16((type - 1) & 3);
    addLuma4x4();
  } else if (Mb.isTransform8x8) {
    Intra.reconstruct8x8();
  } else {
    Intra.reconstruct4x4();
  }
  Intra.predictChroma(chromaMode);
  addChroma();
}

/** P and B macroblocks that are not skipped. */
function interMacroblock(): void {
  const mb = Mb.mb;
  const type = Mb.type;
  const isB = Slice.isB;
  Mb.kind = MB_INTER;
  Mb.isUniform = false;
  Mb.clearIntraModes();
  store<u8>(Slice.chromaModes + mb, 0);
  Motion.fill(0);
  if (isB) Motion.fill(1);
  if (Slice.isCabac) {
    Differences.fill(0);
    if (isB) {
      Differences.fill(1);
      Differences.fillDirect();
    }
  }
  let canTransform8x8 = true;
  if (isB && type == 0) {
    Mb.kind |= MB_DIRECT;
    Mb.directMask = 15;
    Direct.predict(15);
    canTransform8x8 = Slice.hasInference8x8;
  } else if (type == (isB ? B_8X8 : P_8X8) || (!isB && type == 4)) {
    canTransform8x8 = parseSubMacroblocks();
  } else if (type == 0 || (isB && type < 4)) {
    parseWhole();
  } else {
    parsePartitions();
  }
  if (Slice.fault != 0) return;
  store<u8>(Slice.kinds + mb, <u8>Mb.kind);
  store<u8>(Slice.directs + mb, <u8>Mb.directMask);
  Motion.keepBoth();
  if (Slice.isCabac) Differences.keep();
  Mb.cbp = readCodedBlockPattern(48);
  if ((Mb.cbp & 15) != 0 && Slice.canTransform8x8 && canTransform8x8) {
    Mb.isTransform8x8 = Slice.isCabac ? CabacSyntax.transform_size_8x8_flag() : Bits.bit() != 0;
    if (Mb.isTransform8x8) {
      Mb.kind |= MB_TRANSFORM_8X8;
      store<u8>(Slice.kinds + mb, <u8>Mb.kind);
    }
  }
  Residual.parse(Mb.cbp != 0);
  if (Slice.fault != 0) return;
  Inter.predict();
  if ((Mb.codedMask & 0xffff) != 0) {
    if (Mb.isTransform8x8) {
      addLuma8x8();
    } else {
      addLuma4x4();
    }
  }
  addChroma();
}

function addLuma4x4(): void {
  inverseTransformLumaAdd(Mb.dstY, Slice.strideY, Slice.coefficients, Mb.codedMask & 0xffff, Mb.dcOnlyMask);
}

function addLuma8x8(): void {
  for (let block = 0; block < 4; block++) {
    if (((Mb.codedMask >> (4 * block)) & 1) == 0) continue;
    const dst = Mb.dstY + 8 * (<usize>(block >> 1) * Slice.strideY + <usize>(block & 1));
    if (((Mb.dcOnlyMask >> (4 * block)) & 1) != 0) {
      inverseTransform8x8DcAdd(dst, Slice.strideY, Slice.coefficients + 128 * block);
    } else {
      inverseTransform8x8Add(dst, Slice.strideY, Slice.coefficients + 128 * block);
    }
  }
}

function addChroma(): void {
  const u = (Mb.codedMask >> 16) & 15;
  if (u != 0) {
    inverseTransformChromaAdd(Mb.dstU, Slice.strideC, Slice.coefficients + 512, u, (Mb.dcOnlyMask >> 16) & 15);
  }
  const v = (Mb.codedMask >> 20) & 15;
  if (v != 0) {
    inverseTransformChromaAdd(Mb.dstV, Slice.strideC, Slice.coefficients + 640, v, (Mb.dcOnlyMask >> 20) & 15);
  }
}
