// Motion of inter macroblocks of frames: the caches around the macroblock, vector prediction (8.4.1.3), P_Skip (8.4.1.1) and what is
// kept for later macroblocks. The same as macroblock/mv-prediction.ts and decoder/mvd-cache.ts without fields and MBAFF.

import { CACHE_ORIGIN, CACHE_STRIDE, Cache, Mb, REF_UNAVAILABLE, Slice } from './context';

/** Bit w of entry 4 * row + column: C of a block w wide (1, 2) at that place lies in this macroblock and is decoded already. */
const IS_C_DECODED = memory.data<u8>([0, 0, 0, 0, 1, 0, 1, 0, 3, 3, 1, 0, 1, 0, 1, 0]);

const ROW: usize = 4 * CACHE_STRIDE; // bytes from row to row of a vector cache

// @ts-ignore: decorator
@inline
export function mvX(mv: i32): i32 {
  return (mv << 16) >> 16;
}
// @ts-ignore: decorator
@inline
export function mvY(mv: i32): i32 {
  return mv >> 16;
}
// @ts-ignore: decorator
@inline
export function packMv(x: i32, y: i32): i32 {
  return (x & 0xffff) | (y << 16);
}

// @ts-ignore: decorator
@inline
function median(a: i32, b: i32, c: i32): i32 {
  return max(min(a, b), min(max(a, b), c));
}

// @ts-ignore: decorator
@inline
function medianMv(a: i32, b: i32, c: i32): i32 {
  return packMv(median(mvX(a), mvX(b), mvX(c)), median(mvY(a), mvY(b), mvY(c)));
}

/** Two bytes a, b as a, a, b, b. */
// @ts-ignore: decorator
@inline
function twice(pair: u32): u32 {
  return ((pair & 0xff00) * 0x010100) | ((pair & 0xff) * 0x0101);
}

export class Motion {
  /** Vector of the block that fetchC found. */
  static mvC: i32 = 0;

  /** Loads reference indices and vectors around the macroblock into the cache of one list. */
  static fill(list: i32): void {
    const refs = list == 0 ? Cache.ref0 : Cache.ref1;
    const mvs = list == 0 ? Cache.mv0 : Cache.mv1;
    const refIdx = list == 0 ? Slice.refIdx0 : Slice.refIdx1;
    const mv = list == 0 ? Slice.mv0 : Slice.mv1;
    const a = Mb.a;
    const b = Mb.b;
    const c = Mb.c;
    const d = Mb.d;
    // place 1 is above block (0, 0)
    if (b >= 0) {
      store<u32>(refs, twice(<u32>load<u16>(refIdx + 4 * b, 2)), 1);
      v128.store(mvs, v128.load(mv + 64 * b, 48), 4);
    } else {
      store<u32>(refs, 0xfefefefe, 1);
    }
    if (c >= 0) {
      store<u8>(refs, load<u8>(refIdx + 4 * c, 2), 5);
      store<i32>(mvs, load<i32>(mv + 64 * c, 48), 20);
    } else {
      store<i8>(refs, <i8>REF_UNAVAILABLE, 5);
    }
    if (d >= 0) {
      store<u8>(refs, load<u8>(refIdx + 4 * d, 3));
      store<i32>(mvs, load<i32>(mv + 64 * d, 60));
    } else {
      store<i8>(refs, <i8>REF_UNAVAILABLE);
    }
    let upper: u8 = 0xfe;
    let lower: u8 = 0xfe;
    if (a >= 0) {
      upper = load<u8>(refIdx + 4 * a, 1);
      lower = load<u8>(refIdx + 4 * a, 3);
      const from = mv + 64 * a;
      store<i32>(mvs, load<i32>(from, 12), 32);
      store<i32>(mvs, load<i32>(from, 28), 64);
      store<i32>(mvs, load<i32>(from, 44), 96);
      store<i32>(mvs, load<i32>(from, 60), 128);
    }
    store<u8>(refs, upper, 8);
    store<u8>(refs, upper, 16);
    store<u8>(refs, lower, 24);
    store<u8>(refs, lower, 32);
  }

  /** Reference index of C, or of D where C is not available; its vector in mvC. */
  static fetchC(refs: usize, mvs: usize, x: i32, y: i32, w: i32): i32 {
    const at = CACHE_ORIGIN + y * CACHE_STRIDE + x;
    let from = at - CACHE_STRIDE + w;
    const isThere =
      y == 0
        ? <i32>load<i8>(refs + from) != REF_UNAVAILABLE
        : (<i32>load<u8>(IS_C_DECODED + 4 * y + x) & w) != 0;
    if (!isThere) from = at - CACHE_STRIDE - 1;
    const ref = <i32>load<i8>(refs + from);
    Motion.mvC = ref >= 0 ? load<i32>(mvs + 4 * from) : 0;
    return ref;
  }

  /** Median prediction (8.4.1.3.1) for the partition at block (x, y), `w` blocks wide, that refers to `ref`. */
  static predict(list: i32, x: i32, y: i32, w: i32, ref: i32): i32 {
    const refs = list == 0 ? Cache.ref0 : Cache.ref1;
    const mvs = list == 0 ? Cache.mv0 : Cache.mv1;
    const at = CACHE_ORIGIN + y * CACHE_STRIDE + x;
    const refA = <i32>load<i8>(refs + at - 1);
    const refB = <i32>load<i8>(refs + at - CACHE_STRIDE);
    const mvA = refA >= 0 ? load<i32>(mvs + 4 * (at - 1)) : 0;
    const mvB = refB >= 0 ? load<i32>(mvs + 4 * (at - CACHE_STRIDE)) : 0;
    const refC = Motion.fetchC(refs, mvs, x, y, w);
    const mvC = Motion.mvC;
    const matches = <i32>(refA == ref) + <i32>(refB == ref) + <i32>(refC == ref);
    if (matches == 1) return refA == ref ? mvA : refB == ref ? mvB : mvC;
    if (refB == REF_UNAVAILABLE && refC == REF_UNAVAILABLE && refA != REF_UNAVAILABLE) return mvA;
    return medianMv(mvA, mvB, mvC);
  }

  /** 16x8 partitions (8.4.1.3): the upper asks B first, the lower A. */
  static predict16x8(list: i32, y: i32, ref: i32): i32 {
    const refs = list == 0 ? Cache.ref0 : Cache.ref1;
    const at = y == 0 ? CACHE_ORIGIN - CACHE_STRIDE : CACHE_ORIGIN + 2 * CACHE_STRIDE - 1;
    if (<i32>load<i8>(refs + at) == ref) return load<i32>((list == 0 ? Cache.mv0 : Cache.mv1) + 4 * at);
    return Motion.predict(list, 0, y, 4, ref);
  }

  /** 8x16 partitions (8.4.1.3): the left asks A first, the right C. */
  static predict8x16(list: i32, x: i32, ref: i32): i32 {
    const refs = list == 0 ? Cache.ref0 : Cache.ref1;
    const mvs = list == 0 ? Cache.mv0 : Cache.mv1;
    if (x == 0) {
      if (<i32>load<i8>(refs + CACHE_ORIGIN - 1) == ref) return load<i32>(mvs + 4 * (CACHE_ORIGIN - 1));
    } else if (Motion.fetchC(refs, mvs, 2, 0, 2) == ref) {
      return Motion.mvC;
    }
    return Motion.predict(list, x, 0, 2, ref);
  }

  /** P_Skip (8.4.1.1), without the cache. */
  static skip(): i32 {
    const a = Mb.a;
    const b = Mb.b;
    if (a < 0 || b < 0) return 0;
    const refIdx = Slice.refIdx0;
    const mv = Slice.mv0;
    const refA = <i32>load<i8>(refIdx + 4 * a, 1);
    const refB = <i32>load<i8>(refIdx + 4 * b, 2);
    const mvA = refA >= 0 ? load<i32>(mv + 64 * a, 12) : 0;
    const mvB = refB >= 0 ? load<i32>(mv + 64 * b, 48) : 0;
    if ((refA | mvA) == 0 || (refB | mvB) == 0) return 0;
    let refC = REF_UNAVAILABLE;
    let mvC = 0;
    if (Mb.c >= 0) {
      refC = <i32>load<i8>(refIdx + 4 * Mb.c, 2);
      mvC = refC >= 0 ? load<i32>(mv + 64 * Mb.c, 48) : 0;
    } else if (Mb.d >= 0) {
      refC = <i32>load<i8>(refIdx + 4 * Mb.d, 3);
      mvC = refC >= 0 ? load<i32>(mv + 64 * Mb.d, 60) : 0;
    }
    const matches = <i32>(refA == 0) + <i32>(refB == 0) + <i32>(refC == 0);
    if (matches == 1) return refA == 0 ? mvA : refB == 0 ? mvB : mvC;
    return medianMv(mvA, mvB, mvC);
  }

  /** Writes a reference index into w x h blocks of a list's cache. */
  static fillRef(list: i32, x: i32, y: i32, w: i32, h: i32, ref: i32): void {
    let at = (list == 0 ? Cache.ref0 : Cache.ref1) + CACHE_ORIGIN + y * CACHE_STRIDE + x;
    for (let row = 0; row < h; row++) {
      for (let i = 0; i < w; i++) store<u8>(at + i, <u8>ref);
      at += CACHE_STRIDE;
    }
  }

  /** Writes a vector into w x h blocks of a list's cache. */
  static fillMv(list: i32, x: i32, y: i32, w: i32, h: i32, mv: i32): void {
    let at = (list == 0 ? Cache.mv0 : Cache.mv1) + 4 * (CACHE_ORIGIN + y * CACHE_STRIDE + x);
    for (let row = 0; row < h; row++) {
      for (let i = 0; i < w; i++) store<i32>(at + 4 * i, mv);
      at += ROW;
    }
  }

  /** Copies the cache of a list into the picture's motion. */
  static keep(list: i32): void {
    const mvs = (list == 0 ? Cache.mv0 : Cache.mv1) + 4 * CACHE_ORIGIN;
    const to = (list == 0 ? Slice.mv0 : Slice.mv1) + 64 * Mb.mb;
    v128.store(to, v128.load(mvs));
    v128.store(to, v128.load(mvs, 32), 16);
    v128.store(to, v128.load(mvs, 64), 32);
    v128.store(to, v128.load(mvs, 96), 48);
    const refs = (list == 0 ? Cache.ref0 : Cache.ref1) + CACHE_ORIGIN;
    Motion.keepRef(list, 0, <i32>load<i8>(refs));
    Motion.keepRef(list, 1, <i32>load<i8>(refs, 2));
    Motion.keepRef(list, 2, <i32>load<i8>(refs, 16));
    Motion.keepRef(list, 3, <i32>load<i8>(refs, 18));
  }

  // @ts-ignore: decorator
  @inline static keepRef(list: i32, block: i32, ref: i32): void {
    const at = 4 * Mb.mb + block;
    store<u8>((list == 0 ? Slice.refIdx0 : Slice.refIdx1) + at, <u8>ref);
    const id = ref < 0 ? -1 : load<i32>(Slice.references + 512 * list + 16 * ref, 12);
    store<u8>((list == 0 ? Slice.refPic0 : Slice.refPic1) + at, <u8>id);
  }

  /** One reference (>= 0) and vector of a list for the whole macroblock. */
  static keepUniform(list: i32, ref: i32, mv: i32): void {
    const at = 4 * Mb.mb;
    const id = load<i32>(Slice.references + 512 * list + 16 * ref, 12);
    store<u32>((list == 0 ? Slice.refIdx0 : Slice.refIdx1) + at, <u32>ref * 0x01010101);
    store<u32>((list == 0 ? Slice.refPic0 : Slice.refPic1) + at, <u32>(id & 255) * 0x01010101);
    const to = (list == 0 ? Slice.mv0 : Slice.mv1) + 64 * Mb.mb;
    const four = i32x4.splat(mv);
    v128.store(to, four);
    v128.store(to, four, 16);
    v128.store(to, four, 32);
    v128.store(to, four, 48);
  }

  /** The macroblock does not use a list. */
  static keepNone(list: i32): void {
    const at = 4 * Mb.mb;
    store<i32>((list == 0 ? Slice.refIdx0 : Slice.refIdx1) + at, -1);
    store<i32>((list == 0 ? Slice.refPic0 : Slice.refPic1) + at, -1);
  }

  /** Keeps the motion of both lists. */
  static keepBoth(): void {
    if (!Mb.isUniform) {
      Motion.keep(0);
      if (Slice.isB) {
        Motion.keep(1);
      } else {
        Motion.keepNone(1);
      }
      return;
    }
    const ref0 = <i32>load<i8>(Cache.ref0 + CACHE_ORIGIN);
    const ref1 = <i32>load<i8>(Cache.ref1 + CACHE_ORIGIN);
    if (ref0 >= 0) {
      Motion.keepUniform(0, ref0, load<i32>(Cache.mv0 + 4 * CACHE_ORIGIN));
    } else {
      Motion.keepNone(0);
    }
    if (ref1 >= 0) {
      Motion.keepUniform(1, ref1, load<i32>(Cache.mv1 + 4 * CACHE_ORIGIN));
    } else {
      Motion.keepNone(1);
    }
  }
}

/** Vector differences and direct marks around the macroblock, for the contexts of CABAC (9.3.3.1.1.6, 9.3.3.1.1.7). */
export class Differences {
  /** Loads |mvd| of the neighbours into the cache of one list. */
  static fill(list: i32): void {
    const cache = list == 0 ? Cache.mvd0 : Cache.mvd1;
    const from = Slice.mvds + (list == 0 ? 0 : Slice.mvdList1);
    store<u64>(cache, Mb.b >= 0 ? load<u64>(from + 16 * Mb.b) : 0, 2);
    // right column of A: rows 0..3, two bytes each
    const left = Mb.a >= 0 ? load<u64>(from + 16 * Mb.a, 8) : 0;
    store<u16>(cache, <u16>left, 16);
    store<u16>(cache, <u16>(left >> 16), 32);
    store<u16>(cache, <u16>(left >> 32), 48);
    store<u16>(cache, <u16>(left >> 48), 64);
  }

  /** Writes |mvd| of a partition into the cache. */
  static set(list: i32, x: i32, y: i32, w: i32, h: i32, dx: i32, dy: i32): void {
    const both = <u16>(min<u32>(255, <u32>abs<i32>(dx)) | (min<u32>(255, <u32>abs<i32>(dy)) << 8));
    let at = (list == 0 ? Cache.mvd0 : Cache.mvd1) + 2 * (CACHE_ORIGIN + y * CACHE_STRIDE + x);
    for (let row = 0; row < h; row++) {
      for (let i = 0; i < w; i++) store<u16>(at + 2 * i, both);
      at += 2 * CACHE_STRIDE;
    }
  }

  /** Keeps the lower row and the right column for later macroblocks. */
  static keep(): void {
    if ((Mb.directMask & 15) == 15) {
      Mb.clearMvd();
      return;
    }
    Differences.keepList(Cache.mvd0, Slice.mvds + 16 * Mb.mb);
    const to = Slice.mvds + Slice.mvdList1 + 16 * Mb.mb;
    if (Slice.isB) {
      Differences.keepList(Cache.mvd1, to);
    } else {
      v128.store(to, i64x2.splat(0));
    }
  }

  static keepList(cache: usize, to: usize): void {
    const first = cache + 2 * CACHE_ORIGIN;
    store<u64>(to, load<u64>(first, 48));
    store<u64>(
      to,
      <u64>load<u16>(first, 6) |
        (<u64>load<u16>(first, 22) << 16) |
        (<u64>load<u16>(first, 38) << 32) |
        (<u64>load<u16>(first, 54) << 48),
      8,
    );
  }

  /** Loads the direct marks of the neighbours; the macroblock's own are cleared. */
  static fillDirect(): void {
    const cache = Cache.direct;
    v128.store(cache, i64x2.splat(0), 8);
    v128.store(cache, i64x2.splat(0), 24);
    let above: u32 = 0;
    if (Mb.b >= 0) {
      const bits = <u32>load<u8>(Slice.directs + Mb.b);
      above = twice(((bits >> 2) & 1) | ((bits & 8) << 5));
    }
    store<u64>(cache, <u64>above << 8);
    if (Mb.a >= 0) {
      const bits = <u32>load<u8>(Slice.directs + Mb.a);
      const upper = <u8>((bits >> 1) & 1);
      const lower = <u8>((bits >> 3) & 1);
      store<u8>(cache, upper, 8);
      store<u8>(cache, upper, 16);
      store<u8>(cache, lower, 24);
      store<u8>(cache, lower, 32);
    }
  }

  /** Marks the macroblock's own direct 8x8 blocks. */
  static markDirect(): void {
    const first = Cache.direct + CACHE_ORIGIN;
    for (let block: u32 = 0; block < 4; block++) {
      const at = first + 2 * CACHE_STRIDE * (block >> 1) + 2 * (block & 1);
      const both = <u16>(((Mb.directMask >> block) & 1) * 0x0101);
      store<u16>(at, both);
      store<u16>(at, both, CACHE_STRIDE);
    }
  }
}
