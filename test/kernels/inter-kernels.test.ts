// The SIMD inter kernels equal their reference on every size, fraction, alignment and kind of samples.
import { expect, test } from '@jest/globals';
import { PARTITION_WINDOW_BYTES } from '../../shared/codec/h264/kernels/kernels.ts';
import { seededRandom } from '../support/random.ts';
import { SAMPLE_KINDS } from './harness.ts';
import { BUILDS, reconstructionArena } from './reconstruction-arena.ts';

const LUMA_SIZES = [
  [16, 16],
  [16, 8],
  [8, 16],
  [8, 8],
  [8, 4],
  [4, 8],
  [4, 4],
] as const;
const CHROMA_SIZES = [
  [8, 8],
  [8, 4],
  [4, 8],
  [4, 4],
  [4, 2],
  [2, 4],
  [2, 2],
] as const;
const ALL_SIZES = [...LUMA_SIZES, ...CHROMA_SIZES.slice(4)];

for (const build of BUILDS) {
  const arena = reconstructionArena(build);
  const random = seededRandom(1);
  const { base } = arena;
  // sources at base + 4096.., destinations in the upper half of the area, at any alignment
  const source = () => base + 4096 + random(64);
  const destination = () => base + 40960 + random(64);
  const stride = () => 32 + random(64);

  test(`${build}: luma interpolation equals the reference at all 16 quarter positions and sizes`, () => {
    for (const kind of SAMPLE_KINDS) {
      arena.fillSamples(kind, 7);
      for (const [width, height] of LUMA_SIZES) {
        for (let fraction = 0; fraction < 16; fraction++) {
          const [dst, ds, src, ss] = [destination(), stride(), source(), stride()];
          arena.compare(`${kind} ${width}x${height} ${fraction & 3},${fraction >> 2}`, (k) =>
            k.predictLuma(dst, ds, src, ss, width, height, fraction & 3, fraction >> 2),
          );
        }
      }
    }
  });

  test(`${build}: the centre half sample clips exactly where six rows of extremes push it out of 16 bits`, () => {
    const [width, height] = [8, 8];
    for (const invert of [0, 255]) {
      const rows = [0, 255, 0, 0, 255, 0].map((row) => row ^ invert);
      arena.fillSamples('zeros', 1);
      const src = base + 4096;
      for (let y = -2; y < height + 3; y++) {
        for (let x = -2; x < width + 3 + 8; x++) {
          const inRow = rows[(y + 2) % 6] ^ [255, 0, 255, 255, 0, 255][(x + 2) % 6];
          arena.write(src + y * 64 + x, [inRow]);
        }
      }
      for (let fraction = 0; fraction < 16; fraction++) {
        arena.compare(`extremes ${fraction & 3},${fraction >> 2}`, (k) =>
          k.predictLuma(base + 40960, 64, src, 64, width, height, fraction & 3, fraction >> 2),
        );
      }
    }
  });

  test(`${build}: chroma interpolation equals the reference at all 64 eighth positions and sizes`, () => {
    for (const kind of SAMPLE_KINDS) {
      arena.fillSamples(kind, 11);
      for (const [width, height] of CHROMA_SIZES) {
        for (let fraction = 0; fraction < 64; fraction++) {
          const [dst, ds, src, ss] = [destination(), stride(), source(), stride()];
          arena.compare(`${kind} ${width}x${height} ${fraction & 7},${fraction >> 3}`, (k) =>
            k.predictChroma(dst, ds, src, ss, width, height, fraction & 7, fraction >> 3),
          );
        }
      }
    }
  });

  test(`${build}: averaging two predictions equals the reference, also in place`, () => {
    for (const kind of SAMPLE_KINDS) {
      arena.fillSamples(kind, 13);
      for (const [width, height] of ALL_SIZES) {
        const [dst, ds, a, as, b, bs] = [destination(), stride(), source(), stride(), source(), stride()];
        arena.compare(`${kind} ${width}x${height}`, (k) => k.averageBlocks(dst, ds, a, as, b, bs, width, height));
        arena.compare(`${kind} ${width}x${height} in place`, (k) =>
          k.averageBlocks(dst, ds, dst, ds, b, bs, width, height),
        );
      }
    }
  });

  test(`${build}: explicit weighting equals the reference over the range of logWD, weight and offset`, () => {
    for (const kind of SAMPLE_KINDS) {
      for (const [width, height] of ALL_SIZES) {
        for (let logWD = 0; logWD <= 7; logWD++) {
          arena.fillSamples(kind, 17 + logWD);
          for (const weight of [-128, -1, 0, 1, 1 << logWD, 127, random(256) - 128]) {
            const offset = [-128, 0, 127, random(256) - 128][random(4)];
            const [dst, ds] = [destination(), stride()];
            arena.compare(`${kind} ${width}x${height} logWD ${logWD} w ${weight} o ${offset}`, (k) =>
              k.weightBlock(dst, ds, width, height, logWD, weight, offset),
            );
          }
        }
      }
    }
  });

  test(`${build}: weighted bi-prediction equals the reference, also where the weights sum to 256`, () => {
    for (const kind of SAMPLE_KINDS) {
      for (const [width, height] of ALL_SIZES) {
        arena.fillSamples(kind, 23);
        for (let logWD = 0; logWD <= 7; logWD++) {
          for (const [w0, w1] of [
            [1 << logWD, 1 << logWD],
            [-64, 128],
            [127, -128],
            [-128, -128],
            [random(256) - 128, random(256) - 128],
          ] as const) {
            const offset = random(256) - 128;
            const [dst, ds, a, as, b, bs] = [destination(), stride(), source(), stride(), source(), stride()];
            arena.compare(`${kind} ${width}x${height} logWD ${logWD} w ${w0},${w1} o ${offset}`, (k) =>
              k.weightBlocks(dst, ds, a, as, b, bs, width, height, logWD, w0, w1, offset),
            );
          }
        }
      }
    }
  });

  test(`${build}: a partition with its chroma equals the reference inside, across and far outside the picture`, () => {
    const [width, height, strideY, strideC] = [48, 32, 48, 24];
    const [refY, refU, refV] = [base + 4096, base + 8192, base + 12288];
    const window = base + 16384;
    for (const kind of SAMPLE_KINDS) {
      arena.fillSamples(kind, 29);
      for (let round = 0; round < 400; round++) {
        const [w, h] = LUMA_SIZES[random(LUMA_SIZES.length)];
        const [x, y] = [4 * random((width - w) / 4 + 1), 4 * random((height - h) / 4 + 1)];
        const reach = [16, 200, 2000][round % 3];
        const [mvx, mvy] = [random(2 * reach) - reach, random(2 * reach) - reach];
        const mv = (mvx & 0xffff) | (mvy << 16);
        const dst = destination();
        const dstU = round % 7 === 0 ? 0 : dst + 4096;
        const chromaOffset = [0, -2, 2][random(3)];
        arena.compare(
          `${kind} ${w}x${h} at ${x},${y} by ${mvx},${mvy}`,
          (k) =>
            k.predictPartition(
              dst,
              dstU,
              dst + 8192,
              32,
              16,
              refY,
              refU,
              refV,
              strideY,
              strideC,
              width,
              height,
              x,
              y,
              w,
              h,
              mv,
              chromaOffset,
              window,
            ),
          { at: window, byteLength: PARTITION_WINDOW_BYTES },
        );
      }
    }
  });
}

test('a six tap half sample of the worked row 10 20 30 40 50 60 is 35', () => {
  const arena = reconstructionArena('plain');
  arena.fillSamples('zeros', 1);
  const src = arena.base + 4096;
  for (let y = -2; y < 7; y++) {
    arena.write(src + y * 64 - 2, [10, 20, 30, 40, 50, 60]);
  }
  arena.compare('worked row', (k) => k.predictLuma(arena.base, 16, src, 64, 4, 4, 2, 0));
  expect(arena.bytes[arena.base]).toBe(35);
});
