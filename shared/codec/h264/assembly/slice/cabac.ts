// The arithmetic decoding engine (9.3.1.2, 9.3.3.2) for the macroblock syntax and for residual blocks (7.3.5.3.3, 9.3.3.1.3).
//
// `value` is codIOffset followed by `spare` bits read ahead, up to 39 of them, so that four bytes are fetched at a time. A decision is
// arithmetic on masks instead of a branch that would be mispredicted. `mask` is all ones for the less probable symbol.

import { FAULT_LEVEL, Slice } from './context';

/** Next context variable after the most probable symbol; after the least probable one 128 bytes later. */
const NEXT: usize = 256;
const SIGNIFICANT_8X8: usize = 512;
const LAST_8X8: usize = 640;

/** Byte offsets in the slice context: where places of coefficients go, and the engine between rows. */
const PLACES: usize = 252;
const ENGINE: usize = 5256;

export class Cabac {
  static range: u32 = 0;
  static value: u64 = 0;
  static spare: u32 = 0;
  /** Next byte to fetch. */
  static at: usize = 0;
  /** Places of the coefficients of a block. */
  static places: usize = 0;

  /** Starts at a byte (9.3.1.2). */
  static start(at: usize): void {
    Cabac.range = 510;
    Cabac.value = (<u64>load<u8>(at) << 8) | <u64>load<u8>(at, 1);
    Cabac.spare = 7;
    Cabac.at = at + 2;
  }

  /** The engine is kept in the context from row to row: value, range, spare, next byte (0: not started). */
  static load(context: usize): void {
    Cabac.places = load<usize>(context, PLACES);
    Cabac.at = load<usize>(context, ENGINE + 16);
    if (Cabac.at == 0) {
      Cabac.start(Slice.data + (load<u32>(context, 32) >> 3));
      return;
    }
    Cabac.value = load<u64>(context, ENGINE);
    Cabac.range = load<u32>(context, ENGINE + 8);
    Cabac.spare = load<u32>(context, ENGINE + 12);
  }

  static save(context: usize): void {
    store<u64>(context, Cabac.value, ENGINE);
    store<u32>(context, Cabac.range, ENGINE + 8);
    store<u32>(context, Cabac.spare, ENGINE + 12);
    store<usize>(context, Cabac.at, ENGINE + 16);
  }

  /** Bits consumed from the start of the data. */
  static position(): u32 {
    return 8 * <u32>(Cabac.at - Slice.data) - Cabac.spare;
  }

  /** DecodeDecision (9.3.3.2.1). */
  static decision(ctxIdx: i32): i32 {
    let value = Cabac.value;
    let spare = Cabac.spare;
    if (spare < 8) {
      value = (value << 32) | <u64>bswap<u32>(load<u32>(Cabac.at));
      Cabac.at += 4;
      spare += 32;
    }
    const context = Slice.cabacContexts + ctxIdx;
    const tables = Slice.cabacTables;
    const state = <u32>load<u8>(context);
    let range = Cabac.range;
    const lps = <u32>load<u8>(tables + (((state & 126) << 1) | ((range >> 6) & 3)));
    range -= lps;
    const scaled = <u64>range << <u64>spare;
    const mask = <i64>(scaled - 1 - value) >> 63;
    value -= scaled & <u64>mask;
    range += (lps - range) & <u32>mask;
    store<u8>(context, load<u8>(tables + state + (<u32>mask & 128), NEXT));
    const renorm = clz<u32>(range) - 23;
    Cabac.range = range << renorm;
    Cabac.value = value;
    Cabac.spare = spare - renorm;
    return <i32>((state ^ <u32>mask) & 1);
  }

  /** DecodeBypass (9.3.3.2.3). */
  static bypass(): i32 {
    let value = Cabac.value;
    let spare = Cabac.spare;
    if (spare < 8) {
      value = (value << 32) | <u64>bswap<u32>(load<u32>(Cabac.at));
      Cabac.at += 4;
      spare += 32;
    }
    spare--;
    const scaled = <u64>Cabac.range << <u64>spare;
    const mask = <i64>(scaled - 1 - value) >> 63;
    Cabac.value = value - (scaled & <u64>mask);
    Cabac.spare = spare;
    return <i32>mask & 1;
  }

  /** DecodeTerminate (9.3.3.2.2.3). */
  static terminate(): bool {
    if (Cabac.spare < 8) {
      Cabac.value = (Cabac.value << 32) | <u64>bswap<u32>(load<u32>(Cabac.at));
      Cabac.at += 4;
      Cabac.spare += 32;
    }
    Cabac.range -= 2;
    if (Cabac.value >= <u64>Cabac.range << <u64>Cabac.spare) return true;
    if (Cabac.range < 256) {
      Cabac.range <<= 1;
      Cabac.spare--;
    }
    return false;
  }

  /**
   * One residual block whose coded_block_flag is 1: `significant`, `last` and `levels` are the ctxIdx where its contexts begin.
   * `increments` 0: the contexts of the map are counted by place; else a table of the 8x8 block's ctxIdxInc. `cap` is 3 for chroma DC,
   * else 4. Coefficients go to `out` as with cavlcBlock. Returns their number, with 256 added when only the first place has one.
   */
  static block(
    significant: i32, last: i32, levels: i32, maxNumCoeff: i32, increments: usize, cap: i32,
    out: usize, scan: usize, scale: usize, shift: i32,
  ): i32 {
    let range = Cabac.range;
    let value = Cabac.value;
    let spare = Cabac.spare;
    let at = Cabac.at;
    const contexts = Slice.cabacContexts;
    const tables = Slice.cabacTables;
    const places = Cabac.places;
    let context: usize;
    let state: u32;
    let lps: u32;
    let scaled: u64;
    let mask: i64;
    let renorm: u32;

    // significance map: places in ascending order
    const final = maxNumCoeff - 1;
    let total: i32 = 0;
    let i: i32 = 0;
    for (; i < final; i++) {
      // both decisions of a place need at most 14 bits
      if (spare < 16) {
        value = (value << 32) | <u64>bswap<u32>(load<u32>(at));
        at += 4;
        spare += 32;
      }
      context = contexts + significant + (increments != 0 ? <i32>load<u8>(increments + i) : i);
      state = <u32>load<u8>(context);
      lps = <u32>load<u8>(tables + (((state & 126) << 1) | ((range >> 6) & 3)));
      range -= lps;
      scaled = <u64>range << <u64>spare;
      mask = <i64>(scaled - 1 - value) >> 63;
      value -= scaled & <u64>mask;
      range += (lps - range) & <u32>mask;
      store<u8>(context, load<u8>(tables + state + (<u32>mask & 128), NEXT));
      renorm = clz<u32>(range) - 23;
      range <<= renorm;
      spare -= renorm;
      if (((state ^ <u32>mask) & 1) == 0) continue;

      store<u8>(places + total, <u8>i);
      total++;
      context = contexts + last + (increments != 0 ? <i32>load<u8>(tables + LAST_8X8 + i) : i);
      state = <u32>load<u8>(context);
      lps = <u32>load<u8>(tables + (((state & 126) << 1) | ((range >> 6) & 3)));
      range -= lps;
      scaled = <u64>range << <u64>spare;
      mask = <i64>(scaled - 1 - value) >> 63;
      value -= scaled & <u64>mask;
      range += (lps - range) & <u32>mask;
      store<u8>(context, load<u8>(tables + state + (<u32>mask & 128), NEXT));
      renorm = clz<u32>(range) - 23;
      range <<= renorm;
      spare -= renorm;
      if (((state ^ <u32>mask) & 1) != 0) break;
    }
    if (i == final) {
      store<u8>(places + total, <u8>final);
      total++;
    }

    // levels, from the last place down
    const rounding = (1 << shift) >> 1;
    let numEq1: i32 = 1;
    let numGt1: i32 = 0;
    for (let k = total - 1; k >= 0; k--) {
      let magnitude: i32 = 1;
      if (spare < 16) {
        value = (value << 32) | <u64>bswap<u32>(load<u32>(at));
        at += 4;
        spare += 32;
      }
      context = contexts + levels + (numGt1 != 0 ? 0 : min(numEq1, 4));
      state = <u32>load<u8>(context);
      lps = <u32>load<u8>(tables + (((state & 126) << 1) | ((range >> 6) & 3)));
      range -= lps;
      scaled = <u64>range << <u64>spare;
      mask = <i64>(scaled - 1 - value) >> 63;
      value -= scaled & <u64>mask;
      range += (lps - range) & <u32>mask;
      store<u8>(context, load<u8>(tables + state + (<u32>mask & 128), NEXT));
      renorm = clz<u32>(range) - 23;
      range <<= renorm;
      spare -= renorm;
      if (((state ^ <u32>mask) & 1) == 0) {
        numEq1++;
      } else {
        magnitude = 2;
        context = contexts + levels + 5 + min(numGt1, cap);
        while (magnitude < 15) {
          if (spare < 8) {
            value = (value << 32) | <u64>bswap<u32>(load<u32>(at));
            at += 4;
            spare += 32;
          }
          state = <u32>load<u8>(context);
          lps = <u32>load<u8>(tables + (((state & 126) << 1) | ((range >> 6) & 3)));
          range -= lps;
          scaled = <u64>range << <u64>spare;
          mask = <i64>(scaled - 1 - value) >> 63;
          value -= scaled & <u64>mask;
          range += (lps - range) & <u32>mask;
          store<u8>(context, load<u8>(tables + state + (<u32>mask & 128), NEXT));
          renorm = clz<u32>(range) - 23;
          range <<= renorm;
          spare -= renorm;
          if (((state ^ <u32>mask) & 1) == 0) break;
          magnitude++;
        }
        if (magnitude == 15) {
          // Exp-Golomb suffix of order 0 (9.3.2.3): rare, so through the engine's globals
          Cabac.range = range;
          Cabac.value = value;
          Cabac.spare = spare;
          Cabac.at = at;
          magnitude += Cabac.suffix();
          value = Cabac.value;
          spare = Cabac.spare;
          at = Cabac.at;
        }
        numGt1++;
      }
      if (spare < 8) {
        value = (value << 32) | <u64>bswap<u32>(load<u32>(at));
        at += 4;
        spare += 32;
      }
      spare--;
      scaled = <u64>range << <u64>spare;
      mask = <i64>(scaled - 1 - value) >> 63;
      value -= scaled & <u64>mask;
      const level = (magnitude ^ <i32>mask) - <i32>mask;
      const place = <usize>load<u8>(places + k);
      if (scale == 0) {
        store<i32>(out + 4 * place, level);
      } else {
        const raster = <usize>load<u8>(scan + place);
        store<i16>(out + 2 * raster, <i16>((level * load<i32>(scale + 4 * raster) + rounding) >> shift));
      }
    }
    Cabac.range = range;
    Cabac.value = value;
    Cabac.spare = spare;
    Cabac.at = at;
    return total == 1 && load<u8>(places) == 0 ? 257 : total;
  }

  /** The suffix of coeff_abs_level_minus1: Exp-Golomb of order 0 in bypass bins. */
  static suffix(): i32 {
    let value: i32 = 0;
    let order: i32 = 0;
    while (Cabac.bypass() != 0) {
      value += 1 << order;
      order++;
      if (order > 24) {
        Slice.fail(FAULT_LEVEL);
        return 0;
      }
    }
    while (order > 0) {
      order--;
      value += Cabac.bypass() << order;
    }
    return value;
  }

  /** ctxIdxInc of significant_coeff_flag in 8x8 blocks of frame macroblocks (Table 9-43). */
  static increments8x8(): usize {
    return Slice.cabacTables + SIGNIFICANT_8X8;
  }
}
