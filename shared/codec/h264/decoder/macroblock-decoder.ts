// Decodes one macroblock (7.3.5, 7.4.5): reads its syntax elements from the entropy decoder, derives modes and motion, parses the
// residual and reconstructs the samples. Called by slice-data.ts for every macroblock in decoding order.

import { BitstreamError } from '../../../errors.ts';
import type { CabacDecoder } from '../entropy/cabac-decoder.ts';
import type { MacroblockSyntax } from '../entropy/macroblock-syntax.ts';
import { predictDirect } from '../macroblock/direct.ts';
import {
  B_8X8,
  I_PCM,
  MB_DIRECT,
  MB_INTER,
  MB_INTRA_16X16,
  MB_INTRA_4X4,
  MB_INTRA_8X8,
  MB_PCM,
  MB_SKIP,
  MB_TRANSFORM_8X8,
  P_8X8,
} from '../macroblock/mb-types.ts';
import {
  fillMotionCache,
  packMv,
  predictSkipMv,
  skipMvOf,
  storeMotion,
  storeNoMotion,
  storeUniform,
} from '../macroblock/mv-prediction.ts';
import { predictInter } from '../prediction/inter.ts';
import {
  findIntraNeighbours,
  IntraNeighbours,
  predictIntra16x16,
  predictIntraChroma,
  predictIntraMode,
  reconstructIntra4x4,
  reconstructIntra8x8,
} from '../prediction/intra.ts';
import { BLOCK_X_4X4, BLOCK_Y_4X4 } from '../tables/transform.generated.ts';
import { parsePartitions, parseSubMacroblocks, parseWhole } from './motion-syntax.ts';
import { fillDirectCache, fillMvdCache, storeMvd } from './mvd-cache.ts';
import { parseResidual } from './residual-syntax.ts';
import { CACHE_ORIGIN, REF_UNUSED, type SliceState } from './slice-state.ts';

function fail(s: SliceState, message: string): never {
  throw new BitstreamError('forbidden-value', '7.4.5', s.reader.position, message);
}

/** Decodes macroblocks of a slice with one entropy decoder. */
export class MacroblockDecoder {
  private readonly s: SliceState;
  private readonly intra = new IntraNeighbours();
  /** Puts a listener between the entropy decoder and this, for the trace; null: nobody listens. */
  observe: ((syntax: MacroblockSyntax) => MacroblockSyntax) | null = null;

  constructor(state: SliceState) {
    this.s = state;
  }

  /** P_Skip or B_Skip at the located macroblock. `cabac` is the entropy decoder when it is CABAC. */
  skip(cabac: CabacDecoder | null): void {
    const { s } = this;
    const { store, mb } = s;
    s.mb_type = 0;
    s.cbp = 0;
    s.transform8x8 = false;
    s.kind = s.isB ? MB_INTER | MB_SKIP | MB_DIRECT : MB_INTER | MB_SKIP;
    s.directMask = s.isB ? 15 : 0;
    s.isUniform = false;
    if (s.isB) {
      fillMotionCache(s, 0);
      fillMotionCache(s, 1);
      predictDirect(s, 15);
      storeBoth(s);
    } else {
      s.isUniform = true;
      let mv: number;
      if (s.MbaffFrameFlag) {
        fillMotionCache(s, 0);
        predictSkipMv(s);
        mv = packMv(s.mvpX, s.mvpY);
      } else {
        mv = skipMvOf(s);
      }
      s.refCache0[CACHE_ORIGIN] = 0;
      s.refCache1[CACHE_ORIGIN] = REF_UNUSED;
      s.mvCache0[CACHE_ORIGIN] = mv;
      storeUniform(s, 0, 0, mv);
      storeNoMotion(s, 1);
    }
    this.begin(255);
    store.kind[mb] = s.kind;
    store.direct[mb] = s.directMask;
    if (cabac !== null) {
      s.lastDeltaNotZero = false;
      store.clearMvd(mb, 0);
      store.clearMvd(mb, 1);
    }
    predictInter(s);
    store.clearIntraModes(mb);
    store.intraChromaMode[mb] = 0;
    store.cbp[mb] = 0;
    store.nonZero[mb] = 0;
    store.qp[mb] = s.qp;
  }

  /** macroblock_layer() (7.3.5) at the located macroblock. */
  decode(entropy: MacroblockSyntax, cabac: CabacDecoder | null): void {
    const { s } = this;
    const syntax = this.observe === null ? entropy : this.observe(entropy);
    let mb_type = syntax.mb_type();
    this.begin(mb_type);
    s.mb_type = mb_type;
    s.transform8x8 = false;
    s.directMask = 0;
    s.codedMask = 0;
    s.dcOnlyMask = 0;
    if (!s.isIntraSlice) {
      const interTypes = s.isB ? 23 : 5;
      if (mb_type < interTypes) {
        this.inter(syntax, cabac);
        return;
      }
      mb_type -= interTypes;
      s.mb_type = mb_type;
    }
    if (mb_type > I_PCM) {
      fail(s, `mb_type is ${mb_type}.`);
    }
    storeNoMotion(s, 0);
    storeNoMotion(s, 1);
    s.store.direct[s.mb] = 0;
    if (cabac !== null) {
      s.store.clearMvd(s.mb, 0);
      s.store.clearMvd(s.mb, 1);
    }
    if (mb_type === I_PCM) {
      this.pcm(cabac);
    } else {
      this.intraMacroblock(syntax);
    }
  }

  /** Enters the macroblock into the store with no coefficients. */
  private begin(mb_type: number): void {
    const { s } = this;
    const { totalCoeff32, sliceId, mbType } = s.store;
    const at = s.mb * 6;
    totalCoeff32[at] = totalCoeff32[at + 1] = totalCoeff32[at + 2] = 0;
    totalCoeff32[at + 3] = totalCoeff32[at + 4] = totalCoeff32[at + 5] = 0;
    if (sliceId[s.mb] < 0) {
      s.decodedMbs++;
    }
    sliceId[s.mb] = s.sliceId;
    s.mbField[s.mb] = s.isFieldMb ? 1 : 0;
    mbType[s.mb] = mb_type;
  }

  /** I_PCM (7.3.5, 8.3.5). */
  private pcm(cabac: CabacDecoder | null): void {
    const { s } = this;
    const { store, mb, bytes, reader } = s;
    let from: number;
    if (cabac !== null) {
      from = cabac.pcmPosition();
    } else {
      reader.align();
      from = reader.position >> 3;
    }
    const size = s.hasChroma ? 384 : 256;
    if ((from + size) * 8 > reader.length) {
      throw new BitstreamError('truncated', '7.3.5', reader.position, 'The data ends within an I_PCM macroblock.');
    }
    const { data } = reader;
    for (let y = 0; y < 16; y++) {
      bytes.set(data.subarray(from + 16 * y, from + 16 * y + 16), s.dstY + y * s.strideY);
    }
    if (s.hasChroma) {
      for (let y = 0; y < 8; y++) {
        bytes.set(data.subarray(from + 256 + 8 * y, from + 264 + 8 * y), s.dstU + y * s.strideC);
        bytes.set(data.subarray(from + 320 + 8 * y, from + 328 + 8 * y), s.dstV + y * s.strideC);
      }
    }
    if (cabac !== null) {
      cabac.resumeAt(from + size);
    } else {
      reader.position = (from + size) * 8;
    }
    s.kind = MB_PCM;
    s.lastDeltaNotZero = false;
    store.kind[mb] = MB_PCM;
    store.totalCoeff.fill(16, mb * 24, mb * 24 + 24);
    store.clearIntraModes(mb);
    store.intraChromaMode[mb] = 0;
    store.cbp[mb] = 0x72f;
    store.nonZero[mb] = 0xffff;
    store.qp[mb] = 0;
  }

  /** I_NxN and Intra_16x16. */
  private intraMacroblock(syntax: MacroblockSyntax): void {
    const { s, intra } = this;
    const { store, mb, mb_type } = s;
    const is16x16 = mb_type !== 0;
    if (is16x16) {
      s.kind = MB_INTRA_16X16;
    } else {
      s.kind = MB_INTRA_4X4;
      if (s.transform_8x8_mode_flag && syntax.transform_size_8x8_flag()) {
        s.kind = MB_INTRA_8X8 | MB_TRANSFORM_8X8;
        s.transform8x8 = true;
      }
    }
    store.kind[mb] = s.kind;
    if (is16x16) {
      store.clearIntraModes(mb);
    } else {
      this.readIntraModes(syntax);
    }
    let chromaMode = 0;
    if (s.hasChroma) {
      chromaMode = syntax.intra_chroma_pred_mode();
      if (chromaMode > 3) {
        fail(s, `intra_chroma_pred_mode is ${chromaMode}.`);
      }
    }
    store.intraChromaMode[mb] = chromaMode;
    if (is16x16) {
      s.cbp = ((((mb_type - 1) >> 2) % 3) << 4) | (mb_type >= 13 ? 15 : 0);
    } else {
      s.cbp = syntax.coded_block_pattern(true);
    }
    parseResidual(s, syntax, is16x16 || s.cbp > 0);
    findIntraNeighbours(s, intra);
    if (is16x16) {
      predictIntra16x16(s, intra, (mb_type - 1) & 3);
      s.kernels.inverseTransformLumaAdd(s.dstY, s.strideY, s.coefficientsPointer, s.codedMask & 0xffff, s.dcOnlyMask);
    } else if (s.transform8x8) {
      reconstructIntra8x8(s, intra);
    } else {
      reconstructIntra4x4(s, intra);
    }
    if (s.hasChroma) {
      predictIntraChroma(s, intra, chromaMode);
      this.addChroma();
    }
  }

  private readIntraModes(syntax: MacroblockSyntax): void {
    const { s } = this;
    const modes = s.store.intraMode;
    const base = s.mb * 16;
    if (s.transform8x8) {
      for (let block = 0; block < 4; block++) {
        const x = (block & 1) * 2;
        const y = block & 2;
        const rem = syntax.intraPredMode();
        const predicted = predictIntraMode(s, x, y);
        const mode = rem < 0 ? predicted : rem < predicted ? rem : rem + 1;
        const at = base + y * 4 + x;
        modes[at] = modes[at + 1] = modes[at + 4] = modes[at + 5] = mode;
      }
      return;
    }
    for (let k = 0; k < 16; k++) {
      const x = BLOCK_X_4X4[k];
      const y = BLOCK_Y_4X4[k];
      const rem = syntax.intraPredMode();
      const predicted = predictIntraMode(s, x, y);
      modes[base + y * 4 + x] = rem < 0 ? predicted : rem < predicted ? rem : rem + 1;
    }
  }

  /** P and B macroblocks that are not skipped. */
  private inter(syntax: MacroblockSyntax, cabac: CabacDecoder | null): void {
    const { s } = this;
    const { store, mb, mb_type, isB } = s;
    s.kind = MB_INTER;
    s.isUniform = false;
    store.clearIntraModes(mb);
    store.intraChromaMode[mb] = 0;
    fillMotionCache(s, 0);
    if (isB) {
      fillMotionCache(s, 1);
    }
    if (cabac !== null) {
      fillMvdCache(s, 0);
      if (isB) {
        fillMvdCache(s, 1);
        fillDirectCache(s, cabac.directCache);
      }
    }
    let canTransform8x8 = true;
    if (isB && mb_type === 0) {
      s.kind |= MB_DIRECT;
      s.directMask = 15;
      predictDirect(s, 15);
      canTransform8x8 = s.direct_8x8_inference_flag;
    } else if (mb_type === (isB ? B_8X8 : P_8X8) || (!isB && mb_type === 4)) {
      canTransform8x8 = parseSubMacroblocks(s, syntax, cabac);
    } else if (mb_type === 0 || (isB && mb_type < 4)) {
      parseWhole(s, syntax);
    } else {
      parsePartitions(s, syntax);
    }
    store.kind[mb] = s.kind;
    store.direct[mb] = s.directMask;
    storeBoth(s);
    if (cabac !== null) {
      storeMvd(s);
    }
    s.cbp = syntax.coded_block_pattern(false);
    if ((s.cbp & 15) !== 0 && s.transform_8x8_mode_flag && canTransform8x8) {
      s.transform8x8 = syntax.transform_size_8x8_flag();
      if (s.transform8x8) {
        s.kind |= MB_TRANSFORM_8X8;
        store.kind[mb] = s.kind;
      }
    }
    parseResidual(s, syntax, s.cbp > 0);
    predictInter(s);
    if ((s.codedMask & 0xffff) !== 0) {
      this.addLuma();
    }
    if (s.hasChroma) {
      this.addChroma();
    }
  }

  private addLuma(): void {
    const { s } = this;
    if (!s.transform8x8) {
      s.kernels.inverseTransformLumaAdd(s.dstY, s.strideY, s.coefficientsPointer, s.codedMask & 0xffff, s.dcOnlyMask);
      return;
    }
    for (let block = 0; block < 4; block++) {
      if (((s.codedMask >> (4 * block)) & 1) === 0) {
        continue;
      }
      const dst = s.dstY + 8 * ((block >> 1) * s.strideY + (block & 1));
      if (((s.dcOnlyMask >> (4 * block)) & 1) === 1) {
        s.kernels.inverseTransform8x8DcAdd(dst, s.strideY, s.coefficientsPointer + 128 * block);
      } else {
        s.kernels.inverseTransform8x8Add(dst, s.strideY, s.coefficientsPointer + 128 * block);
      }
    }
  }

  private addChroma(): void {
    const { s } = this;
    const u = (s.codedMask >> 16) & 15;
    if (u !== 0) {
      const pointer = s.coefficientsPointer + 512;
      s.kernels.inverseTransformChromaAdd(s.dstU, s.strideC, pointer, u, (s.dcOnlyMask >> 16) & 15);
    }
    const v = (s.codedMask >> 20) & 15;
    if (v !== 0) {
      const pointer = s.coefficientsPointer + 640;
      s.kernels.inverseTransformChromaAdd(s.dstV, s.strideC, pointer, v, (s.dcOnlyMask >> 20) & 15);
    }
  }
}

/** Keeps the motion of both lists. */
function storeBoth(s: SliceState): void {
  if (!s.isUniform) {
    storeMotion(s, 0);
    if (s.isB) {
      storeMotion(s, 1);
    } else {
      storeNoMotion(s, 1);
    }
    return;
  }
  const ref0 = s.refCache0[CACHE_ORIGIN];
  const ref1 = s.refCache1[CACHE_ORIGIN];
  if (ref0 >= 0) {
    storeUniform(s, 0, ref0, s.mvCache0[CACHE_ORIGIN]);
  } else {
    storeNoMotion(s, 0);
  }
  if (ref1 >= 0) {
    storeUniform(s, 1, ref1, s.mvCache1[CACHE_ORIGIN]);
  } else {
    storeNoMotion(s, 1);
  }
}
