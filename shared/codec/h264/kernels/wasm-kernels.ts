// The SIMD implementation of the reconstruction kernels. The encoder adds its own module in encoder-kernels.ts.

import type { ReconstructionKernels } from './kernels.ts';
import { RECONSTRUCTION_PLAIN } from './reconstruction-plain.generated.ts';
import { RECONSTRUCTION_SHARED } from './reconstruction-shared.generated.ts';
import { WasmModule } from './wasm-module.ts';

const reconstruction = new WasmModule(RECONSTRUCTION_PLAIN, RECONSTRUCTION_SHARED);

/** All reconstruction kernels on `memory` (plain or shared), whose size must never change afterwards. */
export function createWasmKernels(memory: WebAssembly.Memory): ReconstructionKernels {
  return { memory, ...reconstruction.instantiate(memory) } as unknown as ReconstructionKernels;
}
