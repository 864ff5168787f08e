// Macroblock kinds as the decoder keeps them, and what the type tables say (Tables 7-11, 7-13, 7-14, 7-17, 7-18).

import { TABLE_7_14_B_MB_TYPE, TABLE_7_18_B_SUB_MB_TYPE } from '../tables/mb-types.generated.ts';

/** Bits of MacroblockStore.kind. */
export const MB_INTRA_4X4 = 1;
export const MB_INTRA_8X8 = 2;
export const MB_INTRA_16X16 = 4;
export const MB_PCM = 8;
export const MB_INTRA = 15;
export const MB_INTER = 16;
/** P_Skip or B_Skip. */
export const MB_SKIP = 32;
/** B_Skip or B_Direct_16x16. */
export const MB_DIRECT = 64;
/** Coded with the 8x8 transform. */
export const MB_TRANSFORM_8X8 = 128;

/** Values of mb_type that have names here. */
export const I_PCM = 25;
export const P_8X8 = 3;
export const B_8X8 = 22;

/** Prediction of a partition: bit 0 list 0, bit 1 list 1; 0 direct. */
export const PRED_L0 = 1;
export const PRED_L1 = 2;

/** Width and height of the partitions of P mb_type 0..2 and B mb_type 1..21, in 4x4 blocks. */
export function partitionWidth(isB: boolean, mb_type: number): number {
  return isB ? TABLE_7_14_B_MB_TYPE[mb_type * 4] >> 2 : mb_type === 2 ? 2 : 4;
}
export function partitionHeight(isB: boolean, mb_type: number): number {
  return isB ? TABLE_7_14_B_MB_TYPE[mb_type * 4 + 1] >> 2 : mb_type === 1 ? 2 : 4;
}

/** Prediction of partition 0 or 1. */
export function partitionPrediction(isB: boolean, mb_type: number, mbPartIdx: number): number {
  return isB ? TABLE_7_14_B_MB_TYPE[mb_type * 4 + 2 + mbPartIdx] : PRED_L0;
}

/** Sub-macroblock partitions: width, height in 4x4 blocks; prediction (0: direct). */
export function subWidth(isB: boolean, sub_mb_type: number): number {
  return isB ? TABLE_7_18_B_SUB_MB_TYPE[sub_mb_type * 3] >> 2 : sub_mb_type < 2 ? 2 : 1;
}
export function subHeight(isB: boolean, sub_mb_type: number): number {
  return isB ? TABLE_7_18_B_SUB_MB_TYPE[sub_mb_type * 3 + 1] >> 2 : sub_mb_type === 0 || sub_mb_type === 2 ? 2 : 1;
}
export function subPrediction(isB: boolean, sub_mb_type: number): number {
  return isB ? TABLE_7_18_B_SUB_MB_TYPE[sub_mb_type * 3 + 2] : PRED_L0;
}
