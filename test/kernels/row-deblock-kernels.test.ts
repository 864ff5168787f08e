// The SIMD row deblocking equals its reference: boundary strengths of random motion, and rows of random records.
import { expect, test } from '@jest/globals';
import { DEBLOCK_RECORD_BYTES, STRENGTH_PARAMETERS } from '../../shared/codec/h264/kernels/row-deblock-kernels.ts';
import { seededRandom } from '../support/random.ts';
import { SAMPLE_KINDS } from './harness.ts';
import { BUILDS, reconstructionArena } from './reconstruction-arena.ts';

const WIDTH = 5;
const MACROBLOCKS = 2 * WIDTH + 1; // one before the first row, so that "left of the first" is memory of the test too
const INTRA = 15;
const TRANSFORM_8X8 = 128;

type Field = (typeof STRENGTH_PARAMETERS)[number];

/** Where the arrays of a picture of two rows lie in the arena, after `base`. */
const LAYOUT: Record<
  Exclude<Field, 'macroblocks' | 'first' | 'aboveDistance' | 'flags' | 'intraMask' | 'transform8x8Mask'>,
  number
> = {
  records: 1024,
  kind: 4096,
  qp: 4200,
  nonZero: 4304,
  sliceId: 4608,
  mv0: 8192,
  mv1: 12288,
  refPic0: 16384,
  refPic1: 16640,
  chromaQp: 17000,
  sliceFilters: 17200,
};

for (const build of BUILDS) {
  const arena = reconstructionArena(build);
  const random = seededRandom(83);
  const { base } = arena;

  /** Random macroblocks; `variety` 0 gives equal motion nearly everywhere, 2 anything. */
  const writePicture = (variety: number, hasList1: boolean): void => {
    const list = (count: number, value: (i: number) => number) => Array.from({ length: count }, (_, i) => value(i));
    const near = () => (((random(9) - 4) & 0xffff) | ((random(9) - 4) << 16)) >>> 0;
    const vector = () => (variety === 2 && random(20) === 0 ? random(65536) * 65536 + random(65536) : near()) | 0;
    const ref = (isUsed: boolean) => (isUsed ? [3, 7, 11, -1][random(variety === 0 ? 1 : hasList1 ? 4 : 3)] : -1);
    arena.write(
      base + LAYOUT.kind,
      list(MACROBLOCKS, () => [16, 16, 48, 16 | TRANSFORM_8X8, 1, 4, 2 | TRANSFORM_8X8][random(7)]),
    );
    arena.write(
      base + LAYOUT.qp,
      list(MACROBLOCKS, () => random(52)),
    );
    arena.writeWords(
      base + LAYOUT.nonZero,
      list(MACROBLOCKS, () => (random(2) === 0 ? 0 : random(65536))),
    );
    arena.writeInts(
      base + LAYOUT.sliceId,
      list(MACROBLOCKS, () => (random(12) === 0 ? -1 : random(3))),
    );
    arena.writeInts(base + LAYOUT.mv0, list(16 * MACROBLOCKS, vector));
    arena.writeInts(base + LAYOUT.mv1, list(16 * MACROBLOCKS, vector));
    arena.write(
      base + LAYOUT.refPic0,
      list(4 * MACROBLOCKS, () => ref(true) & 255),
    );
    arena.write(
      base + LAYOUT.refPic1,
      list(4 * MACROBLOCKS, () => ref(hasList1) & 255),
    );
    arena.write(
      base + LAYOUT.chromaQp,
      list(104, (i) => (i * 37) % 52),
    );
    arena.write(base + LAYOUT.sliceFilters, [0, 6, 250, 0, 2, 0, 0, 0, [0, 1][random(2)], 12, 244, 0]);
  };

  const writeParameters = (first: number, aboveDistance: number, flags: number): void => {
    const values: Record<Field, number> = {
      ...(Object.fromEntries(Object.entries(LAYOUT).map(([name, at]) => [name, base + at])) as typeof LAYOUT),
      macroblocks: WIDTH,
      first,
      aboveDistance,
      flags,
      intraMask: INTRA,
      transform8x8Mask: TRANSFORM_8X8,
    };
    arena.writeInts(
      base,
      STRENGTH_PARAMETERS.map((name) => values[name]),
    );
  };

  test(`${build}: boundary strengths equal the reference for P and B motion, frames and fields`, () => {
    const seen = new Set<number>();
    for (let round = 0; round < 300; round++) {
      arena.fillSamples('random', 89 + round);
      writePicture(round % 3, round % 2 === 1);
      const isFirstRow = round % 5 === 0;
      writeParameters(isFirstRow ? 1 : 1 + WIDTH, isFirstRow ? 0 : WIDTH, (round >> 1) & 1);
      arena.compare(`round ${round}`, (k) => k.boundaryStrengths(base));
      for (let i = 0; i < WIDTH; i++) {
        const record = base + LAYOUT.records + DEBLOCK_RECORD_BYTES * i;
        arena.bytes.subarray(record, record + 32).forEach((bS) => seen.add(bS));
      }
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  test(`${build}: a row filtered by its records equals the reference, with and without chroma`, () => {
    for (const samples of SAMPLE_KINDS) {
      for (let round = 0; round < 20; round++) {
        arena.fillSamples(samples, 97 + round);
        for (let i = 0; i < WIDTH; i++) {
          const edge = () =>
            [
              [0, 0, 0, 0],
              [4, 4, 4, 4],
              [3, 3, 3, 3],
              [random(4), random(4), random(4), random(4)],
            ][random(4)];
          const strengths = Array.from({ length: 8 }, edge).flat();
          const offsets = [random(25) - 12, random(25) - 12].map((value) => value & 255);
          const qps = Array.from({ length: 9 }, () => 20 + random(32));
          arena.write(base + DEBLOCK_RECORD_BYTES * i, [...strengths, ...offsets, ...qps]);
        }
        const [y, u, v] = [base + 8192 + 16 * random(4), base + 24576 + 8 * random(4), base + 28672 + 8 * random(4)];
        const [strideY, strideC] = [128 + 16 * random(3), 64 + 8 * random(3)];
        arena.compare(`${samples} round ${round}`, (k) =>
          k.deblockRow(y, round % 4 === 0 ? 0 : u, v, strideY, strideC, WIDTH, base),
        );
      }
    }
  });
}
