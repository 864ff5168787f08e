// What the kernel that decodes slice data knows of the slice and of the current macroblock, as globals of the module instance. Loaded
// from the slice context (kernels/slice-context.ts draws its layout) at the start of each call; what changes is stored back at its end.

/** Bits of SLICE_FLAGS. */
export const FLAG_B: u32 = 1;
export const FLAG_INTRA: u32 = 2;
export const FLAG_CABAC: u32 = 4;
export const FLAG_SPATIAL: u32 = 8;
export const FLAG_INFERENCE_8X8: u32 = 16;
export const FLAG_TRANSFORM_8X8: u32 = 32;
export const FLAG_CONSTRAINED_INTRA: u32 = 64;
export const FLAG_HAS_COLOCATED: u32 = 128;
export const FLAG_COLOCATED_SHORT: u32 = 256;

/** Bits of the macroblock store's `kind`, as in macroblock/mb-types.ts. */
export const MB_INTRA_4X4: u32 = 1;
export const MB_INTRA_8X8: u32 = 2;
export const MB_INTRA_16X16: u32 = 4;
export const MB_PCM: u32 = 8;
export const MB_INTRA: u32 = 15;
export const MB_INTER: u32 = 16;
export const MB_SKIP: u32 = 32;
export const MB_DIRECT: u32 = 64;
export const MB_TRANSFORM_8X8: u32 = 128;

/** Caches of the current macroblock: rows of 8 places, block (0, 0) at place 9, as in decoder/slice-state.ts. */
export const CACHE_STRIDE: i32 = 8;
export const CACHE_ORIGIN: i32 = 9;
export const REF_UNUSED: i32 = -1;
export const REF_UNAVAILABLE: i32 = -2;

/** Faults; kernels/slice-context.ts says what they mean. */
export const FAULT_OUTSIDE: i32 = 1;
export const FAULT_TRUNCATED: i32 = 2;
export const FAULT_EXP_GOLOMB: i32 = 3;
export const FAULT_MB_TYPE: i32 = 4;
export const FAULT_SUB_MB_TYPE: i32 = 5;
export const FAULT_REF_IDX: i32 = 6;
export const FAULT_CHROMA_MODE: i32 = 7;
export const FAULT_INTRA_SAMPLES: i32 = 8;
export const FAULT_CODED_BLOCK_PATTERN: i32 = 9;
export const FAULT_QP_DELTA: i32 = 10;
export const FAULT_MVD: i32 = 11;
export const FAULT_LEVEL: i32 = 12;
export const FAULT_RESIDUAL: i32 = 13;

/** Byte offsets of the tables behind the words of the context. */
const REFERENCES: usize = 256;
const EXPLICIT_WEIGHTS: usize = 1280;
const IMPLICIT_WEIGHTS: usize = 2304;
const DIST_SCALE: usize = 4352;
const CACHES: usize = 4480;
const PROGRESS_CELLS: usize = 5312;

/** The slice and the stores. */
export class Slice {
  static fault: i32 = 0;
  static mbAddr: i32 = 0;
  static count: i32 = 0;
  static width: i32 = 0;
  /** Macroblock rows. */
  static height: i32 = 0;
  static isB: bool = false;
  static isIntra: bool = false;
  static isCabac: bool = false;
  static isSpatial: bool = false;
  static hasInference8x8: bool = false;
  static canTransform8x8: bool = false;
  static isConstrainedIntra: bool = false;
  static hasColocated: bool = false;
  static isColocatedShort: bool = false;
  static id: i32 = 0;
  static qp: i32 = 0;
  static lastDelta: i32 = 0;
  static skipRun: i32 = 0;
  static length: u32 = 0;
  static stop: u32 = 0;
  static data: usize = 0;
  static decoded: i32 = 0;
  static strideY: usize = 0;
  static strideC: usize = 0;
  static picY: usize = 0;
  static picU: usize = 0;
  static picV: usize = 0;
  static mv0: usize = 0;
  static mv1: usize = 0;
  static refIdx0: usize = 0;
  static refIdx1: usize = 0;
  static refPic0: usize = 0;
  static refPic1: usize = 0;
  static mbField: usize = 0;
  static sliceIds: usize = 0;
  static kinds: usize = 0;
  static qps: usize = 0;
  static cbps: usize = 0;
  static totals: usize = 0;
  static nonZeros: usize = 0;
  static intraModes: usize = 0;
  static chromaModes: usize = 0;
  static directs: usize = 0;
  static mbTypes: usize = 0;
  static mvds: usize = 0;
  static coefficients: usize = 0;
  static dc: usize = 0;
  static chromaDc: usize = 0;
  static scale4x4: usize = 0;
  static scale8x8: usize = 0;
  static chromaQp: usize = 0;
  static cavlcTables: usize = 0;
  static cavlcResult: usize = 0;
  static cavlcScans: usize = 0;
  static cabacContexts: usize = 0;
  static cabacTables: usize = 0;
  static cabacScans: usize = 0;
  static numRef0: i32 = 0;
  static numRef1: i32 = 0;
  static weightMode: i32 = 0;
  static lumaLogWD: i32 = 0;
  static chromaLogWD: i32 = 0;
  static colMv0: usize = 0;
  static colMv1: usize = 0;
  static colRefIdx0: usize = 0;
  static colRefIdx1: usize = 0;
  static colRefPic0: usize = 0;
  static colRefPic1: usize = 0;
  static scratch: usize = 0;
  static window: usize = 0;
  static mvdList1: usize = 0;
  static references: usize = 0;
  static explicitWeights: usize = 0;
  static implicitWeights: usize = 0;
  static distScale: usize = 0;
  static progressCells: usize = 0;

  static load(c: usize): void {
    Slice.fault = 0;
    Slice.mbAddr = load<i32>(c);
    Slice.count = load<i32>(c, 4);
    Slice.width = load<i32>(c, 8);
    Slice.height = load<i32>(c, 52);
    const flags = load<u32>(c, 12);
    Slice.isB = (flags & FLAG_B) != 0;
    Slice.isIntra = (flags & FLAG_INTRA) != 0;
    Slice.isCabac = (flags & FLAG_CABAC) != 0;
    Slice.isSpatial = (flags & FLAG_SPATIAL) != 0;
    Slice.hasInference8x8 = (flags & FLAG_INFERENCE_8X8) != 0;
    Slice.canTransform8x8 = (flags & FLAG_TRANSFORM_8X8) != 0;
    Slice.isConstrainedIntra = (flags & FLAG_CONSTRAINED_INTRA) != 0;
    Slice.hasColocated = (flags & FLAG_HAS_COLOCATED) != 0;
    Slice.isColocatedShort = (flags & FLAG_COLOCATED_SHORT) != 0;
    Slice.id = load<i32>(c, 16);
    Slice.qp = load<i32>(c, 20);
    Slice.lastDelta = load<i32>(c, 24);
    Slice.skipRun = load<i32>(c, 28);
    Slice.length = load<u32>(c, 36);
    Slice.stop = load<u32>(c, 40);
    Slice.data = load<usize>(c, 44);
    Slice.decoded = load<i32>(c, 48);
    Slice.strideY = load<usize>(c, 56);
    Slice.strideC = load<usize>(c, 60);
    Slice.picY = load<usize>(c, 64);
    Slice.picU = load<usize>(c, 68);
    Slice.picV = load<usize>(c, 72);
    Slice.mv0 = load<usize>(c, 76);
    Slice.mv1 = load<usize>(c, 80);
    Slice.refIdx0 = load<usize>(c, 84);
    Slice.refIdx1 = load<usize>(c, 88);
    Slice.refPic0 = load<usize>(c, 92);
    Slice.refPic1 = load<usize>(c, 96);
    Slice.mbField = load<usize>(c, 100);
    Slice.sliceIds = load<usize>(c, 104);
    Slice.kinds = load<usize>(c, 108);
    Slice.qps = load<usize>(c, 112);
    Slice.cbps = load<usize>(c, 116);
    Slice.totals = load<usize>(c, 120);
    Slice.nonZeros = load<usize>(c, 124);
    Slice.intraModes = load<usize>(c, 128);
    Slice.chromaModes = load<usize>(c, 132);
    Slice.directs = load<usize>(c, 136);
    Slice.mbTypes = load<usize>(c, 140);
    Slice.mvds = load<usize>(c, 144);
    Slice.coefficients = load<usize>(c, 148);
    Slice.dc = load<usize>(c, 152);
    Slice.chromaDc = load<usize>(c, 156);
    Slice.scale4x4 = load<usize>(c, 160);
    Slice.scale8x8 = load<usize>(c, 164);
    Slice.chromaQp = load<usize>(c, 168);
    Slice.cavlcTables = load<usize>(c, 172);
    Slice.cavlcResult = load<usize>(c, 176);
    Slice.cavlcScans = load<usize>(c, 180);
    Slice.cabacContexts = load<usize>(c, 184);
    Slice.cabacTables = load<usize>(c, 188);
    Slice.cabacScans = load<usize>(c, 192);
    Slice.numRef0 = load<i32>(c, 196);
    Slice.numRef1 = load<i32>(c, 200);
    Slice.weightMode = load<i32>(c, 204);
    Slice.lumaLogWD = load<i32>(c, 208);
    Slice.chromaLogWD = load<i32>(c, 212);
    Slice.colMv0 = load<usize>(c, 216);
    Slice.colMv1 = load<usize>(c, 220);
    Slice.colRefIdx0 = load<usize>(c, 224);
    Slice.colRefIdx1 = load<usize>(c, 228);
    Slice.colRefPic0 = load<usize>(c, 232);
    Slice.colRefPic1 = load<usize>(c, 236);
    Slice.scratch = load<usize>(c, 240);
    Slice.window = load<usize>(c, 244);
    Slice.mvdList1 = load<usize>(c, 248);
    Slice.references = c + REFERENCES;
    Slice.explicitWeights = c + EXPLICIT_WEIGHTS;
    Slice.implicitWeights = c + IMPLICIT_WEIGHTS;
    Slice.distScale = c + DIST_SCALE;
    Slice.progressCells = c + PROGRESS_CELLS;
    Cache.place(c + CACHES);
  }

  static save(c: usize, position: u32): void {
    store<i32>(c, Slice.mbAddr);
    store<i32>(c, Slice.qp, 20);
    store<i32>(c, Slice.lastDelta, 24);
    store<i32>(c, Slice.skipRun, 28);
    store<u32>(c, position, 32);
    store<i32>(c, Slice.decoded, 48);
  }

  /** Notes the first fault of the slice; what is read afterwards does not matter. */
  static fail(fault: i32): void {
    if (Slice.fault == 0) Slice.fault = fault;
  }
}

/** The current macroblock. Neighbours are storage indices, -1 where not available. */
export class Mb {
  static mb: i32 = 0;
  static x: i32 = 0;
  static row: i32 = 0;
  static a: i32 = 0;
  static b: i32 = 0;
  static c: i32 = 0;
  static d: i32 = 0;
  static dstY: usize = 0;
  static dstU: usize = 0;
  static dstV: usize = 0;
  static kind: u32 = 0;
  static type: i32 = 0;
  static cbp: u32 = 0;
  static isTransform8x8: bool = false;
  static directMask: u32 = 0;
  /** The whole macroblock has the motion of cache place CACHE_ORIGIN; the other places are not filled then. */
  static isUniform: bool = false;
  /** Bits 0..15: luma blocks in decoding order with coefficients, of those with DC only; 16.. 4 Cb, 20.. 4 Cr. */
  static codedMask: u32 = 0;
  static dcOnlyMask: u32 = 0;

  /** Moves to macroblock address `mbAddr` of a frame and finds its neighbours in the slice (6.4.9). */
  static enter(mbAddr: i32, x: i32, row: i32): void {
    const width = Slice.width;
    Mb.mb = mbAddr;
    Mb.x = x;
    Mb.row = row;
    Mb.dstY = Slice.picY + <usize>(16 * row) * Slice.strideY + <usize>(16 * x);
    const offsetC = <usize>(8 * row) * Slice.strideC + <usize>(8 * x);
    Mb.dstU = Slice.picU + offsetC;
    Mb.dstV = Slice.picV + offsetC;
    const id = Slice.id;
    const ids = Slice.sliceIds + 4 * mbAddr;
    Mb.a = x > 0 && load<i32>(ids - 4) == id ? mbAddr - 1 : -1;
    if (row > 0) {
      const above = ids - 4 * width;
      Mb.b = load<i32>(above) == id ? mbAddr - width : -1;
      Mb.c = x < width - 1 && load<i32>(above + 4) == id ? mbAddr - width + 1 : -1;
      Mb.d = x > 0 && load<i32>(above - 4) == id ? mbAddr - width - 1 : -1;
    } else {
      Mb.b = -1;
      Mb.c = -1;
      Mb.d = -1;
    }
  }

  /** Enters the macroblock into the store with no coefficients. */
  static begin(mbType: i32): void {
    const mb = Mb.mb;
    const totals = Slice.totals + 24 * mb;
    store<u64>(totals, 0);
    store<u64>(totals, 0, 8);
    store<u64>(totals, 0, 16);
    const ids = Slice.sliceIds + 4 * mb;
    if (load<i32>(ids) < 0) Slice.decoded++;
    store<i32>(ids, Slice.id);
    store<u8>(Slice.mbField + mb, 0);
    store<u8>(Slice.mbTypes + mb, mbType);
  }

  /** Mode 2 for the neighbours of a macroblock that is not intra NxN. */
  static clearIntraModes(): void {
    v128.store(Slice.intraModes + 16 * Mb.mb, i8x16.splat(2));
  }

  /** No vector differences of either list. */
  static clearMvd(): void {
    const at = Slice.mvds + 16 * Mb.mb;
    v128.store(at, i64x2.splat(0));
    v128.store(at + Slice.mvdList1, i64x2.splat(0));
  }
}

/** Where the caches of the current macroblock lie. */
export class Cache {
  static ref0: usize = 0;
  static ref1: usize = 0;
  static mv0: usize = 0;
  static mv1: usize = 0;
  static mvd0: usize = 0;
  static mvd1: usize = 0;
  /** 1: the block is predicted in direct mode. */
  static direct: usize = 0;
  /** sub_mb_type of the four 8x8 blocks. */
  static sub: usize = 0;

  static place(at: usize): void {
    Cache.ref0 = at;
    Cache.ref1 = at + 64;
    Cache.mv0 = at + 128;
    Cache.mv1 = at + 320;
    Cache.mvd0 = at + 512;
    Cache.mvd1 = at + 608;
    Cache.direct = at + 704;
    Cache.sub = at + 768;
  }
}
