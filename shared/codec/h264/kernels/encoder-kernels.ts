// The encoder's whole kernel table on one memory: reconstruction and analysis, SIMD or reference. Called by H264Encoder.configure.

import type { AnalysisKernels } from './analysis-kernels.ts';
import type { KernelKind, ReconstructionKernels } from './kernels.ts';
import { createReferenceAnalysisKernels } from './reference-analysis-kernels.ts';
import { createReferenceKernels } from './reference-kernels.ts';
import { instantiateKernels } from './wasm-kernels.ts';

/** Both families of kernels on `memory`, whose size must never change afterwards. */
export function createEncoderKernels(
  memory: WebAssembly.Memory,
  kind: KernelKind,
): ReconstructionKernels & AnalysisKernels {
  if (kind === 'wasm') {
    return { memory, ...instantiateKernels(memory) } as unknown as ReconstructionKernels & AnalysisKernels;
  }
  const reconstruction = createReferenceKernels(memory);
  return { ...reconstruction, ...createReferenceAnalysisKernels(memory, reconstruction) };
}
