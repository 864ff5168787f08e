// The slice kernel against its reference, the TypeScript slice decoder: after every picture the samples, the motion and the macroblock
// store are the same. A listener to macroblocks makes the decoder take the reference.

import { expect, test } from '@jest/globals';
import { H264Decoder } from '../../shared/codec/h264/decoder.ts';
import type { PictureDecoder } from '../../shared/codec/h264/decoder/picture-decoder.ts';
import type { Picture } from '../../shared/codec/h264/dpb/picture.ts';
import { SLICE_CONTEXT_WORDS, SLICE_FAULTS } from '../../shared/codec/h264/kernels/slice-context.ts';
import { microseconds } from '../../shared/media/time.ts';
import { conformanceStreams, streamBytes } from '../support/conformance-streams.ts';
import { encodeClip } from '../support/encode-clip.ts';
import { movingPicture } from '../support/moving-picture.ts';
import { describeWith } from '../support/requirements.ts';

/** Everything that a picture leaves behind, each part as one buffer. */
function leftBehind({ sequence }: PictureDecoder, picture: Picture): Map<string, Buffer> {
  const { state, memory } = sequence;
  const { store } = state;
  const samples = 256 * store.macroblocks;
  const { y, u, v, refIdx, refPic, mv } = picture.memory;
  const parts = new Map<string, Buffer>();
  const keep = (name: string, array: ArrayBufferView): void => {
    parts.set(name, Buffer.from(new Uint8Array(array.buffer, array.byteOffset, array.byteLength)));
  };
  keep('y', memory.bytes.subarray(y, y + samples));
  keep('u', memory.bytes.subarray(u, u + samples / 4));
  keep('v', memory.bytes.subarray(v, v + samples / 4));
  for (let list = 0; list < 2; list++) {
    keep(`refIdx${list}`, refIdx[list] ?? new Int8Array());
    keep(`refPic${list}`, refPic[list] ?? new Int8Array());
    // vectors of blocks that do not use the list mean nothing
    const used = mv[list]?.map((vector, i) => {
      const block = 4 * (i >> 4) + ((i >> 2) & 2) + ((i >> 1) & 1);
      return (refIdx[list]?.[block] ?? -1) < 0 ? 0 : vector;
    });
    keep(`mv${list}`, used ?? new Int32Array());
  }
  keep('sliceId', store.sliceId);
  keep('kind', store.kind);
  keep('qp', store.qp);
  keep('cbp', store.cbp);
  keep('totalCoeff', store.totalCoeff);
  keep('nonZero', store.nonZero);
  keep('intraMode', store.intraMode);
  keep('intraChromaMode', store.intraChromaMode);
  keep('direct', store.direct);
  keep('mbType', store.mbType);
  keep('mvd', store.mvd);
  keep('coefficients', state.coefficients);
  keep('decodedMbs', Int32Array.of(state.decodedMbs));
  return parts;
}

/** Decodes with or without the kernel; visits each picture when it is complete. */
function decode(stream: Uint8Array, isReference: boolean, visit: (parts: Map<string, Buffer>) => void): void {
  const decoder = new H264Decoder(
    {
      output: (frame) => frame.close(),
      error: ({ code }) => {
        throw new Error(`The decoder reported ${code}.`);
      },
    },
    {
      picture: (pictures, picture) => visit(leftBehind(pictures, picture)),
      ...(isReference ? { macroblock: () => undefined } : {}),
    },
  );
  decoder.configure({ format: 'annexb' });
  decoder.decode({ type: 'key', timestamp: microseconds(0), data: stream });
  decoder.flush();
  decoder.close();
}

function expectSame(stream: Uint8Array): void {
  const expected: Map<string, Buffer>[] = [];
  decode(stream, true, (parts) => expected.push(parts));
  let picture = 0;
  decode(stream, false, (parts) => {
    const wanted = expected[picture] ?? new Map<string, Buffer>();
    const different = [...parts].filter(([name, part]) => wanted.get(name)?.equals(part) !== true);
    expect({ picture, different: different.map(([name]) => name) }).toEqual({ picture, different: [] });
    picture++;
  });
  expect(picture).toBe(expected.length);
  expect(picture).toBeGreaterThan(0);
}

const framerate = { numerator: 25, denominator: 1 };

for (const profile of ['baseline', 'main', 'high'] as const) {
  test(`decodes what our encoder writes in ${profile} profile like the reference`, () => {
    const { stream } = encodeClip(
      { width: 176, height: 144, framerate, rateControl: { kind: 'qp', qp: 24 }, profile, slices: 2, keyint: 5 },
      movingPicture({ width: 176, height: 144, seed: 11, noise: 6 }),
      8,
    );
    expectSame(stream);
  });
}

test('the words of the slice context end where its tables begin', () => {
  expect(4 * SLICE_CONTEXT_WORDS.length).toBe(256);
  expect(new Set(SLICE_CONTEXT_WORDS).size).toBe(SLICE_CONTEXT_WORDS.length);
  expect(SLICE_FAULTS).toHaveLength(12);
});

/** CAVLC and CABAC with B pictures, both direct modes, weighting, 8x8 transform, scaling matrices, I_PCM, several slices and references. */
const STREAMS = [
  'CABA3_SVA_B',
  'CABAST3_Sony_E',
  'CABASTBR3_Sony_B',
  'CVWP1_TOSHIBA_E',
  'CVWP5_TOSHIBA_E',
  'CVPCMNL1_SVA_C',
  'CAPCM1_Sand_E',
  'FRExt2_Panasonic_C',
  'FREXT01_JVC_D',
  'MR1_BT_A',
  'SL1_SVA_B',
  'HPCADQ_BRCM_B',
  '426x240_420p_action-libx264',
];

describeWith(['material'], 'the slice kernel on conformance streams', () => {
  const chosen = conformanceStreams.filter((stream) => STREAMS.includes(stream.name));

  test('finds its streams', () => {
    expect(chosen.length).toBeGreaterThanOrEqual(10);
  });

  for (const stream of chosen) {
    test(`leaves the same behind as the reference after each picture of ${stream.name}`, () => {
      expectSame(streamBytes(stream));
    }, 60_000);
  }
});
