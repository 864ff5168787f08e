// One embedded WebAssembly module in its two builds, for plain and for shared memory. Compiled once per process (worker, page) and
// build, when it is first used. Used by wasm-kernels.ts, encoder-kernels.ts, slice-kernels.ts and shared/pixels.

type Build = 'plain' | 'shared';

/** Whether several threads can use `memory`. */
function isShared(memory: WebAssembly.Memory): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer;
}

export class WasmModule {
  readonly #text: Readonly<Record<Build, string>>;
  readonly #compiled = new Map<Build, WebAssembly.Module>();

  /** The bytes of both builds, base64, as scripts/build-kernels.ts embeds them. */
  constructor(plain: string, shared: string) {
    this.#text = { plain, shared };
  }

  /** The module's exports on `memory`, in the build that fits the memory. */
  instantiate(memory: WebAssembly.Memory, imports: WebAssembly.ModuleImports = {}): WebAssembly.Exports {
    const module = this.moduleOf(isShared(memory) ? 'shared' : 'plain');
    return new WebAssembly.Instance(module, { env: { memory, ...imports } }).exports;
  }

  /** A build, compiled when it was not yet. */
  moduleOf(build: Build): WebAssembly.Module {
    let module = this.#compiled.get(build);
    if (module === undefined) {
      module = new WebAssembly.Module(this.#bytes(build));
      this.#compiled.set(build, module);
    }
    return module;
  }

  #bytes(build: Build): Uint8Array<ArrayBuffer> {
    const text = atob(this.#text[build]);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; i++) {
      bytes[i] = text.charCodeAt(i);
    }
    return bytes;
  }
}
