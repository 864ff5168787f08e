// The SIMD implementation of the kernels: instantiates the embedded WebAssembly module on a memory. The module is compiled once per
// process (worker, page) and build. Who runs in a worker or in Node uses createWasmKernels; a page's main thread awaits
// compileWasmKernels first, because browsers limit synchronous compilation there.

import type { ReconstructionKernels } from './kernels.ts';
import { KERNELS_PLAIN } from './kernels-plain.generated.ts';
import { KERNELS_SHARED } from './kernels-shared.generated.ts';

export type WasmKernelOptions = {
  /** The memory is shared between threads. Default: looks at the memory. */
  readonly shared?: boolean;
};

type Build = 'plain' | 'shared';

const compiled = new Map<Build, WebAssembly.Module>();

function moduleBytes(build: Build): Uint8Array<ArrayBuffer> {
  const text = atob(build === 'shared' ? KERNELS_SHARED : KERNELS_PLAIN);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function isShared(memory: WebAssembly.Memory): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer;
}

/** Compiles a build ahead of time without blocking; createWasmKernels then only instantiates. */
export async function compileWasmKernels(options: WasmKernelOptions = {}): Promise<void> {
  const build = options.shared === true ? 'shared' : 'plain';
  if (!compiled.has(build)) {
    compiled.set(build, await WebAssembly.compile(moduleBytes(build)));
  }
}

/** Everything that the module exports, on `memory`. For other families of kernels built into the same module (analysis, pixels). */
export function instantiateKernels(memory: WebAssembly.Memory, options: WasmKernelOptions = {}): WebAssembly.Exports {
  const build = (options.shared ?? isShared(memory)) ? 'shared' : 'plain';
  let module = compiled.get(build);
  if (module === undefined) {
    module = new WebAssembly.Module(moduleBytes(build));
    compiled.set(build, module);
  }
  return new WebAssembly.Instance(module, { env: { memory } }).exports;
}

/** All reconstruction kernels on `memory`, whose size must never change afterwards. */
export function createWasmKernels(memory: WebAssembly.Memory, options: WasmKernelOptions = {}): ReconstructionKernels {
  return { memory, ...instantiateKernels(memory, options) } as unknown as ReconstructionKernels;
}
