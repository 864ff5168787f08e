// Codes macroblocks as their samples (I_PCM: 7.3.5, 8.3.5) where levels would take more bits: noise at low QP. A.3.1 allows no macroblock more than
// 3200 bits, and a decoder need not reserve more. Called by slice-encoder.ts.

import type { CodecMemory } from '../kernels/codec-memory.ts';
import type { InterKernels, Pointer } from '../kernels/kernels.ts';
import { I_PCM, type MacroblockState, P_16X16, REF_INTRA } from '../macroblock/coding-state.ts';
import type { MacroblockEncoder } from './macroblock-encoder.ts';
import { recordMacroblock } from './macroblock-record.ts';

/** A macroblock of more bits is sent as its samples, which take 3072 and at most 40 around them. */
export const MOST_MACROBLOCK_BITS = 3112;

const LUMA_SAMPLES = 256;
const CHROMA_SAMPLES = 64;
/** What the neighbours of an I_PCM macroblock see: 16 levels in each block (9.2.1), every coded_block_flag and pattern bit set (9.3.3.1). */
const TOTAL_COEFF = 16;
const ALL_CODED = 0x72f;

export class PcmCoder {
  private readonly kernels: InterKernels;
  private readonly memory: CodecMemory;
  private readonly state: MacroblockState;
  private readonly coder: MacroblockEncoder;
  private readonly samples = new Uint8Array(LUMA_SAMPLES + 2 * CHROMA_SAMPLES);

  constructor(kernels: InterKernels, memory: CodecMemory, state: MacroblockState, coder: MacroblockEncoder) {
    this.kernels = kernels;
    this.memory = memory;
    this.state = state;
    this.coder = coder;
  }

  /** Makes the current macroblock I_PCM, whatever was decided before. Returns its samples: Y, U, V, valid until the next call. */
  code(): Uint8Array {
    this.copySource();
    this.record();
    return this.samples;
  }

  /** The source becomes the reconstruction. */
  private copySource(): void {
    const { kernels, coder, state } = this;
    const { source, target } = coder;
    const { lumaStride, chromaStride } = source;
    kernels.predictLuma(coder.lumaTarget, target.lumaStride, coder.lumaSource, lumaStride, 16, 16, 0, 0);
    this.gather(coder.lumaSource, lumaStride, 16, 0);
    const to = 8 * state.y * target.chromaStride + 8 * state.x;
    const from = 8 * state.y * chromaStride + 8 * state.x;
    kernels.predictChroma(target.u + to, target.chromaStride, source.u + from, chromaStride, 8, 8, 0, 0);
    this.gather(source.u + from, chromaStride, 8, LUMA_SAMPLES);
    kernels.predictChroma(target.v + to, target.chromaStride, source.v + from, chromaStride, 8, 8, 0, 0);
    this.gather(source.v + from, chromaStride, 8, LUMA_SAMPLES + CHROMA_SAMPLES);
  }

  /** Appends a square of samples from `at` on. */
  private gather(at: Pointer, stride: number, side: number, first: number): void {
    const { bytes } = this.memory;
    for (let y = 0; y < side; y++) {
      this.samples.set(bytes.subarray(at + y * stride, at + y * stride + side), first + y * side);
    }
  }

  private record(): void {
    const { state } = this;
    const { address, cell, stride, chromaCell, chromaStride } = state;
    state.mbKind = I_PCM;
    state.partition = P_16X16;
    state.hasTransform8x8 = false;
    state.intraChromaMode = 0;
    state.QPY = state.previousQPY; // no mb_qp_delta is sent (7.4.5)
    state.fillMotion(cell, 4, 4, 0, REF_INTRA);
    state.clearIntraModes();
    for (let y = 0; y < 4; y++) {
      state.count.fill(TOTAL_COEFF, cell + y * stride, cell + y * stride + 4);
    }
    for (let y = 0; y < 2; y++) {
      const at = chromaCell + y * chromaStride;
      state.countU.fill(TOTAL_COEFF, at, at + 2);
      state.countV.fill(TOTAL_COEFF, at, at + 2);
    }
    recordMacroblock(state);
    state.cbp[address] = ALL_CODED;
    state.qp[address] = 0; // qPp of 8.7.2.2
    state.shownQp[address] = 0;
  }
}
