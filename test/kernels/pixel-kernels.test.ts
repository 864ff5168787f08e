// The SIMD pixel kernels (scaling, RGBA and NV12 conversion) equal their reference at every width.
import { test } from '@jest/globals';
import { createPixelKernels } from '../../shared/pixels/pixel-kernels.ts';
import { createScalingFilter } from '../../shared/pixels/scaling-filter.ts';
import { seededRandom } from '../support/random.ts';
import { KernelArena, SAMPLE_KINDS } from './harness.ts';
import { BUILDS } from './reconstruction-arena.ts';

/** [input, output] sizes: taps 2 to 4, 8 and 16, both directions, one and odd sizes. */
const SIZES = [
  [64, 32],
  [60, 40],
  [61, 17],
  [96, 9],
  [100, 7],
  [16, 16],
  [9, 30],
  [1, 5],
  [5, 1],
  [3, 2],
] as const;

/** Rows of a conversion round: groups of 16 pixels are written, so whole groups are compared. */
const WIDTHS = [16, 32, 48];

for (const build of BUILDS) {
  const arena = new KernelArena(
    (memory) => createPixelKernels(memory, 'reference'),
    (memory) => createPixelKernels(memory, 'wasm'),
    { shared: build === 'shared' },
  );
  const random = seededRandom(61);
  const { base } = arena;

  test(`${build}: scalePlane equals the reference going up and down`, () => {
    for (const samples of SAMPLE_KINDS) {
      for (const [inputWidth, outputWidth] of SIZES) {
        for (const [inputHeight, outputHeight] of SIZES) {
          const vertical = createScalingFilter({
            inputSize: inputHeight,
            outputSize: outputHeight,
            tapMultiple: 1,
            isCosited: false,
          });
          const wide = { inputSize: inputWidth, outputSize: outputWidth, isCosited: random(2) === 1 };
          const four = createScalingFilter({ ...wide, tapMultiple: 4 });
          const horizontal = four.taps === 4 ? four : createScalingFilter({ ...wide, tapMultiple: 8 });
          arena.fillSamples(samples, 67);
          const [verticalStarts, verticalWeights, horizontalStarts, horizontalWeights, row] = [
            base,
            base + 1024,
            base + 4096,
            base + 8192,
            base + 16384,
          ];
          arena.writeWords(row, new Array(1024).fill(0));
          arena.writeInts(verticalStarts, vertical.starts);
          arena.writeWords(verticalWeights, vertical.weights);
          arena.writeInts(horizontalStarts, [...horizontal.starts, 0, 0, 0]);
          arena.writeWords(horizontalWeights, horizontal.weights);
          const [src, dst] = [base + 20480, base + 40960];
          const outputStride = (outputWidth + 3) & ~3;
          arena.compareOutput(
            `${samples} ${inputWidth}x${inputHeight} to ${outputWidth}x${outputHeight}`,
            (k) =>
              k.scalePlane(
                dst,
                outputStride,
                outputWidth,
                outputHeight,
                src,
                112,
                inputWidth,
                row,
                verticalStarts,
                verticalWeights,
                vertical.taps,
                horizontalStarts,
                horizontalWeights,
                horizontal.taps,
              ),
            { at: dst, stride: outputStride, width: outputWidth, height: outputHeight },
          );
        }
      }
    }
  });

  test(`${build}: I420 rows become the same RGBA as the reference`, () => {
    for (const samples of SAMPLE_KINDS) {
      for (const width of WIDTHS) {
        arena.fillSamples(samples, 71);
        arena.writeWords(base, [9539, 14688, -1745, -4366, 17305, 16]);
        const at = () => base + 1024 + random(8192);
        const [y, u, v] = [at(), at(), at()];
        arena.compare(`${samples} ${width}`, (k) => k.i420RowToRgba(base + 32768, y, u, v, width, base));
      }
    }
  });

  test(`${build}: RGBA rows become the same luma and chroma as the reference`, () => {
    for (const samples of SAMPLE_KINDS) {
      for (const width of WIDTHS) {
        arena.fillSamples(samples, 73);
        arena.writeWords(base, [5983, 20127, 2032, 16, -3298, -11094, 14392, 14392, -13073, -1319]);
        const [upper, lower] = [base + 1024 + random(8192), base + 16384 + random(8192)];
        arena.compare(`${samples} luma ${width}`, (k) => k.rgbaRowToLuma(base + 40960, upper, width, base));
        arena.compare(`${samples} chroma ${width}`, (k) =>
          k.rgbaRowsToChroma(base + 41216, base + 41472, upper, lower, width, base + 8),
        );
      }
    }
  });

  test(`${build}: pairs are split and joined as by the reference`, () => {
    for (const width of WIDTHS) {
      arena.fillSamples('random', 79);
      const [pairs, u, v] = [base + 1024 + random(64), base + 8192 + random(64), base + 16384 + random(64)];
      arena.compare(`split ${width}`, (k) => k.splitPairs(u, v, pairs, width));
      arena.compare(`join ${width}`, (k) => k.joinPairs(pairs + 4096, u, v, width));
    }
  });
}
