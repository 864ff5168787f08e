// What the macroblock decoder asks of an entropy decoder: one method per syntax element of 7.3.5. CAVLC and CABAC implement it.

/** Residual block categories (ctxBlockCat, Table 9-42). */
export const CAT_LUMA_DC_16 = 0;
export const CAT_LUMA_AC_16 = 1;
export const CAT_LUMA_4X4 = 2;
export const CAT_CHROMA_DC = 3;
export const CAT_CHROMA_AC = 4;
export const CAT_LUMA_8X8 = 5;

/** Reads the syntax elements of one macroblock. Implementations throw BitstreamError. */
export interface MacroblockSyntax {
  /** Value within the tables of the slice type. */
  mb_type(): number;
  sub_mb_type(): number;
  transform_size_8x8_flag(): boolean;
  /** prev_intraNxN_pred_mode_flag and rem_intraNxN_pred_mode: -1 for the predicted mode, else 0..7. */
  intraPredMode(): number;
  intra_chroma_pred_mode(): number;
  /** ref_idx of the partition whose first block has cache index `at`; `range` is the largest value, >= 1. */
  ref_idx(list: number, at: number, range: number): number;
  /** Both components; results in mvdX and mvdY. */
  mvd(list: number, at: number): void;
  mvdX: number;
  mvdY: number;
  /** CodedBlockPatternLuma + 16 * CodedBlockPatternChroma. */
  coded_block_pattern(isIntra: boolean): number;
  mb_qp_delta(): number;
  /** Levels of a DC block (luma 16, chroma 4) into s.dc or s.chromaDc in scan order; `component` 0 Y, 1 Cb, 2 Cr. True when any is not 0. */
  dcBlock(component: number): boolean;
  /**
   * A 4x4 block: levels scaled into s.coefficients from `out`. `block` is the raster index in its component's 4x4 blocks (luma 0..15;
   * Cb 16..19, Cr 20..23), `start` 1 for AC blocks. Returns the number of coefficients; sets s.isDcOnly.
   */
  block4x4(cat: number, block: number, out: number, start: number, scaleBase: number): number;
  /** An 8x8 luma block (number 0..3): the same; true when any level is not 0. */
  block8x8(block8: number, out: number, scaleBase: number): boolean;
}
