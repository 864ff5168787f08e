// The one memory of a codec instance: pictures, coefficients, scratch blocks and the kernels' own static data live in it. It is sized
// when it is made (initial = maximum), because growing a WebAssembly.Memory detaches every typed-array view on it. The lowest
// KERNEL_REGION_BYTES belong to the kernels; everything above is handed out by a bump allocator. Used by decoder, encoder and scaler.

import type { Pointer } from './kernels.ts';

const { ceil } = Math;

const PAGE_BYTES = 65536;

/** The low region that the kernels own: the static tables of the WASM module. */
export const KERNEL_REGION_BYTES = PAGE_BYTES;

/** Bytes at the end of the memory that are never handed out: SIMD kernels load whole vectors and read a little past a block. */
const MEMORY_TAIL_BYTES = 64;

/** Where the memory's free bytes begin again when `release` is called. */
export type MemoryMark = { readonly offset: Pointer };

export class CodecMemory {
  readonly memory: WebAssembly.Memory;
  /** All bytes of the memory; an index is a Pointer. */
  readonly bytes: Uint8Array;
  /** The same bytes as coefficients; an index is a Pointer / 2. */
  readonly words: Int16Array;
  #next: Pointer;

  /** Wraps a memory whose low region is free for the kernels; allocates from `start` on. */
  constructor(memory: WebAssembly.Memory, start: Pointer = KERNEL_REGION_BYTES) {
    if (memory.buffer.byteLength < KERNEL_REGION_BYTES) {
      throw new RangeError(
        `A codec memory needs at least ${KERNEL_REGION_BYTES} bytes, got ${memory.buffer.byteLength}.`,
      );
    }
    this.memory = memory;
    this.#next = start;
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Int16Array(memory.buffer);
  }

  /** A memory with room for `byteLength` bytes of allocations (alignment gaps count). `shared` makes it usable by several threads. */
  static create(byteLength: number, options: { readonly shared?: boolean } = {}): CodecMemory {
    if (!(byteLength >= 0) || byteLength > 0x8000_0000 - KERNEL_REGION_BYTES - MEMORY_TAIL_BYTES) {
      throw new RangeError(`A codec memory holds 0 to 2 GiB, asked for ${byteLength} bytes.`);
    }
    const pages = ceil((KERNEL_REGION_BYTES + byteLength + MEMORY_TAIL_BYTES) / PAGE_BYTES);
    return new CodecMemory(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: options.shared === true }));
  }

  /** Bytes that are still free. */
  get free(): number {
    return this.bytes.length - MEMORY_TAIL_BYTES - this.#next;
  }

  /** `byteLength` bytes starting at a multiple of `alignment` (a power of two). Their content is undefined. Throws RangeError when the memory is full. */
  allocate(byteLength: number, alignment = 16): Pointer {
    const start = (this.#next + alignment - 1) & ~(alignment - 1);
    const end = this.bytes.length - MEMORY_TAIL_BYTES;
    if (start + byteLength > end) {
      throw new RangeError(`The codec memory is full: ${byteLength} bytes wanted, ${end - start} free.`);
    }
    this.#next = start + byteLength;
    return start;
  }

  /** Remembers what is allocated now. */
  mark(): MemoryMark {
    return { offset: this.#next };
  }

  /** Frees everything that was allocated after `mark`. */
  release(mark: MemoryMark): void {
    this.#next = mark.offset;
  }
}
