// `tessera bench kernels`: nanoseconds per call of every reconstruction kernel, the TypeScript reference beside the SIMD build.
// Samples are a smooth noisy picture, so that deblocking filters most lines.

import { CodecMemory } from '../../../shared/codec/h264/kernels/codec-memory.ts';
import type { ReconstructionKernels } from '../../../shared/codec/h264/kernels/kernels.ts';
import { createReferenceKernels } from '../../../shared/codec/h264/kernels/reference-kernels.ts';
import { createWasmKernels } from '../../../shared/codec/h264/kernels/wasm-kernels.ts';
import type { BenchOptions, BenchResult, BenchRow } from './bench-result.ts';

const STRIDE = 1024;
const ROWS = 64;

type Case = readonly [name: string, call: (kernels: ReconstructionKernels, i: number, at: Places) => void];

/** Where a call may work: i spreads the calls over the picture. */
type Places = { readonly dst: number; readonly src: number; readonly coefficients: number };

/** Call number i works on one of 32 blocks of a row. */
const column = (i: number): number => (i & 31) * 16;

const luma = (name: string, xFrac: number, yFrac: number): Case => [
  name,
  (k, i, { dst, src }) => k.predictLuma(dst, 16, src + column(i), STRIDE, 16, 16, xFrac, yFrac),
];

const CASES: readonly Case[] = [
  [
    'predictLuma 16x16, mean of 16 positions',
    (k, i, { dst, src }) => k.predictLuma(dst, 16, src + column(i), STRIDE, 16, 16, i & 3, (i >> 2) & 3),
  ],
  luma('predictLuma 16x16 full sample', 0, 0),
  luma('predictLuma 16x16 b', 2, 0),
  luma('predictLuma 16x16 h', 0, 2),
  luma('predictLuma 16x16 j', 2, 2),
  luma('predictLuma 16x16 e', 1, 1),
  luma('predictLuma 16x16 i', 1, 2),
  [
    'predictLuma 8x8, mean of 16 positions',
    (k, i, { dst, src }) => k.predictLuma(dst, 16, src + column(i), STRIDE, 8, 8, i & 3, (i >> 2) & 3),
  ],
  [
    'predictChroma 8x8',
    (k, i, { dst, src }) => k.predictChroma(dst, 16, src + column(i), STRIDE, 8, 8, i & 7, (i >> 3) & 7),
  ],
  ['averageBlocks 16x16', (k, i, { dst, src }) => k.averageBlocks(dst, 16, dst, 16, src + column(i), STRIDE, 16, 16)],
  ['weightBlock 16x16', (k, _i, { dst }) => k.weightBlock(dst, 16, 16, 16, 5, 30, 1)],
  [
    'weightBlocks 16x16',
    (k, i, { dst, src }) => k.weightBlocks(dst, 16, dst, 16, src + column(i), STRIDE, 16, 16, 5, 20, 44, 0),
  ],
  ['predictIntra4x4, mean of modes', (k, i, { src }) => k.predictIntra4x4(src + column(i), STRIDE, i % 9, 15)],
  ['predictIntra8x8, mean of modes', (k, i, { src }) => k.predictIntra8x8(src + column(i), STRIDE, i % 9, 15)],
  ['predictIntra16x16, mean of modes', (k, i, { src }) => k.predictIntra16x16(src + column(i), STRIDE, i & 3, 15)],
  ['predictIntraChroma, mean of modes', (k, i, { src }) => k.predictIntraChroma(src + column(i), STRIDE, i & 3, 15)],
  [
    'inverseTransform4x4Add',
    (k, i, { src, coefficients }) => k.inverseTransform4x4Add(src + column(i), STRIDE, coefficients),
  ],
  [
    'inverseTransform8x8Add',
    (k, i, { src, coefficients }) => k.inverseTransform8x8Add(src + column(i), STRIDE, coefficients),
  ],
  [
    'inverseTransformLumaAdd, 16 blocks',
    (k, i, { src, coefficients }) => k.inverseTransformLumaAdd(src + column(i), STRIDE, coefficients, 0xffff, 0),
  ],
  ['deblockLumaVertical', (k, i, { src }) => k.deblockLumaVertical(src + column(i), STRIDE, 40, 12, 0x02010302)],
  ['deblockLumaHorizontal', (k, i, { src }) => k.deblockLumaHorizontal(src + column(i), STRIDE, 40, 12, 0x02010302)],
  ['deblockLumaVerticalStrong', (k, i, { src }) => k.deblockLumaVerticalStrong(src + column(i), STRIDE, 40, 12)],
  ['deblockLumaHorizontalStrong', (k, i, { src }) => k.deblockLumaHorizontalStrong(src + column(i), STRIDE, 40, 12)],
  ['deblockChromaVertical', (k, i, { src }) => k.deblockChromaVertical(src + column(i), STRIDE, 40, 12, 0x02010302)],
  [
    'deblockChromaHorizontal',
    (k, i, { src }) => k.deblockChromaHorizontal(src + column(i), STRIDE, 40, 12, 0x02010302),
  ],
];

/** Median nanoseconds per call over five rounds of `milliseconds` each. */
function measure(call: (i: number) => void, milliseconds: number): number {
  let batch = 64;
  const rounds: number[] = [];
  for (let i = 0; i < 256; i++) {
    call(i);
  }
  for (let round = 0; round < 5; round++) {
    let calls = 0;
    let elapsed = 0;
    while (elapsed < milliseconds) {
      const started = performance.now();
      for (let i = 0; i < batch; i++) {
        call(i);
      }
      const took = performance.now() - started;
      elapsed += took;
      calls += batch;
      batch = took < 1 ? batch * 2 : batch;
    }
    rounds.push((elapsed * 1e6) / calls);
  }
  return rounds.sort((a, b) => a - b)[2] ?? NaN;
}

/** A memory with a picture of smooth noise, and the kernels on it. */
function prepare(create: (memory: CodecMemory['memory']) => ReconstructionKernels): [ReconstructionKernels, Places] {
  const memory = CodecMemory.create(STRIDE * ROWS + 4096);
  const picture = memory.allocate(STRIDE * ROWS);
  for (let i = 0; i < STRIDE * ROWS; i++) {
    memory.bytes[picture + i] = 100 + ((i * 2654435761) >>> 30) + ((i >> 6) & 15);
  }
  const coefficients = memory.allocate(1024);
  return [create(memory.memory), { dst: memory.allocate(1024), src: picture + 16 * STRIDE + 64, coefficients }];
}

/** Measures every kernel in both implementations. */
export function benchKernels(options: BenchOptions): Promise<BenchResult> {
  const milliseconds = options.isLong ? 200 : 20;
  const [reference, referencePlaces] = prepare(createReferenceKernels);
  const [wasm, wasmPlaces] = prepare((memory) => createWasmKernels(memory));
  const rows: BenchRow[] = CASES.map(([name, call]) => {
    options.progress(name);
    const slow = measure((i) => call(reference, i, referencePlaces), milliseconds);
    const fast = measure((i) => call(wasm, i, wasmPlaces), milliseconds);
    return { kernel: name, 'reference ns': slow, 'simd ns': fast, speedup: slow / fast };
  });
  return Promise.resolve({
    name: 'kernels',
    rows,
    notes: ['ns per call, one call through JavaScript (about 3 ns of it); equality is proved by npm test, not here'],
  });
}
