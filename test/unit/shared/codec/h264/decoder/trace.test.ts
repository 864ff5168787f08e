// The decoder's trace: bits per syntax element, and the stages of a macroblock, checked against the decoder's own results.

import { describe, expect, test } from '@jest/globals';
import { H264Decoder } from '../../../../../../shared/codec/h264/decoder.ts';
import type { MacroblockStages } from '../../../../../../shared/codec/h264/decoder/macroblock-stages.ts';
import { microseconds } from '../../../../../../shared/media/time.ts';
import {
  synthesizeStream,
  type SyntheticStream,
} from '../../../../../support/stream-synthesizer/stream-synthesizer.ts';

/** Small streams without fields or cropping, so that a macroblock lies in the frame where its address says. */
function plainStreams(count: number): SyntheticStream[] {
  const found: SyntheticStream[] = [];
  for (let seed = 1; found.length < count; seed++) {
    const made = synthesizeStream(seed, 1);
    if (made.plan.coding === 'progressive' && made.plan.sps.frame_cropping === null) {
      found.push(made);
    }
  }
  return found;
}

/** First macroblock of each frame, all its stages, with the samples of the frame that comes out. */
function traceFirstFrame(stream: Uint8Array, mb: number): { stages: MacroblockStages[]; y: number[][] } {
  const stages: MacroblockStages[] = [];
  const y: number[][] = [];
  const decoder = new H264Decoder(
    {
      output: (frame) => {
        const width = frame.width / 16;
        const at = Math.floor(mb / width) * 16 * frame.y.stride + (mb % width) * 16;
        y.push(
          Array.from({ length: 16 }, (_, row) => [
            ...frame.y.data.subarray(at + row * frame.y.stride, at + row * frame.y.stride + 16),
          ]).flat(),
        );
        frame.close();
      },
      error: ({ code }) => {
        throw new Error(code);
      },
    },
    {
      macroblock: () => undefined,
      wantsStages: ({ sequence }) => sequence.state.mb === mb,
      stages: (taken) => stages.push(taken),
    },
  );
  decoder.configure({ format: 'annexb' });
  decoder.decode({ type: 'key', timestamp: microseconds(0), data: stream });
  decoder.flush();
  return { stages, y };
}

describe('bits per syntax element', () => {
  test('never add up to more than the macroblock, and to all of it in CAVLC intra slices', () => {
    let compared = 0;
    for (const { stream } of plainStreams(6)) {
      let sum = 0;
      let isWhole = false;
      const decoder = new H264Decoder(
        { output: (frame) => frame.close(), error: () => undefined },
        {
          slice: (header, { pps }) => {
            isWhole = !pps.entropy_coding_mode_flag && header.slice_type % 5 === 2;
          },
          syntaxElement: (_, bits) => {
            expect(bits).toBeGreaterThanOrEqual(0);
            sum += bits;
          },
          macroblock: ({ sequence }, bits) => {
            const isPcm = (sequence.state.kind & 8) !== 0;
            if (isWhole && !isPcm) {
              expect(sum).toBe(bits);
              compared++;
            }
            expect(sum).toBeLessThanOrEqual(bits);
            sum = 0;
          },
        },
      );
      decoder.configure({ format: 'annexb' });
      decoder.decode({ type: 'key', timestamp: microseconds(0), data: stream });
      decoder.flush();
    }
    expect(compared).toBeGreaterThan(0);
  });
});

describe('stages of a macroblock', () => {
  test('prediction and residual give the samples before deblocking, and those after it come out', () => {
    for (const { stream, plan } of plainStreams(6)) {
      const last = (plan.sps.pic_width_in_mbs_minus1 + 1) * (plan.sps.pic_height_in_map_units_minus1 + 1) - 1;
      for (const mb of [0, last]) {
        const { stages, y } = traceFirstFrame(stream, mb);
        expect(stages).toHaveLength(y.length);
        for (const { prediction, residual, beforeDeblocking } of stages) {
          expect(prediction.y.map((value, i) => value + residual.y[i])).toEqual(beforeDeblocking.y);
        }
        const shown = stages.map(({ afterDeblocking }) => JSON.stringify(afterDeblocking.y)).sort();
        expect(shown).toEqual(y.map((samples) => JSON.stringify(samples)).sort());
      }
    }
  });

  test('where there is no coefficient there is no residual', () => {
    let coded = 0;
    for (const { stream } of plainStreams(6)) {
      for (const { coefficients, levels, dcLevels, residual } of traceFirstFrame(stream, 0).stages) {
        const hasCoefficients = coefficients.y.some((value) => value !== 0);
        if (!hasCoefficients) {
          expect(residual.y.every((value) => value === 0)).toBe(true);
        }
        if (dcLevels.y.length === 0) {
          expect(levels.y.map((level) => level !== 0)).toEqual(coefficients.y.map((value) => value !== 0));
        }
        coded += hasCoefficients ? 1 : 0;
      }
    }
    expect(coded).toBeGreaterThan(0);
  });
});
