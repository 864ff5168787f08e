// Reference picture lists: numbers (8.2.4.1), initial order (8.2.4.2) and modification (8.2.4.3). Called once per P or B slice.

import { BitstreamError } from '../../../errors.ts';
import { SLICE_TYPE } from '../syntax/slice-header.ts';
import type { SliceHeader } from '../syntax/slice-header.ts';
import type { ListModification } from '../syntax/ref-list-modification.ts';
import { BOTTOM_FIELD, FRAME, TOP_FIELD, type Picture, type Reference, type Structure } from './picture.ts';

/** A list with holes where no reference picture is known. */
export type ReferenceList = (Reference | null)[];

/** What the lists of a slice are made from. */
export type ListInput = {
  /** All frame stores with marks; the first field of the current frame is among them when it is a reference. */
  readonly frames: readonly Picture[];
  readonly header: SliceHeader;
  /** Structure and order count of the current picture. */
  readonly structure: Structure;
  readonly PicOrderCnt: number;
  readonly MaxFrameNum: number;
  readonly pic_order_cnt_type: number;
};

/** FrameNumWrap of all short-term frames (8-27). */
export function updateFrameNumWrap(frames: readonly Picture[], frame_num: number, MaxFrameNum: number): void {
  for (const frame of frames) {
    frame.FrameNumWrap = frame.FrameNum > frame_num ? frame.FrameNum - MaxFrameNum : frame.FrameNum;
  }
}

/** Makes the lists of a slice: entries 0..num_ref_idx_active - 1 of each. */
export function buildReferenceLists(input: ListInput): readonly [ReferenceList, ReferenceList] {
  const { header } = input;
  const type = header.slice_type % 5;
  updateFrameNumWrap(input.frames, header.frame_num, input.MaxFrameNum);
  if (type === SLICE_TYPE.I || type === SLICE_TYPE.SI) {
    return [[], []];
  }
  const isB = type === SLICE_TYPE.B;
  const list0 = isB ? initialB(input, 0) : initialP(input);
  const list1 = isB ? initialB(input, 1) : [];
  if (list1.length > 1 && isSameList(list0, list1)) {
    const [first, second, ...rest] = list1;
    list1.splice(0, list1.length, second, first, ...rest);
  }
  return [
    modify(fit(list0, header.num_ref_idx_active[0]), header.ref_pic_list_modification[0], input),
    modify(fit(list1, header.num_ref_idx_active[1]), header.ref_pic_list_modification[1], input),
  ];
}

function isSameList(a: ReferenceList, b: ReferenceList): boolean {
  return (
    a.length === b.length &&
    a.every((entry, i) => entry?.picture === b[i]?.picture && entry?.structure === b[i]?.structure)
  );
}

function fit(list: ReferenceList, length: number): ReferenceList {
  const fitted = list.slice(0, length);
  while (fitted.length < length) {
    fitted.push(null);
  }
  return fitted;
}

const asFrames = (pictures: readonly Picture[]): ReferenceList =>
  pictures.map((picture) => ({ picture, structure: FRAME }));

const byDescending = (key: (picture: Picture) => number) => (a: Picture, b: Picture) => key(b) - key(a);
const byAscending = (key: (picture: Picture) => number) => (a: Picture, b: Picture) => key(a) - key(b);

// 8.2.4.2.1, 8.2.4.2.2
function initialP(input: ListInput): ReferenceList {
  const { frames } = input;
  if (input.structure === FRAME) {
    const short = frames.filter((frame) => frame.shortTerm === FRAME);
    const long = frames.filter((frame) => frame.longTerm === FRAME);
    short.sort(byDescending((frame) => frame.FrameNumWrap));
    long.sort(byAscending((frame) => frame.LongTermFrameIdx));
    return [...asFrames(short), ...asFrames(long)];
  }
  const short = frames.filter((frame) => frame.shortTerm !== 0);
  const long = frames.filter((frame) => frame.longTerm !== 0);
  short.sort(byDescending((frame) => frame.FrameNumWrap));
  long.sort(byAscending((frame) => frame.LongTermFrameIdx));
  return [
    ...alternate(short, input.structure, (frame) => frame.shortTerm),
    ...alternate(long, input.structure, (frame) => frame.longTerm),
  ];
}

// 8.2.4.2.3, 8.2.4.2.4
function initialB(input: ListInput, list: 0 | 1): ReferenceList {
  const current = input.PicOrderCnt;
  const isKnown = (frame: Picture): boolean => !(frame.isNonExisting && input.pic_order_cnt_type === 0);
  if (input.structure === FRAME) {
    const short = input.frames.filter((frame) => frame.shortTerm === FRAME && isKnown(frame));
    const long = input.frames.filter((frame) => frame.longTerm === FRAME);
    const order = (frame: Picture): number => frame.orderOf(FRAME);
    const before = short.filter((frame) => order(frame) < current).sort(byDescending(order));
    const after = short.filter((frame) => order(frame) >= current).sort(byAscending(order));
    long.sort(byAscending((frame) => frame.LongTermFrameIdx));
    const parts = list === 0 ? [...before, ...after] : [...after, ...before];
    return asFrames([...parts, ...long]);
  }
  // The order count of an entry considers the fields that are decoded; that of a frame whose one field was unmarked both.
  const order = (frame: Picture): number => frame.orderOf(frame.decoded);
  const short = input.frames.filter((frame) => frame.shortTerm !== 0 && isKnown(frame));
  const long = input.frames.filter((frame) => frame.longTerm !== 0);
  const before = short.filter((frame) => order(frame) <= current).sort(byDescending(order));
  const after = short.filter((frame) => order(frame) > current).sort(byAscending(order));
  long.sort(byAscending((frame) => frame.LongTermFrameIdx));
  const parts = list === 0 ? [...before, ...after] : [...after, ...before];
  return [
    ...alternate(parts, input.structure, (frame) => frame.shortTerm),
    ...alternate(long, input.structure, (frame) => frame.longTerm),
  ];
}

// 8.2.4.2.5: fields in turn, starting with the parity of the current field.
function alternate(
  frames: readonly Picture[],
  first: Structure,
  marks: (picture: Picture) => Structure,
): ReferenceList {
  const list: ReferenceList = [];
  const next = { [TOP_FIELD]: 0, [BOTTOM_FIELD]: 0 } as Record<Structure, number>;
  const find = (parity: Structure): Picture | null => {
    while (next[parity] < frames.length) {
      const frame = frames[next[parity]++];
      if ((marks(frame) & parity) !== 0) {
        return frame;
      }
    }
    return null;
  };
  let parity = first;
  for (;;) {
    const picture = find(parity);
    if (picture === null) {
      break;
    }
    list.push({ picture, structure: parity });
    parity = FRAME - parity;
  }
  parity = FRAME - parity;
  for (let picture = find(parity); picture !== null; picture = find(parity)) {
    list.push({ picture, structure: parity });
  }
  return list;
}

/** The short-term picture with number PicNum, or null (8.2.4.1). */
export function findShortTerm(frames: readonly Picture[], structure: Structure, PicNum: number): Reference | null {
  if (structure === FRAME) {
    const picture = frames.find((frame) => frame.shortTerm === FRAME && frame.FrameNumWrap === PicNum);
    return picture === undefined ? null : { picture, structure: FRAME };
  }
  const parity = (PicNum & 1) === 1 ? structure : FRAME - structure;
  const wrap = (PicNum - (PicNum & 1)) / 2;
  const picture = frames.find((frame) => (frame.shortTerm & parity) !== 0 && frame.FrameNumWrap === wrap);
  return picture === undefined ? null : { picture, structure: parity };
}

/** The long-term picture with number LongTermPicNum, or null (8.2.4.1). */
export function findLongTerm(
  frames: readonly Picture[],
  structure: Structure,
  LongTermPicNum: number,
): Reference | null {
  if (structure === FRAME) {
    const picture = frames.find((frame) => frame.longTerm === FRAME && frame.LongTermFrameIdx === LongTermPicNum);
    return picture === undefined ? null : { picture, structure: FRAME };
  }
  const parity = (LongTermPicNum & 1) === 1 ? structure : FRAME - structure;
  const index = LongTermPicNum >> 1;
  const picture = frames.find((frame) => (frame.longTerm & parity) !== 0 && frame.LongTermFrameIdx === index);
  return picture === undefined ? null : { picture, structure: parity };
}

// 8.2.4.3
function modify(list: ReferenceList, commands: ListModification, input: ListInput): ReferenceList {
  const { header, frames, structure } = input;
  const isFrame = structure === FRAME;
  const MaxPicNum = isFrame ? input.MaxFrameNum : 2 * input.MaxFrameNum;
  const CurrPicNum = isFrame ? header.frame_num : 2 * header.frame_num + 1;
  let picNumPred = CurrPicNum;
  let refIdx = 0;
  for (const { modification_of_pic_nums_idc, value } of commands) {
    let found: Reference | null;
    if (modification_of_pic_nums_idc === 2) {
      found = findLongTerm(frames, structure, value);
    } else {
      const step = value + 1;
      picNumPred += modification_of_pic_nums_idc === 0 ? -step : step;
      if (picNumPred < 0) {
        picNumPred += MaxPicNum;
      } else if (picNumPred >= MaxPicNum) {
        picNumPred -= MaxPicNum;
      }
      found = findShortTerm(frames, structure, picNumPred > CurrPicNum ? picNumPred - MaxPicNum : picNumPred);
    }
    if (found === null) {
      const message = 'A list modification names a picture that is not a reference.';
      throw new BitstreamError('missing-reference', '8.2.4.3', 0, message);
    }
    if (refIdx < list.length) {
      insert(list, refIdx, found);
      refIdx++;
    }
  }
  return list;
}

function insert(list: ReferenceList, refIdx: number, found: Reference): void {
  let moved: Reference | null = found;
  for (let i = refIdx; i < list.length && moved !== null; i++) {
    const here: Reference | null = list[i];
    list[i] = moved;
    const isSame = here !== null && here.picture === found.picture && here.structure === found.structure;
    moved = isSame ? null : here;
    if (here === null) {
      break;
    }
  }
}
