// Residual blocks in CABAC (7.3.5.3.3, 9.3.3.1.3, 9.3.3.2): the same kernel as kernels/cabac-residual-kernels.ts, which describes the
// engine cell and the tables.
//
// The engine's state lives in locals. DecodeDecision (9.3.3.2.1) is written out at each of its five places, because a function could
// hand back only one value: at most 7 bits are consumed per decision, so one refill before it is enough.

const NEXT_MPS: usize = 256;
const NEXT_LPS: usize = 384;
const SIGNIFICANT_8X8: usize = 512;
const LAST_8X8: usize = 640;
const POSITIONS: usize = 64;

const KIND_8X8_FRAME = 1;
const KIND_8X8_FIELD = 2;
const KIND_CHROMA_DC = 3;

/** The byte at `at`, 0 behind the end. */
// @ts-ignore: decorator
@inline
function byteAt(data: usize, at: u32, limit: u32): u32 {
  return at < limit ? <u32>load<u8>(data + at) : 0;
}

export function cabacBlock(
  engine: usize, codedBlockFlag: i32, significant: i32, last: i32, levels: i32,
  maxNumCoeff: i32, kind: i32, out: usize, scan: usize, scale: usize, shift: i32,
): i32 {
  let range = load<u32>(engine);
  let value = load<u32>(engine, 4);
  let spare = load<u32>(engine, 8);
  let at = load<u32>(engine, 12);
  const limit = load<u32>(engine, 16);
  const data = <usize>load<u32>(engine, 20);
  const contexts = <usize>load<u32>(engine, 24);
  const tables = <usize>load<u32>(engine, 28);
  let context: usize;
  let state: u32;
  let lps: u32;
  let scaled: u32;
  let bit: u32;
  let renorm: u32;

  if (codedBlockFlag >= 0) {
    if (spare < 8) {
      value = (value << 8) | byteAt(data, at++, limit);
      spare += 8;
    }
    context = contexts + codedBlockFlag;
    state = load<u8>(context);
    lps = load<u8>(tables + (((state & 126) << 1) | ((range >> 6) & 3)));
    range -= lps;
    scaled = range << spare;
    bit = state & 1;
    if (value < scaled) {
      store<u8>(context, load<u8>(tables + state, NEXT_MPS));
    } else {
      store<u8>(context, load<u8>(tables + state, NEXT_LPS));
      bit ^= 1;
      value -= scaled;
      range = lps;
    }
    renorm = clz<u32>(range) - 23;
    range <<= renorm;
    spare -= renorm;
    if (bit == 0) {
      store<u32>(engine, range);
      store<u32>(engine, value, 4);
      store<u32>(engine, spare, 8);
      store<u32>(engine, at, 12);
      return 0;
    }
  }

  // significance map: places in ascending order
  const positions = engine + POSITIONS;
  const final = maxNumCoeff - 1;
  const is8x8 = kind == KIND_8X8_FRAME || kind == KIND_8X8_FIELD;
  const increments = tables + SIGNIFICANT_8X8 + (kind == KIND_8X8_FIELD ? 64 : 0);
  let total: i32 = 0;
  let i: i32 = 0;
  for (; i < final; i++) {
    if (spare < 8) {
      value = (value << 8) | byteAt(data, at++, limit);
      spare += 8;
    }
    context = contexts + significant + (is8x8 ? <i32>load<u8>(increments + i) : i);
    state = load<u8>(context);
    lps = load<u8>(tables + (((state & 126) << 1) | ((range >> 6) & 3)));
    range -= lps;
    scaled = range << spare;
    bit = state & 1;
    if (value < scaled) {
      store<u8>(context, load<u8>(tables + state, NEXT_MPS));
    } else {
      store<u8>(context, load<u8>(tables + state, NEXT_LPS));
      bit ^= 1;
      value -= scaled;
      range = lps;
    }
    renorm = clz<u32>(range) - 23;
    range <<= renorm;
    spare -= renorm;
    if (bit == 0) continue;

    store<u8>(positions + total, <u8>i);
    total++;
    if (spare < 8) {
      value = (value << 8) | byteAt(data, at++, limit);
      spare += 8;
    }
    context = contexts + last + (is8x8 ? <i32>load<u8>(tables + LAST_8X8 + i) : i);
    state = load<u8>(context);
    lps = load<u8>(tables + (((state & 126) << 1) | ((range >> 6) & 3)));
    range -= lps;
    scaled = range << spare;
    bit = state & 1;
    if (value < scaled) {
      store<u8>(context, load<u8>(tables + state, NEXT_MPS));
    } else {
      store<u8>(context, load<u8>(tables + state, NEXT_LPS));
      bit ^= 1;
      value -= scaled;
      range = lps;
    }
    renorm = clz<u32>(range) - 23;
    range <<= renorm;
    spare -= renorm;
    if (bit != 0) break;
  }
  if (i == final) {
    store<u8>(positions + total, <u8>final);
    total++;
  }

  // levels, from the last place down
  const cap = kind == KIND_CHROMA_DC ? 3 : 4;
  const rounding = (1 << shift) >> 1;
  let numEq1: i32 = 0;
  let numGt1: i32 = 0;
  for (let k = total - 1; k >= 0; k--) {
    let magnitude: i32 = 1;
    if (spare < 8) {
      value = (value << 8) | byteAt(data, at++, limit);
      spare += 8;
    }
    context = contexts + levels + (numGt1 != 0 ? 0 : min(1 + numEq1, 4));
    state = load<u8>(context);
    lps = load<u8>(tables + (((state & 126) << 1) | ((range >> 6) & 3)));
    range -= lps;
    scaled = range << spare;
    bit = state & 1;
    if (value < scaled) {
      store<u8>(context, load<u8>(tables + state, NEXT_MPS));
    } else {
      store<u8>(context, load<u8>(tables + state, NEXT_LPS));
      bit ^= 1;
      value -= scaled;
      range = lps;
    }
    renorm = clz<u32>(range) - 23;
    range <<= renorm;
    spare -= renorm;
    if (bit == 0) {
      numEq1++;
    } else {
      magnitude = 2;
      context = contexts + levels + 5 + min(numGt1, cap);
      while (magnitude < 15) {
        if (spare < 8) {
          value = (value << 8) | byteAt(data, at++, limit);
          spare += 8;
        }
        state = load<u8>(context);
        lps = load<u8>(tables + (((state & 126) << 1) | ((range >> 6) & 3)));
        range -= lps;
        scaled = range << spare;
        bit = state & 1;
        if (value < scaled) {
          store<u8>(context, load<u8>(tables + state, NEXT_MPS));
        } else {
          store<u8>(context, load<u8>(tables + state, NEXT_LPS));
          bit ^= 1;
          value -= scaled;
          range = lps;
        }
        renorm = clz<u32>(range) - 23;
        range <<= renorm;
        spare -= renorm;
        if (bit == 0) break;
        magnitude++;
      }
      if (magnitude == 15) {
        // Exp-Golomb suffix of order 0 (9.3.2.3), bypass bins
        let order: i32 = 0;
        for (;;) {
          if (spare < 8) {
            value = (value << 8) | byteAt(data, at++, limit);
            spare += 8;
          }
          spare--;
          scaled = range << spare;
          if (value < scaled) break;
          value -= scaled;
          magnitude += 1 << order;
          order++;
          if (order > 24) return -1;
        }
        while (order > 0) {
          order--;
          if (spare < 8) {
            value = (value << 8) | byteAt(data, at++, limit);
            spare += 8;
          }
          spare--;
          scaled = range << spare;
          if (value >= scaled) {
            value -= scaled;
            magnitude += 1 << order;
          }
        }
      }
      numGt1++;
    }
    if (spare < 8) {
      value = (value << 8) | byteAt(data, at++, limit);
      spare += 8;
    }
    spare--;
    scaled = range << spare;
    if (value >= scaled) {
      value -= scaled;
      magnitude = -magnitude;
    }
    const place = <usize>load<u8>(positions + k);
    if (scale == 0) {
      store<i32>(out + 4 * place, magnitude);
    } else {
      const raster = <usize>load<u8>(scan + place);
      store<i16>(out + 2 * raster, <i16>((magnitude * load<i32>(scale + 4 * raster) + rounding) >> shift));
    }
  }
  store<u32>(engine, range);
  store<u32>(engine, value, 4);
  store<u32>(engine, spare, 8);
  store<u32>(engine, at, 12);
  store<i32>(engine, <i32>(total == 1 && load<u8>(positions) == 0), 32);
  return total;
}
