// Slice groups of all types in arbitrary slice order, with redundant slices among them: every sample is known.

import { expect, test } from '@jest/globals';
import { H264Decoder } from '../../../../../../shared/codec/h264/decoder.ts';
import type { DecodeErrorReport } from '../../../../../../shared/codec/h264/codec-types.ts';
import { microseconds } from '../../../../../../shared/media/time.ts';
import {
  synthesizeSliceGroups,
  type SliceGroupCoding,
} from '../../../../../support/stream-synthesizer/slice-group-stream.ts';

const SEEDS = Array.from({ length: 12 }, (_, i) => 700 + i);

const TYPES = ['interleaved', 'dispersed', 'foreground', 'box-out', 'raster scan', 'wipe', 'explicit'] as const;

function decode(stream: Uint8Array): { frames: Uint8Array[]; errors: DecodeErrorReport[] } {
  const frames: Uint8Array[] = [];
  const errors: DecodeErrorReport[] = [];
  const decoder = new H264Decoder({
    output: (frame) => {
      const rows = [frame.y, frame.u, frame.v].flatMap(({ data, stride, width, height }) =>
        Array.from({ length: height }, (_, row) => data.slice(row * stride, row * stride + width)),
      );
      frames.push(new Uint8Array(Buffer.concat(rows)));
      frame.close();
    },
    error: (report) => errors.push(report),
  });
  decoder.configure({ format: 'annexb' });
  decoder.decode({ type: 'key', timestamp: microseconds(0), data: stream });
  decoder.flush();
  decoder.close();
  return { frames, errors };
}

for (const coding of ['progressive', 'interlaced frames', 'fields'] satisfies SliceGroupCoding[]) {
  for (const [type, name] of TYPES.entries()) {
    test(`decodes ${coding} with slice groups of type ${type} (${name}) in any order of slices`, () => {
      let redundantSlices = 0;
      for (const seed of SEEDS) {
        const made = synthesizeSliceGroups(seed, type, coding);
        const { frames, errors } = decode(made.stream);
        expect({ seed, errors, count: frames.length }).toEqual({ seed, errors: [], count: made.frames.length });
        const wrong = frames.findIndex((frame, i) => Buffer.compare(frame, made.frames[i]!) !== 0);
        expect({ seed, wrong }).toEqual({ seed, wrong: -1 });
        redundantSlices += made.redundantSlices;
      }
      expect(redundantSlices).toBeGreaterThan(0);
    });
  }
}
