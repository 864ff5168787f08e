// scaling_list() (7.3.2.1.1.1) and the fall-back rules of Table 7-2. Called by the SPS and PPS parsers and by the dequantiser's set-up.

import type { BitReader } from '../../../bitstream/bit-reader.ts';
import type { BitWriter } from '../../../bitstream/bit-writer.ts';
import {
  DEFAULT_4X4_INTER,
  DEFAULT_4X4_INTRA,
  DEFAULT_8X8_INTER,
  DEFAULT_8X8_INTRA,
} from '../tables/transform.generated.ts';
import { seWithin } from './bounded.ts';

/**
 * One list as sent: null when its present flag is 0 (fall-back rule), `default` for useDefaultScalingMatrixFlag, else 16 or 64
 * values 1..255 in zig-zag order.
 */
export type ScalingList = null | 'default' | readonly number[];

/** Entries 0..5 are 4x4, the rest 8x8 (Table 7-2). */
function scalingListSize(index: number): 16 | 64 {
  return index < 6 ? 16 : 64;
}

/** Reads `count` present flags and lists. */
export function parseScalingLists(reader: BitReader, count: number): ScalingList[] {
  const lists: ScalingList[] = [];
  for (let i = 0; i < count; i++) {
    lists.push(reader.flag() ? parseScalingList(reader, scalingListSize(i)) : null);
  }
  return lists;
}

/** Writes present flags and lists. */
export function writeScalingLists(writer: BitWriter, lists: readonly ScalingList[]): void {
  for (const list of lists) {
    writer.flag(list !== null);
    if (list !== null) {
      writeScalingList(writer, list);
    }
  }
}

function parseScalingList(reader: BitReader, size: number): ScalingList {
  const list: number[] = [];
  let lastScale = 8;
  let nextScale = 8;
  for (let j = 0; j < size; j++) {
    if (nextScale !== 0) {
      const delta_scale = seWithin(reader, [-128, 127], 'delta_scale', '7.4.2.1.1.1');
      nextScale = (lastScale + delta_scale + 256) % 256;
      if (j === 0 && nextScale === 0) {
        return 'default';
      }
    }
    lastScale = nextScale === 0 ? lastScale : nextScale;
    list.push(lastScale);
  }
  return list;
}

function writeScalingList(writer: BitWriter, list: 'default' | readonly number[]): void {
  if (list === 'default') {
    writer.se(-8);
    return;
  }
  let lastScale = 8;
  for (const scale of list) {
    const delta = (scale - lastScale + 256) % 256;
    writer.se(delta > 127 ? delta - 256 : delta);
    lastScale = scale;
  }
}

const FLAT_16: readonly number[] = new Array<number>(16).fill(16);
const FLAT_64: readonly number[] = new Array<number>(64).fill(16);

function defaultList(index: number): readonly number[] {
  if (index < 6) {
    return Array.from(index < 3 ? DEFAULT_4X4_INTRA : DEFAULT_4X4_INTER);
  }
  return Array.from(index % 2 === 0 ? DEFAULT_8X8_INTRA : DEFAULT_8X8_INTER);
}

/** Lists that fall-back rules refer to: the one before of the same class (Table 7-2). */
function previousOfClass(index: number): number {
  return index < 6 ? index - 1 : index - 2;
}

/**
 * The twelve lists in force (zig-zag order) for a PPS on its SPS, with fall-back rules A and B of Table 7-2. Null stands for
 * "no matrix sent".
 */
export function activeScalingLists(
  spsLists: readonly ScalingList[] | null,
  ppsLists: readonly ScalingList[] | null,
): readonly (readonly number[])[] {
  const isFirst = (index: number): boolean => index === 0 || index === 3 || index === 6 || index === 7;
  const resolve = (
    lists: readonly ScalingList[],
    fallBack: (index: number) => readonly number[],
  ): readonly (readonly number[])[] => {
    const resolved: (readonly number[])[] = [];
    for (let i = 0; i < 12; i++) {
      const list = lists[i] ?? null;
      if (list === 'default') {
        resolved.push(defaultList(i));
      } else if (list !== null) {
        resolved.push(list);
      } else {
        resolved.push(isFirst(i) ? fallBack(i) : resolved[previousOfClass(i)]);
      }
    }
    return resolved;
  };
  const flat = (index: number): readonly number[] => (index < 6 ? FLAT_16 : FLAT_64);
  const ofSps =
    spsLists === null ? Array.from({ length: 12 }, (_, index) => flat(index)) : resolve(spsLists, defaultList);
  if (ppsLists === null) {
    return ofSps;
  }
  return resolve(ppsLists, spsLists === null ? defaultList : (index) => ofSps[index]);
}
