// Residual blocks in CAVLC (7.3.5.3.2, 9.2): the same kernel as kernels/residual-kernels.ts, which describes tables, results and faults.

const COEFF_TOKEN_8: usize = 1024;
const TOTAL_ZEROS_CHROMA_DC: usize = 1088;
const RUN_BEFORE_SHORT: usize = 1120;
const RUN_BEFORE_LONG: usize = 1184;
const TOTAL_ZEROS_4X4: usize = 3232;

/** The 32 bits at a bit position. */
// @ts-ignore: decorator
@inline
function peek(data: usize, position: u32): u32 {
  return <u32>((bswap<u64>(load<u64>(data + (position >> 3))) << (position & 7)) >> 32);
}

export function cavlcBlock(
  data: usize, position: u32, length: u32, nC: i32, maxNumCoeff: i32,
  out: usize, scan: usize, scale: usize, shift: i32, tables: usize, result: usize,
): i32 {
  // coeff_token (Table 9-5)
  let word = peek(data, position);
  let token: u32;
  if (nC >= 8) {
    token = load<u8>(tables + COEFF_TOKEN_8 + (word >> 26));
    position += 6;
  } else {
    const table: usize = nC < 0 ? 768 : nC < 2 ? 0 : nC < 4 ? 256 : 512;
    let zeros = clz<u32>(word);
    if (zeros > 15) {
      if (nC >= 0) return -1;
      zeros = 15; // the all-zero code of chroma DC
    }
    const entry = <u32>load<u16>(tables + table + zeros * 16 + 2 * ((word >> (28 - zeros)) & 7));
    if (entry == 0) return -2;
    token = entry & 255;
    position += entry >> 8;
  }
  const total = <i32>(token >> 2);
  store<i32>(result, 0, 4);
  if (total == 0) {
    store<u32>(result, position);
    return position > length ? -3 : 0;
  }
  if (total > maxNumCoeff) return -4;

  // levels (9.2.2.1), from the highest frequency down
  const trailingOnes = <i32>(token & 3);
  const levels = result + 16;
  word = peek(data, position);
  position += trailingOnes;
  store<i32>(levels, 1 - <i32>((word >> 30) & 2));
  if (trailingOnes > 1) store<i32>(levels, 1 - <i32>((word >> 29) & 2), 4);
  if (trailingOnes > 2) store<i32>(levels, 1 - <i32>((word >> 28) & 2), 8);
  let suffixLength: u32 = total > 10 && trailingOnes < 3 ? 1 : 0;
  for (let i = trailingOnes; i < total; i++) {
    word = peek(data, position);
    const prefix = clz<u32>(word);
    if (prefix > 24) return -5;
    position += prefix + 1;
    let levelCode = <i32>(min<u32>(prefix, 15) << suffixLength);
    let suffixSize = suffixLength;
    if (prefix == 14 && suffixLength == 0) {
      suffixSize = 4;
    } else if (prefix >= 15) {
      suffixSize = prefix - 3;
      if (suffixLength == 0) levelCode += 15;
      if (prefix >= 16) levelCode += (1 << (prefix - 3)) - 4096;
    }
    if (suffixSize > 0) {
      levelCode += <i32>(peek(data, position) >> (32 - suffixSize));
      position += suffixSize;
    }
    if (i == trailingOnes && trailingOnes < 3) levelCode += 2;
    const level = (levelCode & 1) == 0 ? (levelCode + 2) >> 1 : (-levelCode - 1) >> 1;
    store<i32>(levels + 4 * i, level);
    if (suffixLength == 0) suffixLength = 1;
    if ((level < 0 ? -level : level) > 3 << <i32>(suffixLength - 1) && suffixLength < 6) suffixLength++;
  }

  // total_zeros (Tables 9-7, 9-9)
  let zerosLeft: i32 = 0;
  if (total < maxNumCoeff) {
    word = peek(data, position);
    const entry = <u32>(
      maxNumCoeff == 4
        ? load<u8>(tables + TOTAL_ZEROS_CHROMA_DC + 8 * total + (word >> 29))
        : load<u8>(tables + TOTAL_ZEROS_4X4 + 512 * total + (word >> 23))
    );
    if (entry == 0) return -6;
    position += entry >> 4;
    zerosLeft = <i32>(entry & 15);
    if (total + zerosLeft > maxNumCoeff) return -7;
  }

  // run_before (Table 9-10), and the coefficients as their places become known
  let place = total + zerosLeft - 1;
  store<i32>(result, <i32>(total == 1 && place == 0), 4);
  const rounding = (1 << shift) >> 1;
  for (let i = 0; i < total; i++) {
    if (i > 0) {
      if (zerosLeft > 0) {
        word = peek(data, position);
        const entry = <u32>(
          zerosLeft < 7
            ? load<u8>(tables + RUN_BEFORE_SHORT + 8 * zerosLeft + (word >> 29))
            : load<u8>(tables + RUN_BEFORE_LONG + (word >> 21))
        );
        const run = <i32>(entry & 15);
        if (entry == 0 || run > zerosLeft) return -8;
        position += entry >> 4;
        zerosLeft -= run;
        place -= run;
      }
      place--;
    }
    const level = load<i32>(levels + 4 * i);
    if (scale == 0) {
      store<i32>(out + 4 * place, level);
    } else {
      const raster = <usize>load<u8>(scan + place);
      store<i16>(out + 2 * raster, <i16>((level * load<i32>(scale + 4 * raster) + rounding) >> shift));
    }
  }
  store<u32>(result, position);
  return position > length ? -3 : total;
}
