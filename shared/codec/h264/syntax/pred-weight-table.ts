// pred_weight_table() (7.3.3.2, 7.4.3.2): explicit weights of one slice.

import type { BitReader } from '../../../bitstream/bit-reader.ts';
import type { BitWriter } from '../../../bitstream/bit-writer.ts';
import { seWithin, ueUpTo } from './bounded.ts';

/** Weights and offsets of one reference; null where the flag is 0 (weight 1 << denom, offset 0). */
export type PredWeight = {
  readonly luma: readonly [weight: number, offset: number] | null;
  /** Cb weight, Cb offset, Cr weight, Cr offset. */
  readonly chroma: readonly [number, number, number, number] | null;
};

/** All syntax elements of pred_weight_table(). */
export type PredWeightTable = {
  readonly luma_log2_weight_denom: number; // 0..7
  readonly chroma_log2_weight_denom: number; // 0..7
  /** One entry per active reference of each list. */
  readonly lists: readonly [readonly PredWeight[], readonly PredWeight[]];
};

const BYTE = [-128, 127] as const;

function parseList(reader: BitReader, count: number, hasChroma: boolean): PredWeight[] {
  const byte = (name: string): number => seWithin(reader, BYTE, name, '7.4.3.2');
  const list: PredWeight[] = [];
  for (let i = 0; i < count; i++) {
    const luma = reader.flag() ? ([byte('luma_weight'), byte('luma_offset')] as const) : null;
    const chroma =
      hasChroma && reader.flag()
        ? ([byte('chroma_weight'), byte('chroma_offset'), byte('chroma_weight'), byte('chroma_offset')] as const)
        : null;
    list.push({ luma, chroma });
  }
  return list;
}

/** Reads pred_weight_table() for the given numbers of active references. */
export function parsePredWeightTable(
  reader: BitReader,
  counts: readonly [number, number],
  hasChroma: boolean,
): PredWeightTable {
  return {
    luma_log2_weight_denom: ueUpTo(reader, 7, 'luma_log2_weight_denom', '7.4.3.2'),
    chroma_log2_weight_denom: hasChroma ? ueUpTo(reader, 7, 'chroma_log2_weight_denom', '7.4.3.2') : 0,
    lists: [parseList(reader, counts[0], hasChroma), parseList(reader, counts[1], hasChroma)],
  };
}

/** Writes pred_weight_table(). */
export function writePredWeightTable(writer: BitWriter, table: PredWeightTable, hasChroma: boolean): void {
  writer.ue(table.luma_log2_weight_denom);
  if (hasChroma) {
    writer.ue(table.chroma_log2_weight_denom);
  }
  for (const entry of [...table.lists[0], ...table.lists[1]]) {
    writer.flag(entry.luma !== null);
    for (const value of entry.luma ?? []) {
      writer.se(value);
    }
    if (hasChroma) {
      writer.flag(entry.chroma !== null);
      for (const value of entry.chroma ?? []) {
        writer.se(value);
      }
    }
  }
}
