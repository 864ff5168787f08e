// Damaged FLV files: a coded error or units, never anything else, and never more memory than the file has bytes.

import { expect, test } from '@jest/globals';
import { FlvDemuxer } from '../../../../../shared/containers/flv/flv-demuxer.ts';
import { FlvTagReader, writeFlvFileHeader, writeFlvTag } from '../../../../../shared/containers/flv/flv-tag.ts';
import type { FlvTag } from '../../../../../shared/containers/flv/flv-tag.ts';
import { writeOnMetaData } from '../../../../../shared/containers/flv/on-meta-data.ts';
import { BitstreamError, ContainerError, ProtocolError } from '../../../../../shared/errors.ts';
import { UNSPECIFIED_COLOUR } from '../../../../../shared/media/colour.ts';
import { microseconds } from '../../../../../shared/media/time.ts';
import { avcPicture, avcSequenceHeader } from '../../../../support/flv-synthesis.ts';
import { fuzz, mutate } from '../../../../support/fuzz.ts';
import { concat, hex } from '../../../../support/hex.ts';

const tags: readonly FlvTag[] = [
  { type: 18, timestamp: 0, data: writeOnMetaData([{ kind: 'audio', codec: 'opus', sampleRate: 48000, channels: 2 }]) },
  avcSequenceHeader(),
  { type: 8, timestamp: 0, data: hex('af 00 1190') },
  avcPicture(0),
  { type: 8, timestamp: 21, data: hex('af 01 21001049') },
  avcPicture(1),
  { type: 9, timestamp: 80, data: hex('90 61763031 81082c00') },
  { type: 9, timestamp: 80, data: hex('97 02 0003e8 01 61763031 0011') },
  { type: 8, timestamp: 90, data: hex('90 4f707573 4f70757348656164 01 02 3801 80bb0000 0000 00') },
  { type: 8, timestamp: 90, data: hex('91 4f707573 fc00') },
];
const file = concat(writeFlvFileHeader({ audio: true, video: true }), ...tags.map(writeFlvTag));

function outcomeOf(bytes: Uint8Array, step: number): string {
  let units = 0;
  let tracks = 0;
  const reader = new FlvTagReader({ maxTagBytes: 65_536 });
  const demuxer = new FlvDemuxer({
    describeVideo: (_codec, _record, { width = 1, height = 1 }) => ({
      codec: 'x',
      width,
      height,
      sampleAspect: [1, 1],
      colour: UNSPECIFIED_COLOUR,
    }),
    onTrack: () => (tracks += 1),
    onUnit: () => (units += 1),
  });
  try {
    for (let at = 0; at < bytes.length; at += step) {
      for (const tag of reader.push(bytes.subarray(at, at + step))) {
        demuxer.push(tag, microseconds(0));
      }
    }
    reader.finish();
  } catch (error) {
    if (error instanceof ContainerError || error instanceof BitstreamError) {
      return 'malformed';
    }
    if (error instanceof ProtocolError) {
      return error.code;
    }
    throw error;
  }
  expect(units).toBeLessThanOrEqual(bytes.length);
  return tracks === 0 ? 'nothing' : units === 0 ? 'tracks only' : 'units';
}

test('the undamaged file gives units', () => {
  expect(outcomeOf(file, 7)).toBe('units');
});

test('damaged files end in units or a coded error', () => {
  const outcomes = fuzz('FLV tags', 20261122, (random) => outcomeOf(mutate(random, file), 1 + random(file.length)));
  expect([...outcomes.keys()].toSorted()).toEqual(expect.arrayContaining(['malformed', 'units']));
}, 300_000);
