// mb_qp_delta and residual() of a macroblock (7.3.5, 7.3.5.3), scaled into the coefficient area, with the DC transforms (8.5.10,
// 8.5.11.1): the same as decoder/residual-syntax.ts, residual/dequantise.ts and the block readers of entropy/.

import { cavlcBlock } from '../residual';
import { Bits } from './bits';
import { Cabac } from './cabac';
import { CabacSyntax } from './cabac-syntax';
import { FAULT_QP_DELTA, FAULT_RESIDUAL, Mb, MB_INTRA, MB_INTRA_16X16, Slice } from './context';

/** Raster index of the 4x4 luma block by its number in decoding order, and the reverse (it is its own inverse). */
const RASTER = memory.data<u8>([0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]);

/** Block categories (Table 9-42), and ctxIdx where their contexts begin in frames. */
const LUMA_DC: i32 = 0;
const LUMA_AC: i32 = 1;
const LUMA_4X4: i32 = 2;
const CHROMA_DC: i32 = 3;
const CHROMA_AC: i32 = 4;
const CODED = memory.data<u16>([85, 89, 93, 97, 101]);
const SIGNIFICANT = memory.data<u16>([105, 120, 134, 149, 152]);
const LAST = memory.data<u16>([166, 181, 195, 210, 213]);
const LEVELS = memory.data<u16>([227, 237, 247, 257, 266]);
const SIGNIFICANT_8X8: i32 = 402;
const LAST_8X8: i32 = 417;
const LEVELS_8X8: i32 = 426;

// @ts-ignore: decorator
@inline
function contextOf(table: usize, cat: i32): i32 {
  return <i32>load<u16>(table + 2 * cat);
}

/** Places of the AC coefficients of one macroblock in its coefficient area, bytes. */
const CHROMA_COEFFICIENTS: usize = 512;

export class Residual {
  /** The block read last had only its first coefficient. */
  static isDcOnly: bool = false;

  /** Reads mb_qp_delta and residual(); sets the masks and the store. `isCoded`: there is something to read. */
  static parse(isCoded: bool): void {
    const mb = Mb.mb;
    Mb.codedMask = 0;
    Mb.dcOnlyMask = 0;
    let nonZero: u32 = 0;
    if (!isCoded) {
      Slice.lastDelta = 0;
    } else {
      const delta = Slice.isCabac ? CabacSyntax.mb_qp_delta() : Bits.se();
      if (delta < -26 || delta > 25) {
        Slice.fail(FAULT_QP_DELTA);
        return;
      }
      Slice.lastDelta = delta != 0 ? 1 : 0;
      Slice.qp = (Slice.qp + delta + 52) % 52;
      const list = (Mb.kind & MB_INTRA) != 0 ? 0 : 3;
      nonZero = (Mb.kind & MB_INTRA_16X16) != 0 ? Residual.luma16x16() : Residual.luma(list);
      if ((Mb.cbp & 0x30) != 0) Residual.chroma(list);
    }
    store<u8>(Slice.qps + mb, <u8>Slice.qp);
    store<u16>(Slice.cbps + 2 * mb, <u16>Mb.cbp);
    store<u16>(Slice.nonZeros + 2 * mb, <u16>nonZero);
  }

  static luma16x16(): u32 {
    const scale = Slice.scale4x4 + 64 * Slice.qp;
    let coded: u32 = 0;
    let dcMask: u32 = 0;
    if (Residual.dcBlock(0)) dcMask = Residual.lumaDc(scale);
    if ((Mb.cbp & 15) != 0) {
      for (let k = 0; k < 16; k++) {
        if (Residual.block4x4(LUMA_AC, <i32>load<u8>(RASTER + k), Slice.coefficients + 32 * k, 1, scale) > 0) {
          coded |= <u32>1 << k;
        }
      }
    }
    Mb.codedMask = coded | dcMask;
    Mb.dcOnlyMask = dcMask & ~coded;
    return 0xffff;
  }

  static luma(list: i32): u32 {
    let nonZero: u32 = 0;
    let coded: u32 = 0;
    let dcOnly: u32 = 0;
    const scale = Slice.scale4x4 + 64 * (52 * list + Slice.qp);
    for (let block8 = 0; block8 < 4; block8++) {
      if (((Mb.cbp >> block8) & 1) == 0) continue;
      if (Mb.isTransform8x8) {
        if (Residual.block8x8(block8, Slice.scale8x8 + 256 * ((list == 0 ? 0 : 52) + Slice.qp))) {
          coded |= <u32>1 << (4 * block8);
          // the four blocks of the 8x8 block in raster order
          nonZero |= <u32>0x33 << (8 * (block8 >> 1) + 2 * (block8 & 1));
          if (Residual.isDcOnly) dcOnly |= <u32>1 << (4 * block8);
        }
        continue;
      }
      for (let k = 4 * block8; k < 4 * block8 + 4; k++) {
        const raster = <i32>load<u8>(RASTER + k);
        if (Residual.block4x4(LUMA_4X4, raster, Slice.coefficients + 32 * k, 0, scale) > 0) {
          coded |= <u32>1 << k;
          nonZero |= <u32>1 << raster;
          if (Residual.isDcOnly) dcOnly |= <u32>1 << k;
        }
      }
    }
    Mb.codedMask = coded;
    Mb.dcOnlyMask = dcOnly;
    return nonZero;
  }

  static chroma(list: i32): void {
    const qp = Slice.chromaQp + Slice.qp;
    const scaleU = Slice.scale4x4 + 64 * (52 * (list + 1) + <i32>load<u8>(qp));
    const scaleV = Slice.scale4x4 + 64 * (52 * (list + 2) + <i32>load<u8>(qp, 52));
    let dcMask: u32 = 0;
    if (Residual.dcBlock(1)) dcMask = Residual.chromaDc(0, scaleU);
    if (Residual.dcBlock(2)) dcMask |= Residual.chromaDc(1, scaleV) << 4;
    let coded: u32 = 0;
    if ((Mb.cbp & 0x20) != 0) {
      for (let k = 0; k < 8; k++) {
        const out = Slice.coefficients + CHROMA_COEFFICIENTS + 32 * k;
        if (Residual.block4x4(CHROMA_AC, 16 + k, out, 1, k < 4 ? scaleU : scaleV) > 0) coded |= <u32>1 << k;
      }
    }
    Mb.codedMask |= (coded | dcMask) << 16;
    Mb.dcOnlyMask |= (dcMask & ~coded) << 16;
  }

  /** Levels of a DC block in scan order: `component` 0 Y, 1 Cb, 2 Cr. True when any is not 0. */
  static dcBlock(component: i32): bool {
    const out = component == 0 ? Slice.dc : Slice.chromaDc + 16 * (component - 1);
    if (!Slice.isCabac) {
      return component == 0
        ? Residual.cavlc(Residual.nC(0), 16, out, 0, 0, 0) > 0
        : Residual.cavlc(-1, 4, out, 0, 0, 0) > 0;
    }
    const bit = 8 + component;
    const none: u32 = (Mb.kind & MB_INTRA) != 0 ? 1 : 0;
    const a = Mb.a >= 0 ? ((<u32>load<u16>(Slice.cbps + 2 * Mb.a) >> bit) & 1) : none;
    const b = Mb.b >= 0 ? ((<u32>load<u16>(Slice.cbps + 2 * Mb.b) >> bit) & 1) : none;
    const cat = component == 0 ? LUMA_DC : CHROMA_DC;
    if (Cabac.decision(contextOf(CODED, cat) + <i32>(a + 2 * b)) == 0) return false;
    Mb.cbp |= <u32>1 << bit;
    Cabac.block(
      contextOf(SIGNIFICANT, cat), contextOf(LAST, cat), contextOf(LEVELS, cat),
      component == 0 ? 16 : 4, 0, component == 0 ? 4 : 3, out, 0, 0, 0,
    );
    return true;
  }

  /** A 4x4 block, number `block` of its macroblock (luma raster 0..15, Cb 16..19, Cr 20..23). Returns the number of coefficients. */
  static block4x4(cat: i32, block: i32, out: usize, start: i32, scale: usize): i32 {
    const totals = Slice.totals + 24 * Mb.mb + block;
    if (!Slice.isCabac) {
      const total = Residual.cavlc(Residual.nC(block), 16 - start, out, Slice.cavlcScans + start, scale, 4);
      store<u8>(totals, <u8>total);
      Residual.isDcOnly = start == 0 && load<i32>(Slice.cavlcResult, 4) == 1;
      return total;
    }
    if (Cabac.decision(contextOf(CODED, cat) + Residual.codedBlockFlagInc(block)) == 0) return 0;
    const total = Cabac.block(
      contextOf(SIGNIFICANT, cat), contextOf(LAST, cat), contextOf(LEVELS, cat),
      16 - start, 0, 4, out, Slice.cabacScans + start, scale, 4,
    );
    store<u8>(totals, <u8>(total & 255));
    Residual.isDcOnly = start == 0 && total > 256;
    return total;
  }

  /** An 8x8 luma block; true when it has coefficients. */
  static block8x8(block8: i32, scale: usize): bool {
    const out = Slice.coefficients + 128 * block8;
    const first = (block8 & 2) * 4 + (block8 & 1) * 2;
    const totals = Slice.totals + 24 * Mb.mb + first;
    if (Slice.isCabac) {
      const total = Cabac.block(
        SIGNIFICANT_8X8, LAST_8X8, LEVELS_8X8, 64, Cabac.increments8x8(), 4, out, Slice.cabacScans + 16, scale, 6,
      );
      const both = <u16>((total & 255) * 0x0101);
      store<u16>(totals, both);
      store<u16>(totals, both, 4);
      Residual.isDcOnly = total > 256;
      return true;
    }
    let sum: i32 = 0;
    let isDcOnly = true;
    for (let i = 0; i < 4; i++) {
      const at = (i >> 1) * 4 + (i & 1);
      const total = Residual.cavlc(Residual.nC(first + at), 16, out, Slice.cavlcScans + 16 + 16 * i, scale, 6);
      store<u8>(totals + at, <u8>total);
      sum += total;
      isDcOnly = isDcOnly && (i == 0 ? load<i32>(Slice.cavlcResult, 4) == 1 : total == 0);
    }
    Residual.isDcOnly = isDcOnly;
    return sum > 0;
  }

  /** One block in CAVLC; returns TotalCoeff. */
  static cavlc(nC: i32, maxNumCoeff: i32, out: usize, scan: usize, scale: usize, shift: i32): i32 {
    const total = cavlcBlock(
      Slice.data, Bits.position, Slice.length, nC, maxNumCoeff, out, scan, scale, shift,
      Slice.cavlcTables, Slice.cavlcResult,
    );
    if (total < 0) {
      Slice.fail(FAULT_RESIDUAL - total - 1);
      return 0;
    }
    Bits.position = load<u32>(Slice.cavlcResult);
    return total;
  }

  /** Total of the block left of `block`: -1 when not available. */
  static totalA(block: i32): i32 {
    const own = Slice.totals + 24 * Mb.mb;
    if (block < 16) {
      if ((block & 3) != 0) return <i32>load<u8>(own + block - 1);
      return Mb.a >= 0 ? <i32>load<u8>(own + block - 24, 3) : -1;
    }
    if ((block & 1) != 0) return <i32>load<u8>(own + block - 1);
    return Mb.a >= 0 ? <i32>load<u8>(own + block - 24, 1) : -1;
  }

  /** Total of the block above. */
  static totalB(block: i32): i32 {
    const own = Slice.totals + 24 * Mb.mb;
    const above = Slice.totals + 24 * Mb.b;
    if (block < 16) {
      if (block > 3) return <i32>load<u8>(own + block - 4);
      return Mb.b >= 0 ? <i32>load<u8>(above + block, 12) : -1;
    }
    if ((block & 2) != 0) return <i32>load<u8>(own + block - 2);
    return Mb.b >= 0 ? <i32>load<u8>(above + block, 2) : -1;
  }

  /** nC of a block (9.2.1). */
  static nC(block: i32): i32 {
    const nA = Residual.totalA(block);
    const nB = Residual.totalB(block);
    if (nA >= 0) return nB >= 0 ? (nA + nB + 1) >> 1 : nA;
    return max(nB, 0);
  }

  /** ctxIdxInc of coded_block_flag for blocks with totals (9.3.3.1.1.9): blocks outside count as coded beside intra macroblocks. */
  static codedBlockFlagInc(block: i32): i32 {
    const none = (Mb.kind & MB_INTRA) != 0 ? 1 : 0;
    const nA = Residual.totalA(block);
    const nB = Residual.totalB(block);
    const a = nA < 0 ? none : <i32>(nA != 0);
    const b = nB < 0 ? none : <i32>(nB != 0);
    return a + 2 * b;
  }

  /** 8.5.10: Hadamard and scaling of the luma DC levels; clears them. Returns a mask (decoding order) of DCs that are not 0. */
  static lumaDc(scaleTable: usize): u32 {
    const scale = load<i32>(scaleTable);
    const c = Slice.scratch;
    const scan = Slice.cavlcScans;
    for (let k = 0; k < 16; k++) {
      store<i32>(c + 4 * <usize>load<u8>(scan + k), load<i32>(Slice.dc + 4 * k));
      store<i32>(Slice.dc + 4 * k, 0);
    }
    for (let i = 0; i < 4; i++) {
      const row = c + 16 * i;
      const a = load<i32>(row) + load<i32>(row, 4);
      const b = load<i32>(row) - load<i32>(row, 4);
      const d = load<i32>(row, 8) + load<i32>(row, 12);
      const e = load<i32>(row, 8) - load<i32>(row, 12);
      // rows of the Hadamard matrix: ++++, ++--, +--+, +-+-
      store<i32>(row, a + d);
      store<i32>(row, a - d, 4);
      store<i32>(row, b - e, 8);
      store<i32>(row, b + e, 12);
    }
    let mask: u32 = 0;
    for (let j = 0; j < 4; j++) {
      const at = c + 4 * j;
      const a = load<i32>(at) + load<i32>(at, 16);
      const b = load<i32>(at) - load<i32>(at, 16);
      const d = load<i32>(at, 32) + load<i32>(at, 48);
      const e = load<i32>(at, 32) - load<i32>(at, 48);
      mask |= Residual.placeDc(j, ((a + d) * scale + 32) >> 6);
      mask |= Residual.placeDc(j + 4, ((a - d) * scale + 32) >> 6);
      mask |= Residual.placeDc(j + 8, ((b - e) * scale + 32) >> 6);
      mask |= Residual.placeDc(j + 12, ((b + e) * scale + 32) >> 6);
    }
    return mask;
  }

  static placeDc(raster: i32, value: i32): u32 {
    if (value == 0) return 0;
    const block = <i32>load<u8>(RASTER + raster);
    store<i16>(Slice.coefficients + 32 * block, <i16>value);
    return <u32>1 << block;
  }

  /** 8.5.11.1: the DC coefficients of one chroma component; clears its levels. Returns a mask of DCs that are not 0. */
  static chromaDc(component: i32, scaleTable: usize): u32 {
    const from = Slice.chromaDc + 16 * component;
    const out = Slice.coefficients + CHROMA_COEFFICIENTS + 128 * component;
    const scale = load<i32>(scaleTable);
    const c0 = load<i32>(from);
    const c1 = load<i32>(from, 4);
    const c2 = load<i32>(from, 8);
    const c3 = load<i32>(from, 12);
    v128.store(from, i64x2.splat(0));
    const d0 = ((c0 + c1 + c2 + c3) * scale) >> 5;
    const d1 = ((c0 - c1 + c2 - c3) * scale) >> 5;
    const d2 = ((c0 + c1 - c2 - c3) * scale) >> 5;
    const d3 = ((c0 - c1 - c2 + c3) * scale) >> 5;
    store<i16>(out, <i16>d0);
    store<i16>(out, <i16>d1, 32);
    store<i16>(out, <i16>d2, 64);
    store<i16>(out, <i16>d3, 96);
    return <u32>(d0 != 0) | (<u32>(d1 != 0) << 1) | (<u32>(d2 != 0) << 2) | (<u32>(d3 != 0) << 3);
  }
}
