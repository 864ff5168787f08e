// The trace's eye on one macroblock: its samples and coefficients at every stage of decoding (prediction, levels, scaled coefficients,
// residual, before and after deblocking). Stands between the decoder and its kernels, and is there only while stages are asked for.

import type { ReconstructionKernels } from '../kernels/kernels.ts';
import { MB_INTRA, MB_INTRA_16X16 } from '../macroblock/mb-types.ts';
import type { SliceState } from './slice-state.ts';

const { round } = Math;

/** Samples of a macroblock, row by row: 256 luma, 64 Cb, 64 Cr (none in monochrome). */
export type MacroblockSamples = { readonly y: number[]; readonly u: number[]; readonly v: number[] };

/** What one macroblock went through. */
export type MacroblockStages = {
  readonly prediction: MacroblockSamples;
  /** Scaled coefficients (8.5.12.1) as the transform takes them: luma in 16 blocks of 4x4 (or 4 of 8x8) in coding order, then chroma. */
  readonly coefficients: MacroblockSamples;
  /** transform coefficient levels in the same places; DC levels that have a block of their own are in `dcLevels`. */
  readonly levels: MacroblockSamples;
  /** Levels of the DC blocks in scan order: Intra_16x16 luma, Cb, Cr; empty where there is no such block. */
  readonly dcLevels: MacroblockSamples;
  /** beforeDeblocking - prediction (after clipping). */
  readonly residual: MacroblockSamples;
  readonly beforeDeblocking: MacroblockSamples;
  readonly afterDeblocking: MacroblockSamples;
};

type Region = { readonly at: number; readonly samples: Uint8Array };

/** Records the current macroblock of a state. */
export class StageRecorder {
  private readonly s: SliceState;
  private regions: Region[] = [];
  private coefficients = new Int16Array(384);
  private dc: MacroblockSamples = { y: [], u: [], v: [] };
  private place = { y: 0, u: 0, v: 0, strideY: 0, strideC: 0 };
  private result: Omit<MacroblockStages, 'afterDeblocking'> | null = null;

  /** Puts itself between the state and its kernels, for good. */
  constructor(state: SliceState) {
    this.s = state;
    const inner = state.kernels;
    const before = (dst: number, stride: number, side: number, coefficients: number, count: number): void =>
      this.beforeAdd(dst, stride, side, coefficients, count);
    const observed: ReconstructionKernels = {
      ...inner,
      inverseTransform4x4Add: (dst, stride, from) => {
        before(dst, stride, 4, from, 16);
        inner.inverseTransform4x4Add(dst, stride, from);
      },
      inverseTransform4x4DcAdd: (dst, stride, from) => {
        before(dst, stride, 4, from, 16);
        inner.inverseTransform4x4DcAdd(dst, stride, from);
      },
      inverseTransform8x8Add: (dst, stride, from) => {
        before(dst, stride, 8, from, 64);
        inner.inverseTransform8x8Add(dst, stride, from);
      },
      inverseTransform8x8DcAdd: (dst, stride, from) => {
        before(dst, stride, 8, from, 64);
        inner.inverseTransform8x8DcAdd(dst, stride, from);
      },
      inverseTransformLumaAdd: (dst, stride, from, mask, dcOnlyMask) => {
        before(dst, stride, 16, from, 256);
        inner.inverseTransformLumaAdd(dst, stride, from, mask, dcOnlyMask);
      },
      inverseTransformChromaAdd: (dst, stride, from, mask, dcOnlyMask) => {
        before(dst, stride, 8, from, 64);
        inner.inverseTransformChromaAdd(dst, stride, from, mask, dcOnlyMask);
      },
    };
    (state as { kernels: ReconstructionKernels }).kernels = observed;
  }

  /** The DC levels of a component have been read. */
  dcLevels(component: number): void {
    const { dc, chromaDc } = this.s;
    const levels = component === 0 ? dc : chromaDc.subarray(4 * (component - 1), 4 * component);
    this.dc = { ...this.dc, [(['y', 'u', 'v'] as const)[component]]: [...levels] };
  }

  /** The macroblock is decoded: keeps it when `isWanted`, and is ready for the next one. */
  finishMacroblock(isWanted: boolean): void {
    const { s } = this;
    if (isWanted) {
      this.place = { y: s.dstY, u: s.dstU, v: s.dstV, strideY: s.strideY, strideC: s.strideC };
      const beforeDeblocking = this.samples();
      const after = s.bytes;
      const saved = this.regions.map(({ at }) => after[at]);
      // The prediction is what lay there before the residual was added: put it back for a moment, and read.
      for (let i = this.regions.length - 1; i >= 0; i--) {
        after[this.regions[i].at] = this.regions[i].samples[0];
      }
      const prediction = this.samples();
      this.regions.forEach(({ at }, i) => {
        after[at] = saved[i];
      });
      const minus = (a: number[], b: number[]): number[] => a.map((value, i) => value - b[i]);
      this.result = {
        prediction,
        coefficients: this.split(this.coefficients),
        levels: this.levels(),
        dcLevels: this.dc,
        residual: {
          y: minus(beforeDeblocking.y, prediction.y),
          u: minus(beforeDeblocking.u, prediction.u),
          v: minus(beforeDeblocking.v, prediction.v),
        },
        beforeDeblocking,
      };
    }
    this.regions = [];
    this.coefficients = new Int16Array(384);
    this.dc = { y: [], u: [], v: [] };
  }

  /** The picture is deblocked: what was kept, or null. */
  finishPicture(): MacroblockStages | null {
    const { result } = this;
    this.result = null;
    return result === null ? null : { ...result, afterDeblocking: this.samples() };
  }

  private beforeAdd(dst: number, stride: number, side: number, coefficients: number, count: number): void {
    const { s } = this;
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const at = dst + y * stride + x;
        this.regions.push({ at, samples: s.bytes.slice(at, at + 1) });
      }
    }
    const first = (coefficients - s.coefficientsPointer) >> 1;
    this.coefficients.set(s.coefficients.subarray(first, first + count), first);
  }

  private samples(): MacroblockSamples {
    const { s, place } = this;
    const read = (at: number, stride: number, side: number): number[] =>
      Array.from({ length: side }, (_, row) => [
        ...s.bytes.subarray(at + row * stride, at + row * stride + side),
      ]).flat();
    const chroma = (at: number): number[] => (s.hasChroma ? read(at, place.strideC, 8) : []);
    return { y: read(place.y, place.strideY, 16), u: chroma(place.u), v: chroma(place.v) };
  }

  private split(all: Int16Array): MacroblockSamples {
    const chroma = (from: number): number[] => (this.s.hasChroma ? [...all.subarray(from, from + 64)] : []);
    return { y: [...all.subarray(0, 256)], u: chroma(256), v: chroma(320) };
  }

  /** Undoes the scaling, which is exact: one level is never less than 4 units. */
  private levels(): MacroblockSamples {
    const { s, coefficients } = this;
    const list = (s.kind & MB_INTRA) !== 0 ? 0 : 3;
    const level = (value: number, scale: number, shift: number): number => round((value * (1 << shift)) / scale);
    const of4x4 = (value: number, i: number, component: number, qp: number, isDcApart: boolean): number =>
      isDcApart && i % 16 === 0 ? 0 : level(value, s.scale4x4[((list + component) * 52 + qp) * 16 + (i % 16)], 4);
    const { y, u, v } = this.split(coefficients);
    const is16x16 = (s.kind & MB_INTRA_16X16) !== 0;
    const luma8x8 = (value: number, i: number): number =>
      level(value, s.scale8x8[((list === 0 ? 0 : 52) + s.qp) * 64 + (i % 64)], 6);
    return {
      y: y.map((value, i) => (s.transform8x8 ? luma8x8(value, i) : of4x4(value, i, 0, s.qp, is16x16))),
      u: u.map((value, i) => of4x4(value, i, 1, s.chromaQp[s.qp], true)),
      v: v.map((value, i) => of4x4(value, i, 2, s.chromaQp[52 + s.qp], true)),
    };
  }
}
