// The SIMD implementation of the reconstruction kernels. The encoder adds its own module in encoder-kernels.ts.

import type { ReconstructionKernels } from './kernels.ts';
import { RECONSTRUCTION_PLAIN } from './reconstruction-plain.generated.ts';
import { RECONSTRUCTION_SHARED } from './reconstruction-shared.generated.ts';
import { WasmModule } from './wasm-module.ts';

const reconstruction = new WasmModule(RECONSTRUCTION_PLAIN, RECONSTRUCTION_SHARED);

/** Compiles ahead of time without blocking, where createWasmKernels must not compile (a page's main thread). */
export function compileWasmKernels(options: { readonly shared?: boolean } = {}): Promise<void> {
  return reconstruction.compile(options);
}

/** All reconstruction kernels on `memory` (plain or shared), whose size must never change afterwards. */
export function createWasmKernels(memory: WebAssembly.Memory): ReconstructionKernels {
  return { memory, ...reconstruction.instantiate(memory) } as unknown as ReconstructionKernels;
}
