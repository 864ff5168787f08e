// The encoder's whole kernel table on one memory: reconstruction and analysis, SIMD or reference. Called by H264Encoder.configure.

import type { AnalysisKernels } from './analysis-kernels.ts';
import { ANALYSIS_PLAIN } from './analysis-plain.generated.ts';
import { ANALYSIS_SHARED } from './analysis-shared.generated.ts';
import { createReferenceGridKernels } from './grid-kernels.ts';
import type { KernelKind, ReconstructionKernels } from './kernels.ts';
import { createReferenceMotionKernels } from './motion-kernels.ts';
import { createReferenceAnalysisKernels } from './reference-analysis-kernels.ts';
import { createReferenceKernels } from './reference-kernels.ts';
import { createWasmKernels } from './wasm-kernels.ts';
import { WasmModule } from './wasm-module.ts';

const analysis = new WasmModule(ANALYSIS_PLAIN, ANALYSIS_SHARED);

/** Both families of kernels on `memory`, whose size must never change afterwards. */
export function createEncoderKernels(
  memory: WebAssembly.Memory,
  kind: KernelKind,
): ReconstructionKernels & AnalysisKernels {
  if (kind === 'wasm') {
    return { ...createWasmKernels(memory), ...(analysis.instantiate(memory) as unknown as AnalysisKernels) };
  }
  const reconstruction = createReferenceKernels(memory);
  const differences = { ...reconstruction, ...createReferenceAnalysisKernels(memory, reconstruction) };
  return {
    ...differences,
    ...createReferenceGridKernels(memory, differences),
    ...createReferenceMotionKernels(memory, differences),
  };
}
