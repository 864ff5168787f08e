// The SIMD kernels that do a whole job per call (boundary strengths of the encoder's grid, runs of P_Skip, motion search) equal their
// TypeScript reference: results, outputs, and nothing written beside them.
import { expect, test } from '@jest/globals';
import type { EncoderKernels } from '../../shared/codec/h264/kernels/encoder-kernels.ts';
import { HALF_BYTES, QUANTISER_BYTES } from '../../shared/codec/h264/kernels/analysis-kernels.ts';
import { CodecMemory } from '../../shared/codec/h264/kernels/codec-memory.ts';
import { createEncoderKernels } from '../../shared/codec/h264/kernels/encoder-kernels.ts';
import {
  GRID_STRENGTH_PARAMETERS,
  SKIP_RUN_PARAMETERS,
  skipRunIndex,
} from '../../shared/codec/h264/kernels/grid-kernels.ts';
import { SEARCH_BYTES, SEARCH_PARAMETERS, searchIndex } from '../../shared/codec/h264/kernels/motion-kernels.ts';
import { DEBLOCK_RECORD_BYTES } from '../../shared/codec/h264/kernels/row-deblock-kernels.ts';
import { Quantisers, QUANTISERS_BYTES } from '../../shared/codec/h264/residual/quantisers.ts';
import { seededRandom } from '../support/random.ts';
import { KernelArena, SAMPLE_KINDS } from './harness.ts';

const [WIDTH, HEIGHT] = [5, 2]; // in macroblocks
const STRIDE = 4 * WIDTH + 8;
const CHROMA_STRIDE = 2 * WIDTH + 4;
const CELLS = STRIDE * (4 * HEIGHT + 2);
const [BORDER, LUMA_STRIDE] = [32, 16 * WIDTH + 64];
const LUMA_BYTES = LUMA_STRIDE * (16 * HEIGHT + 64);

/** Byte offsets in the arena of a grid, two bordered pictures and a source. */
const AT = {
  parameters: 0,
  records: 512,
  mv: 1024,
  ref: 2304,
  count: 2688,
  intraMode: 3072,
  countU: 3456,
  countV: 3584,
  perMacroblock: 3712, // 16 bytes each for kind, qp, transform8x8, chromaMode, hasInnerEdges; 32 each for cbp, slice
  chromaQp: 3904,
  quantisers: 4096,
  levels: 4352,
  coefficients: 5120,
  masks: 5888,
  source: 6144,
  target: 10240,
  reference: 10240 + LUMA_BYTES + LUMA_BYTES / 2,
} as const;

function quantiser(qp: number): Uint8Array {
  const memory = CodecMemory.create(QUANTISERS_BYTES);
  const at = new Quantisers(memory, { intra: 1 / 3, inter: 1 / 6 }).inter(qp);
  return memory.bytes.slice(at, at + QUANTISER_BYTES);
}

const pack = (x: number, y: number): number => (x & 0xffff) | (y << 16);

for (const build of ['plain', 'shared'] as const) {
  const arena = new KernelArena<EncoderKernels>(
    (memory) => createEncoderKernels(memory, 'reference'),
    (memory) => createEncoderKernels(memory, 'wasm'),
    { shared: build === 'shared' },
  );
  const random = seededRandom(61);
  const { base } = arena;
  const many = (count: number, value: (i: number) => number): number[] =>
    Array.from({ length: count }, (_, i) => value(i));
  const perMacroblock = (index: number): number => base + AT.perMacroblock + 16 * index;

  /** Random vectors, references and counts; borders are not available. */
  const writeGrid = (variety: number): void => {
    const isInside = (cell: number): boolean => cell >= STRIDE && cell % STRIDE >= 4 && cell % STRIDE < 4 + 4 * WIDTH;
    const vector = (): number => (variety === 0 ? 0 : pack(random(9) - 4, random(9) - 4));
    arena.writeInts(
      base + AT.mv,
      many(CELLS, (i) => (isInside(i) ? vector() : 0)),
    );
    arena.write(
      base + AT.ref,
      many(CELLS, (i) => (isInside(i) ? (random(variety + 1) < 2 ? 0 : random(3) - 1) : -2) & 255),
    );
    arena.write(
      base + AT.count,
      many(CELLS, (i) => (isInside(i) ? (random(3) === 0 ? random(17) : 0) : 0x80)),
    );
    arena.write(
      base + AT.intraMode,
      many(CELLS, () => 255),
    );
    arena.write(
      base + AT.chromaQp,
      many(52, (i) => (i < 30 ? i : 29 + ((i - 29) >> 1))),
    );
  };

  test(`${build}: boundary strengths of a grid row equal the reference`, () => {
    const seen = new Set<number>();
    for (let round = 0; round < 120; round++) {
      arena.fillSamples('random', 300 + round);
      writeGrid(round % 3);
      const kinds = many(WIDTH * HEIGHT, () => random(5));
      arena.write(perMacroblock(0), kinds);
      arena.write(
        perMacroblock(1),
        many(WIDTH * HEIGHT, () => random(52)),
      );
      arena.write(
        perMacroblock(2),
        many(WIDTH * HEIGHT, () => random(2)),
      );
      // macroblocks without inner edges: one vector, one reference, no levels
      const inner = many(WIDTH * HEIGHT, () => random(2));
      arena.write(perMacroblock(3), inner);
      inner.forEach((has, mb) => {
        const cell = (4 * Math.floor(mb / WIDTH) + 1) * STRIDE + 4 * (mb % WIDTH) + 4;
        const mv = pack(random(9) - 4, random(3));
        for (let row = 0; has === 0 && row < 4; row++) {
          arena.writeInts(base + AT.mv + 4 * (cell + row * STRIDE), [mv, mv, mv, mv]);
          arena.write(base + AT.ref + cell + row * STRIDE, [0, 0, 0, 0]);
          arena.write(base + AT.count + cell + row * STRIDE, [0, 0, 0, 0]);
        }
      });
      const values: Record<(typeof GRID_STRENGTH_PARAMETERS)[number], number> = {
        records: base + AT.records,
        macroblocks: WIDTH,
        row: round & 1,
        stride: STRIDE,
        mv: base + AT.mv,
        ref: base + AT.ref,
        count: base + AT.count,
        kind: perMacroblock(0),
        qp: perMacroblock(1),
        transform8x8: perMacroblock(2),
        hasInnerEdges: perMacroblock(3),
        chromaQp: base + AT.chromaQp,
        offsetA: random(13) - 6,
        offsetB: random(13) - 6,
      };
      arena.writeInts(
        base,
        GRID_STRENGTH_PARAMETERS.map((name) => values[name]),
      );
      arena.compare(`round ${round}`, (k) => k.gridStrengths(base));
      for (let i = 0; i < WIDTH; i++) {
        const record = base + AT.records + DEBLOCK_RECORD_BYTES * i;
        arena.bytes.subarray(record, record + 32).forEach((bS) => seen.add(bS));
      }
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  test(`${build}: runs of P_Skip equal the reference, however they end`, () => {
    const ends = new Set<string>();
    for (let round = 0; round < 160; round++) {
      arena.fillSamples(round % 8 === 0 ? 'random' : 'smooth', 700 + round);
      writeGrid(round % 3);
      const qp = 16 + random(30);
      arena.write(base + AT.quantisers, quantiser(qp));
      arena.write(base + AT.quantisers + 128, quantiser(Math.min(qp, 39)));
      const y = round & 1;
      const x = random(WIDTH);
      const lumaOrigin = BORDER * LUMA_STRIDE + BORDER;
      const plane = (picture: number, index: number): number =>
        base +
        picture +
        (index === 0
          ? lumaOrigin
          : LUMA_BYTES + (index - 1) * (LUMA_BYTES / 4) + (BORDER / 2) * (LUMA_STRIDE / 2) + BORDER / 2);
      const values: Record<(typeof SKIP_RUN_PARAMETERS)[number], number> = {
        limit: 1 + random(WIDTH - x),
        x,
        y,
        hasTop: y === 1 && round % 4 !== 1 ? 1 : 0,
        cell: (4 * y + 1) * STRIDE + 4 * x + 4,
        chromaCell: (2 * y + 1) * CHROMA_STRIDE + 2 * x + 2,
        address: y * WIDTH + x,
        stride: STRIDE,
        chromaStride: CHROMA_STRIDE,
        mv: base + AT.mv,
        ref: base + AT.ref,
        count: base + AT.count,
        intraMode: base + AT.intraMode,
        countU: base + AT.countU,
        countV: base + AT.countV,
        kind: perMacroblock(0),
        qp: perMacroblock(1),
        transform8x8: perMacroblock(2),
        chromaMode: perMacroblock(3),
        hasInnerEdges: perMacroblock(4),
        cbp: perMacroblock(5),
        slice: perMacroblock(7),
        sourceY: base + AT.source,
        sourceU: base + AT.source + 256 * WIDTH * HEIGHT,
        sourceV: base + AT.source + 320 * WIDTH * HEIGHT,
        sourceStrideY: 16 * WIDTH,
        sourceStrideC: 8 * WIDTH,
        targetY: plane(AT.target, 0),
        targetU: plane(AT.target, 1),
        targetV: plane(AT.target, 2),
        referenceY: plane(AT.reference, 0),
        referenceU: plane(AT.reference, 1),
        referenceV: plane(AT.reference, 2),
        strideY: LUMA_STRIDE,
        strideC: LUMA_STRIDE / 2,
        minX: round % 16 === 5 ? 16 * x + 1 : -24,
        maxX: 16 * WIDTH + 8,
        minY: -24,
        maxY: 16 * HEIGHT + 8,
        verticalLimit: 64,
        sadLimit: 200 + random(1500),
        quantiser: base + AT.quantisers,
        chromaQuantiser: base + AT.quantisers + 128,
        levels: base + AT.levels,
        coefficients: base + AT.coefficients,
        masks: base + AT.masks,
        QPY: random(52),
        sliceIndex: random(4),
        skipMv: 0,
        coded: 0,
      };
      arena.writeInts(
        base,
        SKIP_RUN_PARAMETERS.map((name) => values[name]),
      );
      let count = 0;
      arena.compare(`round ${round}`, (k) => (count = k.skipRun(base)));
      const coded = new Int32Array(arena.bytes.buffer)[(base >> 2) + skipRunIndex('coded')];
      ends.add(count === values.limit ? 'whole' : coded < 0 ? 'unlike' : coded > 0 ? 'luma' : 'chroma');
    }
    expect([...ends].sort()).toEqual(['chroma', 'luma', 'unlike', 'whole']);
  });

  test(`${build}: motion searches of every effort equal the reference`, () => {
    for (const kind of SAMPLE_KINDS) {
      for (let round = 0; round < 24; round++) {
        arena.fillSamples(kind, 900 + round);
        const [width, height] = [
          [16, 16],
          [16, 8],
          [8, 16],
          [8, 8],
        ][random(4)];
        const values: Record<(typeof SEARCH_PARAMETERS)[number], number> = {
          source: base + 4096 + random(64),
          sourceStride: 64 + random(32),
          reference: base + 24576 + random(64),
          referenceStride: 96,
          width,
          height,
          predictedX: random(41) - 20,
          predictedY: random(41) - 20,
          lambda16: 16 + random(300),
          minX: -3 - random(12),
          maxX: 3 + random(12),
          minY: -3 - random(12),
          maxY: 3 + random(12),
          rounds: random(17),
          pattern: random(2) === 0 ? 4 : 6,
          halfRounds: random(3),
          quarterRounds: random(3),
          quarterPoints: random(2) === 0 ? 4 : 8,
          settledBits: random(3) * 40,
          half: base + 512,
          out: base + 256,
          candidates: 1 + random(12),
          bestX: 0,
          bestY: 0,
          bestCost: 0,
        };
        arena.writeInts(base, [
          ...SEARCH_PARAMETERS.map((name) => values[name]),
          ...many(12, () => pack(random(41) - 20, random(41) - 20)),
        ]);
        const scratch = { at: base + 256, byteLength: 256 + HALF_BYTES };
        arena.compare(`${kind} round ${round}`, (k) => k.searchMotion(base), scratch);
        const bestCost = new Int32Array(arena.bytes.buffer)[(base >> 2) + searchIndex('bestCost')];
        expect(bestCost).toBeGreaterThanOrEqual(0);
      }
    }
    expect(SEARCH_BYTES).toBeLessThan(256);
  });
}
