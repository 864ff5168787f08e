// Describes the macroblocks of a decoded picture for `tessera probe --macroblocks`, from the decoder's macroblock store.

import type { SyntaxElement } from '../../shared/codec/h264/decoder/observed-syntax.ts';
import type { SliceState } from '../../shared/codec/h264/decoder/slice-state.ts';
import {
  MB_INTRA,
  MB_INTRA_16X16,
  MB_INTRA_4X4,
  MB_INTRA_8X8,
  MB_PCM,
  MB_SKIP,
  MB_TRANSFORM_8X8,
} from '../../shared/codec/h264/macroblock/mb-types.ts';
import {
  TABLE_7_11_NAMES,
  TABLE_7_13_NAMES,
  TABLE_7_14_NAMES,
} from '../../shared/codec/h264/tables/mb-types.generated.ts';

/** Bits by syntax element. */
export type SyntaxBits = Partial<Record<SyntaxElement, number>>;

/** One macroblock; vectors in quarter samples. */
export type MacroblockDescription = {
  readonly x: number;
  readonly y: number;
  readonly slice: number;
  readonly mb_type: string;
  readonly QPY: number;
  readonly coded_block_pattern: number;
  readonly transform_size_8x8_flag: boolean;
  readonly field: boolean;
  readonly bits: number;
  /** Bits by syntax element (what is left of `bits` are skip runs and flags); absent for skipped macroblocks. */
  readonly syntaxBits?: Readonly<Partial<Record<SyntaxElement, number>>>;
  /** Intra4x4PredMode or Intra8x8PredMode per 4x4 block in raster order. */
  readonly intraModes?: readonly number[];
  readonly intra_chroma_pred_mode?: number;
  /** Per list: reference index per 8x8 block, vector [x, y] per 4x4 block in raster order. */
  readonly motion?: readonly {
    readonly list: number;
    readonly ref_idx: readonly number[];
    readonly mv: readonly (readonly [number, number])[];
  }[];
};

/** Describes every macroblock of the picture (`structure`: 1 top field, 2 bottom field, 3 frame) in storage order. */
export function describeMacroblocks(
  s: SliceState,
  structure: number,
  sliceTypes: readonly number[],
  bits: readonly number[],
  syntaxBits: readonly (SyntaxBits | undefined)[],
): MacroblockDescription[] {
  const described: MacroblockDescription[] = [];
  const step = structure === 3 ? 1 : 2;
  for (let row = structure === 2 ? 1 : 0; row < s.FrameHeightInMbs; row += step) {
    for (let x = 0; x < s.PicWidthInMbs; x++) {
      const found = describe(s, x, row, structure === 3 ? row : row >> 1, sliceTypes, bits);
      const elements = syntaxBits[row * s.PicWidthInMbs + x];
      described.push(elements === undefined ? found : { ...found, syntaxBits: elements });
    }
  }
  return described;
}

function nameOf(kind: number, mb_type: number, sliceType: number): string {
  if ((kind & MB_SKIP) !== 0 || mb_type === 255) {
    return sliceType === 1 ? 'B_Skip' : 'P_Skip';
  }
  if ((kind & MB_INTRA) === 0) {
    return (sliceType === 1 ? TABLE_7_14_NAMES : TABLE_7_13_NAMES)[mb_type] ?? '?';
  }
  const value = mb_type - (sliceType === 1 ? 23 : sliceType === 0 ? 5 : 0);
  return TABLE_7_11_NAMES[value] ?? '?';
}

function describe(
  s: SliceState,
  x: number,
  row: number,
  y: number,
  sliceTypes: readonly number[],
  bits: readonly number[],
): MacroblockDescription {
  const { store } = s;
  const mb = row * s.PicWidthInMbs + x;
  const kind = store.kind[mb] ?? 0;
  const slice = store.sliceId[mb] ?? -1;
  const base = {
    x,
    y,
    slice,
    mb_type: nameOf(kind, store.mbType[mb] ?? 0, sliceTypes[slice] ?? 2),
    QPY: store.qp[mb] ?? 0,
    coded_block_pattern: (store.cbp[mb] ?? 0) & 0x3f,
    transform_size_8x8_flag: (kind & MB_TRANSFORM_8X8) !== 0,
    field: s.mbField[mb] === 1,
    bits: bits[mb] ?? 0,
  };
  if ((kind & MB_INTRA) === 0) {
    return { ...base, motion: motionOf(s, mb) };
  }
  if ((kind & MB_PCM) !== 0) {
    return base;
  }
  const chroma = { intra_chroma_pred_mode: store.intraChromaMode[mb] ?? 0 };
  if ((kind & MB_INTRA_16X16) !== 0 || (kind & (MB_INTRA_4X4 | MB_INTRA_8X8)) === 0) {
    return { ...base, ...chroma };
  }
  return { ...base, ...chroma, intraModes: [...store.intraMode.subarray(mb * 16, mb * 16 + 16)] };
}

function motionOf(s: SliceState, mb: number): NonNullable<MacroblockDescription['motion']> {
  return [0, 1].flatMap((list) => {
    const refs = [...(list === 0 ? s.refIdx0 : s.refIdx1).subarray(mb * 4, mb * 4 + 4)];
    if (refs.every((ref) => ref < 0)) {
      return [];
    }
    const vectors = (list === 0 ? s.mv0 : s.mv1).subarray(mb * 16, mb * 16 + 16);
    return [{ list, ref_idx: refs, mv: [...vectors].map((mv): [number, number] => [(mv << 16) >> 16, mv >> 16]) }];
  });
}
