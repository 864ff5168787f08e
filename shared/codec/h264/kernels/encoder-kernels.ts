// The encoder's whole kernel table on one memory: reconstruction and analysis, SIMD or reference. Called by H264Encoder.configure.

import type { AnalysisKernels } from './analysis-kernels.ts';
import { ANALYSIS_PLAIN } from './analysis-plain.generated.ts';
import { ANALYSIS_SHARED } from './analysis-shared.generated.ts';
import { createReferenceGridKernels, type GridKernels } from './grid-kernels.ts';
import type { KernelKind, ReconstructionKernels } from './kernels.ts';
import { createReferenceMotionKernels, type MotionKernels } from './motion-kernels.ts';
import { createReferenceAnalysisKernels } from './reference-analysis-kernels.ts';
import { createReferenceKernels } from './reference-kernels.ts';
import { createWasmKernels } from './wasm-kernels.ts';
import { WasmModule } from './wasm-module.ts';

const analysis = new WasmModule(ANALYSIS_PLAIN, ANALYSIS_SHARED);

/** Single steps and whole jobs of the analysis: one WebAssembly module. */
type AnalysisModule = AnalysisKernels & GridKernels & MotionKernels;

/** Everything that the encoder calls. */
export type EncoderKernels = ReconstructionKernels & AnalysisModule;

/** All families of kernels on `memory`, whose size must never change afterwards. */
export function createEncoderKernels(memory: WebAssembly.Memory, kind: KernelKind): EncoderKernels {
  if (kind === 'wasm') {
    return { ...createWasmKernels(memory), ...(analysis.instantiate(memory) as unknown as AnalysisModule) };
  }
  const reconstruction = createReferenceKernels(memory);
  const differences = { ...reconstruction, ...createReferenceAnalysisKernels(memory, reconstruction) };
  return {
    ...differences,
    ...createReferenceGridKernels(memory, differences),
    ...createReferenceMotionKernels(memory, differences),
  };
}
