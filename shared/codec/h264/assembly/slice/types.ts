// What the type tables say of inter macroblocks (Tables 7-13, 7-14, 7-17, 7-18), as macroblock/mb-types.ts.

export const P_8X8: i32 = 3;
export const B_8X8: i32 = 22;
export const I_PCM: i32 = 25;

/** Prediction of a partition: bit 0 list 0, bit 1 list 1; 0 direct. */
export const PRED_L0: u32 = 1;
export const PRED_L1: u32 = 2;

/** Table 7-14 by mb_type: width and height in 4x4 blocks, prediction of partition 0 and 1. */
const B_TYPES = memory.data<u8>([
  2, 2, 0, 0, 4, 4, 1, 0, 4, 4, 2, 0, 4, 4, 3, 0, 4, 2, 1, 1, 2, 4, 1, 1, 4, 2, 2, 2, 2, 4, 2, 2,
  4, 2, 1, 2, 2, 4, 1, 2, 4, 2, 2, 1, 2, 4, 2, 1, 4, 2, 1, 3, 2, 4, 1, 3, 4, 2, 2, 3, 2, 4, 2, 3,
  4, 2, 3, 1, 2, 4, 3, 1, 4, 2, 3, 2, 2, 4, 3, 2, 4, 2, 3, 3, 2, 4, 3, 3, 2, 2, 0, 0,
]);
/** Table 7-18 by sub_mb_type: width and height in 4x4 blocks, prediction, 0. */
const B_SUB_TYPES = memory.data<u8>([
  1, 1, 0, 0, 2, 2, 1, 0, 2, 2, 2, 0, 2, 2, 3, 0, 2, 1, 1, 0, 1, 2, 1, 0, 2, 1, 2, 0,
  1, 2, 2, 0, 2, 1, 3, 0, 1, 2, 3, 0, 1, 1, 1, 0, 1, 1, 2, 0, 1, 1, 3, 0,
]);

/** Width and height of the partitions of P mb_type 0..2 and B mb_type 1..21, in 4x4 blocks. */
export function partitionWidth(isB: bool, type: i32): i32 {
  return isB ? <i32>load<u8>(B_TYPES + 4 * type) : type == 2 ? 2 : 4;
}
export function partitionHeight(isB: bool, type: i32): i32 {
  return isB ? <i32>load<u8>(B_TYPES + 4 * type, 1) : type == 1 ? 2 : 4;
}
/** Prediction of partition 0 or 1. */
export function partitionPrediction(isB: bool, type: i32, part: i32): u32 {
  return isB ? <u32>load<u8>(B_TYPES + 4 * type + part, 2) : PRED_L0;
}

/** The same of sub-macroblocks. */
export function subWidth(isB: bool, sub: i32): i32 {
  return isB ? <i32>load<u8>(B_SUB_TYPES + 4 * sub) : sub < 2 ? 2 : 1;
}
export function subHeight(isB: bool, sub: i32): i32 {
  return isB ? <i32>load<u8>(B_SUB_TYPES + 4 * sub, 1) : (sub & 1) == 0 && sub < 3 ? 2 : 1;
}
export function subPrediction(isB: bool, sub: i32): u32 {
  return isB ? <u32>load<u8>(B_SUB_TYPES + 4 * sub, 2) : PRED_L0;
}
