// The SIMD analysis kernels of the encoder equal their TypeScript reference: results, outputs, and nothing written beside them.
import { expect, test } from '@jest/globals';
import type { AnalysisKernels } from '../../shared/codec/h264/kernels/analysis-kernels.ts';
import {
  HALF_BYTES,
  MAX_LEVEL,
  QUANTISER_8X8_BYTES,
  QUANTISER_BYTES,
} from '../../shared/codec/h264/kernels/analysis-kernels.ts';
import { CodecMemory } from '../../shared/codec/h264/kernels/codec-memory.ts';
import { createEncoderKernels } from '../../shared/codec/h264/kernels/encoder-kernels.ts';
import { Quantisers, QUANTISERS_BYTES } from '../../shared/codec/h264/residual/quantisers.ts';
import { seededRandom } from '../support/random.ts';
import { KernelArena, SAMPLE_KINDS } from './harness.ts';

const SIZES = [
  [16, 16],
  [16, 8],
  [8, 16],
  [8, 8],
  [8, 4],
  [4, 8],
  [4, 4],
] as const;

/** The bytes of one quantiser, made in a memory of its own. */
function quantiserBytes(qp: number, kind: 'intra' | 'inter', bytes: number): Uint8Array {
  const memory = CodecMemory.create(QUANTISERS_BYTES);
  const quantisers = new Quantisers(memory, { intra: 1 / 3, inter: 1 / 6 });
  const at = kind === 'intra' ? quantisers.intra(qp) : quantisers.inter(qp);
  return memory.bytes.slice(at, at + bytes);
}

function quantiser8x8Bytes(qp: number, kind: 'intra' | 'inter'): Uint8Array {
  const memory = CodecMemory.create(QUANTISERS_BYTES);
  const quantisers = new Quantisers(memory, { intra: 1 / 3, inter: 1 / 6 });
  const at = kind === 'intra' ? quantisers.intra8x8(qp) : quantisers.inter8x8(qp);
  return memory.bytes.slice(at, at + QUANTISER_8X8_BYTES);
}

for (const build of ['plain', 'shared'] as const) {
  const arena = new KernelArena<AnalysisKernels>(
    (memory) => createEncoderKernels(memory, 'reference'),
    (memory) => createEncoderKernels(memory, 'wasm'),
    { shared: build === 'shared' },
  );
  const random = seededRandom(11);
  const { base } = arena;
  const block = () => base + 2048 + random(8192);
  const stride = () => 32 + random(96);
  const out = base + 60000;

  test(`${build}: differences of every block size equal the reference`, () => {
    for (const kind of SAMPLE_KINDS) {
      arena.fillSamples(kind, 21);
      for (const [w, h] of SIZES) {
        for (let round = 0; round < 12; round++) {
          const [a, as, b, bs, c, cs] = [block(), stride(), block(), stride(), block(), stride()];
          const label = `${kind} ${w}x${h}`;
          arena.compare(`sad ${label}`, (k) => k.sad(w, h, a, as, b, bs));
          arena.compare(`satd ${label}`, (k) => k.satd(w, h, a, as, b, bs));
          arena.compare(`ssd ${label}`, (k) => k.ssd(w, h, a, as, b, bs));
          arena.compare(`satdOfAverage ${label}`, (k) => k.satdOfAverage(w, h, a, as, b, bs, c, cs));
          arena.compare(`sad4 ${label}`, (k) => k.sad4(w, h, a, as, b, c, b + 1, c + 7, bs, out));
        }
      }
    }
  });

  test(`${build}: the largest differences do not overflow`, () => {
    arena.fillSamples('zeros', 1);
    arena.write(base + 4096, new Array<number>(4096).fill(255));
    for (const [w, h] of SIZES) {
      arena.compare('sad', (k) => k.sad(w, h, base + 4096, 64, base + 1024, 16));
      arena.compare('satd', (k) => k.satd(w, h, base + 4096, 64, base + 1024, 16));
      arena.compare('ssd', (k) => k.ssd(w, h, base + 4096, 64, base + 1024, 16));
    }
    expect(arena.candidate.sad(16, 16, base + 4096, 64, base + 1024, 16)).toBe(255 * 256);
    expect(arena.candidate.ssd(16, 16, base + 4096, 64, base + 1024, 16)).toBe(255 * 255 * 256);
  });

  test(`${build}: the activity of macroblocks equals the reference`, () => {
    for (const kind of SAMPLE_KINDS) {
      arena.fillSamples(kind, 71);
      for (const [width, height] of [
        [1, 1],
        [3, 2],
        [2, 5],
      ] as const) {
        const [plane, stride] = [block(), 48 + random(64)];
        const label = `${kind} ${width}x${height}`;
        arena.compare(label, (k) => k.macroblockActivity(plane, stride, width, height, out));
        arena.compare(`equal ${label}`, (k) => k.equalNeighbours(plane, stride, width, height, out));
      }
    }
  });

  test(`${build}: half-sample planes equal the reference`, () => {
    for (const kind of SAMPLE_KINDS) {
      arena.fillSamples(kind, 31);
      for (const [w, h] of SIZES.slice(0, 4)) {
        for (let round = 0; round < 6; round++) {
          const [src, ss] = [block(), stride()];
          const dst = base + 50000 + 16 * random(8);
          arena.compare(`${kind} ${w}x${h}`, (k) => k.interpolateHalfSamples(dst, src, ss, w, h));
        }
      }
    }
    expect(HALF_BYTES).toBeLessThan(4096);
  });

  test(`${build}: transform, quantisation and scaling equal the reference at every QP`, () => {
    const quantiser = base + 40000;
    const levels = base + 41024;
    const coefficients = base + 43008;
    const masks = base + 45056;
    for (const kind of SAMPLE_KINDS) {
      for (let qp = 0; qp < 52; qp++) {
        arena.fillSamples(kind, 41 + qp);
        arena.write(quantiser, quantiserBytes(qp, qp % 2 === 0 ? 'intra' : 'inter', QUANTISER_BYTES));
        const [a, as, b, bs] = [block(), stride(), block(), stride()];
        const label = `${kind} QP ${qp}`;
        arena.compare(label, (k) => k.quantizeLuma(a, as, b, bs, quantiser, levels, coefficients, masks));
        arena.compare(label, (k) => k.quantizeIntra16x16(a, as, b, bs, quantiser, levels, coefficients, masks));
        arena.compare(label, (k) => k.quantizeChroma(a, as, b, bs, quantiser, levels, coefficients, masks));
        arena.compare(label, (k) => k.quantizeBlock(a, as, b, bs, quantiser, levels, coefficients));
      }
    }
  });

  test(`${build}: the 8x8 transform and its quantisation equal the reference at every QP`, () => {
    for (const kind of SAMPLE_KINDS) {
      for (let qp = 0; qp < 52; qp++) {
        arena.fillSamples(kind, 141 + qp);
        arena.write(base + 40000, quantiser8x8Bytes(qp, qp % 2 === 0 ? 'intra' : 'inter'));
        const [a, as, b, bs] = [block(), stride(), block(), stride()];
        const [levels, coefficients, masks] = [base + 41024, base + 43008, base + 45056];
        const label = `${kind} QP ${qp}`;
        arena.compare(label, (k) => k.satd8x8(16, 16, a, as, b, bs));
        arena.compare(label, (k) => k.satd8x8(8, 8, a, as, b, bs));
        arena.compare(label, (k) => k.quantizeBlock8x8(a, as, b, bs, base + 40000, levels, coefficients, masks));
      }
    }
  });

  test(`${build}: levels never exceed what CAVLC can write`, () => {
    arena.fillSamples('zeros', 1);
    arena.write(base + 4096, new Array<number>(4096).fill(255));
    arena.write(base + 40000, quantiserBytes(0, 'intra', QUANTISER_BYTES));
    arena.compare('maximum', (k) =>
      k.quantizeIntra16x16(base + 4096, 64, base + 1024, 16, base + 40000, base + 41024, base + 43008, base + 45056),
    );
    const dc = new Int16Array(arena.bytes.buffer, base + 41024, 16);
    expect(dc[0]).toBe(MAX_LEVEL);
  });

  test(`${build}: intra 4x4 costs equal the reference for every availability`, () => {
    for (const kind of SAMPLE_KINDS) {
      arena.fillSamples(kind, 51);
      for (let available = 0; available < 16; available++) {
        if (((available & 4) !== 0 && (available & 2) === 0) || ((available & 8) !== 0 && (available & 3) !== 3)) {
          continue; // no samples above right without samples above, no corner without both sides
        }
        for (let round = 0; round < 10; round++) {
          const [src, ss, dst, ds] = [block(), stride(), block() + 16384, stride()];
          arena.compare(`${kind} ${available}`, (k) => k.intra4x4Costs(src, ss, dst, ds, available, out));
        }
      }
    }
  });

  test(`${build}: padding repeats the edges`, () => {
    for (const [width, height, border] of [
      [48, 20, 32],
      [16, 16, 16],
      [33, 9, 16],
    ] as const) {
      arena.fillSamples('random', 61);
      const s = width + 2 * border + 5;
      arena.compare('pad', (k) => k.padPlane(base + 1024 + border * s + border, s, width, height, border));
    }
  });
}
