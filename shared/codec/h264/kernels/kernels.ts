// The table of pixel kernels: every sample that the codec touches is touched through it.
//
// All pictures, scratch blocks and coefficients live in one WebAssembly.Memory. A pointer is a byte offset into it, a stride is in
// bytes. There are two implementations with these exact signatures: createReferenceKernels (plain TypeScript on typed-array
// views, the definition of what is right) and createWasmKernels (AssemblyScript SIMD). Kernels never throw and never allocate.
// Callers keep reads inside the memory. Samples are 8 bit, coefficients are Int16 little endian.

/** Byte offset into the codec's memory. */
export type Pointer = number;

/** Availability bits of intra neighbours. */
export const AVAILABLE_LEFT = 1;
export const AVAILABLE_TOP = 2;
export const AVAILABLE_TOP_RIGHT = 4;
export const AVAILABLE_TOP_LEFT = 8;

/** Scratch that predictPartition needs. */
export const PARTITION_WINDOW_BYTES = 768;

/** Inter prediction (8.4.2.2, 8.4.2.3). */
export interface InterKernels {
  /**
   * Luma sample interpolation (8.4.2.2.1) of a width x height block (4, 8 or 16 each), `src` at the full-sample position, xFrac
   * and yFrac in quarter samples 0..3. Reads 2 samples left of and above the block and 3 right of and below it.
   */
  predictLuma(
    dst: Pointer,
    dstStride: number,
    src: Pointer,
    srcStride: number,
    width: number,
    height: number,
    xFrac: number,
    yFrac: number,
  ): void;
  /** Chroma sample interpolation (8.4.2.2.2), width and height 2, 4 or 8, fractions in eighth samples 0..7. Reads one more column and row. */
  predictChroma(
    dst: Pointer,
    dstStride: number,
    src: Pointer,
    srcStride: number,
    width: number,
    height: number,
    xFrac: number,
    yFrac: number,
  ): void;
  /** Default weighted prediction (8.4.2.3.1): dst = (a + b + 1) >> 1. dst may equal a. Width 2, 4, 8 or 16. */
  averageBlocks(
    dst: Pointer,
    dstStride: number,
    a: Pointer,
    aStride: number,
    b: Pointer,
    bStride: number,
    width: number,
    height: number,
  ): void;
  /** Explicit weighting of one prediction in place (8-298, 8-299). */
  weightBlock(
    dst: Pointer,
    dstStride: number,
    width: number,
    height: number,
    logWD: number,
    weight: number,
    offset: number,
  ): void;
  /** Weighted bi-prediction (8-300); `offset` is (o0 + o1 + 1) >> 1. dst may equal a. */
  weightBlocks(
    dst: Pointer,
    dstStride: number,
    a: Pointer,
    aStride: number,
    b: Pointer,
    bStride: number,
    width: number,
    height: number,
    logWD: number,
    w0: number,
    w1: number,
    offset: number,
  ): void;
  /**
   * Luma and both 4:2:0 chroma blocks of one partition (8.4.2.2): w x h luma samples whose top left one lies at (x, y), from reference
   * planes of width x height luma samples without borders; coordinates outside are clamped. `mv` has x in the low and y in the high 16 bits,
   * quarter samples; `chromaOffset` is the vertical chroma offset of Table 8-9. dstU 0: luma only. Reads up to 31 bytes past a plane. `window` is
   * scratch of PARTITION_WINDOW_BYTES.
   */
  predictPartition(
    dstY: Pointer,
    dstU: Pointer,
    dstV: Pointer,
    dstStrideY: number,
    dstStrideC: number,
    refY: Pointer,
    refU: Pointer,
    refV: Pointer,
    strideY: number,
    strideC: number,
    width: number,
    height: number,
    x: number,
    y: number,
    w: number,
    h: number,
    mv: number,
    chromaOffset: number,
    window: Pointer,
  ): void;
}

/** Intra prediction in place (8.3): neighbours are read from the picture around `dst`, as `available` allows. */
export interface IntraKernels {
  /** mode: Intra4x4PredMode 0..8. Without TOP_RIGHT the samples above right repeat the last one above. */
  predictIntra4x4(dst: Pointer, stride: number, mode: number, available: number): void;
  /** mode: Intra8x8PredMode 0..8, with the reference sample filtering of 8.3.2.2.1. */
  predictIntra8x8(dst: Pointer, stride: number, mode: number, available: number): void;
  /** mode: Intra16x16PredMode 0..3 (vertical, horizontal, DC, plane). */
  predictIntra16x16(dst: Pointer, stride: number, mode: number, available: number): void;
  /** mode: intra_chroma_pred_mode 0..3 (DC, horizontal, vertical, plane) of one 8x8 chroma block. */
  predictIntraChroma(dst: Pointer, stride: number, mode: number, available: number): void;
}

/** Inverse transforms (8.5.12, 8.5.13): input is scaled coefficients in raster order, residual added to dst and clipped, coefficients cleared to 0. */
export interface TransformKernels {
  inverseTransform4x4Add(dst: Pointer, stride: number, coefficients: Pointer): void;
  /** Only coefficients[0] is not 0. */
  inverseTransform4x4DcAdd(dst: Pointer, stride: number, coefficients: Pointer): void;
  inverseTransform8x8Add(dst: Pointer, stride: number, coefficients: Pointer): void;
  inverseTransform8x8DcAdd(dst: Pointer, stride: number, coefficients: Pointer): void;
  /**
   * All 4x4 blocks of a 16x16 luma macroblock at once: block luma4x4BlkIdx k (order of 6.4.3) at coefficients + 32 * k; bit k of
   * `mask` says that the block has coefficients, bit k of `dcOnlyMask` that only its DC is not 0.
   */
  inverseTransformLumaAdd(dst: Pointer, stride: number, coefficients: Pointer, mask: number, dcOnlyMask: number): void;
  /** The same for the four 4x4 blocks of one 8x8 chroma block (raster order). */
  inverseTransformChromaAdd(
    dst: Pointer,
    stride: number,
    coefficients: Pointer,
    mask: number,
    dcOnlyMask: number,
  ): void;
}

/**
 * Deblocking (8.7.2). `pixels` is q0 of the edge's first sample; alpha and beta are the table values (0..255, 0..18), already at
 * 8 bits. tc0 packs tC0 of the four quarter edges as signed bytes, lowest byte first; -1 (0xff) means bS 0: leave alone.
 * "Vertical" names the edge's direction: samples p are left of q. Luma edges are 16 samples long, chroma edges 8.
 */
export interface DeblockKernels {
  deblockLumaVertical(pixels: Pointer, stride: number, alpha: number, beta: number, tc0: number): void;
  deblockLumaHorizontal(pixels: Pointer, stride: number, alpha: number, beta: number, tc0: number): void;
  /** bS 4 along the whole edge. */
  deblockLumaVerticalStrong(pixels: Pointer, stride: number, alpha: number, beta: number): void;
  deblockLumaHorizontalStrong(pixels: Pointer, stride: number, alpha: number, beta: number): void;
  deblockChromaVertical(pixels: Pointer, stride: number, alpha: number, beta: number, tc0: number): void;
  deblockChromaHorizontal(pixels: Pointer, stride: number, alpha: number, beta: number, tc0: number): void;
  deblockChromaVerticalStrong(pixels: Pointer, stride: number, alpha: number, beta: number): void;
  deblockChromaHorizontalStrong(pixels: Pointer, stride: number, alpha: number, beta: number): void;
}

/** Deblocking of whole macroblock rows of frames and fields; row-deblock-kernels.ts describes records and parameters. */
export interface RowDeblockKernels {
  /** Fills the records of one row (8.7.2.1) from `parameters`, see STRENGTH_PARAMETERS. Not for MBAFF frames. */
  boundaryStrengths(parameters: Pointer): void;
  /**
   * Filters all edges of one row of 4:2:0 macroblocks, left to right, vertical edges of each before horizontal ones. The row above must be
   * filtered already. `u` 0: no chroma. A field of a frame has its planes' strides doubled.
   */
  deblockRow(
    y: Pointer,
    u: Pointer,
    v: Pointer,
    strideY: number,
    strideC: number,
    macroblocks: number,
    records: Pointer,
  ): void;
}

/** Parsing of residual blocks; residual-kernels.ts describes tables, result and faults. */
export interface ResidualKernels {
  /**
   * Reads one residual block in CAVLC at bit `position` of `data` (7.3.5.3.2): `nC` as in 9.2.1 (-1: chroma DC), `maxNumCoeff` 4, 15 or 16.
   * Coefficients go to `out`: with `scale` 0 as Int32 levels by scan place, else as Int16 at raster index scan[place], scaled:
   * (level * scale[raster] + half) >> shift, `scale` being Int32. Returns TotalCoeff, or a negative fault (CAVLC_FAULTS). Writes the new bit
   * position and, as 0 or 1, "only the first place" to `result`. `length` is the number of bits; 8 bytes behind them are readable.
   */
  cavlcBlock(
    data: Pointer,
    position: number,
    length: number,
    nC: number,
    maxNumCoeff: number,
    out: Pointer,
    scan: Pointer,
    scale: Pointer,
    shift: number,
    tables: Pointer,
    result: Pointer,
  ): number;
}

/** Parsing of residual blocks in CABAC; cabac-residual-kernels.ts describes the engine cell and the kinds of blocks. */
export interface CabacResidualKernels {
  /**
   * Reads one residual block (7.3.5.3.3) with the engine at `engine`. `codedBlockFlag` is the ctxIdx of coded_block_flag, -1 when it is inferred to
   * be 1; `significant`, `last` and `levels` are the ctxIdx where the block's contexts begin. Coefficients go to `out` as with cavlcBlock. Returns
   * the number of coefficients (0: not coded), -1 for a level without end.
   */
  cabacBlock(
    engine: Pointer,
    codedBlockFlag: number,
    significant: number,
    last: number,
    levels: number,
    maxNumCoeff: number,
    kind: number,
    out: Pointer,
    scan: Pointer,
    scale: Pointer,
    shift: number,
  ): number;
}

/** What the decoder needs; the encoder adds its analysis kernels in analysis-kernels.ts. */
export interface ReconstructionKernels
  extends
    InterKernels,
    IntraKernels,
    TransformKernels,
    DeblockKernels,
    RowDeblockKernels,
    ResidualKernels,
    CabacResidualKernels {
  readonly memory: WebAssembly.Memory;
}

/** Which implementation to use: `reference` is slow and exists to judge the other. */
export type KernelKind = 'wasm' | 'reference';
