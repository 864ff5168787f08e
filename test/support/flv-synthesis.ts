// FLV tags of a stream that exists nowhere: right headers, recognisable payloads.

import { writeVideoPayload } from '../../shared/containers/flv/video-payload.ts';
import { FLV_TAG_TYPES } from '../../shared/containers/flv/flv-tag.ts';
import type { FlvTag } from '../../shared/containers/flv/flv-tag.ts';
import { hex } from './hex.ts';

/** avcC of a 320x240 Constrained Baseline stream. */
export const AVCC_320X240 = hex(
  '0142c00dffe1 0018 6742c00dd90141fb011000000300100000030320f142a480 01 0005 68cb83cb20',
);
/** avcC of a 640x360 Constrained Baseline stream. */
export const AVCC_640X360 = hex(
  '0142c01effe1 0019 6742c01ed900a02ff97011000003000100000300320f162e48 01 0005 68cb83cb20',
);

export function avcSequenceHeader(record: Uint8Array = AVCC_320X240, timestamp = 0): FlvTag {
  const data = writeVideoPayload({ kind: 'sequence-start', notation: 'classic', codec: 'avc', record });
  return { type: FLV_TAG_TYPES.video, timestamp, data };
}

/** Picture `index` of a stream with a key frame every 25; its payload says its number. */
export function avcPicture(index: number, timestamp = index * 40): FlvTag {
  const isKeyframe = index % 25 === 0;
  const payload = new Uint8Array(4 + 1 + 4);
  const view = new DataView(payload.buffer);
  view.setUint32(0, 5);
  view.setUint8(4, isKeyframe ? 0x65 : 0x41);
  view.setUint32(5, index);
  const data = writeVideoPayload({
    kind: 'coded-frames',
    notation: 'classic',
    codec: 'avc',
    isKeyframe,
    compositionTime: 0,
    nanosecondOffset: 0,
    data: payload,
  });
  return { type: FLV_TAG_TYPES.video, timestamp, data };
}

/** The number that avcPicture wrote into a unit. */
export function pictureIndex(data: Uint8Array): number {
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(5);
}
