// Reading the bits of a slice (7.2, 9.1) where entropy_coding_mode_flag is 0. Data is followed by zeros, so that reading past the end
// finds a code of too many zeros; the macroblock loop compares the position with the length.

import { FAULT_EXP_GOLOMB, Slice } from './context';

export class Bits {
  static position: u32 = 0;

  /** The next 32 bits. */
  // @ts-ignore: decorator
  @inline static peek(): u32 {
    const at = Bits.position;
    return <u32>((bswap<u64>(load<u64>(Slice.data + (at >> 3))) << (at & 7)) >> 32);
  }

  static bit(): u32 {
    const word = Bits.peek();
    Bits.position++;
    return word >> 31;
  }

  /** ue(v) (9.1). */
  static ue(): u32 {
    const word = Bits.peek();
    const zeros = clz<u32>(word);
    if (zeros > 15) return Bits.longUe(zeros);
    Bits.position += 2 * zeros + 1;
    return (word >> (31 - 2 * zeros)) - 1;
  }

  static longUe(zeros: u32): u32 {
    if (zeros > 31) {
      Slice.fail(FAULT_EXP_GOLOMB);
      return 0;
    }
    Bits.position += zeros + 1;
    const rest = Bits.peek() >> (32 - zeros);
    Bits.position += zeros;
    return ((<u32>1 << zeros) - 1) + rest;
  }

  /** se(v) (9.1.1). */
  static se(): i32 {
    const codeNum = Bits.ue();
    return (codeNum & 1) != 0 ? <i32>((codeNum + 1) >> 1) : -<i32>(codeNum >> 1);
  }

  /** te(v) with the largest value `range` >= 1. */
  static te(range: i32): u32 {
    return range > 1 ? Bits.ue() : 1 - Bits.bit();
  }

  /** more_rbsp_data() (7.2). */
  // @ts-ignore: decorator
  @inline static hasMore(): bool {
    return Bits.position < Slice.stop;
  }
}
