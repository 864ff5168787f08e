// The harness of all kernel tests: two memories with the same content, the reference kernels on one, the SIMD kernels on the other.
// After each call the two memories must be equal byte for byte, so the result is exact, nothing outside the output is written and
// inputs survive.

import { CodecMemory, KERNEL_REGION_BYTES } from '../../shared/codec/h264/kernels/codec-memory.ts';
import { seededRandom } from '../support/random.ts';

/** What the samples of a test look like. `extreme` mixes 0 and 255 at random. */
export const SAMPLE_KINDS = ['random', 'zeros', 'maxima', 'extreme', 'smooth'] as const;
export type SampleKind = (typeof SAMPLE_KINDS)[number];

const ARENA_BYTES = 1 << 16;

export class KernelArena<K> {
  readonly reference: K;
  readonly candidate: K;
  /** First byte of the test area, 16-aligned. */
  readonly base: number;
  readonly size = ARENA_BYTES;
  readonly #referenceMemory: CodecMemory;
  readonly #candidateMemory: CodecMemory;

  constructor(
    createReference: (memory: WebAssembly.Memory) => K,
    createCandidate: (memory: WebAssembly.Memory) => K,
    options: { readonly shared?: boolean } = {},
  ) {
    this.#referenceMemory = CodecMemory.create(ARENA_BYTES);
    this.#candidateMemory = CodecMemory.create(ARENA_BYTES, options);
    this.reference = createReference(this.#referenceMemory.memory);
    this.candidate = createCandidate(this.#candidateMemory.memory);
    this.base = this.#referenceMemory.allocate(ARENA_BYTES);
  }

  /** Fills the whole area of both memories with the same samples. */
  fillSamples(kind: SampleKind, seed: number): void {
    const random = seededRandom(seed);
    const bytes = this.#referenceMemory.bytes;
    for (let i = KERNEL_REGION_BYTES; i < bytes.length; i++) {
      bytes[i] =
        kind === 'random'
          ? random(256)
          : kind === 'zeros'
            ? 0
            : kind === 'maxima'
              ? 255
              : kind === 'extreme'
                ? random(2) * 255
                : 120 + ((i >> 3) & 7) + random(4);
    }
    this.#copy();
  }

  /** Writes bytes into both memories. */
  write(at: number, values: ArrayLike<number>): void {
    this.#referenceMemory.bytes.set(values, at);
    this.#candidateMemory.bytes.set(values, at);
  }

  /** Writes 16-bit words into both memories; `at` is a byte offset. */
  writeWords(at: number, values: ArrayLike<number>): void {
    this.#referenceMemory.words.set(values, at >> 1);
    this.#candidateMemory.words.set(values, at >> 1);
  }

  /** Writes 32-bit words into both memories; `at` is a byte offset. */
  writeInts(at: number, values: ArrayLike<number>): void {
    new Int32Array(this.#referenceMemory.memory.buffer).set(values, at >> 2);
    new Int32Array(this.#candidateMemory.memory.buffer).set(values, at >> 2);
  }

  /** Bytes of the reference memory. */
  get bytes(): Uint8Array {
    return this.#referenceMemory.bytes;
  }

  /** Runs `call` on both implementations and throws with `label` at the first byte that differs; the results of the calls must agree too. What they leave in `scratch` does not count. */
  compare(
    label: string,
    call: (kernels: K) => unknown,
    scratch?: { readonly at: number; readonly byteLength: number },
  ): void {
    const expected = call(this.reference);
    const actual = call(this.candidate);
    if (expected !== actual) {
      throw new Error(`${label}: returned ${String(actual)}, reference returned ${String(expected)}`);
    }
    if (scratch !== undefined) {
      this.write(scratch.at, new Uint8Array(scratch.byteLength));
    }
    const reference = Buffer.from(this.#referenceMemory.memory.buffer, KERNEL_REGION_BYTES);
    const candidate = Buffer.from(this.#candidateMemory.memory.buffer, KERNEL_REGION_BYTES);
    if (reference.compare(candidate) !== 0) {
      const at = reference.findIndex((byte, i) => byte !== candidate[i]);
      throw new Error(
        `${label}: byte ${KERNEL_REGION_BYTES + at - this.base} of the area is ${candidate[at]}, reference has ${reference[at]}`,
      );
    }
  }

  /** Like compare, but only the named rectangle counts: for kernels that may write padding around their output. */
  compareOutput(
    label: string,
    call: (kernels: K) => void,
    output: { readonly at: number; readonly stride: number; readonly width: number; readonly height: number },
  ): void {
    call(this.reference);
    call(this.candidate);
    for (let y = 0; y < output.height; y++) {
      for (let x = 0; x < output.width; x++) {
        const at = output.at + y * output.stride + x;
        const [expected, actual] = [this.#referenceMemory.bytes[at], this.#candidateMemory.bytes[at]];
        if (expected !== actual) {
          throw new Error(`${label}: sample ${x},${y} is ${actual}, reference has ${expected}`);
        }
      }
    }
  }

  #copy(): void {
    this.#candidateMemory.bytes.set(this.#referenceMemory.bytes.subarray(KERNEL_REGION_BYTES), KERNEL_REGION_BYTES);
  }
}
