// The reference implementation of the reconstruction kernels: the definition of what is right, in plain TypeScript on typed-array
// views. The SIMD kernels are tested against it, and `--kernels reference` runs the whole codec on it.

import { createReferenceCabacResidualKernels } from './cabac-residual-kernels.ts';
import { createReferenceDeblockKernels } from './deblock-kernels.ts';
import { createReferenceInterKernels } from './inter-kernels.ts';
import { createReferenceIntraKernels } from './intra-kernels.ts';
import type { ReconstructionKernels } from './kernels.ts';
import { createReferenceResidualKernels } from './residual-kernels.ts';
import { createReferenceRowDeblockKernels } from './row-deblock-kernels.ts';
import { createReferenceTransformKernels } from './transform-kernels.ts';

/** All reconstruction kernels on `memory`, whose size must never change afterwards. */
export function createReferenceKernels(memory: WebAssembly.Memory): ReconstructionKernels {
  const deblock = createReferenceDeblockKernels(memory);
  return {
    memory,
    ...createReferenceInterKernels(memory),
    ...createReferenceIntraKernels(memory),
    ...createReferenceTransformKernels(memory),
    ...deblock,
    ...createReferenceResidualKernels(memory),
    ...createReferenceCabacResidualKernels(memory),
    ...createReferenceRowDeblockKernels(memory, deblock),
  };
}
