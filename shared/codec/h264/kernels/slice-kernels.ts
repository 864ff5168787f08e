// The module that decodes slice data of frames, a macroblock row per call. Only the decoder uses it, beside the reconstruction kernels.

import type { Pointer, RowDeblockKernels } from './kernels.ts';
import { SLICES_PLAIN } from './slices-plain.generated.ts';
import { SLICES_SHARED } from './slices-shared.generated.ts';
import { WasmModule } from './wasm-module.ts';

/** Slice data and its row filter. */
export interface SliceKernels extends RowDeblockKernels {
  readonly memory: WebAssembly.Memory;
  /**
   * Decodes macroblocks from `mbAddr` of the slice context on: syntax, motion, residual and reconstruction without the deblocking filter, to
   * the end of the macroblock row or of the slice. Returns 0 (the row ended), SLICE_ENDED or a fault, see slice-context.ts.
   */
  decodeMacroblockRow(context: Pointer): number;
}

const slices = new WasmModule(SLICES_PLAIN, SLICES_SHARED);

/** Called by the shared-memory build for a reference whose progress `cell` does not say yet that `rows` luma rows are final. */
export type AwaitRows = (cell: Pointer, rows: number) => void;

/** The slice kernels on `memory` (plain or shared), whose size must never change afterwards. */
export function createSliceKernels(memory: WebAssembly.Memory, awaitRows: AwaitRows): SliceKernels {
  return { memory, ...slices.instantiate(memory, { awaitRows }) } as unknown as SliceKernels;
}

/** The module in its shared-memory build, for an instance in another thread; compiled code is shared too. */
export function sharedSliceModule(): WebAssembly.Module {
  return slices.moduleOf('shared');
}
