// Sliding window, memory management control operations and reference lists (8.2.4, 8.2.5).

import { expect, test } from '@jest/globals';
import { markReferences, NO_LONG_TERM_FRAME_INDICES } from '../../../../../../shared/codec/h264/dpb/marking.ts';
import {
  FRAME,
  Picture,
  TOP_FIELD,
  BOTTOM_FIELD,
  type PictureMemory,
} from '../../../../../../shared/codec/h264/dpb/picture.ts';
import { buildReferenceLists, type ListInput } from '../../../../../../shared/codec/h264/dpb/reference-lists.ts';
import type { DecRefPicMarking } from '../../../../../../shared/codec/h264/syntax/marking-syntax.ts';
import type { SliceHeader } from '../../../../../../shared/codec/h264/syntax/slice-header.ts';

const memory = {} as PictureMemory;

function frame(FrameNum: number, changes: Partial<Picture> = {}): Picture {
  const picture = new Picture(FrameNum, memory);
  return Object.assign(picture, { FrameNum, shortTerm: FRAME, decoded: FRAME, ...changes });
}

function mark(frames: Picture[], current: Picture, marking: DecRefPicMarking, limit = 4, structure = FRAME) {
  return markReferences(marking, {
    frames,
    current,
    structure,
    frame_num: current.FrameNum,
    MaxFrameNum: 16,
    max_num_ref_frames: limit,
    MaxLongTermFrameIdx: 15,
  });
}

const shortNums = (frames: readonly Picture[]): number[] =>
  frames.filter((picture) => picture.shortTerm !== 0).map((picture) => picture.FrameNum);

test('the sliding window drops the smallest FrameNumWrap, across the wrap of frame_num', () => {
  const frames = [frame(14), frame(15), frame(0)];
  const current = frame(1, { shortTerm: 0 });
  mark(frames, current, { kind: 'sliding-window' }, 3);
  expect(shortNums(frames)).toEqual([15, 0]);
  expect(current.shortTerm).toBe(FRAME);
});

test('the sliding window leaves long-term frames alone', () => {
  const long = frame(1, { shortTerm: 0, longTerm: FRAME, LongTermFrameIdx: 0 });
  const frames = [long, frame(2), frame(3)];
  mark(frames, frame(4, { shortTerm: 0 }), { kind: 'sliding-window' }, 3);
  expect(long.longTerm).toBe(FRAME);
  expect(shortNums(frames)).toEqual([3]);
});

test('the second field of a short-term frame does not move the window', () => {
  const current = frame(3, { shortTerm: TOP_FIELD, decoded: TOP_FIELD });
  const frames = [frame(1), current];
  mark(frames, current, { kind: 'sliding-window' }, 2, BOTTOM_FIELD);
  expect(shortNums(frames)).toEqual([1, 3]);
  expect(current.shortTerm).toBe(FRAME);
});

test('operations 1, 3 and 6 unmark, promote, and keep the current frame long-term', () => {
  const frames = [frame(1), frame(2), frame(3)];
  const current = frame(4, { shortTerm: 0 });
  mark(frames, current, {
    kind: 'adaptive',
    operations: [
      { operation: 1, first: 0, second: 0 },
      { operation: 3, first: 1, second: 2 },
      { operation: 6, first: 5, second: 0 },
    ],
  });
  expect(shortNums(frames)).toEqual([1]);
  expect(frames[1].longTerm).toBe(FRAME);
  expect(frames[1].LongTermFrameIdx).toBe(2);
  expect(current.longTerm).toBe(FRAME);
  expect(current.shortTerm).toBe(0);
});

test('operations 2 and 4 unmark long-term frames', () => {
  const a = frame(1, { shortTerm: 0, longTerm: FRAME, LongTermFrameIdx: 0 });
  const b = frame(2, { shortTerm: 0, longTerm: FRAME, LongTermFrameIdx: 3 });
  const result = mark([a, b], frame(4, { shortTerm: 0 }), {
    kind: 'adaptive',
    operations: [
      { operation: 2, first: 0, second: 0 },
      { operation: 4, first: 3, second: 0 },
    ],
  });
  expect([a.longTerm, b.longTerm]).toEqual([0, 0]);
  expect(result.MaxLongTermFrameIdx).toBe(2);
});

test('operation 5 unmarks everything and resets', () => {
  const frames = [frame(1), frame(2)];
  const result = mark(frames, frame(4, { shortTerm: 0 }), {
    kind: 'adaptive',
    operations: [{ operation: 5, first: 0, second: 0 }],
  });
  expect(result).toEqual({ hasReset: true, missing: 0, MaxLongTermFrameIdx: NO_LONG_TERM_FRAME_INDICES });
  expect(shortNums(frames)).toEqual([]);
});

test('an operation that names a missing picture is counted', () => {
  const result = mark([frame(1)], frame(4, { shortTerm: 0 }), {
    kind: 'adaptive',
    operations: [{ operation: 1, first: 0, second: 0 }],
  });
  expect(result.missing).toBe(1);
});

const header = (changes: Partial<SliceHeader>): SliceHeader =>
  ({
    slice_type: 0,
    frame_num: 5,
    num_ref_idx_active: [3, 0],
    ref_pic_list_modification: [[], []],
    ...changes,
  }) as SliceHeader;

function lists(frames: Picture[], changes: Partial<SliceHeader>, input: Partial<ListInput> = {}): (string | null)[][] {
  return buildReferenceLists({
    frames,
    header: header(changes),
    structure: FRAME,
    PicOrderCnt: 10,
    MaxFrameNum: 16,
    pic_order_cnt_type: 0,
    ...input,
  }).map((list) =>
    list.map((entry) => (entry === null ? null : `${entry.picture.FrameNum}${['', 't', 'b', ''][entry.structure]}`)),
  );
}

test('a P frame lists short-term frames by falling number, then long-term ones by index', () => {
  const long = frame(9, { shortTerm: 0, longTerm: FRAME, LongTermFrameIdx: 1 });
  expect(lists([frame(2), long, frame(4), frame(3)], { num_ref_idx_active: [5, 0] })[0]).toEqual([
    '4',
    '3',
    '2',
    '9',
    null,
  ]);
});

test('a B frame lists by order count, and swaps list 1 when it would equal list 0', () => {
  const at = (n: number, order: number): Picture => frame(n, { TopFieldOrderCnt: order, BottomFieldOrderCnt: order });
  const frames = [at(1, 2), at(2, 16), at(3, 8), at(4, 12)];
  expect(lists(frames, { slice_type: 1, num_ref_idx_active: [4, 4] })).toEqual([
    ['3', '1', '4', '2'],
    ['4', '2', '3', '1'],
  ]);
  const past = [at(1, 2), at(3, 8)];
  expect(lists(past, { slice_type: 1, num_ref_idx_active: [2, 2] })).toEqual([
    ['3', '1'],
    ['1', '3'],
  ]);
});

test('a P field alternates parities, starting with its own', () => {
  const half = frame(4, { shortTerm: TOP_FIELD, decoded: TOP_FIELD });
  expect(lists([frame(3), half, frame(2)], { num_ref_idx_active: [5, 0] }, { structure: BOTTOM_FIELD })[0]).toEqual([
    '3b',
    '4t',
    '2b',
    '3t',
    '2t',
  ]);
});

test('list modification moves a picture to the front and keeps the others in order', () => {
  const frames = [frame(1), frame(2), frame(3), frame(4)];
  const modification = [{ modification_of_pic_nums_idc: 0, value: 2 }];
  expect(lists(frames, { num_ref_idx_active: [4, 0], ref_pic_list_modification: [modification, []] })[0]).toEqual([
    '2',
    '4',
    '3',
    '1',
  ]);
});

test('list modification names long-term pictures', () => {
  const long = frame(9, { shortTerm: 0, longTerm: FRAME, LongTermFrameIdx: 7 });
  const modification = [{ modification_of_pic_nums_idc: 2, value: 7 }];
  expect(lists([frame(4), frame(3), long], { ref_pic_list_modification: [modification, []] })[0]).toEqual([
    '9',
    '4',
    '3',
  ]);
});
