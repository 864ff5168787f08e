// Output order by bumping with the reordering depth and the capacity that a stream's VUI gives (C.4.5, E.2.1).

import { expect, test } from '@jest/globals';
import { DecodedPictureBuffer } from '../../../../../../shared/codec/h264/dpb/decoded-picture-buffer.ts';
import { FRAME, Picture, type PictureMemory } from '../../../../../../shared/codec/h264/dpb/picture.ts';
import type { SequenceParameterSet } from '../../../../../../shared/codec/h264/syntax/sps.ts';
import { plainSps } from '../../../../../support/plain-parameter-sets.ts';

type Coded = { readonly order: number; readonly isReference: boolean };

const reference = (order: number): Coded => ({ order, isReference: true });
const plain = (order: number): Coded => ({ order, isReference: false });

function spsWith(reorder: number, capacity: number): SequenceParameterSet {
  return {
    ...plainSps,
    pic_order_cnt_type: 0,
    max_num_ref_frames: capacity,
    vui: {
      bitstream_restriction: { max_num_reorder_frames: reorder, max_dec_frame_buffering: capacity },
    } as unknown as SequenceParameterSet['vui'],
  };
}

/** Order counts in output order; references slide out when more than `references` are marked. */
function outputOf(pictures: readonly Coded[], sps: SequenceParameterSet, references: number): number[] {
  const shown: number[] = [];
  const buffer = new DecodedPictureBuffer((picture) => shown.push(picture.PicOrderCnt));
  buffer.configure(sps, false);
  pictures.forEach(({ order, isReference }, slot) => {
    const picture = new Picture(slot, {} as PictureMemory);
    picture.reset();
    Object.assign(picture, { TopFieldOrderCnt: order, BottomFieldOrderCnt: order, decoded: FRAME, isReference });
    if (isReference) {
      const marked = buffer.frames.filter((frame) => frame.isMarked);
      if (marked.length >= references) {
        marked[0].shortTerm = 0;
      }
      picture.shortTerm = FRAME;
    }
    picture.isWaitingForOutput = true;
    buffer.makeRoom(picture);
    buffer.store(picture);
    buffer.outputReady();
  });
  buffer.flush();
  return shown;
}

test('pictures that are not references pass a full buffer one by one, in order', () => {
  const pictures = [reference(0), reference(8), plain(2), plain(4), plain(6), reference(16), plain(10), plain(12)];
  expect(outputOf(pictures, spsWith(1, 2), 2)).toEqual([0, 2, 4, 6, 8, 10, 12, 16]);
});

test('a pyramid of references comes out in order', () => {
  const pictures = [
    reference(0),
    reference(8),
    reference(4),
    plain(2),
    plain(6),
    reference(16),
    reference(12),
    plain(10),
  ];
  expect(outputOf(pictures, spsWith(2, 4), 4)).toEqual([0, 2, 4, 6, 8, 10, 12, 16]);
});

test('without reordering every picture comes out as it is decoded', () => {
  const buffered: number[] = [];
  const buffer = new DecodedPictureBuffer((picture) => buffered.push(picture.PicOrderCnt));
  buffer.configure(spsWith(0, 4), false);
  for (const order of [0, 2, 4]) {
    const picture = new Picture(order, {} as PictureMemory);
    picture.reset();
    Object.assign(picture, { TopFieldOrderCnt: order, BottomFieldOrderCnt: order, decoded: FRAME, shortTerm: FRAME });
    picture.isWaitingForOutput = true;
    buffer.makeRoom(picture);
    buffer.store(picture);
    buffer.outputReady();
    expect(buffered.at(-1)).toBe(order);
  }
});
