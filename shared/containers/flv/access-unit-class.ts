// How important a coded picture is, read from its NAL unit headers (Rec. ITU-T H.264 7.3.1, H.265 7.3.1.2) or, for codecs
// without NAL units, from the container's key frame flag. Damaged data is never an error here: it is a reference picture.

import type { Priority } from '../../media/access-unit.ts';
import type { FlvVideoCodec } from './video-payload.ts';

/** The importance of one access unit whose NAL units carry `lengthSize`-byte prefixes (1..4). */
export function classifyAccessUnit(
  codec: FlvVideoCodec,
  data: Uint8Array,
  context: { readonly lengthSize: number; readonly isFlaggedKey: boolean },
): Priority {
  if (codec === 'avc') {
    return classifyAvc(data, context);
  }
  return context.isFlaggedKey ? 'key' : 'reference';
}

function classifyAvc(
  data: Uint8Array,
  { lengthSize, isFlaggedKey }: { readonly lengthSize: number; readonly isFlaggedKey: boolean },
): Priority {
  let isReferenced = false;
  let hasSlice = false;
  for (const nalUnitHeader of nalUnitHeaders(data, lengthSize)) {
    const nal_unit_type = nalUnitHeader & 0x1f;
    if (nal_unit_type === 5) {
      return 'key';
    }
    if (nal_unit_type >= 1 && nal_unit_type <= 4) {
      hasSlice = true;
      isReferenced ||= (nalUnitHeader & 0x60) !== 0;
    }
  }
  // A flagged picture without IDR slices is a recovery point: decoding may start there.
  if (isFlaggedKey && hasSlice) {
    return 'key';
  }
  return hasSlice && !isReferenced ? 'discardable' : 'reference';
}

/** The first byte of each length-prefixed NAL unit; stops quietly where a length leaves the data. */
function* nalUnitHeaders(data: Uint8Array, lengthSize: number): Generator<number> {
  let offset = 0;
  while (offset + lengthSize < data.length) {
    let length = 0;
    for (let i = 0; i < lengthSize; i++) {
      length = length * 256 + data[offset + i];
    }
    offset += lengthSize;
    if (length > data.length - offset) {
      return;
    }
    if (length > 0) {
      yield data[offset];
    }
    offset += length;
  }
}
