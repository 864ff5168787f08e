// Arenas of the reconstruction kernels for both builds of the SIMD module: every suite of this folder runs over each of them.

import { createReferenceKernels } from '../../shared/codec/h264/kernels/reference-kernels.ts';
import { createWasmKernels } from '../../shared/codec/h264/kernels/wasm-kernels.ts';
import { KernelArena } from './harness.ts';

export const BUILDS = ['plain', 'shared'] as const;

/** An arena with the reference on one side and the named SIMD build on the other. */
export function reconstructionArena(build: (typeof BUILDS)[number]) {
  return new KernelArena(createReferenceKernels, (memory) => createWasmKernels(memory), { shared: build === 'shared' });
}
